#include "server/limits.h"

#include <aftp/status.h>
#include <utlist.h>

#include "server/session.h"

static int put_pair(struct session *s, struct aftp_stream *data, const char *name, struct aftp_stream_throttle *pair,
	const struct aftp_limits *limits)
{
	int rc = 0;
	if (!pair->read)
		rc = aftp_throttle_new(&pair->read, s->srv->loop, limits->read, 0);
	if (rc == 0 && !pair->write)
		rc = aftp_throttle_new(&pair->write, s->srv->loop, limits->write, 0);
	return rc == 0 ? aftp_stream_add_throttle(data, name, pair) : rc;
}

int limits_put_on(struct session *s, struct aftp_stream *data)
{
	struct aftp_server *srv = s->srv;
	int rc = put_pair(s, data, "server", &srv->throttle, &srv->limits);
	if (rc == 0)
		rc = put_pair(s, data, "connection", &s->throttle, &srv->connection_limits);
	if (rc == 0)
		rc = put_pair(s, data, "user", &s->user->shared, &s->user->set.limits);
	if (rc == 0)
		rc = put_pair(s, data, "user connection", &s->user_throttle, &s->user->set.connection_limits);
	return rc;
}

static void change(struct aftp_stream_throttle *pair, const struct aftp_limits *to)
{
	if (pair->read)
		aftp_throttle_set_limit(pair->read, to->read);
	if (pair->write)
		aftp_throttle_set_limit(pair->write, to->write);
}

int limits_set(struct aftp_server *srv, enum aftp_limit_level level, const char *name, const struct aftp_limits *to)
{
	struct user *user = level >= AFTP_LIMIT_USER ? users_named(&srv->users, name) : NULL;
	struct session *s;
	if (level > AFTP_LIMIT_USER_CONNECTION)
		return AFTP_EINVAL;
	if (level >= AFTP_LIMIT_USER && !user)
		return AFTP_ENOENT;
	switch (level) {
	case AFTP_LIMIT_SERVER:
		srv->limits = *to;
		change(&srv->throttle, to);
		break;
	case AFTP_LIMIT_CONNECTION:
		srv->connection_limits = *to;
		DL_FOREACH (srv->sessions, s)
			change(&s->throttle, to);
		break;
	case AFTP_LIMIT_USER:
		user->set.limits = *to;
		change(&user->shared, to);
		break;
	case AFTP_LIMIT_USER_CONNECTION:
		user->set.connection_limits = *to;
		DL_FOREACH (srv->sessions, s)
			if (s->user == user)
				change(&s->user_throttle, to);
		break;
	}
	return 0;
}
