/* data - the data connection of one transfer as a stream, and how it ends (RFC 959 section 5).
 *
 * A transfer is over when its two ends agree: the end of the data and the server's final reply. So a read answers
 * AFTP_EOF only when the server has confirmed the whole transfer, and a failure of either end is the status of what was
 * being read or written. The next command of the session waits until then, whatever becomes of the stream.
 *
 * One read (or iteration) and one write may be under way at a time, else AFTP_EBUSY. The async contract is the one in
 * status.h. Time limits are the client's; a stream that nobody reads from waits for ever, as does one that nobody
 * writes to. */
#ifndef AFTP_DATA_H
#define AFTP_DATA_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <aftp/session.h>
#include <aftp/stream.h>
#include <aftp/throttle.h>

struct aftp_data;

/* RETR, STOR, APPE; REST before them when offset > 0. The stream is there at once; what the server thinks of it is told
 * by the first read or write, or by finish. Ended by aftp_data_close(). As aftp_client_retrieve(). */
int aftp_download_stream(struct aftp_session *s, struct aftp_data **out, const char *path, uint64_t offset);
int aftp_upload_stream(struct aftp_session *s, struct aftp_data **out, const char *path, uint64_t offset);
int aftp_append_stream(struct aftp_session *s, struct aftp_data **out, const char *path, uint64_t offset);

/* Any command that makes the server send ("NLST", "LIST"). `argument` may be NULL. */
int aftp_command_stream(struct aftp_session *s, struct aftp_data **out, const char *verb, const char *argument);

/* --- reading -------------------------------------------------------------------------------------- */

/* n > 0: n bytes at `data`. n < 0: AFTP_EOF, or what went wrong. */
typedef void aftp_data_read_cb(void *arg, ssize_t n, const char *data);

/* 1..cap bytes as soon as there are any; they land in `buf`, which is lent until the callback. */
int aftp_data_read(struct aftp_data *d, char *buf, size_t cap, aftp_data_read_cb *cb, void *arg);
/* Exactly n bytes. AFTP_EINCOMPLETE when there are fewer: they are in buf, up to where `data` points. AFTP_EOF when there
 * is none. */
int aftp_data_read_exactly(struct aftp_data *d, char *buf, size_t n, aftp_data_read_cb *cb, void *arg);
/* One line without its LF or CR LF (n may be 0: an empty line, data != NULL); valid during the call. The last may lack
 * its end. AFTP_ELINETOOLONG when `max` bytes hold no LF. */
int aftp_data_read_line(struct aftp_data *d, size_t max, aftp_data_read_cb *cb, void *arg);

/* All of it, up to `max` bytes, when the server has confirmed it: n >= 0 bytes (data != NULL), valid during the call.
 * AFTP_ETOOBIG when there are more. */
int aftp_data_read_all(struct aftp_data *d, size_t max, aftp_data_read_cb *cb, void *arg);

/* Each line, or each block of up to `size` bytes as they come, and at last n < 0 as above. AFTP_PAUSE: nothing more
 * until aftp_data_resume(). AFTP_STOP: it was the last call; the rest of the data stays to be read otherwise. */
typedef enum aftp_next aftp_data_each_cb(void *arg, ssize_t n, const char *data);
int aftp_data_each_line(struct aftp_data *d, size_t max, aftp_data_each_cb *cb, void *arg);
int aftp_data_each_block(struct aftp_data *d, size_t size, aftp_data_each_cb *cb, void *arg);
void aftp_data_resume(struct aftp_data *d); /* no effect when it is not paused */

/* --- writing -------------------------------------------------------------------------------------- */

/* All n bytes; the memory is lent until the callback. 0: the kernel has them; only finish tells that the server does.
 */
int aftp_data_write(struct aftp_data *d, const char *data, size_t n, aftp_op_cb *cb, void *arg);

/* --- the end -------------------------------------------------------------------------------------- */

/* The end of the data, and the server's final reply. `code` is 0 when none came; `message` is its text, valid during
 * the call.
 *
 * Of an upload: all was written. Of a download: it was read to its end, or is stopped here, early: what the server says
 * to that (226, 426, 451) is then the answer. 0: the code matches `expected` (NULL = "2xx"), and nothing else went
 * wrong. Otherwise the status of what did, AFTP_EREPLY when it was only the code. A code that matches `wait` (NULL =
 * "1xx") is no verdict: then the transfer's own status is the answer, AFTP_ECANCELED for one that was stopped.
 *
 * AFTP_EALREADY: it was finished or canceled before; aftp_data_code() and aftp_data_message() have the reply.
 * AFTP_EBUSY: a read or a write is under way. */
typedef void aftp_finish_cb(void *arg, int status, int code, const char *message);
int aftp_data_finish(struct aftp_data *d, const char *expected, const char *wait, aftp_finish_cb *cb, void *arg);

/* Breaks the transfer off. What is under way gets AFTP_ECANCELED, then `cb` (may be NULL) runs: 0 when the connection
 * is in step again, AFTP_ENOTCONN when it was lost. AFTP_EALREADY: it was canceled before. */
int aftp_data_cancel(struct aftp_data *d, aftp_op_cb *cb, void *arg);

/* The final reply, once it has come: its code (0 before) and text ("" before; lives as long as the stream). */
int aftp_data_code(const struct aftp_data *d);
const char *aftp_data_message(const struct aftp_data *d);
/* The size that the server's 150 told; UINT64_MAX when it did not. */
uint64_t aftp_data_size(const struct aftp_data *d);
uint64_t aftp_data_bytes(const struct aftp_data *d); /* moved so far */

/* Cancels if it is not over, sets *d to NULL, then runs `closed` (may be NULL), and the memory is gone. Accepts a
 * pointer to NULL (then `closed` never runs). */
void aftp_data_close(struct aftp_data **d, void (*closed)(void *arg), void *arg);

/* --- throttles ------------------------------------------------------------------------------------ */

/* As aftp_stream_add_throttle(), beside the client's own; at any time, also before the data connection is there. They
 * hold from the first byte on. */
int aftp_data_add_throttle(struct aftp_data *d, const char *name, const struct aftp_stream_throttle *st);
int aftp_data_remove_throttle(struct aftp_data *d, const char *name); /* AFTP_ENOENT when there is none */
const struct aftp_stream_throttle *aftp_data_get_throttle(const struct aftp_data *d, const char *name);

#endif
