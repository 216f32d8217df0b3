/* cmd_file - names and what is known about them: PWD CWD CDUP MKD RMD DELE RNFR RNTO SIZE MDTM MFMT MLST. */
#include <aftp/status.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/commands.h"
#include "server/format.h"

/* Every operation of this file is one vfs call on s->path, with the session held until it is back. */
static void started(struct session *s, int rc)
{
	if (rc == 0)
		return;
	session_release(s);
	session_end_errno(s, rc);
}

static void stat_path(struct session *s, bool follow, aftp_vfs_cb *cb)
{
	struct aftp_vfs *fs = session_vfs(s);
	session_hold(s);
	unsigned flags = s->cmd->may | (follow ? AFTP_VFS_FOLLOW : 0);
	started(s, fs->ops->stat(fs, &s->req, s->path, flags, cb, s));
}

/* False when there is nothing more to do: dead, or refused and said so. */
static bool came_back(struct session *s, int status)
{
	if (!session_back(s))
		return false;
	if (status < 0)
		session_end_errno(s, status);
	return status == 0;
}

/* --- where ----------------------------------------------------------------------------------------- */

void cmd_pwd(struct session *s, const char *arg)
{
	char quoted[2 * PATH_CAP];
	(void)arg;
	path_quote(s->cwd, quoted);
	session_end(s, 257, "\"%s\" is the current directory", quoted);
}

static void on_cwd(void *arg, int status)
{
	struct session *s = arg;
	if (!came_back(s, status == 0 && s->req.st.type != AFTP_TYPE_DIR ? -ENOTDIR : status))
		return;
	memcpy(s->cwd, s->path, strlen(s->path) + 1);
	session_end(s, 250, "Directory successfully changed.");
}

void cmd_cwd(struct session *s, const char *arg)
{
	if (session_path(s, arg))
		stat_path(s, true, on_cwd);
}

void cmd_cdup(struct session *s, const char *arg)
{
	(void)arg;
	cmd_cwd(s, "..");
}

/* --- changes --------------------------------------------------------------------------------------- */

static void on_made(void *arg, int status)
{
	struct session *s = arg;
	char quoted[2 * PATH_CAP];
	if (!came_back(s, status))
		return;
	path_quote(s->path, quoted);
	session_end(s, 257, "\"%s\" created", quoted);
}

void cmd_mkd(struct session *s, const char *arg)
{
	struct aftp_vfs *fs = session_vfs(s);
	if (!session_path(s, arg))
		return;
	session_hold(s);
	started(s, fs->ops->mkdir(fs, &s->req, s->path, 0755, on_made, s));
}

static void on_removed(void *arg, int status)
{
	struct session *s = arg;
	if (came_back(s, status))
		session_end(s, 250, "Remove operation successful.");
}

void cmd_rmd(struct session *s, const char *arg)
{
	struct aftp_vfs *fs = session_vfs(s);
	if (!session_path(s, arg))
		return;
	session_hold(s);
	started(s, fs->ops->rmdir(fs, &s->req, s->path, on_removed, s));
}

void cmd_dele(struct session *s, const char *arg)
{
	struct aftp_vfs *fs = session_vfs(s);
	if (!session_path(s, arg))
		return;
	session_hold(s);
	started(s, fs->ops->unlink(fs, &s->req, s->path, on_removed, s));
}

static void on_rnfr(void *arg, int status)
{
	struct session *s = arg;
	if (!came_back(s, status))
		return;
	s->rename_from = strdup(s->path);
	if (s->rename_from)
		session_end(s, 350, "Ready for RNTO.");
	else
		session_end_errno(s, AFTP_ENOMEM);
}

void cmd_rnfr(struct session *s, const char *arg)
{
	if (session_path(s, arg))
		stat_path(s, false, on_rnfr);
}

static void on_renamed(void *arg, int status)
{
	struct session *s = arg;
	if (came_back(s, status))
		session_end(s, 250, "Rename successful.");
}

void cmd_rnto(struct session *s, const char *arg)
{
	struct aftp_vfs *fs = session_vfs(s);
	if (!s->rename_from) {
		session_end(s, 503, "RNFR required first.");
		return;
	}
	if (!session_path(s, arg))
		return;
	session_hold(s);
	int rc = fs->ops->rename(fs, &s->req, s->rename_from, s->path, on_renamed, s);
	free(s->rename_from);
	s->rename_from = NULL;
	started(s, rc);
}

/* --- facts ----------------------------------------------------------------------------------------- */

static void on_size(void *arg, int status)
{
	struct session *s = arg;
	if (status == 0 && s->req.st.type != AFTP_TYPE_FILE) {
		if (session_back(s))
			session_end(s, 550, "Not a regular file.");
	} else if (came_back(s, status)) {
		session_end(s, 213, "%" PRIu64, s->req.st.size);
	}
}

void cmd_size(struct session *s, const char *arg)
{
	if (session_path(s, arg))
		stat_path(s, true, on_size);
}

static void on_mdtm(void *arg, int status)
{
	struct session *s = arg;
	char when[32];
	if (!came_back(s, status))
		return;
	format_time(when, s->req.st.mtime, s->req.st.mtime_nsec, s->srv->fractions);
	session_end(s, 213, "%s", when);
}

void cmd_mdtm(struct session *s, const char *arg)
{
	if (session_path(s, arg))
		stat_path(s, true, on_mdtm);
}

static void on_mfmt_stat(void *arg, int status)
{
	struct session *s = arg;
	char when[32];
	if (!came_back(s, status))
		return;
	format_time(when, s->req.st.mtime, s->req.st.mtime_nsec, true);
	session_end(s, 213, "Modify=%s; %s", when, s->path);
}

static void on_mfmt(void *arg, int status)
{
	struct session *s = arg;
	if (came_back(s, status))
		stat_path(s, true, on_mfmt_stat);
}

void cmd_mfmt(struct session *s, const char *arg)
{
	struct aftp_vfs *fs = session_vfs(s);
	int64_t sec;
	uint32_t nsec;
	const char *end;
	if (format_parse_time(arg, &sec, &nsec, &end) < 0 || end[0] != ' ' || end[1] == '\0') {
		session_end(s, 501, "Syntax: MFMT <sp> YYYYMMDDHHMMSS <sp> path");
		return;
	}
	if (!session_path(s, end + 1))
		return;
	session_hold(s);
	started(s, fs->ops->set_mtime(fs, &s->req, s->path, sec, nsec, on_mfmt, s));
}

static void on_mlst(void *arg, int status)
{
	struct session *s = arg;
	char line[FORMAT_LINE];
	if (!came_back(s, status))
		return;
	struct format_entry e = { .name = s->path, .target = s->req.target, .st = &s->req.st };
	size_t n = format_mlsx(line, &e, s->facts, users_may(s->user, s->path), s->srv->fractions);
	session_line(s, 250, "Start of list for %s", s->path);
	session_reply(s, 0, "%.*s", (int)n - 2, line);
	session_end(s, 250, "End of list");
}

void cmd_mlst(struct session *s, const char *arg)
{
	if (session_path(s, arg))
		stat_path(s, false, on_mlst);
}
