/* URLs: what is taken can be printed, and read again as the same. */
#include <string.h>

#include <aftp/status.h>
#include <aftp/url.h>

#include "fuzz.h"

static bool clean(const char *s)
{
	return !s || !strpbrk(s, "\r\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text, printed[9000], again[9000];
	const char *why = NULL;
	struct aftp_url url, second;

	if (size > 2000)
		return 0;
	text = malloc(size + 1);
	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	if (aftp_url_parse(&url, text, &why) < 0) {
		MUST(why && why[0]);
		free(text);
		return 0;
	}
	MUST(url.host && url.host[0] && url.port > 0 && url.path && (!url.path[0] || url.path[0] == '/'));
	MUST(clean(url.user) && clean(url.password) && clean(url.host) && clean(url.path));
	aftp_url_print(&url, printed, sizeof printed);
	MUST(strlen(printed) < sizeof printed - 1);
	MUST(aftp_url_parse(&second, printed, &why) == 0);
	MUST(strcmp(second.host, url.host) == 0 && second.port == url.port && strcmp(second.path, url.path) == 0);
	MUST(second.scheme == url.scheme && !second.password);
	MUST(!url.user || (second.user && strcmp(second.user, url.user) == 0));
	aftp_url_print(&second, again, sizeof again);
	MUST(strcmp(printed, again) == 0);
	aftp_url_print(&url, again, 10);
	MUST(strlen(again) < 10);
	aftp_url_clear(&url);
	aftp_url_clear(&second);
	free(text);
	return 0;
}
