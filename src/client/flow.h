/* flow - the inside of a data stream (aftp/data.h), for the files that make it up: flow.c (its life), flow_read.c,
 * flow_write.c, flow_throttle.c. */
#ifndef CLIENT_FLOW_H
#define CLIENT_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include <aftp/data.h>
#include <aftp/status.h>

#include "base/buf.h"
#include "stream/later.h"

struct aftp_stream;

enum { FLOW_THROTTLES_MAX = 6, FLOW_NAME_MAX = 32, FLOW_MASK_MAX = 64, FLOW_CHUNK = 256 << 10 };

enum flow_mode { FLOW_IDLE, FLOW_SOME, FLOW_EXACTLY, FLOW_LINE, FLOW_ALL, FLOW_EACH_LINE, FLOW_EACH_BLOCK };

struct flow_reader {
	enum flow_mode mode; /* what is under way */
	bool paused;
	char *buf; /* the caller's, or the block */
	size_t cap, got;
	aftp_data_read_cb *read;
	aftp_data_each_cb *each;
	void *arg;
	struct buf in;   /* read ahead of lines */
	size_t line_max; /* of this one; or of all */
	size_t scanned;  /* bytes of `in` without an LF */
	char *block;     /* owned */
	size_t block_size;
};

struct flow_writer {
	bool wanted; /* the transfer takes something now */
	const char *data;
	size_t len;
	bool given; /* to the transfer */
	aftp_op_cb *cb;
	void *arg;
};

struct flow_throttle {
	char name[FLOW_NAME_MAX];
	struct aftp_stream_throttle pair;
};

struct aftp_data {
	struct aftp_data *prev, *next; /* aftp_session::flows, until it is over */
	struct aftp_session *s;        /* NULL: over */
	struct later *later;
	struct later_item turn;
	struct aftp_transfer *transfer; /* NULL: over */
	bool writes;
	struct flow_reader rd;
	struct flow_writer wr;
	struct flow_throttle throttles[FLOW_THROTTLES_MAX];
	unsigned n_throttles;
	bool attached; /* they are on the data connection */
	uint64_t size, bytes;
	/* the end */
	bool finishing, canceled, closing;
	bool finish_due; /* an upload's last word is not said yet */
	bool probing;    /* a download is read on, only to see whether this is its end */
	bool early;      /* it was not */
	char probe[16];
	char expected[FLOW_MASK_MAX], wait[FLOW_MASK_MAX];
	aftp_finish_cb *finished;
	void *finished_arg;
	aftp_op_cb *cancel_cb;
	void *cancel_arg;
	bool over, lost;
	int status, code;
	char message[256];
	void (*closed)(void *arg);
	void *closed_arg;
};

void flow_kick(struct aftp_data *d); /* a turn is due */

/* flow_read.c */
char *flow_lend(void *arg, size_t *len);
void flow_landed(void *arg, size_t n);
void flow_read_serve(struct aftp_data *d); /* answers what can be answered by what is there */
void flow_read_finish(struct aftp_data *d);

/* flow_write.c */
void flow_ready(void *arg);
void flow_write_serve(struct aftp_data *d); /* the transfer is over, or there is nothing to write */

/* flow_throttle.c */
void flow_attach(struct aftp_data *d); /* the data connection is there */
void flow_throttle_finish(struct aftp_data *d);

#endif
