/* url - ftp://[user[:password]@]host[:port][/path] taken apart (RFC 1738 section 3.2, RFC 3986).
 *
 * User, password and path are percent-decoded bytes. The host may be a name, an IPv4 address or an IPv6
 * address in brackets (stored without them). A path is absolute on the server: "ftp://h/pub" is "/pub";
 * no path is "" and means the directory that login leads to. */
#ifndef AFTP_URL_H
#define AFTP_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum aftp_scheme { AFTP_SCHEME_FTP, AFTP_SCHEME_FTPES, AFTP_SCHEME_FTPS }; /* plain, explicit, implicit TLS */

struct aftp_url {
	enum aftp_scheme scheme;
	char *user;     /* NULL when the URL has none */
	char *password; /* NULL when the URL has none; "" when it is given and empty */
	char *host;
	uint16_t port; /* never 0: 21, or 990 for ftps, when the URL has none */
	bool port_given;
	char *path; /* "" or begins with '/' */
};

/* Fills *url, which the caller ends with aftp_url_clear().
 * < 0: AFTP_EINVAL, AFTP_ENOMEM; *why (may be NULL) is then a static sentence that says what is wrong.
 * A decoded NUL, CR or LF is refused, and so is an unknown scheme or an empty host.
 * Without "scheme://" the text is taken as host[:port][/path] of ftp. */
int aftp_url_parse(struct aftp_url *url, const char *text, const char **why);

/* Frees what aftp_url_parse() made (the password is wiped first). Accepts a zeroed value. */
void aftp_url_clear(struct aftp_url *url);

/* Writes the URL without its password into `out` (cut to `size`, always ended); for messages. */
void aftp_url_print(const struct aftp_url *url, char *out, size_t size);

#endif
