/* proxy - asks a proxy for a connection to somebody else: SOCKS5 (RFC 1928, login as in RFC 1929) or HTTP CONNECT
 * (RFC 9110 section 9.3.6, basic login). The proxy looks the name up; nothing about it is asked here. */
#ifndef STREAM_PROXY_H
#define STREAM_PROXY_H

#include <stdint.h>

#include <aftp/stream.h>

enum proxy_kind { PROXY_NONE, PROXY_SOCKS5, PROXY_HTTP };

/* Strings live as long as what uses them. */
struct proxy_settings {
	enum proxy_kind kind;
	const char *host;
	uint16_t port;
	const char *user, *password; /* NULL: no login; a user alone has the password "" */
};

struct proxy;

/* status 0: the stream is connected to the host, and no byte from there was taken. < 0: AFTP_EACCES (the proxy refuses
 * us), AFTP_EPROTO (it is none), AFTP_ECONNREFUSED and the like of the host, or what the stream met; `why`: words for
 * people, or "". The dialogue is gone by then. */
typedef void proxy_cb(void *arg, int status, const char *why);

/* Over a stream that is connected to the proxy, and that nobody else uses meanwhile. The stream's read and write limits
 * hold. 0, AFTP_EINVAL (a host that cannot be one, a login that is too long), AFTP_ENOMEM, or why not. */
int proxy_start(struct proxy **out, struct aftp_stream *s, const struct proxy_settings *settings, const char *host,
	uint16_t port, proxy_cb *cb, void *arg);

/* The callback does not run any more; *p becomes NULL; accepts a pointer to NULL. The stream must then be closed. */
void proxy_abandon(struct proxy **p);

#endif
