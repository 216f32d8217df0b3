/* limits - how fast data may move: of the server, of a session, of a user, of a user's session; each both ways.
 *
 * A pair of throttles for each, made when data first moves, and put on every data connection. A limit that is 0 is
 * there too, so that it can be changed while a transfer runs. Control connections have none. */
#ifndef SERVER_LIMITS_H
#define SERVER_LIMITS_H

#include <aftp/server.h>
#include <aftp/stream.h>

struct session;

/* 0, AFTP_ENOMEM */
int limits_put_on(struct session *s, struct aftp_stream *data);
int limits_set(struct aftp_server *srv, enum aftp_limit_level level, const char *user, const struct aftp_limits *to);

#endif
