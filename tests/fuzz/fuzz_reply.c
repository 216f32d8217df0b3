/* Lines of a control connection, and everything that is read out of a reply. */
#include <string.h>

#include <aftp/reply.h>
#include <aftp/status.h>

#include "fuzz.h"

static void read_values(const struct aftp_reply *r)
{
	char path[64];
	uint8_t host[4];
	uint16_t port = 0;
	uint64_t size;
	int64_t sec;
	uint32_t nsec = 0;
	int rc;

	MUST(r->code >= 100 && r->code <= 599);
	MUST(strlen(r->text) <= r->len && r->len <= r->max);
	rc = aftp_reply_epsv_port(r, &port);
	MUST(rc == AFTP_EPROTO || (rc == 0 && port > 0));
	rc = aftp_reply_pasv(r, host, &port);
	MUST(rc == AFTP_EPROTO || (rc == 0 && port > 0));
	rc = aftp_reply_quoted_path(r, path, sizeof path);
	MUST(rc == AFTP_EPROTO || rc == AFTP_ETOOBIG || (rc == 0 && strlen(path) < sizeof path));
	rc = aftp_reply_size(r, &size);
	MUST(rc == AFTP_EPROTO || rc == 0);
	rc = aftp_reply_mdtm(r, &sec, &nsec);
	MUST(rc == AFTP_EPROTO || (rc == 0 && nsec < 1000000000));
	rc = aftp_reply_transfer_size(r, &size);
	MUST(rc == AFTP_ENOENT || rc == 0);
	rc = aftp_reply_error(r);
	MUST(r->code < 400 ? rc == 0 : rc < 0);
	MUST(strlen(aftp_reply_message(r)) <= r->len);
	(void)aftp_code_match(r->code, aftp_reply_message(r));
}

static void read_lines(const struct aftp_reply *r)
{
	size_t n, all = 0;

	for (size_t i = 0; i < r->lines; i++) {
		const char *line = aftp_reply_line(r, i, &n);

		MUST(line && line >= r->text && line + n <= r->text + r->len);
		all += n;
	}
	MUST(all <= r->len && !aftp_reply_line(r, r->lines, &n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aftp_reply r;
	const char *s = (const char *)data, *end = s + size;

	aftp_reply_init(&r, 4096);
	while (s < end) {
		const char *lf = memchr(s, '\n', (size_t)(end - s));
		size_t n = (size_t)((lf ? lf : end) - s);
		int rc = aftp_reply_add_line(&r, s, n);

		MUST(rc == 0 || rc == 1 || rc == AFTP_EPROTO || rc == AFTP_ETOOBIG);
		read_lines(&r);
		if (rc == 1)
			read_values(&r);
		if (rc != 0)
			aftp_reply_reset(&r);
		s = lf ? lf + 1 : end;
	}
	aftp_reply_finish(&r);
	return 0;
}
