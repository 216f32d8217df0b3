/* Facts: each line as MLSD and MLST have it. */
#include <string.h>

#include <aftp/entry.h>

#include "fuzz.h"

static void one(const char *s, size_t n)
{
	struct aftp_entry e;
	char *line = malloc(n + (n == 0));

	MUST(line);
	memcpy(line, s, n);
	memset(&e, 0xa5, sizeof e);
	if (aftp_entry_parse_mlsx(&e, line, n) == AFTP_LINE_ENTRY) {
		MUST(e.name >= line && e.name_len > 0 && e.name + e.name_len <= line + n);
		MUST(!e.target || (e.target >= line && e.target + e.target_len <= line + n));
		MUST(!(e.have & AFTP_HAVE_UNIQUE) || (e.unique >= line && e.unique + e.unique_len <= line + n));
		MUST(e.mode <= 07777 && e.mtime_nsec < 1000000000);
		MUST(!(e.have & AFTP_HAVE_MTIME) || e.precision >= AFTP_TIME_SECOND);
	}
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data, *end = s + size;

	while (s < end) {
		const char *lf = memchr(s, '\n', (size_t)(end - s));

		one(s, (size_t)((lf ? lf : end) - s));
		s = lf ? lf + 1 : end;
	}
	return 0;
}
