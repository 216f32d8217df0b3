/* command - the one place where a command line is made (RFC 959 section 5.3).
 *
 * Names are bytes. CR, LF and NUL would start another command, so they are refused here and nowhere else. */
#ifndef PROTO_COMMAND_H
#define PROTO_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Appends "VERB[ argument]\r\n" to `out`; argument may be NULL.
 * 0; AFTP_EBADNAME (nothing was appended); AFTP_ETOOBIG; AFTP_ENOMEM. */
int command_append(struct buf *out, const char *verb, const char *argument);

/* Should the argument of this verb be masked in a log? (PASS, ACCT) */
bool command_is_secret(const char *verb);

/* Can `LIST path` be trusted with this path, or would some server glob, split or read it as options?
 * True only for names made of [A-Za-z0-9._+,=@%/-] whose components do not begin with '-'. */
bool command_list_safe(const char *path);

/* What some servers do to an argument before they look at it. */
enum {
	COMMAND_MENDED = 1, /* control characters, and blanks at the end, become '_': Pure-FTPd */
	COMMAND_TELNET = 2, /* a byte of 255 begins a Telnet command: ProFTPD */
	COMMAND_UTF_8 = 4,  /* what is not UTF-8 is replaced: pyftpdlib */
};

/* Would it arrive as something else? */
bool command_is_altered(unsigned how, const char *argument);

#endif
