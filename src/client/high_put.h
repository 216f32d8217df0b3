/* high_put - the inside of an upload: high_put.c is the tree, high_put_file.c one file in it. */
#ifndef CLIENT_HIGH_PUT_H
#define CLIENT_HIGH_PUT_H

#include "client/copy.h"
#include "client/peek.h"
#include "client/putfile.h"

struct put_dir {
	struct put_dir *up;
	char *from; /* below the root; "" = the root itself */
	char *to;   /* on the server */
	unsigned depth;
	struct local_list list;
	size_t next;
};

enum put_phase {
	PUT_LOOK, /* what is it? */
	PUT_PARENTS,
	PUT_TOP,
	PUT_TREE,
	PUT_FILE_PEEK, /* what is on the server already */
	PUT_FILE_MOVE,
	PUT_FILE_CHECK,
	PUT_FILE_TIME,
	PUT_FILE_OVER,
};

struct put_file {
	char *from, *to; /* `from` as putfile wants it */
	struct stat st;  /* when it is asked for before */
	uint64_t offset, base;
	bool append;
	bool timed;
	int status;
};

struct put_op {
	struct copy c; /* first */
	enum put_phase phase;
	char *from, *to;
	struct stat st;
	bool tree;
	int root; /* AT_FDCWD while there is none */
	struct put_dir *here;
	struct put_file file;
	struct local_job job;
	struct peek peek;
	struct putfile mover;
	struct aftp_op *sub; /* a mkdir under way */
	bool peeking, moving;
};

void put_file_begin(struct put_op *p, char *from, char *to); /* takes both, which may be NULL */
void put_file_step(struct put_op *p);
void put_file_finish(struct put_op *p);

/* The whole local path of what is at `from` below the root; NULL: no memory. */
char *put_local_path(const struct put_op *p, const char *from);

#endif
