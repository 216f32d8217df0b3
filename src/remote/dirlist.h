/* dirlist - one picture of a directory: built once, shared by reference, and then unchanging for all who share it. Who has
 * it while it is built sees it grow.
 *
 * It answers "what is in it" and "is this name in it". Whether a missing name is proof of absence depends
 * on how the listing came about, and is kept with it. */
#ifndef REMOTE_DIRLIST_H
#define REMOTE_DIRLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "remote/attr.h"

struct dirlist; /* reference-counted */

int dirlist_new(struct dirlist **out); /* 0, AFTP_ENOMEM; the caller owns one reference */
struct dirlist *dirlist_ref(struct dirlist *d);
void dirlist_unref(struct dirlist *d); /* accepts NULL */

/* While building. A name with '/' or NUL in it, or an empty one, is dropped and makes the list incomplete; a name
 * seen before replaces. 0, AFTP_ENOMEM, AFTP_ETOOBIG. */
int dirlist_add(struct dirlist *d, const struct aftp_entry *e);
/* Those of `from` that d does not have go behind the others. */
int dirlist_add_missing(struct dirlist *d, const struct dirlist *from);
void dirlist_seal(struct dirlist *d, bool complete, bool shows_hidden);

size_t dirlist_count(const struct dirlist *d); /* without "." and ".." */

bool dirlist_has_dirs(const struct dirlist *d); /* as it came from the server: there may be some later, or none */

struct dirlist_entry {
	const char *name;   /* NUL-ended; lives as long as the list, or until it is changed */
	const char *target; /* of a link; NULL when not told */
	struct attr attr;
};

/* i < dirlist_count(). */
void dirlist_get(const struct dirlist *d, size_t i, struct dirlist_entry *e);

enum dirlist_answer { DIRLIST_HAS, DIRLIST_LACKS, DIRLIST_CANNOT_TELL };
enum dirlist_answer dirlist_find(const struct dirlist *d, const char *name, struct dirlist_entry *e);

/* Where `name` is in it; SIZE_MAX when it is not. */
size_t dirlist_index(const struct dirlist *d, const char *name);

/* What a change on the server did to it. A list that others hold too is copied first, and *d is the copy; the order of
 * the others may change. The time is that of one look-up. target NULL: a link keeps the one it has. 0; AFTP_ENOMEM and
 * AFTP_ETOOBIG leave *d as it was. */
int dirlist_set(struct dirlist **d, const char *name, const struct attr *a, const char *target);
int dirlist_remove(struct dirlist **d, const char *name); /* of a name that is not there: 0 */

/* The attributes of the directory itself, when its "." entry told them. */
bool dirlist_self(const struct dirlist *d, struct attr *a);

#endif
