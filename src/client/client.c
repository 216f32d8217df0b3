#include "client/client_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "client/dataconn.h"
#include "proto/command.h"

enum { QUIT_MS = 1000 };

/* --- birth ---------------------------------------------------------------------------------------- */

static void turn(struct later_item *item);
static void wake(void *arg);
static void lost(void *arg, int status, const char *why);

int aftp_client_new(struct aftp_client **out, uv_loop_t *loop, const struct aftp_client_options *o)
{
	struct aftp_client *c;
	int rc;

	if (!out || !loop || !o || settings_check(o) < 0)
		return AFTP_EINVAL;
	c = calloc(1, sizeof *c);
	if (!c)
		return AFTP_ENOMEM;
	c->loop = loop;
	rc = settings_copy(c, o);
	if (rc == 0)
		rc = later_new(&c->later, loop);
	if (rc < 0) {
		settings_free(c);
		free(c);
		return rc;
	}
	c->turn.run = turn;
	wire_init(&c->wire, loop, &c->log, wake, lost, c);
	cwd_init(&c->cwd, &c->wire, &c->queue, &c->features);
	c->passive.client = c;
	c->open = 1;
	*out = c;
	return 0;
}

int aftp_client_connect(struct aftp_client *c, aftp_client_cb *cb, void *arg)
{
	if (!cb)
		return AFTP_EINVAL;
	return c->state == CLIENT_NEW ? opening_start(c, cb, arg) : AFTP_EALREADY;
}

void aftp_client_assume(struct aftp_client *c, const struct aftp_features *f)
{
	bool no_epsv = c->features.no_epsv, no_mlsd = c->features.no_mlsd, no_eprt = c->features.no_eprt;

	c->features = *f;
	c->features.no_epsv |= no_epsv;
	c->features.no_mlsd |= no_mlsd;
	c->features.no_eprt |= no_eprt;
	c->assumed = true;
}

/* --- facts ---------------------------------------------------------------------------------------- */

void aftp_client_on_lost(struct aftp_client *c, aftp_client_cb *cb, void *arg)
{
	c->lost = cb;
	c->lost_arg = arg;
}

bool aftp_client_alive(const struct aftp_client *c)
{
	return c->state == CLIENT_READY;
}

bool aftp_client_idle(const struct aftp_client *c)
{
	return c->state == CLIENT_READY && !c->queue.ops && !c->queue.current && !wire_busy(&c->wire);
}

bool aftp_client_armed(const struct aftp_client *c)
{
	return c->state == CLIENT_READY && c->arm.stands;
}

const struct aftp_features *aftp_client_features(const struct aftp_client *c)
{
	return &c->features;
}

const char *aftp_client_error(const struct aftp_client *c)
{
	return c->error;
}

/* One line, and nothing in it that would do something to a terminal. */
void client_set_error(struct aftp_client *c, const char *text)
{
	size_t n = strnlen(text, sizeof c->error - 1);

	for (size_t i = 0; i < n; i++)
		c->error[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
	c->error[n] = '\0';
}

/* --- the end -------------------------------------------------------------------------------------- */

static void fail_all(struct aftp_client *c, int status)
{
	wire_fail(&c->wire, status);
	arm_drop(c);
	queue_fail(&c->queue, status);
	opening_fail(c, status);
}

void client_connection_closed(struct aftp_client *c)
{
	void (*closed)(void *arg) = c->closed;
	void *arg = c->closed_arg;

	if (--c->open > 0)
		return;
	wire_finish(&c->wire);
	cwd_finish(&c->cwd);
	later_close(&c->later);
	settings_free(c);
	free(c);
	if (closed)
		closed(arg);
}

static void wire_closed(void *arg)
{
	client_connection_closed(arg);
}

static void end(struct aftp_client *c)
{
	if (c->ended)
		return;
	c->ended = true;
	later_remove(c->later, &c->turn);
	fail_all(c, AFTP_ECANCELED);
	dataconn_close_retiring(c);
	wire_close(&c->wire, wire_closed, c);
}

static void said_goodbye(void *arg, int status, const struct aftp_reply *r)
{
	(void)status;
	(void)r;
	end(arg);
}

/* QUIT goes behind what is owed; in the middle of a transfer it would not be heard. */
static void say_goodbye(struct aftp_client *c)
{
	c->waved = true;
	wire_detach(&c->wire, AFTP_ECANCELED);
	queue_fail(&c->queue, AFTP_ECANCELED);
	if (wire_command(&c->wire, 0, said_goodbye, c, "QUIT", NULL) < 0) {
		end(c);
		return;
	}
	wire_set_deadline(&c->wire, QUIT_MS);
	wire_flush(&c->wire);
}

static void close_client(struct aftp_client **cp, bool quit, void (*closed)(void *arg), void *arg)
{
	struct aftp_client *c = *cp;

	*cp = NULL;
	if (!c)
		return;
	c->quitting = quit && c->state == CLIENT_READY;
	c->state = CLIENT_CLOSING;
	c->queue.open = false;
	c->closed = closed;
	c->closed_arg = arg;
	client_wake(c);
}

void aftp_client_close(struct aftp_client **c, void (*closed)(void *arg), void *arg)
{
	close_client(c, false, closed, arg);
}

void aftp_client_quit(struct aftp_client **c, void (*closed)(void *arg), void *arg)
{
	close_client(c, true, closed, arg);
}

static void lost(void *arg, int status, const char *why)
{
	struct aftp_client *c = arg;
	bool opened = c->state == CLIENT_READY;

	client_set_error(c, why);
	if (c->state == CLIENT_CLOSING) {
		end(c);
		return;
	}
	/* Whatever words a server has for it, 421 before the session is there means that there is no room for us. */
	if (!opened && c->wire.reply.code == 421)
		status = AFTP_ETOOMANY;
	c->state = CLIENT_DEAD;
	c->queue.open = false;
	fail_all(c, status);
	if (opened && c->state == CLIENT_DEAD && c->lost)
		c->lost(c->lost_arg, status);
}

/* --- commands ------------------------------------------------------------------------------------- */

struct command {
	struct op op; /* first */
	struct aftp_client *c;
	aftp_reply_cb *cb;
	void *arg;
	struct buf line; /* and a NUL */
	char verb[16];
};

static void command_end(struct command *m, int status, const struct aftp_reply *r)
{
	struct aftp_client *c = m->c;
	aftp_reply_cb *cb = m->cb;
	void *arg = m->arg;

	explicit_bzero(m->line.data, m->line.end);
	buf_finish(&m->line);
	free(m);
	if (r && r->code >= 400)
		client_set_error(c, aftp_reply_message(r));
	if (cb)
		cb(arg, status, r);
}

static void on_answer(void *arg, int status, const struct aftp_reply *r)
{
	command_end(arg, status, r);
}

static void command_fail(struct op *op, int status)
{
	command_end((struct command *)op, status, NULL);
}

static int command_start(struct op *op)
{
	struct command *m = (struct command *)op;
	const char *line = buf_bytes(&m->line);
	size_t n = buf_len(&m->line) - 1;
	const char *space = memchr(line, ' ', n);
	int rc = cwd_before(&m->c->cwd, m->verb, space ? space + 1 : NULL);

	return rc ? rc : wire_send(&m->c->wire, 0, on_answer, m, line, n);
}

int client_check_path(const struct aftp_client *c, const char *path)
{
	struct buf line;
	int rc;

	buf_init(&line, WIRE_COMMAND_MAX);
	rc = command_append(&line, "CWD", path);
	buf_finish(&line);
	return rc == 0 && command_is_altered(c->features.alters, path) ? AFTP_EBADNAME : rc;
}

int client_take_path(const struct aftp_client *c, char **out, const char *path)
{
	int rc = charset_encoded(c->charset, out, path);

	if (rc == 0)
		rc = client_check_path(c, *out);
	if (rc == 0)
		return 0;
	free(*out);
	*out = NULL;
	return rc;
}

int aftp_client_check_path(const struct aftp_client *c, const char *path)
{
	char *taken;
	int rc = client_take_path(c, &taken, path);

	if (rc == 0)
		free(taken);
	return rc;
}

char *aftp_client_decode(const struct aftp_client *c, const char *text)
{
	struct buf out;
	char *copy = NULL;

	buf_init(&out, SIZE_MAX / 4);
	if (charset_decode(c->charset, &out, text, strlen(text)) == 0 && buf_append(&out, "", 1) == 0)
		copy = strdup(buf_bytes(&out));
	buf_finish(&out);
	return copy;
}

static int enqueue(struct aftp_client *c, struct op *op)
{
	if (c->queue.waiting + c->wire.owed >= QUEUE_MAX)
		return AFTP_ETOOBIG;
	queue_add(&c->queue, op);
	client_wake(c);
	return 0;
}

int client_ask(struct aftp_client *c, struct op *op)
{
	return c->state == CLIENT_READY ? enqueue(c, op) : AFTP_ENOTCONN;
}

int aftp_client_command(struct aftp_client *c, aftp_reply_cb *cb, void *arg, const char *verb, const char *argument)
{
	struct command *m;
	char *text = NULL;
	int rc = argument ? charset_encoded(c->charset, &text, argument) : 0;

	if (rc < 0)
		return rc;
	m = calloc(1, sizeof *m);
	if (!m) {
		free(text);
		return AFTP_ENOMEM;
	}
	m->op.start = command_start;
	m->op.fail = command_fail;
	m->c = c;
	m->cb = cb;
	m->arg = arg;
	snprintf(m->verb, sizeof m->verb, "%.*s", (int)strcspn(verb, " "), verb);
	buf_init(&m->line, WIRE_COMMAND_MAX);
	rc = command_append(&m->line, verb, text);
	if (rc == 0 && text && command_is_altered(c->features.alters, text))
		rc = AFTP_EBADNAME;
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
	if (rc == 0)
		rc = buf_append(&m->line, "", 1);
	if (rc == 0)
		rc = c->state <= CLIENT_READY ? enqueue(c, &m->op) : AFTP_ENOTCONN;
	if (rc < 0) {
		buf_finish(&m->line);
		free(m);
	}
	return rc;
}

/* --- turns ---------------------------------------------------------------------------------------- */

void client_wake(struct aftp_client *c)
{
	if (!c->ended)
		later_add(c->later, &c->turn);
}

static void wake(void *arg)
{
	client_wake(arg);
}

static void turn(struct later_item *item)
{
	struct aftp_client *c = (struct aftp_client *)((char *)item - offsetof(struct aftp_client, turn));

	if (c->state == CLIENT_CLOSING && !c->waved) {
		if (c->quitting && c->wire.status == 0 && !c->queue.current)
			say_goodbye(c);
		else
			end(c);
		return;
	}
	c->queue.held = arm_holds(c);
	queue_run(&c->queue);
	arm_turn(c);
	wire_flush(&c->wire);
}
