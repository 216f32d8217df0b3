/* peek - what is at a path: aftp_client_stat(), and where that has no clear answer, the listing of the parent.
 *
 * That something does not exist takes the server's words, or a complete listing that lacks it. */
#ifndef CLIENT_PEEK_H
#define CLIENT_PEEK_H

#include <aftp/client.h>

/* status 0: `e` is valid during the call, its name is the path's last part; else NULL. */
typedef void peek_cb(void *arg, int status, const struct aftp_entry *e);

/* Caller's memory, which stays until the callback. */
struct peek {
	struct aftp_client *client;
	struct aftp_transfer *listing; /* NULL: none under way */
	char *path;                    /* trimmed */
	struct aftp_entry entry;
	char *target; /* of entry */
	int status;   /* what stat said */
	bool found, holes;
	peek_cb *cb;
	void *arg;
};

int peek_start(struct peek *l, struct aftp_client *c, const char *path, peek_cb *cb, void *arg);
void peek_stop(struct peek *l); /* the callback comes sooner */

#endif
