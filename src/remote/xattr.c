/* xattr - extended attributes: the facts of MLST, and checksums (HASH of draft-bryan-ftpext-hash, XCRC and the like). */
#include <aftp/status.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/internal.h"
#include "remote/job.h"

#define PREFIX   "user.ftp."
#define FRESH_MS 2000

struct sum {
	const char *name, *algorithm, *verb;
	size_t digits;
};

static const struct sum sums[] = {
	{ "md5", "MD5", "XMD5", 32 },
	{ "sha1", "SHA-1", "XSHA1", 40 },
	{ "sha256", "SHA-256", "XSHA256", 64 },
	{ "sha512", "SHA-512", "XSHA512", 128 },
	{ "crc32", "CRC32", "XCRC", 8 },
};

struct value_op {
	struct site_op op;
	struct question *question; /* NULL when not waiting */
	char *value;
	site_value_cb *cb;
	void *arg;
};

/* Outlives its asker. */
struct question {
	struct job job;
	struct site *site;
	struct value_op *asker;
	uint64_t ino;
	const struct sum *sum; /* NULL: the facts are wanted */
	char *path, *name;
	char *answer;
	unsigned owed;
	bool by_hash; /* HASH was asked, in the algorithm that is wanted */
	int status;
};

/* --- facts ---------------------------------------------------------------------------------------- */

/* The value of one fact in "a=b;c=d; name". */
static char *fact(const char *line, const char *name)
{
	size_t n = strlen(name);

	for (const char *s = line; *s && *s != ' ';) {
		size_t len = strcspn(s, "; ");
		if (len > n && strncasecmp(s, name, n) == 0 && s[n] == '=')
			return strndup(s + n + 1, len - n - 1);
		s += len + (s[len] == ';');
	}
	return NULL;
}

static char *value_of(const char *line, const char *name)
{
	return strcmp(name, "facts") == 0 ? strndup(line, strcspn(line, " ")) : fact(line, name);
}

static bool has_facts(const struct site *s)
{
	const struct aftp_features *f = pool_features(s->pool);

	return f && f->mlst && !f->no_mlst;
}

/* --- answers -------------------------------------------------------------------------------------- */

static void value_end(struct site_op *op)
{
	struct value_op *v = (struct value_op *)op;
	site_value_cb *cb = v->cb;
	void *arg = v->arg;
	char *value = v->value;
	int status = op->status;

	op_free(op);
	cb(arg, status, status < 0 ? NULL : value, value ? strlen(value) : 0);
	free(value);
}

static void detach(struct site_op *op)
{
	struct value_op *v = (struct value_op *)op;

	if (v->question)
		v->question->asker = NULL;
	v->question = NULL;
}

static void answer(struct value_op *v, char *value)
{
	v->value = value;
	op_complete(&v->op, value ? 0 : -ENODATA);
}

static void done(struct job *job, int status)
{
	struct question *q = (struct question *)job;
	struct site *s = q->site;
	struct value_op *v = q->asker;

	if (status == 0 && !q->sum && q->answer) {
		free(s->facts.line);
		s->facts = (struct facts){ .ino = q->ino, .at = site_now(s), .line = strdup(q->answer) };
	}
	if (v) {
		v->question = NULL;
		if (status < 0)
			op_complete(&v->op, job_is_network(status) ? status : -ENODATA);
		else if (!q->answer)
			answer(v, NULL);
		else
			answer(v, q->sum ? strdup(q->answer) : value_of(q->answer, q->name));
	}
	free(q->answer);
	free(q->path);
	free(q->name);
	free(q);
}

/* --- questions ------------------------------------------------------------------------------------ */

static bool is_sum(const char *word, size_t n, const struct sum *sum)
{
	/* Leading zeros of a CRC are often left out. */
	if (sum->digits == 8 ? n == 0 || n > 8 : n != sum->digits)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isxdigit((unsigned char)word[i]))
			return false;
	return true;
}

/* "213 SHA-256 0-4 2cf2...9824 name", "250 2CF2..." */
static char *find_sum(const char *text, const struct sum *sum, bool after_range)
{
	while (*text) {
		size_t n = strcspn(text, " ;,\"");
		if (!after_range && is_sum(text, n, sum)) {
			char *found = malloc(sum->digits + 1);
			if (!found)
				return NULL;
			memset(found, '0', sum->digits - n);
			for (size_t i = 0; i < n; i++)
				found[sum->digits - n + i] = (char)tolower((unsigned char)text[i]);
			found[sum->digits] = '\0';
			return found;
		}
		/* The name of the algorithm and the range come first. */
		if (after_range && n > 1 && memchr(text, '-', n) && isdigit((unsigned char)text[0]))
			after_range = false;
		text += n + (text[n] != '\0');
	}
	return NULL;
}

static void on_answer(void *arg, int status, const struct aftp_reply *r);

static int say(struct question *q, struct aftp_client *client, const char *verb, const char *argument)
{
	int rc = aftp_client_command(client, on_answer, q, verb, argument);

	q->owed += rc == 0;
	return rc;
}

static void take(struct question *q, const struct aftp_reply *r)
{
	const char *line;
	size_t len;

	if (q->sum) {
		q->answer = find_sum(aftp_reply_message(r), q->sum, q->by_hash);
		return;
	}
	for (size_t i = 0; (line = aftp_reply_line(r, i, &len)) != NULL; i++) {
		if (i == 0 && r->lines > 1)
			continue;
		for (; len > 0 && *line == ' '; len--)
			line++;
		if (memchr(line, '=', len)) {
			q->answer = strndup(line, len);
			return;
		}
	}
}

static void on_answer(void *arg, int status, const struct aftp_reply *r)
{
	struct question *q = arg;
	bool last = --q->owed == 0;

	if (status < 0)
		q->status = status;
	else if (r->code >= 400 && q->status == 0)
		q->status = AFTP_EREPLY;
	else if (last && q->status == 0)
		take(q, r);
	if (!last)
		return;
	/* No HASH with this algorithm: there may be a command of its own for it. */
	if (q->status == AFTP_EREPLY && q->by_hash && pool_client(q->job.conn)) {
		q->by_hash = false;
		q->status = 0;
		if (say(q, pool_client(q->job.conn), q->sum->verb, q->path) == 0)
			return;
	}
	job_ended(&q->job, q->status);
}

static int start(struct job *job, struct aftp_client *client)
{
	struct question *q = (struct question *)job;
	const struct aftp_features *f = aftp_client_features(client);
	char option[32];
	int rc;

	q->owed = 0;
	q->status = 0;
	q->by_hash = q->sum && f->hash;
	if (!q->sum) {
		rc = aftp_client_few_facts(client, false);
		return rc < 0 ? rc : say(q, client, "MLST", q->path);
	}
	if (!q->by_hash)
		return say(q, client, q->sum->verb, q->path);
	snprintf(option, sizeof option, "HASH %s", q->sum->algorithm);
	rc = say(q, client, "OPTS", option);
	if (rc == 0)
		rc = say(q, client, "HASH", q->path);
	if (rc < 0)
		q->status = rc;
	return q->owed ? 0 : rc;
}

static int ask(struct value_op *v, const struct node *n, const char *name, const struct sum *sum)
{
	struct site *s = v->op.site;
	struct question *q = calloc(1, sizeof *q);

	if (!q)
		return AFTP_ENOMEM;
	q->path = node_path(&s->nodes, n, NULL);
	q->name = strdup(name);
	if (!q->path || !q->name) {
		free(q->path);
		free(q->name);
		free(q);
		return AFTP_ENOMEM;
	}
	q->site = s;
	q->ino = n->ino;
	q->sum = sum;
	q->asker = v;
	q->job.pool = s->pool;
	q->job.start = start;
	q->job.done = done;
	v->question = q;
	job_run(&q->job, POOL_METADATA);
	return 0;
}

static const struct sum *sum_named(const char *name)
{
	for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
		if (strcmp(sums[i].name, name) == 0)
			return &sums[i];
	return NULL;
}

int site_getxattr(struct site *s, uint64_t ino, const char *name, struct site_op **op, site_value_cb *cb, void *arg)
{
	struct node *n = node_by_ino(&s->nodes, ino);
	const struct sum *sum;
	struct value_op *v;
	int rc;

	if (strncmp(name, PREFIX, sizeof PREFIX - 1) != 0)
		return -ENODATA;
	if (!n || s->closing || node_is_gone(n))
		return -ESTALE;
	name += sizeof PREFIX - 1;
	sum = sum_named(name);
	if (sum ? n->attr.type != AFTP_TYPE_FILE : !has_facts(s))
		return -ENODATA;
	v = op_new(s, sizeof *v, value_end, op);
	if (!v)
		return AFTP_ENOMEM;
	v->cb = cb;
	v->arg = arg;
	v->op.detach = detach;
	if (!sum && s->facts.line && s->facts.ino == ino && site_now(s) - s->facts.at < FRESH_MS) {
		answer(v, value_of(s->facts.line, name));
		return 0;
	}
	rc = ask(v, n, name, sum);
	if (rc)
		op_complete(&v->op, rc);
	return 0;
}

/* --- the list ------------------------------------------------------------------------------------- */

static size_t add_name(char *out, size_t size, size_t at, const char *name, size_t n)
{
	size_t len = sizeof PREFIX - 1 + n + 1;

	if (out && at + len <= size) {
		memcpy(out + at, PREFIX, sizeof PREFIX - 1);
		for (size_t i = 0; i < n; i++)
			out[at + sizeof PREFIX - 1 + i] = (char)tolower((unsigned char)name[i]);
		out[at + len - 1] = '\0';
	}
	return at + len;
}

ssize_t site_listxattr(struct site *s, uint64_t ino, char *out, size_t size)
{
	const struct aftp_features *f = pool_features(s->pool);
	size_t at = 0;

	if (!node_by_ino(&s->nodes, ino) || s->closing)
		return -ESTALE;
	if (!has_facts(s))
		return 0;
	at = add_name(out, size, at, "facts", 5);
	for (const char *fact = f->mlst_facts; *fact; fact += strspn(fact, ";")) {
		size_t n = strcspn(fact, ";");
		if (n > 1 && fact[n - 1] == '*')
			at = add_name(out, size, at, fact, n - 1);
		fact += n;
	}
	return size && at > size ? -ERANGE : (ssize_t)at;
}
