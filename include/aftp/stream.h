/* stream - one TCP connection with time limits, named throttles, and TLS started in place.
 *
 * Reads are pulled (read, read_line, read_exactly, read_all), iterated over (each_line, each_block) or pushed
 * (read_start: the consumer lends the buffer and bytes land where they will be used). One read, one write and one of
 * connect/start_tls/shutdown may be under way at a time; a second one gets AFTP_EBUSY. The async contract is the one in
 * status.h.
 *
 * Time limits are about progress: each byte moved re-arms them; waiting for a throttle, or paused by the consumer, does
 * not count. After AFTP_ETIMEDOUT the operation is over, the stream is still open, no byte was lost, and the caller
 * decides whether to go on or close. (Half a connect or half a handshake cannot be gone on with.)
 *
 * A write to a connection that the peer has reset raises SIGPIPE: the program must ignore that signal. */
#ifndef AFTP_STREAM_H
#define AFTP_STREAM_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <uv.h>

#include <aftp/throttle.h>
#include <aftp/tls.h>

struct aftp_stream;

typedef void aftp_stream_cb(void *arg, int status);

/* n > 0: n bytes at `data`; n < 0: a status (AFTP_EOF at the end). The memory is the caller's buffer for
 * read/read_exactly, and the stream's own, valid during the call, otherwise. */
typedef void aftp_stream_read_cb(void *arg, ssize_t n, const char *data);

int aftp_stream_new(struct aftp_stream **out, uv_loop_t *loop);

/* Connects to one address. Limit: connect. 0; AFTP_EBUSY; -errno. After a failure only close is left. */
int aftp_stream_connect(struct aftp_stream *s, const struct sockaddr *addr, aftp_stream_cb *cb, void *arg);

/* Takes the connection that waits on a listening handle (inside its connection callback). */
int aftp_stream_accept(struct aftp_stream *s, uv_stream_t *listener);

/* Milliseconds; 0 = no limit, -1 = leave as it is. `total` bounds the life of the stream from this call on.
 * A changed limit applies to what is under way at once. Defaults: connect 30 s, others none. */
void aftp_stream_set_timeouts(
	struct aftp_stream *s, int64_t connect_ms, int64_t read_ms, int64_t write_ms, int64_t total_ms);

/* Keeps dead peers from going unnoticed: TCP keepalive after `delay_s` seconds of silence, and a verdict after as
 * long again; 0 = off. TCP_NODELAY is always on. */
int aftp_stream_set_keepalive(struct aftp_stream *s, unsigned delay_s);

/* SO_RCVBUF / SO_SNDBUF hints in bytes; 0 = leave. */
int aftp_stream_set_buffers(struct aftp_stream *s, int recv_bytes, int send_bytes);
/* A hint, too: no more than about so many bytes wait in the kernel for their turn to leave, however large its buffer is
 * (TCP_NOTSENT_LOWAT). What is on its way does not count, so a fast link stays fast. 0 = leave. */
int aftp_stream_set_unsent(struct aftp_stream *s, int bytes);

int aftp_stream_peer(const struct aftp_stream *s, struct sockaddr_storage *addr);
int aftp_stream_local(const struct aftp_stream *s, struct sockaddr_storage *addr);

/* --- pull ----------------------------------------------------------------------------------------- */

/* 1..cap bytes as soon as there are any. `buf` is lent until the callback. */
int aftp_stream_read(struct aftp_stream *s, char *buf, size_t cap, aftp_stream_read_cb *cb, void *arg);
/* Exactly n bytes. AFTP_EINCOMPLETE when the peer ends before: those that came are in buf, up to where `data` points, and
 * gone from the stream. AFTP_EOF when there was none. */
int aftp_stream_read_exactly(struct aftp_stream *s, char *buf, size_t n, aftp_stream_read_cb *cb, void *arg);
/* One line without its LF or CR LF (n may then be 0 with data != NULL: an empty line). The last line may lack its end.
 * AFTP_ELINETOOLONG when `max` bytes hold no LF: the stream is then unusable for lines. */
int aftp_stream_read_line(struct aftp_stream *s, size_t max, aftp_stream_read_cb *cb, void *arg);

/* To the end: n >= 0 bytes (data != NULL), all that came until the peer ended. AFTP_ETOOBIG when there are more than
 * `max`. What came stays to be read otherwise unless n >= 0. */
int aftp_stream_read_all(struct aftp_stream *s, size_t max, aftp_stream_read_cb *cb, void *arg);

/* --- push ----------------------------------------------------------------------------------------- */

/* Lends a buffer: *len comes as a hint, what could be used well, and leaves as the size that is lent. The same may
 * be asked for again when nothing landed. Returning NULL or *len = 0 pauses the stream until aftp_stream_resume(); a
 * paused stream costs nothing, and notices an end only when it goes on. It may not call the stream. */
typedef char *aftp_stream_lend(void *arg, size_t *len);
/* n > 0: n bytes landed at the start of the last lent buffer. n < 0: AFTP_EOF, or what went wrong; nothing comes
 * after it (AFTP_ETIMEDOUT included; aftp_stream_read_start() may begin anew). May call stop, close, or resume. */
typedef void aftp_stream_data_cb(void *arg, ssize_t n);

int aftp_stream_read_start(struct aftp_stream *s, aftp_stream_lend *lend, aftp_stream_data_cb *data, void *arg);
/* Ends a push or an iteration: its callback is not called any more, and bytes that were not delivered stay. */
void aftp_stream_read_stop(struct aftp_stream *s);
void aftp_stream_resume(struct aftp_stream *s); /* of what has paused; asks again, later */

/* What has come already, without waiting: for a stream that is about to be closed while its last bytes still count.
 * 1..cap bytes, or 0: there is nothing now, or the stream is protected by TLS. Only in push mode. */
size_t aftp_stream_take(struct aftp_stream *s, char *buf, size_t cap);

/* --- iterate -------------------------------------------------------------------------------------- */

enum aftp_next { AFTP_GO_ON, AFTP_PAUSE, AFTP_STOP };

/* n >= 0: n bytes at `data`, valid during the call. n < 0: AFTP_EOF, or what went wrong, and it was the last call.
 * AFTP_PAUSE: nothing more until aftp_stream_resume(). AFTP_STOP: it was the last call; the rest stays to be read
 * otherwise, or iterated over again. */
typedef enum aftp_next aftp_stream_each_cb(void *arg, ssize_t n, const char *data);

/* Each line, many of them a read, without its line end; the last may lack one. AFTP_ELINETOOLONG as for read_line. */
int aftp_stream_each_line(struct aftp_stream *s, size_t max, aftp_stream_each_cb *cb, void *arg);
/* Each block of 1..size bytes, as they come. */
int aftp_stream_each_block(struct aftp_stream *s, size_t size, aftp_stream_each_cb *cb, void *arg);

/* --- write ---------------------------------------------------------------------------------------- */

/* Sends all of it; the memory is lent until the callback. Status 0 means the kernel took every byte. After
 * AFTP_ETIMEDOUT aftp_stream_bytes_written() tells how far it came; what it counts is sent, in order, before any
 * later write. */
int aftp_stream_write(struct aftp_stream *s, const char *data, size_t n, aftp_stream_cb *cb, void *arg);

/* Ends our sending side (TLS: close_notify first), the reading side stays. After the writes that are under way.
 * Limit: write. Writes after it get -EPIPE, a second one AFTP_EALREADY; after AFTP_ETIMEDOUT it may be asked for
 * again. */
int aftp_stream_shutdown(struct aftp_stream *s, aftp_stream_cb *cb, void *arg);

/* The orderly end of a stream whose last bytes matter: ends our side, if that was not done, then reads and drops what
 * the peer still sends (TLS 1.3 tickets, say) until it ends too, so that a close() sends no RST. At most for linger_ms
 * (> 0; it replaces the total limit), and for 1 MiB. Nobody may read meanwhile. 0: both have ended; AFTP_ETIMEDOUT: the
 * peer has not. Only close is left then, and it may come earlier. */
int aftp_stream_finish(struct aftp_stream *s, int64_t linger_ms, aftp_stream_cb *cb, void *arg);

/* --- TLS ------------------------------------------------------------------------------------------ */

/* TLS as a client (`host`, a name or an address, is checked against the certificate when the settings say so, and a
 * name is sent as SNI; NULL: neither) or as a server, with settings made for that side. Nothing may be read or written
 * meanwhile. Bytes that came in before the call are refused with AFTP_EPROTO (they were not protected). `sessions` (may
 * be NULL) is what may be resumed. References to both are taken. Limit: connect. AFTP_ECERT: the certificate was
 * refused; AFTP_ETLS: the handshake failed; AFTP_EINCOMPLETE: the peer ended meanwhile. After a failure nothing passes
 * any more, and only close is left. The end of a TLS stream is AFTP_EOF only when the peer said so (close_notify); a
 * bare end of the connection is AFTP_EINCOMPLETE: somebody may have cut it. */
int aftp_stream_start_tls(struct aftp_stream *s, struct aftp_tls *tls, const char *host,
	struct aftp_tls_sessions *sessions, aftp_stream_cb *cb, void *arg);
int aftp_stream_accept_tls(
	struct aftp_stream *s, struct aftp_tls *tls, struct aftp_tls_sessions *sessions, aftp_stream_cb *cb, void *arg);

/* The handshake was short, because a session was resumed. Of a server, that one of the same `sessions`. */
bool aftp_stream_tls_resumed(const struct aftp_stream *s);
/* Why TLS failed (AFTP_ECERT, AFTP_ETLS), in words for people, with the pin of a refused certificate; "" when it did
 * not. Lives as long as the stream. */
const char *aftp_stream_tls_error(const struct aftp_stream *s);
SSL *aftp_stream_ssl(const struct aftp_stream *s); /* for looking; NULL while plain */

/* --- throttles ------------------------------------------------------------------------------------ */

/* Adds a pair under a name (up to 31 bytes), or replaces it; at most 8. References are taken. Works while the stream
 * runs. The throttles must live in the stream's loop. 0, AFTP_EINVAL, AFTP_ETOOBIG, AFTP_ENOMEM. */
int aftp_stream_add_throttle(struct aftp_stream *s, const char *name, const struct aftp_stream_throttle *st);
int aftp_stream_remove_throttle(struct aftp_stream *s, const char *name); /* AFTP_ENOENT when there is none */
/* NULL when there is none. */
const struct aftp_stream_throttle *aftp_stream_get_throttle(const struct aftp_stream *s, const char *name);

/* --- end ------------------------------------------------------------------------------------------ */

/* Bytes moved so far, for status displays. */
uint64_t aftp_stream_bytes_read(const struct aftp_stream *s);
uint64_t aftp_stream_bytes_written(const struct aftp_stream *s);

/* Ends the stream and sets *s to NULL. What is under way gets AFTP_ECANCELED (push: data_cb is simply not called any
 * more), then `closed` (may be NULL) runs and the memory is gone. Accepts a pointer to NULL (then `closed` never
 * runs). `abort` sends RST instead of FIN. So does the kernel when bytes from the peer were left unread, and the
 * peer may then lose the last of what we sent: shut down, and read to the end, before closing a stream whose last
 * bytes matter. */
void aftp_stream_close(struct aftp_stream **s, bool abort, void (*closed)(void *arg), void *arg);

#endif
