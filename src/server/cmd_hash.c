/* cmd_hash - what a file's content adds up to: HASH and OPTS HASH (draft-bryan-ftpext-hash), XCRC XMD5 XSHA and the
 * like. The sums are made in libuv's threads, block by block: nobody waits for them but who asked. */
#include <aftp/status.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/commands.h"
#include "server/hash.h"
#include "server/words.h"

enum { BLOCK = 1 << 20 };

struct summing {
	struct session *s;
	const struct hash_kind *kind;
	struct hash *hash;
	struct aftp_vfs_file *file;
	struct aftp_vfs_req req;
	uv_work_t work;
	uint64_t from, at, end;
	int status;
	bool old_style; /* 250 and nothing but the sum */
};

static void summing_free(struct summing *c)
{
	hash_free(c->hash);
	free(c);
}

static void say_sum(struct summing *c)
{
	struct session *s = c->s;
	char hex[HASH_HEX];
	int status = c->status;
	if (status == 0)
		status = hash_final(c->hash, hex);
	if (status < 0)
		session_end_errno(s, status);
	else if (c->old_style)
		session_end(s, 250, "%s", hex);
	else
		session_end(s, 213, "%s %" PRIu64 "-%" PRIu64 " %s %s", c->kind->name, c->from,
			c->at > c->from ? c->at - 1 : c->from, hex, s->path);
}

static void on_closed(void *arg, int status)
{
	struct summing *c = arg;
	if (status < 0 && c->status == 0)
		c->status = status;
	if (session_back(c->s))
		say_sum(c);
	summing_free(c);
}

static void finish(struct summing *c, int status)
{
	c->status = status;
	int rc = c->file->fs->ops->close(c->file, &c->req, on_closed, c);
	if (rc < 0)
		on_closed(c, rc);
}

static void read_on(struct summing *c);

/* In a thread of its own: nothing but the block and the sum. */
static void add_block(uv_work_t *work)
{
	struct summing *c = work->data;
	hash_update(c->hash, c->req.data, c->req.len);
}

static void on_added(uv_work_t *work, int status)
{
	struct summing *c = work->data;
	c->at += c->req.len;
	c->file->fs->ops->release(c->file, c->req.data);
	if (status < 0 || c->s->state == SESSION_DEAD)
		finish(c, status < 0 ? status : AFTP_ECANCELED);
	else
		read_on(c);
}

static void on_read(void *arg, int status)
{
	struct summing *c = arg;
	c->work.data = c;
	if (status == 0 && c->req.len > 0 && c->s->state != SESSION_DEAD)
		status = uv_queue_work(c->s->srv->loop, &c->work, add_block, on_added);
	else
		c->end = c->at;
	if (status < 0 || c->end == c->at)
		finish(c, status);
}

static void read_on(struct summing *c)
{
	uint64_t left = c->end - c->at;
	if (left == 0) {
		finish(c, 0);
		return;
	}
	int rc = c->file->fs->ops->read(c->file, &c->req, left < BLOCK ? (size_t)left : BLOCK, on_read, c);
	if (rc < 0)
		finish(c, rc);
}

static void on_opened(void *arg, int status)
{
	struct summing *c = arg;
	struct session *s = c->s;
	if (status < 0) {
		summing_free(c);
		session_came_back(s, status);
		return;
	}
	c->file = c->req.file;
	c->at = c->from;
	if (s->state == SESSION_DEAD)
		finish(c, AFTP_ECANCELED);
	else
		read_on(c);
}

/* Of the file at s->path, from `from` to before `end`. */
static void sum_up(struct session *s, const struct hash_kind *kind, uint64_t from, uint64_t end, bool old_style)
{
	struct aftp_vfs *fs = session_vfs(s);
	struct summing *c = calloc(1, sizeof(*c));
	int rc = c ? hash_new(&c->hash, kind) : AFTP_ENOMEM;
	if (rc < 0) {
		free(c);
		session_end_errno(s, rc);
		return;
	}
	c->s = s;
	c->kind = kind;
	c->from = from;
	c->end = end < from ? from : end;
	c->old_style = old_style;
	session_hold(s);
	rc = fs->ops->open(fs, &c->req, s->path, AFTP_VFS_READ, from, on_opened, c);
	if (rc < 0) {
		summing_free(c);
		session_started(s, rc);
	}
}

void cmd_hash(struct session *s, const char *arg)
{
	uint64_t from = s->rest, end = s->range_end;
	s->rest = 0;
	s->range_end = UINT64_MAX;
	if (session_path(s, arg))
		sum_up(s, s->hash, from, end, false);
}

/* A name in quotes may have a first byte and one to stop before behind it; a bare one is all there is. */
void cmd_xhash(struct session *s, const char *arg)
{
	char name[PATH_CAP], number[32];
	uint64_t range[2] = { 0, UINT64_MAX };
	bool ok = true;
	if (*arg == '"') {
		ok = words_next(&arg, name, sizeof(name));
		for (int i = 0; i < 2 && ok && *arg; i++)
			ok = words_next(&arg, number, sizeof(number)) && words_number(number, &range[i]);
		ok = ok && *arg == '\0';
	} else {
		ok = words_rest(arg, name, sizeof(name));
	}
	if (!ok)
		session_end(s, 501, "Syntax: %s %s", s->cmd->verb, s->cmd->syntax);
	else if (session_path(s, name))
		sum_up(s, hash_kind_of_verb(s->cmd->verb), range[0], range[1], true);
}

void cmd_opts_hash(struct session *s, const char *arg)
{
	const struct hash_kind *kind = arg[0] ? hash_kind_find(arg) : s->hash;
	if (!kind) {
		session_end(s, 504, "Unknown algorithm.");
		return;
	}
	s->hash = kind;
	session_end(s, 200, "%s", kind->name);
}
