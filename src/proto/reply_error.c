/* reply_error - what a refusal means, from its code and its words.
 *
 * Servers echo the name that was asked for, and a file may well be called "no such file". So the END of a line
 * counts first, then what follows the last ": ", and then its beginning; text between quotes never counts.
 * A text that names two reasons ("not found or access denied") says nothing. */
#include <aftp/reply.h>

#include <string.h>

#include <aftp/status.h>

#include "proto/scan.h"

enum where {
	ANYWHERE, /* may follow any word: "x.txt does not exist" */
	SENTENCE, /* must begin a sentence, so that a name at the end of a text cannot look like it */
};

/* Lower case. The first that fits wins, so the longer of two that overlap comes first. */
static const struct phrase {
	const char *text;
	int status;
	enum where where;
} phrases[] = {
	/* These name several reasons, or hide them. */
	{ "file not found, no access", AFTP_EREPLY, ANYWHERE },
	{ "can't check for file existence", AFTP_EREPLY, ANYWHERE },
	{ "not retrievable", AFTP_EREPLY, ANYWHERE },
	{ "oops", AFTP_EREPLY, SENTENCE },

	{ "prohibited file name", AFTP_EACCES, ANYWHERE },
	{ "forbidden filename", AFTP_EACCES, ANYWHERE },
	{ "permission denied", AFTP_EACCES, ANYWHERE },
	{ "access denied", AFTP_EACCES, ANYWHERE },
	{ "access is denied", AFTP_EACCES, ANYWHERE },
	{ "operation not permitted", AFTP_EACCES, ANYWHERE },
	{ "not enough privileges", AFTP_EACCES, ANYWHERE },
	{ "insufficient privileges", AFTP_EACCES, ANYWHERE },
	{ "insufficient permissions", AFTP_EACCES, ANYWHERE },
	{ "insufficient permission", AFTP_EACCES, ANYWHERE },
	{ "being used by another process", AFTP_EACCES, ANYWHERE },
	{ "no access", AFTP_EACCES, ANYWHERE },
	{ "no permission", AFTP_EACCES, ANYWHERE },
	{ "not permitted", AFTP_EACCES, ANYWHERE },
	{ "not allowed", AFTP_EACCES, ANYWHERE },
	{ "not authorized", AFTP_EACCES, ANYWHERE },
	{ "forbidden", AFTP_EACCES, ANYWHERE },
	{ "denied", AFTP_EACCES, ANYWHERE },

	{ "not a directory", -ENOTDIR, ANYWHERE },
	{ "not a valid directory", -ENOTDIR, ANYWHERE },
	{ "the directory name is invalid", -ENOTDIR, SENTENCE },
	{ "is a directory", -EISDIR, ANYWHERE },
	{ "not a plain file", -EISDIR, ANYWHERE },
	{ "not a regular file", -EISDIR, ANYWHERE },
	{ "not a file", -EISDIR, ANYWHERE },
	{ "i can only retrieve regular files", -EISDIR, SENTENCE },
	{ "not empty", -ENOTEMPTY, ANYWHERE },
	{ "already exists", -EEXIST, ANYWHERE },
	{ "file exists", -EEXIST, ANYWHERE },
	{ "directory exists", -EEXIST, ANYWHERE },

	{ "no space left on device", -ENOSPC, ANYWHERE },
	{ "not enough space on the disk", -ENOSPC, ANYWHERE },
	{ "not enough disk space", -ENOSPC, ANYWHERE },
	{ "insufficient disk space", -ENOSPC, ANYWHERE },
	{ "insufficient storage space", -ENOSPC, ANYWHERE },
	{ "disk full", -ENOSPC, ANYWHERE },
	{ "disk is full", -ENOSPC, ANYWHERE },
	{ "quota exceeded", -EDQUOT, ANYWHERE },
	{ "over quota", -EDQUOT, ANYWHERE },
	{ "exceeded storage allocation", -EDQUOT, ANYWHERE },
	{ "read-only file system", -EROFS, ANYWHERE },
	{ "read-only filesystem", -EROFS, ANYWHERE },
	{ "media is write protected", -EROFS, ANYWHERE },
	{ "name too long", -ENAMETOOLONG, ANYWHERE },
	{ "name is too long", -ENAMETOOLONG, ANYWHERE },
	{ "path too long", -ENAMETOOLONG, ANYWHERE },
	{ "path is too long", -ENAMETOOLONG, ANYWHERE },

	{ "not implemented", AFTP_ENOTSUP, ANYWHERE },
	{ "not understood", AFTP_ENOTSUP, ANYWHERE },
	{ "not recognized", AFTP_ENOTSUP, ANYWHERE },
	{ "not supported", AFTP_ENOTSUP, ANYWHERE },
	{ "command unsupported", AFTP_ENOTSUP, SENTENCE },
	{ "command unrecognized", AFTP_ENOTSUP, ANYWHERE },
	{ "unknown command", AFTP_ENOTSUP, SENTENCE },
	{ "unrecognized command", AFTP_ENOTSUP, SENTENCE },
	{ "unknown site command", AFTP_ENOTSUP, SENTENCE },
	{ "unrecognized site command", AFTP_ENOTSUP, SENTENCE },

	{ "no such file or directory", AFTP_ENOENT, SENTENCE },
	{ "no such file or folder", AFTP_ENOENT, SENTENCE },
	{ "no such file", AFTP_ENOENT, SENTENCE },
	{ "no such directory", AFTP_ENOENT, SENTENCE },
	{ "no such folder", AFTP_ENOENT, SENTENCE },
	{ "the system cannot find the file specified", AFTP_ENOENT, SENTENCE },
	{ "the system cannot find the path specified", AFTP_ENOENT, SENTENCE },
	{ "file or directory not found", AFTP_ENOENT, SENTENCE },
	{ "file/directory not found", AFTP_ENOENT, SENTENCE },
	{ "file not found", AFTP_ENOENT, SENTENCE },
	{ "directory not found", AFTP_ENOENT, SENTENCE },
	{ "not found", AFTP_ENOENT, ANYWHERE },
	{ "does not exist", AFTP_ENOENT, ANYWHERE },
	{ "does not exists", AFTP_ENOENT, ANYWHERE },
	{ "doesn't exist", AFTP_ENOENT, ANYWHERE },
};

enum { NONE = 1, TEXT_MAX = 512 };

/* Lower case, what is quoted cut out (from the first quote to the last: a name may hold quotes too), the end
 * trimmed. Of a long text the last bytes stay. */
static void normalize(char out[TEXT_MAX], const char *s, size_t n)
{
	const char *first = memchr(s, '"', n), *last = memrchr(s, '"', n);
	size_t head = first ? (size_t)(first - s) : 0, at = 0;
	const char *tail = last ? last : s;
	size_t tail_len = n - (size_t)(tail - s);

	if (head > TEXT_MAX / 2)
		head = 0;
	if (tail_len > TEXT_MAX - 1 - head) {
		tail += tail_len - (TEXT_MAX - 1 - head);
		tail_len = TEXT_MAX - 1 - head;
	}
	for (size_t i = 0; i < head; i++)
		out[at++] = scan_lower(s[i]);
	for (size_t i = 0; i < tail_len; i++)
		out[at++] = scan_lower(tail[i]);
	while (at > 0 && strchr(" .!)\t\r", out[at - 1]))
		at--;
	out[at] = '\0';
}

static bool is_word(char c)
{
	return scan_is_digit(c) || (scan_lower(c) >= 'a' && scan_lower(c) <= 'z');
}

static bool begins_word(const char *text, const char *at)
{
	return at == text || strchr(" \"(:", at[-1]);
}

/* What follows one of these is the end of a path. */
static bool is_path(const char *text, const char *at)
{
	return at > text && strchr("/.-_", at[-1]);
}

static bool begins_sentence(const char *text, const char *at)
{
	if (at == text || at[-1] == '"')
		return true;
	if (at[-1] != ' ')
		return false;
	while (at > text && at[-1] == ' ')
		at--;
	return at == text || strchr(":.;,-)]>\"!", at[-1]);
}

static bool after_or(const char *text, const char *at)
{
	return at - text >= 3 && strncmp(at - 3, "or ", 3) == 0 && begins_word(text, at - 3);
}

static int at_end(const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
		size_t len = strlen(phrases[i].text);
		const char *at = text + (len > n ? 0 : n - len);

		if (strcmp(at, phrases[i].text) != 0)
			continue;
		if (is_path(text, at))
			return NONE;
		if (!begins_word(text, at))
			continue;
		if (after_or(text, at))
			return AFTP_EREPLY;
		if (phrases[i].where == ANYWHERE || begins_sentence(text, at))
			return phrases[i].status;
	}
	return NONE;
}

static int at_start(const char *text)
{
	const char *number = text[0] == '[' ? strchr(text, ']') : NULL;

	/* "[Errno 2] No such file or directory: '/x'" */
	if (number)
		text = number + 1 + strspn(number + 1, " ");
	for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
		size_t len = strlen(phrases[i].text);

		if (strncmp(text, phrases[i].text, len) != 0 || is_word(text[len]))
			continue;
		return strncmp(text + len, " or ", 4) == 0 ? AFTP_EREPLY : phrases[i].status;
	}
	return NONE;
}

static int words(const char *line, size_t len)
{
	char text[TEXT_MAX];
	const char *tail = NULL;
	int status;

	normalize(text, line, len);
	/* Its echo comes last. */
	if (strncmp(text, "prohibited file name", 20) == 0)
		return AFTP_EACCES;
	status = at_end(text);
	for (const char *s = text; (s = strstr(s, ": ")) != NULL; s += 2)
		tail = s + 2;
	if (status == NONE && tail)
		status = at_start(tail + strspn(tail, " "));
	return status == NONE ? at_start(text) : status;
}

static bool has_word(const struct aftp_reply *r, const char *const *list)
{
	for (size_t i = 0; i < r->lines; i++) {
		char text[TEXT_MAX];
		size_t len;
		const char *line = aftp_reply_line(r, i, &len);

		normalize(text, line, len);
		for (const char *const *word = list; *word; word++)
			if (strstr(text, *word))
				return true;
	}
	return false;
}

/* 421 and 530 are said for full servers, for wrong passwords, and for sessions that end. */
static int session_error(const struct aftp_reply *r)
{
	static const char *const attempts[] = { "attempt", "failure", "incorrect", "password", NULL };
	static const char *const full[] = { "too many", "maximum", "max connections", "connection limit",
		"limit reached", "no more connections", "no more users", "already connected", "already logged in",
		"simultaneous", "concurrent", "try again later", "try later", "server is full", NULL };
	static const char *const over[] = { "timeout", "timed out", "time-out", "time out", "idle", "inactiv", "shut",
		"goodbye", "kicked", "no free ports", "closing", NULL };

	if (has_word(r, attempts))
		return AFTP_ELOGIN;
	if (has_word(r, full))
		return AFTP_ETOOMANY;
	if (r->code == 530)
		return AFTP_ELOGIN;
	return has_word(r, over) ? AFTP_EREPLY : AFTP_ETOOMANY;
}

static int code_error(int code)
{
	switch (code) {
	case 452: return -ENOSPC;
	case 500:
	case 502:
	case 504: return AFTP_ENOTSUP;
	case 532: return AFTP_ELOGIN;
	case 552: return -EDQUOT;
	default: return AFTP_EREPLY;
	}
}

int aftp_reply_error(const struct aftp_reply *r)
{
	if (r->code < 400)
		return 0;
	if (r->code == 421 || r->code == 530)
		return session_error(r);
	/* The last line may be only "End". */
	for (size_t i = r->lines; i-- > 0;) {
		size_t len;
		const char *line = aftp_reply_line(r, i, &len);
		int status = words(line, len);

		/* One server says this of files, too, when it was asked to list them. */
		if (r->code == 501 && status == AFTP_ENOENT)
			return AFTP_EREPLY;
		if (status != NONE)
			return status;
	}
	return code_error(r->code);
}
