#include "remote/dirlist.h"

#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ENTRIES (16u * 1024 * 1024)
#define MAX_NAMES   (2048u * 1024 * 1024 - 1)
#define NONE        UINT32_MAX

struct item {
	struct attr attr;
	uint32_t name;   /* offset in names */
	uint32_t target; /* offset in names, or NONE */
};

struct slot {
	uint32_t hash;
	uint32_t item; /* its index, or NONE */
};

struct dirlist {
	unsigned refs;
	bool complete, shows_hidden, has_self, has_dirs;
	struct attr self;
	struct item *items;
	size_t count, cap;
	char *names;
	size_t names_len, names_cap;
	size_t unused;      /* bytes of names that nothing points to any more */
	struct slot *slots; /* open addressing; a power of two, at most half full */
	size_t slot_count;
};

int dirlist_new(struct dirlist **out)
{
	struct dirlist *d = calloc(1, sizeof *d);

	if (!d)
		return AFTP_ENOMEM;
	d->refs = 1;
	d->complete = true;
	*out = d;
	return 0;
}

struct dirlist *dirlist_ref(struct dirlist *d)
{
	d->refs++;
	return d;
}

void dirlist_unref(struct dirlist *d)
{
	if (!d || --d->refs > 0)
		return;
	free(d->items);
	free(d->names);
	free(d->slots);
	free(d);
}

static uint32_t hash_bytes(const char *s, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)s[i]) * 16777619u;
	return h ^ h >> 15;
}

static struct slot *find_slot(const struct dirlist *d, const char *name, size_t len, uint32_t hash)
{
	size_t mask = d->slot_count - 1;

	for (size_t at = hash & mask;; at = (at + 1) & mask) {
		struct slot *slot = &d->slots[at];
		if (slot->item == NONE)
			return slot;
		if (slot->hash == hash && !strncmp(d->names + d->items[slot->item].name, name, len) &&
			d->names[d->items[slot->item].name + len] == '\0')
			return slot;
	}
}

static int grow_slots(struct dirlist *d)
{
	size_t want = d->slot_count ? d->slot_count * 2 : 64;
	struct slot *slots = malloc(want * sizeof *slots);

	if (!slots)
		return AFTP_ENOMEM;
	memset(slots, 0xff, want * sizeof *slots);
	for (size_t i = 0; i < d->slot_count; i++) {
		size_t at = d->slots[i].hash & (want - 1);
		if (d->slots[i].item == NONE)
			continue;
		while (slots[at].item != NONE)
			at = (at + 1) & (want - 1);
		slots[at] = d->slots[i];
	}
	free(d->slots);
	d->slots = slots;
	d->slot_count = want;
	return 0;
}

static int grow_items(struct dirlist *d)
{
	size_t want = d->cap ? d->cap * 2 : 32;
	struct item *items;

	if (d->count >= MAX_ENTRIES)
		return AFTP_ETOOBIG;
	items = realloc(d->items, want * sizeof *items);
	if (!items)
		return AFTP_ENOMEM;
	d->items = items;
	d->cap = want;
	return 0;
}

static int keep_string(struct dirlist *d, const char *s, size_t n, uint32_t *at)
{
	if (n >= MAX_NAMES - d->names_len)
		return AFTP_ETOOBIG;
	if (d->names_len + n + 1 > d->names_cap) {
		size_t want = (d->names_len + n + 1) * 2 + 512;
		char *names = realloc(d->names, want);
		if (!names)
			return AFTP_ENOMEM;
		d->names = names;
		d->names_cap = want;
	}
	*at = (uint32_t)d->names_len;
	memcpy(d->names + d->names_len, s, n);
	d->names[d->names_len + n] = '\0';
	d->names_len += n + 1;
	return 0;
}

static bool usable_name(const struct aftp_entry *e)
{
	return e->name_len > 0 && !memchr(e->name, '/', e->name_len) && !memchr(e->name, '\0', e->name_len);
}

static size_t string_size(const struct dirlist *d, uint32_t at)
{
	return at == NONE ? 0 : strlen(d->names + at) + 1;
}

static void drop_string(struct dirlist *d, uint32_t at)
{
	d->unused += string_size(d, at);
}

struct bytes {
	const char *s; /* NULL: there are none */
	size_t n;
};

static int put(struct dirlist *d, struct bytes name, const struct attr *a, struct bytes target)
{
	struct slot found = { .hash = hash_bytes(name.s, name.n), .item = NONE }, *slot;
	struct item item = { .attr = *a, .target = NONE }, *old;
	int rc = 0;

	if (d->count == d->cap)
		rc = grow_items(d);
	if (!rc && d->count * 2 >= d->slot_count)
		rc = grow_slots(d);
	if (!rc && target.s)
		rc = keep_string(d, target.s, target.n, &item.target);
	if (rc)
		return rc;
	slot = find_slot(d, name.s, name.n, found.hash);
	if (slot->item == NONE) {
		rc = keep_string(d, name.s, name.n, &item.name);
		if (rc) {
			drop_string(d, item.target);
			return rc;
		}
		found.item = (uint32_t)d->count++;
		*slot = found;
	} else {
		old = &d->items[slot->item];
		item.name = old->name;
		if (!target.s && a->type == AFTP_TYPE_LINK && old->attr.type == AFTP_TYPE_LINK)
			item.target = old->target;
		else
			drop_string(d, old->target);
	}
	d->items[slot->item] = item;
	return 0;
}

int dirlist_add(struct dirlist *d, const struct aftp_entry *e)
{
	struct bytes target = { NULL, 0 };
	struct attr a;

	attr_from_entry(&a, e);
	if (e->dot) {
		if (e->name_len == 1 && e->name[0] == '.' && !d->has_self) {
			d->self = a;
			d->has_self = true;
		}
		return 0;
	}
	if (!usable_name(e)) {
		d->complete = false;
		return 0;
	}
	if (e->target && !memchr(e->target, '\0', e->target_len))
		target = (struct bytes){ e->target, e->target_len };
	d->has_dirs |= a.type == AFTP_TYPE_DIR;
	return put(d, (struct bytes){ e->name, e->name_len }, &a, target);
}

void dirlist_seal(struct dirlist *d, bool complete, bool shows_hidden)
{
	d->complete = d->complete && complete;
	d->shows_hidden = shows_hidden;
}

size_t dirlist_count(const struct dirlist *d)
{
	return d->count;
}

bool dirlist_has_dirs(const struct dirlist *d)
{
	return d->has_dirs;
}

void dirlist_get(const struct dirlist *d, size_t i, struct dirlist_entry *e)
{
	const struct item *item = &d->items[i];

	e->name = d->names + item->name;
	e->target = item->target == NONE ? NULL : d->names + item->target;
	e->attr = item->attr;
}

static struct slot *slot_of(const struct dirlist *d, const char *name)
{
	size_t len = strlen(name);
	struct slot *slot = d->slot_count ? find_slot(d, name, len, hash_bytes(name, len)) : NULL;

	return slot && slot->item != NONE ? slot : NULL;
}

enum dirlist_answer dirlist_find(const struct dirlist *d, const char *name, struct dirlist_entry *e)
{
	const struct slot *slot = slot_of(d, name);

	if (slot) {
		dirlist_get(d, slot->item, e);
		return DIRLIST_HAS;
	}
	return d->complete && (d->shows_hidden || name[0] != '.') ? DIRLIST_LACKS : DIRLIST_CANNOT_TELL;
}

size_t dirlist_index(const struct dirlist *d, const char *name)
{
	const struct slot *slot = slot_of(d, name);

	return slot ? slot->item : SIZE_MAX;
}

/* --- changes -------------------------------------------------------------------------------------- */

static uint32_t move_string(const struct dirlist *d, uint32_t at, char *to, size_t *len)
{
	size_t size = string_size(d, at);
	uint32_t moved = (uint32_t)*len;

	if (at == NONE)
		return NONE;
	memcpy(to + *len, d->names + at, size);
	*len += size;
	return moved;
}

/* Writes the strings that are in use to `to`, and where they are now to `items`. */
static size_t move_strings(const struct dirlist *d, struct item *items, char *to)
{
	size_t len = 0;

	for (size_t i = 0; i < d->count; i++) {
		items[i].name = move_string(d, d->items[i].name, to, &len);
		items[i].target = move_string(d, d->items[i].target, to, &len);
	}
	return len;
}

static struct dirlist *copy(const struct dirlist *d)
{
	struct dirlist *c = malloc(sizeof *c);

	if (!c)
		return NULL;
	*c = *d;
	c->refs = 1;
	c->unused = 0;
	c->names_cap = d->names_len - d->unused + 64;
	c->items = d->cap ? malloc(d->cap * sizeof *c->items) : NULL;
	c->slots = d->slot_count ? malloc(d->slot_count * sizeof *c->slots) : NULL;
	c->names = malloc(c->names_cap);
	if ((d->cap && !c->items) || (d->slot_count && !c->slots) || !c->names) {
		dirlist_unref(c);
		return NULL;
	}
	if (d->count)
		memcpy(c->items, d->items, d->count * sizeof *c->items);
	if (d->slot_count)
		memcpy(c->slots, d->slots, d->slot_count * sizeof *c->slots);
	c->names_len = move_strings(d, c->items, c->names);
	return c;
}

static int make_own(struct dirlist **d)
{
	struct dirlist *c;

	if ((*d)->refs == 1)
		return 0;
	c = copy(*d);
	if (!c)
		return AFTP_ENOMEM;
	dirlist_unref(*d);
	*d = c;
	return 0;
}

/* When half of the strings are waste. Without memory it can wait. */
static void tidy_names(struct dirlist *d)
{
	char *names;

	if (d->unused < 4096 || d->unused < d->names_len / 2)
		return;
	names = malloc(d->names_len - d->unused + 64);
	if (!names)
		return;
	d->names_cap = d->names_len - d->unused + 64;
	d->names_len = move_strings(d, d->items, names);
	d->unused = 0;
	free(d->names);
	d->names = names;
}

static struct bytes bytes_of(const char *s)
{
	return (struct bytes){ s, s ? strlen(s) : 0 };
}

int dirlist_set(struct dirlist **d, const char *name, const struct attr *a, const char *target)
{
	int rc = make_own(d);

	if (!rc)
		rc = put(*d, bytes_of(name), a, bytes_of(target));
	if (!rc)
		tidy_names(*d);
	return rc;
}

int dirlist_add_missing(struct dirlist *d, const struct dirlist *from)
{
	struct dirlist_entry e;
	int rc = 0;

	for (size_t i = 0; !rc && i < from->count; i++) {
		dirlist_get(from, i, &e);
		if (dirlist_index(d, e.name) == SIZE_MAX)
			rc = put(d, bytes_of(e.name), &e.attr, bytes_of(e.target));
	}
	return rc;
}

/* What was pushed on by the one that goes moves back. */
static void free_slot(struct dirlist *d, size_t hole)
{
	size_t mask = d->slot_count - 1;

	for (size_t at = (hole + 1) & mask; d->slots[at].item != NONE; at = (at + 1) & mask) {
		size_t home = d->slots[at].hash & mask;
		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		d->slots[hole] = d->slots[at];
		hole = at;
	}
	d->slots[hole].item = NONE;
}

int dirlist_remove(struct dirlist **dp, const char *name)
{
	struct slot *slot = slot_of(*dp, name);
	struct dirlist *d;
	size_t i, last;
	int rc;

	if (!slot)
		return 0;
	rc = make_own(dp);
	if (rc)
		return rc;
	d = *dp;
	slot = slot_of(d, name);
	i = slot->item;
	last = d->count - 1;
	free_slot(d, (size_t)(slot - d->slots));
	drop_string(d, d->items[i].name);
	drop_string(d, d->items[i].target);
	if (i != last) {
		slot_of(d, d->names + d->items[last].name)->item = (uint32_t)i;
		d->items[i] = d->items[last];
	}
	d->count--;
	tidy_names(d);
	return 0;
}

bool dirlist_self(const struct dirlist *d, struct attr *a)
{
	if (d->has_self)
		*a = d->self;
	return d->has_self;
}
