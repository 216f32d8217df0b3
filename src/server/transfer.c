#include "server/transfer.h"

#include <aftp/status.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "server/filesource.h"
#include "server/limits.h"
#include "server/lister.h"
#include "server/play.h"
#include "server/recv.h"
#include "server/send.h"
#include "server/session.h"

enum stage { PREPARING, WAITING, SECURING, MOVING, ENDING };
enum kind { RETRIEVE, STORE, LISTING };

struct transfer {
	struct session *s;
	enum kind kind;
	enum stage stage;
	struct aftp_vfs_req req;    /* while preparing, and to close the file */
	struct aftp_vfs_file *file; /* open, and nobody else's yet */
	uint64_t offset, end;       /* `end`: of a download */
	char *name;                 /* of the file, or NULL */
	bool tell_name;
	bool said_150;
	enum lister_format format;  /* of a listing */
	bool vanishes;              /* without a word */
	struct lister *lister;      /* likewise */
	struct delay_item wait;     /* for the data connection, bounded */
	struct aftp_stream *stream; /* while SECURING */
	struct sender *sender;
	struct receiver *receiver;
};

/* --- the end --------------------------------------------------------------------------------------- */

static void transfer_free(struct transfer *t)
{
	struct session *s = t->s;
	if (t->lister)
		lister_close(t->lister);
	free(t->name);
	free(t);
	session_release(s);
}

static void on_file_closed(void *arg, int status)
{
	struct transfer *t = arg;
	if (status < 0)
		aftp_log(&t->s->log, AFTP_LOG_WARN, "closing a file that was not used: %s", aftp_strerror(status));
	transfer_free(t);
}

/* The session forgets it; what it still has is closed. */
static void transfer_finish(struct transfer *t)
{
	struct aftp_vfs_file *file = t->file;
	t->s->transfer = NULL;
	t->file = NULL;
	delay_remove(t->s->srv->delay, &t->wait);
	if (!file || file->fs->ops->close(file, &t->req, on_file_closed, t) < 0)
		transfer_free(t);
}

static void transfer_refuse(struct transfer *t, int status)
{
	struct session *s = t->s;
	int code;
	const char *words = session_words(status, &code);
	if (t->format == LISTER_MLSD && s->srv->play->mlsd_refused && (status == -ENOENT || status == -ENOTDIR))
		code = s->srv->play->mlsd_refused;
	if (t->kind == RETRIEVE && status == -ESPIPE) {
		code = 554;
		words = "The restart position is past the end of the file";
	}
	transfer_finish(t);
	if (s->srv->play->refusal_closes)
		data_close(s);
	session_reply(s, code, "%s.", words);
	session_transfer_ended(s);
}

static void say_listed(struct session *s, const struct transfer *t)
{
	const struct play *play = s->srv->play;
	if (s->listed_nothing && play->absent == PLAY_450) {
		session_reply(s, 450, "No such file or directory");
	} else if (play->counts) {
		if (t->format == LISTER_LIST)
			session_line(s, 226, "Options: -l ");
		session_reply(
			s, 226, s->listing_cut ? "Output truncated to %u matches" : "%u matches total", s->listed);
	} else {
		session_reply(s, t->format == LISTER_MLSD ? play->mlsd_end : 226, "Directory send OK.");
	}
}

/* The client has closed a download before its end. */
static void say_broken(struct session *s, const struct transfer *t)
{
	enum play_broken broken = s->srv->play->broken;
	if (broken == PLAY_GONE)
		session_leave(s);
	else if (broken == PLAY_150 && t->kind == LISTING)
		say_listed(s, t);
	else if (broken == PLAY_150)
		session_reply(s, 150, "0.000 seconds (measured here), 550.72 Mbytes per second");
	else
		session_reply(s, 426, "Failure writing network stream.");
}

static void say_how_it_went(struct session *s, const struct transfer *t, int status)
{
	int code;
	const char *words = session_words(status, &code);
	const struct aftp_rule *rule = s->transfer_rule;
	if (session_faulty(s, AFTP_ACT_NO_FINAL, status == 0 && s->srv->faults.set.no_final_reply))
		return;
	if (rule && rule->act == AFTP_ACT_FINAL) {
		session_text(s, (int)rule->number, rule->text);
		return;
	}
	if (status == 0 && t->kind == LISTING)
		say_listed(s, t);
	else if (status == 0)
		session_reply(s, 226, "Transfer complete.");
	else if (status == AFTP_ETIMEDOUT)
		session_reply(s, 426, "Data connection timed out; transfer aborted.");
	else if (code == 552)
		session_reply(s, code, "%s; transfer aborted.", words);
	else if (status == AFTP_ENOMEM || status == AFTP_EIO)
		session_reply(s, 451, "%s; transfer aborted.", words);
	else if (t->kind == STORE)
		session_reply(s, 426, "Failure reading network stream.");
	else
		say_broken(s, t);
}

static void say_aborted(struct session *s, enum kind kind)
{
	session_reply(s, 426, "Transfer aborted. Data connection closed.");
	session_reply(s, kind == STORE ? s->srv->play->abor_upload : 226, "Abort successful.");
}

static void on_moved(void *arg, int status)
{
	struct transfer *t = arg;
	struct session *s = t->s;
	const struct transfer was = *t;
	transfer_finish(t);
	if (s->state == SESSION_DEAD)
		return;
	if (was.stage == ENDING && !was.vanishes)
		say_aborted(s, was.kind);
	else if (!was.vanishes)
		say_how_it_went(s, &was, status);
	session_transfer_ended(s);
}

/* --- moving ---------------------------------------------------------------------------------------- */

static const char *mode_name(const struct session *s)
{
	return s->type == 'I' ? "BINARY" : "ASCII";
}

static void say_150(struct transfer *t)
{
	struct session *s = t->s;
	int code = s->srv->play->early_150 && s->data.ready ? 125 : 150;
	if (t->said_150)
		return;
	t->said_150 = true;
	if (s->srv->play->counts)
		session_line(s, 150, "Accepted data connection");
	if (t->kind == RETRIEVE)
		session_reply(s, code, "Opening %s mode data connection for %s (%" PRIu64 " bytes).", mode_name(s),
			t->name, t->req.st.size);
	else if (t->tell_name)
		session_reply(s, code, "FILE: %s", t->name);
	else if (t->kind == STORE)
		session_reply(s, code, "Ok to send data.");
	else
		session_reply(s, code, "Here comes the directory listing.");
}

static int limit_rate(struct session *s, struct aftp_stream *stream)
{
	struct aftp_stream_throttle st;
	uint64_t rate = s->srv->faults.set.rate;
	int rc = rate ? aftp_stream_throttle_from_limits(&st, s->srv->loop, rate, rate) : 0;
	if (rate == 0 || rc < 0)
		return rc;
	rc = aftp_stream_add_throttle(stream, "rate", &st);
	aftp_stream_throttle_unref(&st);
	return rc;
}

static int move_out(struct transfer *t, struct aftp_stream *stream)
{
	struct filesource *f;
	uint64_t size = t->req.st.size < t->end ? t->req.st.size : t->end;
	uint64_t limit = t->end == UINT64_MAX ? UINT64_MAX : t->end - t->offset;
	int rc = filesource_new(&f, t->s, t->file);
	if (rc < 0)
		return rc;
	t->file = NULL;
	if (session_faulty(t->s, AFTP_ACT_SHORT, t->s->srv->faults.set.short_data))
		limit = size > t->offset ? (size - t->offset) / 2 : 0;
	rc = send_new(&t->sender, t->s, stream, &filesource_ops, f, limit, on_moved, t);
	if (rc < 0)
		filesource_ops.close(f);
	else
		filesource_start(f, t->sender);
	return rc;
}

static int move_listing(struct transfer *t, struct aftp_stream *stream)
{
	int rc = send_new(&t->sender, t->s, stream, &lister_source, t->lister, UINT64_MAX, on_moved, t);
	if (rc < 0)
		return rc;
	lister_start(t->lister, t->sender);
	t->lister = NULL;
	return 0;
}

static int move_in(struct transfer *t, struct aftp_stream *stream)
{
	int rc = recv_new(&t->receiver, t->s, stream, t->file, on_moved, t);
	if (rc == 0)
		t->file = NULL;
	return rc;
}

static void release_session(void *arg)
{
	session_release(arg);
}

static void no_connection(struct transfer *t)
{
	struct session *s = t->s;
	transfer_finish(t);
	data_close(s);
	session_reply(s, 425, "Failed to establish connection.");
	session_transfer_ended(s);
}

static void drop_stream(struct session *s, struct aftp_stream *stream)
{
	session_hold(s);
	aftp_stream_close(&stream, true, release_session, s);
}

static void move(struct transfer *t, struct aftp_stream *stream)
{
	struct session *s = t->s;
	t->stage = MOVING;
	int rc = limit_rate(s, stream);
	if (rc == 0)
		rc = limits_put_on(s, stream);
	if (rc == 0)
		rc = t->kind == RETRIEVE   ? move_out(t, stream)
			: t->kind == STORE ? move_in(t, stream)
					   : move_listing(t, stream);
	if (rc < 0) {
		drop_stream(s, stream);
		transfer_refuse(t, rc);
		return;
	}
	say_150(t);
	if (t->sender)
		send_start(t->sender);
}

static void say_insecure(struct transfer *t, const char *why)
{
	struct session *s = t->s;
	transfer_finish(t);
	session_reply(s, 522, "The data connection is not secure: %s.", why);
	session_transfer_ended(s);
}

/* Only while the session lives and the transfer is the same: else the stream was closed before. */
static void on_secured(void *arg, int status)
{
	struct session *s = arg;
	struct transfer *t = s->transfer;
	struct aftp_stream *stream = status == AFTP_ECANCELED ? NULL : t->stream;
	if (stream)
		t->stream = NULL;
	if (stream && status == 0 && s->srv->tls_reuse && !aftp_stream_tls_resumed(stream)) {
		drop_stream(s, stream);
		say_insecure(t, "it must resume a session of the control connection");
	} else if (stream && status < 0) {
		aftp_log(&s->log, AFTP_LOG_INFO, "no TLS for data: %s", aftp_stream_tls_error(stream));
		drop_stream(s, stream);
		say_insecure(t, aftp_strerror(status));
	} else if (stream) {
		move(t, stream);
	}
	session_release(s);
}

void transfer_secured(struct session *s, int status)
{
	on_secured(s, status);
}

/* Clients begin the handshake when they see the 150, or before; some have begun it when the connection stood. */
static void secure(struct transfer *t, struct aftp_stream *stream)
{
	struct session *s = t->s;
	t->stage = SECURING;
	t->stream = stream;
	say_150(t);
	if (s->data.tls == DATA_TLS_RUNNING)
		return;
	if (s->data.tls == DATA_TLS_DONE) {
		session_hold(s);
		on_secured(s, s->data.tls_status);
		return;
	}
	aftp_stream_set_timeouts(stream, s->srv->data_ms, -1, -1, -1);
	session_hold(s);
	int rc = aftp_stream_accept_tls(stream, s->srv->tls, s->tls_sessions, on_secured, s);
	/* Who only sends may never read them, and a close with something unread is a reset that takes data along. */
	if (rc == 0 && t->kind == STORE)
		SSL_set_num_tickets(aftp_stream_ssl(stream), 0);
	if (rc < 0)
		on_secured(s, rc);
}

static void on_data_ready(struct session *s, int status)
{
	struct transfer *t = s->transfer;
	struct aftp_stream *stream = data_take(s);
	if (status < 0) {
		no_connection(t);
		return;
	}
	delay_remove(s->srv->delay, &t->wait);
	if (s->private || s->data.tls != DATA_TLS_NONE)
		secure(t, stream);
	else
		move(t, stream);
}

static void wait_run(struct delay_item *item)
{
	no_connection((struct transfer *)(void *)((char *)item - offsetof(struct transfer, wait)));
}

static void transfer_wait(struct transfer *t)
{
	struct session *s = t->s;
	t->stage = WAITING;
	t->wait.run = wait_run;
	if (s->srv->data_ms > 0)
		delay_add(s->srv->delay, &t->wait, (uint64_t)s->srv->data_ms);
	if (s->srv->play->early_150)
		say_150(t);
	data_wait(s, on_data_ready);
	session_run(s); /* an ABOR may be next in line */
}

/* --- preparing ------------------------------------------------------------------------------------- */

static struct transfer *transfer_new(struct session *s, enum kind kind, const char *name)
{
	if (!data_pending(s)) {
		session_end(s, 425, "Use EPSV, PASV, EPRT or PORT first.");
		return NULL;
	}
	if (s->srv->tls_required && !s->private) {
		session_end(s, 522, "Data connections must be private: PROT P comes first.");
		return NULL;
	}
	struct transfer *t = calloc(1, sizeof(*t));
	if (!t) {
		session_end_errno(s, AFTP_ENOMEM);
		return NULL;
	}
	t->s = s;
	t->kind = kind;
	t->name = strdup(name);
	if (!t->name) {
		free(t);
		session_end_errno(s, AFTP_ENOMEM);
		return NULL;
	}
	session_hold(s);
	s->transfer = t;
	s->transfer_rule = s->rule;
	return t;
}

static void on_opened(void *arg, int status)
{
	struct transfer *t = arg;
	if (status == 0)
		t->file = t->req.file;
	if (t->s->state == SESSION_DEAD)
		transfer_finish(t);
	else if (status < 0)
		transfer_refuse(t, status);
	else if (t->kind == RETRIEVE && t->s->srv->play->past_end && t->offset > t->req.st.size)
		transfer_refuse(t, -ESPIPE);
	else
		transfer_wait(t);
}

static void transfer_open(struct transfer *t, unsigned flags)
{
	struct aftp_vfs *fs = session_vfs(t->s);
	int rc = fs->ops->open(fs, &t->req, t->s->path, flags, t->offset, on_opened, t);
	if (rc < 0)
		transfer_refuse(t, rc);
}

void transfer_retrieve(struct session *s, uint64_t offset, uint64_t end)
{
	struct transfer *t = transfer_new(s, RETRIEVE, path_name(s->path));
	if (!t)
		return;
	t->offset = offset;
	t->end = end;
	transfer_open(t, AFTP_VFS_READ);
}

void transfer_store(struct session *s, unsigned flags, uint64_t offset, bool tell_name)
{
	struct transfer *t = transfer_new(s, STORE, path_name(s->path));
	if (!t)
		return;
	t->offset = offset;
	t->tell_name = tell_name;
	transfer_open(t, flags | AFTP_VFS_WRITE);
}

static void on_lister(void *arg, int status, struct lister *l)
{
	struct transfer *t = arg;
	t->lister = l;
	if (t->s->state == SESSION_DEAD)
		transfer_finish(t);
	else if (status < 0)
		transfer_refuse(t, status);
	else
		transfer_wait(t);
}

void transfer_list(struct session *s, const struct lister_wish *wish)
{
	struct transfer *t = transfer_new(s, LISTING, "");
	if (!t)
		return;
	t->format = wish->format;
	int rc = lister_open(s, s->path, wish, on_lister, t);
	if (rc < 0)
		transfer_refuse(t, rc);
}

/* --- from outside ---------------------------------------------------------------------------------- */

bool transfer_running(const struct session *s)
{
	return s->transfer && s->transfer->stage != PREPARING && s->transfer->stage != ENDING;
}

bool transfer_moving(const struct session *s)
{
	return s->transfer && s->transfer->stage == MOVING;
}

bool transfer_is_upload(const struct session *s)
{
	return s->transfer && s->transfer->kind == STORE;
}

uint64_t transfer_bytes(const struct session *s)
{
	const struct transfer *t = s->transfer;
	return t && t->sender ? send_bytes(t->sender) : t && t->receiver ? recv_bytes(t->receiver) : 0;
}

/* Stops what moves. True when its callback will still come. */
static bool transfer_stop(struct transfer *t)
{
	enum stage was = t->stage;
	t->stage = ENDING;
	if (was == SECURING) {
		drop_stream(t->s, t->stream);
		t->stream = NULL;
	}
	if (was == MOVING && t->receiver) {
		recv_cancel(t->receiver);
		return true;
	}
	if (was == MOVING)
		send_cancel(t->sender);
	return was == PREPARING;
}

void transfer_abort(struct session *s)
{
	struct transfer *t = s->transfer;
	data_close(s);
	if (!transfer_stop(t))
		on_moved(t, AFTP_ECANCELED);
}

void transfer_vanish(struct session *s)
{
	if (!s->transfer)
		return;
	s->transfer->vanishes = true;
	transfer_abort(s);
}

void transfer_kill(struct session *s)
{
	struct transfer *t = s->transfer;
	if (t && t->stage != ENDING && !transfer_stop(t))
		on_moved(t, AFTP_ECANCELED);
	send_cancel_all(s);
}
