#include "stream/tls_sessions.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <aftp/status.h>

struct aftp_tls_sessions {
	unsigned refs;
	unsigned n;
	enum aftp_tls_version max;
	unsigned char mark[TLS_SESSIONS_MARK];
	SSL_SESSION *kept[TLS_SESSIONS_MAX]; /* the newest last */
	bool spent;                          /* kept[0], the only one, has been given out before */
	bool any;                            /* one was kept at some time */
};

int aftp_tls_sessions_new(struct aftp_tls_sessions **out)
{
	struct aftp_tls_sessions *s = calloc(1, sizeof(*s));

	if (!s)
		return AFTP_ENOMEM;
	s->refs = 1;
	if (RAND_bytes(s->mark, sizeof(s->mark)) != 1) {
		free(s);
		return AFTP_ENOMEM;
	}
	*out = s;
	return 0;
}

struct aftp_tls_sessions *aftp_tls_sessions_ref(struct aftp_tls_sessions *s)
{
	s->refs++;
	return s;
}

static void drop(struct aftp_tls_sessions *s, unsigned at)
{
	SSL_SESSION_free(s->kept[at]);
	memmove(s->kept + at, s->kept + at + 1, (s->n - at - 1) * sizeof(SSL_SESSION *));
	s->n--;
	s->spent = s->spent && s->n > 0;
}

void aftp_tls_sessions_unref(struct aftp_tls_sessions *s)
{
	if (!s || --s->refs > 0)
		return;
	while (s->n > 0)
		drop(s, s->n - 1);
	free(s);
}

void aftp_tls_sessions_limit(struct aftp_tls_sessions *s, enum aftp_tls_version max)
{
	s->max = max;
}

enum aftp_tls_version tls_sessions_max(const struct aftp_tls_sessions *s)
{
	return s->max;
}

/* --- a client's ----------------------------------------------------------------------------------- */

static bool single_use(const SSL_SESSION *session)
{
	return SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION;
}

void tls_sessions_add(struct aftp_tls_sessions *s, SSL_SESSION *session)
{
	/* A used one was kept only for want of a better. */
	if (s->spent || s->n == TLS_SESSIONS_MAX)
		drop(s, 0);
	s->kept[s->n++] = session;
	s->any = true;
}

static bool usable(const SSL_SESSION *session)
{
	long age = (long)time(NULL) - SSL_SESSION_get_time(session);
	long limit = SSL_SESSION_get_timeout(session);
	unsigned long hint = SSL_SESSION_get_ticket_lifetime_hint(session);

	if (hint > 0 && hint < (unsigned long)limit)
		limit = (long)hint;
	return SSL_SESSION_is_resumable(session) && age < limit;
}

static void drop_unusable(struct aftp_tls_sessions *s)
{
	for (unsigned i = s->n; i-- > 0;)
		if (!usable(s->kept[i]))
			drop(s, i);
}

bool tls_sessions_ran_out(struct aftp_tls_sessions *s)
{
	drop_unusable(s);
	return s->any && s->n == 0;
}

SSL_SESSION *tls_sessions_take(struct aftp_tls_sessions *s)
{
	SSL_SESSION *session;

	drop_unusable(s);
	if (s->n == 0)
		return NULL;
	/* OpenSSL spoils a session that it uses; what is kept must be another. */
	session = SSL_SESSION_dup(s->kept[s->n - 1]);
	if (session && single_use(session)) {
		if (s->n > 1)
			drop(s, s->n - 1);
		else
			s->spent = true;
	}
	return session;
}

/* --- a server's ----------------------------------------------------------------------------------- */

const unsigned char *tls_sessions_mark(const struct aftp_tls_sessions *s)
{
	return s->mark;
}

SSL_SESSION *tls_sessions_find(const struct aftp_tls_sessions *s, const unsigned char *id, size_t len)
{
	for (unsigned i = 0; i < s->n; i++) {
		unsigned own_len;
		const unsigned char *own = SSL_SESSION_get_id(s->kept[i], &own_len);
		if (own_len == len && memcmp(own, id, len) == 0)
			return s->kept[i];
	}
	return NULL;
}

bool tls_sessions_marked(const struct aftp_tls_sessions *s, SSL_SESSION *session)
{
	void *data;
	size_t len;

	return SSL_SESSION_get0_ticket_appdata(session, &data, &len) == 1 && len == sizeof(s->mark) &&
		memcmp(data, s->mark, len) == 0;
}
