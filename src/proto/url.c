#include <aftp/url.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <aftp/status.h>

static const struct {
	const char *name;
	enum aftp_scheme scheme;
	uint16_t port;
} schemes[] = {
	{ "ftp", AFTP_SCHEME_FTP, 21 },
	{ "ftpes", AFTP_SCHEME_FTPES, 21 },
	{ "ftps", AFTP_SCHEME_FTPS, 990 },
};

/* A piece of the text. */
struct span {
	const char *s;
	size_t n;
};

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int decode(char **out, struct span in, const char **why)
{
	char *to = calloc(1, in.n + 1); /* ended at any time, for whoever has to wipe it */
	size_t n = 0;

	if (!to)
		return AFTP_ENOMEM;
	*out = to;
	for (size_t i = 0; i < in.n; i++) {
		int c = (unsigned char)in.s[i];

		if (c == '%') {
			int high = i + 2 < in.n ? hex(in.s[i + 1]) : -1, low = i + 2 < in.n ? hex(in.s[i + 2]) : -1;

			if (high < 0 || low < 0) {
				*why = "a '%' is not followed by two hexadecimal digits (write %25 for a '%')";
				return AFTP_EINVAL;
			}
			c = high << 4 | low;
			i += 2;
		}
		if (c == '\0' || c == '\r' || c == '\n') {
			*why = "a NUL, CR or LF cannot be sent to an FTP server";
			return AFTP_EINVAL;
		}
		to[n++] = (char)c;
	}
	return 0;
}

/* Cuts "scheme://" off; without it the text is ftp's. */
static int parse_scheme(struct aftp_url *url, const char **text, const char **why)
{
	const char *colon = strstr(*text, "://");
	size_t n = colon ? (size_t)(colon - *text) : 0;

	url->scheme = AFTP_SCHEME_FTP;
	url->port = 21;
	if (!colon || memchr(*text, '/', n) || memchr(*text, '@', n))
		return 0;
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		if (strlen(schemes[i].name) != n || strncasecmp(schemes[i].name, *text, n) != 0)
			continue;
		url->scheme = schemes[i].scheme;
		url->port = schemes[i].port;
		*text = colon + 3;
		return 0;
	}
	*why = "the scheme is not one of ftp, ftpes and ftps";
	return AFTP_EINVAL;
}

static int parse_user(struct aftp_url *url, struct span in, const char **why)
{
	const char *colon = memchr(in.s, ':', in.n);
	size_t n = colon ? (size_t)(colon - in.s) : in.n;
	int rc = decode(&url->user, (struct span){ in.s, n }, why);

	if (rc == 0 && colon)
		rc = decode(&url->password, (struct span){ colon + 1, in.n - n - 1 }, why);
	return rc;
}

static int parse_port(struct aftp_url *url, struct span in, const char **why)
{
	unsigned port = 0;

	for (size_t i = 0; i < in.n; i++) {
		if (in.s[i] < '0' || in.s[i] > '9' || port > 65535) {
			port = 0;
			break;
		}
		port = port * 10 + (unsigned)(in.s[i] - '0');
	}
	if (in.n > 0 && (port == 0 || port > 65535)) {
		*why = "the port is not a number from 1 to 65535 (a '/' in a password is written %2F)";
		return AFTP_EINVAL;
	}
	url->port_given = in.n > 0;
	if (in.n > 0)
		url->port = (uint16_t)port;
	return 0;
}

static bool host_ok(struct span host, bool brackets)
{
	static const char bad[] = " \"#%/:;<>?@[\\]^`{|}";

	const char *zone = memchr(host.s, '%', host.n);
	size_t before = zone ? (size_t)(zone - host.s) + 1 : 0;

	if (zone && (before == host.n || memchr(zone + 1, '%', host.n - before)))
		return false;
	for (size_t i = 0; i < host.n; i++) {
		unsigned char c = (unsigned char)host.s[i];

		/* In brackets an address may have colons and a zone ("fe80::1%eth0"). */
		if (c <= ' ' || c == 0x7f || (strchr(bad, c) && !(brackets && (c == ':' || c == '%'))))
			return false;
	}
	return host.n > 0 && (!brackets || memchr(host.s, ':', host.n));
}

/* "%25" before a zone is the '%' itself (RFC 6874). */
static char *copy_host(struct span host)
{
	char *out = strndup(host.s, host.n), *zone = out ? strchr(out, '%') : NULL;

	if (zone && strncmp(zone, "%25", 3) == 0 && zone[3] != '\0')
		memmove(zone + 1, zone + 3, strlen(zone + 3) + 1);
	return out;
}

static int parse_host(struct aftp_url *url, struct span in, const char **why)
{
	bool brackets = in.n > 0 && in.s[0] == '[';
	const char *end = memchr(in.s, brackets ? ']' : ':', in.n);
	struct span host = { in.s + brackets, (end ? (size_t)(end - in.s) : in.n) - brackets };
	struct span port = { "", 0 };

	if (end) {
		port.s = end + brackets;
		port.n = in.n - (size_t)(port.s - in.s);
	}
	if (in.n == 0 || host.n == 0) {
		*why = "the host is missing";
		return AFTP_EINVAL;
	}
	if ((brackets && !end) || (port.n > 0 && port.s[0] != ':') || !host_ok(host, brackets)) {
		*why = "the host is not a name or an address";
		return AFTP_EINVAL;
	}
	if (!brackets && port.n > 1 && memchr(port.s + 1, ':', port.n - 1)) {
		*why = "an IPv6 address must stand in brackets";
		return AFTP_EINVAL;
	}
	url->host = copy_host(host);
	if (!url->host)
		return AFTP_ENOMEM;
	return parse_port(url, (struct span){ port.s + (port.n > 0), port.n - (port.n > 0) }, why);
}

/* "ftp://h/%2Fpub" is how other programs write "/pub": one slash is enough. */
static int parse_path(struct aftp_url *url, const char *text, const char **why)
{
	int rc = decode(&url->path, (struct span){ text, strlen(text) }, why);
	size_t extra = 0;

	if (rc < 0)
		return rc;
	while (url->path[0] == '/' && url->path[extra + 1] == '/')
		extra++;
	memmove(url->path, url->path + extra, strlen(url->path + extra) + 1);
	return 0;
}

static int parse(struct aftp_url *url, const char *text, const char **why)
{
	struct span all;
	const char *at;
	int rc = parse_scheme(url, &text, why);

	if (rc < 0)
		return rc;
	all = (struct span){ text, strcspn(text, "/") };
	at = memrchr(all.s, '@', all.n);
	if (at) {
		size_t n = (size_t)(at - all.s);

		rc = parse_user(url, (struct span){ all.s, n }, why);
		all = (struct span){ at + 1, all.n - n - 1 };
	}
	if (rc == 0)
		rc = parse_host(url, all, why);
	return rc == 0 ? parse_path(url, all.s + all.n, why) : rc;
}

int aftp_url_parse(struct aftp_url *url, const char *text, const char **why)
{
	const char *reason = "out of memory";
	int rc;

	*url = (struct aftp_url){ 0 };
	rc = parse(url, text, &reason);
	if (rc < 0) {
		aftp_url_clear(url);
		if (why)
			*why = reason;
	}
	return rc;
}

void aftp_url_clear(struct aftp_url *url)
{
	if (url->password)
		explicit_bzero(url->password, strlen(url->password));
	free(url->user);
	free(url->password);
	free(url->host);
	free(url->path);
	*url = (struct aftp_url){ 0 };
}

/* Appends to what is already in `out`; false when it is full. */
static bool put(char *out, size_t size, const char *text)
{
	size_t at = strlen(out), n = strlen(text);

	if (n >= size - at)
		return false;
	memcpy(out + at, text, n + 1);
	return true;
}

static bool put_encoded(char *out, size_t size, const char *text, const char *keep)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = c > ' ' && c != 0x7f && (c > 0x7f || strchr(keep, c) || !strchr("%\"#/:<>?@[\\]^`{|}", c));
		char piece[4] = { '%', digits[c >> 4], digits[c & 15], '\0' };

		if (plain) {
			piece[0] = (char)c;
			piece[1] = '\0';
		}
		if (!put(out, size, piece))
			return false;
	}
	return true;
}

void aftp_url_print(const struct aftp_url *url, char *out, size_t size)
{
	bool six = url->host && strchr(url->host, ':');
	char port[8] = "";

	if (size == 0)
		return;
	if (url->port != schemes[url->scheme].port)
		snprintf(port, sizeof port, ":%u", url->port);
	out[0] = '\0';
	if (!put(out, size, schemes[url->scheme].name) || !put(out, size, "://"))
		return;
	if (url->user && (!put_encoded(out, size, url->user, "") || !put(out, size, "@")))
		return;
	if ((six && !put(out, size, "[")) || !put_encoded(out, size, url->host ? url->host : "", ":"))
		return;
	if ((six && !put(out, size, "]")) || !put(out, size, port))
		return;
	put_encoded(out, size, url->path ? url->path : "", "/:@[]");
}
