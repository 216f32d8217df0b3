/* roll - the entries of one folder of the server, collected. */
#ifndef CLIENT_ROLL_H
#define CLIENT_ROLL_H

#include <stdbool.h>
#include <stddef.h>

#include <aftp/client.h>

struct roll_entry {
	char *name;          /* good for a path; NUL-ended */
	struct aftp_entry e; /* its pointers are gone */
};

typedef void roll_cb(void *arg, int status);

/* Caller's memory, which stays until the callback. */
struct roll {
	struct roll_entry *entries; /* in the server's order; "." and ".." left out */
	size_t n, cap, bytes;
	bool holes; /* there may be entries that are not here */
	enum aftp_listing_kind kind;
	struct aftp_transfer *listing; /* NULL: not under way */
	roll_cb *cb;
	void *arg;
};

/* As aftp_client_list(). AFTP_ETOOBIG: more entries than memory should go into. After a failure it is empty. */
int roll_start(struct roll *r, struct aftp_client *c, const char *path, roll_cb *cb, void *arg);
void roll_stop(struct roll *r);   /* the callback comes sooner */
void roll_finish(struct roll *r); /* frees; accepts a zeroed value */

#endif
