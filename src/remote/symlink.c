#include "remote/symlink.h"

#include <aftp/status.h>
#include <stdlib.h>
#include <string.h>

/* The rest of an absolute target below the base, without leading slashes; NULL when it is elsewhere. */
static const char *below(const char *target, const char *base)
{
	size_t n = strcmp(base, "/") ? strlen(base) : 0;

	if (strncmp(target, base, n) != 0 || (target[n] != '/' && target[n] != '\0'))
		return NULL;
	target += n;
	return target + strspn(target, "/");
}

static bool is_up(const char *part, size_t n)
{
	return n == 2 && part[0] == '.' && part[1] == '.';
}

static bool stays_inside(const char *target, unsigned depth)
{
	bool named = false;

	if (target[0] == '/')
		return false;
	for (size_t n; *target; target += n + strspn(target + n, "/")) {
		n = strcspn(target, "/");
		if (is_up(target, n) && (named || depth-- == 0))
			return false;
		named |= !is_up(target, n) && !(n == 1 && target[0] == '.');
	}
	return true;
}

static char *relative(const char *rest, unsigned depth)
{
	size_t len = strlen(rest), up = (size_t)depth * 3;
	char *out = malloc(up + len + 2);

	if (!out)
		return NULL;
	for (size_t i = 0; i < up; i += 3)
		memcpy(out + i, "../", 3);
	memcpy(out + up, rest, len + 1);
	if (len == 0 && up > 0)
		out[up - 1] = '\0';
	else if (len == 0)
		memcpy(out, ".", 2);
	return out;
}

int symlink_shape(char **out, const struct symlink_rules *rules, const char *target, unsigned depth)
{
	const char *rest = rules->transform && target[0] == '/' ? below(target, rules->base) : NULL;
	char *shaped = rest ? relative(rest, depth) : strdup(target);

	if (!shaped)
		return AFTP_ENOMEM;
	if (rules->contain && !stays_inside(shaped, depth)) {
		free(shaped);
		return -EPERM;
	}
	*out = shaped;
	return 0;
}
