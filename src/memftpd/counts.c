#include "memftpd/counts.h"

#include <aftp/status.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct aftp_server_counters, member)

static const struct {
	const char *name;
	size_t offset;
} rows[] = {
	{ "sessions", AT(sessions) },
	{ "sessions-now", AT(sessions_now) },
	{ "refused", AT(refused) },
	{ "logins", AT(logins) },
	{ "commands", AT(commands) },
	{ "turns", AT(turns) },
	{ "unknown", AT(unknown) },
	{ "data-connections", AT(data_connections) },
	{ "bytes-sent", AT(bytes_sent) },
	{ "bytes-received", AT(bytes_received) },
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static uint64_t value(const struct aftp_server_counters *c, size_t row)
{
	uint64_t n;
	memcpy(&n, (const char *)c + rows[row].offset, sizeof(n));
	return n;
}

static void print_line(void *arg, const char *verb, uint64_t n)
{
	fprintf(arg, "stat %s %" PRIu64 "\n", verb, n);
}

void counts_print(const struct aftp_server *server, FILE *out)
{
	struct aftp_server_counters c;
	aftp_server_counters(server, &c);
	aftp_server_each_count(server, print_line, out);
	for (size_t i = 0; i < ROWS; i++)
		print_line(out, rows[i].name, value(&c, i));
	fputs("stat end\n", out);
	fflush(out);
}

/* --- JSON ------------------------------------------------------------------------------------------ */

struct verbs {
	FILE *out;
	const char *comma;
};

static void print_verb(void *arg, const char *verb, uint64_t n)
{
	struct verbs *v = arg;
	fprintf(v->out, "%s\"%s\": %" PRIu64, v->comma, verb, n);
	v->comma = ", ";
}

static void print_json(const struct aftp_server *server, FILE *out)
{
	struct aftp_server_counters c;
	struct verbs v = { out, "" };
	aftp_server_counters(server, &c);
	fputc('{', out);
	for (size_t i = 0; i < ROWS; i++) {
		fputs("\"", out);
		for (const char *p = rows[i].name; *p; p++)
			fputc(*p == '-' ? '_' : *p, out);
		fprintf(out, "\": %" PRIu64 ", ", value(&c, i));
	}
	fputs("\"verbs\": {", out);
	aftp_server_each_count(server, print_verb, &v);
	fputs("}}\n", out);
}

int counts_write(const struct aftp_server *server, const char *path)
{
	size_t len = strlen(path);
	char *fresh = malloc(len + sizeof(".new"));
	if (!fresh)
		return AFTP_ENOMEM;
	memcpy(fresh, path, len);
	memcpy(fresh + len, ".new", sizeof(".new"));
	FILE *out = fopen(fresh, "we");
	int rc = out ? 0 : -errno;
	if (out) {
		print_json(server, out);
		bool bad = ferror(out);
		if (fclose(out) != 0 || bad)
			rc = AFTP_EIO;
	}
	if (rc == 0 && rename(fresh, path) < 0)
		rc = -errno;
	if (rc < 0 && out)
		remove(fresh);
	free(fresh);
	return rc;
}
