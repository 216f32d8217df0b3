/* order - in which order does a program go through a directory?
 *
 * Programs take what is in a directory as it was listed, sorted by name (with or without regard to case), or by inode
 * number. Which of these it is shows from what was taken one after the other; then it is known what comes next. */
#ifndef REMOTE_ORDER_H
#define REMOTE_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "remote/node.h"

enum order_kind { ORDER_LISTED, ORDER_NAME, ORDER_FOLDED, ORDER_INO, ORDERS };

struct order {
	struct dirlist *list; /* holds a reference */
	size_t count;         /* of the candidates: those that `wanted` wants, in the order of the list */
	uint32_t *items;      /* their indexes in the list */
	uint32_t *seq[ORDERS], *place[ORDERS]; /* candidate at a place, place of a candidate; NULL: too many to sort */
	unsigned hits[ORDERS];                 /* how often in a row it foretold what came */
	uint32_t last;                         /* the candidate taken last */
	bool began;
};

/* Of the list that dir keeps. 0 or AFTP_ENOMEM. */
int order_new(struct order **out, struct nodes *t, struct node *dir, bool (*wanted)(const struct attr *a));
void order_free(struct order *o); /* accepts NULL */

/* `name` was taken: how often in a row the best order has foretold it; the very first counts when it begins one. 0: not
 * foretold, or no candidate. Taking the same again changes nothing. */
unsigned order_took(struct order *o, const char *name);

/* What the best order says will be taken i places (from 0) after the latest; false when there is no more. */
bool order_next(const struct order *o, size_t i, struct dirlist_entry *e);

/* The same for one of which nothing was taken yet, in an order that was seen elsewhere. */
enum order_kind order_best(const struct order *o);
bool order_at(const struct order *o, enum order_kind kind, size_t i, struct dirlist_entry *e);

#endif
