/* load - the whole of a file from the server into a spool, before something in its middle is changed. */
#include <aftp/status.h>
#include <stdlib.h>

#include "remote/job.h"
#include "remote/writer.h"

#define BUFFER (256u * 1024)

struct load {
	struct job job;
	struct writer *writer; /* NULL: it went away */
	struct spool *spool;
	char *path;
	struct aftp_transfer *transfer;
	int failed; /* the spool's trouble */
	uint64_t reached;
	char buffer[BUFFER];
};

static char *on_lend(void *arg, size_t *len)
{
	*len = BUFFER;
	return ((struct load *)arg)->buffer;
}

static void on_data(void *arg, size_t n)
{
	struct load *l = arg;

	if (!l->failed && l->writer)
		l->failed = spool_write(l->spool, spool_size(l->spool), l->buffer, n);
	if (l->failed || !l->writer)
		aftp_transfer_cancel(l->transfer);
}

static void on_done(void *arg, int status, const struct aftp_transfer_result *r)
{
	struct load *l = arg;

	(void)r;
	l->transfer = NULL;
	if (l->failed)
		status = l->failed;
	if (spool_size(l->spool) > l->reached)
		l->job.attempts = 0; /* it gets on */
	l->reached = spool_size(l->spool);
	/* Less than it should be, confirmed or not: go on where it stopped. */
	if (status == 0 && l->writer && spool_size(l->spool) < l->writer->size)
		status = AFTP_EINCOMPLETE;
	job_ended(&l->job, status);
}

static int start(struct job *job, struct aftp_client *client)
{
	struct load *l = (struct load *)job;
	struct aftp_sink sink = { .lend = on_lend, .data = on_data, .done = on_done, .arg = l };

	if (!l->writer)
		return AFTP_ECANCELED;
	return aftp_client_retrieve(client, &l->transfer, l->path, spool_size(l->spool), &sink);
}

static void done(struct job *job, int status)
{
	struct load *l = (struct load *)job;
	struct writer *w = l->writer;
	struct spool *spool = l->spool;

	free(l->path);
	free(l);
	if (w)
		w->load = NULL;
	if (status == 0 && w && spool_size(spool) != w->size)
		status = AFTP_ECHANGED;
	if (status < 0 || !w) {
		spool_free(spool);
		spool = NULL;
	}
	if (w)
		writer_loaded(w, status, spool);
}

int load_start(struct writer *w)
{
	struct load *l = calloc(1, sizeof *l);
	int rc;

	if (!l)
		return AFTP_ENOMEM;
	rc = writer_new_spool(w, &l->spool);
	l->path = rc ? NULL : writer_path(w);
	if (!l->path) {
		spool_free(l->spool);
		free(l);
		return AFTP_ENOMEM;
	}
	l->writer = w;
	l->job.pool = w->site->pool;
	l->job.start = start;
	l->job.done = done;
	w->load = l;
	job_run(&l->job, POOL_READ);
	return 0;
}

void load_abandon(struct load *l)
{
	l->writer->load = NULL;
	l->writer = NULL;
	if (l->transfer)
		aftp_transfer_cancel(l->transfer);
}
