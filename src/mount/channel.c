#include "mount/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <aftp/status.h>
#include <aftp/url.h>

#include "mount/buffers.h"

/* Enough to serve a burst of readahead in one go, few enough to keep the sockets moving. */
#define READS_PER_WAKEUP 16

struct channel {
	struct fuse_session *session;
	struct fuse_buf buf; /* libfuse's; made by it */
	struct buffers *buffers;
	uv_poll_t poll;
	bool polled, mounted, live, ended;
	struct channel_events events;
	void (*closed)(void *arg);
	void *closed_arg;
};

/* libfuse and fusermount3 complain on standard error. While this is open that goes to memory, so that one line can be
 * made of it. */
struct capture {
	int memory, saved;
};

static void capture_begin(struct capture *c)
{
	fflush(stderr);
	c->memory = memfd_create("ftpfs-messages", MFD_CLOEXEC);
	c->saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (c->memory >= 0 && c->saved >= 0)
		dup2(c->memory, STDERR_FILENO);
}

/* The first line that was caught, without the name of who said it; "" when there was none. */
static void capture_end(struct capture *c, char *out, size_t size)
{
	ssize_t n = -1;
	fflush(stderr);
	if (c->saved >= 0)
		dup2(c->saved, STDERR_FILENO);
	if (c->memory >= 0)
		n = pread(c->memory, out, size - 1, 0);
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	if (strncmp(out, "fuse: ", 6) == 0)
		memmove(out, out + 6, strlen(out + 6) + 1);
	if (c->saved >= 0)
		close(c->saved);
	if (c->memory >= 0)
		close(c->memory);
}

static bool add_flag(char **opts, bool on, const char *word)
{
	return !on || fuse_opt_add_opt(opts, word) == 0;
}

static bool add_named(char **opts, const char *key, const char *value)
{
	char *word = NULL;
	if (asprintf(&word, "%s=%s", key, value) < 0)
		return false;
	bool ok = fuse_opt_add_opt_escaped(opts, word) == 0;
	free(word);
	return ok;
}

static bool build_words(char **opts, const struct options *o)
{
	char source[1024];
	aftp_url_print(&o->url, source, sizeof(source));
	return add_flag(opts, o->read_only, "ro") && add_flag(opts, o->allow_other, "allow_other") &&
		add_flag(opts, o->allow_root, "allow_root") &&
		add_flag(opts, o->default_permissions, "default_permissions") &&
		add_flag(opts, o->auto_unmount, "auto_unmount") && add_flag(opts, o->fuse != NULL, o->fuse) &&
		add_named(opts, "fsname", o->fsname != NULL ? o->fsname : source) &&
		add_named(opts, "subtype", o->subtype != NULL ? o->subtype : "ftpfs");
}

static bool build_args(struct fuse_args *args, const struct options *o)
{
	char *opts = NULL;
	bool ok = build_words(&opts, o) && fuse_opt_add_arg(args, "ftpfs") == 0 && fuse_opt_add_arg(args, "-o") == 0 &&
		fuse_opt_add_arg(args, opts) == 0 && (!o->fuse_debug || fuse_opt_add_arg(args, "-d") == 0);
	free(opts);
	return ok;
}

static void new_session(struct channel *c, const struct options *o, const struct fuse_lowlevel_ops *ops, void *userdata,
	char *why, size_t size)
{
	struct fuse_args args = { 0 };
	struct capture messages;
	capture_begin(&messages);
	if (build_args(&args, o))
		c->session = fuse_session_new(&args, ops, sizeof(*ops), userdata);
	capture_end(&messages, why, size);
	fuse_opt_free_args(&args);
}

int channel_new(struct channel **out, uv_loop_t *loop, const struct options *o, const struct fuse_lowlevel_ops *ops,
	void *userdata, const struct channel_events *events, char *why, size_t size)
{
	struct channel *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return AFTP_ENOMEM;
	c->events = *events;
	c->poll.loop = loop;
	c->poll.data = c;
	c->buffers = buffers_new();
	if (c->buffers != NULL)
		new_session(c, o, ops, userdata, why, size);
	if (c->session == NULL) {
		if (why[0] == '\0')
			snprintf(why, size, "%s", strerror(ENOMEM));
		buffers_free(c->buffers);
		free(c);
		return AFTP_EINVAL;
	}
	*out = c;
	return 0;
}

static void end(struct channel *c, int status)
{
	if (c->ended)
		return;
	c->ended = true;
	uv_poll_stop(&c->poll);
	c->events.ended(c->events.arg, status);
}

/* One request. 1: served; 0: none waits; < 0: there will be none any more, in *status. */
static int serve_one(struct channel *c, int *status)
{
	if (c->buf.mem == NULL)
		c->buf.mem = buffers_take(c->buffers);
	int n = fuse_session_receive_buf(c->session, &c->buf);
	if (n == -EINTR)
		return 1;
	if (n == -EAGAIN)
		return 0;
	if (n <= 0) {
		*status = n == -ENODEV ? 0 : n;
		return -1;
	}
	fuse_session_process_buf(c->session, &c->buf);
	if (fuse_session_exited(c->session)) {
		*status = AFTP_EPROTO;
		return -1;
	}
	return 1;
}

static void on_readable(uv_poll_t *poll, int events_status, int events)
{
	struct channel *c = poll->data;
	int status = 0;
	(void)events_status; /* an error means that the device is gone: reading it says so too, and why */
	(void)events;
	for (int i = 0; i < READS_PER_WAKEUP; i++) {
		int rc = serve_one(c, &status);
		if (rc < 0) {
			end(c, status);
			return;
		}
		if (rc == 0)
			return;
		if (!c->live) {
			c->live = true;
			c->events.live(c->events.arg);
		}
	}
}

int channel_mount(struct channel *c, const char *mountpoint, char *why, size_t size)
{
	struct capture messages;
	char words[256];
	capture_begin(&messages);
	errno = 0;
	int rc = fuse_session_mount(c->session, mountpoint) == 0 ? 0 : errno != 0 ? -errno : AFTP_EIO;
	capture_end(&messages, words, sizeof(words));
	if (rc < 0) {
		snprintf(why, size, "cannot mount on %s: %s", mountpoint,
			words[0] != '\0' ? words : strerror(aftp_errno(rc)));
		return rc;
	}
	c->mounted = true;
	rc = uv_poll_init(c->poll.loop, &c->poll, fuse_session_fd(c->session));
	if (rc == 0) {
		c->polled = true;
		rc = uv_poll_start(&c->poll, UV_READABLE, on_readable);
	}
	if (rc < 0)
		snprintf(why, size, "cannot poll the FUSE device: %s", uv_strerror(rc));
	return rc;
}

bool channel_lend(
	struct channel *c, const void *data, void **memory, void (**release)(void *arg, void *memory), void **arg)
{
	uintptr_t at = (uintptr_t)data, from = (uintptr_t)c->buf.mem;
	if (c->buf.mem == NULL || at < from || at - from >= c->buf.size)
		return false;
	*memory = c->buf.mem;
	*release = buffers_back;
	*arg = c->buffers;
	c->buf.mem = NULL;
	buffers_lent(c->buffers);
	return true;
}

struct fuse_session *channel_session(struct channel *c)
{
	return c->session;
}

void channel_unmount(struct channel *c)
{
	if (c->mounted)
		fuse_session_unmount(c->session);
	c->mounted = false;
}

static void destroy(struct channel *c)
{
	channel_unmount(c);
	fuse_session_destroy(c->session);
	free(c->buf.mem);
	buffers_free(c->buffers);
	c->closed(c->closed_arg);
	free(c);
}

static void on_closed(uv_handle_t *handle)
{
	destroy(handle->data);
}

void channel_close(struct channel **cp, void (*closed)(void *arg), void *arg)
{
	struct channel *c = *cp;
	*cp = NULL;
	c->closed = closed;
	c->closed_arg = arg;
	c->ended = true;
	if (c->polled)
		uv_close((uv_handle_t *)&c->poll, on_closed);
	else
		destroy(c);
}
