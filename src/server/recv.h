/* recv - an upload: bytes from a data connection land in the memory that the vfs lends. */
#ifndef SERVER_RECV_H
#define SERVER_RECV_H

#include <aftp/stream.h>
#include <aftp/vfs.h>
#include <stdint.h>

struct session;
struct receiver;

typedef void recv_cb(void *arg, int status);

/* Takes the stream and the file. Holds the session until both are closed; the callback runs then. On failure nothing
 * was taken. */
int recv_new(struct receiver **out, struct session *s, struct aftp_stream *stream, struct aftp_vfs_file *file,
	recv_cb *cb, void *arg);
uint64_t recv_bytes(const struct receiver *r);
/* Resets the data connection and closes the file as it is; the callback still runs, with AFTP_ECANCELED, later. */
void recv_cancel(struct receiver *r);

#endif
