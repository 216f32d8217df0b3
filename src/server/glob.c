#include "server/glob.h"

#include <aftp/status.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "server/session.h"

struct glob {
	struct session *s;
	struct aftp_vfs_req req;
	struct aftp_vfs_dir *dir;
	char *pattern;
	glob_cb *cb;
	void *arg;
};

static void glob_end(struct glob *g, int status, const char *name)
{
	struct session *s = g->s;
	g->cb(g->arg, status, name);
	if (g->dir)
		g->dir->fs->ops->closedir(g->dir);
	free(g->pattern);
	free(g);
	session_release(s);
}

static void on_entries(void *arg, int status)
{
	struct glob *g = arg;
	for (size_t i = 0; status == 0 && i < g->req.count; i++)
		if (fnmatch(g->pattern, g->req.entries[i].name, FNM_PERIOD) == 0) {
			glob_end(g, 0, g->req.entries[i].name);
			return;
		}
	if (status == 0 && g->req.count > 0) {
		status = g->dir->fs->ops->readdir(g->dir, &g->req, on_entries, g);
		if (status == 0)
			return;
	}
	glob_end(g, status, NULL);
}

static void on_directory(void *arg, int status)
{
	struct glob *g = arg;
	if (status == 0) {
		g->dir = g->req.dir;
		status = g->dir->fs->ops->readdir(g->dir, &g->req, on_entries, g);
	}
	if (status < 0)
		glob_end(g, status, NULL);
}

int glob_first(struct session *s, const char *dir, const char *pattern, glob_cb *cb, void *arg)
{
	struct aftp_vfs *fs = session_vfs(s);
	struct glob *g = calloc(1, sizeof(*g));
	if (!g)
		return AFTP_ENOMEM;
	*g = (struct glob){ .s = s, .pattern = strdup(pattern), .cb = cb, .arg = arg };
	int rc = g->pattern ? fs->ops->opendir(fs, &g->req, dir, on_directory, g) : AFTP_ENOMEM;
	if (rc < 0) {
		free(g->pattern);
		free(g);
		return rc;
	}
	session_hold(s);
	return 0;
}

bool glob_is_pattern(const char *text, const char *magic)
{
	return text[strcspn(text, magic)] != '\0';
}

void glob_unescape(char *text)
{
	char *out = text;
	for (; *text; text++) {
		if (*text == '\\' && text[1])
			text++;
		*out++ = *text;
	}
	*out = '\0';
}

bool glob_protect(const char *text, const char *plain, char *out, size_t size)
{
	for (; *text; text++) {
		if (size < 3)
			return false;
		if (strchr(plain, *text)) {
			*out++ = '\\';
			size--;
		}
		*out++ = *text;
		size--;
	}
	*out = '\0';
	return true;
}
