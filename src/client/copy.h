/* copy - what a download and an upload have in common: counting, and what becomes of a failure. */
#ifndef CLIENT_COPY_H
#define CLIENT_COPY_H

#include "client/high.h"

enum { COPY_DEPTH_MAX = 128 };

struct copy {
	struct aftp_op op; /* first */
	unsigned flags;
	aftp_copy_item_cb *item;
	aftp_copy_cb *done;
	void *arg;
	struct aftp_copy_result result;
	int failure; /* the first */
	char *failed_path;
};

/* `from` (on its side) is done, with an enum aftp_copied or a status. It counts, tells, and finishes the operation when
 * that is the end of it. The names are whole paths. */
void copy_note(struct copy *c, const char *from, const char *to, int status);
void copy_done(struct aftp_op *op); /* a high_op_kind::done */
void copy_free(struct copy *c);     /* what it holds, and itself */

/* Where `to` is to be, with AFTP_INTO; NULL: no memory. */
char *copy_target(const char *from, const char *to, unsigned flags);

#endif
