/* session_vfs - a session's view of the files: its paths, and the one operation that a command does with them. */
#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>

#include "server/commands.h"
#include "server/play.h"

const char *session_cwd(const struct session *s)
{
	return s->cwd ? s->cwd : "/";
}

int session_chdir(struct session *s, const char *path)
{
	char *copy = strdup(path);
	if (!copy)
		return AFTP_ENOMEM;
	free(s->cwd);
	s->cwd = copy;
	return 0;
}

bool session_path_for(struct session *s, const char *arg, unsigned may)
{
	const struct play *play = s->srv->play;
	int rc = path_resolve(session_cwd(s), arg, s->path);
	if (play->no_backslash && strchr(arg, '\\')) {
		session_end(s, 553, "Prohibited file name: %s", arg);
		return false;
	}
	if (rc == 0 && play->not_utf8 == PLAY_REFUSED && !play_utf8(arg)) {
		session_end(s, s->cmd->run == cmd_mlsd ? 501 : 550, "No such file or directory.");
		return false;
	}
	if (rc == 0 && !users_allow(s->user, s->path, may, false))
		rc = -EACCES;
	if (rc < 0)
		session_end_errno(s, rc);
	return rc == 0;
}

bool session_path(struct session *s, const char *arg)
{
	return session_path_for(s, arg, s->cmd->may);
}

struct aftp_vfs *session_vfs(const struct session *s)
{
	return s->user && s->user->view ? s->user->view : s->srv->vfs;
}

bool session_may(const struct session *s, unsigned may)
{
	return s->user && (s->user->set.may & may) == may;
}

void session_started(struct session *s, int rc)
{
	if (rc == 0)
		return;
	session_release(s);
	session_end_errno(s, rc);
}

bool session_came_back(struct session *s, int status)
{
	if (!session_back(s))
		return false;
	if (status < 0)
		session_end_errno(s, status);
	return status == 0;
}

void session_stat(struct session *s, unsigned flags, aftp_vfs_cb *cb)
{
	struct aftp_vfs *fs = session_vfs(s);
	session_hold(s);
	session_started(s, fs->ops->stat(fs, &s->req, s->path, flags, cb, s));
}
