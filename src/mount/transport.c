#include "mount/transport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <aftp/status.h>

struct making {
	struct transport *t;
	const struct options *o;
	char *why;
	size_t size;
};

__attribute__((format(printf, 3, 4))) static int refuse(struct making *m, int status, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vsnprintf(m->why, m->size, format, ap);
	va_end(ap);
	return status;
}

/* --- TLS ------------------------------------------------------------------------------------------ */

static const char *const scheme_names[] = {
	[AFTP_SCHEME_FTP] = "ftp",
	[AFTP_SCHEME_FTPES] = "ftpes",
	[AFTP_SCHEME_FTPS] = "ftps",
};

static int choose_tls(struct making *m)
{
	struct site_transport *s = &m->t->site;
	enum aftp_scheme scheme = m->o->url.scheme;
	int64_t tls = m->o->tls;
	if (tls == OPTIONS_UNSET)
		tls = scheme == AFTP_SCHEME_FTP ? OPTIONS_TLS_OFF : OPTIONS_TLS_REQUIRE;
	if (scheme != AFTP_SCHEME_FTP && (tls == OPTIONS_TLS_OFF || tls == OPTIONS_TLS_TRY))
		return refuse(m, AFTP_EINVAL, "%s:// requires TLS, and tls=%s does not", scheme_names[scheme],
			tls == OPTIONS_TLS_OFF ? "off" : "try");
	s->prot_clear = tls == OPTIONS_TLS_CONTROL;
	if (scheme == AFTP_SCHEME_FTPS)
		s->tls_mode = AFTP_TLS_IMPLICIT;
	else
		s->tls_mode = tls == OPTIONS_TLS_OFF ? AFTP_TLS_OFF
			: tls == OPTIONS_TLS_TRY     ? AFTP_TLS_TRY
						     : AFTP_TLS_REQUIRE;
	return 0;
}

/* An option that is about TLS, or NULL. */
static const char *option_of_tls(const struct options *o)
{
	const struct {
		bool given;
		const char *name;
	} all[] = {
		{ o->tls_pin != NULL, "tls_pin" },
		{ o->cacert != NULL, "cacert" },
		{ o->capath != NULL, "capath" },
		{ o->cert != NULL, "cert" },
		{ o->key != NULL, "key" },
		{ o->ciphers != NULL, "ciphers" },
		{ o->ciphersuites != NULL, "ciphersuites" },
		{ o->tls_min != 0, "tls_min" },
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].given)
			return all[i].name;
	}
	return NULL;
}

static int make_tls(struct making *m)
{
	const struct options *o = m->o;
	char *capath = NULL;
	if (m->t->site.tls_mode == AFTP_TLS_OFF) {
		const char *name = option_of_tls(o);
		return name == NULL
			? 0
			: refuse(m, AFTP_EINVAL,
				  "option '%s' is about TLS, and there is none: say ftpes://, ftps:// or -o tls", name);
	}
	if (o->key != NULL && o->cert == NULL)
		return refuse(m, AFTP_EINVAL, "option 'key' needs 'cert'");
	/* OpenSSL looks into the directory whenever it needs something, and we change ours. */
	if (o->capath != NULL) {
		capath = realpath(o->capath, NULL);
		if (capath == NULL)
			return refuse(m, -errno, "capath %s: %s", o->capath, strerror(errno));
	}
	const struct aftp_tls_options t = {
		.cert_file = o->cert,
		.key_file = o->key,
		.key_password = o->key_password,
		.ca_file = o->cacert,
		.ca_path = capath,
		.pin = o->tls_pin,
		.no_verify_peer = o->no_verify_peer,
		.no_verify_hostname = o->no_verify_hostname,
		.min_version = (enum aftp_tls_version)o->tls_min,
		.max_version = (enum aftp_tls_version)o->tls_max,
		.ciphers = o->ciphers,
		.ciphersuites = o->ciphersuites,
	};
	int rc = aftp_tls_client_new(&m->t->site.tls, &t, m->why, m->size);
	free(capath);
	return rc;
}

/* --- a proxy -------------------------------------------------------------------------------------- */

static const struct {
	const char *scheme;
	enum aftp_proxy_kind kind;
} proxy_schemes[] = {
	{ "socks5", AFTP_PROXY_SOCKS5 },
	{ "socks5h", AFTP_PROXY_SOCKS5 },
	{ "socks", AFTP_PROXY_SOCKS5 },
	{ "http", AFTP_PROXY_HTTP },
};

/* The kind, and the text behind "scheme://". */
static enum aftp_proxy_kind proxy_kind(const struct options *o, const char **text)
{
	const char *end = strstr(*text, "://");
	if (end == NULL)
		return (enum aftp_proxy_kind)o->proxy_kind;
	for (size_t i = 0; i < sizeof(proxy_schemes) / sizeof(proxy_schemes[0]); i++) {
		size_t n = strlen(proxy_schemes[i].scheme);
		if ((size_t)(end - *text) == n && strncasecmp(*text, proxy_schemes[i].scheme, n) == 0) {
			*text = end + 3;
			return proxy_schemes[i].kind;
		}
	}
	return AFTP_PROXY_NONE;
}

/* The rest of it is written as in ftp://. */
static int parse_proxy_url(struct making *m, const char *text)
{
	struct aftp_url *u = &m->t->proxy;
	const char *reason = NULL;
	char *url = NULL;
	if (asprintf(&url, "ftp://%s", text) < 0)
		return AFTP_ENOMEM;
	int rc = aftp_url_parse(u, url, &reason);
	options_free_secret(url);
	if (rc == AFTP_EINVAL)
		return refuse(m, rc, "option 'proxy': %s", reason);
	if (rc == 0 && u->path[0] != '\0' && strcmp(u->path, "/") != 0)
		return refuse(m, AFTP_EINVAL, "option 'proxy': there is a path behind the host");
	return rc;
}

static int split_proxy_user(struct transport *t, const char *text)
{
	const char *colon = strchrnul(text, ':');
	t->proxy_user = strndup(text, (size_t)(colon - text));
	t->proxy_password = strdup(*colon == ':' ? colon + 1 : "");
	return t->proxy_user != NULL && t->proxy_password != NULL ? 0 : AFTP_ENOMEM;
}

static int make_proxy(struct making *m)
{
	struct transport *t = m->t;
	const struct options *o = m->o;
	const char *text = o->proxy;
	if (text == NULL)
		return o->proxy_user == NULL && o->proxy_kind == AFTP_PROXY_NONE
			? 0
			: refuse(m, AFTP_EINVAL, "no proxy is given: say -o proxy=socks5://HOST or proxy=http://HOST");
	enum aftp_proxy_kind kind = proxy_kind(o, &text);
	if (kind == AFTP_PROXY_NONE)
		return refuse(m, AFTP_EINVAL, "option 'proxy' must begin with socks5:// or http://");
	int rc = parse_proxy_url(m, text);
	if (rc == 0 && o->proxy_user != NULL)
		rc = split_proxy_user(t, o->proxy_user);
	if (rc < 0)
		return rc;
	t->site.proxy = (struct aftp_proxy){
		.kind = kind,
		.host = t->proxy.host,
		.port = t->proxy.port_given ? t->proxy.port : 0,
		.user = t->proxy_user != NULL ? t->proxy_user : t->proxy.user,
		.password = t->proxy_user != NULL ? t->proxy_password : t->proxy.password,
	};
	return 0;
}

/* --- active mode ---------------------------------------------------------------------------------- */

static int make_active(struct making *m)
{
	const struct options *o = m->o;
	struct transport *t = m->t;
	const char *address = o->active_address;
	unsigned char raw[sizeof(struct in6_addr)];
	unsigned span = (unsigned)(o->active_ports[1] - o->active_ports[0]) + 1;
	if (!o->active && address == NULL && o->active_ports[0] == 0)
		return 0;
	if (o->proxy != NULL)
		return refuse(m, AFTP_EINVAL, "the server cannot connect to us through a proxy: no active mode there");
	if (address != NULL && strcmp(address, "-") == 0) /* curlftpfs: whatever ours is */
		address = NULL;
	if (address != NULL && inet_pton(AF_INET, address, raw) != 1 && inet_pton(AF_INET6, address, raw) != 1)
		return refuse(m, AFTP_EINVAL, "active_address=%s: must be an IP address", address);
	t->site.active = true;
	t->site.active_address = address;
	t->site.active_port_min = (uint16_t)o->active_ports[0];
	t->site.active_port_max = (uint16_t)o->active_ports[1];
	/* Each connection listens on a port of its own. */
	if (o->active_ports[0] != 0 && span < t->max_conns)
		t->max_conns = span;
	return 0;
}

/* --- all of it ------------------------------------------------------------------------------------ */

int transport_init(struct transport *t, const struct options *o, char *why, size_t size)
{
	struct making m = { .t = t, .o = o, .why = why, .size = size };
	why[0] = '\0';
	*t = (struct transport){
		.max_conns = (unsigned)o->max_conns,
		.site = {
			.no_eprt = o->no_eprt,
			.read_limit = (uint64_t)o->read_limit,
			.write_limit = (uint64_t)o->write_limit,
			.conn_read_limit = (uint64_t)o->conn_read_limit,
			.conn_write_limit = (uint64_t)o->conn_write_limit,
		},
	};
	int rc = choose_tls(&m);
	if (rc == 0)
		rc = make_tls(&m);
	if (rc == 0)
		rc = make_proxy(&m);
	if (rc == 0)
		rc = make_active(&m);
	if (rc < 0 && why[0] == '\0')
		snprintf(why, size, "%s", aftp_strerror(rc));
	return rc;
}

void transport_finish(struct transport *t)
{
	aftp_tls_unref(t->site.tls);
	aftp_url_clear(&t->proxy);
	free(t->proxy_user);
	options_free_secret(t->proxy_password);
	*t = (struct transport){ 0 };
}

/* --- words ---------------------------------------------------------------------------------------- */

const char *transport_warning(const struct options *o, unsigned n)
{
	const char *all[3];
	unsigned count = 0;
	if (o->no_verify_peer && o->tls_pin == NULL)
		all[count++] =
			"no_verify_peer: whoever is on the way can pose as the server, read and change everything";
	else if (o->no_verify_hostname && o->tls_pin == NULL)
		all[count++] = "no_verify_hostname: whoever has any certificate that is trusted can pose as the server";
	if (o->tls_min == AFTP_TLS_1_0 || o->tls_min == AFTP_TLS_1_1)
		all[count++] = "tls_min: TLS below 1.2 is broken";
	if (o->ignored != NULL)
		all[count++] = o->ignored;
	return n < count ? all[n] : NULL;
}

void transport_explain(char *out, size_t size, const char *why)
{
	static const char theirs[] = "its key is sha256//", ours[] = "to trust it, say -o tls_pin=sha256//";
	const char *at = strstr(why, theirs);
	if (at == NULL)
		snprintf(out, size, "%s", why);
	else
		snprintf(out, size, "%.*s%s%s", (int)(at - why), why, ours, at + sizeof(theirs) - 1);
}
