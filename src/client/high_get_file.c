#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/high_get.h"

char *get_local_path(const struct get_op *g, const char *to)
{
	if (g->root == AT_FDCWD)
		return strdup(to);
	return to[0] ? high_join(g->to, to, strlen(to)) : strdup(g->to);
}

static void over(struct get_op *g, int status)
{
	struct get_file *f = &g->file;

	f->status = status;
	g->phase = GET_FILE_OVER;
}

void get_file_begin(struct get_op *g, char *from, char *to, const struct aftp_entry *e)
{
	g->file = (struct get_file){ .from = from, .to = to, .e = *e };
	g->phase = GET_FILE_TIME;
	if (!from || !to)
		high_op_finish(&g->c.op, AFTP_ENOMEM);
}

void get_file_finish(struct get_op *g)
{
	free(g->file.from);
	free(g->file.to);
	g->file.from = g->file.to = NULL;
}

/* --- the server's time ---------------------------------------------------------------------------- */

/* LIST tells times to the minute, in a zone that nobody knows. */
static void on_time(void *arg, int status, const struct aftp_entry *e)
{
	struct get_op *g = arg;
	struct aftp_entry *mine = &g->file.e;

	g->phase = GET_FILE_LOCAL;
	if (status == 0 && e->have & AFTP_HAVE_MTIME && e->precision > mine->precision) {
		mine->have |= AFTP_HAVE_MTIME;
		mine->mtime = e->mtime;
		mine->mtime_nsec = e->mtime_nsec;
		mine->precision = e->precision;
	}
	if (status == 0 && e->have & AFTP_HAVE_SIZE && !(e->have & AFTP_SIZE_ROUGH)) {
		mine->have = (mine->have | AFTP_HAVE_SIZE) & ~(uint32_t)AFTP_SIZE_ROUGH;
		mine->size = e->size;
	}
	high_op_settle(&g->c.op);
}

static bool ask_time(struct get_op *g)
{
	const struct aftp_entry *e = &g->file.e;
	int rc;

	if (!(g->c.flags & (AFTP_RESUME | AFTP_KEEP_TIMES)))
		return false;
	if (e->have & AFTP_HAVE_MTIME && e->precision >= AFTP_TIME_SECOND)
		return false;
	rc = aftp_client_stat(g->c.op.s->client, g->file.from, on_time, g);
	if (rc < 0 && !high_fatal(rc)) {
		over(g, rc);
		return false;
	}
	high_op_owe(&g->c.op, rc);
	return true;
}

/* --- what is here already ------------------------------------------------------------------------- */

static int look_here(void *arg)
{
	struct get_op *g = arg;
	struct get_file *f = &g->file;
	int fd = local_open(g->root, f->to, O_RDONLY | O_NONBLOCK, 0), rc = 0;
	struct stat st;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (fstat(fd, &st) < 0)
		rc = -errno;
	close(fd);
	if (rc < 0 || !S_ISREG(st.st_mode))
		return rc;
	f->have_local = true;
	f->local_size = (uint64_t)st.st_size;
	f->local_mtime = st.st_mtim.tv_sec;
	f->local_nsec = (uint32_t)st.st_mtim.tv_nsec;
	return 0;
}

static bool is_newer(const struct get_file *f)
{
	const struct aftp_entry *e = &f->e;

	if (!(e->have & AFTP_HAVE_MTIME))
		return false;
	return e->mtime > f->local_mtime || (e->mtime == f->local_mtime && e->mtime_nsec > f->local_nsec);
}

/* A file whose size is not known is not gone on with: past its end some servers send nothing, and say that it is all. */
static bool same_file(const struct get_file *f)
{
	return f->have_local && f->e.have & AFTP_HAVE_SIZE && !(f->e.have & AFTP_SIZE_ROUGH) && !is_newer(f);
}

static void looked_here(void *arg, int status)
{
	struct get_op *g = arg;
	struct get_file *f = &g->file;

	g->phase = GET_FILE_MOVE;
	if (status < 0)
		over(g, status);
	else if (same_file(f) && f->local_size == f->e.size)
		over(g, AFTP_COPY_SAME);
	else if (same_file(f) && f->local_size < f->e.size)
		f->offset = f->local_size;
	high_op_settle(&g->c.op);
}

/* --- the data, and whether it is all -------------------------------------------------------------- */

static void moved(void *arg, int status)
{
	struct get_op *g = arg;
	const struct get_file *f = &g->file;
	uint64_t total = f->offset + g->mover.bytes;

	g->moving = false;
	if (status < 0)
		over(g, status);
	else if (!(f->e.have & AFTP_HAVE_SIZE) || f->e.have & AFTP_SIZE_ROUGH || f->e.size == total)
		over(g, AFTP_COPIED);
	else
		g->phase = GET_FILE_CHECK;
	high_op_settle(&g->c.op);
}

static void move(struct get_op *g)
{
	struct get_file *f = &g->file;
	struct aftp_op *op = &g->c.op;
	struct getfile_order o = {
		.from = f->from,
		.root = g->root,
		.to = f->to,
		.offset = f->offset,
		.timed = g->c.flags & AFTP_KEEP_TIMES && f->e.have & AFTP_HAVE_MTIME,
		.mtime = f->e.mtime,
		.mtime_nsec = f->e.mtime_nsec,
		.count = &op->bytes,
	};
	int rc = getfile_start(&g->mover, op->s->loop, op->s->client, &o, moved, g);

	g->moving = rc == 0;
	if (rc < 0 && !high_fatal(rc)) {
		over(g, rc);
		get_file_step(g);
	} else {
		high_op_owe(op, rc);
	}
}

/* The listing may be older than the file. */
static void on_check(void *arg, int status, const struct aftp_entry *e)
{
	struct get_op *g = arg;
	uint64_t total = g->file.offset + g->mover.bytes;

	if (status < 0 || !(e->have & AFTP_HAVE_SIZE))
		over(g, total < g->file.e.size ? AFTP_ESHORT : AFTP_ECHANGED);
	else if (e->size == total)
		over(g, AFTP_COPIED);
	else
		over(g, total < e->size ? AFTP_ESHORT : AFTP_ECHANGED);
	high_op_settle(&g->c.op);
}

/* --- all of it ------------------------------------------------------------------------------------ */

static void end(struct get_op *g)
{
	struct get_file *f = &g->file;
	char *to = get_local_path(g, f->to);

	g->c.result.files += f->status == AFTP_COPIED || f->status == AFTP_COPY_SAME;
	g->c.result.untimed +=
		f->status == AFTP_COPIED && g->c.flags & AFTP_KEEP_TIMES && !(f->e.have & AFTP_HAVE_MTIME);
	copy_note(&g->c, f->from, to ? to : f->to, f->status);
	free(to);
	get_file_finish(g);
	if (!g->tree)
		high_op_finish(&g->c.op, g->c.failure);
	g->phase = GET_TREE;
}

void get_file_step(struct get_op *g)
{
	struct aftp_op *op = &g->c.op;

	if (g->phase == GET_FILE_TIME) {
		g->phase = GET_FILE_LOCAL;
		if (ask_time(g))
			return;
	}
	if (g->phase == GET_FILE_LOCAL) {
		g->phase = GET_FILE_MOVE;
		if (g->c.flags & AFTP_RESUME) {
			high_op_owe(op, local_run(&g->job, op->s->loop, look_here, looked_here, g));
			return;
		}
	}
	switch (g->phase) {
	case GET_FILE_MOVE: move(g); return;
	case GET_FILE_CHECK: high_op_owe(op, aftp_client_stat(op->s->client, g->file.from, on_check, g)); return;
	default: end(g); return;
	}
}
