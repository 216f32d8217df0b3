#include "mount/netrc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <aftp/status.h>

struct scan {
	const char *at, *end;
	char *token; /* room for the longest token */
	int status;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static bool read_quoted(struct scan *s)
{
	size_t n = 0;
	for (s->at++; s->at < s->end && *s->at != '"'; s->at++) {
		if (*s->at == '\\' && s->at + 1 < s->end)
			s->at++;
		s->token[n++] = *s->at;
	}
	s->token[n] = '\0';
	if (s->at == s->end) {
		s->status = AFTP_EPROTO;
		return false;
	}
	s->at++;
	return true;
}

static bool next_token(struct scan *s)
{
	size_t n = 0;
	while (s->at < s->end && is_blank(*s->at))
		s->at++;
	if (s->at == s->end)
		return false;
	if (*s->at == '"')
		return read_quoted(s);
	while (s->at < s->end && !is_blank(*s->at)) {
		if (*s->at == '\\' && s->at + 1 < s->end && !is_blank(s->at[1]))
			s->at++;
		s->token[n++] = *s->at++;
	}
	s->token[n] = '\0';
	return true;
}

static void skip_line(struct scan *s)
{
	const char *nl = memchr(s->at, '\n', (size_t)(s->end - s->at));
	s->at = nl != NULL ? nl + 1 : s->end;
}

static void skip_macro(struct scan *s)
{
	skip_line(s); /* the rest of the line with the macro's name */
	while (s->at < s->end && *s->at != '\n' && *s->at != '\r')
		skip_line(s);
}

static bool read_value(struct scan *s, char **to)
{
	if (!next_token(s))
		return false;
	char *copy = strdup(s->token);
	if (copy == NULL) {
		s->status = AFTP_ENOMEM;
		return false;
	}
	free(*to);
	*to = copy;
	return true;
}

static bool fits(const struct netrc_login *l, bool machine, const char *user)
{
	return machine && (user == NULL || l->login == NULL || strcmp(user, l->login) == 0);
}

/* Reads entries up to the end of the one that fits. True when there is one; it is then in *l. */
static bool scan_entries(struct scan *s, struct netrc_login *l, const char *host, const char *user)
{
	bool ours = false; /* the entry that is being read is for this host */
	while (next_token(s)) {
		if (strcmp(s->token, "machine") == 0 || strcmp(s->token, "default") == 0) {
			bool named = s->token[0] == 'm';
			if (fits(l, ours, user))
				return true;
			netrc_login_finish(l);
			ours = !named || (next_token(s) && strcasecmp(s->token, host) == 0);
		} else if (strcmp(s->token, "login") == 0) {
			read_value(s, &l->login);
		} else if (strcmp(s->token, "password") == 0 || strcmp(s->token, "passwd") == 0) {
			read_value(s, &l->password);
		} else if (strcmp(s->token, "account") == 0) {
			read_value(s, &l->account);
		} else if (strcmp(s->token, "macdef") == 0) {
			skip_macro(s);
		} else if (s->token[0] == '#') {
			skip_line(s);
		}
		if (s->status < 0)
			return false;
	}
	return s->status == 0 && fits(l, ours, user);
}

int netrc_find(struct netrc_login *out, const char *text, size_t len, const char *host, const char *user)
{
	struct scan s = { .at = text, .end = text + len };
	*out = (struct netrc_login){ 0 };
	s.token = malloc(len + 1);
	if (s.token == NULL)
		return AFTP_ENOMEM;
	bool found = scan_entries(&s, out, host, user);
	explicit_bzero(s.token, len + 1);
	free(s.token);
	if (!found)
		netrc_login_finish(out);
	return found ? 1 : s.status;
}

void netrc_login_finish(struct netrc_login *l)
{
	if (l->password != NULL)
		explicit_bzero(l->password, strlen(l->password));
	free(l->login);
	free(l->password);
	free(l->account);
	*l = (struct netrc_login){ 0 };
}
