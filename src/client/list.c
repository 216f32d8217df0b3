/* list - a directory: MLSD, else LIST -a, else LIST; or STAT.
 *
 * MLSD takes any path as it is. What LIST does with a path is up to the server: some glob it, split it at spaces or read
 * options from it, and what comes back then is the listing of something else. So an awkward path is gone to (CWD) and
 * LIST has none. And some servers answer LIST of what does not exist with nothing and 226: a listing that shows not even
 * "." proves no directory, and CWD is asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "client/client_impl.h"
#include "client/features.h"
#include "client/xfer.h"
#include "proto/command.h"

enum { BLOCK = 64 << 10, BYTES_MAX = 1 << 30, TEXT_MAX = 1 << 20 };

enum list_step {
	LIST_STAT,
	LIST_MLSD,
	LIST_ALL, /* LIST -a */
	LIST_PLAIN,
	LIST_SETTLED, /* no further attempt */
};

struct list {
	struct aftp_transfer t; /* first */
	aftp_entry_cb *entry;
	aftp_list_cb *done;
	void *arg;
	enum list_step step;
	bool all_failed; /* LIST -a was refused, or showed nothing */
	bool there;      /* CWD has brought us to the directory */
	int cwd_status;  /* or why not */
	bool dots;       /* "." or ".." was in it */
	bool dirs;       /* another directory was: a file, LIST shows alone */
	bool mid_line;   /* the last byte was no line end */
	bool truncated;
	struct aftp_listing listing;
	char *block;
	struct buf text; /* names in UTF-8 */
	char mark[24];   /* what is to come back behind STAT's answer */
};

static struct list *list_of(struct aftp_transfer *t)
{
	return (struct list *)t;
}

/* --- one attempt ----------------------------------------------------------------------------------- */

static void on_cwd(void *arg, int status, const struct aftp_reply *r)
{
	struct list *x = arg;

	if (status < 0)
		return;
	x->there = r->code / 100 == 2;
	x->cwd_status = x->there ? 0 : r->code < 400 ? AFTP_EPROTO : aftp_reply_error(r);
	if (!x->there)
		client_set_error(x->t.c, aftp_reply_message(r));
	xfer_prepared(&x->t);
}

/* Leaves in the same segment as EPSV. */
static int before(struct aftp_transfer *t)
{
	struct list *x = list_of(t);
	int rc;

	if (x->step == LIST_MLSD || x->there || command_list_safe(t->path))
		return 0;
	rc = cwd_go(&t->c->cwd, t->path, on_cwd, x);
	return rc < 0 ? rc : 1;
}

static int check(struct aftp_transfer *t)
{
	return list_of(t)->cwd_status;
}

/* LIST, with the path unless we are there. */
static int send_list(struct list *x, const char *options)
{
	const char *path = x->there ? "" : x->t.path;
	size_t size = strlen(options) + strlen(path) + 2;
	char *argument = malloc(size);
	int rc;

	if (!argument)
		return AFTP_ENOMEM;
	snprintf(argument, size, "%s%s%s", options, options[0] && path[0] ? " " : "", path);
	rc = xfer_command(&x->t, "LIST", argument[0] ? argument : NULL);
	free(argument);
	return rc;
}

/* Names as the caller knows them; they live in x->text. */
static int translate(struct list *x, struct aftp_entry *e)
{
	struct charset *charset = x->t.c->charset;
	size_t name_len;
	int rc;

	x->text.start = x->text.end = 0;
	rc = charset_decode(charset, &x->text, e->name, e->name_len);
	name_len = buf_len(&x->text);
	if (rc == 0 && e->target)
		rc = charset_decode(charset, &x->text, e->target, e->target_len);
	if (rc < 0)
		return rc;
	e->name = buf_bytes(&x->text);
	e->name_len = name_len;
	if (e->target) {
		e->target = e->name + name_len;
		e->target_len = buf_len(&x->text) - name_len;
	}
	return 0;
}

static int on_entry(void *arg, const struct aftp_entry *e)
{
	struct list *x = arg;
	struct aftp_entry translated;
	int rc;

	if (x->t.stopping || x->t.c->state != CLIENT_READY)
		return AFTP_ECANCELED;
	x->dots |= e->dot;
	x->dirs |= !e->dot && e->type == AFTP_TYPE_DIR;
	if (!x->t.c->charset)
		return x->entry(x->arg, e);
	translated = *e;
	rc = translate(x, &translated);
	return rc < 0 ? rc : x->entry(x->arg, &translated);
}

static void new_listing(struct list *x)
{
	enum aftp_listing_kind kind = x->step == LIST_MLSD ? AFTP_LISTING_MLSD : AFTP_LISTING_LIST;

	x->mid_line = x->truncated = x->dots = x->dirs = false;
	aftp_listing_finish(&x->listing);
	aftp_listing_init(&x->listing, kind, (int64_t)time(NULL), on_entry, x);
	x->listing.parser = x->t.c->list_parser;
	x->listing.parser_arg = x->t.c->list_parser_arg;
	x->listing.parser_last = x->t.c->list_parser_last;
}

static int command(struct aftp_transfer *t)
{
	struct list *x = list_of(t);

	if (!x->block)
		x->block = malloc(BLOCK);
	if (!x->block)
		return AFTP_ENOMEM;
	new_listing(x);
	if (x->step == LIST_MLSD)
		return xfer_command(t, "MLSD", t->path[0] ? t->path : NULL);
	return send_list(x, x->step == LIST_ALL ? "-a" : "");
}

static char *lend(struct aftp_transfer *t, size_t *len)
{
	*len = BLOCK;
	return list_of(t)->block;
}

static void landed(struct aftp_transfer *t, size_t n)
{
	struct list *x = list_of(t);
	int rc = t->bytes > BYTES_MAX ? AFTP_ETOOBIG : aftp_listing_feed(&x->listing, x->block, n);

	x->mid_line = x->block[n - 1] != '\n';
	if (rc != 0)
		xfer_fail(t, rc);
}

static bool says(const struct aftp_reply *r, const char *words)
{
	return r->text && strcasestr(r->text, words);
}

static void final(struct aftp_transfer *t, const struct aftp_reply *r)
{
	struct list *x = list_of(t);

	if (!r)
		return;
	x->truncated |= says(r, "truncated");
	/* One server says this with 226, and lists nothing. */
	if (r->code < 400 && says(r, "failed to open directory") && t->status == 0)
		t->status = AFTP_EACCES;
}

/* --- the next attempt ------------------------------------------------------------------------------ */

static void attempt(struct list *x, enum list_step step)
{
	x->step = step;
	xfer_attempt(&x->t);
}

static void settle(struct list *x, int status)
{
	x->step = LIST_SETTLED;
	x->t.status = status;
	xfer_over(&x->t);
}

/* --- STAT ------------------------------------------------------------------------------------------ */

static enum list_step plain_step(const struct aftp_client *c)
{
	return c->features.no_list_all ? LIST_PLAIN : LIST_ALL;
}

static enum list_step first_step(const struct aftp_client *c)
{
	return features_may_mlsd(&c->features) ? LIST_MLSD : plain_step(c);
}

static void on_stat_line(void *arg, const char *line, size_t n)
{
	struct list *x = arg;
	int rc = 0;

	if (x->t.stopping || x->t.c->state != CLIENT_READY)
		return;
	x->t.bytes += n + 1;
	if (x->t.bytes > BYTES_MAX)
		rc = AFTP_ETOOBIG;
	if (rc == 0)
		rc = aftp_listing_feed(&x->listing, line, n);
	if (rc == 0 && !x->t.stopping)
		rc = aftp_listing_feed(&x->listing, "\n", 1);
	if (rc != 0)
		xfer_fail(&x->t, rc);
}

static void on_stat(void *arg, int status, const struct aftp_reply *r)
{
	struct list *x = arg;

	if (status < 0)
		return;
	x->t.code = r->code;
	snprintf(x->t.message, sizeof x->t.message, "%s", aftp_reply_message(r));
}

/* A name with line ends in it may have passed for replies; then all that is to come would be taken for something else. */
static void on_mark(void *arg, int status, const struct aftp_reply *r)
{
	struct list *x = arg;

	if (status < 0)
		return;
	if (r->code == 350 && strstr(r->text, x->mark))
		return;
	x->t.c->features.no_stat_lists = true;
	wire_lose(&x->t.c->wire, AFTP_ECONNRESET, "a listing that passes for replies");
}

static void on_unmark(void *arg, int status, const struct aftp_reply *r)
{
	struct list *x = arg;

	(void)r;
	if (status < 0)
		return;
	if (x->t.code / 100 != 2)
		x->t.c->features.no_stat_lists = true;
	/* LIST can tell what is not there, and what is no directory. */
	if (!x->t.stopping && !x->dots && x->listing.entries == 0) {
		attempt(x, first_step(x->t.c));
		return;
	}
	x->t.replied = true;
	xfer_over(&x->t);
}

/* vsFTPd lists over the control connection, too: in one round trip, where LIST needs three with its data connection. What
 * follows shows that its answer ended where it seemed to: a number that nobody could know, and its undoing. */
static int alone(struct aftp_transfer *t)
{
	struct list *x = list_of(t);
	struct wire *w = &t->c->wire;
	uint32_t dice = 0;
	int rc;

	if (x->step != LIST_STAT)
		return 0;
	rc = uv_random(NULL, NULL, &dice, sizeof dice, 0, NULL);
	snprintf(x->mark, sizeof x->mark, "(%u)", 1000000000u + dice % 1000000000u);
	new_listing(x);
	if (rc == 0)
		rc = wire_command(w, 0, on_stat, x, "STAT", t->path);
	if (rc == 0) {
		char number[sizeof x->mark] = "";

		wire_take_lines(w, on_stat_line);
		memcpy(number, x->mark + 1, strlen(x->mark) - 2);
		rc = wire_command(w, 0, on_mark, x, "REST", number);
	}
	if (rc == 0)
		rc = wire_command(w, 0, on_unmark, x, "REST", "0");
	return rc < 0 ? rc : 1;
}

/* --- is it a directory? ----------------------------------------------------------------------------- */

/* What was listed may not have been a directory; now this is known. */
static void on_probe(void *arg, int status, const struct aftp_reply *r)
{
	struct list *x = arg;

	if (status < 0)
		return;
	on_cwd(x, status, r);
	if (x->t.stopping)
		settle(x, x->t.status);
	else if (!x->there)
		settle(x, x->listing.entries > 0 && !x->dirs ? -ENOTDIR : x->cwd_status);
	else if (x->step == LIST_ALL && x->listing.entries == 0)
		attempt(x, LIST_PLAIN);
	else
		settle(x, 0);
}

static bool probe(struct list *x)
{
	int rc;

	x->t.phase = XFER_ASKING;
	rc = cwd_go(&x->t.c->cwd, x->t.path, on_probe, x);
	if (rc < 0)
		wire_lose(&x->t.c->wire, rc, "");
	return true;
}

static bool looks_empty(const struct list *x)
{
	return x->listing.entries == 0 && x->listing.unknown == 0;
}

/* The server has sent a listing and confirmed it. */
static bool after_success(struct list *x)
{
	struct aftp_features *f = &x->t.c->features;
	bool proven = x->there || x->dots || !x->t.path[0];
	/* Of a file, LIST shows the file. */
	bool doubtful = looks_empty(x) || (x->step != LIST_MLSD && x->listing.entries == 1);

	if (!proven && doubtful)
		return probe(x);
	if (x->step == LIST_ALL && looks_empty(x)) {
		x->all_failed = true;
		attempt(x, LIST_PLAIN);
		return true;
	}
	f->no_list_all |= x->step == LIST_PLAIN && x->all_failed && !looks_empty(x);
	return false;
}

/* "550 No files found": there is a directory, and it is empty. */
static bool means_empty(const struct list *x)
{
	const char *text = x->t.message;

	if (x->t.code / 10 != 45 && x->t.code / 10 != 55)
		return false;
	if (x->step == LIST_PLAIN && x->t.status == AFTP_ENOENT)
		return true;
	return strcasestr(text, "no files") || strcasestr(text, "empty");
}

/* The server has refused the command. */
static bool after_refusal(struct list *x)
{
	struct aftp_features *f = &x->t.c->features;

	if (x->step == LIST_MLSD && features_unknown_command(x->t.code)) {
		f->no_mlsd = true;
		attempt(x, f->no_list_all ? LIST_PLAIN : LIST_ALL);
		return true;
	}
	if (x->step == LIST_ALL) {
		x->all_failed = true;
		attempt(x, LIST_PLAIN);
		return true;
	}
	if (!means_empty(x))
		return false;
	if (!x->there && x->t.path[0])
		return probe(x);
	x->t.status = 0;
	return false;
}

static bool again(struct aftp_transfer *t)
{
	struct list *x = list_of(t);

	if (t->stopping || x->step == LIST_SETTLED)
		return false;
	if (t->status < 0 && t->accepted && xfer_leaves_rest(t)) {
		wire_lose(&t->c->wire, t->status, "a listing was cut off");
		return true;
	}
	if (t->status == 0 && t->replied)
		t->status = aftp_listing_end(&x->listing);
	if (t->status == 0 && t->unclean) {
		if (xfer_was_cut(t))
			t->status = AFTP_EINCOMPLETE;
		x->truncated = true; /* as far as anybody knows */
	}
	/* A callback may have stopped it with the very last line. */
	if (t->stopping || t->c->state != CLIENT_READY)
		return false;
	if (t->status == 0)
		return after_success(x);
	return t->replied && t->code >= 400 && !t->accepted && after_refusal(x);
}

/* --- the end --------------------------------------------------------------------------------------- */

static void done(struct aftp_transfer *t)
{
	struct list *x = list_of(t);
	struct aftp_list_result result = {
		.entries = x->listing.entries,
		.unknown = x->listing.unknown,
		.truncated = x->truncated || x->mid_line,
		.kind = x->listing.kind,
		.message = t->message,
	};

	if (x->listing.unknown > 0)
		aftp_log(&t->c->log, AFTP_LOG_WARN, "%s: %llu lines of the listing are not understood; the first: %s",
			t->path, (unsigned long long)x->listing.unknown, x->listing.first_unknown);
	x->done(x->arg, t->status, &result);
	aftp_listing_finish(&x->listing);
	free(x->block);
	buf_finish(&x->text);
	xfer_finish(t);
}

static const struct xfer_kind list_kind = {
	.ends = XFER_ENDS_LISTING,
	.alone = alone,
	.before = before,
	.check = check,
	.command = command,
	.flow = xfer_read_start,
	.final = final,
	.lend = lend,
	.landed = landed,
	.repeat = xfer_moved_nothing,
	.again = again,
	.done = done,
};

static int list_start(struct aftp_client *c, struct aftp_transfer **out, const char *path, enum list_step step,
	aftp_entry_cb *entry, aftp_list_cb *done_cb, void *arg)
{
	struct list *x;
	int rc;

	if (!out || !path || !entry || !done_cb)
		return AFTP_EINVAL;
	x = calloc(1, sizeof *x);
	if (!x)
		return AFTP_ENOMEM;
	x->entry = entry;
	x->done = done_cb;
	x->arg = arg;
	x->step = step;
	buf_init(&x->text, TEXT_MAX);
	rc = xfer_init(&x->t, c, &list_kind, path);
	if (rc == 0)
		rc = client_ask(c, &x->t.op);
	if (rc < 0) {
		xfer_finish(&x->t);
		return rc;
	}
	x->t.brief = true;
	*out = &x->t;
	return 0;
}

int aftp_client_list(struct aftp_client *c, struct aftp_transfer **out, const char *path, aftp_entry_cb *entry,
	aftp_list_cb *done_cb, void *arg)
{
	return list_start(c, out, path, first_step(c), entry, done_cb, arg);
}

int aftp_client_list_small(struct aftp_client *c, struct aftp_transfer **out, const char *path, aftp_entry_cb *entry,
	aftp_list_cb *done_cb, void *arg)
{
	const struct aftp_features *f = &c->features;
	bool stat = f->stat_lists && !f->no_stat_lists && path && path[0] == '/' && command_list_safe(path);

	return list_start(c, out, path, stat ? LIST_STAT : first_step(c), entry, done_cb, arg);
}

int aftp_client_list_plain(struct aftp_client *c, struct aftp_transfer **out, const char *path, aftp_entry_cb *entry,
	aftp_list_cb *done_cb, void *arg)
{
	return list_start(c, out, path, plain_step(c), entry, done_cb, arg);
}

int aftp_client_few_facts(struct aftp_client *c, bool few)
{
	enum features_choice choice = few ? FEATURES_NEEDED : FEATURES_USUAL;
	char facts[sizeof c->features.mlst_facts + 8];
	int rc;

	if (few == c->few_facts || !features_may_mlsd(&c->features) ||
		!features_facts(&c->features, choice, facts, sizeof facts))
		return 0;
	rc = aftp_client_command(c, NULL, NULL, "OPTS", facts);
	if (rc == 0)
		c->few_facts = few;
	return rc;
}
