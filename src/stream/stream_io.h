/* stream_io - the inside of a stream, for the files that make it up.
 *
 *   stream.c           birth, connect, accept, addresses, the end
 *   stream_read.c      who reads, and how bytes reach them     stream_line.c  the same by line
 *   stream_write.c     sending, and ending our side            stream_tls.c   TLS around both (tls.c: TLS alone)
 *   stream_limit.c     time limits                             stream_throttle.c  named throttles, grants
 *   stream_finish.c    the orderly end
 *
 * Memory that a caller lends is never in libuv's hands while the loop runs: reads are lent and filled in one go, and
 * what the kernel does not take at once of a write is copied in small pieces into `out`. So any operation can end at
 * any time, and give the memory back. A function named *_settle or *_pump may call back; it runs from the loop only. */
#ifndef STREAM_STREAM_IO_H
#define STREAM_STREAM_IO_H

#include <aftp/status.h>
#include <aftp/stream.h>

#include "base/buf.h"
#include "stream/throttle_wait.h"
#include "stream/tls.h"

#define STREAM_CHUNK_MIN     4096 /* reads ahead start here, and double while the peer fills them */
#define STREAM_CHUNK_MAX     (256 * 1024)
#define STREAM_OUT_MAX       (256 * 1024) /* sent, and not taken by the kernel yet */
#define STREAM_THROTTLES_MAX 8
#define STREAM_NAME_MAX      32

enum stream_state {
	STREAM_NEW,
	STREAM_CONNECTING,
	STREAM_OPEN,
	STREAM_FAILED, /* never connected, or TLS went wrong: only close is left */
	STREAM_CLOSING,
};

enum stream_op_kind { OP_NONE, OP_CONNECT, OP_TLS, OP_SHUTDOWN };

enum read_mode {
	READ_NONE,
	READ_SOME,
	READ_EXACT,
	READ_LINE,
	READ_ALL,
	READ_PUSH,
	READ_EACH_LINE,
	READ_EACH_BLOCK,
};

/* What the kick owes: answers and work that must not happen inside a caller's call. */
enum stream_due { DUE_OP = 1, DUE_WRITE = 2, DUE_READ = 4 };

enum stream_direction { STREAM_READ, STREAM_WRITE };

/* The one of connect, TLS and shutdown that is under way. */
struct stream_op {
	enum stream_op_kind kind;
	aftp_stream_cb *cb;
	void *arg;
	bool done; /* status is known, the callback is due */
	int status;
	uint64_t since; /* loop time in ms */
};

struct stream_reader {
	enum read_mode mode;
	unsigned turn; /* counts starts and stops, so that a callback that changed the mode is noticed */
	bool on;       /* libuv reads */
	bool paused;   /* by the consumer: lend() had nothing, or an iteration said so */
	bool refused;  /* on_alloc() gave no memory, on purpose */
	int end;       /* once known: AFTP_EOF or what went wrong, after all bytes */
	int raw_end;   /* the same for what lies below TLS */
	aftp_stream_read_cb *read;
	aftp_stream_lend *lend;
	aftp_stream_data_cb *data;
	aftp_stream_each_cb *each;
	void *arg;
	char *buf; /* READ_SOME, READ_EXACT, READ_EACH_BLOCK */
	size_t cap, got;
	size_t max, scanned; /* lines and all: the cap, and how much of `in` has no LF */
	size_t chunk;        /* bytes to read ahead */
	char *block;         /* owned */
	struct buf in;       /* read ahead and not consumed; plain text */
	struct throttle_waiter waiter;
	uint64_t since; /* loop time of the last progress, ms */
	uint64_t total;
};

struct stream_writer {
	bool active;
	bool done; /* status is known, the callback is due */
	bool shut; /* no more writes are taken */
	bool fin;  /* and the peer was told, or cannot be */
	bool bye;  /* TLS: close_notify is in tls->out or gone */
	int status;
	int error; /* once known, no write can succeed */
	aftp_stream_cb *cb;
	void *arg;
	const char *data;
	size_t left;
	uv_write_t req;
	bool busy; /* `out` is in libuv's hands */
	struct buf out;
	size_t queued; /* bytes libuv had at the last look, to see progress */
	struct throttle_waiter waiter;
	uint64_t since;
	uint64_t total;
};

struct stream_finisher;

struct stream_limits {
	uint64_t connect_ms, read_ms, write_ms;
	uint64_t total_at; /* loop time; 0 = none */
	bool expired;      /* the total is used up */
	bool grace;        /* a limit seems to have passed; one more poll decides */
	uint64_t due;      /* what the timer is set for */
};

struct stream_throttle {
	char name[STREAM_NAME_MAX];
	struct aftp_stream_throttle pair;
};

struct aftp_stream {
	uv_loop_t *loop;
	uv_tcp_t tcp;
	uv_idle_t kick;
	uv_timer_t timer;
	uv_connect_t connect_req;
	int handles; /* not closed yet */
	enum stream_state state;
	int failure;  /* STREAM_FAILED: why */
	unsigned due; /* enum stream_due */
	struct stream_op op;
	struct stream_reader rd;
	struct stream_writer wr;
	struct stream_limits limits;
	struct stream_finisher *finisher; /* NULL unless aftp_stream_finish() is under way */
	struct tls *tls;                  /* NULL while plain */
	struct stream_throttle throttles[STREAM_THROTTLES_MAX];
	unsigned n_throttles;
	unsigned keepalive_s;
	int recv_bytes, send_bytes, unsent_bytes;
	void (*closed)(void *arg);
	void *closed_arg;
};

/* stream.c */
int stream_usable(const struct aftp_stream *s); /* 0, or why nothing can be started */
void stream_kick(struct aftp_stream *s, enum stream_due due);
void stream_unkick(struct aftp_stream *s, enum stream_due due);
int stream_op_begin(struct aftp_stream *s, enum stream_op_kind kind, aftp_stream_cb *cb, void *arg);
void stream_op_end(struct aftp_stream *s, int status); /* from anywhere; the callback comes with the kick */
void stream_op_settle(struct aftp_stream *s);
void stream_fail(struct aftp_stream *s, int status); /* nothing can be started any more */

/* stream_read.c */
int stream_read_watch(struct aftp_stream *s); /* libuv reads from now on */
void stream_read_unwatch(struct aftp_stream *s);
void stream_read_pump(struct aftp_stream *s);
void stream_read_timeout(struct aftp_stream *s);
bool stream_read_waits(const struct aftp_stream *s); /* for the peer, that is: the read limit counts */
void stream_read_cancel(struct aftp_stream *s);      /* the end: ECANCELED to who waits */
int stream_read_begin(struct aftp_stream *s, enum read_mode mode, void *arg);
void stream_read_end(struct aftp_stream *s); /* no mode any more */
void stream_read_wake(struct throttle_waiter *w);
/* Where the next bytes go: at most `most`; NULL when there is no room to be had now. */
char *stream_read_room(struct aftp_stream *s, size_t most, size_t *len);
void stream_read_landed(struct aftp_stream *s, size_t n);
size_t stream_read_want(const struct aftp_stream *s);

/* To an iteration; n < 0 is its end. */
void stream_read_hand_over(struct aftp_stream *s, ssize_t n, const char *data);

/* stream_line.c */
bool stream_line_serve(struct aftp_stream *s); /* false: more bytes are needed */
bool stream_line_rest(struct aftp_stream *s);  /* at the end: an unfinished line was delivered */
/* For READ_ALL: true when it was answered. `end` is 0, or why nothing more comes. */
bool stream_all_serve(struct aftp_stream *s, int end);

/* stream_write.c */
void stream_write_go(struct aftp_stream *s); /* does what can be done; calls nobody back */
void stream_write_settle(struct aftp_stream *s);
void stream_write_timeout(struct aftp_stream *s);
bool stream_write_waits(struct aftp_stream *s);
void stream_write_cancel(struct aftp_stream *s);
void stream_write_wake(struct throttle_waiter *w);
int stream_write_flush(struct aftp_stream *s); /* sends tls->out; 0 (also while it is on its way) or < 0 */

/* stream_tls.c */
void stream_tls_step(struct aftp_stream *s); /* goes on with a handshake; calls nobody back */
bool stream_tls_pull(struct aftp_stream *s); /* to the reader; false: needs more bytes, or a grant */

/* stream_finish.c */
void stream_finish_cancel(struct aftp_stream *s);

/* stream_limit.c */
uint64_t stream_limit_now(void); /* uv_now(), but fresh: for what begins, not for progress */
void stream_limit_init(struct aftp_stream *s);
void stream_limit_watch(struct aftp_stream *s); /* something new is under way */

/* stream_throttle.c */
/* 0: the waiter is in line. */
uint64_t stream_throttle_grant(struct aftp_stream *s, enum stream_direction dir, uint64_t want);
void stream_throttle_charge(struct aftp_stream *s, enum stream_direction dir, uint64_t n);
void stream_throttle_finish(struct aftp_stream *s);

#endif
