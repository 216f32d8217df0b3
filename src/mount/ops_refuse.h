/* ops_refuse - the operations that would change the site.
 *
 * This version only reads: each says EROFS, whatever its arguments. */
#ifndef MOUNT_OPS_REFUSE_H
#define MOUNT_OPS_REFUSE_H

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

void refuse_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev);
void refuse_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void refuse_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void refuse_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void refuse_rename(
	fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to, const char *to_name, unsigned flags);
void refuse_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name);
void refuse_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int which, struct fuse_file_info *fi);
void refuse_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi);
void refuse_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t off, struct fuse_file_info *fi);
void refuse_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags);
void refuse_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);
void refuse_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len, struct fuse_file_info *fi);

/* For the table of operations. */
#define REFUSED_OPS                                                                                         \
	.mknod = refuse_mknod, .mkdir = refuse_mkdir, .unlink = refuse_unlink, .rmdir = refuse_unlink,      \
	.symlink = refuse_symlink, .rename = refuse_rename, .link = refuse_link, .setattr = refuse_setattr, \
	.create = refuse_create, .write = refuse_write, .setxattr = refuse_setxattr,                        \
	.removexattr = refuse_removexattr, .fallocate = refuse_fallocate

#endif
