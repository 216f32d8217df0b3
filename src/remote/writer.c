#include "remote/writer.h"

#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

#include "remote/mutate.h"

#define IDLE_MS     1500 /* a stream without writes is finished and confirmed */
#define MANY_SPOOLS 8
#define LITTLE      (64u * 1024) /* bytes of memory for each spool beyond so many */
#define MANY        1            /* new files within ... */
#define MANY_MS     2000         /* ... of each other, and more are to be expected */
#define USUAL_MODE  0644u        /* what servers give to what is uploaded */

/* --- life ----------------------------------------------------------------------------------------- */

struct writer *writer_get(struct site *s, struct node *n)
{
	struct writer *w = n->writer;

	if (w) {
		w->refs++;
		return w;
	}
	w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->site = s;
	w->node = node_ref(n);
	w->refs = 1;
	w->size = n->attr.have & AFTP_HAVE_SIZE ? n->attr.size : 0;
	w->replaces = true;
	n->writer = w;
	DL_APPEND(s->writers, w);
	site_tick(s);
	return w;
}

void writer_free_block(struct block *b)
{
	if (b->memory.release)
		b->memory.release(b->memory.arg, b->memory.start);
	free(b);
}

static void free_blocks(struct block **list)
{
	while (*list) {
		struct block *b = *list;
		*list = b->next;
		writer_free_block(b);
	}
}

static void drop_blocks(struct writer *w)
{
	free_blocks(&w->first);
	free_blocks(&w->behind);
	w->last = NULL;
}

bool writer_unsaved(const struct writer *w)
{
	return w->state == WRITER_STREAM || (w->state == WRITER_SPOOLED && w->dirty) ||
		(w->state == WRITER_CLEAN && (w->stale || w->behind)) || w->temp;
}

static void drop_temp(struct writer *w)
{
	if (w->temp && w->node->parent)
		mutate_discard(w->site, w->node->parent, w->temp);
	free(w->temp);
	w->temp = NULL;
}

static void free_writer(struct writer *w)
{
	struct site *s = w->site;
	struct node *n = w->node;
	bool lost = writer_unsaved(w);

	if (lost && !n->doomed)
		aftp_log(&s->log, AFTP_LOG_ERROR, "%s: changes are lost", n->name);
	if (w->upload)
		upload_abandon(w->upload);
	if (w->load)
		load_abandon(w->load);
	if (w->setting)
		mutation_abandon(w->setting);
	later_remove(s->later, &w->send);
	drop_temp(w);
	drop_blocks(w);
	spool_free(w->spool);
	n->writer = NULL;
	if (w->state != WRITER_FAILED && !lost)
		n->opened = n->attr; /* the kernel's pages are what was written */
	else if (n->parent && !n->doomed)
		mutation_doubt(s, n->parent, n->name); /* what the server has now is for it to say */
	DL_DELETE(s->writers, w);
	free(w);
	mutate_released(s, n);
	node_unref(&s->nodes, n);
}

void writer_put(struct writer *w)
{
	if (--w->refs == 0 && !w->todo)
		free_writer(w);
}

bool writer_has_content(const struct writer *w)
{
	return w->state != WRITER_CLEAN || w->stale || w->temp || w->behind;
}

char *writer_path(const struct writer *w)
{
	const struct nodes *nodes = &w->site->nodes;

	return w->temp ? node_path(nodes, w->node->parent, w->temp) : node_path(nodes, w->node, NULL);
}

void writer_show(struct writer *w)
{
	struct attr *a = &w->node->attr;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	a->size = w->size;
	a->mtime = now.tv_sec;
	a->mtime_nsec = (uint32_t)now.tv_nsec;
	a->have |= AFTP_HAVE_SIZE | AFTP_HAVE_MTIME;
	w->node->attr_at = site_now(w->site);
}

/* --- what the upload tells ------------------------------------------------------------------------ */

void writer_fail(struct writer *w, int status)
{
	w->state = WRITER_FAILED;
	w->error = status;
	w->node->opened = (struct attr){ 0 }; /* the kernel's pages have what was not saved */
	drop_blocks(w);
	drop_temp(w);
	spool_free(w->spool);
	w->spool = NULL;
	writer_step(w);
}

/* What is known of the file is true from now on, for whoever looks it up. */
static void tell(struct writer *w)
{
	struct node *n = w->node;

	content_written(w->site, n);
	if (n->parent && !n->doomed)
		node_list_put(&w->site->nodes, n->parent, n->name, &n->attr, NULL);
}

/* The server's time is the one that others see. */
static void take_time(struct writer *w, const struct attr *known)
{
	struct attr *a = &w->node->attr;

	if (!known || !(known->have & AFTP_HAVE_MTIME))
		return;
	a->mtime = known->mtime;
	a->mtime_nsec = known->mtime_nsec;
}

void writer_confirmed(struct writer *w, const struct attr *known)
{
	drop_blocks(w);
	w->stale = w->dirty = w->finishing = false;
	w->replaces = true;
	if (w->state == WRITER_STREAM)
		w->state = WRITER_CLEAN;
	writer_show(w);
	take_time(w, known);
	tell(w);
	writer_step(w);
}

void writer_filled(struct writer *w, uint64_t size, const struct attr *known)
{
	w->size = size;
	w->replaces = true;
	writer_show(w);
	take_time(w, known);
	tell(w);
}

void writer_cannot_append(struct writer *w)
{
	w->behind = w->first;
	w->first = w->last = NULL;
	w->size = w->base;
	w->state = WRITER_CLEAN;
	w->finishing = false;
	writer_step(w);
}

/* What was meant to be appended. */
static int take_behind(struct writer *w)
{
	int rc = 0;

	while (w->behind && rc == 0) {
		struct block *b = w->behind;

		rc = spool_write(w->spool, b->off, b->data, b->len);
		w->behind = b->next;
		writer_free_block(b);
		w->dirty = true;
	}
	w->size = spool_size(w->spool);
	return rc;
}

void writer_loaded(struct writer *w, int status, struct spool *spool)
{
	if (status == 0) {
		w->spool = spool;
		w->dirty = false;
		status = take_behind(w);
	}
	if (status < 0) {
		writer_fail(w, status);
		return;
	}
	w->state = WRITER_SPOOLED;
	writer_step(w);
}

/* --- moves between the states --------------------------------------------------------------------- */

static int started(int rc)
{
	return rc < 0 ? rc : 0;
}

int writer_settle_stream(struct writer *w)
{
	if (w->state != WRITER_STREAM)
		return 1;
	w->finishing = true;
	if (w->upload)
		upload_kick(w->upload);
	return 0;
}

/* A whole upload of an atomic site goes to a name of its own. */
static int name_temp(struct writer *w)
{
	char name[ASIDE_SIZE];

	if (!w->site->o.atomic || w->temp || w->node->doomed)
		return 0;
	mutate_aside_name(name);
	w->temp = strdup(name);
	w->published = false;
	return w->temp ? 0 : AFTP_ENOMEM;
}

static int start_upload(struct writer *w)
{
	bool whole = w->state == WRITER_SPOOLED || !w->append;
	int rc = whole ? name_temp(w) : 0;

	return rc ? rc : upload_start(w);
}

bool writer_may_stream(const struct writer *w)
{
	const struct site *s = w->site;

	if (w->state != WRITER_CLEAN || w->behind || !upload_may_stream(s))
		return false;
	/* It would be appended to what is there. */
	return w->stale || w->size == 0 || (!s->can.no_append && (!s->o.atomic || w->temp || w->node->doomed));
}

int writer_open_stream(struct writer *w)
{
	int rc;

	w->state = WRITER_STREAM;
	w->append = !w->stale && w->size > 0;
	w->base = w->sent = w->append ? w->size : 0;
	w->finishing = false;
	w->by_append = true;
	w->busy_at = site_now(w->site);
	rc = start_upload(w);
	if (rc < 0)
		w->state = WRITER_CLEAN;
	return rc;
}

/* Many files that are open at once must not each take all that one may. */
int writer_new_spool(const struct writer *w, struct spool **out)
{
	size_t memory = w->site->o.spool_memory;
	const struct writer *other;
	unsigned n = 0;

	DL_FOREACH (w->site->writers, other)
		n += other->state == WRITER_SPOOLED;
	return spool_new(out, n < MANY_SPOOLS || memory < LITTLE ? memory : LITTLE, w->site->spool_fd);
}

int writer_become_spooled(struct writer *w)
{
	int rc = writer_settle_stream(w);

	if (rc != 1 || w->state == WRITER_SPOOLED)
		return rc;
	if (w->load)
		return 0;
	if (!w->stale && w->size > 0)
		return started(load_start(w));
	rc = writer_new_spool(w, &w->spool);
	if (rc)
		return rc;
	w->state = WRITER_SPOOLED;
	w->dirty = w->stale;
	return 1;
}

static void on_set(void *arg, int status)
{
	struct writer *w = arg;

	(void)status; /* what the server cannot do, it need not */
	w->setting = NULL;
	writer_step(w);
}

int writer_set_mode(struct writer *w)
{
	if (!w->mode_due && !w->setting)
		return 1;
	if (w->setting)
		return 0;
	w->mode_due = false;
	w->setting = mutate_mode(w->site, w->node, w->mode, on_set, w);
	return w->setting ? 0 : 1;
}

static void on_published(void *arg, int status)
{
	struct writer *w = arg;

	w->setting = NULL;
	if (status < 0) {
		aftp_log(&w->site->log, AFTP_LOG_ERROR, "%s: the new content could not get its name: %s", w->node->name,
			aftp_strerror(status));
		writer_fail(w, status);
		return;
	}
	free(w->temp);
	w->temp = NULL;
	tell(w);
	writer_step(w);
}

static int publish(struct writer *w)
{
	if (!w->temp)
		return 1;
	if (w->setting)
		return 0;
	/* What replaces another shall be as open to others as that was. */
	if (w->node->attr.have & AFTP_HAVE_MODE && !w->mode_due && w->node->attr.mode != USUAL_MODE) {
		w->mode = w->node->attr.mode;
		w->mode_due = true;
	}
	w->setting = mutate_publish(w->site, w->node, w->temp, on_published, w);
	return w->setting ? 0 : AFTP_ENOMEM;
}

int writer_save(struct writer *w)
{
	int rc;

	if (w->upload)
		return w->state == WRITER_STREAM ? writer_settle_stream(w) : 0;
	if (w->behind) {
		rc = writer_become_spooled(w);
		if (rc != 1)
			return rc;
	}
	if (w->state == WRITER_SPOOLED && w->dirty)
		return started(start_upload(w));
	if (w->state == WRITER_CLEAN && w->stale) {
		rc = writer_open_stream(w);
		return rc < 0 ? rc : writer_settle_stream(w);
	}
	return publish(w);
}

/* Files made one after the other: each goes faster on a connection that has had the time to prepare for it. */
static void expect_more(struct site *s)
{
	s->creating = site_now(s) - s->created_at < MANY_MS ? s->creating + 1 : 0;
	s->created_at = site_now(s);
	if (s->creating >= MANY)
		pool_expect(s->pool);
}

void writer_created(struct writer *w, mode_t mode)
{
	expect_more(w->site);
	w->size = 0;
	w->stale = true;
	w->replaces = false;
	w->mode = mode & 0777;
	w->mode_due = w->mode != USUAL_MODE;
	writer_show(w);
	if (writer_may_stream(w))
		(void)writer_open_stream(w); /* else the first write, or the flush, tries again */
}

/* --- time ----------------------------------------------------------------------------------------- */

static bool is_idle(const struct writer *w)
{
	return w->state == WRITER_STREAM && !w->finishing && site_now(w->site) - w->busy_at > IDLE_MS;
}

void writers_tick(struct site *s)
{
	struct writer *w, *next;

	DL_FOREACH_SAFE (s->writers, w, next) {
		if (w->upload)
			upload_settle(w->upload);
		if (!s->can.no_append && is_idle(w))
			writer_settle_stream(w);
	}
}

void writers_close(struct site *s)
{
	while (s->writers)
		free_writer(s->writers);
}
