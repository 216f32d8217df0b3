#include "server/faults.h"

#include <aftp/status.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/commands.h"

static int copy_verbs(struct faults *f, const char *const *verbs)
{
	size_t n = 0;
	while (verbs[n])
		if (!command_known(verbs[n++]))
			return AFTP_EINVAL;
	char **copy = calloc(n + 1, sizeof(char *));
	f->set.no = (const char *const *)copy;
	for (size_t i = 0; copy && i < n; i++)
		if (!(copy[i] = strdup(verbs[i])))
			return AFTP_ENOMEM;
	return copy ? 0 : AFTP_ENOMEM;
}

/* Kept as "h1,h2,h3,h4". */
static int copy_address(struct faults *f, const char *text)
{
	char *copy = strdup(text);
	struct in_addr addr;
	f->set.pasv_address = copy;
	if (!copy)
		return AFTP_ENOMEM;
	for (char *p = copy; *p; p++)
		*p = *p == ',' ? '.' : *p;
	if (inet_pton(AF_INET, copy, &addr) != 1)
		return AFTP_EINVAL;
	for (char *p = copy; *p; p++)
		*p = *p == '.' ? ',' : *p;
	return 0;
}

static bool rule_ok(const struct aftp_rule *r)
{
	bool replies = r->act == AFTP_ACT_REPLY || r->act == AFTP_ACT_FINAL;
	if (!r->verb || !command_find(r->verb) || r->first == 0 || (r->last > 0 && r->last < r->first) ||
		(unsigned)r->act > AFTP_ACT_REFUSE_DATA)
		return false;
	return replies ? r->number >= 100 && r->number <= 999 && r->text
		       : r->act != AFTP_ACT_DELAY || r->number <= UINT32_MAX;
}

static int copy_rules(struct faults *f, const struct aftp_faults *from)
{
	struct aftp_rule *rules = calloc(from->nrules + 1, sizeof(*rules));
	f->set.rules = rules;
	f->set.nrules = 0;
	if (!rules)
		return AFTP_ENOMEM;
	for (size_t i = 0; i < from->nrules; i++) {
		const struct aftp_rule *r = &from->rules[i];
		if (!rule_ok(r))
			return AFTP_EINVAL;
		rules[i] = *r;
		rules[i].verb = command_find(r->verb)->verb;
		rules[i].text = r->text ? strdup(r->text) : NULL;
		f->set.nrules++;
		if (r->text && !rules[i].text)
			return AFTP_ENOMEM;
	}
	return 0;
}

int faults_init(struct faults *f, const struct aftp_faults *from)
{
	*f = (struct faults){ .set = *from };
	f->set.no = NULL;
	f->set.pasv_address = NULL;
	f->set.at = NULL;
	f->set.rules = NULL;
	f->set.nrules = 0;
	int rc = from->no ? copy_verbs(f, from->no) : 0;
	if (rc == 0 && from->pasv_address)
		rc = copy_address(f, from->pasv_address);
	if (rc == 0 && from->at) {
		const struct command *cmd = command_find(from->at);
		f->set.at = cmd ? cmd->verb : NULL;
		rc = cmd ? 0 : AFTP_EINVAL;
	}
	if (rc == 0)
		rc = copy_rules(f, from);
	if (rc < 0)
		faults_finish(f);
	return rc;
}

void faults_finish(struct faults *f)
{
	char **no = (char **)f->set.no;
	for (size_t i = 0; no && no[i]; i++)
		free(no[i]);
	free(no);
	free((char *)f->set.pasv_address);
	for (size_t i = 0; i < f->set.nrules; i++)
		free((char *)f->set.rules[i].text);
	free((struct aftp_rule *)f->set.rules);
	*f = (struct faults){ 0 };
}

bool faults_hidden_by(const char *const *no, const char *verb)
{
	size_t word = strcspn(verb, " "); /* without SITE there is none of its words */
	for (; *no; no++)
		if (strcasecmp(*no, verb) == 0 ||
			(verb[word] && strlen(*no) == word && strncasecmp(*no, verb, word) == 0))
			return true;
	return false;
}

bool faults_hide(const struct faults *f, const char *verb)
{
	return f->set.no && faults_hidden_by(f->set.no, verb);
}

enum babble faults_babble(const struct faults *f, const char *verb)
{
	const struct aftp_faults *set = &f->set;
	if (set->at ? !verb || strcmp(set->at, verb) != 0 : verb != NULL)
		return BABBLE_NONE;
	return set->garbage          ? BABBLE_GARBAGE
		: set->endless_line  ? BABBLE_LINE
		: set->endless_reply ? BABBLE_REPLY
		: set->silence       ? BABBLE_SILENCE
				     : BABBLE_NONE;
}

const struct aftp_rule *faults_rule(const struct faults *f, const char *verb, uint64_t n)
{
	for (size_t i = 0; i < f->set.nrules; i++) {
		const struct aftp_rule *r = &f->set.rules[i];
		if (strcmp(r->verb, verb) == 0 && n >= r->first && (r->last == 0 || n <= r->last))
			return r;
	}
	return NULL;
}

bool faults_strike(struct faults *f)
{
	if (f->set.times == 0)
		return true;
	if (f->struck >= f->set.times)
		return false;
	f->struck++;
	return true;
}

enum cut faults_next_cut(const struct faults *f, uint64_t *at)
{
	const uint64_t when[] = {
		[CUT_DATA] = f->set.drop_after, [CUT_ALL] = f->set.drop_all_after, [CUT_STALL] = f->set.stall_after
	};
	enum cut cut = CUT_NONE;
	if (f->set.times > 0 && f->struck >= f->set.times)
		return CUT_NONE;
	for (enum cut i = CUT_DATA; i <= CUT_STALL; i++)
		if (when[i] > 0 && (cut == CUT_NONE || when[i] < *at)) {
			cut = i;
			*at = when[i];
		}
	return cut;
}
