/* settings - what a client was made with. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_impl.h"

enum {
	CONNECT_MS = 30000,
	TIMEOUT_MS = 60000,
	FTP_PORT = 21,
	FTPS_PORT = 990,
	SOCKS_PORT = 1080,
	HTTP_PROXY_PORT = 8080,
};

static bool address_ok(const char *text)
{
	unsigned char raw[16];

	return !text || inet_pton(AF_INET, text, raw) == 1 || inet_pton(AF_INET6, text, raw) == 1;
}

int settings_check(const struct aftp_client_options *o)
{
	if (!o->host || o->connect_timeout_ms < 0 || o->timeout_ms < 0)
		return AFTP_EINVAL;
	if (o->tls_mode != AFTP_TLS_OFF && !o->tls)
		return AFTP_EINVAL;
	if (o->proxy.kind != AFTP_PROXY_NONE && (!o->proxy.host || o->active))
		return AFTP_EINVAL;
	if (o->active_port_max < o->active_port_min || !address_ok(o->active_address))
		return AFTP_EINVAL;
	return 0;
}

/* --- copies --------------------------------------------------------------------------------------- */

/* Into *to; false when there is no memory. */
static bool copy(char **to, const char *s)
{
	*to = s ? strdup(s) : NULL;
	return *to || !s;
}

static bool copy_const(const char **to, const char *s)
{
	*to = s ? strdup(s) : NULL;
	return *to || !s;
}

static bool copy_strings(struct aftp_client *c, const struct aftp_client_options *o)
{
	const char *user = o->user ? o->user : "anonymous";
	bool anonymous = strcmp(user, "anonymous") == 0 || strcmp(user, "ftp") == 0;
	const char *password = o->password ? o->password : anonymous ? "anon@" : "";

	return copy(&c->host, o->host) && copy(&c->user, user) && copy(&c->password, password) &&
		copy(&c->account, o->account) && copy(&c->active.address, o->active_address) &&
		copy_const(&c->proxy.host, o->proxy.host) && copy_const(&c->proxy.user, o->proxy.user) &&
		copy_const(&c->proxy.password, o->proxy.password);
}

static void copy_proxy(struct proxy_settings *p, const struct aftp_proxy *o)
{
	switch (o->kind) {
	case AFTP_PROXY_SOCKS5:
		p->kind = PROXY_SOCKS5;
		p->port = o->port ? o->port : SOCKS_PORT;
		break;
	case AFTP_PROXY_HTTP:
		p->kind = PROXY_HTTP;
		p->port = o->port ? o->port : HTTP_PROXY_PORT;
		break;
	case AFTP_PROXY_NONE: break;
	}
}

static int copy_tls(struct client_tls *t, const struct aftp_client_options *o)
{
	t->mode = o->tls_mode;
	if (t->mode == AFTP_TLS_OFF)
		return 0;
	t->settings = aftp_tls_ref(o->tls);
	t->prot_clear = o->prot_clear;
	return aftp_tls_sessions_new(&t->sessions);
}

int settings_copy(struct aftp_client *c, const struct aftp_client_options *o)
{
	int rc;

	if (!copy_strings(c, o))
		return AFTP_ENOMEM;
	c->port = o->port ? o->port : o->tls_mode == AFTP_TLS_IMPLICIT ? FTPS_PORT : FTP_PORT;
	c->connect_ms = o->connect_timeout_ms ? (uint64_t)o->connect_timeout_ms : CONNECT_MS;
	c->timeout_ms = o->timeout_ms ? (uint64_t)o->timeout_ms : TIMEOUT_MS;
	c->features.no_epsv = o->no_epsv;
	c->features.no_mlsd = o->no_mlsd;
	c->features.no_eprt = o->no_eprt;
	c->arm.on = o->arm;
	c->active.on = o->active;
	c->active.port_min = o->active_port_min;
	c->active.port_max = o->active_port_max;
	c->passive_order = o->no_epsv ? AFTP_PASSIVE_PASV : o->passive;
	c->list_parser = o->list_parser;
	c->list_parser_arg = o->list_parser_arg;
	c->list_parser_last = o->list_parser_last;
	copy_proxy(&c->proxy, &o->proxy);
	if (o->throttle.read)
		c->throttle.read = aftp_throttle_ref(o->throttle.read);
	if (o->throttle.write)
		c->throttle.write = aftp_throttle_ref(o->throttle.write);
	if (o->log)
		c->log = *o->log;
	if ((o->read_limit || o->write_limit) &&
		aftp_stream_throttle_from_limits(&c->own_throttle, c->loop, o->read_limit, o->write_limit) < 0)
		return AFTP_ENOMEM;
	rc = charset_new(&c->charset, o->encoding);
	return rc < 0 ? rc : copy_tls(&c->tls, o);
}

static void free_secret(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

void settings_free(struct aftp_client *c)
{
	free(c->host);
	free(c->user);
	free_secret(c->password);
	free_secret(c->account);
	free(c->active.address);
	free((char *)c->proxy.host);
	free((char *)c->proxy.user);
	free_secret((char *)c->proxy.password);
	charset_free(c->charset);
	aftp_tls_unref(c->tls.settings);
	aftp_tls_sessions_unref(c->tls.sessions);
	aftp_stream_throttle_unref(&c->throttle);
	aftp_stream_throttle_unref(&c->own_throttle);
}
