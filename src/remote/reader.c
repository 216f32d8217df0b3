/* reader - the window: what is buffered, who waits for which bytes, and when to run ahead. */
#include <aftp/status.h>
#include <stdlib.h>
#include <utlist.h>

#include "remote/content.h"

#define HOP           (512u * 1024) /* a jump ahead by this much is read through */
#define KEEP_BEHIND   (256u * 1024) /* requests of the kernel come a little out of order */
#define FIRST_WINDOW  (1024u * 1024)
#define MEMORY_BUDGET (24u * 1024 * 1024) /* of all readers of a site */
#define MEMORY_SHARE  (1024u * 1024)      /* what each may have when the budget is spent */
#define MAX_SPARES    8
#define MAX_FAILURES  3
#define MAX_IOV       16

/* --- memory --------------------------------------------------------------------------------------- */

static struct chunk *chunk_get(struct site *s)
{
	struct chunk *k = s->spare;

	if (k) {
		s->spare = k->next;
		s->spares--;
	} else {
		k = malloc(sizeof *k);
	}
	if (k) {
		k->next = NULL;
		s->read_memory += CHUNK_SIZE;
	}
	return k;
}

static void chunk_put(struct site *s, struct chunk *k)
{
	s->read_memory -= CHUNK_SIZE;
	if (s->spares >= MAX_SPARES) {
		free(k);
		return;
	}
	k->next = s->spare;
	s->spare = k;
	s->spares++;
}

void chunks_free(struct site *s)
{
	while (s->spare) {
		struct chunk *k = s->spare;
		s->spare = k->next;
		free(k);
	}
	s->spares = 0;
}

static void drop_window(struct reader *r, uint64_t off)
{
	while (r->first) {
		struct chunk *k = r->first;
		r->first = k->next;
		chunk_put(r->content->site, k);
	}
	r->last = NULL;
	r->chunks = 0;
	r->base = r->end = r->served = off;
	r->window = FIRST_WINDOW;
	r->paused = r->was_paused = false;
}

int reader_new(struct reader **out, struct content *c, uint64_t off)
{
	struct reader *r = calloc(1, sizeof *r);

	if (!r)
		return AFTP_ENOMEM;
	r->content = c;
	drop_window(r, off);
	DL_PREPEND(c->readers, r);
	c->site->readers++;
	*out = r;
	return 0;
}

void reader_free(struct reader *r)
{
	if (r->fetch)
		fetch_detach(r->fetch);
	drop_window(r, 0);
	DL_DELETE(r->content->readers, r);
	r->content->site->readers--;
	free(r);
}

/* --- what is there -------------------------------------------------------------------------------- */

static uint64_t file_size(const struct reader *r)
{
	return r->content->version.size;
}

bool reader_done(const struct reader *r)
{
	return r->end >= file_size(r);
}

/* Nothing was asked of the server yet: it may as well begin a little earlier. */
static bool can_start_at(const struct reader *r, uint64_t off)
{
	return r->fetch && !fetch_has_begun(r->fetch) && r->end == r->base && off < r->base && r->base - off <= HOP;
}

bool reader_reaches(const struct reader *r, uint64_t off)
{
	if (can_start_at(r, off))
		return true;
	return off >= r->base && off <= r->end + (r->fetch ? HOP : 0);
}

static uint64_t op_end(const struct reader *r, const struct read_op *op)
{
	uint64_t end = op->off + op->len;

	return end < file_size(r) ? end : file_size(r);
}

static bool is_there(const struct reader *r, const struct read_op *op)
{
	return r->content->version.known && r->end >= op_end(r, op);
}

static int map(const struct reader *r, uint64_t off, size_t len, struct iovec *iov)
{
	const struct chunk *k = r->first;
	uint64_t at = r->base;
	int n = 0;

	for (; k && at + CHUNK_SIZE <= off; k = k->next)
		at += CHUNK_SIZE;
	for (; k && len > 0 && n < MAX_IOV; k = k->next, at += CHUNK_SIZE) {
		size_t skip = off > at ? (size_t)(off - at) : 0;
		size_t part = CHUNK_SIZE - skip < len ? CHUNK_SIZE - skip : len;

		iov[n].iov_base = (char *)(uintptr_t)k->data + skip;
		iov[n++].iov_len = part;
		len -= part;
	}
	return n;
}

void read_op_deliver(struct read_op *op)
{
	struct reader *r = op->reader;
	struct iovec iov[MAX_IOV];
	uint64_t end = op_end(r, op);
	size_t len = end > op->off ? (size_t)(end - op->off) : 0;
	int n = map(r, op->off, len, iov);

	if (end > r->served)
		r->served = end;
	op->cb(op->arg, (ssize_t)len, iov, n);
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

static void trim(struct reader *r)
{
	uint64_t low = lowest_wanted(r);

	while (r->first && r->base + CHUNK_SIZE <= low && r->base + CHUNK_SIZE <= r->end) {
		struct chunk *k = r->first;
		r->first = k->next;
		if (!r->first)
			r->last = NULL;
		r->base += CHUNK_SIZE;
		r->chunks--;
		chunk_put(r->content->site, k);
	}
}

static bool has_room(const struct reader *r)
{
	uint64_t ahead = r->end > r->served ? r->end - r->served : 0;
	const struct read_op *op;

	DL_FOREACH2(r->waiting, op, after)
	if (r->end < op_end(r, op))
		return true;
	if (r->content->site->read_memory >= MEMORY_BUDGET && r->end - r->base >= MEMORY_SHARE)
		return false;
	return ahead < r->window;
}

static void make_room(struct reader *r)
{
	trim(r);
	if (r->fetch && r->paused && has_room(r)) {
		r->paused = false;
		fetch_resume(r->fetch);
	}
}

static int add_chunk(struct reader *r)
{
	struct chunk *k = chunk_get(r->content->site);

	if (!k)
		return AFTP_ENOMEM;
	if (r->last)
		r->last->next = k;
	else
		r->first = k;
	r->last = k;
	r->chunks++;
	return 0;
}

char *reader_lend(struct reader *r, size_t *len)
{
	uint64_t left = file_size(r) - r->end;
	size_t used = (size_t)((r->end - r->base) % CHUNK_SIZE);
	bool full = r->end - r->base == (uint64_t)r->chunks * CHUNK_SIZE;

	r->scratch_lent = left == 0;
	if (r->scratch_lent) {
		*len = sizeof r->scratch;
		return r->scratch;
	}
	if (!has_room(r)) {
		r->paused = r->was_paused = true;
		return NULL;
	}
	if (full && add_chunk(r)) {
		reader_fail(r, AFTP_ENOMEM);
		r->paused = true;
		return NULL;
	}
	*len = CHUNK_SIZE - used < left ? CHUNK_SIZE - used : (size_t)left;
	return r->last->data + used;
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

static void need_fetch(struct reader *r)
{
	int rc;

	if (r->fetch || !somebody_waits(r) || (r->content->version.known && reader_done(r)))
		return;
	rc = fetch_start(r);
	if (rc)
		reader_fail(r, rc);
}

/* The reader was fast enough to empty the window although it had been full: the window is too small for the link. */
static void starved(struct reader *r)
{
	size_t most = r->content->site->o.readahead;

	if (!r->was_paused || !r->fetch)
		return;
	r->was_paused = false;
	r->window = r->window * 2 < most ? r->window * 2 : most;
}

void reader_add(struct reader *r, struct read_op *op)
{
	op->reader = r;
	if (can_start_at(r, op->off))
		r->base = r->end = r->served = op->off;
	DL_APPEND2(r->waiting, op, before, after);
	DL_DELETE(r->content->readers, r);
	DL_PREPEND(r->content->readers, r);
	if (is_there(r, op)) {
		op_complete(&op->op, 0);
		return;
	}
	starved(r);
	make_room(r);
	need_fetch(r);
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
	drop_window(r, off);
}

void reader_restart(struct reader *r)
{
	const struct read_op *op;
	uint64_t low = UINT64_MAX;

	DL_FOREACH2(r->waiting, op, after)
	if (op->off < low)
		low = op->off;
	reader_seek(r, low);
	need_fetch(r);
}

/* --- the transfer tells --------------------------------------------------------------------------- */

int reader_landed(struct reader *r, size_t n)
{
	if (r->scratch_lent)
		return AFTP_EOF;
	r->end += n;
	r->failures = 0;
	serve(r);
	trim(r);
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
		r->content->version.size = r->end;
	if (status == 0 && !reader_done(r))
		status = AFTP_ESHORT; /* confirmed, and yet there should be more */
	if (status == 0)
		serve(r);
	else if (status != AFTP_ECANCELED && !worth_another_try(r, status))
		reader_fail(r, status);
	need_fetch(r);
}
