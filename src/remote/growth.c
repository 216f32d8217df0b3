/* growth - a file that has grown on the server while it is open.
 *
 * Reads go on in the new version when the last bytes of the old one are still where they were: the seam. They are
 * compared before anything from behind the old end is handed out. */
#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <utlist.h>

#include "remote/content.h"

#define SEAM     4096u              /* bytes in front of the old end */
#define MOST_GAP (4u * 1024 * 1024) /* behind it, that is read to compare the seam */

static bool crosses(const struct read_op *op, uint64_t end)
{
	return op->off + op->len > end;
}

static uint64_t seam_end(const struct seam *seam)
{
	return seam->off + seam->len;
}

bool growth_concerns(const struct read_op *op)
{
	const struct attr *now = &op->content->node->attr;
	uint64_t end = op->content->version.size;

	return now->have & AFTP_HAVE_SIZE && now->size > end && crosses(op, end);
}

bool growth_awaited(const struct content *c)
{
	const struct read_op *op;

	DL_FOREACH2(c->pending, op, after)
	if (!op->op.completed && growth_concerns(op))
		return true;
	return false;
}

bool growth_is_before(const struct read_op *op)
{
	const struct seam *seam = &op->content->seam;

	return seam->bytes && !crosses(op, seam_end(seam));
}

/* The seam in a window: the number of pieces; 0 when it is not there. */
static int find_seam(const struct seam *seam, const struct window *w, struct iovec iov[2])
{
	if (w->base > seam->off || w->end < seam_end(seam))
		return 0;
	return window_map(w, seam->off, seam->len, iov, 2);
}

static int keep_seam(struct content *c)
{
	struct seam seam = { .len = (size_t)MIN(c->version.size, SEAM) };
	const struct reader *r;
	struct iovec iov[2];
	int n = 0;

	if (!c->version.known || seam.len == 0 || c->seam.bytes)
		return 0; /* nothing was read yet, or not since it grew before */
	seam.off = c->version.size - seam.len;
	DL_FOREACH (c->readers, r) {
		n = find_seam(&seam, &r->window, iov);
		if (n > 0)
			break;
	}
	if (n == 0)
		return AFTP_ECHANGED;
	seam.bytes = malloc(seam.len);
	if (!seam.bytes)
		return AFTP_ENOMEM;
	for (size_t i = 0, at = 0; i < (size_t)n; at += iov[i++].iov_len)
		memcpy(seam.bytes + at, iov[i].iov_base, iov[i].iov_len);
	c->seam = seam;
	return 0;
}

int growth_begin(struct content *c, uint64_t off)
{
	int rc = off > c->version.size + MOST_GAP ? AFTP_ECHANGED : keep_seam(c);

	if (rc < 0)
		return rc;
	while (c->readers)
		reader_free(c->readers);
	c->version = (struct version){ .size = c->node->attr.size };
	c->seen = c->node->attr;
	c->superseded = false;
	return 0;
}

bool growth_is_right(const struct read_op *op)
{
	const struct seam *seam = &op->content->seam;
	struct iovec iov[2];
	bool same = true;
	int n;

	if (!seam->bytes || !op->reader || !crosses(op, seam_end(seam)))
		return true;
	n = find_seam(seam, &op->reader->window, iov);
	for (size_t i = 0, at = 0; i < (size_t)n; at += iov[i++].iov_len)
		same = same && memcmp(seam->bytes + at, iov[i].iov_base, iov[i].iov_len) == 0;
	growth_drop(op->content);
	return same && n > 0;
}

void growth_drop(struct content *c)
{
	free(c->seam.bytes);
	c->seam.bytes = NULL;
}
