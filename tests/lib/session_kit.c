#include "lib/session_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/loop.h"

/* --- birth and end -------------------------------------------------------------------------------- */

static void connect_session(struct session_kit *k)
{
	struct waited w = { 0 };

	assert_int_equal(aftp_session_new(&k->s, &k->loop, &k->o), 0);
	assert_int_equal(waited_for(k, &w, aftp_session_connect(k->s, waited_op, &w)), 0);
}

static void begin(struct session_kit *k, const struct aftp_client_options *o)
{
	memset(k, 0, sizeof *k);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(uv_loop_init(&k->loop), 0);
	if (o)
		k->o = *o;
	k->o.host = "127.0.0.1";
	if (!o || o->timeout_ms == 0)
		k->o.timeout_ms = 30000;
	k->o.connect_timeout_ms = 30000;
}

void session_kit_begin(struct session_kit *k, const struct aftp_server_options *so, const struct aftp_client_options *o)
{
	begin(k, o);
	testd_start(&k->d, so, false);
	k->o.port = k->d.port;
	connect_session(k);
}

void session_kit_begin_scripted(struct session_kit *k, const struct step *script)
{
	begin(k, NULL);
	k->scripted = true;
	k->o.timeout_ms = 2000;
	scripted_start(&k->server, &k->loop, script);
	k->o.port = k->server.port;
	connect_session(k);
}

void session_kit_close(struct session_kit *k)
{
	bool closed = false;

	if (!k->s)
		return;
	aftp_session_close(&k->s, loop_set_flag, &closed);
	assert_null(k->s);
	assert_false(closed);
	loop_wait(&k->loop, &closed, "close");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void session_kit_end(struct session_kit *k)
{
	session_kit_close(k);
	if (k->scripted) {
		scripted_stop(&k->server);
		assert_string_equal(k->server.trouble, "");
	} else {
		testd_stop(&k->d);
	}
	loop_finish(&k->loop);
	if (k->folder[0])
		assert_int_equal(nftw(k->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void session_kit_check(struct session_kit *k)
{
	struct waited w = { 0 };

	assert_int_equal(waited_for(k, &w, aftp_session_pwd(k->s, NULL, waited_path, &w)), 0);
	assert_int_equal(w.text[0], '/');
	assert_true(aftp_client_idle(aftp_session_client(k->s)));
}

/* --- callbacks that wait --------------------------------------------------------------------------- */

static void came(struct waited *w, int status)
{
	w->over = true;
	w->calls++;
	w->status = status;
}

void waited_op(void *arg, int status)
{
	came(arg, status);
}

void waited_reply(void *arg, int status, const struct aftp_reply *r)
{
	struct waited *w = arg;

	came(w, status);
	assert_int_equal(r != NULL, status == 0 || status == AFTP_EREPLY);
	if (!r)
		return;
	w->code = r->code;
	snprintf(w->text, sizeof w->text, "%s", aftp_reply_message(r));
}

void waited_path(void *arg, int status, const char *path)
{
	struct waited *w = arg;

	came(w, status);
	assert_int_equal(path != NULL, status == 0);
	snprintf(w->text, sizeof w->text, "%s", path ? path : "");
}

void waited_stat(void *arg, int status, const struct aftp_entry *e)
{
	struct waited *w = arg;

	came(w, status);
	assert_int_equal(e != NULL, status == 0);
	if (!e)
		return;
	w->entry = *e;
	snprintf(w->text, sizeof w->text, "%.*s", (int)e->name_len, e->name);
	snprintf(w->path, sizeof w->path, "%.*s", (int)e->target_len, e->target ? e->target : "");
	w->entry.name = w->entry.target = w->entry.unique = NULL;
}

static int next_answer(struct waited *w)
{
	w->entries++;
	if (w->cancel_at == w->entries)
		aftp_op_cancel(w->op);
	return w->answer_at == w->entries ? w->answer : 0;
}

static void add_name(struct waited *w, const char *text)
{
	size_t at = strlen(w->names);

	assert_true(at + strlen(text) < sizeof w->names);
	memcpy(w->names + at, text, strlen(text) + 1);
}

int waited_entry(void *arg, const char *path, const struct aftp_entry *e)
{
	struct waited *w = arg;
	char text[1024];

	assert_false(w->over);
	snprintf(text, sizeof text, " %s%s", path, e->type == AFTP_TYPE_DIR ? "/" : "");
	add_name(w, text);
	return next_answer(w);
}

void waited_walk(void *arg, int status, const struct aftp_walk_result *r)
{
	struct waited *w = arg;

	came(w, status);
	w->walk = *r;
	snprintf(w->path, sizeof w->path, "%s", r->path);
}

int waited_item(void *arg, const char *from, const char *to, int status)
{
	struct waited *w = arg;
	char text[1024];

	assert_false(w->over);
	snprintf(text, sizeof text, " %s>%s=%d", from, to, status);
	add_name(w, text);
	return next_answer(w);
}

void waited_copy(void *arg, int status, const struct aftp_copy_result *r)
{
	struct waited *w = arg;

	came(w, status);
	w->copy = *r;
	snprintf(w->path, sizeof w->path, "%s", r->path);
}

void waited_read(void *arg, ssize_t n, const char *data)
{
	struct waited *w = arg;

	came(w, n < 0 ? (int)n : 0);
	w->n = n;
	w->data = data;
	if (data && n >= 0 && !w->buf)
		snprintf(w->line, sizeof w->line, "%.*s", (int)n, data);
}

void waited_finish(void *arg, int status, int code, const char *message)
{
	struct waited *w = arg;

	came(w, status);
	w->code = code;
	snprintf(w->text, sizeof w->text, "%s", message);
}

void waited_flag(void *arg)
{
	came(arg, 0);
}

int waited_for(struct session_kit *k, struct waited *w, int rc)
{
	assert_int_equal(w->calls, 0);
	if (rc < 0)
		return rc;
	loop_wait(&k->loop, &w->over, "a callback");
	assert_int_equal(w->calls, 1);
	return w->status;
}

/* --- calls that wait ------------------------------------------------------------------------------ */

int session_kit_command(struct session_kit *k, const char *verb, const char *argument, const char *expected, int *code)
{
	struct waited w = { 0 };
	int status = waited_for(k, &w, aftp_session_command(k->s, &w.op, verb, argument, expected, waited_reply, &w));

	if (code)
		*code = w.code;
	return status;
}

int session_kit_list(struct session_kit *k, struct waited *w, const char *path, unsigned flags)
{
	return waited_for(k, w, aftp_session_list(k->s, &w->op, path, flags, waited_entry, waited_walk, w));
}

int session_kit_exists(struct session_kit *k, const char *path)
{
	struct waited w = { 0 };

	return waited_for(k, &w, aftp_session_exists(k->s, NULL, path, waited_op, &w));
}

int session_kit_mkdir(struct session_kit *k, const char *path, unsigned flags)
{
	struct waited w = { 0 };

	return waited_for(k, &w, aftp_session_mkdir(k->s, NULL, path, flags, waited_op, &w));
}

int session_kit_remove(struct session_kit *k, const char *path, unsigned flags)
{
	struct waited w = { 0 };

	return waited_for(k, &w, aftp_session_remove(k->s, NULL, path, flags, waited_op, &w));
}

int session_kit_rename(struct session_kit *k, const char *from, const char *to)
{
	struct waited w = { 0 };

	return waited_for(k, &w, aftp_session_rename(k->s, NULL, from, to, waited_op, &w));
}

int session_kit_download(struct session_kit *k, struct waited *w, const char *from, const char *to, unsigned flags)
{
	return waited_for(k, w, aftp_session_download(k->s, &w->op, from, to, flags, waited_item, waited_copy, w));
}

int session_kit_upload(struct session_kit *k, struct waited *w, const char *from, const char *to, unsigned flags)
{
	return waited_for(k, w, aftp_session_upload(k->s, &w->op, from, to, flags, waited_item, waited_copy, w));
}

ssize_t session_kit_read(struct session_kit *k, struct aftp_data *d, void *buf, size_t cap)
{
	struct waited w = { .buf = buf };
	int status = waited_for(k, &w, aftp_data_read(d, buf, cap, waited_read, &w));

	return status < 0 ? status : w.n;
}

int session_kit_finish(struct session_kit *k, struct aftp_data *d, const char *expected, const char *wait, int *code)
{
	struct waited w = { 0 };
	int status = waited_for(k, &w, aftp_data_finish(d, expected, wait, waited_finish, &w));

	if (code)
		*code = w.code;
	return status;
}

void session_kit_close_data(struct session_kit *k, struct aftp_data **d)
{
	struct waited w = { 0 };

	aftp_data_close(d, waited_flag, &w);
	assert_null(*d);
	(void)waited_for(k, &w, 0);
}

/* --- what is on the server ------------------------------------------------------------------------ */

struct remote {
	const char *path, *target;
	char *data;
	ssize_t n;
	struct aftp_vfs_stat st;
	int64_t sec;
	int rc;
};

static void job_read(struct testd *d, void *arg)
{
	struct remote *r = arg;

	r->rc = aftp_memfs_stat(d->fs, r->path, &r->st);
	if (r->rc < 0)
		return;
	r->data = malloc(r->st.size + 1);
	r->n = r->data ? aftp_memfs_read(d->fs, r->path, 0, r->data, r->st.size) : -ENOMEM;
}

void session_kit_assert_remote(struct session_kit *k, const char *path, const void *data, size_t n)
{
	struct remote r = { .path = path };

	testd_call(&k->d, job_read, &r);
	if (!data) {
		assert_int_equal(r.rc, -ENOENT);
		return;
	}
	if (r.rc < 0)
		fail_msg("%s is not on the server", path);
	assert_int_equal(r.n, n);
	assert_memory_equal(r.data, data, n);
	free(r.data);
}

static void job_symlink(struct testd *d, void *arg)
{
	struct remote *r = arg;

	r->rc = aftp_memfs_symlink(d->fs, r->target, r->path);
}

void session_kit_symlink(struct session_kit *k, const char *target, const char *path)
{
	struct remote r = { .path = path, .target = target };

	testd_call(&k->d, job_symlink, &r);
	assert_int_equal(r.rc, 0);
}

static void job_set_mtime(struct testd *d, void *arg)
{
	struct remote *r = arg;

	r->rc = aftp_memfs_set_mtime(d->fs, r->path, r->sec, 0);
}

void session_kit_set_mtime(struct session_kit *k, const char *path, int64_t sec)
{
	struct remote r = { .path = path, .sec = sec };

	testd_call(&k->d, job_set_mtime, &r);
	assert_int_equal(r.rc, 0);
}

static void job_chmod(struct testd *d, void *arg)
{
	struct remote *r = arg;

	r->rc = aftp_memfs_chmod(d->fs, r->path, (uint32_t)r->sec);
}

void session_kit_chmod(struct session_kit *k, const char *path, uint32_t mode)
{
	struct remote r = { .path = path, .sec = mode };

	testd_call(&k->d, job_chmod, &r);
	assert_int_equal(r.rc, 0);
}

static void job_stat(struct testd *d, void *arg)
{
	struct remote *r = arg;

	r->rc = aftp_memfs_stat(d->fs, r->path, &r->st);
}

int64_t session_kit_mtime(struct session_kit *k, const char *path)
{
	struct remote r = { .path = path };

	testd_call(&k->d, job_stat, &r);
	assert_int_equal(r.rc, 0);
	return r.st.mtime;
}

/* --- local ---------------------------------------------------------------------------------------- */

const char *session_kit_local(struct session_kit *k, const char *name, char *path, size_t size)
{
	const char *tmp = getenv("TMPDIR");

	if (!k->folder[0]) {
		snprintf(k->folder, sizeof k->folder, "%s/session.XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
		assert_non_null(mkdtemp(k->folder));
	}
	snprintf(path, size, "%s%s%s", k->folder, name[0] ? "/" : "", name);
	return path;
}

void session_kit_put_local(struct session_kit *k, const char *name, const void *data, size_t n)
{
	char path[1024];
	int fd;

	session_kit_local(k, name, path, sizeof path);
	for (char *p = path + strlen(k->folder) + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		assert_true(mkdir(path, 0777) == 0 || errno == EEXIST);
		*p = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), n);
	close(fd);
}

void session_kit_assert_local(struct session_kit *k, const char *name, const void *data, size_t n)
{
	char path[1024], *got;
	struct stat st;
	int fd;

	session_kit_local(k, name, path, sizeof path);
	fd = open(path, O_RDONLY);
	if (!data) {
		assert_int_equal(fd, -1);
		return;
	}
	if (fd < 0)
		fail_msg("%s is not here", path);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, n);
	got = malloc(n + 1);
	assert_non_null(got);
	assert_int_equal(read(fd, got, n), n);
	close(fd);
	assert_memory_equal(got, data, n);
	free(got);
}
