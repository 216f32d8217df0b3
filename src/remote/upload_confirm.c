/* upload_confirm - the server has said that it has all: does it, by its own account of the size? */
#include <aftp/status.h>
#include <string.h>

#include "remote/upload.h"

#define MAX_FAILS 3

uint64_t upload_expected(const struct upload *u)
{
	const struct writer *w = u->writer;

	return upload_is_stream(u) ? w->size : u->pausing ? u->at : spool_size(w->spool);
}

/* --- verdicts ------------------------------------------------------------------------------------- */

/* Others may have appended behind us, and all of ours is there. */
static bool others_appended(const struct upload *u)
{
	const struct writer *w = u->writer;

	return upload_is_stream(u) && w->append && w->by_append && !u->resumed && u->size > w->size;
}

static void confirmed(struct upload *u)
{
	struct writer *w = u->writer;
	struct attr known = u->known;

	if (u->has_size && others_appended(u))
		w->size = u->size;
	upload_end(u);
	writer_confirmed(w, known.have & AFTP_HAVE_MTIME ? &known : NULL);
}

static void verified(struct upload *u)
{
	if (u->has_size && u->size != upload_expected(u) && !others_appended(u)) {
		aftp_log(&u->site->log, AFTP_LOG_ERROR, "%s: the server has %llu bytes of %llu", u->path,
			(unsigned long long)u->size, (unsigned long long)upload_expected(u));
		u->sent_all = false;
		upload_broken(u, AFTP_EIO);
		return;
	}
	if (!u->pausing) {
		confirmed(u);
		return;
	}
	u->pausing = u->sent_all = false;
	u->ours = u->exact = true;
	u->floor = u->at;
	upload_again(u);
}

/* What a refusal means to a program. */
static int refusal(int status, int code)
{
	switch (status) {
	case AFTP_EREPLY: return code >= 500 ? AFTP_EACCES : AFTP_EIO;
	case AFTP_ENOTSUP: return -EPERM;
	case AFTP_ELOGIN: return AFTP_EACCES;
	default: return status;
	}
}

void upload_cannot_append(struct upload *u)
{
	if (upload_is_stream(u) && u->writer->append && u->best <= u->start)
		writer_cannot_append(upload_end(u));
	else
		upload_begin_anew(u);
}

static void refused(struct upload *u)
{
	if (!u->appending || u->status != AFTP_ENOTSUP) {
		upload_fail(u, refusal(u->status, u->code));
		return;
	}
	u->site->can.no_append = true;
	upload_cannot_append(u);
}

/* --- questions ------------------------------------------------------------------------------------ */

static void on_answer(struct upload *u, int status)
{
	u->replies--;
	if (status == AFTP_EBUSY)
		u->overtaken = true;
	else if (status < 0)
		u->lost = status;
}

static void on_size(void *arg, int status, const struct aftp_reply *r)
{
	struct upload *u = arg;

	on_answer(u, status);
	u->overtaken &= status < 0;
	if (status == 0)
		u->has_size = aftp_reply_size(r, &u->size) == 0;
	upload_conclude(u);
}

static void on_mdtm(void *arg, int status, const struct aftp_reply *r)
{
	struct upload *u = arg;

	on_answer(u, status);
	if (status == 0 && aftp_reply_mdtm(r, &u->known.mtime, &u->known.mtime_nsec) == 0)
		u->known.have |= AFTP_HAVE_MTIME;
	upload_conclude(u);
}

static void on_mlst(void *arg, int status, const struct aftp_reply *r)
{
	struct upload *u = arg;
	struct aftp_entry e;
	const char *line;
	size_t len;

	on_answer(u, status);
	u->overtaken &= status < 0;
	for (size_t i = 0; status == 0 && r->code == 250 && (line = aftp_reply_line(r, i, &len)) != NULL; i++) {
		for (; len > 0 && *line == ' '; len--)
			line++;
		if (!memchr(line, '=', len) || aftp_entry_parse_mlsx(&e, line, len) != AFTP_LINE_ENTRY)
			continue;
		attr_from_entry(&u->known, &e);
		u->has_size = u->known.have & AFTP_HAVE_SIZE;
		u->size = u->known.size;
		break;
	}
	upload_conclude(u);
}

static bool has_mlst(const struct upload *u)
{
	const struct aftp_features *f = pool_features(u->site->pool);

	return f && f->mlst && !f->no_mlst;
}

static void forget_answers(struct upload *u)
{
	u->lost = 0;
	u->has_size = u->overtaken = u->followed = u->asked_mdtm = false;
	u->known = (struct attr){ 0 };
}

static bool follow(struct upload *u, const char *verb, aftp_reply_cb *cb)
{
	bool sent = aftp_transfer_follow(u->transfer, cb, u, verb) == 0;

	u->replies += sent;
	return sent;
}

/* One question only, unless the server is known to take things in order: one that looks at its control connection while
 * data comes may take two lines for one. Another answers the first of those, too early, and the second in its turn. */
void upload_follow(struct upload *u)
{
	const struct aftp_features *f = pool_features(u->site->pool);
	bool mlst = has_mlst(u);
	const char *verb = mlst ? "MLST" : "SIZE";
	aftp_reply_cb *cb = mlst ? on_mlst : on_size;

	forget_answers(u);
	if (u->site->can.overtakes)
		return;
	u->followed = follow(u, verb, cb);
	if (!u->followed)
		return;
	u->asked = mlst ? ASKED_MLST : ASKED_SIZE;
	if (f && f->answers_one)
		(void)follow(u, verb, cb);
	if (!mlst && (u->site->can.in_order || (f && f->in_order)))
		u->asked_mdtm = follow(u, "MDTM", on_mdtm);
}

/* What answers nothing is not asked again. */
static bool ask_next(struct upload *u)
{
	int rc = 0;

	if (u->asked == ASKED_NOTHING && has_mlst(u)) {
		u->asked = ASKED_MLST;
		rc = upload_ask(u, "MLST", on_mlst);
	} else if (u->asked != ASKED_SIZE && !u->has_size) {
		u->asked = ASKED_SIZE;
		u->asked_mdtm = true;
		rc = upload_ask(u, "SIZE", on_size);
		if (rc == 0)
			(void)upload_ask(u, "MDTM", on_mdtm);
	} else if (u->asked == ASKED_SIZE && !u->asked_mdtm) {
		u->asked_mdtm = true;
		rc = upload_ask(u, "MDTM", on_mdtm);
	} else {
		return false;
	}
	if (rc < 0)
		u->lost = rc;
	return true;
}

/* Once may be chance, or a data connection that was dead. */
static void followed_in_vain(const struct upload *u)
{
	if (++u->site->can.follow_fails >= MAX_FAILS)
		u->site->can.overtakes = true;
}

static void confirm(struct upload *u)
{
	u->sent_all = true;
	if (u->overtaken) {
		followed_in_vain(u);
		forget_answers(u);
		u->asked = ASKED_NOTHING;
	} else if (u->followed) {
		u->site->can.in_order = true;
		u->site->can.follow_fails = 0;
	}
	if (u->lost == 0 && ask_next(u) && (u->replies > 0 || u->lost == 0))
		return;
	if (u->lost < 0) {
		u->over = false;
		upload_broken(u, u->lost);
		return;
	}
	u->over = false;
	verified(u);
}

/* RFC 959 section 4.2: the same may succeed another time. Pure-FTPd says 451 when a data connection breaks. */
static bool is_passing(const struct upload *u)
{
	bool unclear = u->status == AFTP_EREPLY || u->status == AFTP_EIO;

	return upload_may_resume(u->status) || (unclear && u->code / 100 == 4);
}

void upload_conclude(struct upload *u)
{
	if (!u->over || u->replies > 0)
		return;
	if (!u->writer) {
		upload_fail(u, AFTP_ECANCELED);
	} else if (u->status == 0 && u->blind) {
		upload_fail(u, AFTP_ECHANGED); /* it is at the end of something, and that is not what it was */
	} else if (u->status == 0) {
		confirm(u);
	} else if (is_passing(u)) {
		/* Perhaps for having been asked. */
		if (u->followed)
			followed_in_vain(u);
		u->over = false;
		u->unsettled = u->code == 0;
		u->looks = 0;
		upload_broken(u, u->status == AFTP_EREPLY ? AFTP_EIO : u->status);
	} else {
		u->over = false;
		refused(u);
	}
}
