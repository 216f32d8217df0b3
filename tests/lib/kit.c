#include "lib/kit.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/loop.h"

void kit_begin(struct kit *k, const struct step *script)
{
	memset(k, 0, sizeof *k);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(uv_loop_init(&k->loop), 0);
	k->o = (struct aftp_client_options){
		.host = "127.0.0.1",
		.user = "joe",
		.password = "secret",
		.connect_timeout_ms = 30000,
		.timeout_ms = 30000,
	};
	if (!script)
		return;
	k->scripted = true;
	scripted_start(&k->server, &k->loop, script);
	k->o.port = k->server.port;
}

static void on_lost(void *arg, int status)
{
	struct kit *k = arg;

	k->lost++;
	k->lost_status = status;
}

struct answer {
	struct kit *kit;
	bool over;
	unsigned calls;
	int status;
	char *text;
};

static void on_connected(void *arg, int status)
{
	struct answer *a = arg;

	a->over = true;
	a->calls++;
	a->status = status;
	assert_int_equal(aftp_client_alive(a->kit->client), status == 0);
	assert_int_equal(aftp_client_idle(a->kit->client), status == 0);
}

int kit_connect(struct kit *k)
{
	struct answer a = { .kit = k };
	int rc;

	assert_int_equal(aftp_client_new(&k->client, &k->loop, &k->o), 0);
	aftp_client_on_lost(k->client, on_lost, k);
	if (k->assumed)
		aftp_client_assume(k->client, k->assumed);
	rc = aftp_client_connect(k->client, on_connected, &a);
	if (rc < 0)
		return rc;
	assert_false(a.over);
	loop_wait(&k->loop, &a.over, "connect");
	assert_int_equal(a.calls, 1);
	assert_int_equal(aftp_client_connect(k->client, on_connected, &a), AFTP_EALREADY);
	return a.status;
}

static void leave(struct kit *k, void (*how)(struct aftp_client **, void (*)(void *), void *))
{
	bool closed = false;

	if (!k->client)
		return;
	how(&k->client, loop_set_flag, &closed);
	assert_null(k->client);
	assert_false(closed);
	loop_wait(&k->loop, &closed, "close");
}

void kit_close(struct kit *k)
{
	leave(k, aftp_client_close);
}

void kit_quit(struct kit *k)
{
	leave(k, aftp_client_quit);
}

void kit_end(struct kit *k)
{
	kit_close(k);
	if (k->scripted) {
		scripted_stop(&k->server);
		assert_string_equal(k->server.trouble, "");
	}
	loop_finish(&k->loop);
}

void kit_note_status(void *arg, int status)
{
	*(int *)arg = status;
}

void kit_note_reply(void *arg, int status, const struct aftp_reply *r)
{
	*(int *)arg = status < 0 ? status : r->code;
}

/* --- commands ------------------------------------------------------------------------------------- */

static void on_reply(void *arg, int status, const struct aftp_reply *r)
{
	struct answer *a = arg;

	assert_true(status < 0 ? r == NULL : r != NULL);
	a->over = true;
	a->calls++;
	a->status = status < 0 ? status : r->code;
	if (a->text && status >= 0)
		snprintf(a->text, 256, "%s", aftp_reply_message(r));
}

int kit_command(struct kit *k, const char *verb, const char *argument, char *text)
{
	struct answer a = { .text = text };
	int rc = aftp_client_command(k->client, on_reply, &a, verb, argument);

	if (rc < 0)
		return rc;
	assert_false(a.over);
	loop_wait(&k->loop, &a.over, verb);
	assert_int_equal(a.calls, 1);
	return a.status;
}

/* --- retrieve ------------------------------------------------------------------------------------- */

static char *get_lend(void *arg, size_t *len)
{
	struct kit_get *g = arg;

	assert_int_equal(g->done, 0);
	if (g->cancel_in_lend) {
		aftp_transfer_cancel(g->transfer);
		return g->bytes;
	}
	g->paused = g->pause_at && g->len >= g->pause_at;
	if (g->paused)
		return NULL;
	*len = KIT_DATA_MAX - g->len;
	if (g->pause_at && *len > g->pause_at - g->len)
		*len = g->pause_at - g->len;
	return *len ? g->bytes + g->len : NULL;
}

static void get_data(void *arg, size_t n)
{
	struct kit_get *g = arg;

	assert_int_equal(g->done, 0);
	g->len += n;
	if (g->cancel_at && g->len >= g->cancel_at)
		aftp_transfer_cancel(g->transfer);
}

static void get_started(void *arg, uint64_t size)
{
	struct kit_get *g = arg;

	g->started++;
	g->size = size;
}

static void get_done(void *arg, int status, const struct aftp_transfer_result *r)
{
	struct kit_get *g = arg;

	g->done++;
	g->over = true;
	g->status = status;
	g->code = r->code;
	g->moved = r->bytes;
	snprintf(g->message, sizeof g->message, "%s", r->message);
	aftp_transfer_cancel(g->transfer);
	if (g->close_at_end)
		aftp_client_close(&g->kit->client, NULL, NULL);
}

/* Before it: what is to happen. */
void kit_get_start(struct kit_get *g, struct kit *k, const char *path, uint64_t offset)
{
	struct aftp_sink sink = { get_lend, get_data, get_started, get_done, g, false, 0 };
	int rc;

	g->kit = k;
	g->bytes = malloc(KIT_DATA_MAX);
	assert_non_null(g->bytes);
	rc = aftp_client_retrieve(k->client, &g->transfer, path, offset, &sink);
	if (rc < 0) {
		g->status = rc;
		g->over = true;
		g->done = 1;
	}
	assert_int_equal(g->over, rc < 0);
}

void kit_get_wait(struct kit_get *g)
{
	loop_wait(&g->kit->loop, &g->over, "the end of a download");
	assert_int_equal(g->done, 1);
}

void kit_get_go_on(struct kit_get *g)
{
	g->pause_at = 0;
	aftp_transfer_resume(g->transfer);
}

void kit_get_free(struct kit_get *g)
{
	free(g->bytes);
	memset(g, 0, sizeof *g);
}

int kit_get(struct kit_get *g, struct kit *k, const char *path, uint64_t offset)
{
	kit_get_start(g, k, path, offset);
	kit_get_wait(g);
	return g->status;
}

bool kit_get_right(const struct kit_get *g, uint64_t offset)
{
	for (size_t i = 0; i < g->len; i++)
		if ((unsigned char)g->bytes[i] != scripted_byte(offset + i))
			return false;
	return true;
}

/* --- list ----------------------------------------------------------------------------------------- */

static int list_entry(void *arg, const struct aftp_entry *e)
{
	struct kit_list *l = arg;
	size_t at = strlen(l->names);

	assert_int_equal(l->done, 0);
	l->seen++;
	if (l->stop_at && l->seen >= l->stop_at)
		return l->stop_with;
	if (l->cancel_at && l->seen >= l->cancel_at)
		aftp_transfer_cancel(l->transfer);
	if (e->target)
		snprintf(l->target, sizeof l->target, "%.*s", (int)e->target_len, e->target);
	if (!e->dot)
		snprintf(l->names + at, sizeof l->names - at, "%s%.*s%s", at ? " " : "", (int)e->name_len, e->name,
			e->type == AFTP_TYPE_DIR ? "/" : "");
	return 0;
}

static void list_done(void *arg, int status, const struct aftp_list_result *r)
{
	struct kit_list *l = arg;

	l->done++;
	l->over = true;
	l->status = status;
	l->entries = r->entries;
	l->unknown = r->unknown;
	l->truncated = r->truncated;
	l->kind = r->kind;
	assert_non_null(r->message);
}

void kit_list_start(struct kit_list *l, struct kit *k, const char *path)
{
	int rc;

	l->kit = k;
	rc = (l->plain             ? aftp_client_list_plain
			: l->small ? aftp_client_list_small
				   : aftp_client_list)(k->client, &l->transfer, path, list_entry, list_done, l);
	assert_false(l->over);
	if (rc < 0) {
		l->status = rc;
		l->over = true;
		l->done = 1;
	}
}

int kit_list(struct kit_list *l, struct kit *k, const char *path)
{
	kit_list_start(l, k, path);
	loop_wait(&k->loop, &l->over, "the end of a listing");
	assert_int_equal(l->done, 1);
	return l->status;
}

/* --- stat ----------------------------------------------------------------------------------------- */

struct looked {
	struct aftp_entry *entry;
	const char *name;
	int status;
	unsigned calls;
	bool over;
};

static void on_stat(void *arg, int status, const struct aftp_entry *e)
{
	struct looked *l = arg;

	l->calls++;
	l->over = true;
	l->status = status;
	assert_int_equal(e != NULL, status == 0);
	if (!e)
		return;
	assert_int_equal(e->name_len, strlen(l->name));
	assert_memory_equal(e->name, l->name, e->name_len);
	assert_false(e->dot);
	*l->entry = *e;
	l->entry->name = l->entry->target = l->entry->unique = NULL;
}

int kit_stat(struct kit *k, const char *path, struct aftp_entry *e)
{
	const char *slash = path[0] && path[1] ? strrchr(path, '/') : NULL;
	struct looked l = { .entry = e, .name = slash ? slash + 1 : path };
	int rc = aftp_client_stat(k->client, path, on_stat, &l);

	if (rc < 0)
		return rc;
	assert_false(l.over);
	loop_wait(&k->loop, &l.over, "stat");
	assert_int_equal(l.calls, 1);
	return l.status;
}

/* --- store ---------------------------------------------------------------------------------------- */

static void put_size(void *arg, int status, const struct aftp_reply *r)
{
	struct kit_put *p = arg;

	p->owed--;
	p->has_size = status == 0 && aftp_reply_size(r, &p->size) == 0;
}

static void put_ready(void *arg)
{
	struct kit_put *p = arg;
	size_t n = p->total - p->given < p->chunk ? (size_t)(p->total - p->given) : p->chunk;

	assert_int_equal(p->done, 0);
	p->ready++;
	if (p->cancel_at && p->given >= p->cancel_at) {
		aftp_transfer_cancel(p->transfer);
		return;
	}
	if (n == 0) {
		assert_int_equal(aftp_transfer_finish(p->transfer), 0);
		for (unsigned i = 0; i < p->confirm; i++)
			if (aftp_transfer_follow(p->transfer, put_size, p, "SIZE") == 0)
				p->owed++;
		return;
	}
	for (size_t i = 0; i < n; i++)
		p->block[i] = (char)scripted_byte(p->given + i);
	p->given += n;
	assert_int_equal(aftp_transfer_write(p->transfer, p->block, n), 0);
	assert_int_equal(aftp_transfer_write(p->transfer, p->block, n), AFTP_EBUSY);
}

static void put_done(void *arg, int status, const struct aftp_transfer_result *r)
{
	struct kit_put *p = arg;

	p->done++;
	p->over = true;
	p->status = status;
	p->code = r->code;
	p->moved = r->bytes;
	snprintf(p->message, sizeof p->message, "%s", r->message);
}

void kit_put_start(struct kit_put *p, struct kit *k, enum aftp_store how, const char *path, uint64_t offset,
	uint64_t total, size_t chunk)
{
	struct aftp_source source = { .ready = put_ready, .done = put_done, .arg = p, .early = p->early };

	p->kit = k;
	p->total = total;
	p->chunk = chunk;
	p->block = malloc(chunk);
	assert_non_null(p->block);
	assert_int_equal(aftp_client_store(k->client, &p->transfer, how, path, offset, &source), 0);
	assert_int_equal(p->ready, 0);
	assert_int_equal(aftp_transfer_write(p->transfer, "x", 1), AFTP_EBUSY);
}

int kit_put_wait(struct kit_put *p)
{
	loop_wait(&p->kit->loop, &p->over, "the end of an upload");
	for (int i = 0; i < 10000 && p->owed; i++)
		loop_run_for(&p->kit->loop, 1);
	assert_int_equal(p->owed, 0);
	assert_int_equal(p->done, 1);
	free(p->block);
	p->block = NULL;
	return p->status;
}
