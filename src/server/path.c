#include "server/path.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool is_dots(const char *p, size_t n, size_t dots)
{
	return n == dots && strncmp(p, "..", dots) == 0;
}

/* Appends the components of `p` to the normal path of *len bytes in `out` ("" is the root). */
static int append(char *out, size_t *len, const char *p)
{
	for (;;) {
		p += strspn(p, "/");
		size_t n = strcspn(p, "/");
		if (n == 0)
			return 0;
		if (is_dots(p, n, 2)) {
			while (*len > 0 && out[--*len] != '/')
				;
		} else if (!is_dots(p, n, 1)) {
			if (*len + 1 + n >= PATH_CAP)
				return -ENAMETOOLONG;
			out[(*len)++] = '/';
			memcpy(out + *len, p, n);
			*len += n;
		}
		p += n;
	}
}

int path_resolve(const char *cwd, const char *arg, char *out)
{
	size_t len = 0;
	int rc = arg[0] == '/' ? 0 : append(out, &len, cwd);
	if (rc == 0)
		rc = append(out, &len, arg);
	if (len == 0)
		out[len++] = '/';
	out[len] = '\0';
	return rc;
}

void path_quote(const char *path, char *out)
{
	for (; *path; path++) {
		if (*path == '"')
			*out++ = '"';
		*out++ = *path == '\r' || *path == '\n' ? '?' : *path;
	}
	*out = '\0';
}

const char *path_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}
