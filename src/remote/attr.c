#include "remote/attr.h"

#include <string.h>

#define BLOCK_SIZE (1024 * 1024) /* programs size their buffers by it, and big requests are what is fast */

void attr_from_entry(struct attr *a, const struct aftp_entry *e)
{
	bool exact = (e->have & (AFTP_HAVE_SIZE | AFTP_SIZE_ROUGH)) == AFTP_HAVE_SIZE;

	*a = (struct attr){
		.size = exact || e->type == AFTP_TYPE_DIR ? e->size : 0,
		.mtime = e->mtime,
		.mtime_nsec = e->mtime_nsec,
		.mode = (uint16_t)(e->mode & 07777),
		.type = (uint8_t)(e->type == AFTP_TYPE_UNKNOWN ? AFTP_TYPE_FILE : e->type),
		.have = (uint8_t)((e->have & (AFTP_HAVE_MODE | AFTP_HAVE_MTIME)) | (exact ? AFTP_HAVE_SIZE : 0)),
	};
}

void attr_directory(struct attr *a)
{
	*a = (struct attr){ .type = AFTP_TYPE_DIR };
}

static mode_t type_bits(const struct attr *a)
{
	switch (a->type) {
	case AFTP_TYPE_DIR: return S_IFDIR;
	case AFTP_TYPE_LINK: return S_IFLNK;
	case AFTP_TYPE_OTHER:
		return S_IFIFO; /* FTP cannot say which; a pipe is the one that no program mistakes for data */
	default: return S_IFREG;
	}
}

static mode_t permissions(const struct attr *a, const struct site_options *o)
{
	mode_t mode;

	if (a->type == AFTP_TYPE_LINK)
		return 0777;
	if (a->type == AFTP_TYPE_DIR) {
		mode = a->have & AFTP_HAVE_MODE ? a->mode : 0755;
		return mode & ~o->dir_mask & 07777;
	}
	mode = a->have & AFTP_HAVE_MODE ? a->mode : 0644;
	return mode & ~o->file_mask & 07777;
}

void attr_to_stat(const struct attr *a, uint64_t ino, const struct site_options *o, struct stat *st)
{
	memset(st, 0, sizeof *st);
	st->st_ino = ino;
	st->st_mode = type_bits(a) | permissions(a, o);
	st->st_nlink = 1; /* of directories too: "unknown" to find(1) */
	st->st_uid = o->uid;
	st->st_gid = o->gid;
	st->st_size = a->type == AFTP_TYPE_FILE ? (off_t)a->size : 0;
	st->st_blksize = BLOCK_SIZE;
	st->st_blocks = (st->st_size + 511) / 512;
	st->st_mtim.tv_sec = a->mtime;
	st->st_mtim.tv_nsec = a->mtime_nsec;
	st->st_atim = st->st_ctim = st->st_mtim;
}
