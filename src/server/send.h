/* send - a stream of lent blocks on a data connection: through the latency, the rate and the cuts.
 *
 * The source is pulled for blocks while there is room on the way; each block goes back to it when the kernel has its
 * bytes. The sender tells its owner when the transfer is over as a server sees it: without latency when the kernel
 * has every byte, with latency when every byte is on its way (what comes after may go wrong unseen, as on a real
 * link). */
#ifndef SERVER_SEND_H
#define SERVER_SEND_H

#include <aftp/stream.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;
struct sender;

/* A source answers each pull, at once or later, with one send_block() (or send_end(), send_failed()). */
struct source {
	void (*pull)(void *source);
	void (*release)(void *source, const char *data);
	/* the sender is done with it; a pull may still be under way, and is not answered then */
	void (*close)(void *source);
};

typedef void send_cb(void *arg, int status);

/* Takes the stream and the source; limit: send no more than that many bytes and call it all (UINT64_MAX: no such lie).
 * Holds the session until everything is closed. On failure nothing was taken. */
int send_new(struct sender **out, struct session *s, struct aftp_stream *stream, const struct source *ops, void *source,
	uint64_t limit, send_cb *cb, void *arg);
void send_start(struct sender *snd);                             /* the first pull; may end at once, callback and all */
void send_block(struct sender *snd, const char *data, size_t n); /* n > 0 */
void send_end(struct sender *snd);
void send_failed(struct sender *snd, int status);

uint64_t send_bytes(const struct sender *snd);
/* Resets the data connection; the callback will not run. What was given over before the callback ran goes on by
 * itself, and is stopped by send_cancel_all(). */
void send_cancel(struct sender *snd);
void send_cancel_all(struct session *s);

#endif
