#include "remote/pool_options.h"

#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>

enum { STRINGS = 8 };

static void list_strings(struct aftp_client_options *o, const char **list[STRINGS])
{
	const char **all[STRINGS] = { &o->host, &o->user, &o->password, &o->account, &o->active_address, &o->proxy.host,
		&o->proxy.user, &o->proxy.password };

	memcpy(list, all, sizeof all);
}

int pool_options_copy(struct pool_options *to, const struct pool_options *from)
{
	const char **strings[STRINGS];
	int rc = 0;

	*to = *from;
	if (to->client.tls)
		aftp_tls_ref(to->client.tls);
	if (to->client.throttle.read)
		aftp_throttle_ref(to->client.throttle.read);
	if (to->client.throttle.write)
		aftp_throttle_ref(to->client.throttle.write);
	list_strings(&to->client, strings);
	for (size_t i = 0; i < STRINGS; i++) {
		const char *old = *strings[i];

		*strings[i] = old ? strdup(old) : NULL;
		if (old && !*strings[i])
			rc = AFTP_ENOMEM;
	}
	return rc;
}

void pool_options_finish(struct pool_options *o)
{
	const char **strings[STRINGS];

	list_strings(&o->client, strings);
	for (size_t i = 0; i < STRINGS; i++) {
		char *s = (char *)*strings[i];

		if (s)
			explicit_bzero(s, strlen(s));
		free(s);
		*strings[i] = NULL;
	}
	aftp_tls_unref(o->client.tls);
	o->client.tls = NULL;
	aftp_stream_throttle_unref(&o->client.throttle);
}
