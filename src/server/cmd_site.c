/* cmd_site - SITE and its words: CHMOD, UTIME (both forms), SYMLINK, CPFR, CPTO, HELP. */
#include <aftp/status.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/commands.h"
#include "server/format.h"
#include "server/words.h"

struct word {
	const char *name;
	unsigned may;
	void (*run)(struct session *s, const struct word *w, const char *arg);
	const char *syntax;
};

static void syntax_error(struct session *s, const struct word *w)
{
	session_end(s, 501, "Syntax: SITE %s %s", w->name, w->syntax);
}

/* What each of these says when it went well. */
static void on_done(void *arg, int status)
{
	struct session *s = arg;
	if (session_came_back(s, status))
		session_end(s, 200, "SITE command ok.");
}

static void site_chmod(struct session *s, const struct word *w, const char *arg)
{
	struct aftp_vfs *fs = session_vfs(s);
	uint32_t mode;
	const char *end;
	if (format_parse_mode(arg, &mode, &end) < 0 || end[0] != ' ' || end[1] == '\0') {
		syntax_error(s, w);
		return;
	}
	if (!session_path_for(s, end + 1, w->may))
		return;
	session_hold(s);
	session_started(s, fs->ops->chmod(fs, &s->req, s->path, mode, on_done, s));
}

/* "YYYYMMDDhhmm[ss] path", or "path atime mtime ctime UTC", whose mtime counts. `path` has PATH_CAP bytes. */
static bool parse_utime(const char *arg, char *path, int64_t *sec, uint32_t *nsec)
{
	const char *end;
	char padded[16];
	size_t digits = strspn(arg, "0123456789"), len = strlen(arg);
	if ((digits == 12 || digits == 14) && arg[digits] == ' ') {
		snprintf(padded, sizeof(padded), "%.*s%s", (int)digits, arg, digits == 12 ? "00" : "");
		return format_parse_time(padded, sec, nsec, &end) == 0 && words_rest(arg + digits + 1, path, PATH_CAP);
	}
	static const char tail[] = " 20200102030405 20200102030405 20200102030405 UTC";
	enum { TAIL = sizeof(tail) - 1, MTIME = 16 };
	if (len <= TAIL || len - TAIL >= PATH_CAP)
		return false;
	const char *at = arg + len - TAIL;
	for (size_t i = 0; i < TAIL; i++)
		if (tail[i] >= '0' && tail[i] <= '9' ? at[i] < '0' || at[i] > '9' : at[i] != tail[i])
			return false;
	char name[PATH_CAP];
	memcpy(name, arg, len - TAIL);
	name[len - TAIL] = '\0';
	return format_parse_time(at + MTIME, sec, nsec, &end) == 0 && words_rest(name, path, PATH_CAP);
}

static void site_utime(struct session *s, const struct word *w, const char *arg)
{
	struct aftp_vfs *fs = session_vfs(s);
	char path[PATH_CAP];
	int64_t sec;
	uint32_t nsec;
	if (!parse_utime(arg, path, &sec, &nsec)) {
		syntax_error(s, w);
		return;
	}
	if (!session_path_for(s, path, w->may))
		return;
	session_hold(s);
	session_started(s, fs->ops->set_mtime(fs, &s->req, s->path, sec, nsec, on_done, s));
}

static void site_symlink(struct session *s, const struct word *w, const char *arg)
{
	struct aftp_vfs *fs = session_vfs(s);
	char target[PATH_CAP], path[PATH_CAP];
	if (!words_next(&arg, target, sizeof(target)) || !words_rest(arg, path, sizeof(path))) {
		syntax_error(s, w);
		return;
	}
	if (!session_path_for(s, path, w->may))
		return;
	session_hold(s);
	session_started(s, fs->ops->symlink(fs, &s->req, target, s->path, on_done, s));
}

static void on_cpfr(void *arg, int status)
{
	struct session *s = arg;
	bool dir = status == 0 && s->req.st.type == AFTP_TYPE_DIR;
	if (!session_came_back(s, dir ? -EISDIR : status))
		return;
	s->copy_from = strdup(s->path);
	if (s->copy_from)
		session_end(s, 350, "Ready for SITE CPTO.");
	else
		session_end_errno(s, AFTP_ENOMEM);
}

static void site_cpfr(struct session *s, const struct word *w, const char *arg)
{
	if (!session_vfs(s)->ops->copy)
		session_end_errno(s, AFTP_ENOTSUP);
	else if (session_path_for(s, arg, w->may))
		session_stat(s, AFTP_VFS_FOLLOW | AFTP_VFS_READ, on_cpfr);
}

static void on_copied(void *arg, int status)
{
	struct session *s = arg;
	if (session_came_back(s, status))
		session_end(s, 250, "Copy successful.");
}

static void site_cpto(struct session *s, const struct word *w, const char *arg)
{
	struct aftp_vfs *fs = session_vfs(s);
	char *from = s->copy_from;
	s->copy_from = NULL;
	if (!from) {
		session_end(s, 503, "SITE CPFR required first.");
	} else if (session_path_for(s, arg, w->may)) {
		session_hold(s);
		session_started(s, fs->ops->copy(fs, &s->req, from, s->path, on_copied, s));
	}
	free(from);
}

static void site_help(struct session *s, const struct word *w, const char *arg);

static const struct word words[] = {
	{ "CHMOD", AFTP_MAY_WRITE, site_chmod, "<sp> mode <sp> path" },
	{ "CPFR", AFTP_MAY_READ, site_cpfr, "<sp> path" },
	{ "CPTO", AFTP_MAY_WRITE, site_cpto, "<sp> path" },
	{ "HELP", 0, site_help, "" },
	{ "SYMLINK", AFTP_MAY_WRITE, site_symlink, "<sp> target <sp> path" },
	{ "UTIME", AFTP_MAY_WRITE, site_utime,
		"<sp> YYYYMMDDhhmm[ss] <sp> path | <sp> path <sp> atime <sp> mtime <sp> ctime <sp> UTC" },
};
enum { WORDS = sizeof(words) / sizeof(words[0]) };

static bool hidden(const struct session *s, const struct word *w)
{
	char name[32];
	snprintf(name, sizeof(name), "SITE %s", w->name);
	return server_hides(s->srv, name);
}

static void site_help(struct session *s, const struct word *w, const char *arg)
{
	(void)w;
	(void)arg;
	session_line(s, 214, "The following SITE commands are recognized.");
	for (size_t i = 0; i < WORDS; i++)
		if (!hidden(s, &words[i]))
			session_reply(s, 0, "%s%s%s", words[i].name, words[i].syntax[0] ? " " : "", words[i].syntax);
	session_end(s, 214, "Help OK.");
}

static const struct word *find_word(const char *text, size_t len)
{
	for (size_t i = 0; i < WORDS; i++)
		if (strlen(words[i].name) == len && strncasecmp(words[i].name, text, len) == 0)
			return &words[i];
	return NULL;
}

bool command_known(const char *name)
{
	if (strncasecmp(name, "SITE ", 5) == 0)
		return find_word(name + 5, strlen(name + 5)) != NULL;
	return command_find(name) != NULL;
}

void cmd_site(struct session *s, const char *arg)
{
	size_t len = strcspn(arg, " ");
	const struct word *w = find_word(arg, len);
	if (!w || w->run != site_cpto) {
		free(s->copy_from);
		s->copy_from = NULL;
	}
	arg += len + (arg[len] == ' ');
	if (!w || hidden(s, w))
		session_end(s, 504, "Unknown SITE command.");
	else if (!session_may(s, w->may))
		session_end_errno(s, -EACCES);
	else if (w->syntax[0] && !arg[0])
		syntax_error(s, w);
	else
		w->run(s, w, arg);
}
