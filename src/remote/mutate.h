/* mutate - one change of the server's tree: what the kinds of changes (mutate_*.c) share.
 *
 * A change is not idempotent. When the connection is lost after a command was sent, nobody knows whether it was done:
 * then the kind looks first, on a fresh connection (job.h), and goes on from what it finds. A change that its asker
 * has left goes on all the same, because what was sent cannot be unsent, and the caches must follow it.
 *
 * A kind is a chain of steps. A step sends commands, which leave together, and says what comes next. */
#ifndef REMOTE_MUTATE_H
#define REMOTE_MUTATE_H

#include "remote/internal.h"
#include "remote/job.h"
#include "remote/look.h"

struct mutation;
struct mutation_op;

typedef void mutation_step(struct mutation *m);

struct mutation_kind {
	mutation_step *begin;   /* on a connection: the first step, or the one that is due */
	mutation_step *recover; /* the same, when it is not known whether the command that is due was done */
	/* It is over: teach the caches. Returns the status that the asker gets. */
	int (*end)(struct mutation *m, int status);
	void (*finish)(struct mutation *m); /* frees what the kind has added; may be NULL */
};

struct mutation_reply {
	int code;
	int error; /* what a refusal means; 0 */
	char text[200];
};

enum { MUTATION_REPLIES = 2 };

struct mutation { /* first in each kind's own struct */
	struct job job;
	const struct mutation_kind *kind;
	struct site *site;
	struct aftp_client *client; /* in a step */
	struct mutation_op *asker;  /* NULL: nobody waits */
	site_done_cb *told;         /* or one of this layer; NULL: nobody */
	void *told_arg;
	struct mutation_hold *holds; /* writers that wait for its end */
	unsigned holding;            /* those that are not ready */
	int hold_failed;
	struct node *dir;  /* holds a reference */
	char *name;        /* in dir; NULL: dir itself */
	char *path;        /* made anew for each connection */
	struct node *made; /* what the asker gets the attributes of; holds a reference */
	bool unsure;       /* the connection was lost after a command had been sent */

	mutation_step *next;
	unsigned owed, replies;
	int failed; /* the connection, or a command that could not be sent */
	struct mutation_reply reply[MUTATION_REPLIES];
	int seen_status; /* of mutation_stat(); AFTP_ENOTSUP when it was not asked */
	struct attr seen;
	struct look look;

	int pair;
	bool from_refused;
	struct mutation_reply pair_reply;
	unsigned way; /* how a mode or a time is being set */
	char *pair_to;
	mutation_step *pair_next;
};

/* The directory in which `name` is to be changed: 0, -ESTALE, -EROFS, or as site_check_name(). */
int mutation_enter(struct site *s, uint64_t ino, const char *name, struct node **dir);

/* `size` bytes for a kind's struct, zeroed, with the mutation filled. NULL when out of memory. */
void *mutation_new(struct site *s, size_t size, const struct mutation_kind *kind, struct node *dir, const char *name);
void mutation_free(struct mutation *m); /* of one that was not run */
/* The asker: one of the two callbacks. *op gets it when op is not NULL. AFTP_ENOMEM: m is freed. */
int mutation_ask(struct mutation *m, struct site_op **op, site_attr_cb *attr, site_done_cb *done, void *arg);
/* Before mutation_run(): the name of n, or of what n is in, is about to change, or something that an upload would change
 * again. What is written there is uploaded first, and then waits until this is over. */
void mutation_hold(struct mutation *m, const struct node *n);
void mutation_run(struct mutation *m);
/* The one who is told does not want to know any more. */
void mutation_abandon(struct mutation *m);
void mutation_settled(struct mutation *m, int status); /* instead: there is nothing to be done */

/* --- for steps ------------------------------------------------------------------------------------ */

void mutation_send(struct mutation *m, const char *verb, const char *argument); /* a change */
void mutation_stat(struct mutation *m, const char *path);                       /* with it: a look at the outcome */
void mutation_wait(struct mutation *m, mutation_step *next);                    /* all answers are in */

/* next: m->seen_status (0, AFTP_ENOENT, AFTP_EACCES), m->seen, m->look.target. */
void mutation_look(struct mutation *m, const char *path, mutation_step *next);
void mutation_look_for_none(struct mutation *m, const char *path, mutation_step *next); /* it is probably not there */
void mutation_look_for_link(struct mutation *m, const char *path, mutation_step *next);
/* next: m->seen_status and m->look.entries. */
void mutation_look_inside(struct mutation *m, const char *path, mutation_step *next);

/* Renames on the server, in one round trip where it can. next: m->pair is 0 or what the refusal means, m->pair_reply
 * its words; m->from_refused: it was about `from`. */
void mutation_pair(struct mutation *m, const char *from, const char *to, mutation_step *next);

/* The outcome is known, or never will be. */
void mutation_end(struct mutation *m, int status);

/* The status of a refusal that nothing explains, and of a command that the server does not have. */
int mutation_refusal(int error);
/* The first reply said no: ends with what it means. When it does not tell, a look at m->path comes before, and explain. */
void mutation_refused(struct mutation *m, mutation_step *explain);
/* Does the server not know the command, or not what it was given? */
bool mutation_unknown(const struct mutation_reply *r);
static inline bool mutation_done(const struct mutation_reply *r)
{
	return r->code / 100 == 2;
}

/* --- what is known -------------------------------------------------------------------------------- */

/* The attributes of `name` in dir as they were last seen, however long ago. The target lives until the next change. */
bool mutation_known(struct node *dir, struct node *n, const char *name, struct attr *a, const char **target);
/* Something has changed that nobody can tell: it must be asked again. */
void mutation_doubt(struct site *s, struct node *dir, const char *name);

/* --- modes: mutate_attr.c ------------------------------------------------------------------------- */

/* Sends the command that sets a mode, by a way that the server may have: `tried` has a bit for each that was tried.
 * False: there is none. */
bool mutation_send_mode(struct mutation *m, mode_t mode, unsigned *tried);
/* Its reply is in. 0: done; AFTP_ENOTSUP: try another way; else why not. */
int mutation_mode_set(struct mutation *m);

/* Sets the mode of a file that exists, if the server can. NULL when out of memory; else `told` runs later. */
struct mutation *mutate_mode(struct site *s, struct node *n, mode_t mode, site_done_cb *told, void *arg);

/* --- files that are open when they lose their names ------------------------------------------------- */

/* A name for n's directory that nobody has. */
#define ASIDE_PREFIX ".ftpfs-"
#define ASIDE_SIZE   (sizeof ASIDE_PREFIX + 16)
void mutate_aside_name(char name[ASIDE_SIZE]);

/* Deletes `name` in dir, which is known to nobody but us. Nobody waits for it but the site's end. */
void mutate_discard(struct site *s, struct node *dir, const char *name);
/* Gives the file `temp`, in the directory of n, the name of n, in place of what has it. NULL when out of memory; else
 * `told` runs later. */
struct mutation *mutate_publish(struct site *s, struct node *n, const char *temp, site_done_cb *told, void *arg);

bool mutate_is_open(const struct site *s, const struct node *n);
/* n has been moved aside: it goes when its holders do. */
void mutate_doom(struct site *s, struct node *n);
/* Its last holder let go of a doomed node: it is deleted on the server. Nobody waits, but the site does not close
 * before it is done, or has had its time. */
void mutate_released(struct site *s, struct node *n);

/* The site closes: as above for all that are still open. `closed` runs, later, when nothing is left to be deleted. */
void mutate_close(struct site *s, void (*closed)(struct site *s));

#endif
