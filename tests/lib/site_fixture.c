#include "lib/site_fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <aftp/status.h>

#include "remote/internal.h"
#include "remote/writer.h"

#define GUARD_MS   60000
#define HURRIED_MS 10

static void on_guard(uv_timer_t *t)
{
	((struct fixture *)t->data)->guard_fired = true;
	uv_stop(t->loop);
}

static void hurry(struct fixture *f)
{
	if (!f->site || !uv_is_active((uv_handle_t *)&f->site->tick) ||
		uv_timer_get_repeat(&f->site->tick) == HURRIED_MS)
		return;
	uv_timer_set_repeat(&f->site->tick, HURRIED_MS);
	(void)uv_timer_again(&f->site->tick);
}

void fixture_wait(struct fixture *f, const bool *done)
{
	f->guard_fired = false;
	uv_update_time(&f->loop);
	uv_timer_start(&f->guard, on_guard, GUARD_MS, 0);
	while (!*done && !f->guard_fired) {
		if (f->hurried)
			hurry(f);
		uv_run(&f->loop, UV_RUN_ONCE);
	}
	uv_timer_stop(&f->guard);
	if (f->guard_fired)
		fail_msg("nothing happened for %d ms", GUARD_MS);
}

struct settling {
	struct fixture *f;
	bool (*is_idle)(const struct site *s);
	bool done;
};

static void on_tick(uv_timer_t *t)
{
	struct settling *s = t->data;

	s->done = s->is_idle(s->f->site);
}

void fixture_settle(struct fixture *f, bool (*is_idle)(const struct site *s))
{
	struct settling s = { f, is_idle, false };
	uv_timer_t t;

	assert_int_equal(uv_timer_init(&f->loop, &t), 0);
	t.data = &s;
	uv_timer_start(&t, on_tick, 1, 1);
	fixture_wait(f, &s.done);
	uv_timer_stop(&t);
	uv_close((uv_handle_t *)&t, NULL);
	uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void set_flag(void *arg)
{
	*(bool *)arg = true;
}

void fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof *f);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(uv_timer_init(&f->loop, &f->guard), 0);
	f->guard.data = f;
	assert_int_equal(aftp_memfs_new(&f->fs, &f->loop), 0);
	f->server_options.vfs = aftp_memfs_vfs(f->fs);
	f->options = (struct site_options){
		.host = "127.0.0.1",
		.attr_ttl_ms = -1,
		.connect_timeout_ms = 30000,
		.timeout_ms = 30000,
	};
}

void fixture_serve(struct fixture *f)
{
	struct sockaddr_in addr;

	assert_int_equal(uv_ip4_addr("127.0.0.1", f->port, &addr), 0);
	assert_int_equal(aftp_server_new(&f->server, &f->loop, &f->server_options), 0);
	assert_int_equal(aftp_server_listen(f->server, (struct sockaddr *)&addr), 0);
	f->port = aftp_server_port(f->server);
	f->options.port = f->port;
}

void fixture_stop_server(struct fixture *f)
{
	bool done = false;

	if (!f->server)
		return;
	aftp_server_close(&f->server, set_flag, &done);
	fixture_wait(f, &done);
}

struct started {
	struct fixture *f;
	bool done;
};

static void on_start(void *arg, int status, const char *why)
{
	struct started *s = arg;

	s->f->start_status = status;
	snprintf(s->f->why, sizeof s->f->why, "%s", why);
	s->done = true;
}

static void on_stale(void *arg, uint64_t ino)
{
	(void)ino;
	((struct fixture *)arg)->stale++;
}

int fixture_mount(struct fixture *f)
{
	struct started s = { f, false };

	uv_update_time(&f->loop); /* filling the server may have taken a while */

	assert_int_equal(site_new(&f->site, &f->loop, &f->options), 0);
	site_on_stale(f->site, on_stale, f);
	assert_int_equal(site_start(f->site, on_start, &s), 0);
	assert_false(s.done);
	fixture_wait(f, &s.done);
	return f->start_status;
}

void fixture_unmount(struct fixture *f)
{
	bool done = false;

	if (!f->site)
		return;
	site_close(&f->site, set_flag, &done);
	fixture_wait(f, &done);
}

static void count_handle(uv_handle_t *h, void *arg)
{
	if (!uv_is_closing(h))
		++*(int *)arg;
}

void fixture_finish(struct fixture *f)
{
	int left = 0;

	fixture_unmount(f);
	fixture_stop_server(f);
	aftp_memfs_close(&f->fs);
	uv_close((uv_handle_t *)&f->guard, NULL);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	uv_walk(&f->loop, count_handle, &left);
	assert_int_equal(left, 0);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
}

/* --- requests ------------------------------------------------------------------------------------- */

struct answer {
	bool done;
	int status;
	struct site_attr attr;
	struct site_dir *dir;
	struct site_open_result open;
	ssize_t n;
	char *buf;
};

static void on_attr(void *arg, int status, const struct site_attr *attr)
{
	struct answer *a = arg;

	a->status = status;
	if (attr)
		a->attr = *attr;
	a->done = true;
}

static int wait_attr(struct fixture *f, struct answer *a, int rc, struct site_attr *attr)
{
	if (rc < 0)
		return rc;
	assert_false(a->done);
	fixture_wait(f, &a->done);
	if (attr)
		*attr = a->attr;
	return a->status;
}

int fixture_lookup(struct fixture *f, uint64_t parent, const char *name, struct site_attr *attr)
{
	struct answer a = { 0 };

	return wait_attr(f, &a, site_lookup(f->site, parent, name, NULL, on_attr, &a), attr);
}

int fixture_getattr(struct fixture *f, uint64_t ino, struct site_attr *attr)
{
	struct answer a = { 0 };

	return wait_attr(f, &a, site_getattr(f->site, ino, NULL, on_attr, &a), attr);
}

int fixture_walk(struct fixture *f, const char *path, struct site_attr *attr)
{
	uint64_t at = SITE_ROOT;
	char *copy = strdup(path), *save = NULL;
	int rc = 0;

	assert_non_null(copy);
	for (char *part = strtok_r(copy, "/", &save); part && !rc; part = strtok_r(NULL, "/", &save)) {
		rc = fixture_lookup(f, at, part, attr);
		at = attr->st.st_ino;
	}
	free(copy);
	return rc;
}

static void on_link(void *arg, int status, const char *target)
{
	struct answer *a = arg;

	a->status = status;
	if (target)
		snprintf(a->buf, (size_t)a->n, "%s", target);
	a->done = true;
}

int fixture_readlink(struct fixture *f, uint64_t ino, char *target, size_t size)
{
	struct answer a = { .buf = target, .n = (ssize_t)size };
	int rc = site_readlink(f->site, ino, NULL, on_link, &a);

	if (rc < 0)
		return rc;
	assert_false(a.done);
	fixture_wait(f, &a.done);
	return a.status;
}

static void on_dir(void *arg, int status, struct site_dir *d)
{
	struct answer *a = arg;

	a->status = status;
	a->dir = d;
	a->done = true;
}

int fixture_opendir(struct fixture *f, uint64_t ino, struct site_dir **d)
{
	struct answer a = { 0 };
	int rc = site_opendir(f->site, ino, NULL, on_dir, &a);

	if (rc < 0)
		return rc;
	assert_false(a.done);
	fixture_wait(f, &a.done);
	*d = a.dir;
	return a.status;
}

int fixture_entry(struct fixture *f, struct site_dir *d, uint64_t index, const char **name)
{
	struct answer a = { 0 };
	struct site_attr attr;

	if (!site_dir_knows(d, index)) {
		int rc = site_dir_wait(d, index, NULL, on_dir, &a);

		if (rc < 0)
			return rc;
		assert_false(a.done);
		fixture_wait(f, &a.done);
		if (a.status < 0)
			return a.status;
	}
	return site_dir_entry(d, index, name, &attr);
}

int fixture_count(struct fixture *f, uint64_t ino)
{
	struct site_dir *d = NULL;
	const char *name;
	int n = 0, rc = fixture_opendir(f, ino, &d);

	if (rc < 0)
		return rc;
	while ((rc = fixture_entry(f, d, (uint64_t)n + 2, &name)) == 1)
		n++;
	site_closedir(d);
	return rc < 0 ? rc : n;
}

static void on_open(void *arg, int status, const struct site_open_result *r)
{
	struct answer *a = arg;

	a->status = status;
	if (r)
		a->open = *r;
	a->done = true;
}

int fixture_open(struct fixture *f, const char *path, struct site_open_result *r)
{
	return fixture_open_flags(f, path, 0, r);
}

int fixture_open_flags(struct fixture *f, const char *path, int flags, struct site_open_result *r)
{
	struct answer a = { 0 };
	struct site_attr attr;
	int rc = fixture_walk(f, path, &attr);

	if (!rc)
		rc = site_open(f->site, attr.st.st_ino, flags, NULL, on_open, &a);
	if (rc)
		return rc;
	fixture_wait(f, &a.done);
	*r = a.open;
	return a.status;
}

static void on_read(void *arg, ssize_t n, const struct iovec *iov, int parts)
{
	struct answer *a = arg;
	char *to = a->buf;

	a->n = n;
	for (int i = 0; i < parts; i++) {
		memcpy(to, iov[i].iov_base, iov[i].iov_len);
		to += iov[i].iov_len;
	}
	if (n >= 0)
		assert_int_equal(to - a->buf, n);
	a->done = true;
}

ssize_t fixture_read(struct fixture *f, struct site_file *file, uint64_t off, size_t len, void *buf)
{
	struct answer a = { .buf = buf };
	int rc = site_read(file, off, len, NULL, on_read, &a);

	if (rc < 0)
		return rc;
	assert_false(a.done);
	fixture_wait(f, &a.done);
	return a.n;
}

static void on_create(void *arg, int status, const struct site_attr *attr, const struct site_open_result *r)
{
	struct answer *a = arg;

	a->status = status;
	if (attr)
		a->attr = *attr;
	if (r)
		a->open = *r;
	a->done = true;
}

int fixture_create(struct fixture *f, uint64_t parent, const char *name, int flags, struct site_attr *attr,
	struct site_open_result *r)
{
	struct answer a = { 0 };
	int rc = site_create(f->site, parent, name, 0644, flags, NULL, on_create, &a);

	if (rc < 0)
		return rc;
	assert_false(a.done);
	fixture_wait(f, &a.done);
	*attr = a.attr;
	*r = a.open;
	return a.status;
}

static void on_write(void *arg, ssize_t n)
{
	struct answer *a = arg;

	a->n = n;
	a->done = true;
}

ssize_t fixture_write(struct fixture *f, struct site_file *file, uint64_t off, const void *data, size_t len)
{
	struct answer a = { 0 };
	int rc = site_write(file, off, &(struct site_bytes){ .data = data, .len = len }, NULL, on_write, &a);

	if (rc < 0)
		return rc;
	assert_false(a.done);
	fixture_wait(f, &a.done);
	return a.n;
}

static void on_done(void *arg, int status)
{
	struct answer *a = arg;

	a->status = status;
	a->done = true;
}

int fixture_flush(struct fixture *f, struct site_file *file)
{
	struct answer a = { 0 };
	int rc = site_flush(file, NULL, on_done, &a);

	if (rc < 0)
		return rc;
	assert_false(a.done);
	fixture_wait(f, &a.done);
	return a.status;
}

int fixture_truncate(struct fixture *f, const char *path, struct site_file *file, uint64_t size)
{
	struct answer a = { 0 };
	struct site_attr attr;
	int rc = fixture_walk(f, path, &attr);

	if (rc == 0)
		rc = writer_truncate(
			f->site, node_by_ino(&f->site->nodes, attr.st.st_ino), file, size, NULL, on_attr, &a);
	if (rc < 0)
		return rc;
	fixture_wait(f, &a.done);
	if (a.status == 0)
		assert_int_equal(a.attr.st.st_size, size);
	return a.status;
}

uint64_t fixture_commands(struct fixture *f, const char *verb)
{
	return aftp_server_count(f->server, verb);
}
