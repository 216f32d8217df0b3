#include "server/users.h"

#include <aftp/status.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

static int copy_user(struct aftp_user *to, const struct aftp_user *from)
{
	char *text[3] = { NULL, NULL, NULL };
	int rc = copy_text(&text[0], from->name);
	if (rc == 0)
		rc = copy_text(&text[1], from->password);
	if (rc == 0)
		rc = copy_text(&text[2], from->account);
	*to = (struct aftp_user){ .name = text[0], .password = text[1], .account = text[2], .may = from->may };
	return rc;
}

static bool named_before(const struct users *u, const char *name)
{
	for (size_t i = 0; i < u->count; i++)
		if (name ? u->list[i].name && strcmp(u->list[i].name, name) == 0 : !u->list[i].name)
			return true;
	return false;
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
			rc = copy_user(&u->list[u->count++], &list[i]);
	}
	if (rc < 0)
		users_finish(u);
	return rc;
}

void users_finish(struct users *u)
{
	for (size_t i = 0; i < u->count; i++) {
		free((char *)u->list[i].name);
		free((char *)u->list[i].password);
		free((char *)u->list[i].account);
	}
	free(u->list);
	*u = (struct users){ 0 };
}

const struct aftp_user *users_find(const struct users *u, const char *login)
{
	for (size_t i = 0; i < u->count; i++)
		if (u->list[i].name && strcmp(u->list[i].name, login) == 0)
			return &u->list[i];
	for (size_t i = 0; i < u->count && is_anonymous(login); i++)
		if (!u->list[i].name)
			return &u->list[i];
	return NULL;
}

bool users_needs_password(const struct aftp_user *user)
{
	return !user || !user->name || user->password;
}

/* Compares digests, so that the time tells neither a length nor a common beginning. */
static bool same_secret(const char *a, const char *b)
{
	unsigned char da[SHA256_DIGEST_LENGTH], db[SHA256_DIGEST_LENGTH];
	SHA256((const unsigned char *)a, strlen(a), da);
	SHA256((const unsigned char *)b, strlen(b), db);
	return CRYPTO_memcmp(da, db, sizeof(da)) == 0;
}

bool users_check_password(const struct aftp_user *user, const char *password)
{
	bool same = same_secret(user && user->password ? user->password : "", password);
	return user && (!user->name || !user->password || same);
}

bool users_check_account(const struct aftp_user *user, const char *account)
{
	return !user->account || same_secret(user->account, account);
}
