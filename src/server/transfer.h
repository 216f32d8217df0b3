/* transfer - a command that moves bytes on the data connection: waits for the connection, says 150, moves, says how
 * it ended.
 *
 * At most one is under way in a session. Each of the first three ends the command. */
#ifndef SERVER_TRANSFER_H
#define SERVER_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "server/lister.h"

struct session;

/* The file at s->path, from `offset` to before `end`. */
void transfer_retrieve(struct session *s, uint64_t offset, uint64_t end);
/* Into the file at s->path; `flags` are AFTP_VFS_*; the 150 tells the name when `tell_name` (STOU). */
void transfer_store(struct session *s, unsigned flags, uint64_t offset, bool tell_name);

/* The directory at s->path, or the file (lister_open()). */
void transfer_list(struct session *s, const struct lister_wish *wish);

/* TLS on its data connection is ready, or failed, when it began before the transfer. Releases the session. */
void transfer_secured(struct session *s, int status);

bool transfer_running(const struct session *s);
bool transfer_moving(const struct session *s); /* its data connection is there */
bool transfer_is_upload(const struct session *s);
uint64_t transfer_bytes(const struct session *s);
void transfer_abort(struct session *s);  /* ABOR: 426 for the transfer, then 226 */
void transfer_vanish(struct session *s); /* the same, and nothing is ever said about it */
void transfer_kill(struct session *s);   /* the session is dead: nothing is said; holds until all is closed */

#endif
