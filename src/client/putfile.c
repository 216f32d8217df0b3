#include "client/putfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <aftp/status.h>

enum { BLOCK = 256 << 10 };

/* --- in the thread pool --------------------------------------------------------------------------- */

static int open_file(void *arg)
{
	struct putfile *p = arg;
	int fd = local_open(p->o.root, p->from, O_RDONLY | O_NONBLOCK, 0), rc = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &p->st) < 0)
		rc = -errno;
	else if (S_ISDIR(p->st.st_mode))
		rc = -EISDIR;
	else if (!S_ISREG(p->st.st_mode))
		rc = AFTP_EINVAL;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

static int read_block(void *arg)
{
	struct putfile *p = arg;

	do
		p->n_read = pread(p->fd, p->reading->data, BLOCK, (off_t)p->position);
	while (p->n_read < 0 && errno == EINTR);
	return p->n_read < 0 ? -errno : 0;
}

static int close_file(void *arg)
{
	struct putfile *p = arg;

	close(p->fd);
	return 0;
}

/* --- in the loop ---------------------------------------------------------------------------------- */

static void advance(struct putfile *p);

static void free_all(struct putfile *p)
{
	free(p->block[0].data);
	free(p->block[1].data);
	free(p->from);
	free(p->to);
}

static void fail(struct putfile *p, int status)
{
	if (p->status == 0)
		p->status = status;
	if (p->transfer)
		aftp_transfer_cancel(p->transfer);
	else
		p->ended = true;
}

static void worked(struct putfile *p, int status)
{
	p->busy = false;
	if (status < 0)
		fail(p, status);
	advance(p);
}

static void opened(void *arg, int status)
{
	struct putfile *p = arg;

	if (status >= 0)
		p->fd = status;
	worked(p, status < 0 ? status : 0);
}

static void was_read(void *arg, int status)
{
	struct putfile *p = arg;

	if (status == 0) {
		p->reading->len = (size_t)p->n_read;
		p->position += (size_t)p->n_read;
		p->all_read = p->n_read == 0;
	}
	worked(p, status);
}

static void closed(void *arg, int status)
{
	struct putfile *p = arg;

	p->fd = -1;
	worked(p, status);
}

static void run(struct putfile *p, local_work *work, local_done *then)
{
	int rc = local_run(&p->job, p->loop, work, then, p);

	p->busy = rc == 0;
	if (rc < 0)
		fail(p, rc);
}

/* --- the transfer --------------------------------------------------------------------------------- */

static void ready(void *arg)
{
	struct putfile *p = arg;

	if (p->sending) {
		p->bytes += p->block[p->send].len;
		if (p->o.count)
			*p->o.count += p->block[p->send].len;
		p->block[p->send].len = 0;
		p->sending = false;
		p->send = !p->send;
	}
	p->wanted = true;
	advance(p);
}

static void done(void *arg, int status, const struct aftp_transfer_result *result)
{
	struct putfile *p = arg;

	(void)result;
	p->transfer = NULL;
	p->ended = true;
	if (p->status == 0 && status < 0)
		p->status = status;
	advance(p);
}

static void begin(struct putfile *p)
{
	struct aftp_source source = { .ready = ready, .done = done, .arg = p };
	int rc = aftp_client_store(p->client, &p->transfer, p->o.how, p->to, p->o.offset, &source);

	if (rc < 0)
		fail(p, rc);
}

/* What it says against this comes by done(). */
static void send_block(struct putfile *p)
{
	p->wanted = false;
	if (p->block[p->send].len > 0) {
		p->sending = true;
		(void)aftp_transfer_write(p->transfer, p->block[p->send].data, p->block[p->send].len);
	} else {
		(void)aftp_transfer_finish(p->transfer);
	}
}

static struct putfile_block *empty_block(struct putfile *p)
{
	struct putfile_block *next = &p->block[p->send], *other = &p->block[!p->send];

	return next->len == 0 ? next : other->len == 0 ? other : NULL;
}

/* The next thing for the transfer and for the thread pool, or the end. p may be gone after it. */
static void advance(struct putfile *p)
{
	if (p->status == 0 && !p->ended && p->fd >= 0 && !p->transfer)
		begin(p);
	if (p->status == 0 && !p->ended && p->fd >= 0) {
		if (p->wanted && (p->block[p->send].len > 0 || (p->all_read && !p->busy)))
			send_block(p);
		p->reading = p->busy || p->all_read ? p->reading : empty_block(p);
		if (!p->busy && !p->all_read && p->reading)
			run(p, read_block, was_read);
	}
	if (p->busy || !p->ended)
		return;
	if (p->fd >= 0)
		run(p, close_file, closed);
	if (p->busy)
		return;
	free_all(p);
	p->cb(p->arg, p->status);
}

int putfile_start(struct putfile *p, uv_loop_t *loop, struct aftp_client *c, const struct putfile_order *o,
	putfile_cb *cb, void *arg)
{
	int rc = AFTP_ENOMEM;

	*p = (struct putfile){
		.o = *o, .loop = loop, .client = c, .fd = -1, .position = o->read_from, .cb = cb, .arg = arg
	};
	p->from = strdup(o->from);
	p->to = strdup(o->to);
	p->block[0].data = malloc(BLOCK);
	p->block[1].data = malloc(BLOCK);
	if (p->from && p->to && p->block[0].data && p->block[1].data)
		rc = local_run(&p->job, loop, open_file, opened, p);
	p->busy = rc == 0;
	if (rc < 0)
		free_all(p);
	return rc;
}

void putfile_stop(struct putfile *p)
{
	fail(p, AFTP_ECANCELED);
}
