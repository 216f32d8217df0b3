/* dial - from a host name to a connected stream: every address in turn, each within its own limit. Through a proxy, it is
 * the proxy's name that is looked up here, and the host's there. */
#ifndef CLIENT_DIAL_H
#define CLIENT_DIAL_H

#include <stdint.h>
#include <uv.h>

#include <aftp/stream.h>

#include "stream/proxy.h"

enum { DIAL_ADDRESSES_MAX = 8 };

struct dial;

/* Strings and settings live as long as the dial. */
struct dial_target {
	const char *host;
	uint16_t port;
	const struct proxy_settings *proxy; /* of kind PROXY_NONE: none */
};

/* status 0: `stream` is connected, and now belongs to the callback. < 0: AFTP_ERESOLVE, or what is most telling of the
 * addresses' failures; `why`: words for people, or "". The dial is gone by then. */
typedef void dial_cb(void *arg, int status, struct aftp_stream *stream, const char *why);

/* The limit holds for the name lookup, for each address, and for each answer of a proxy. 0, AFTP_ERESOLVE (a name that
 * cannot be one), AFTP_ENOMEM. */
int dial_start(
	struct dial **out, uv_loop_t *loop, const struct dial_target *target, int64_t limit_ms, dial_cb *cb, void *arg);

/* Nothing is called any more; sets *d to NULL. A name lookup that is already running ends by itself, later. */
void dial_abandon(struct dial **d);

#endif
