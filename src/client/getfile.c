#include "client/getfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <aftp/status.h>

enum { BLOCK = 256 << 10 };

/* --- in the thread pool --------------------------------------------------------------------------- */

static int open_file(void *arg)
{
	struct getfile *g = arg;
	struct stat st;
	/* Not to wait for the reader of a pipe that somebody has put there. */
	int fd = local_open(g->o.root, g->to, O_WRONLY | O_CREAT | O_NONBLOCK, 0666), rc = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		rc = -errno;
	else if (!S_ISREG(st.st_mode))
		rc = AFTP_EINVAL;
	else if (g->o.offset == 0 && st.st_size > 0 && ftruncate(fd, 0) < 0)
		rc = -errno;
	else if (g->o.offset > (uint64_t)st.st_size)
		rc = AFTP_ECHANGED;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

static int write_block(void *arg)
{
	struct getfile *g = arg;
	struct getfile_block *b = &g->block[!g->fill];
	size_t done = 0;

	while (done < b->len) {
		ssize_t n = pwrite(g->fd, b->data + done, b->len - done, (off_t)(g->position + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : AFTP_EIO;
		done += (size_t)n;
	}
	g->position += done;
	b->len = 0;
	return 0;
}

static int close_file(void *arg)
{
	struct getfile *g = arg;
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = (time_t)g->o.mtime, .tv_nsec = (long)g->o.mtime_nsec } };
	int rc = 0;

	if (g->stamp && futimens(g->fd, times) < 0)
		rc = -errno;
	if (close(g->fd) < 0 && errno != EINTR && rc == 0)
		rc = -errno;
	return rc;
}

/* --- in the loop ---------------------------------------------------------------------------------- */

static void advance(struct getfile *g);

static void report(struct getfile *g)
{
	free(g->block[0].data);
	free(g->block[1].data);
	free(g->to);
	g->cb(g->arg, g->status);
}

static void fail(struct getfile *g, int status)
{
	if (g->status == 0)
		g->status = status;
	if (g->transfer)
		aftp_transfer_cancel(g->transfer);
}

static void worked(void *arg, int status)
{
	struct getfile *g = arg;

	g->busy = false;
	if (status < 0)
		fail(g, status);
	else if (g->transfer)
		aftp_transfer_resume(g->transfer);
	advance(g);
}

static void opened(void *arg, int status)
{
	struct getfile *g = arg;

	if (status >= 0)
		g->fd = status;
	worked(arg, status < 0 ? status : 0);
}

static void closed(void *arg, int status)
{
	struct getfile *g = arg;

	g->fd = -1;
	g->accepted = false; /* it is not opened again */
	worked(arg, status);
}

static void run(struct getfile *g, local_work *work, local_done *then)
{
	int rc = local_run(&g->job, g->loop, work, then, g);

	g->busy = rc == 0;
	if (rc < 0)
		fail(g, rc);
}

/* The next thing for the thread pool, or the end. */
static void advance(struct getfile *g)
{
	bool good = g->status == 0;

	if (g->busy)
		return;
	if (good && g->fd < 0 && g->accepted) {
		run(g, open_file, opened);
	} else if (good && g->fd >= 0 && g->block[g->fill].len > 0 && !g->lent) {
		g->fill = !g->fill;
		run(g, write_block, worked);
	} else if (g->ended && g->fd >= 0) {
		g->stamp = good && g->o.timed;
		run(g, close_file, closed);
	} else if (g->ended) {
		report(g);
	}
}

static char *lend(void *arg, size_t *len)
{
	struct getfile *g = arg;
	struct getfile_block *b = &g->block[g->fill];

	if (!g->accepted) {
		g->accepted = true;
		advance(g);
	}
	if (g->fd < 0 || g->status < 0 || b->len == BLOCK)
		return NULL;
	g->lent = true;
	*len = BLOCK - b->len;
	return b->data + b->len;
}

static void landed(void *arg, size_t n)
{
	struct getfile *g = arg;

	g->lent = false;
	g->block[g->fill].len += n;
	g->bytes += n;
	if (g->o.count)
		*g->o.count += n;
	advance(g);
}

static void started(void *arg, uint64_t size)
{
	struct getfile *g = arg;

	(void)size;
	g->accepted = true;
	advance(g);
}

static void done(void *arg, int status, const struct aftp_transfer_result *result)
{
	struct getfile *g = arg;

	(void)result;
	g->transfer = NULL;
	g->lent = false;
	g->ended = true;
	if (g->status == 0 && status < 0)
		g->status = status;
	g->accepted |= status == 0;
	advance(g);
}

int getfile_start(struct getfile *g, uv_loop_t *loop, struct aftp_client *c, const struct getfile_order *o,
	getfile_cb *cb, void *arg)
{
	struct aftp_sink sink = { lend, landed, started, done, g, false, 0 };
	int rc = AFTP_ENOMEM;

	*g = (struct getfile){ .o = *o, .loop = loop, .fd = -1, .position = o->offset, .cb = cb, .arg = arg };
	g->to = strdup(o->to);
	g->block[0].data = malloc(BLOCK);
	g->block[1].data = malloc(BLOCK);
	if (g->to && g->block[0].data && g->block[1].data)
		rc = aftp_client_retrieve(c, &g->transfer, o->from, o->offset, &sink);
	if (rc == 0)
		return 0;
	free(g->to);
	free(g->block[0].data);
	free(g->block[1].data);
	return rc;
}

void getfile_stop(struct getfile *g)
{
	fail(g, AFTP_ECANCELED);
}
