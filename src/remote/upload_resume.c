/* upload_resume - a connection broke: where does the upload go on? */
#include <aftp/status.h>

#include "remote/job.h"
#include "remote/upload.h"

#define MAX_LOOKS    20
#define SETTLE_TICKS 2

bool upload_may_resume(int status)
{
	return status == AFTP_ETIMEDOUT ||
		(job_is_network(status) && status != AFTP_ELOGIN && status != AFTP_ENOMEM && status != AFTP_ECANCELED &&
			status != AFTP_ECERT);
}

bool upload_must_look(const struct upload *u)
{
	if (u->sent_all || (upload_is_stream(u) && u->writer->append))
		return true;
	return !u->exact && (u->taken || u->appending);
}

void upload_begin_anew(struct upload *u)
{
	struct writer *w = u->writer;

	u->ours = false;
	u->floor = 0;
	if (!upload_is_stream(u)) {
		u->at = 0;
		upload_begin(u, false);
	} else if (w->append || w->base > 0) {
		/* What was sent is not kept any more, and what arrived of it cannot be told from what was there before. */
		upload_fail(u, AFTP_EIO);
	} else {
		w->sent = 0;
		upload_begin(u, false);
	}
}

/* --- appending to what was there ------------------------------------------------------------------- */

/* Somebody else has appended since we looked: so do we, behind it. */
static void move_blocks(struct writer *w, uint64_t to)
{
	uint64_t by = to - w->base;

	for (struct block *b = w->first; b; b = b->next)
		b->off += by;
	w->base += by;
	w->sent += by;
	w->size += by;
}

static bool place(struct upload *u, uint64_t size)
{
	struct writer *w = u->writer;

	if (size != w->base && !w->by_append)
		return false;
	u->began += size - w->base;
	move_blocks(w, size);
	u->start = u->best = u->floor = size;
	return true;
}

static void begin_append(struct upload *u, uint64_t size)
{
	if (place(u, size))
		upload_begin(u, size > 0);
	else
		upload_fail(u, AFTP_ECHANGED);
}

bool upload_may_append(const struct upload *u)
{
	const struct aftp_features *f = pool_features(u->site->pool);
	const struct writer *w = u->writer;

	return upload_is_stream(u) && w->append && w->by_append && u->attempts == 0 && !u->sent_all && f && f->size &&
		!f->no_size;
}

static void on_base(void *arg, int status, const struct aftp_reply *r)
{
	struct upload *u = arg;
	uint64_t size;

	u->replies--;
	if (u->writer && status == 0 && aftp_reply_size(r, &size) == 0)
		u->blind = !place(u, size);
	upload_conclude(u);
}

int upload_ask_base(struct upload *u)
{
	return upload_ask(u, "SIZE", on_base);
}

/* --- the look ------------------------------------------------------------------------------------- */

static bool is_ours(const struct upload *u, uint64_t size)
{
	if (size > u->best || size < u->floor)
		return false;
	if (u->ours)
		return true;
	if (!u->taken || (u->writer->replaces && !u->has_old && !u->no_old))
		return false;
	return !u->has_old || size != u->old;
}

static void go_on_at(struct upload *u, uint64_t size)
{
	struct writer *w = u->writer;

	u->ours = u->resumed = true;
	u->floor = size;
	if (size > u->proven) {
		u->proven = size;
		u->attempts = 0; /* it gets on */
	}
	if (upload_is_stream(u))
		w->sent = size;
	else
		u->at = size;
	upload_begin(u, size > 0);
}

/* Only the proof is missing. */
static void prove(struct upload *u)
{
	u->over = true;
	u->status = u->lost = 0;
	u->asked = ASKED_NOTHING;
	u->followed = u->overtaken = false;
	upload_conclude(u);
}

static bool is_all(const struct upload *u, uint64_t size)
{
	return size == upload_expected(u) && (!upload_is_stream(u) || u->writer->finishing);
}

static void resume_at(struct upload *u, uint64_t size)
{
	struct writer *w = u->writer;
	bool stream = upload_is_stream(u), blind = u->blind;

	u->blind = false;
	if (blind && u->best > u->start && size != u->start)
		upload_fail(u, AFTP_EIO); /* some of it is ours, perhaps */
	else if (u->sent_all || (u->best > u->start && is_ours(u, size) && is_all(u, size)))
		prove(u);
	else if (stream && w->append && u->best <= u->start)
		begin_append(u, size);
	else if (is_ours(u, size) && (!stream || size >= w->base))
		go_on_at(u, size);
	else
		upload_begin_anew(u);
}

/* Is the size worth nothing yet? */
static bool must_settle(struct upload *u, uint64_t size)
{
	if (!u->unsettled)
		return false;
	if ((u->looks > 0 && size == u->looked) || u->looks == MAX_LOOKS) {
		u->unsettled = false;
		return false;
	}
	u->looks++;
	u->looked = size;
	u->waiting = SETTLE_TICKS;
	return true;
}

void upload_settle(struct upload *u)
{
	content_make_way(u->writer->node);
	if (u->waiting > 0 && --u->waiting == 0)
		upload_look(u);
}

static void on_look(void *arg, int status, const struct aftp_reply *r)
{
	struct upload *u = arg;
	uint64_t size;

	u->replies--;
	if (!u->writer)
		upload_fail(u, AFTP_ECANCELED);
	else if (status < 0)
		upload_broken(u, status);
	else if (u->sent_all)
		resume_at(u, 0);
	else if (aftp_reply_size(r, &size) < 0)
		upload_cannot_append(u);
	else if (!must_settle(u, size))
		resume_at(u, size);
}

void upload_look(struct upload *u)
{
	int rc;

	u->over = false;
	rc = upload_ask(u, "SIZE", on_look);
	if (rc < 0)
		upload_broken(u, rc);
}
