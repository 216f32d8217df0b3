/* cmd_file - names: PWD CWD CDUP MKD RMD DELE RNFR RNTO. */
#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>

#include "server/commands.h"
#include "server/play.h"

/* --- where ----------------------------------------------------------------------------------------- */

void cmd_pwd(struct session *s, const char *arg)
{
	char quoted[2 * PATH_CAP];
	(void)arg;
	path_quote(session_cwd(s), quoted);
	session_end(s, 257, "\"%s\" is the current directory", quoted);
}

static void on_cwd(void *arg, int status)
{
	struct session *s = arg;
	if (!session_came_back(s, status == 0 && s->req.st.type != AFTP_TYPE_DIR ? -ENOTDIR : status))
		return;
	int rc = session_chdir(s, s->path);
	if (rc < 0)
		session_end_errno(s, rc);
	else
		session_end(s, 250, "Directory successfully changed.");
}

void cmd_cwd(struct session *s, const char *arg)
{
	if (session_path(s, arg))
		session_stat(s, AFTP_VFS_FOLLOW, on_cwd);
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
	if (!session_came_back(s, status))
		return;
	path_quote(s->path, quoted);
	session_end(s, 257, "\"%s\" created", s->srv->play->bare_257 ? s->path : quoted);
}

void cmd_mkd(struct session *s, const char *arg)
{
	struct aftp_vfs *fs = session_vfs(s);
	if (!session_path(s, arg))
		return;
	session_hold(s);
	session_started(s, fs->ops->mkdir(fs, &s->req, s->path, 0755, on_made, s));
}

static void on_removed(void *arg, int status)
{
	struct session *s = arg;
	if (session_came_back(s, status))
		session_end(s, 250, "Remove operation successful.");
}

void cmd_rmd(struct session *s, const char *arg)
{
	struct aftp_vfs *fs = session_vfs(s);
	if (!session_path(s, arg))
		return;
	session_hold(s);
	session_started(s, fs->ops->rmdir(fs, &s->req, s->path, on_removed, s));
}

void cmd_dele(struct session *s, const char *arg)
{
	struct aftp_vfs *fs = session_vfs(s);
	if (!session_path(s, arg))
		return;
	session_hold(s);
	session_started(s, fs->ops->unlink(fs, &s->req, s->path, on_removed, s));
}

static void on_rnfr(void *arg, int status)
{
	struct session *s = arg;
	if (!session_came_back(s, status))
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
		session_stat(s, AFTP_VFS_WRITE, on_rnfr);
}

static void on_renamed(void *arg, int status)
{
	struct session *s = arg;
	if (session_came_back(s, status))
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
	session_started(s, rc);
}
