/* segments - one big file on several connections, where one alone is slower than several together.
 *
 * The reader that leads has parts of the file fetched behind its own: each is a reader with a window and a transfer, which stops
 * where the next one begins. When the leader comes to the end of its part it takes over the window and the transfer
 * of the next, and a new one begins behind the last.
 *
 * When the rate of one transfer has been steady, and so low that a part takes longer than a transfer takes to begin, another is
 * begun somewhat ahead. Only if both together are clearly faster than the one was, there will be more. If not, nothing is lost but
 * that the one ends where the other has begun; and for a while it is not tried again. The same is asked after each round of
 * all connections, costs included. Who reads slowly makes nothing known, and no more is fetched ahead than may be kept. */
#ifndef REMOTE_SEGMENTS_H
#define REMOTE_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader;

struct split {
	struct reader *parts; /* in the order of the file; reader::part */
	enum { SPLIT_ONE, SPLIT_TRIED, SPLIT_ON, SPLIT_OFF } state;
	uint64_t since, bytes; /* what is measured began then (ms), and so many have come */
	bool paused;           /* the leader has waited for room since then */
	uint64_t one;          /* bytes per ms of one transfer alone */
	unsigned steady;       /* measurements in a row that agree */
	unsigned given;        /* parts, the leader's own among them */
	unsigned joined;       /* parts since the measurement began */
};

/* Bytes have landed in a leader or in a part. */
void segments_landed(struct reader *r, size_t n);
/* More has been read: there may be room for more. */
void segments_extend(struct reader *r);
bool segments_has_room(const struct reader *r); /* of a leader: for more in its parts */
void segments_drop(struct reader *r);           /* its parts */

#endif
