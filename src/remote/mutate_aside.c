/* mutate_aside - files that lose their names while they are open. FTP opens by name, so such a file is moved to a name that
 * nobody looks for, and deleted when its last holder lets go. */
#include <aftp/status.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "remote/content.h"
#include "remote/mutate.h"

#define CLOSE_MS 10000 /* the most that a site waits for its last deletions */

struct removal {
	struct mutation m;
	struct node *node; /* holds a reference; NULL: never known to anybody */
};

struct closing {
	uv_timer_t timer;
	struct site *site;
	void (*closed)(struct site *s);
};

void mutate_aside_name(char name[ASIDE_SIZE])
{
	uint64_t number = 0;

	/* Without random bytes the address of a variable must do; the server refuses what is there already. */
	if (uv_random(NULL, NULL, &number, sizeof number, 0, NULL) < 0)
		number = uv_hrtime() ^ (uint64_t)(uintptr_t)&number;
	snprintf(name, ASIDE_SIZE, ASIDE_PREFIX "%016" PRIx64, number);
}

bool mutate_is_open(const struct site *s, const struct node *n)
{
	return content_is_open(s, n) || n->writer;
}

/* --- the deletion --------------------------------------------------------------------------------- */

/* Somebody came back to it, by a handle that was still there. */
static bool in_use(const struct mutation *m)
{
	const struct node *n = ((const struct removal *)m)->node;

	return n && mutate_is_open(m->site, n) && !m->site->closing;
}

static void deleted(struct mutation *m)
{
	mutation_end(m, m->reply[0].error);
}

static void begin(struct mutation *m)
{
	if (in_use(m)) {
		mutation_end(m, 0);
		return;
	}
	mutation_send(m, "DELE", m->path);
	mutation_wait(m, deleted);
}

static void free_closing(uv_handle_t *timer)
{
	free(timer->data);
}

static void all_deleted(struct closing *c)
{
	struct site *s = c->site;

	s->linger = NULL;
	uv_close((uv_handle_t *)&c->timer, free_closing);
	c->closed(s);
}

static int end(struct mutation *m, int status)
{
	struct node *n = ((struct removal *)m)->node;
	struct site *s = m->site;

	if (status == 0 || status == AFTP_ENOENT) {
		if (n && !in_use(m))
			node_detach(&s->nodes, n);
	} else {
		aftp_log(&s->log, AFTP_LOG_WARN, "%s: a deleted file is left behind: %s", m->path ? m->path : m->name,
			aftp_strerror(status));
	}
	s->removals--;
	if (s->removals == 0 && s->linger)
		all_deleted(s->linger);
	return 0;
}

static void finish(struct mutation *m)
{
	node_unref(&m->site->nodes, ((struct removal *)m)->node);
}

/* To delete twice does no harm: the name belongs to nobody else. */
static const struct mutation_kind removal = { begin, begin, end, finish };

static void remove_node(struct site *s, struct node *n)
{
	struct removal *r;

	if (!n->doomed || n->gone)
		return;
	r = mutation_new(s, sizeof *r, &removal, n->parent, n->name);
	if (!r) {
		aftp_log(&s->log, AFTP_LOG_WARN, "%s: a deleted file is left behind: out of memory", n->name);
		return;
	}
	r->node = node_ref(n);
	s->removals++;
	mutation_run(&r->m);
}

void mutate_discard(struct site *s, struct node *dir, const char *name)
{
	struct removal *r = s->closing ? NULL : mutation_new(s, sizeof *r, &removal, dir, name);

	if (!r) {
		aftp_log(&s->log, AFTP_LOG_WARN, "%s: a temporary file is left behind", name);
		return;
	}
	s->removals++;
	mutation_run(&r->m);
}

void mutate_released(struct site *s, struct node *n)
{
	if (!mutate_is_open(s, n) && !s->closing)
		remove_node(s, n);
}

void mutate_doom(struct site *s, struct node *n)
{
	n->doomed = true;
	mutate_released(s, n);
}

/* --- the end of the site -------------------------------------------------------------------------- */

static void too_late(uv_timer_t *timer)
{
	all_deleted(timer->data);
}

void mutate_close(struct site *s, void (*closed)(struct site *s))
{
	struct content *c;
	struct closing *closing;

	DL_FOREACH (s->contents, c)
		remove_node(s, c->node);
	closing = s->removals ? calloc(1, sizeof *closing) : NULL;
	if (!closing || uv_timer_init(s->loop, &closing->timer)) {
		free(closing);
		closed(s);
		return;
	}
	closing->site = s;
	closing->closed = closed;
	closing->timer.data = closing;
	s->linger = closing;
	uv_timer_start(&closing->timer, too_late, CLOSE_MS, 0);
}
