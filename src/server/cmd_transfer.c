/* cmd_transfer - bytes on the data connection: RETR STOR APPE STOU ABOR. */
#include <stdio.h>
#include <string.h>

#include "server/commands.h"
#include "server/play.h"
#include "server/transfer.h"

void cmd_retr(struct session *s, const char *arg)
{
	uint64_t offset = s->rest, end = s->range_end;
	s->rest = 0;
	s->range_end = UINT64_MAX;
	if (session_path(s, arg))
		transfer_retrieve(s, offset, end);
}

/* Where an upload starts; false when there is a range, which is for downloads. */
static bool take_offset(struct session *s, uint64_t *offset)
{
	bool range = s->range_end != UINT64_MAX;
	*offset = s->rest;
	s->rest = 0;
	s->range_end = UINT64_MAX;
	if (range)
		session_end(s, 503, "RANG is for RETR and HASH.");
	return !range;
}

/* With REST the file is written from there on, and what lies behind stays. */
void cmd_stor(struct session *s, const char *arg)
{
	uint64_t offset;
	if (take_offset(s, &offset) && session_path(s, arg))
		transfer_store(s, AFTP_VFS_CREATE | (offset == 0 ? AFTP_VFS_TRUNCATE : 0), offset, false);
}

void cmd_appe(struct session *s, const char *arg)
{
	uint64_t offset;
	if (take_offset(s, &offset) && session_path(s, arg))
		transfer_store(s, AFTP_VFS_CREATE | (offset == 0 ? AFTP_VFS_APPEND : 0), offset, false);
}

/* A name that nobody has had in this server's life. */
void cmd_stou(struct session *s, const char *arg)
{
	char name[PATH_CAP];
	int n = snprintf(name, sizeof(name), "%s.%llu.%llu", arg[0] ? arg : "unique", (unsigned long long)s->id,
		(unsigned long long)s->commands);
	if (n < 0 || (size_t)n >= sizeof(name))
		session_end_errno(s, -ENAMETOOLONG);
	else if (session_path(s, name))
		transfer_store(s, AFTP_VFS_CREATE | AFTP_VFS_EXCLUSIVE | AFTP_VFS_TRUNCATE, 0, true);
}

void cmd_abor(struct session *s, const char *arg)
{
	(void)arg;
	session_end(s, s->srv->play->abor_idle, "No transfer to abort.");
}
