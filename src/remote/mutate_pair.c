/* mutate_pair - RNFR and RNTO, in one round trip where the server takes them so. */
#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>

#include "remote/mutate.h"

static void told(struct mutation *m, const struct mutation_reply *r, bool from_refused)
{
	m->pair = mutation_done(r) ? 0 : r->error ? r->error : AFTP_EPROTO;
	if (m->pair && strcasestr(r->text, "cross-device"))
		m->pair = -EXDEV;
	m->pair_reply = *r;
	m->from_refused = from_refused;
	m->pair_next(m);
}

static void on_to(struct mutation *m)
{
	told(m, &m->reply[0], false);
}

static void send_to(struct mutation *m)
{
	mutation_send(m, "RNTO", m->pair_to);
	mutation_wait(m, on_to);
}

static void on_from(struct mutation *m)
{
	if (m->reply[0].error)
		told(m, &m->reply[0], true);
	else
		send_to(m);
}

/* A server that works on several commands at a time may take RNTO before RNFR, or answer so. */
static void on_both(struct mutation *m)
{
	const struct mutation_reply *from = &m->reply[0], *to = &m->reply[1];

	if ((from->error && to->code / 100 == 3) || (!from->error && to->code == 503)) {
		m->site->can.no_pair = true;
		send_to(m); /* RNFR was taken */
	} else if (from->error && !to->error) {
		m->site->can.no_pair = true;
		m->unsure = true;
		mutation_end(m, AFTP_EIO);
	} else {
		told(m, from->error ? from : to, from->error != 0);
	}
}

void mutation_pair(struct mutation *m, const char *from, const char *to, mutation_step *next)
{
	int rc;

	free(m->pair_to);
	m->pair_to = strdup(to);
	m->pair_next = next;
	/* A server that has taken RNFR may refuse all but RNTO from then on. */
	rc = m->pair_to ? aftp_client_check_path(m->client, to) : AFTP_ENOMEM;
	if (rc) {
		mutation_end(m, rc);
		return;
	}
	mutation_send(m, "RNFR", from);
	if (m->site->can.no_pair) {
		mutation_wait(m, on_from);
		return;
	}
	mutation_send(m, "RNTO", to);
	mutation_wait(m, on_both);
}
