/* segments - one big file on several connections, where one alone is slower than several together.
 *
 * The reader that leads has parts of the file fetched behind its own: each is a reader with a window and a transfer, which stops
 * where the next one begins. When the leader comes to the end of its part it takes over the window and the transfer
 * of the next, and a new one begins behind the last.
 *
 * It is tried when the rate of one transfer has been steady (a server that holds each connection to a limit), and so low that
 * a part takes much longer than a transfer takes to begin. Whether it helps shows in how fast the leader gets
 * on, all costs included; where that is not clearly more than before, it ends, and for a while is not tried again. */
#ifndef REMOTE_SEGMENTS_H
#define REMOTE_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader;

struct split {
	struct reader *parts; /* in the order of the file; reader::part */
	enum { SPLIT_ONE, SPLIT_TRIED, SPLIT_ON, SPLIT_OFF } state;
	uint64_t since, from; /* what is measured began then (ms), and there */
	uint64_t one;         /* bytes per ms of one transfer alone */
	unsigned steady;      /* measurements in a row that agree */
	unsigned joined;      /* parts since then */
};

/* Bytes have landed in a reader that leads, and were served. */
void segments_consider(struct reader *r);
/* The leader may have come to the end of its part. */
void segments_join(struct reader *r);
/* More has been read: there may be room for another part. */
void segments_extend(struct reader *r);
void segments_drop(struct reader *r); /* its parts */

/* Bytes have landed in a part. */
void segments_landed(struct reader *part);

#endif
