/* faults - the server's own copy of what is to go wrong, and how often it did. */
#ifndef SERVER_FAULTS_H
#define SERVER_FAULTS_H

#include <aftp/server.h>
#include <stdbool.h>

#include "server/control.h"

struct faults {
	struct aftp_faults set;
	uint32_t struck; /* against set.times */
};

/* 0, AFTP_ENOMEM, AFTP_EINVAL (a verb that the server does not know, a pasv_address that is none). */
int faults_init(struct faults *f, const struct aftp_faults *from);
void faults_finish(struct faults *f); /* accepts a zeroed value */

bool faults_hide(const struct faults *f, const char *verb);     /* the server is said not to have it */
bool faults_hidden_by(const char *const *no, const char *verb); /* by a list that ends in NULL */
/* instead of the reply to it; NULL = the greeting */
enum babble faults_babble(const struct faults *f, const char *verb);
/* The rule for a verb that came for the n-th time; or NULL. Lives until the faults are replaced. */
const struct aftp_rule *faults_rule(const struct faults *f, const char *verb, uint64_t n);
bool faults_strike(struct faults *f); /* may a cut happen once more? counts it */

/* When the next cut of a transfer is due, and what it is. */
enum cut { CUT_NONE, CUT_DATA, CUT_ALL, CUT_STALL };
enum cut faults_next_cut(const struct faults *f, uint64_t *at);

#endif
