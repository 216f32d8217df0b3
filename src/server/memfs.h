/* memfs - what the parts of the memory vfs share: the operations, the direct access, the loader. */
#ifndef SERVER_MEMFS_H
#define SERVER_MEMFS_H

#include <aftp/vfs.h>

#include "server/memtree.h"
#include "stream/later.h"

struct memview {
	struct aftp_vfs vfs; /* first */
	struct aftp_memfs *fs;
	char *base;                  /* NULL: all of it */
	struct aftp_vfs_guard guard; /* allows is NULL: none */
};

struct aftp_memfs {
	struct memview whole;
	struct memtree tree;
	struct later *later;
	unsigned handles; /* open files and directories, and views */
};

/* Completes a request with `status`, later; never fails. */
void memfs_answer(struct aftp_memfs *fs, struct aftp_vfs_req *r, int status, aftp_vfs_cb *cb, void *arg);

/* The file operations, in memfile.c. */
/* A version of the file's content that stays as it is, whoever writes; a reference. */
int memfile_snapshot(struct memnode *n, struct content **out);
int memfile_open(struct aftp_vfs *vfs, struct aftp_vfs_req *r, const char *path, unsigned flags, uint64_t offset,
	aftp_vfs_cb *cb, void *arg);
int memfile_read(struct aftp_vfs_file *f, struct aftp_vfs_req *r, size_t max, aftp_vfs_cb *cb, void *arg);
void memfile_release(struct aftp_vfs_file *f, const char *data);
char *memfile_lend(struct aftp_vfs_file *f, size_t *len);
void memfile_filled(struct aftp_vfs_file *f, size_t n);
int memfile_writable(struct aftp_vfs_file *f, struct aftp_vfs_req *r, aftp_vfs_cb *cb, void *arg);
int memfile_close(struct aftp_vfs_file *f, struct aftp_vfs_req *r, aftp_vfs_cb *cb, void *arg);

#endif
