/* wire_slot - what becomes of the slots that commands have, one for each reply that is owed. */
#include <aftp/status.h>
#include <stdlib.h>
#include <utlist.h>

#include "client/wire.h"

static struct wire_slot *take_slot(struct wire *w)
{
	struct wire_slot *slot = w->slots;

	if (!slot)
		return NULL;
	DL_DELETE(w->slots, slot);
	w->owed--;
	if (w->unsent > w->owed)
		w->unsent = w->owed;
	w->early = 0;
	return slot;
}

void wire_settle(struct wire *w)
{
	free(take_slot(w));
}

static void give_up(struct wire_slot *slot, int status)
{
	if (slot->cb)
		slot->cb(slot->arg, status, NULL);
	free(slot);
}

void wire_give_up_next(struct wire *w, int status)
{
	struct wire_slot *slot = w->owed - w->unsent > 1 ? w->slots->next : NULL;

	if (!slot) {
		wire_lose(w, AFTP_EPROTO, "a reply to nothing");
		return;
	}
	DL_DELETE(w->slots, slot);
	w->owed--;
	give_up(slot, status);
}

bool wire_busy(const struct wire *w)
{
	const struct wire_slot *slot;

	DL_FOREACH (w->slots, slot)
		if (!(slot->flags & WIRE_OWN))
			return true;
	return false;
}

void wire_fail(struct wire *w, int status)
{
	struct wire_slot *slot;

	while ((slot = take_slot(w)) != NULL)
		give_up(slot, status);
}

/* A callback may add slots, at the end: they are left alone. */
void wire_detach(struct wire *w, int status)
{
	unsigned n = w->owed;
	struct wire_slot *slot = w->slots;

	for (; slot && n > 0; slot = slot->next, n--) {
		wire_reply_cb *cb = slot->cb;

		slot->cb = NULL;
		slot->flags = 0;
		if (cb)
			cb(slot->arg, status, NULL);
	}
}
