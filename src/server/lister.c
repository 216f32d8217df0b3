#include "server/lister.h"

#include <aftp/status.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "server/format.h"
#include "server/play.h"
#include "server/session.h"

enum { BLOCK_CAP = 8 << 20 };

/* A line that comes before the entries. */
struct first {
	const char *name, *dot;
	struct aftp_vfs_stat st;
};

struct lister {
	struct session *s;
	struct lister_wish wish;
	char *pattern, *prefix; /* copies, or NULL */
	char *path, *target;    /* what is listed; of a link: where it leads */
	struct first first[2];
	struct aftp_vfs_dir *dir; /* or NULL: only `first` */
	bool begun, ended, reading, closing;
	struct aftp_vfs_req req;
	struct buf block;
	lister_open_cb *opened;
	lister_cb *cb;
	void *arg;
	struct sender *sender;
};

static void lister_free(struct lister *l)
{
	struct session *s = l->s;
	if (l->dir)
		l->dir->fs->ops->closedir(l->dir);
	free(l->path);
	free(l->target);
	free(l->pattern);
	free(l->prefix);
	buf_finish(&l->block);
	free(l);
	session_release(s);
}

/* --- lines ----------------------------------------------------------------------------------------- */

/* What may be done with an entry, as far as its name tells. */
static unsigned entry_may(const struct lister *l, const struct format_entry *e)
{
	char path[PATH_CAP];
	const struct user *user = l->s->user;
	if (!user || user->set.npermissions == 0)
		return user ? user->set.may : 0;
	return path_resolve(l->path, e->dot || l->dir ? e->name : ".", path) == 0 ? users_may(user, path) : 0;
}

static size_t format_line(const struct lister *l, char *out, const struct format_entry *e)
{
	const struct aftp_server *srv = l->s->srv;
	enum aftp_listing_style style = srv->faults.set.listing;
	if (style == AFTP_STYLE_NONSENSE) {
		static const char words[] = "?? the quick brown fox; = jumps over || the lazy dog\r\n";
		memcpy(out, words, sizeof(words) - 1);
		return sizeof(words) - 1;
	}
	if (l->wish.format == LISTER_NLST)
		return format_name(out, e);
	if (l->wish.format == LISTER_MLSD)
		return format_mlsx(out, e, l->s->facts, entry_may(l, e), srv->fractions);
	return style >= AFTP_STYLE_DOS ? format_dos(out, e, style) : format_unix(out, e, time(NULL), style);
}

static int add_line(struct lister *l, const struct format_entry *e)
{
	char line[FORMAT_LINE];
	unsigned max = l->s->srv->play->list_max;
	if (max > 0 && l->s->listed >= max)
		return 0;
	l->s->listed++;
	l->s->listing_cut = max > 0 && l->s->listed >= max;
	int rc = l->prefix ? buf_append(&l->block, l->prefix, strlen(l->prefix)) : 0;
	return rc == 0 ? buf_append(&l->block, line, format_line(l, line, e)) : rc;
}

static int add_first(struct lister *l)
{
	static const char total[] = "total 4\r\n";
	bool with_total =
		l->wish.format == LISTER_LIST && l->dir && l->s->srv->faults.set.listing == AFTP_STYLE_UNIX_TOTAL;
	int rc = with_total ? buf_append(&l->block, total, sizeof(total) - 1) : 0;
	for (size_t i = 0; i < 2 && rc == 0; i++) {
		const struct first *f = &l->first[i];
		if (f->name)
			rc = add_line(l,
				&(struct format_entry){
					.name = f->name, .dot = f->dot, .target = l->target, .st = &f->st });
	}
	return rc;
}

static void lister_answer(struct lister *l, int status)
{
	char *data = l->block.data;
	size_t n = buf_len(&l->block);
	if (session_faulty(l->s, AFTP_ACT_SHORT, l->s->srv->faults.set.short_data)) {
		n /= 2;
		l->ended = true;
	}
	if (status < 0 || n == 0) {
		l->cb(l->arg, status, NULL, 0);
		return;
	}
	buf_init(&l->block, BLOCK_CAP); /* the bytes are given away */
	l->cb(l->arg, 0, data, n);
}

static void on_entries(void *arg, int status)
{
	struct lister *l = arg;
	l->reading = false;
	if (l->closing) {
		lister_free(l);
		return;
	}
	int rc = status;
	if (!l->begun && rc == 0)
		rc = add_first(l);
	l->begun = true;
	l->ended = !l->dir || l->req.count == 0;
	for (size_t i = 0; i < l->req.count && rc == 0; i++) {
		const struct aftp_vfs_dirent *e = &l->req.entries[i];
		if (l->pattern && fnmatch(l->pattern, e->name, FNM_PERIOD) != 0)
			continue;
		l->s->listed_nothing = false;
		rc = add_line(l, &(struct format_entry){ .name = e->name, .target = e->target, .st = &e->st });
	}
	if (rc == 0 && !l->ended && buf_len(&l->block) == 0) { /* none of these was wanted */
		rc = lister_next(l, l->cb, l->arg);
		if (rc == 0)
			return;
	}
	lister_answer(l, rc);
}

int lister_next(struct lister *l, lister_cb *cb, void *arg)
{
	l->cb = cb;
	l->arg = arg;
	if (l->ended || !l->dir) {
		l->req.count = 0;
		on_entries(l, 0);
		return 0;
	}
	int rc = l->dir->fs->ops->readdir(l->dir, &l->req, on_entries, l);
	l->reading = rc == 0;
	return rc;
}

void lister_close(struct lister *l)
{
	l->closing = true;
	if (!l->reading)
		lister_free(l);
}

/* --- opening: what is there, what a link leads to, the parent, the entries -------------------------- */

static void open_done(struct lister *l, int status)
{
	lister_open_cb *opened = l->opened;
	void *arg = l->arg;
	if (status < 0) {
		lister_free(l);
		l = NULL;
	}
	opened(arg, status, l);
}

static void open_step(struct lister *l, int rc)
{
	if (rc < 0)
		open_done(l, rc);
}

static void on_directory(void *arg, int status)
{
	struct lister *l = arg;
	if (status == 0)
		l->dir = l->req.dir;
	l->s->listed_nothing = l->pattern != NULL;
	open_done(l, status);
}

static void open_directory(struct lister *l)
{
	struct aftp_vfs *fs = session_vfs(l->s);
	open_step(l, fs->ops->opendir(fs, &l->req, l->path, on_directory, l));
}

static void on_parent(void *arg, int status)
{
	struct lister *l = arg;
	if (status == 0)
		l->first[1] = (struct first){ "..", "pdir", l->req.st };
	else if (status != -EACCES) {
		open_done(l, status);
		return;
	}
	open_directory(l);
}

/* A link to it is listed as the directory. */
static void list_directory(struct lister *l)
{
	struct aftp_vfs *fs = session_vfs(l->s);
	char parent[PATH_CAP];
	free(l->target);
	l->target = NULL;
	if (!l->wish.dots) {
		open_directory(l);
		return;
	}
	l->first[0] = (struct first){ ".", "cdir", l->req.st };
	int rc = path_resolve(l->path, "..", parent);
	open_step(l, rc < 0 ? rc : fs->ops->stat(fs, &l->req, parent, AFTP_VFS_FOLLOW, on_parent, l));
}

/* A listing without anything. */
static void list_none(struct lister *l)
{
	l->first[0].name = l->first[1].name = NULL;
	open_done(l, 0);
}

static void list_one(struct lister *l)
{
	const struct play *play = l->s->srv->play;
	bool mlsd = l->wish.format == LISTER_MLSD, dir = l->first[0].st.type == AFTP_TYPE_DIR;
	if (!dir && (mlsd ? play->mlsd_of_file : play->list_no_file)) {
		list_none(l);
		return;
	}
	l->first[0].name = dir ? "." : path_name(l->path);
	open_done(l, mlsd ? -ENOTDIR : 0);
}

static void on_link_target(void *arg, int status)
{
	struct lister *l = arg;
	if (status == 0 && l->req.st.type == AFTP_TYPE_DIR && !l->wish.itself)
		list_directory(l);
	else
		list_one(l);
}

static void on_stat(void *arg, int status)
{
	struct lister *l = arg;
	struct aftp_vfs *fs = session_vfs(l->s);
	if (status == 0 && l->req.target && !(l->target = strdup(l->req.target)))
		status = AFTP_ENOMEM;
	if (status == -ENOENT && l->wish.format != LISTER_MLSD && l->s->srv->play->absent != PLAY_550) {
		l->s->listed_nothing = true;
		list_none(l);
		return;
	}
	if (status < 0) {
		open_done(l, status);
		return;
	}
	l->first[0].st = l->req.st;
	if (l->target)
		open_step(l, fs->ops->stat(fs, &l->req, l->path, AFTP_VFS_FOLLOW | AFTP_VFS_READ, on_link_target, l));
	else if (l->req.st.type == AFTP_TYPE_DIR && !l->wish.itself)
		list_directory(l);
	else
		list_one(l);
}

static int copy_text(char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? AFTP_ENOMEM : 0;
}

int lister_open(struct session *s, const char *path, const struct lister_wish *wish, lister_open_cb *cb, void *arg)
{
	struct aftp_vfs *fs = session_vfs(s);
	struct lister *l = calloc(1, sizeof(*l));
	if (!l)
		return AFTP_ENOMEM;
	*l = (struct lister){ .s = s, .wish = *wish, .opened = cb, .arg = arg };
	buf_init(&l->block, BLOCK_CAP);
	session_hold(s);
	s->listed = 0;
	s->listing_cut = s->listed_nothing = false;
	int rc = copy_text(&l->path, path);
	if (rc == 0)
		rc = copy_text(&l->pattern, wish->pattern);
	if (rc == 0)
		rc = copy_text(&l->prefix, wish->prefix);
	if (rc == 0)
		rc = fs->ops->stat(fs, &l->req, path, AFTP_VFS_READ, on_stat, l);
	if (rc < 0)
		lister_free(l);
	return rc;
}

/* --- as a source ----------------------------------------------------------------------------------- */

static void on_block(void *arg, int status, char *data, size_t n)
{
	struct lister *l = arg;
	if (status < 0)
		send_failed(l->sender, status);
	else if (n == 0)
		send_end(l->sender);
	else
		send_block(l->sender, data, n);
}

static void lister_pull(void *source)
{
	struct lister *l = source;
	int rc = lister_next(l, on_block, l);
	if (rc < 0)
		send_failed(l->sender, rc);
}

static void lister_release(void *source, const char *data)
{
	(void)source;
	free((char *)data);
}

static void lister_done(void *source)
{
	lister_close(source);
}

const struct source lister_source = { lister_pull, lister_release, lister_done };

void lister_start(struct lister *l, struct sender *snd)
{
	l->sender = snd;
}
