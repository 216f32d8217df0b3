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

/* RFC 3629 section 4. */
static bool is_utf_8(const unsigned char *s)
{
	while (*s) {
		unsigned more = *s < 0x80 ? 0 : *s < 0xe0 ? 1 : *s < 0xf0 ? 2 : 3;

		if ((*s >= 0x80 && *s < 0xc2) || *s > 0xf4 || (*s == 0xe0 && s[1] < 0xa0) ||
			(*s == 0xed && s[1] > 0x9f) || (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
			return false;
		for (s++; more > 0; more--, s++)
			if ((*s & 0xc0) != 0x80)
				return false;
	}
	return true;
}

bool command_is_altered(unsigned how, const char *argument)
{
	size_t len = strlen(argument);

	if (how & COMMAND_TELNET && strchr(argument, 0xff))
		return true;
	if (how & COMMAND_UTF_8 && !is_utf_8((const unsigned char *)argument))
		return true;
	if (!(how & COMMAND_MENDED) || len == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)argument[i] < ' ' || argument[i] == 0x7f)
			return true;
	return argument[len - 1] == ' ';
}
