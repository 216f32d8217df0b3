#include "mount/stale.h"

#include <stdbool.h>
#include <stdlib.h>

#define BATCH 256

struct batch {
	uint64_t ino[BATCH];
	size_t n;
};

struct stale {
	uv_loop_t *loop;
	struct fuse_session *session;
	struct batch waiting, said; /* `said` belongs to the worker while it runs */
	uv_work_t work;
	bool working, closing;
	void (*closed)(void *arg);
	void *arg;
};

struct stale *stale_new(uv_loop_t *loop)
{
	struct stale *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->loop = loop;
	s->work.data = s;
	return s;
}

void stale_set_session(struct stale *s, struct fuse_session *session)
{
	s->session = session;
}

static void say(uv_work_t *work)
{
	struct stale *s = work->data;
	/* An inode that the kernel does not know any more is an error that needs nothing done. */
	for (size_t i = 0; i < s->said.n; i++)
		(void)fuse_lowlevel_notify_inval_inode(s->session, s->said.ino[i], 0, 0);
}

static void finish(struct stale *s)
{
	void (*closed)(void *arg) = s->closed;
	void *arg = s->arg;
	free(s);
	closed(arg);
}

static void work_off(struct stale *s);

static void on_said(uv_work_t *work, int status)
{
	struct stale *s = work->data;
	(void)status;
	s->working = false;
	if (s->closing)
		finish(s);
	else
		work_off(s);
}

static void work_off(struct stale *s)
{
	if (s->working || s->closing || s->session == NULL || s->waiting.n == 0)
		return;
	s->said = s->waiting;
	s->waiting.n = 0;
	s->working = uv_queue_work(s->loop, &s->work, say, on_said) == 0;
}

void stale_add(struct stale *s, uint64_t ino)
{
	if (s->closing || s->session == NULL)
		return;
	for (size_t i = 0; i < s->waiting.n; i++)
		if (s->waiting.ino[i] == ino)
			return;
	if (s->waiting.n < BATCH)
		s->waiting.ino[s->waiting.n++] = ino;
	work_off(s);
}

void stale_close(struct stale **sp, void (*closed)(void *arg), void *arg)
{
	struct stale *s = *sp;
	*sp = NULL;
	s->closing = true;
	s->closed = closed;
	s->arg = arg;
	if (!s->working)
		finish(s);
}
