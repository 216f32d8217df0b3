#include "remote/job.h"

#include <aftp/status.h>

#define MAX_ATTEMPTS 3

static bool connection_died(int status)
{
	switch (status) {
	case AFTP_ECONNRESET:
	case AFTP_EOF:
	case AFTP_ENOTCONN:
	case AFTP_EINCOMPLETE:
	case AFTP_EPROTO:
	case AFTP_ETOOMANY:
	case -EPIPE:
	case -ECONNABORTED: return true;
	default: return false;
	}
}

bool job_is_network(int status)
{
	switch (status) {
	case AFTP_ETIMEDOUT:
	case AFTP_ECONNREFUSED:
	case AFTP_ERESOLVE:
	case AFTP_ELOGIN:
	case AFTP_ECANCELED:
	case AFTP_ENOMEM:
	case AFTP_ELINETOOLONG:
	case AFTP_ETOOBIG:
	case AFTP_ETLS:
	case AFTP_ECERT:
	case AFTP_ESHORT:
	case -ENETUNREACH:
	case -EHOSTUNREACH:
	case -EADDRNOTAVAIL: return true;
	default: return connection_died(status);
	}
}

static void on_connection(void *arg, int status, struct pool_conn *conn, const char *why)
{
	struct job *job = arg;

	(void)why;
	if (status < 0) {
		job->done(job, status);
		return;
	}
	job->conn = conn;
	job->attempts++;
	status = pool_client(conn) ? job->start(job, pool_client(conn)) : AFTP_ECANCELED;
	if (status < 0)
		job_ended(job, status);
}

void job_run(struct job *job, enum pool_class class)
{
	job->attempts = 0;
	job->conn = NULL;
	pool_acquire(job->pool, &job->request, class, on_connection, job);
}

void job_promote(struct job *job, enum pool_class class)
{
	if (class >= job->request.class)
		return;
	pool_promote(&job->request, class);
	job->request.class = class;
}

void job_ended(struct job *job, int status)
{
	struct pool_conn *conn = job->conn;

	job->conn = NULL;
	pool_release(conn);
	if (connection_died(status) && job->attempts < MAX_ATTEMPTS)
		pool_acquire(job->pool, &job->request, job->request.class, on_connection, job);
	else
		job->done(job, status);
}
