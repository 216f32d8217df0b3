#include "proto/command.h"

#include <string.h>
#include <strings.h>

#include <aftp/status.h>

int command_append(struct buf *out, const char *verb, const char *argument)
{
	size_t verb_len = strlen(verb), arg_len = argument ? strlen(argument) + 1 : 0;
	size_t n = verb_len + arg_len + 2;
	char *room;
	int rc;

	/* A NUL cannot get in: it ends the string before. */
	if (strpbrk(verb, "\r\n") || (argument && strpbrk(argument, "\r\n")))
		return AFTP_EBADNAME;
	rc = buf_reserve(out, n, &room);
	if (rc < 0)
		return rc;
	memcpy(room, verb, verb_len);
	if (argument) {
		room[verb_len] = ' ';
		memcpy(room + verb_len + 1, argument, arg_len - 1);
	}
	memcpy(room + n - 2, "\r\n", 2);
	buf_commit(out, n);
	return 0;
}

bool command_is_secret(const char *verb)
{
	return strcasecmp(verb, "PASS") == 0 || strcasecmp(verb, "ACCT") == 0;
}

bool command_list_safe(const char *path)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+,=@%/-";

	return path[strspn(path, safe)] == '\0' && path[0] != '-' && !strstr(path, "/-");
}
