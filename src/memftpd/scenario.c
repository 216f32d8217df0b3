#include "memftpd/scenario.h"

#include <stdlib.h>
#include <string.h>

#include "memftpd/options_users.h"

enum { WORD_CAP = 32, RULES_CAP = 1000 };

enum needs { NOTHING, BYTES, MILLISECONDS, REPLY };

static const struct {
	const char *name;
	enum aftp_act act;
	enum needs needs;
} acts[] = {
	{ "reply", AFTP_ACT_REPLY, REPLY },
	{ "silence", AFTP_ACT_SILENCE, NOTHING },
	{ "missing", AFTP_ACT_MISSING, NOTHING },
	{ "delay", AFTP_ACT_DELAY, MILLISECONDS },
	{ "drop", AFTP_ACT_DROP, NOTHING },
	{ "close", AFTP_ACT_CLOSE, NOTHING },
	{ "garbage", AFTP_ACT_GARBAGE, NOTHING },
	{ "endless-line", AFTP_ACT_ENDLESS_LINE, NOTHING },
	{ "endless-reply", AFTP_ACT_ENDLESS_REPLY, NOTHING },
	{ "final", AFTP_ACT_FINAL, REPLY },
	{ "no-final", AFTP_ACT_NO_FINAL, NOTHING },
	{ "short", AFTP_ACT_SHORT, NOTHING },
	{ "drop-after", AFTP_ACT_DROP_AFTER, BYTES },
	{ "drop-all-after", AFTP_ACT_DROP_ALL_AFTER, BYTES },
	{ "stall-after", AFTP_ACT_STALL_AFTER, BYTES },
	{ "refuse-data", AFTP_ACT_REFUSE_DATA, NOTHING },
};
enum { ACTS = sizeof(acts) / sizeof(acts[0]) };

/* The next word of *text, which moves behind it and its blanks; "" at the end. False when it is too long. */
static bool next_word(const char **text, char *out)
{
	size_t n = strcspn(*text, " \t");
	if (n >= WORD_CAP)
		return false;
	memcpy(out, *text, n);
	out[n] = '\0';
	*text += n;
	*text += strspn(*text, " \t");
	return true;
}

/* "*", "3", "3-", "3-5" */
static bool parse_when(char *text, struct aftp_rule *r)
{
	char *dash = strchr(text, '-');
	r->first = 1;
	r->last = 0;
	if (strcmp(text, "*") == 0)
		return true;
	if (dash)
		*dash = '\0';
	if (parse_number(text, &r->first) < 0 || r->first == 0)
		return false;
	if (dash && !dash[1])
		return true;
	r->last = r->first;
	return !dash || (parse_number(dash + 1, &r->last) == 0 && r->last >= r->first);
}

/* "552 Disk full." Lines are separated by "\n", written so. */
static bool parse_reply(const char *text, struct aftp_rule *r)
{
	char code[WORD_CAP];
	if (!next_word(&text, code) || strlen(code) != 3 || parse_number(code, &r->number) < 0 || r->number < 100)
		return false;
	char *words = strdup(text), *out = words;
	if (!words)
		return false;
	for (const char *p = words; *p; out++) {
		bool end = p[0] == '\\' && p[1] == 'n';
		*out = end ? '\n' : *p;
		p += end ? 2 : 1;
	}
	*out = '\0';
	r->text = words;
	return true;
}

static bool parse_argument(const char *text, enum needs needs, struct aftp_rule *r)
{
	switch (needs) {
	case NOTHING: return text[0] == '\0';
	case BYTES: return parse_number(text, &r->number) == 0 && r->number > 0;
	case MILLISECONDS: return parse_number(text, &r->number) == 0 && r->number <= UINT32_MAX;
	case REPLY: return parse_reply(text, r);
	}
	return false;
}

static bool parse_rule(const char *line, char *verb, struct aftp_rule *r)
{
	char when[WORD_CAP], act[WORD_CAP];
	*r = (struct aftp_rule){ .verb = verb };
	if (!next_word(&line, verb) || !next_word(&line, when) || !next_word(&line, act) || !verb[0] ||
		!parse_when(when, r))
		return false;
	for (size_t i = 0; i < ACTS; i++)
		if (strcmp(acts[i].name, act) == 0) {
			r->act = acts[i].act;
			return parse_argument(line, acts[i].needs, r);
		}
	return false;
}

int scenario_add(struct options *o, const char *line)
{
	struct aftp_rule r, *more;
	char verb[WORD_CAP];
	if (!parse_rule(line, verb, &r))
		return complain("a rule is COMMAND WHEN ACTION [ARGUMENT], as memftpd(1) has it, not '%s'", line);
	char *copy = strdup(verb);
	more = copy && o->nrules < RULES_CAP ? realloc(o->rules, (o->nrules + 1) * sizeof(*more)) : NULL;
	if (!more) {
		free(copy);
		free((char *)r.text);
		return complain("too many rules");
	}
	r.verb = copy;
	more[o->nrules++] = r;
	o->rules = more;
	return 0;
}

int scenario_load(struct options *o, const char *path)
{
	return load_lines(o, path, scenario_add);
}

void scenario_finish(struct options *o)
{
	for (size_t i = 0; i < o->nrules; i++) {
		free((char *)o->rules[i].verb);
		free((char *)o->rules[i].text);
	}
	free(o->rules);
}
