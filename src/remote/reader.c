/* reader - the window: what is buffered, who waits for which bytes, and when to run ahead. */
#include <aftp/status.h>
#include <stdlib.h>
#include <sys/param.h>
#include <utlist.h>

#include "remote/content.h"
#include "remote/segments.h"

#define KEEP_BEHIND   (256u * 1024) /* requests of the kernel come a little out of order */
#define FIRST_WINDOW  (1024u * 1024)
#define MEMORY_BUDGET (32u * 1024 * 1024) /* of all readers of a site */
#define MEMORY_SHARE  (1024u * 1024)      /* what each may have when the budget is spent */
#define LEAST_HOP     (512u * 1024)       /* more than requests of the kernel come out of order */
#define RANDOM_HOP    (64u * 1024)
#define MOST_HOP      (4u * 1024 * 1024)
#define MAX_FAILURES  3
#define JUMPS         3
#define MAX_IOV       32

/* --- life ----------------------------------------------------------------------------------------- */

/* Who begins at the beginning will go on, most likely; of any other place nothing is known. */
static void start_at(struct reader *r, uint64_t off)
{
	segments_drop(r);
	window_drop(&r->window, off);
	r->served = off;
	r->ahead = off == 0 ? FIRST_WINDOW : 0;
	r->content->jumps += r->ahead == 0;
	r->paused = r->was_paused = false;
}

struct reader *reader_bare(struct content *c, uint64_t off)
{
	struct reader *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->content = c;
	r->stop = UINT64_MAX;
	window_init(&r->window, &c->site->read_memory, off);
	r->served = off;
	c->site->readers++;
	return r;
}

void reader_free_bare(struct reader *r)
{
	if (r->fetch)
		fetch_detach(r->fetch);
	window_drop(&r->window, 0);
	r->content->site->readers--;
	free(r);
}

int reader_new(struct reader **out, struct content *c, uint64_t off)
{
	struct reader *r = reader_bare(c, off);

	if (!r)
		return AFTP_ENOMEM;
	start_at(r, off);
	DL_PREPEND(c->readers, r);
	*out = r;
	return 0;
}

void reader_free(struct reader *r)
{
	segments_drop(r);
	DL_DELETE(r->content->readers, r);
	reader_free_bare(r);
}

/* --- what is there -------------------------------------------------------------------------------- */

static uint64_t file_size(const struct reader *r)
{
	return r->content->version.size;
}

bool reader_done(const struct reader *r)
{
	return r->window.end >= file_size(r);
}

/* What comes in the time that another transfer takes to begin can as well be read through. */
static uint64_t hop(const struct reader *r)
{
	const struct link_pace *p = &r->content->site->pace;
	uint64_t least = r->ahead ? LEAST_HOP : RANDOM_HOP;

	return MAX(MIN(p->bytes_per_ms * p->begin_ms, MOST_HOP), least);
}

static uint64_t op_end(const struct reader *r, const struct read_op *op)
{
	return MIN(op->off + op->len, file_size(r));
}

/* Where the transfer will get to in any case. */
static uint64_t furthest(const struct reader *r)
{
	uint64_t end = r->window.end;
	const struct read_op *op;

	DL_FOREACH2(r->waiting, op, after)
	end = MAX(end, op_end(r, op));
	return end;
}

/* Nothing was asked of the server yet: it may as well begin a little earlier. */
static bool can_start_at(const struct reader *r, uint64_t off)
{
	return r->fetch && !fetch_has_begun(r->fetch) && r->window.end == r->window.base && off < r->window.base &&
		r->window.base - off <= LEAST_HOP;
}

bool reader_reaches(const struct reader *r, uint64_t off)
{
	if (can_start_at(r, off))
		return true;
	return off >= r->window.base && off <= (r->fetch ? furthest(r) + hop(r) : r->window.end);
}

static bool is_there(const struct reader *r, const struct read_op *op)
{
	return r->content->version.known && r->window.end >= op_end(r, op);
}

void read_op_deliver(struct read_op *op)
{
	struct reader *r = op->reader;
	struct iovec iov[MAX_IOV];
	uint64_t end = op_end(r, op);
	size_t len = end > op->off ? (size_t)(end - op->off) : 0, mapped = 0;
	int n = window_map(&r->window, op->off, len, iov, MAX_IOV);

	for (int i = 0; i < n; i++)
		mapped += iov[i].iov_len;
	if (end > r->served)
		r->served = end;
	op->cb(op->arg, mapped == len ? (ssize_t)len : AFTP_EIO, iov, n);
}

/* --- room ----------------------------------------------------------------------------------------- */

static uint64_t lowest_wanted(const struct reader *r)
{
	uint64_t low = r->served > KEEP_BEHIND ? r->served - KEEP_BEHIND : 0;
	const struct read_op *op;

	DL_FOREACH2(r->waiting, op, after)
	if (op->off < low)
		low = op->off;
	return low;
}

static bool is_awaited(const struct reader *r)
{
	const struct read_op *op;

	DL_FOREACH2(r->waiting, op, after)
	if (r->window.end < op_end(r, op))
		return true;
	return false;
}

static bool has_room(const struct reader *r)
{
	uint64_t ahead = r->window.end > r->served ? r->window.end - r->served : 0;

	if (r->lead)
		return segments_has_room(r->lead);
	if (is_awaited(r))
		return true;
	if (r->window.end - r->window.base >= MEMORY_SHARE &&
		(r->content->site->read_memory.used >= MEMORY_BUDGET || (r->split.parts && !segments_has_room(r))))
		return false;
	return ahead < r->ahead;
}

void reader_resume(struct reader *r)
{
	if (!r->fetch || !r->paused || !has_room(r))
		return;
	r->paused = false;
	fetch_resume(r->fetch);
}

static void make_room(struct reader *r)
{
	window_trim(&r->window, lowest_wanted(r));
	reader_resume(r);
	segments_extend(r);
}

/* Who has kept on jumping will jump again; of others it is worth a lot to be able to go on. */
uint64_t reader_until(const struct reader *r)
{
	uint64_t end = UINT64_MAX;

	if (r->lead)
		end = r->stop;
	else if (r->ahead == 0 && r->content->jumps >= JUMPS)
		end = furthest(r);
	return r->content->version.known && end > r->window.end && end < file_size(r) ? end : UINT64_MAX;
}

char *reader_lend(struct reader *r, size_t *len)
{
	uint64_t end = MIN(file_size(r), r->stop);
	uint64_t left = end > r->window.end ? end - r->window.end : 0; /* it may have begun behind the end */
	char *room;

	r->scratch_lent = left == 0;
	if (r->scratch_lent) {
		*len = sizeof r->scratch;
		return r->scratch;
	}
	if (!has_room(r)) {
		r->paused = r->was_paused = r->split.paused = true;
		return NULL;
	}
	room = window_lend(&r->window, left, len);
	if (!room) {
		reader_fail(r, AFTP_ENOMEM);
		r->paused = true;
	}
	return room;
}

/* --- who waits ------------------------------------------------------------------------------------ */

static bool somebody_waits(const struct reader *r)
{
	const struct read_op *op;

	DL_FOREACH2(r->waiting, op, after)
	if (!op->op.completed)
		return true;
	return false;
}

void reader_need_fetch(struct reader *r)
{
	int rc;

	if (r->fetch || !somebody_waits(r) || (r->content->version.known && reader_done(r)))
		return;
	rc = fetch_start(r, POOL_READ);
	if (rc)
		reader_fail(r, rc);
}

/* It reads on from where it was: run ahead. And when it has emptied a window that had been full, the window is too
 * small for the link. */
static void goes_on(struct reader *r)
{
	const struct link_pace *p = &r->content->site->pace;
	size_t most = r->content->site->o.readahead, fill = (size_t)MIN(2 * p->bytes_per_ms * p->begin_ms, most);

	r->content->jumps = 0;
	if (r->ahead == 0)
		r->ahead = MIN(MAX(FIRST_WINDOW, fill), most);
	if (!r->was_paused || !r->fetch)
		return;
	r->was_paused = false;
	r->ahead = MIN(MAX(r->ahead * 2, fill), most);
}

static bool follows(const struct reader *r, const struct read_op *op)
{
	return r->served > r->window.base && op->off <= r->served + RANDOM_HOP && op->off + op->len > r->served;
}

void reader_add(struct reader *r, struct read_op *op)
{
	bool on = follows(r, op);

	op->reader = r;
	if (can_start_at(r, op->off)) {
		start_at(r, op->off);
	}
	DL_APPEND2(r->waiting, op, before, after);
	DL_DELETE(r->content->readers, r);
	DL_PREPEND(r->content->readers, r);
	if (is_there(r, op)) {
		op_complete(&op->op, 0);
		return;
	}
	if (on || r->ahead)
		goes_on(r);
	if (r->fetch)
		fetch_demand(r->fetch);
	make_room(r);
	reader_need_fetch(r);
}

void reader_remove(struct reader *r, struct read_op *op)
{
	DL_DELETE2(r->waiting, op, before, after);
	op->reader = NULL;
	op->before = NULL;
	make_room(r);
	if (r->waiting)
		return;
	if (r->fetch)
		fetch_offer(r->fetch);
	content_reader_free(r->content, r);
}

/* Answers at once those whose bytes have come: we are not inside their calls. */
static void serve(struct reader *r)
{
	struct read_op *op, *next;

	DL_FOREACH_SAFE2(r->waiting, op, next, after)
	if (!op->op.completed && is_there(r, op)) {
		op->op.completed = true;
		op->op.run(&op->op);
	}
}

void reader_fail(struct reader *r, int status)
{
	struct read_op *op;

	DL_FOREACH2(r->waiting, op, after)
	op_complete(&op->op, status);
}

void reader_seek(struct reader *r, uint64_t off)
{
	if (r->fetch)
		fetch_detach(r->fetch);
	r->fetch = NULL;
	r->failures = 0;
	start_at(r, off);
}

void reader_restart(struct reader *r)
{
	const struct read_op *op;
	uint64_t low = UINT64_MAX;

	DL_FOREACH2(r->waiting, op, after)
	if (op->off < low)
		low = op->off;
	reader_seek(r, low);
	reader_need_fetch(r);
}

int reader_prefetch(struct reader *r, size_t n)
{
	r->ahead = n;
	return r->fetch ? 0 : fetch_start(r, POOL_AHEAD);
}

/* --- the transfer tells --------------------------------------------------------------------------- */

int reader_landed(struct reader *r, size_t n)
{
	if (r->scratch_lent)
		return AFTP_EOF;
	window_landed(&r->window, n);
	r->failures = 0;
	segments_landed(r, n);
	if (!r->lead) {
		serve(r);
		window_trim(&r->window, lowest_wanted(r));
	}
	return 0;
}

static bool worth_another_try(struct reader *r, int status)
{
	switch (status) {
	case AFTP_ENOENT:
	case AFTP_EACCES:
	case AFTP_ELOGIN:
	case AFTP_ENOMEM:
	case AFTP_ENOTSUP:
	case AFTP_EBADNAME:
	case AFTP_ECHANGED:
	case -ESTALE:
	case -EISDIR: return false;
	case AFTP_ETIMEDOUT:
		r->failures += 2; /* each costs a whole time limit */
		break;
	default: r->failures++;
	}
	return r->failures <= MAX_FAILURES && !r->content->site->closing;
}

void reader_fetch_ended(struct reader *r, int status)
{
	r->fetch = NULL;
	r->paused = false;
	if (status == 0 && file_size(r) == UNKNOWN_SIZE)
		r->content->version.size = r->window.end;
	if (r->lead)
		return; /* the leader goes on where it ended */
	if (status == AFTP_EACCES && r->content->version.known && r->window.end > file_size(r))
		status = 0; /* the file has shrunk: it was refused to begin behind the end */
	if (status == 0 && !reader_done(r))
		status = AFTP_ESHORT; /* confirmed, and yet there should be more */
	if (status == 0)
		serve(r);
	else if (status != AFTP_ECANCELED && !worth_another_try(r, status))
		reader_fail(r, status);
	reader_need_fetch(r);
}
