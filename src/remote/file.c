/* file - the handles of open files: open, create, write, flush, release. */
#include <aftp/status.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

#include "remote/content.h"
#include "remote/writer.h"

struct open_op {
	struct site_op op;
	struct site_op *inner; /* a look, or O_TRUNC */
	uint64_t ino;
	int flags;
	bool waits; /* for reads */
	struct site_open_result result;
	site_open_cb *cb;
	void *arg;
};

static void open_end(struct site_op *op)
{
	struct open_op *o = (struct open_op *)op;
	struct site_open_result result = o->result;
	site_open_cb *cb = o->cb;
	void *arg = o->arg;
	int status = op->status;

	op_free(op);
	if (status < 0 && result.file)
		site_release(result.file);
	cb(arg, status, status ? NULL : &result);
}

static bool wants_write(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;
}

static int may_open(const struct site *s, const struct node *n, int flags)
{
	if (wants_write(flags) && s->o.read_only)
		return -EROFS;
	if (n->attr.type == AFTP_TYPE_DIR)
		return -EISDIR;
	return n->attr.type == AFTP_TYPE_LINK ? -ELOOP : 0;
}

static bool unchanged(const struct attr *a, const struct attr *b)
{
	return a->type == b->type && a->size == b->size && a->mtime == b->mtime && a->mtime_nsec == b->mtime_nsec &&
		a->have & b->have & AFTP_HAVE_MTIME && a->have & b->have & AFTP_HAVE_SIZE;
}

/* A handle on n; NULL when out of memory. */
static struct site_file *new_file(struct site *s, struct node *n, int flags)
{
	struct site_file *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	f->content = content_of(s, n);
	if (f->content && wants_write(flags))
		f->writer = writer_get(s, n);
	if (!f->content || (wants_write(flags) && !f->writer)) {
		if (f->content && !f->content->handles)
			content_free(f->content);
		free(f);
		return NULL;
	}
	f->append = flags & O_APPEND;
	f->content->handles++;
	DL_APPEND(f->content->files, f);
	return f;
}

/* A file that was changed just now can change again, and keep its size and time. */
enum { MTIME_STEP = 2 };

static void fill_result(struct site_open_result *r, struct site_file *f)
{
	struct node *n = f->content->node;

	*r = (struct site_open_result){
		.file = f,
		.keep_cache = (n->writer && n->writer->state != WRITER_FAILED) || unchanged(&n->attr, &n->opened),
		.unknown_size = f->content->version.size == UNKNOWN_SIZE,
	};
	n->opened = n->attr;
	if (!r->keep_cache && n->attr.mtime + MTIME_STEP >= time(NULL))
		n->opened.have &= ~AFTP_HAVE_MTIME;
}

static bool must_wait(const struct open_op *o)
{
	const struct site_open_result *r = &o->result;

	return (!r->keep_cache || o->flags & O_TRUNC) && !o->op.site->o.uncached && !r->unknown_size &&
		content_is_read(r->file->content, &o->op);
}

/* When the file has been opened the kernel drops its pages, and waits for those that are being read: nothing could
 * interrupt that. So the open waits here, where it can be. */
static void opened(struct open_op *o)
{
	if (must_wait(o)) {
		o->waits = true;
		o->op.site->gated++;
	} else {
		op_complete(&o->op, 0);
	}
}

void file_read_ended(struct site *s)
{
	struct site_op *op;
	struct open_op *o;

	DL_FOREACH (s->ops, op) {
		o = (struct open_op *)op;
		if (op->run != open_end || !o->waits || must_wait(o))
			continue;
		o->waits = false;
		s->gated--;
		op_complete(op, 0);
	}
}

static void on_emptied(void *arg, int status)
{
	struct open_op *o = arg;

	o->inner = NULL;
	if (status == 0 && !o->op.completed)
		opened(o);
	else
		op_complete(&o->op, status);
}

static void open_detach(struct site_op *op)
{
	struct open_op *o = (struct open_op *)op;

	if (o->inner)
		site_cancel(o->inner);
	if (o->waits)
		op->site->gated--;
	o->waits = false;
}

static int open_node(struct open_op *o, struct node *n)
{
	struct site *s = o->op.site;
	int rc = may_open(s, n, o->flags);
	struct site_file *f;

	peek_check(s, n);
	f = rc ? NULL : new_file(s, n, o->flags);
	if (!f)
		return rc ? rc : AFTP_ENOMEM;
	fill_result(&o->result, f);
	if (wants_write(o->flags))
		peek_drop(s, n);
	else
		peek_opened(s, n);
	if (o->flags & O_TRUNC)
		return writer_resize(f->writer, 0, &o->inner, on_emptied, o);
	opened(o);
	return 0;
}

/* Close-to-open: the server has told what is there now. */
static void on_seen(void *arg, int status, const struct site_attr *attr)
{
	struct open_op *o = arg;
	struct nodes *nodes = &o->op.site->nodes;
	struct node *n = node_by_ino(nodes, o->ino);

	(void)attr;
	o->inner = NULL;
	if (o->op.completed)
		return;
	if (status == AFTP_ENOENT && n && n->parent) {
		node_list_remove(nodes, n->parent, n->name);
		n->attr_at = 0;
	}
	if (status == AFTP_ENOENT || !n)
		status = -ESTALE; /* the name is looked up once more */
	else if (status == 0)
		status = open_node(o, n);
	if (status < 0)
		op_complete(&o->op, status);
}

int site_open(struct site *s, uint64_t ino, int flags, struct site_op **op, site_open_cb *cb, void *arg)
{
	struct node *n = node_by_ino(&s->nodes, ino);
	struct open_op *o;
	int rc;

	if (!n || s->closing || node_is_gone(n))
		return -ESTALE;
	rc = may_open(s, n, flags);
	if (rc)
		return rc;
	o = op_new(s, sizeof *o, open_end, op);
	if (!o)
		return AFTP_ENOMEM;
	o->ino = ino;
	o->flags = flags;
	o->cb = cb;
	o->arg = arg;
	o->op.detach = open_detach;
	if (s->o.close_to_open && n->parent && !n->doomed && !n->content && !n->writer)
		rc = lookup_again(s, n, &o->inner, on_seen, o);
	else
		rc = open_node(o, n);
	if (rc)
		op_complete(&o->op, rc);
	return 0;
}

/* --- create --------------------------------------------------------------------------------------- */

struct create_op {
	struct site_op op;
	struct site_op *inner; /* the look at what is there */
	struct node *dir;      /* holds a reference */
	char *name;
	mode_t mode;
	int flags;
	struct site_open_result result;
	struct site_attr attr;
	site_create_cb *cb;
	void *arg;
};

static void create_end(struct site_op *op)
{
	struct create_op *k = (struct create_op *)op;
	struct site *s = op->site;
	site_create_cb *cb = k->cb;
	void *arg = k->arg;
	struct site_open_result result = k->result;
	struct site_attr attr = k->attr;
	int status = op->status;

	if (status < 0 && result.file) {
		node_forget(&s->nodes, result.file->content->node, 1);
		site_release(result.file);
	}
	node_unref(&s->nodes, k->dir);
	free(k->name);
	op_free(op);
	cb(arg, status, status < 0 ? NULL : &attr, status < 0 ? NULL : &result);
}

static void make_new(struct node *n)
{
	n->attr = (struct attr){ .type = AFTP_TYPE_FILE, .have = AFTP_HAVE_SIZE };
}

/* n has a lookup count for the kernel. */
static void create_opened(struct create_op *k, struct node *n)
{
	struct site *s = k->op.site;
	int rc = may_open(s, n, k->flags | O_WRONLY);

	k->result.file = rc ? NULL : new_file(s, n, k->flags | O_WRONLY);
	if (!k->result.file) {
		node_forget(&s->nodes, n, 1);
		op_complete(&k->op, rc ? rc : AFTP_ENOMEM);
		return;
	}
	fill_result(&k->result, k->result.file);
	site_fill_attr(s, n, &k->attr);
}

static void create_emptied(void *arg, int status)
{
	struct create_op *k = arg;

	k->inner = NULL;
	if (status == 0)
		site_fill_attr(k->op.site, k->result.file->content->node, &k->attr);
	op_complete(&k->op, status);
}

static void create_new(struct create_op *k)
{
	struct site *s = k->op.site;
	struct node *n = node_get_child(&s->nodes, k->dir, k->name);

	if (!n) {
		op_complete(&k->op, AFTP_ENOMEM);
		return;
	}
	make_new(n);
	n->nlookup++;
	create_opened(k, n);
	if (!k->result.file)
		return;
	writer_created(k->result.file->writer, k->mode);
	node_list_put(&s->nodes, k->dir, k->name, &n->attr, NULL);
	node_touch(k->dir);
	op_complete(&k->op, 0);
}

/* The lookup has counted for the kernel; that is ours to give back unless the file is opened. */
static void create_looked(void *arg, int status, const struct site_attr *attr)
{
	struct create_op *k = arg;
	struct site *s = k->op.site;
	struct node *n;

	k->inner = NULL;
	if (k->op.completed || (status < 0 && status != AFTP_ENOENT) || (status == 0 && k->flags & O_EXCL)) {
		if (status == 0)
			site_forget(s, attr->st.st_ino, 1);
		op_complete(&k->op, status == 0 ? -EEXIST : status);
		return;
	}
	if (status == AFTP_ENOENT) {
		create_new(k);
		return;
	}
	n = node_by_ino(&s->nodes, attr->st.st_ino);
	if (!n) {
		op_complete(&k->op, -ESTALE);
		return;
	}
	create_opened(k, n);
	if (k->result.file && k->flags & O_TRUNC)
		status = writer_resize(k->result.file->writer, 0, &k->inner, create_emptied, k);
	if (status < 0 || !(k->flags & O_TRUNC))
		op_complete(&k->op, status);
}

static void create_detach(struct site_op *op)
{
	struct create_op *k = (struct create_op *)op;

	if (k->inner)
		site_cancel(k->inner);
}

int site_create(struct site *s, uint64_t parent, const char *name, mode_t mode, int flags, struct site_op **op,
	site_create_cb *cb, void *arg)
{
	struct node *dir = node_by_ino(&s->nodes, parent);
	struct create_op *k;
	int rc;

	if (!dir || s->closing || node_is_gone(dir))
		return -ESTALE;
	rc = s->o.read_only ? -EROFS : site_check_name(s, name);
	if (rc)
		return rc;
	k = op_new(s, sizeof *k, create_end, op);
	if (!k)
		return AFTP_ENOMEM;
	k->name = strdup(name);
	if (!k->name) {
		op_free(&k->op);
		return AFTP_ENOMEM;
	}
	k->dir = node_ref(dir);
	k->mode = mode;
	k->flags = flags;
	k->cb = cb;
	k->arg = arg;
	k->op.detach = create_detach;
	rc = lookup_start(s, dir, name, &k->inner, create_looked, k);
	if (rc)
		op_complete(&k->op, rc);
	return 0;
}

/* --- write ---------------------------------------------------------------------------------------- */

int site_write(struct site_file *f, uint64_t off, const struct site_bytes *bytes, struct site_op **op,
	site_write_cb *cb, void *arg)
{
	if (!f->writer)
		return -EBADF;
	return writer_write(f->writer, f->append, off, bytes, op, cb, arg);
}

struct flush_op {
	struct site_op op;
	site_done_cb *cb;
	void *arg;
};

static void flush_end(struct site_op *op)
{
	struct flush_op *k = (struct flush_op *)op;
	site_done_cb *cb = k->cb;
	void *arg = k->arg;
	int status = op->status;

	op_free(op);
	cb(arg, status);
}

int site_flush(struct site_file *f, struct site_op **op, site_done_cb *cb, void *arg)
{
	struct flush_op *k;

	if (f->writer)
		return writer_flush(f->writer, op, cb, arg);
	k = op_new(f->content->site, sizeof *k, flush_end, op);
	if (!k)
		return AFTP_ENOMEM;
	k->cb = cb;
	k->arg = arg;
	op_complete(&k->op, 0);
	return 0;
}

struct writer *file_writer(const struct site_file *f)
{
	return f->writer;
}

char *site_file_path(const struct site_file *f)
{
	return node_path(&f->content->site->nodes, f->content->node, NULL);
}

bool site_file_unsaved(const struct site_file *f)
{
	return f->writer && writer_unsaved(f->writer) && !f->content->node->doomed;
}

void site_release(struct site_file *f)
{
	struct content *c = f->content;

	DL_DELETE(c->files, f);
	if (f->writer)
		writer_put(f->writer);
	free(f);
	content_put(c);
}
