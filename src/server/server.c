#include "server/server.h"

#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "server/address.h"
#include "server/commands.h"
#include "server/limits.h"
#include "server/play.h"
#include "server/session.h"

enum { BACKLOG = 1024, IDLE_MS = 300000, DATA_MS = 10000, STALL_MS = 300000, LOGIN_MS = 250, LOGIN_FAILURES = 5 };

struct listener {
	struct aftp_server *srv;
	uv_tcp_t *tcp;
	bool tls; /* from the first byte on */
};

/* --- listening ------------------------------------------------------------------------------------- */

static void free_handle(uv_handle_t *h)
{
	free(h);
}

int server_bind(uv_loop_t *loop, const struct sockaddr *addr, uv_tcp_t **out)
{
	uv_tcp_t *tcp = malloc(sizeof(*tcp));
	uv_os_fd_t fd;
	int on = 1;
	*out = NULL;
	if (!tcp)
		return AFTP_ENOMEM;
	int rc = uv_tcp_init_ex(loop, tcp, addr->sa_family);
	if (rc < 0) {
		free(tcp);
		return rc;
	}
	rc = uv_tcp_bind(tcp, addr, 0);
	if (rc == 0)
		rc = uv_fileno((uv_handle_t *)tcp, &fd);
	/* What is accepted inherits it. */
	if (rc == 0 && setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)) < 0)
		rc = -errno;
	if (rc < 0)
		uv_close((uv_handle_t *)tcp, free_handle);
	else
		*out = tcp;
	return rc;
}

static void on_connection(uv_stream_t *tcp, int status)
{
	struct listener *l = tcp->data;
	if (status == 0)
		session_accept(l->srv, tcp, l->tls);
	else
		aftp_log(&l->srv->log, AFTP_LOG_WARN, "cannot accept: %s", aftp_strerror(status));
}

static void on_listener_closed(uv_handle_t *h)
{
	struct listener *l = h->data;
	struct aftp_server *srv = l->srv;
	free(h);
	free(l);
	server_release(srv);
}

static int server_listen(struct aftp_server *srv, const struct sockaddr *addr, bool tls)
{
	if (srv->closing || srv->nlisteners == SERVER_LISTENERS)
		return AFTP_EBUSY;
	struct listener *l = calloc(1, sizeof(*l));
	if (!l)
		return AFTP_ENOMEM;
	l->srv = srv;
	l->tls = tls;
	int rc = server_bind(srv->loop, addr, &l->tcp);
	if (rc < 0) {
		free(l);
		return rc;
	}
	l->tcp->data = l;
	srv->holds++;
	rc = uv_listen((uv_stream_t *)l->tcp, BACKLOG, on_connection);
	if (rc < 0)
		uv_close((uv_handle_t *)l->tcp, on_listener_closed);
	else
		srv->listeners[srv->nlisteners++] = l;
	return rc;
}

int aftp_server_listen(struct aftp_server *srv, const struct sockaddr *addr)
{
	return server_listen(srv, addr, false);
}

int aftp_server_listen_tls(struct aftp_server *srv, const struct sockaddr *addr)
{
	return srv->tls ? server_listen(srv, addr, true) : AFTP_EINVAL;
}

int aftp_server_local_of(const struct aftp_server *srv, size_t i, struct sockaddr_storage *addr, bool *tls)
{
	int len = sizeof(*addr);
	if (i >= srv->nlisteners)
		return AFTP_ENOENT;
	if (tls)
		*tls = srv->listeners[i]->tls;
	return uv_tcp_getsockname(srv->listeners[i]->tcp, (struct sockaddr *)addr, &len);
}

int aftp_server_local(const struct aftp_server *srv, struct sockaddr_storage *addr)
{
	return srv->nlisteners > 0 ? aftp_server_local_of(srv, 0, addr, NULL) : AFTP_ENOTCONN;
}

uint16_t aftp_server_port(const struct aftp_server *srv)
{
	struct sockaddr_storage addr;
	if (aftp_server_local(srv, &addr) < 0)
		return 0;
	return address_port(&addr);
}

/* --- life ------------------------------------------------------------------------------------------ */

static void close_users(struct aftp_server *srv)
{
	for (size_t i = 0; i < srv->users.count; i++) {
		aftp_stream_throttle_unref(&srv->users.list[i].shared);
		if (srv->users.list[i].view)
			srv->vfs->ops->unview(srv->users.list[i].view);
	}
	users_finish(&srv->users);
}

/* What a user sees of the vfs, where that is not all of it. */
static int open_view(struct aftp_server *srv, struct user *user)
{
	const struct aftp_vfs_guard guard = { .allows = users_allow, .moves = users_move, .arg = user };
	bool below = user->set.base && strcmp(user->set.base, "/") != 0, rules = user->set.npermissions > 0;
	if (!below && !rules)
		return 0;
	if (!srv->vfs->ops->view || !srv->vfs->ops->unview)
		return AFTP_EINVAL;
	return srv->vfs->ops->view(srv->vfs, below ? user->set.base : "/", rules ? &guard : NULL, &user->view);
}

static int open_users(struct aftp_server *srv, const struct aftp_server_options *o)
{
	int rc = users_init(&srv->users, o->users, o->nusers);
	for (size_t i = 0; i < srv->users.count && rc == 0; i++)
		rc = open_view(srv, &srv->users.list[i]);
	return rc;
}

static void server_free(struct aftp_server *srv)
{
	faults_finish(&srv->faults);
	close_users(srv);
	aftp_stream_throttle_unref(&srv->throttle);
	aftp_tls_unref(srv->tls);
	free(srv->welcome);
	free(srv->verb_counts);
	free(srv);
}

void server_release(struct aftp_server *srv)
{
	if (--srv->holds > 0)
		return;
	void (*closed)(void *arg) = srv->closed;
	void *arg = srv->closed_arg;
	later_close(&srv->later);
	delay_close(&srv->delay);
	server_free(srv);
	if (closed)
		closed(arg);
}

/* 0 asks for the default, less for none. */
static int64_t limit_of(int64_t asked, int64_t otherwise)
{
	return asked < 0 ? 0 : asked == 0 ? otherwise : asked;
}

static int server_fill(struct aftp_server *srv, const struct aftp_server_options *o)
{
	srv->vfs = o->vfs;
	srv->idle_ms = limit_of(o->idle_timeout_ms, IDLE_MS);
	srv->data_ms = limit_of(o->data_timeout_ms, DATA_MS);
	srv->stall_ms = limit_of(o->stall_timeout_ms, STALL_MS);
	srv->max_connections = o->max_connections;
	srv->login_delay_ms = (uint64_t)limit_of(o->login_delay_ms, LOGIN_MS);
	srv->max_login_failures = (uint32_t)limit_of(o->max_login_failures, LOGIN_FAILURES);
	srv->limits = o->limits;
	srv->connection_limits = o->connection_limits;
	srv->foreign_data = o->foreign_data;
	srv->ports[0] = o->first_port;
	srv->ports[1] = o->last_port;
	srv->fractions = o->fractions;
	if (o->log)
		srv->log = *o->log;
	srv->play = play_find(o->play);
	srv->tls = o->tls ? aftp_tls_ref(o->tls) : NULL;
	srv->tls_required = o->tls_required;
	srv->tls_reuse = o->tls_reuse;
	if (!srv->play || (!o->tls && (o->tls_required || o->tls_reuse)))
		return AFTP_EINVAL;
	srv->welcome = strdup(o->welcome ? o->welcome : srv->play->welcome);
	srv->verb_counts = calloc(command_count(), sizeof(*srv->verb_counts));
	if (!srv->welcome || !srv->verb_counts)
		return AFTP_ENOMEM;
	int rc = open_users(srv, o);
	return rc == 0 ? faults_init(&srv->faults, &o->faults) : rc;
}

int aftp_server_new(struct aftp_server **out, uv_loop_t *loop, const struct aftp_server_options *o)
{
	if (!o->vfs || o->first_port > o->last_port || (!o->first_port && o->last_port))
		return AFTP_EINVAL;
	struct aftp_server *srv = calloc(1, sizeof(*srv));
	if (!srv)
		return AFTP_ENOMEM;
	srv->loop = loop;
	srv->holds = 1;
	int rc = server_fill(srv, o);
	if (rc == 0)
		rc = later_new(&srv->later, loop);
	if (rc < 0)
		goto fail;
	rc = delay_new(&srv->delay, loop);
	if (rc < 0)
		goto fail_later;
	*out = srv;
	return 0;
fail_later:
	later_close(&srv->later);
fail:
	server_free(srv);
	return rc;
}

bool server_hides(const struct aftp_server *srv, const char *verb)
{
	static const char *const tls_verbs[] = { "AUTH", "PBSZ", "PROT", NULL };
	if (!srv->tls && faults_hidden_by(tls_verbs, verb))
		return true;
	return faults_hide(&srv->faults, verb) || (srv->play->no && faults_hidden_by(srv->play->no, verb));
}

int aftp_server_set_faults(struct aftp_server *srv, const struct aftp_faults *set)
{
	struct faults fresh;
	int rc = faults_init(&fresh, set);
	if (rc < 0)
		return rc;
	struct session *s;
	DL_FOREACH (srv->sessions, s)
		s->rule = s->transfer_rule = NULL;
	faults_finish(&srv->faults);
	srv->faults = fresh;
	return 0;
}

int aftp_server_set_limits(
	struct aftp_server *srv, enum aftp_limit_level level, const char *user, const struct aftp_limits *limits)
{
	return limits_set(srv, level, user, limits);
}

void aftp_server_close(struct aftp_server **srvp, void (*closed)(void *arg), void *arg)
{
	struct aftp_server *srv = *srvp;
	struct session *s, *tmp;
	*srvp = NULL;
	if (!srv)
		return;
	srv->closing = true;
	srv->closed = closed;
	srv->closed_arg = arg;
	for (size_t i = 0; i < srv->nlisteners; i++)
		uv_close((uv_handle_t *)srv->listeners[i]->tcp, on_listener_closed);
	DL_FOREACH_SAFE (srv->sessions, s, tmp)
		session_kill(s, false);
	server_release(srv);
}

/* --- counters -------------------------------------------------------------------------------------- */

void aftp_server_counters(const struct aftp_server *srv, struct aftp_server_counters *out)
{
	*out = srv->counters;
}

uint64_t aftp_server_count(const struct aftp_server *srv, const char *verb)
{
	const struct command *cmd = command_find(verb);
	return cmd ? srv->verb_counts[command_index(cmd)] : 0;
}

void aftp_server_each_count(const struct aftp_server *srv, aftp_server_count_cb *cb, void *arg)
{
	for (size_t i = 0; i < command_count(); i++)
		if (srv->verb_counts[i] > 0)
			cb(arg, command_at(i)->verb, srv->verb_counts[i]);
}
