/* high_get - the inside of a download: high_get.c is the tree, high_get_file.c one file in it. */
#ifndef CLIENT_HIGH_GET_H
#define CLIENT_HIGH_GET_H

#include "client/copy.h"
#include "client/getfile.h"
#include "client/peek.h"
#include "client/roll.h"

struct get_dir {
	struct get_dir *up;
	char *from; /* on the server */
	char *to;   /* below the root; "" = the root itself */
	unsigned depth;
	struct roll roll;
	size_t next;
};

enum get_phase {
	GET_PEEK,    /* what is it? */
	GET_PREPARE, /* the local place */
	GET_TREE,
	GET_FILE_TIME, /* of the present file: a better time */
	GET_FILE_LOCAL,
	GET_FILE_MOVE,
	GET_FILE_CHECK,
	GET_FILE_OVER,
};

struct get_file {
	char *from, *to; /* `to` as getfile wants it */
	struct aftp_entry e;
	bool have_local;
	uint64_t local_size;
	int64_t local_mtime;
	uint32_t local_nsec;
	uint64_t offset;
	int status;
};

struct get_op {
	struct copy c; /* first */
	enum get_phase phase;
	char *from, *to;
	bool tree;
	int root; /* AT_FDCWD while there is none */
	struct get_dir *here;
	struct get_file file;
	struct local_job job;
	struct peek peek;
	struct getfile mover;
	bool peeking, moving, listing;
};

/* Begins with a file: the phase is one of GET_FILE_* until it is over, and noted. Takes `from` and `to`, which may be
 * NULL when there was no memory. */
void get_file_begin(struct get_op *g, char *from, char *to, const struct aftp_entry *e);
void get_file_step(struct get_op *g);
void get_file_finish(struct get_op *g);

/* The whole local path of what is at `to` below the root; NULL: no memory. */
char *get_local_path(const struct get_op *g, const char *to);

#endif
