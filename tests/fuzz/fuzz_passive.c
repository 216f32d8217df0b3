/* 227 and 229: where a server says that it waits. */
#include <string.h>

#include <aftp/reply.h>
#include <aftp/status.h>

#include "fuzz.h"

static void try_code(const char *code, const uint8_t *data, size_t size)
{
	struct aftp_reply r;
	uint8_t host[4];
	uint16_t port = 0;
	char *line = malloc(size + 4);

	MUST(line);
	memcpy(line, code, 4);
	memcpy(line + 4, data, size);
	aftp_reply_init(&r, 1 << 16);
	if (aftp_reply_add_line(&r, line, size + 4) == 1) {
		int epsv = aftp_reply_epsv_port(&r, &port);

		MUST(epsv == AFTP_EPROTO || (epsv == 0 && port > 0));
		port = 0;
		MUST(aftp_reply_pasv(&r, host, &port) == AFTP_EPROTO || port > 0);
		port = 0;
		MUST(aftp_reply_pasv(&r, NULL, &port) == AFTP_EPROTO || port > 0);
	}
	aftp_reply_finish(&r);
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 1 << 14 || memchr(data, '\n', size))
		return 0;
	try_code("227 ", data, size);
	try_code("229 ", data, size);
	return 0;
}
