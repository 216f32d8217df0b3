/* json - a strict reader for the test data: one value, no extensions, into a tree of nodes from a fixed pool. */
#ifndef TESTS_JSON_H
#define TESTS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	const char *key; /* in an object */
	char *text;      /* of a string: UTF-8; of a number: as written */
	size_t len;
	struct json *first, *next; /* of an array or object */
};

struct json_reader {
	const char *s;
	struct json *pool;
	size_t used, size;
	char *strings; /* as long as the input: decoded text is never longer */
};

static struct json *json_value(struct json_reader *r);

static void json_space(struct json_reader *r)
{
	r->s += strspn(r->s, " \t\r\n");
}

static char *json_utf8(char *to, unsigned c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return to;
}

/* After the opening quote. Surrogates do not occur in the data and are refused. */
static bool json_string(struct json_reader *r, char **text, size_t *len)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	char *to = *text = r->strings;

	for (; *r->s != '"'; r->s++) {
		const char *known;
		char hex[5] = "", *end;
		unsigned long c;

		if ((unsigned char)*r->s < ' ')
			return false;
		if (*r->s != '\\') {
			*to++ = *r->s;
			continue;
		}
		r->s++;
		known = *r->s ? strchr(from, *r->s) : NULL;
		if (known) {
			*to++ = into[known - from];
			continue;
		}
		if (*r->s != 'u' || strnlen(r->s + 1, 4) < 4)
			return false;
		memcpy(hex, r->s + 1, 4);
		c = strtoul(hex, &end, 16);
		if (*end || (c >= 0xd800 && c <= 0xdfff))
			return false;
		to = json_utf8(to, (unsigned)c);
		r->s += 4;
	}
	r->s++;
	*len = (size_t)(to - *text);
	*to++ = '\0';
	r->strings = to;
	return true;
}

static bool json_members(struct json_reader *r, struct json *node, char close)
{
	struct json **link = &node->first;

	json_space(r);
	if (*r->s == close)
		return r->s++, true;
	for (;;) {
		char *key = NULL;
		size_t len;

		if (node->type == JSON_OBJECT) {
			json_space(r);
			if (*r->s++ != '"' || !json_string(r, &key, &len))
				return false;
			json_space(r);
			if (*r->s++ != ':')
				return false;
		}
		*link = json_value(r);
		if (!*link)
			return false;
		(*link)->key = key;
		link = &(*link)->next;
		json_space(r);
		if (*r->s == close)
			return r->s++, true;
		if (*r->s++ != ',')
			return false;
	}
}

static bool json_scalar(struct json_reader *r, struct json *node)
{
	static const struct {
		const char *word;
		enum json_type type;
	} words[] = { { "null", JSON_NULL }, { "true", JSON_TRUE }, { "false", JSON_FALSE } };

	for (size_t i = 0; i < 3; i++) {
		size_t n = strlen(words[i].word);

		if (strncmp(r->s, words[i].word, n) == 0) {
			node->type = words[i].type;
			r->s += n;
			return true;
		}
	}
	node->type = JSON_NUMBER;
	node->len = strspn(r->s, "-0123456789.eE+");
	node->text = r->strings;
	memcpy(r->strings, r->s, node->len);
	r->strings[node->len] = '\0';
	r->strings += node->len + 1;
	r->s += node->len;
	return node->len > 0;
}

static struct json *json_value(struct json_reader *r)
{
	struct json *node;
	bool ok;

	if (r->used == r->size)
		return NULL;
	node = &r->pool[r->used++];
	*node = (struct json){ 0 };
	json_space(r);
	switch (*r->s) {
	case '{':
	case '[':
		node->type = *r->s == '{' ? JSON_OBJECT : JSON_ARRAY;
		r->s++;
		ok = json_members(r, node, node->type == JSON_OBJECT ? '}' : ']');
		break;
	case '"':
		node->type = JSON_STRING;
		r->s++;
		ok = json_string(r, &node->text, &node->len);
		break;
	default: ok = json_scalar(r, node);
	}
	return ok ? node : NULL;
}

/* One value and nothing behind it, or NULL. `strings` must hold twice strlen(text) + 1 bytes. */
static struct json *json_read(const char *text, struct json *pool, size_t size, char *strings)
{
	struct json_reader r = { .s = text, .pool = pool, .size = size, .strings = strings };
	struct json *node = json_value(&r);

	json_space(&r);
	return *r.s == '\0' ? node : NULL;
}

static const struct json *json_get(const struct json *object, const char *key)
{
	for (const struct json *n = object->first; n; n = n->next)
		if (n->key && strcmp(n->key, key) == 0)
			return n;
	return NULL;
}

#endif
