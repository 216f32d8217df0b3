/* stream_finish - the orderly end of a stream whose last bytes matter: see aftp_stream_finish(). */
#include <stdlib.h>

#include "stream/stream_io.h"

enum { SINK = 4096, DROPPED_MAX = 1024 * 1024 };

struct stream_finisher {
	aftp_stream_cb *cb;
	void *arg;
	bool shut, ended; /* our side, the peer's */
	int status;
	size_t dropped;
	char sink[SINK];
};

static void answer(struct aftp_stream *s, int status)
{
	struct stream_finisher *f = s->finisher;
	aftp_stream_cb *cb = f->cb;
	void *arg = f->arg;

	s->finisher = NULL;
	free(f);
	cb(arg, status);
}

static void note(struct stream_finisher *f, int status)
{
	if (status < 0 && f->status == 0)
		f->status = status;
}

static void on_shut(void *arg, int status)
{
	struct aftp_stream *s = arg;
	struct stream_finisher *f = s->finisher;

	f->shut = true;
	note(f, status);
	/* The peer has not heard of the end: there is nothing to wait for. */
	if (status < 0 && !f->ended) {
		aftp_stream_read_stop(s);
		f->ended = true;
	}
	if (f->ended)
		answer(s, f->status);
}

static char *lend(void *arg, size_t *len)
{
	struct aftp_stream *s = arg;

	*len = SINK;
	return s->finisher->sink;
}

static void on_data(void *arg, ssize_t n)
{
	struct aftp_stream *s = arg;
	struct stream_finisher *f = s->finisher;

	if (n > 0) {
		f->dropped += (size_t)n;
		if (f->dropped <= DROPPED_MAX)
			return;
		aftp_stream_read_stop(s);
		n = AFTP_ETOOBIG;
	}
	f->ended = true;
	/* A FIN without close_notify is no loss: nobody wanted more. */
	note(f, n == AFTP_EOF || n == AFTP_EINCOMPLETE ? 0 : (int)n);
	if (f->shut)
		answer(s, f->status);
}

void stream_finish_cancel(struct aftp_stream *s)
{
	if (s->finisher)
		answer(s, AFTP_ECANCELED);
}

static int start(struct aftp_stream *s, struct stream_finisher *f)
{
	int rc = aftp_stream_read_start(s, lend, on_data, s);

	if (rc < 0)
		return rc;
	rc = aftp_stream_shutdown(s, on_shut, s);
	f->shut = rc == AFTP_EALREADY;
	if (rc == 0 || f->shut)
		return 0;
	aftp_stream_read_stop(s);
	return rc;
}

int aftp_stream_finish(struct aftp_stream *s, int64_t linger_ms, aftp_stream_cb *cb, void *arg)
{
	struct stream_finisher *f;
	int rc = stream_usable(s);

	if (!cb || linger_ms <= 0)
		return AFTP_EINVAL;
	if (rc < 0)
		return rc;
	if (s->finisher || s->rd.mode != READ_NONE)
		return AFTP_EBUSY;
	f = calloc(1, sizeof(*f));
	if (!f)
		return AFTP_ENOMEM;
	f->cb = cb;
	f->arg = arg;
	s->finisher = f;
	rc = start(s, f);
	if (rc < 0) {
		s->finisher = NULL;
		free(f);
		return rc;
	}
	aftp_stream_set_timeouts(s, -1, -1, -1, linger_ms);
	return 0;
}
