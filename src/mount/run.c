#include "mount/run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include <aftp/status.h>

#include "mount/channel.h"
#include "mount/logging.h"
#include "mount/ops.h"
#include "mount/readahead.h"
#include "remote/site.h"

#define STOP_MS  3000  /* for the whole way down, the server's goodbye included */
#define SAVE_MS  60000 /* more for it, while what programs have written is being saved */
#define CLOSE_MS 12000 /* and for files that were deleted while they were open (see site_close()) */

enum run_state { RUN_STARTING, RUN_MOUNTING, RUN_LIVE, RUN_STOPPING };

static const int stop_signals[] = { SIGINT, SIGTERM, SIGHUP };
#define SIGNALS (sizeof(stop_signals) / sizeof(stop_signals[0]))

struct run {
	const struct options *o;
	const struct transport *transport;
	const char *mountpoint;
	struct daemon *daemon;
	struct logging logging;
	uv_loop_t loop;
	struct site *site;
	struct ops *ops;
	struct channel *channel;
	uv_timer_t deadline; /* of the start, then of the stop */
	uv_signal_t signals[SIGNALS];
	enum run_state state;
	unsigned waited_ms; /* for what is being saved */
	int exit_status;
};

static void on_site_closed(void *arg)
{
	struct run *r = arg;
	uv_close((uv_handle_t *)&r->deadline, NULL);
	for (size_t i = 0; i < SIGNALS; i++)
		uv_close((uv_handle_t *)&r->signals[i], NULL);
}

/* Something does not let go. What counts is that no dead mount is left behind. */
static void on_stop_deadline(uv_timer_t *timer)
{
	struct run *r = timer->data;
	if (r->ops != NULL && ops_is_saving(r->ops) && r->waited_ms < SAVE_MS) {
		r->waited_ms += STOP_MS;
		uv_timer_start(timer, on_stop_deadline, STOP_MS, 0);
		return;
	}
	aftp_log(&r->logging.log, AFTP_LOG_DEBUG, "ended before everything was closed");
	if (r->ops != NULL && ops_give_up(r->ops) > 0)
		r->exit_status = 1;
	if (r->channel != NULL)
		channel_unmount(r->channel);
	_exit(r->exit_status);
}

static void on_channel_closed(void *arg)
{
	struct run *r = arg;
	if (r->ops != NULL && ops_lost(r->ops) > 0)
		r->exit_status = 1;
	ops_free(&r->ops);
	if (r->state == RUN_STOPPING)
		uv_timer_start(&r->deadline, on_stop_deadline, CLOSE_MS, 0);
	if (r->site != NULL)
		site_close(&r->site, on_site_closed, r);
	else
		on_site_closed(r);
}

static void on_drained(void *arg)
{
	struct run *r = arg;
	if (r->channel != NULL)
		channel_close(&r->channel, on_channel_closed, r);
	else
		on_channel_closed(r);
}

static void stop(struct run *r, int exit_status)
{
	if (r->state == RUN_STOPPING)
		return;
	r->state = RUN_STOPPING;
	r->exit_status = exit_status;
	uv_timer_start(&r->deadline, on_stop_deadline, STOP_MS, 0);
	if (r->ops != NULL)
		ops_drain(r->ops, on_drained, r);
	else
		on_drained(r);
}

static void fail(struct run *r, const char *why)
{
	aftp_log(&r->logging.log, AFTP_LOG_INFO, "not mounted: %s", why);
	daemon_failed(r->daemon, why);
	stop(r, 1);
}

static void on_signal(uv_signal_t *signal, int signum)
{
	struct run *r = signal->data;
	if (r->state == RUN_LIVE) {
		aftp_log(&r->logging.log, AFTP_LOG_INFO, "%s: unmounting %s", strsignal(signum), r->mountpoint);
		stop(r, 0);
	} else if (r->state != RUN_STOPPING) {
		fail(r, "interrupted");
	}
}

static void on_start_deadline(uv_timer_t *timer)
{
	fail(timer->data, "the server takes too long");
}

static void on_live(void *arg)
{
	struct run *r = arg;
	if (r->state != RUN_MOUNTING)
		return;
	r->state = RUN_LIVE;
	uv_timer_stop(&r->deadline);
	if (r->o->kernel_readahead_kb > 0) {
		int rc = readahead_raise(r->mountpoint, r->o->kernel_readahead_kb);
		if (rc < 0)
			aftp_log(&r->logging.log, AFTP_LOG_INFO, "the kernel's readahead stays as it is: %s",
				strerror(-rc));
	}
	int rc = daemon_ready(r->daemon);
	if (rc < 0) {
		aftp_log(&r->logging.log, AFTP_LOG_ERROR, "cannot go to the background: %s", strerror(-rc));
		daemon_failed(r->daemon, "cannot go to the background");
		stop(r, 1);
		return;
	}
	aftp_log(&r->logging.log, AFTP_LOG_INFO, "mounted on %s", r->mountpoint);
}

static void on_ended(void *arg, int status)
{
	struct run *r = arg;
	if (r->state != RUN_LIVE && r->state != RUN_STOPPING) {
		fail(r, "the mount went away while it was made");
		return;
	}
	if (status < 0)
		aftp_log(&r->logging.log, AFTP_LOG_ERROR, "FUSE device: %s", aftp_strerror(status));
	else
		aftp_log(&r->logging.log, AFTP_LOG_INFO, "unmounted from %s", r->mountpoint);
	stop(r, status < 0 ? 1 : 0);
}

static const char *advice(const struct options *o, int status)
{
	if (status != AFTP_ELOGIN)
		return "";
	if (o->user == NULL)
		return " (it was anonymous; a user is named as in ftp://USER@HOST/)";
	return o->password == NULL ? " (no password was given)" : "";
}

/* One line; with the port where one was given. */
static void explain(const struct options *o, int status, const char *why, char *line, size_t size)
{
	char words[400], port[8] = "";
	const char *host = o->url.host;
	bool bare = strchr(host, ':') == NULL;
	transport_explain(words, sizeof(words), why[0] != '\0' ? why : aftp_strerror(status));
	if (o->url.port_given || o->port != OPTIONS_UNSET)
		snprintf(port, sizeof(port), ":%u", o->url.port);
	snprintf(line, size, "%s%s%s%s: %s%s", bare ? "" : "[", host, bare ? "" : "]", port, words, advice(o, status));
}

static void on_started(void *arg, int status, const char *why)
{
	struct run *r = arg;
	char line[700];
	if (r->state != RUN_STARTING)
		return;
	if (status < 0) {
		explain(r->o, status, why, line, sizeof(line));
		fail(r, line);
		return;
	}
	r->state = RUN_MOUNTING;
	if (channel_mount(r->channel, r->mountpoint, line, sizeof(line)) < 0)
		fail(r, line);
}

static int new_site(struct run *r)
{
	const struct options *o = r->o;
	const struct site_options s = {
		.host = o->url.host,
		.port = o->url.port,
		.path = o->url.path,
		.user = o->user,
		.password = o->password,
		.account = o->account,
		.max_conns = r->transport->max_conns,
		.connect_timeout_ms = o->connect_timeout_ms,
		.timeout_ms = o->timeout_ms,
		.idle_timeout_ms = o->idle_timeout_ms,
		.attr_ttl_ms = o->attr_ttl_ms,
		.readahead = (size_t)o->readahead,
		.segments = (unsigned)o->segments,
		.lookahead = (enum site_lookahead)o->lookahead,
		.cache_entries = (size_t)o->cache_entries,
		.no_epsv = o->no_epsv,
		.no_arm = o->no_arm,
		.no_mlsd = o->no_mlsd,
		.transport = r->transport->site,
		.read_only = o->read_only,
		.atomic = o->atomic,
		.close_to_open = o->close_to_open,
		.exact_times = o->exact_times,
		.uncached = o->direct_io,
		.follow_symlinks = o->follow_symlinks,
		.transform_symlinks = o->transform_symlinks,
		.loose_symlinks = o->loose_symlinks,
		.encoding = o->codepage,
		.spool_memory = (size_t)o->spool_memory,
		.spool_dir = o->spool_dir,
		.uid = (uid_t)o->uid,
		.gid = (gid_t)o->gid,
		.file_mask = (mode_t)o->file_mask,
		.dir_mask = (mode_t)o->dir_mask,
		.log = &r->logging.log,
	};
	return site_new(&r->site, &r->loop, &s);
}

static int build(struct run *r, char *why, size_t size)
{
	const struct channel_events events = { .live = on_live, .ended = on_ended, .arg = r };
	int rc = new_site(r);
	if (rc < 0 && r->o->spool_dir != NULL)
		snprintf(why, size, "spool_dir=%s: %s", r->o->spool_dir, aftp_strerror(rc));
	if (rc == 0)
		rc = ops_new(&r->ops, &r->loop, r->site, r->o, &r->logging.log);
	if (rc == 0)
		rc = channel_new(&r->channel, &r->loop, r->o, ops_table(), r->ops, &events, why, size);
	if (rc < 0)
		return rc;
	ops_set_channel(r->ops, r->channel);
	return site_start(r->site, on_started, r);
}

/* Handles that always exist, so that the way down need not ask. */
static int open_loop(struct run *r)
{
	int rc = uv_loop_init(&r->loop);
	if (rc < 0)
		return rc;
	rc = uv_timer_init(&r->loop, &r->deadline);
	r->deadline.data = r;
	for (size_t i = 0; i < SIGNALS && rc == 0; i++) {
		rc = uv_signal_init(&r->loop, &r->signals[i]);
		r->signals[i].data = r;
		if (rc == 0)
			rc = uv_signal_start(&r->signals[i], on_signal, stop_signals[i]);
	}
	return rc;
}

int run_mount(const struct options *o, const struct transport *transport, const char *mountpoint, struct daemon *daemon)
{
	struct run r = { .o = o, .transport = transport, .mountpoint = mountpoint, .daemon = daemon, .exit_status = 1 };
	char why[512] = "";
	int rc = logging_init(&r.logging, o);
	if (rc < 0) {
		snprintf(why, sizeof(why), "%s: %s", o->log_file, strerror(-rc));
		daemon_failed(daemon, why);
		return 1;
	}
	rc = open_loop(&r);
	if (rc < 0) { /* a few descriptors or bytes are missing; exiting frees what there is */
		daemon_failed(daemon, uv_strerror(rc));
		logging_finish(&r.logging);
		return 1;
	}
	uv_timer_start(&r.deadline, on_start_deadline, (uint64_t)(o->connect_timeout_ms + 2 * o->timeout_ms), 0);
	rc = build(&r, why, sizeof(why));
	if (rc < 0)
		fail(&r, why[0] != '\0' ? why : aftp_strerror(rc));
	uv_run(&r.loop, UV_RUN_DEFAULT);
	rc = uv_loop_close(&r.loop);
	if (rc < 0)
		aftp_log(&r.logging.log, AFTP_LOG_DEBUG, "something is still open on the loop: %s", uv_strerror(rc));
	logging_finish(&r.logging);
	return r.exit_status;
}
