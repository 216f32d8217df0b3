/* cmd_list - listings on the data connection: LIST NLST MLSD; and how differently servers take their argument. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/commands.h"
#include "server/glob.h"
#include "server/play.h"
#include "server/transfer.h"

/* Options as ls(1) takes them: words of letters that begin with '-'; "--" ends them. What follows is the path,
 * blanks and all. */
static const char *skip_options(const char *arg, bool *all, bool *itself)
{
	while (arg[0] == '-') {
		size_t n = 1 + strspn(arg + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1");
		bool end = strncmp(arg, "--", 2) == 0 && (arg[2] == ' ' || arg[2] == '\0');
		if (!end && (n == 1 || (arg[n] != ' ' && arg[n] != '\0')))
			break;
		*all = *all || memchr(arg, 'a', n);
		*itself = *itself || memchr(arg, 'd', n);
		arg += end ? 2 : n;
		arg += arg[0] == ' ';
		if (end)
			break;
	}
	return arg;
}

static bool bare_option(const char *arg)
{
	static const char *const words[] = { "-a", "-l", "-al", "-la" };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(arg, words[i]) == 0)
			return true;
	return false;
}

/* The path in `arg`, and what the options before it say. */
static const char *path_of(struct session *s, const char *arg, struct lister_wish *wish)
{
	const struct play *play = s->srv->play;
	bool all = false;
	if (play->list == PLAY_BARE_OPTION)
		return bare_option(arg) ? "" : arg;
	if (play->list == PLAY_LITERAL)
		return arg;
	const char *path = skip_options(arg, &all, &wish->itself);
	if (wish->format == LISTER_LIST)
		wish->dots = all && !play->no_dots && s->srv->faults.set.listing < AFTP_STYLE_DOS;
	if (play->list == PLAY_ENTRIES)
		wish->itself = false;
	return path;
}

/* Cuts the last component off, which is what patterns are made of here. */
static const char *split(char *path)
{
	char *slash = strrchr(path, '/');
	if (!slash)
		return path;
	*slash = '\0';
	return slash + 1;
}

/* Every entry that fits the end of `path`. */
static void list_matches(struct session *s, const char *path, const char *plain, struct lister_wish *wish)
{
	char text[PATH_CAP], pattern[2 * PATH_CAP];
	size_t n = strlen(path);
	if (n >= sizeof(text)) {
		session_end_errno(s, -ENAMETOOLONG);
		return;
	}
	memcpy(text, path, n + 1);
	const char *last = split(text);
	if (!glob_protect(last, plain, pattern, sizeof(pattern)) ||
		!session_path(s,
			last == text      ? ""
				: text[0] ? text
					  : "/"))
		return;
	wish->pattern = pattern;
	wish->itself = wish->dots = false;
	transfer_list(s, wish);
}

static void on_first(void *arg, int status, const char *name)
{
	struct session *s = arg;
	if (s->state == SESSION_DEAD)
		return;
	char at[PATH_CAP];
	memcpy(at, s->path, sizeof(at));
	if (status < 0)
		session_end_errno(s, status);
	else if (path_resolve(at, name ? name : "*", s->path) < 0)
		session_end_errno(s, -ENAMETOOLONG);
	else
		transfer_list(s, &(struct lister_wish){ .format = LISTER_LIST, .dots = s->shell_dots });
}

/* As a shell would: words, backslashes, patterns; and only the first of what they name. */
static void list_as_shell(struct session *s, const char *path, const struct lister_wish *wish)
{
	char text[PATH_CAP];
	path += strspn(path, " ");
	size_t n = strcspn(path, " ");
	if (n >= sizeof(text)) {
		session_end_errno(s, -ENAMETOOLONG);
		return;
	}
	memcpy(text, path, n);
	text[n] = '\0';
	if (!glob_is_pattern(text, "*?[") || wish->itself) {
		glob_unescape(text);
		if (session_path(s, text))
			transfer_list(s, wish);
		return;
	}
	const char *last = split(text);
	s->shell_dots = wish->dots;
	if (!session_path(s, last == text ? "" : text[0] ? text : "/"))
		return;
	int rc = glob_first(s, s->path, last, on_first, s);
	if (rc < 0)
		session_end_errno(s, rc);
}

static void list(struct session *s, const char *arg, struct lister_wish *wish)
{
	enum play_list how = s->srv->play->list;
	const char *path = path_of(s, arg, wish);
	if (how == PLAY_SHELL && wish->format == LISTER_LIST)
		list_as_shell(s, path, wish);
	else if (how == PLAY_ENTRIES && glob_is_pattern(path, "*?"))
		list_matches(s, path, "[\\", wish);
	else if (how == PLAY_GLOB && glob_is_pattern(path, "*?["))
		list_matches(s, path, "", wish);
	else if (session_path(s, path))
		transfer_list(s, wish);
}

void cmd_list(struct session *s, const char *arg)
{
	list(s, arg, &(struct lister_wish){ .format = LISTER_LIST });
}

void cmd_nlst(struct session *s, const char *arg)
{
	char prefix[PATH_CAP + 2];
	struct lister_wish wish = { .format = LISTER_NLST };
	const struct play *play = s->srv->play;
	size_t n = strlen(arg);
	if (play->nlst_paths && n > 0 && n < PATH_CAP && arg[0] != '-' && !glob_is_pattern(arg, "*?[")) {
		memcpy(prefix, arg, n);
		memcpy(prefix + n, "/", 2);
		wish.prefix = prefix;
		wish.dots = play->list == PLAY_SHELL;
	}
	list(s, arg, &wish);
}

void cmd_mlsd(struct session *s, const char *arg)
{
	if (session_path(s, arg))
		transfer_list(s, &(struct lister_wish){ .format = LISTER_MLSD, .dots = !s->srv->play->no_dots });
}
