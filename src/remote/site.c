#include "remote/site.h"

#include <aftp/status.h>
#include <aftp/url.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "proto/command.h"
#include "remote/internal.h"
#include "remote/mutate.h"
#include "remote/writer.h"

#define DEFAULT_CONNS      4
#define DEFAULT_CONNECT_MS 15000
#define DEFAULT_TIMEOUT_MS 30000
#define DEFAULT_IDLE_MS    60000
#define DEFAULT_TTL_MS     20000
#define DEFAULT_READAHEAD  (16u * 1024 * 1024)
#define DEFAULT_ENTRIES    200000
#define DEFAULT_SPOOL      (4u * 1024 * 1024)
#define TICK_MS            100

/* --- ops ------------------------------------------------------------------------------------------ */

static void op_due(struct later_item *item)
{
	struct site_op *op = (struct site_op *)((char *)item - offsetof(struct site_op, due));

	op->run(op);
}

void *op_new(struct site *s, size_t size, void (*run)(struct site_op *), struct site_op **out)
{
	struct site_op *op = calloc(1, size);

	if (!op)
		return NULL;
	op->site = s;
	op->run = run;
	op->due.run = op_due;
	DL_APPEND(s->ops, op);
	if (out)
		*out = op;
	return op;
}

void op_complete(struct site_op *op, int status)
{
	if (op->completed)
		return;
	op->completed = true;
	op->status = status;
	op->detach = NULL;
	later_add(op->site->later, &op->due);
}

void op_free(struct site_op *op)
{
	DL_DELETE(op->site->ops, op);
	free(op);
}

void site_cancel(struct site_op *op)
{
	if (op->completed)
		return;
	if (op->detach)
		op->detach(op);
	op_complete(op, AFTP_ECANCELED);
}

/* --- what things look like ------------------------------------------------------------------------ */

uint64_t site_now(const struct site *s)
{
	return uv_now(s->loop);
}

bool site_fresh(const struct site *s, uint64_t at)
{
	return at && site_now(s) - at < (uint64_t)s->o.attr_ttl_ms;
}

int site_check_name(const struct site *s, const char *name)
{
	const struct aftp_features *f = pool_features(s->pool);

	if (strlen(name) > 1024)
		return -ENAMETOOLONG;
	return strpbrk(name, "\r\n") || (f && command_is_altered(f->alters, name)) ? AFTP_EBADNAME : 0;
}

void site_fill_attr(const struct site *s, const struct node *n, struct site_attr *a)
{
	uint64_t age = site_now(s) - n->attr_at;
	uint64_t ttl = (uint64_t)s->o.attr_ttl_ms;

	attr_to_stat(&n->attr, n->ino, &s->o, &a->st);
	if (n->doomed || n->gone)
		a->st.st_nlink = 0;
	if (n->attr.type == AFTP_TYPE_LINK && n->target)
		a->st.st_size = (off_t)strlen(n->target);
	a->valid_ms = n->attr_at && age < ttl ? ttl - age : 0;
	/* The server gives the file its time when it has all of it. */
	if (n->writer && writer_has_content(n->writer))
		a->valid_ms = 0;
}

uint64_t site_negative_ms(const struct site *s)
{
	return (uint64_t)s->o.attr_ttl_ms;
}

void site_forget(struct site *s, uint64_t ino, uint64_t nlookup)
{
	struct node *n = node_by_ino(&s->nodes, ino);

	if (n && ino != SITE_ROOT)
		node_forget(&s->nodes, n, nlookup);
}

void site_on_stale(struct site *s, site_stale_cb *cb, void *arg)
{
	s->stale = cb;
	s->stale_arg = arg;
}

void site_usage(const struct site *s, struct site_usage *u)
{
	*u = (struct site_usage){
		.connections = s->pool ? pool_connected(s->pool) : 0,
		.connected_max = s->pool ? pool_connected_max(s->pool) : 0,
		.nodes = s->nodes.count,
		.entries = s->nodes.entries,
		.readers = s->readers,
		.read_memory = s->read_memory.used,
	};
}

/* --- birth and end -------------------------------------------------------------------------------- */

static void set_defaults(struct site_options *o)
{
	if (!o->max_conns)
		o->max_conns = DEFAULT_CONNS;
	if (!o->connect_timeout_ms)
		o->connect_timeout_ms = DEFAULT_CONNECT_MS;
	if (!o->timeout_ms)
		o->timeout_ms = DEFAULT_TIMEOUT_MS;
	if (!o->idle_timeout_ms)
		o->idle_timeout_ms = DEFAULT_IDLE_MS;
	if (o->attr_ttl_ms < 0)
		o->attr_ttl_ms = DEFAULT_TTL_MS;
	if (!o->readahead)
		o->readahead = DEFAULT_READAHEAD;
	if (!o->cache_entries)
		o->cache_entries = DEFAULT_ENTRIES;
	if (!o->spool_memory)
		o->spool_memory = DEFAULT_SPOOL;
}

static int copy_options(struct site *s, const struct site_options *o)
{
	s->o = *o;
	set_defaults(&s->o);
	if (o->log)
		s->log = *o->log;
	s->o.log = &s->log;
	s->o.host = s->o.user = s->o.password = s->o.account = NULL; /* the pool keeps its own */
	s->o.path = s->o.spool_dir = s->o.encoding = NULL;
	s->o.transport = (struct site_transport){ 0 };
	if (!o->read_only)
		s->spool_fd = spool_open_dir(o->spool_dir);
	if (o->spool_dir && s->spool_fd < -1)
		return s->spool_fd;
	if (o->path) {
		s->path = strdup(o->path);
		if (!s->path)
			return AFTP_ENOMEM;
		s->o.path = s->path;
	}
	return 0;
}

static int make_pool(struct site *s, const struct site_options *o)
{
	const struct site_transport *t = &o->transport;
	struct pool_options po = {
		.client = {
			.host = o->host, .port = o->port, .user = o->user, .password = o->password, .account = o->account,
			.connect_timeout_ms = s->o.connect_timeout_ms, .timeout_ms = s->o.timeout_ms,
			.no_epsv = o->no_epsv, .no_mlsd = o->no_mlsd, .arm = !o->no_arm, .log = &s->log, .encoding = o->encoding,
			.tls_mode = t->tls_mode, .prot_clear = t->prot_clear, .tls = t->tls, .proxy = t->proxy,
			.active = t->active, .no_eprt = t->no_eprt, .active_address = t->active_address,
			.active_port_min = t->active_port_min, .active_port_max = t->active_port_max,
			.read_limit = t->conn_read_limit, .write_limit = t->conn_write_limit,
		},
		.max_conns = s->o.max_conns,
		.wait_ms = s->o.timeout_ms,
		.idle_ms = s->o.idle_timeout_ms,
	};
	int rc = aftp_stream_throttle_from_limits(&s->throttle, s->loop, t->read_limit, t->write_limit);

	po.client.throttle = s->throttle;
	return rc ? rc : pool_new(&s->pool, s->loop, s->later, &po);
}

int site_new(struct site **out, uv_loop_t *loop, const struct site_options *o)
{
	struct site *s = calloc(1, sizeof *s);
	int rc;

	if (!s)
		return AFTP_ENOMEM;
	s->loop = loop;
	s->spool_fd = -1;
	rc = copy_options(s, o);
	if (rc)
		goto fail;
	rc = nodes_init(&s->nodes, s->o.path && s->o.path[0] ? s->o.path : "/", s->o.cache_entries);
	if (rc)
		goto fail;
	rc = later_new(&s->later, loop);
	if (rc)
		goto fail;
	rc = make_pool(s, o);
	if (rc)
		goto fail_later;
	uv_timer_init(loop, &s->tick);
	s->tick.data = s;
	*out = s;
	return 0;
fail_later:
	aftp_stream_throttle_unref(&s->throttle);
	later_close(&s->later);
fail:
	nodes_finish(&s->nodes);
	free(s->path);
	if (s->spool_fd >= 0)
		close(s->spool_fd);
	free(s);
	return rc;
}

static void site_end(struct later_item *item)
{
	struct site *s = (struct site *)((char *)item - offsetof(struct site, end));
	void (*closed)(void *arg) = s->closed;
	void *closed_arg = s->closed_arg;

	later_close(&s->later);
	aftp_stream_throttle_unref(&s->throttle);
	peeks_finish(s);
	contents_free(s);
	writers_close(s);
	dirs_free(s);
	walks_finish(s);
	window_memory_finish(&s->read_memory);
	nodes_finish(&s->nodes);
	free(s->facts.line);
	free(s->path);
	if (s->spool_fd >= 0)
		close(s->spool_fd);
	free(s);
	if (closed)
		closed(closed_arg);
}

static void on_tick(uv_timer_t *timer)
{
	struct site *s = timer->data;

	writers_tick(s);
	peeks_tick(s);
	if (!s->writers && !s->peeks.list)
		uv_timer_stop(timer);
}

void site_tick(struct site *s)
{
	if (!s->closing && !uv_is_active((uv_handle_t *)&s->tick))
		uv_timer_start(&s->tick, on_tick, TICK_MS, TICK_MS);
}

/* The requests that were cancelled are due before this. */
static void tick_closed(uv_handle_t *handle)
{
	struct site *s = handle->data;

	s->end.run = site_end;
	later_add(s->later, &s->end);
}

static void pool_is_closed(void *arg)
{
	uv_close((uv_handle_t *)&((struct site *)arg)->tick, tick_closed);
}

static void close_pool(struct site *s)
{
	pool_close(&s->pool, pool_is_closed, s);
}

void site_close(struct site **sp, void (*closed)(void *arg), void *arg)
{
	struct site *s = *sp;
	struct site_op *op, *next;

	*sp = NULL;
	s->closing = true;
	s->closed = closed;
	s->closed_arg = arg;
	DL_FOREACH_SAFE (s->ops, op, next)
		site_cancel(op);
	contents_close(s);
	mutate_close(s, close_pool);
}
