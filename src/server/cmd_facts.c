/* cmd_facts - what is known about files: SIZE MDTM MFMT MFF MLST AVBL. */
#include <aftp/status.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/commands.h"
#include "server/format.h"
#include "server/play.h"

static void on_size(void *arg, int status)
{
	struct session *s = arg;
	if (status == 0 && s->req.st.type != AFTP_TYPE_FILE) {
		if (session_back(s))
			session_end(s, 550, "Not a regular file.");
	} else if (session_came_back(s, status)) {
		session_end(s, 213, "%" PRIu64, s->req.st.size);
	}
}

void cmd_size(struct session *s, const char *arg)
{
	if (s->type != 'I' && s->srv->play->ascii_no_size)
		session_end(s, 550, "SIZE not allowed in ASCII mode.");
	else if (session_path(s, arg))
		session_stat(s, AFTP_VFS_FOLLOW | AFTP_VFS_READ, on_size);
}

static void on_mdtm(void *arg, int status)
{
	struct session *s = arg;
	char when[32];
	if (status == 0 && s->req.st.type != AFTP_TYPE_FILE && s->srv->play->mdtm_files)
		status = -EISDIR;
	if (!session_came_back(s, status))
		return;
	format_time(when, s->req.st.mtime, s->req.st.mtime_nsec, s->srv->fractions);
	session_end(s, 213, "%s", when);
}

/* "YYYYMMDDHHMMSS path". False when it is something else. */
static bool set_time(struct session *s, const char *arg, aftp_vfs_cb *cb)
{
	struct aftp_vfs *fs = session_vfs(s);
	int64_t sec;
	uint32_t nsec;
	const char *end;
	if (format_parse_time(arg, &sec, &nsec, &end) < 0 || end[0] != ' ' || end[1] == '\0')
		return false;
	if (session_path(s, end + 1)) {
		session_hold(s);
		session_started(s, fs->ops->set_mtime(fs, &s->req, s->path, sec, nsec, cb, s));
	}
	return true;
}

static void on_mdtm_set(void *arg, int status)
{
	struct session *s = arg;
	if (session_came_back(s, status))
		session_end(s, 213, "File modification time set.");
}

void cmd_mdtm(struct session *s, const char *arg)
{
	if (s->srv->play->mdtm_sets && set_time(s, arg, on_mdtm_set))
		return;
	if (session_path(s, arg))
		session_stat(s, AFTP_VFS_FOLLOW | AFTP_VFS_READ, on_mdtm);
}

static void on_mfmt_stat(void *arg, int status)
{
	struct session *s = arg;
	char when[32];
	if (!session_came_back(s, status))
		return;
	format_time(when, s->req.st.mtime, s->req.st.mtime_nsec, true);
	session_end(s, 213, "Modify=%s; %s", when, s->path);
}

static void on_mfmt(void *arg, int status)
{
	struct session *s = arg;
	if (session_came_back(s, status))
		session_stat(s, AFTP_VFS_FOLLOW | AFTP_VFS_WRITE, on_mfmt_stat);
}

void cmd_mfmt(struct session *s, const char *arg)
{
	if (!set_time(s, arg, on_mfmt))
		session_end(s, 501, "Syntax: MFMT <sp> YYYYMMDDHHMMSS <sp> path");
}

static void on_mlst(void *arg, int status)
{
	struct session *s = arg;
	char line[FORMAT_LINE];
	if (!session_came_back(s, status))
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
		session_stat(s, AFTP_VFS_READ, on_mlst);
}

/* --- MFF: several at once (draft-somers-ftp-mfxx) ---------------------------------------------------- */

struct wanted {
	bool time, mode;
	int64_t sec;
	uint32_t nsec, bits;
};

static bool parse_fact(struct wanted *w, const char *fact, size_t len)
{
	static const char modify[] = "modify=", mode[] = "unix.mode=";
	const char *end;
	if (strncasecmp(fact, modify, sizeof(modify) - 1) == 0) {
		w->time = true;
		return format_parse_time(fact + sizeof(modify) - 1, &w->sec, &w->nsec, &end) == 0 && end == fact + len;
	}
	if (strncasecmp(fact, mode, sizeof(mode) - 1) == 0) {
		w->mode = true;
		return format_parse_mode(fact + sizeof(mode) - 1, &w->bits, &end) == 0 && end == fact + len;
	}
	return false;
}

/* "fact=value;fact=value; path". The path, or NULL. */
static const char *parse_facts(const char *arg, struct wanted *w)
{
	*w = (struct wanted){ .time = false };
	while (*arg != ' ') {
		size_t len = strcspn(arg, "; ");
		if (arg[len] != ';' || !parse_fact(w, arg, len))
			return NULL;
		arg += len + 1;
	}
	return (w->time || w->mode) && arg[1] ? arg + 1 : NULL;
}

static void say_facts(void *arg, int status)
{
	struct session *s = arg;
	char when[32];
	if (!session_came_back(s, status))
		return;
	format_time(when, s->req.st.mtime, s->req.st.mtime_nsec, true);
	session_end(s, 213, "Modify=%s;UNIX.mode=0%03" PRIo32 "; %s", when, s->req.st.mode, s->path);
}

static void on_mff_mode(void *arg, int status)
{
	struct session *s = arg;
	if (session_came_back(s, status))
		session_stat(s, AFTP_VFS_FOLLOW | AFTP_VFS_WRITE, say_facts);
}

static void mff_mode(struct session *s, uint32_t bits)
{
	struct aftp_vfs *fs = session_vfs(s);
	session_hold(s);
	session_started(s, fs->ops->chmod(fs, &s->req, s->path, bits, on_mff_mode, s));
}

static void on_mff_time(void *arg, int status)
{
	struct session *s = arg;
	if (!session_came_back(s, status))
		return;
	if (s->wanted_mode >= 0)
		mff_mode(s, (uint32_t)s->wanted_mode);
	else
		session_stat(s, AFTP_VFS_FOLLOW | AFTP_VFS_WRITE, say_facts);
}

void cmd_mff(struct session *s, const char *arg)
{
	struct aftp_vfs *fs = session_vfs(s);
	struct wanted w;
	const char *path = parse_facts(arg, &w);
	if (!path) {
		session_end(s, 504, "Only modify=YYYYMMDDHHMMSS; and UNIX.mode=0755; can be changed.");
		return;
	}
	if (!session_path(s, path))
		return;
	s->wanted_mode = w.mode ? (int32_t)w.bits : -1;
	if (!w.time) {
		mff_mode(s, w.bits);
		return;
	}
	session_hold(s);
	session_started(s, fs->ops->set_mtime(fs, &s->req, s->path, w.sec, w.nsec, on_mff_time, s));
}

/* --- room (draft-peterson-streamlined-ftp-command-extensions) ----------------------------------------- */

static void on_space(void *arg, int status)
{
	struct session *s = arg;
	if (session_came_back(s, status))
		session_end(s, 213, "%" PRIu64, s->req.space);
}

void cmd_avbl(struct session *s, const char *arg)
{
	struct aftp_vfs *fs = session_vfs(s);
	if (!fs->ops->space) {
		session_end_errno(s, AFTP_ENOTSUP);
		return;
	}
	if (!session_path(s, arg))
		return;
	session_hold(s);
	session_started(s, fs->ops->space(fs, &s->req, s->path, on_space, s));
}
