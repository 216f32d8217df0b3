/* times - the exact modification times of the files in a listing, by MDTM (RFC 3659 section 3): many questions at once, on
 * the connection that the listing came from. */
#ifndef REMOTE_TIMES_H
#define REMOTE_TIMES_H

#include <aftp/client.h>

#include "remote/dirlist.h"

struct times {
	/* Every file that the server would tell about has its time. < 0: the connection's. */
	void (*cb)(struct times *t, int status);

	struct aftp_client *client;
	struct dirlist **list;
	const char *dir;
	size_t next;   /* in the list: to be asked about */
	unsigned owed; /* answers */
	int status;
};

/* Set cb before; nobody else may hold or change the list until it runs, and `dir` stays. 1: there is nothing to ask, and cb
 * does not run. Else the async contract. */
int times_ask(struct times *t, struct aftp_client *client, struct dirlist **list, const char *dir);

#endif
