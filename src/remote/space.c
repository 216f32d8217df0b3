/* space - how much room there is, from AVBL (draft-peterson-streamlined-ftp-command-extensions), where the server has it.
 *
 * df(1) on a dead network must not hang: an answer that takes long is not waited for, and serves the next one who asks. */
#include <aftp/status.h>
#include <ctype.h>
#include <stdlib.h>
#include <utlist.h>

#include "remote/internal.h"
#include "remote/job.h"

#define FRESH_MS 10000
#define WAIT_MS  1500

struct space_op {
	struct site_op op;
	uv_timer_t *timer;
	site_space_cb *cb;
	void *arg;
};

struct space_job {
	struct job job;
	struct site *site;
	char *path;
	bool told;
	uint64_t bytes;
};

static void free_timer(uv_handle_t *timer)
{
	free(timer);
}

static void space_end(struct site_op *op)
{
	struct space_op *o = (struct space_op *)op;
	const struct space *known = &op->site->space;
	site_space_cb *cb = o->cb;
	void *arg = o->arg;
	int status = op->status;
	uint64_t bytes = known->bytes;

	if (status == 0 && !known->at)
		status = AFTP_ENOTSUP;
	if (o->timer)
		uv_close((uv_handle_t *)o->timer, free_timer);
	op_free(op);
	cb(arg, status, status < 0 ? 0 : bytes);
}

static void on_late(uv_timer_t *timer)
{
	op_complete(timer->data, 0);
}

static void answer_all(struct site *s)
{
	struct site_op *op;

	DL_FOREACH (s->ops, op)
		if (op->run == space_end)
			op_complete(op, 0);
}

static void done(struct job *job, int status)
{
	struct space_job *k = (struct space_job *)job;
	struct site *s = k->site;

	s->space.job = NULL;
	if (status == 0 && k->told) {
		s->space.bytes = k->bytes;
		s->space.at = site_now(s);
	}
	free(k->path);
	free(k);
	answer_all(s);
}

static void on_reply(void *arg, int status, const struct aftp_reply *r)
{
	struct space_job *k = arg;
	const char *text = status < 0 ? "" : aftp_reply_message(r);
	char *end;

	if (status == 0 && r->code >= 500)
		k->site->can.no_space = true;
	if (status == 0 && r->code == 213 && isdigit((unsigned char)text[0])) {
		k->bytes = strtoull(text, &end, 10);
		k->told = true;
	}
	job_ended(&k->job, status);
}

static int start(struct job *job, struct aftp_client *client)
{
	struct space_job *k = (struct space_job *)job;

	return aftp_client_command(client, on_reply, k, "AVBL", k->path);
}

static int ask(struct site *s)
{
	struct space_job *k = calloc(1, sizeof *k);

	if (!k)
		return AFTP_ENOMEM;
	k->path = node_path(&s->nodes, s->nodes.root, NULL);
	if (!k->path) {
		free(k);
		return AFTP_ENOMEM;
	}
	k->site = s;
	k->job.pool = s->pool;
	k->job.start = start;
	k->job.done = done;
	s->space.job = k;
	job_run(&k->job, POOL_METADATA);
	return 0;
}

static int wait_a_while(struct space_op *o)
{
	uv_timer_t *timer = malloc(sizeof *timer);

	if (!timer)
		return AFTP_ENOMEM;
	uv_timer_init(o->op.site->loop, timer);
	timer->data = o;
	o->timer = timer;
	return uv_timer_start(timer, on_late, WAIT_MS, 0);
}

int site_space(struct site *s, struct site_op **op, site_space_cb *cb, void *arg)
{
	struct space *known = &s->space;
	struct space_op *o;
	int rc = 0;

	if (s->closing || s->can.no_space)
		return AFTP_ENOTSUP;
	o = op_new(s, sizeof *o, space_end, op);
	if (!o)
		return AFTP_ENOMEM;
	o->cb = cb;
	o->arg = arg;
	if (known->at && site_now(s) - known->at < FRESH_MS) {
		op_complete(&o->op, 0);
		return 0;
	}
	if (!known->job)
		rc = ask(s);
	if (rc == 0)
		rc = wait_a_while(o);
	if (rc < 0)
		op_complete(&o->op, rc);
	return 0;
}
