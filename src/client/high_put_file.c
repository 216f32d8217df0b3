#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/high_put.h"

char *put_local_path(const struct put_op *p, const char *from)
{
	if (p->root == AT_FDCWD)
		return strdup(from);
	return from[0] ? high_join(p->from, from, strlen(from)) : strdup(p->from);
}

static void over(struct put_op *p, int status)
{
	p->file.status = status;
	p->phase = PUT_FILE_OVER;
}

void put_file_begin(struct put_op *p, char *from, char *to)
{
	p->file = (struct put_file){ .from = from, .to = to, .append = p->c.flags & AFTP_APPENDED };
	p->phase = PUT_FILE_PEEK;
	if (!from || !to)
		high_op_finish(&p->c.op, AFTP_ENOMEM);
}

void put_file_finish(struct put_op *p)
{
	free(p->file.from);
	free(p->file.to);
	p->file.from = p->file.to = NULL;
}

/* --- what is on the server already ---------------------------------------------------------------- */

static int look_here(void *arg)
{
	struct put_op *p = arg;
	int fd = local_open(p->root, p->file.from, O_RDONLY | O_NONBLOCK, 0), rc = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &p->file.st) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

/* Going on where an earlier upload stopped: it is shorter, and not older than what it is a copy of. */
static void compare(struct put_op *p, const struct aftp_entry *e)
{
	struct put_file *f = &p->file;
	uint64_t size = (uint64_t)f->st.st_size;

	if (e->type == AFTP_TYPE_DIR || !(e->have & AFTP_HAVE_SIZE) || e->have & AFTP_SIZE_ROUGH)
		return;
	f->base = e->size;
	if (f->append || (e->have & AFTP_HAVE_MTIME && e->mtime < f->st.st_mtim.tv_sec))
		return;
	if (e->size == size)
		over(p, AFTP_COPY_SAME);
	else if (e->size < size)
		f->offset = e->size;
}

static void peeked(void *arg, int status, const struct aftp_entry *e)
{
	struct put_op *p = arg;

	p->peeking = false;
	p->phase = PUT_FILE_MOVE;
	if (status == 0)
		compare(p, e);
	else if (status != AFTP_ENOENT && status != AFTP_EREPLY && status != AFTP_ENOTSUP)
		over(p, status);
	high_op_settle(&p->c.op);
}

static void looked_here(void *arg, int status)
{
	struct put_op *p = arg;
	int rc;

	if (status < 0) {
		over(p, status);
	} else if (!p->c.op.finished) {
		rc = peek_start(&p->peek, p->c.op.s->client, p->file.to, peeked, p);
		p->peeking = rc == 0;
		if (rc < 0 && !high_fatal(rc))
			over(p, rc);
		else
			high_op_owe(&p->c.op, rc);
	}
	high_op_settle(&p->c.op);
}

/* --- the data, and whether it is all -------------------------------------------------------------- */

static void moved(void *arg, int status)
{
	struct put_op *p = arg;

	p->moving = false;
	p->phase = PUT_FILE_CHECK;
	if (status < 0)
		over(p, status);
	high_op_settle(&p->c.op);
}

static void move(struct put_op *p)
{
	struct put_file *f = &p->file;
	struct aftp_op *op = &p->c.op;
	struct putfile_order o = {
		.root = p->root,
		.from = f->from,
		.to = f->to,
		.how = f->append ? AFTP_APPEND : AFTP_STORE,
		.offset = f->offset,
		.read_from = f->offset,
		.count = &op->bytes,
	};
	int rc = putfile_start(&p->mover, op->s->loop, op->s->client, &o, moved, p);

	p->moving = rc == 0;
	if (rc < 0 && !high_fatal(rc)) {
		over(p, rc);
		put_file_step(p);
	} else {
		high_op_owe(op, rc);
	}
}

static void on_time(void *arg, int status, const struct aftp_reply *r)
{
	struct put_op *p = arg;

	if (status == 0 && r->code / 100 == 2)
		p->file.timed = true;
	else if (status == 0 && (r->code == 500 || r->code == 502))
		p->c.op.s->untimed = true;
	high_op_settle(&p->c.op);
}

/* MFMT, and on older servers MDTM with a time: "YYYYMMDDHHMMSS path". */
static void set_time(struct put_op *p)
{
	struct aftp_client *c = p->c.op.s->client;
	const struct aftp_features *f = aftp_client_features(c);
	time_t t = p->mover.st.st_mtim.tv_sec;
	size_t size = strlen(p->file.to) + 32;
	char *argument = malloc(size);
	struct tm tm;

	if (argument && gmtime_r(&t, &tm)) {
		char stamp[24];

		strftime(stamp, sizeof stamp, "%Y%m%d%H%M%S", &tm);
		snprintf(argument, size, "%s %s", stamp, p->file.to);
		high_op_owe(
			&p->c.op, aftp_client_command(c, on_time, p, f->feat && !f->mfmt ? "MDTM" : "MFMT", argument));
	}
	free(argument);
}

/* Only a size that is known, and another, speaks against the server's 226. */
static void on_check(void *arg, int status, const struct aftp_entry *e)
{
	struct put_op *p = arg;
	uint64_t total = p->mover.bytes + (p->file.append ? p->file.base : p->file.offset);
	bool known =
		status == 0 && e->type != AFTP_TYPE_DIR && e->have & AFTP_HAVE_SIZE && !(e->have & AFTP_SIZE_ROUGH);

	if (known && e->size < total)
		p->file.status = AFTP_ESHORT;
	else if (known && e->size > total && !p->file.append)
		p->file.status = AFTP_ECHANGED;
	high_op_settle(&p->c.op);
}

/* Both in one segment. The time goes first: what is looked at is the last state. */
static void check(struct put_op *p)
{
	struct aftp_op *op = &p->c.op;
	const struct aftp_features *f = aftp_client_features(op->s->client);

	p->phase = PUT_FILE_OVER;
	p->file.status = AFTP_COPIED;
	if (p->c.flags & AFTP_KEEP_TIMES && !op->s->untimed)
		set_time(p);
	if (!op->finished && (!f->feat || f->size || f->mlst))
		high_op_owe(op, aftp_client_stat(op->s->client, p->file.to, on_check, p));
}

/* --- all of it ------------------------------------------------------------------------------------ */

static void end(struct put_op *p)
{
	struct put_file *f = &p->file;
	char *from = put_local_path(p, f->from);

	p->c.result.files += f->status == AFTP_COPIED || f->status == AFTP_COPY_SAME;
	p->c.result.untimed += f->status == AFTP_COPIED && p->c.flags & AFTP_KEEP_TIMES && !f->timed;
	copy_note(&p->c, from ? from : f->from, f->to, f->status);
	free(from);
	put_file_finish(p);
	if (!p->tree)
		high_op_finish(&p->c.op, p->c.failure);
	p->phase = PUT_TREE;
}

void put_file_step(struct put_op *p)
{
	struct aftp_op *op = &p->c.op;

	if (p->phase == PUT_FILE_PEEK) {
		p->phase = PUT_FILE_MOVE;
		if (p->c.flags & (AFTP_RESUME | AFTP_APPENDED)) {
			high_op_owe(op, local_run(&p->job, op->s->loop, look_here, looked_here, p));
			return;
		}
	}
	if (p->phase == PUT_FILE_MOVE) {
		move(p);
		return;
	}
	if (p->phase == PUT_FILE_CHECK) {
		check(p);
		if (op->owed > 0 || op->finished)
			return;
	}
	end(p);
}
