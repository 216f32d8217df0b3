#include "memftpd/options_users.h"

#include <stdlib.h>
#include <string.h>

static int parse_word(const char *text, unsigned *may, bool all)
{
	static const struct {
		const char *word;
		unsigned may;
	} words[] = {
		{ "rw", AFTP_MAY_READ | AFTP_MAY_WRITE },
		{ "ro", AFTP_MAY_READ },
		{ "wo", AFTP_MAY_WRITE },
		{ "none", 0 },
	};
	for (size_t i = 0; i < (all ? 4 : 2); i++)
		if (strcmp(text, words[i].word) == 0) {
			*may = words[i].may;
			return 0;
		}
	return -1;
}

int parse_may(const char *text, unsigned *may)
{
	return parse_word(text, may, false);
}

int parse_limits(const char *option, const char *text, struct aftp_limits *out)
{
	char in[32];
	size_t n = strcspn(text, ":");
	bool ok = n < sizeof(in);
	if (ok) {
		memcpy(in, text, n);
		in[n] = '\0';
		ok = parse_number(in, &out->read) == 0;
		out->write = out->read;
	}
	if (ok && text[n] == ':')
		ok = parse_number(text + n + 1, &out->write) == 0;
	return ok ? 0 : complain("--%s wants bytes per second, as IN:OUT or one number for both", option);
}

/* --- who there is ---------------------------------------------------------------------------------- */

/* NAME, NAME:PASSWORD, NAME:PASSWORD:ro. A password may have colons as long as the last word is not "ro" or "rw". */
int add_user(struct options *o, const char *value)
{
	struct aftp_user *u = &o->users[o->nusers];
	if (o->nusers == OPTIONS_USERS)
		return complain("--user: at most %d users", OPTIONS_USERS);
	char *text = strdup(value), *colon, *last;
	if (!text)
		return complain("no memory");
	o->user_text[o->nusers++] = text;
	u->name = text;
	u->may = AFTP_MAY_READ | AFTP_MAY_WRITE;
	colon = strchr(text, ':');
	if (colon) {
		*colon = '\0';
		u->password = colon + 1;
		last = strrchr(colon + 1, ':');
		if (last && parse_may(last + 1, &u->may) == 0)
			*last = '\0';
	}
	return text[0] ? 0 : complain("--user wants NAME[:PASSWORD[:ro|rw]], not '%s'", value);
}

int add_anonymous(struct options *o, const char *value)
{
	if (o->nusers == OPTIONS_USERS)
		return complain("--user: at most %d users", OPTIONS_USERS);
	if (parse_may(value, &o->users[o->nusers].may) < 0)
		return complain("--anonymous wants ro or rw, not '%s'", value);
	o->nusers++;
	return 0;
}

/* --- what they may do ------------------------------------------------------------------------------ */

/* The user whose name comes before the first colon, and what comes behind it; NULL after complaining. */
static struct aftp_user *user_of(struct options *o, const char *option, const char *value, const char **rest)
{
	size_t n = strcspn(value, ":");
	*rest = value + n + (value[n] == ':');
	for (size_t i = 0; i < o->nusers && value[n]; i++) {
		const char *name = o->users[i].name ? o->users[i].name : "anonymous";
		if (strlen(name) == n && strncmp(name, value, n) == 0)
			return &o->users[i];
	}
	complain("--%s: there is no user '%.*s'; --user or --anonymous comes first", option, (int)n, value);
	return NULL;
}

static int set_path(struct options *o, const char *option, const char *value, char **paths, struct aftp_user **user)
{
	const char *path;
	*user = user_of(o, option, value, &path);
	if (!*user)
		return -1;
	if (path[0] != '/')
		return complain("--%s wants NAME:/PATH, not '%s'", option, value);
	char **at = &paths[*user - o->users];
	free(*at);
	*at = strdup(path);
	return *at ? 0 : complain("no memory");
}

int set_home(struct options *o, const char *value)
{
	struct aftp_user *u;
	int rc = set_path(o, "home", value, o->home, &u);
	if (rc == 0)
		u->home = o->home[u - o->users];
	return rc;
}

int set_base(struct options *o, const char *value)
{
	struct aftp_user *u;
	int rc = set_path(o, "base", value, o->base, &u);
	if (rc == 0)
		u->base = o->base[u - o->users];
	return rc;
}

int add_permission(struct options *o, const char *value)
{
	const char *path;
	struct aftp_user *u = user_of(o, "permit", value, &path);
	if (!u)
		return -1;
	const char *colon = strrchr(path, ':');
	unsigned may;
	if (path[0] != '/' || !colon || parse_word(colon + 1, &may, true) < 0)
		return complain("--permit wants NAME:/PATH:rw|ro|wo|none, not '%s'", value);
	struct aftp_permission **list = &o->permissions[u - o->users], *more;
	char *copy = strndup(path, (size_t)(colon - path));
	more = copy ? realloc(*list, (u->npermissions + 1) * sizeof(*more)) : NULL;
	if (!more) {
		free(copy);
		return complain("no memory");
	}
	more[u->npermissions++] = (struct aftp_permission){ copy, may };
	u->permissions = *list = more;
	return 0;
}

/* --- how often and how fast ------------------------------------------------------------------------ */

int set_user_max(struct options *o, const char *value)
{
	const char *rest;
	struct aftp_user *u = user_of(o, "user-max", value, &rest);
	uint64_t n;
	if (!u)
		return -1;
	if (parse_number(rest, &n) < 0 || n > UINT32_MAX)
		return complain("--user-max wants NAME:N, not '%s'", value);
	u->max_connections = (uint32_t)n;
	return 0;
}

int set_limit(struct options *o, const char *value)
{
	return parse_limits("limit", value, &o->server.limits);
}

int set_connection_limit(struct options *o, const char *value)
{
	return parse_limits("connection-limit", value, &o->server.connection_limits);
}

int set_user_limit(struct options *o, const char *value)
{
	const char *rest;
	struct aftp_user *u = user_of(o, "user-limit", value, &rest);
	return u ? parse_limits("user-limit", rest, &u->limits) : -1;
}

int set_user_connection_limit(struct options *o, const char *value)
{
	const char *rest;
	struct aftp_user *u = user_of(o, "user-connection-limit", value, &rest);
	return u ? parse_limits("user-connection-limit", rest, &u->connection_limits) : -1;
}

static int add_limit(struct options *o, const char *line)
{
	static const struct {
		const char *name;
		int (*set)(struct options *o, const char *value);
	} limits[] = {
		{ "limit", set_limit },
		{ "connection-limit", set_connection_limit },
		{ "user-limit", set_user_limit },
		{ "user-connection-limit", set_user_connection_limit },
	};
	size_t n = strcspn(line, " \t");
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (strlen(limits[i].name) == n && strncmp(limits[i].name, line, n) == 0)
			return limits[i].set(o, line + n + strspn(line + n, " \t"));
	return complain("--limits: a line is one of the options that limit, without its dashes, not '%s'", line);
}

int set_limits(struct options *o, const char *path)
{
	o->limits = path;
	return load_lines(o, path, add_limit);
}

void options_users_finish(struct options *o)
{
	for (size_t i = 0; i < OPTIONS_USERS; i++) {
		free(o->user_text[i]);
		free(o->home[i]);
		free(o->base[i]);
		for (size_t j = 0; o->permissions[i] && j < o->users[i].npermissions; j++)
			free((char *)o->permissions[i][j].path);
		free(o->permissions[i]);
	}
}
