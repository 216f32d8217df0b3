#define HASH_NONFATAL_OOM      1
#define uthash_nonfatal_oom(n) ((n)->unlisted = true)

#include "remote/node.h"

#include <aftp/status.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

#include "remote/site.h"

#define KEY_MAX (sizeof(uint64_t) + NAME_MAX * 4) /* FUSE passes names of up to 1024 bytes */

static uint64_t mix(uint64_t h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdull;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53ull;
	return h ^ h >> 33;
}

/* The parent's number is the seed of its children's: no path has to be built to number a child. */
static uint64_t child_hash(const struct node *parent, const char *name)
{
	uint64_t h = mix(parent->ino) ^ 14695981039346656037ull;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 1099511628211ull;
	return mix(h);
}

/* Numbers are hashes already. */
struct node *node_by_ino(struct nodes *t, uint64_t ino)
{
	struct node *n;

	HASH_FIND_BYHASHVALUE(by_ino, t->by_ino, &ino, sizeof ino, (unsigned)ino, n);
	return n;
}

/* Returns the key's length, or 0 when the name is too long to be anybody's. */
static size_t make_key(char key[KEY_MAX], const struct node *parent, const char *name)
{
	size_t len = strlen(name);

	if (len > KEY_MAX - sizeof parent->ino)
		return 0;
	memcpy(key, &parent->ino, sizeof parent->ino);
	memcpy(key + sizeof parent->ino, name, len);
	return sizeof parent->ino + len;
}

static struct node *find_child(struct nodes *t, struct node *parent, const char *name, uint64_t hash)
{
	char key[KEY_MAX];
	size_t len = make_key(key, parent, name);
	struct node *n = NULL;

	if (len)
		HASH_FIND_BYHASHVALUE(by_name, t->by_name, key, len, (unsigned)hash, n);
	return n;
}

struct node *node_child(struct nodes *t, struct node *parent, const char *name)
{
	return find_child(t, parent, name, child_hash(parent, name));
}

static uint64_t free_ino(struct nodes *t, uint64_t hash)
{
	uint64_t ino = hash;

	while (ino <= SITE_ROOT || node_by_ino(t, ino))
		ino++;
	return ino;
}

/* Without strays no look is needed: long directories are full of names that nobody has asked for. */
uint64_t node_child_ino(struct nodes *t, struct node *parent, const char *name)
{
	uint64_t hash = child_hash(parent, name);
	struct node *n;

	if (t->strays == 0 && hash > SITE_ROOT)
		return hash;
	n = find_child(t, parent, name, hash);
	return n ? n->ino : free_ino(t, hash);
}

static void set_stray(struct nodes *t, struct node *n, bool stray)
{
	t->strays = t->strays - n->stray + stray;
	n->stray = stray;
}

static void free_node(struct node *n)
{
	free(n->key);
	free(n->target);
	free(n);
}

/* `unlisted` after the second table: take it out of the first again. */
static bool enlist(struct nodes *t, struct node *n, size_t key_len, uint64_t hash)
{
	HASH_ADD_BYHASHVALUE(by_ino, t->by_ino, ino, sizeof n->ino, (unsigned)n->ino, n);
	if (n->unlisted)
		return false;
	HASH_ADD_KEYPTR_BYHASHVALUE(by_name, t->by_name, n->key, key_len, (unsigned)hash, n);
	if (n->unlisted)
		HASH_DELETE(by_ino, t->by_ino, n);
	return !n->unlisted;
}

static struct node *new_node(struct nodes *t, struct node *parent, uint64_t hash, const char *key, size_t key_len)
{
	struct node *n = calloc(1, sizeof *n);

	if (!n)
		return NULL;
	n->key = malloc(key_len + 1);
	if (!n->key)
		goto fail;
	memcpy(n->key, key, key_len);
	n->key[key_len] = '\0';
	n->name = n->key + (key_len ? sizeof n->ino : 0);
	n->ino = parent ? free_ino(t, hash) : SITE_ROOT;
	if (!enlist(t, n, key_len, hash))
		goto fail;
	n->parent = parent ? node_ref(parent) : NULL;
	set_stray(t, n, parent && n->ino != hash);
	t->count++;
	return n;
fail:
	free_node(n);
	return NULL;
}

struct node *node_get_child(struct nodes *t, struct node *parent, const char *name)
{
	char key[KEY_MAX];
	size_t len = make_key(key, parent, name);
	uint64_t hash = child_hash(parent, name);
	struct node *n = NULL;

	if (!len)
		return NULL;
	HASH_FIND_BYHASHVALUE(by_name, t->by_name, key, len, (unsigned)hash, n);
	return n ? n : new_node(t, parent, hash, key, len);
}

int nodes_init(struct nodes *t, const char *base, size_t max_entries)
{
	*t = (struct nodes){ .max_entries = max_entries };
	t->base = strdup(base);
	if (!t->base)
		return AFTP_ENOMEM;
	t->root = new_node(t, NULL, 0, "", 0);
	if (!t->root) {
		free(t->base);
		t->base = NULL;
		return AFTP_ENOMEM;
	}
	t->root->nlookup = 1;
	attr_directory(&t->root->attr);
	return 0;
}

void nodes_finish(struct nodes *t)
{
	struct node *n, *next;

	HASH_CLEAR(by_name, t->by_name);
	HASH_ITER (by_ino, t->by_ino, n, next) {
		HASH_DELETE(by_ino, t->by_ino, n);
		dirlist_unref(n->list);
		free_node(n);
	}
	free(t->base);
	*t = (struct nodes){ 0 };
}

struct node *node_ref(struct node *n)
{
	n->refs++;
	return n;
}

/* Frees n when nothing needs it, and then perhaps its parents. */
static void reap(struct nodes *t, struct node *n)
{
	while (n != t->root && !n->nlookup && !n->refs && !n->list) {
		struct node *parent = n->parent;

		HASH_DELETE(by_ino, t->by_ino, n);
		if (!n->gone)
			HASH_DELETE(by_name, t->by_name, n);
		set_stray(t, n, false);
		free_node(n);
		t->count--;
		parent->refs--;
		n = parent;
	}
}

void node_unref(struct nodes *t, struct node *n)
{
	if (!n)
		return;
	n->refs--;
	reap(t, n);
}

void node_forget(struct nodes *t, struct node *n, uint64_t nlookup)
{
	n->nlookup -= nlookup < n->nlookup ? nlookup : n->nlookup;
	reap(t, n);
}

static char *prepend(char *end, const char *name)
{
	size_t n = strlen(name);

	end -= n + 1;
	*end = '/';
	memcpy(end + 1, name, n);
	return end;
}

char *node_path(const struct nodes *t, const struct node *n, const char *name)
{
	size_t base = strcmp(t->base, "/") ? strlen(t->base) : 0;
	size_t len = base + (name ? strlen(name) + 1 : 0);
	char *path, *end;

	for (const struct node *p = n; p->parent; p = p->parent)
		len += strlen(p->name) + 1;
	if (len == 0)
		return strdup("/");
	path = malloc(len + 1);
	if (!path)
		return NULL;
	end = path + len;
	*end = '\0';
	if (name)
		end = prepend(end, name);
	for (const struct node *p = n; p->parent; p = p->parent)
		end = prepend(end, p->name);
	memcpy(path, t->base, base);
	return path;
}

void node_set_attr(struct node *n, const struct attr *a, const char *target, uint64_t now)
{
	/* A target that was learned elsewhere stands while the link is the same. */
	bool same = a->type == AFTP_TYPE_LINK && n->attr.type == AFTP_TYPE_LINK && a->mtime == n->attr.mtime;

	n->attr = *a;
	n->attr_at = now;
	if (!target && same)
		return;
	free(n->target);
	n->target = target ? strdup(target) : NULL;
}

static void unlist(struct nodes *t, struct node *n)
{
	t->entries -= dirlist_count(n->list);
	DL_DELETE2(t->lists, n, list_prev, list_next);
	dirlist_unref(n->list);
	n->list = NULL;
}

void node_drop_list(struct nodes *t, struct node *n)
{
	if (n->list)
		unlist(t, n);
	reap(t, n);
}

/* The newest list stays, whatever its size. */
static void make_room(struct nodes *t)
{
	while (t->entries > t->max_entries && t->lists->list_prev != t->lists)
		node_drop_list(t, t->lists->list_prev);
}

void node_set_list(struct nodes *t, struct node *n, struct dirlist *list, uint64_t now)
{
	if (n->list)
		unlist(t, n);
	n->list = dirlist_ref(list);
	n->list_at = now;
	n->singles = 0;
	DL_PREPEND2(t->lists, n, list_prev, list_next);
	t->entries += dirlist_count(list);
	make_room(t);
}

/* --- changes -------------------------------------------------------------------------------------- */

bool node_is_gone(const struct node *n)
{
	while (n && !n->gone)
		n = n->parent;
	return n != NULL;
}

static void leave_name(struct nodes *t, struct node *n)
{
	if (n->gone)
		return;
	HASH_DELETE(by_name, t->by_name, n);
	n->gone = true;
	set_stray(t, n, true);
}

void node_detach(struct nodes *t, struct node *n)
{
	leave_name(t, n);
	node_drop_list(t, n);
}

static int take_name(struct nodes *t, struct node *n, const char *key, size_t len, uint64_t hash)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return AFTP_ENOMEM;
	memcpy(copy, key, len);
	copy[len] = '\0';
	free(n->key);
	n->key = copy;
	n->name = copy + sizeof n->ino;
	n->unlisted = false;
	HASH_ADD_KEYPTR_BYHASHVALUE(by_name, t->by_name, n->key, len, (unsigned)hash, n);
	if (n->unlisted)
		return AFTP_ENOMEM;
	n->gone = false;
	set_stray(t, n, n->ino != hash);
	return 0;
}

int node_move(struct nodes *t, struct node *n, struct node *parent, const char *name)
{
	char key[KEY_MAX];
	size_t len = make_key(key, parent, name);
	struct node *there = node_child(t, parent, name), *before = n->parent;
	int rc;

	if (there == n)
		return 0;
	node_ref(parent);
	if (there)
		node_detach(t, there);
	leave_name(t, n);
	n->parent = parent;
	rc = len ? take_name(t, n, key, len, child_hash(parent, name)) : -ENAMETOOLONG;
	node_unref(t, before);
	return rc;
}

static void note(struct changes *c, const char *name, const struct attr *a, const char *target)
{
	int rc = 0;

	if (!c->put)
		rc = dirlist_new(&c->put);
	if (!rc && !c->removed)
		rc = dirlist_new(&c->removed);
	if (!rc && a) {
		rc = dirlist_set(&c->put, name, a, target);
		if (!rc)
			rc = dirlist_remove(&c->removed, name);
	} else if (!rc) {
		rc = dirlist_set(&c->removed, name, &(struct attr){ 0 }, NULL);
		if (!rc)
			rc = dirlist_remove(&c->put, name);
	}
	if (rc)
		c->lost = true;
}

/* a NULL: it is gone. */
static void list_change(struct nodes *t, struct node *dir, const char *name, const struct attr *a, const char *target)
{
	int rc;

	dir->edits++;
	if (dir->changes)
		note(dir->changes, name, a, target);
	if (!dir->list)
		return;
	t->entries -= dirlist_count(dir->list);
	rc = a ? dirlist_set(&dir->list, name, a, target) : dirlist_remove(&dir->list, name);
	t->entries += dirlist_count(dir->list);
	if (rc)
		dir->list_at = 0; /* it cannot be believed any more */
	DL_DELETE2(t->lists, dir, list_prev, list_next);
	DL_PREPEND2(t->lists, dir, list_prev, list_next);
	make_room(t);
}

void node_list_put(struct nodes *t, struct node *dir, const char *name, const struct attr *a, const char *target)
{
	list_change(t, dir, name, a, target);
}

void node_list_remove(struct nodes *t, struct node *dir, const char *name)
{
	list_change(t, dir, name, NULL, NULL);
}

void node_list_doubt(struct node *dir)
{
	dir->edits++;
	dir->list_at = 0;
	if (dir->changes)
		dir->changes->doubted = true;
}

void node_touch(struct node *dir)
{
	struct node *parent = dir->gone ? NULL : dir->parent;
	struct dirlist_entry e;
	bool listed = parent && parent->list && dirlist_find(parent->list, dir->name, &e) == DIRLIST_HAS;
	struct attr a = listed && parent->list_at > dir->attr_at ? e.attr : dir->attr;

	if (!(a.have & AFTP_HAVE_MTIME))
		return;
	a.mtime = time(NULL);
	a.mtime_nsec = 0;
	dir->attr = a;
	if (listed && dirlist_set(&parent->list, dir->name, &a, NULL))
		parent->list_at = 0;
}
