/* transport - how the server is reached, out of the options: TLS and whom it trusts, a proxy, active mode, limits of
 * speed. What does not go together is refused: an option that promises protection must not be without effect. */
#ifndef MOUNT_TRANSPORT_H
#define MOUNT_TRANSPORT_H

#include <stddef.h>

#include "mount/options.h"
#include "remote/site.h"

struct transport {
	struct site_transport site; /* points into this struct and into the options */
	struct aftp_url proxy;
	char *proxy_user, *proxy_password; /* of -o proxy_user= */
	unsigned max_conns;
};

/* Reads certificates and keys, so it runs first of all, where relative names still mean what the user meant. Ended with
 * transport_finish() in every case. 0, or < 0 with one line in `why`; AFTP_EINVAL: the options are wrong. */
int transport_init(struct transport *t, const struct options *o, char *why, size_t size);
void transport_finish(struct transport *t);

/* What a user who has weakened the protection should know, one line; NULL when there is nothing, or nothing more
 * (`n` counts from 0). */
const char *transport_warning(const struct options *o, unsigned n);

/* Turns what the library says of a refused certificate into what a user of this program can do about it. */
void transport_explain(char *out, size_t size, const char *why);

#endif
