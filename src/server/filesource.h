/* filesource - an open file of the vfs as what a sender sends. */
#ifndef SERVER_FILESOURCE_H
#define SERVER_FILESOURCE_H

#include <aftp/vfs.h>

#include "server/send.h"

struct filesource;

extern const struct source filesource_ops;

/* Takes the file; holds the session until it is closed. */
int filesource_new(struct filesource **out, struct session *s, struct aftp_vfs_file *file);
/* before the sender is answered for the first time */
void filesource_start(struct filesource *f, struct sender *snd);

#endif
