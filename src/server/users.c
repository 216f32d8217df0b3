#include "server/users.h"

#include <aftp/status.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/path.h"

static bool is_anonymous(const char *login)
{
	return strcasecmp(login, "anonymous") == 0 || strcasecmp(login, "ftp") == 0;
}

static bool name_ok(const char *name)
{
	if (!name)
		return true;
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return false;
	return name[0] != '\0';
}

static int copy_text(char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? AFTP_ENOMEM : 0;
}

/* A path in its normal form; NULL stays NULL. */
static int copy_path(const char **out, const char *path)
{
	char normal[PATH_CAP];
	*out = NULL;
	if (!path)
		return 0;
	if (path[0] != '/' || path_resolve("/", path, normal) < 0)
		return AFTP_EINVAL;
	*out = strdup(normal);
	return *out ? 0 : AFTP_ENOMEM;
}

static bool has_rule(const struct aftp_user *u, const char *path)
{
	for (size_t i = 0; i < u->npermissions; i++)
		if (strcmp(u->permissions[i].path, path) == 0)
			return true;
	return false;
}

static int copy_rules(struct aftp_user *to, const struct aftp_user *from)
{
	struct aftp_permission *rules = calloc(from->npermissions + 1, sizeof(*rules));
	to->permissions = rules;
	to->npermissions = 0;
	if (!rules)
		return AFTP_ENOMEM;
	for (size_t i = 0; i < from->npermissions; i++) {
		const char *path;
		int rc = from->permissions[i].path ? copy_path(&path, from->permissions[i].path) : AFTP_EINVAL;
		if (rc == 0 && has_rule(to, path)) {
			free((char *)path);
			rc = AFTP_EINVAL;
		}
		if (rc < 0)
			return rc;
		rules[to->npermissions++] = (struct aftp_permission){ path, from->permissions[i].may };
	}
	return 0;
}

static int copy_user(struct aftp_user *to, const struct aftp_user *from)
{
	char *text[3] = { NULL, NULL, NULL };
	*to = *from;
	int rc = copy_text(&text[0], from->name);
	if (rc == 0)
		rc = copy_text(&text[1], from->password);
	if (rc == 0)
		rc = copy_text(&text[2], from->account);
	to->name = text[0];
	to->password = text[1];
	to->account = text[2];
	to->base = to->home = NULL;
	to->permissions = NULL;
	if (rc == 0)
		rc = copy_path(&to->base, from->base);
	if (rc == 0)
		rc = copy_path(&to->home, from->home ? from->home : "/");
	return rc == 0 ? copy_rules(to, from) : rc;
}

static bool named_before(const struct users *u, const char *name)
{
	return users_named(u, name) != NULL;
}

int users_init(struct users *u, const struct aftp_user *list, size_t count)
{
	static const struct aftp_user everyone = { .may = AFTP_MAY_READ | AFTP_MAY_WRITE };
	if (count == 0) {
		list = &everyone;
		count = 1;
	}
	*u = (struct users){ .list = calloc(count, sizeof(*u->list)) };
	int rc = u->list ? 0 : AFTP_ENOMEM;
	for (size_t i = 0; i < count && rc == 0; i++) {
		if (!name_ok(list[i].name) || named_before(u, list[i].name))
			rc = AFTP_EINVAL;
		else
			rc = copy_user(&u->list[u->count++].set, &list[i]);
	}
	if (rc < 0)
		users_finish(u);
	return rc;
}

static void free_user(struct aftp_user *u)
{
	for (size_t i = 0; u->permissions && i < u->npermissions; i++)
		free((char *)u->permissions[i].path);
	free((struct aftp_permission *)u->permissions);
	free((char *)u->name);
	free((char *)u->password);
	free((char *)u->account);
	free((char *)u->base);
	free((char *)u->home);
}

void users_finish(struct users *u)
{
	for (size_t i = 0; i < u->count; i++)
		free_user(&u->list[i].set);
	free(u->list);
	*u = (struct users){ 0 };
}

struct user *users_named(const struct users *u, const char *name)
{
	for (size_t i = 0; i < u->count; i++) {
		const char *own = u->list[i].set.name;
		if (name && own ? strcmp(own, name) == 0 : own == name)
			return &u->list[i];
	}
	return NULL;
}

struct user *users_find(const struct users *u, const char *login)
{
	struct user *user = users_named(u, login);
	return user || !is_anonymous(login) ? user : users_named(u, NULL);
}

bool users_needs_password(const struct user *user)
{
	return !user || !user->set.name || user->set.password;
}

/* Compares digests, so that the time tells neither a length nor a common beginning. */
static bool same_secret(const char *a, const char *b)
{
	unsigned char da[SHA256_DIGEST_LENGTH], db[SHA256_DIGEST_LENGTH];
	SHA256((const unsigned char *)a, strlen(a), da);
	SHA256((const unsigned char *)b, strlen(b), db);
	return CRYPTO_memcmp(da, db, sizeof(da)) == 0;
}

bool users_check_password(const struct user *user, const char *password)
{
	bool same = same_secret(user && user->set.password ? user->set.password : "", password);
	return user && (!user->set.name || !user->set.password || same);
}

bool users_check_account(const struct user *user, const char *account)
{
	return !user->set.account || same_secret(user->set.account, account);
}

/* --- what they may do where ------------------------------------------------------------------------ */

/* How many bytes of `path` a rule for `top` covers; 0: it is not below. */
static size_t covers(const char *top, const char *path)
{
	size_t n = strlen(top);
	if (strncmp(top, path, n) != 0 || (n > 1 && path[n] != '/' && path[n] != '\0'))
		return 0;
	return n;
}

unsigned users_may(const struct user *user, const char *path)
{
	size_t longest = 0;
	unsigned may = user->set.npermissions > 0 ? 0 : user->set.may;
	for (size_t i = 0; i < user->set.npermissions; i++) {
		const struct aftp_permission *rule = &user->set.permissions[i];
		size_t n = covers(rule->path, path);
		if (n > longest) {
			longest = n;
			may = rule->may;
		}
	}
	return may & user->set.may;
}

/* What all the rules strictly below `path` have in common, or (`any`) what one of them has. */
static unsigned may_below(const struct user *user, const char *path, bool any)
{
	unsigned all = ~0u, some = 0;
	for (size_t i = 0; i < user->set.npermissions; i++) {
		const struct aftp_permission *rule = &user->set.permissions[i];
		if (strcmp(rule->path, path) == 0 || covers(path, rule->path) == 0)
			continue;
		all &= rule->may & user->set.may;
		some |= rule->may & user->set.may;
	}
	return any ? some : all;
}

bool users_allow(void *arg, const char *path, unsigned need, bool tree)
{
	const struct user *user = arg;
	unsigned may = users_may(user, path);
	if (may == 0 && user->set.npermissions > 0)
		return false;
	if (tree)
		may &= may_below(user, path, false);
	return (may & need) == need;
}

bool users_move(void *arg, const char *from, const char *to)
{
	const struct user *user = arg;
	unsigned before = users_may(user, from) & may_below(user, from, false);
	unsigned after = users_may(user, to) | may_below(user, to, true);
	return (after & ~before) == 0;
}
