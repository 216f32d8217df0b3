/* high_make - MKD, with parents.
 *
 * The whole path first: mostly the parents are there, and it takes one round trip. Else every part of the path, in one
 * segment; only the last answer counts. */
#include <stdlib.h>
#include <string.h>

#include "client/high.h"
#include "client/peek.h"

enum { PARTS_MAX = 256 };

enum phase { MAKE_WHOLE, MAKE_PARTS, MAKE_LOOK };

struct make_op {
	struct aftp_op op; /* first */
	enum phase phase;
	bool parents, looking;
	char *path; /* trimmed */
	int status; /* of the last MKD of the whole path */
	struct peek look;
	aftp_op_cb *done;
	void *arg;
};

static void looked(void *arg, int status, const struct aftp_entry *e)
{
	struct make_op *m = arg;

	m->looking = false;
	if (status == 0)
		status = e->type == AFTP_TYPE_DIR && m->parents ? 0 : -EEXIST;
	else if (status == AFTP_ENOENT || status == AFTP_EREPLY)
		status = m->status;
	high_op_finish(&m->op, status);
	high_op_settle(&m->op);
}

static void on_mkd(void *arg, int status, const struct aftp_reply *r)
{
	struct make_op *m = arg;

	m->status = status == 0 ? high_verdict(r) : status;
	if (status < 0 || m->status == 0)
		high_op_finish(&m->op, m->status);
	high_op_settle(&m->op);
}

static void on_parent(void *arg, int status, const struct aftp_reply *r)
{
	(void)status;
	(void)r;
	high_op_settle(arg);
}

static void make_parts(struct make_op *m)
{
	for (char *p = strchr(m->path + 1, '/'); p && !m->op.finished; p = strchr(p + 1, '/')) {
		*p = '\0';
		high_op_owe(&m->op, aftp_client_command(m->op.s->client, on_parent, m, "MKD", m->path));
		*p = '/';
	}
	if (!m->op.finished)
		high_op_owe(&m->op, aftp_client_command(m->op.s->client, on_mkd, m, "MKD", m->path));
}

static void look(struct make_op *m)
{
	int rc = peek_start(&m->look, m->op.s->client, m->path, looked, m);

	m->looking = rc == 0;
	high_op_owe(&m->op, rc);
}

/* Why not is not always said, and that it is there already may be all right. */
static bool must_look(const struct make_op *m)
{
	return m->status == AFTP_EREPLY || (m->parents && m->status == -EEXIST);
}

static void step(struct aftp_op *op)
{
	struct make_op *m = (struct make_op *)op;

	switch (m->phase) {
	case MAKE_WHOLE:
		m->phase = MAKE_PARTS;
		high_op_owe(op, aftp_client_command(op->s->client, on_mkd, m, "MKD", m->path));
		return;
	case MAKE_PARTS:
		m->phase = MAKE_LOOK;
		if (m->parents && m->status != -EEXIST && strchr(m->path + 1, '/')) {
			make_parts(m);
			return;
		}
		break;
	case MAKE_LOOK: break;
	}
	if (must_look(m))
		look(m);
	else
		high_op_finish(op, m->status);
}

static void stop(struct aftp_op *op)
{
	struct make_op *m = (struct make_op *)op;

	if (m->looking)
		peek_stop(&m->look);
}

static void done(struct aftp_op *op)
{
	struct make_op *m = (struct make_op *)op;

	if (m->done)
		m->done(m->arg, op->status);
}

static void free_op(struct aftp_op *op)
{
	free(((struct make_op *)op)->path);
	free(op);
}

static const struct high_op_kind make_kind = { .step = step, .stop = stop, .done = done, .free = free_op };

static unsigned parts(const char *path)
{
	unsigned n = 1;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

int aftp_session_mkdir(
	struct aftp_session *s, struct aftp_op **out, const char *path, unsigned flags, aftp_op_cb *done_cb, void *arg)
{
	struct make_op *m;

	if (!path || !path[0] || flags & ~(unsigned)AFTP_PARENTS)
		return AFTP_EINVAL;
	if (parts(path) > PARTS_MAX)
		return -ENAMETOOLONG;
	m = calloc(1, sizeof *m);
	if (!m)
		return AFTP_ENOMEM;
	m->parents = flags & AFTP_PARENTS;
	m->done = done_cb;
	m->arg = arg;
	m->path = high_trimmed(path);
	if (!m->path) {
		free(m);
		return AFTP_ENOMEM;
	}
	return high_op_begin(s, &m->op, &make_kind, out);
}
