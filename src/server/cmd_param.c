/* cmd_param - how the next transfer is to go: TYPE MODE STRU ALLO REST RANG. */
#include <strings.h>

#include "server/commands.h"
#include "server/words.h"

/* ASCII is accepted and nothing is converted, as most servers do. */
void cmd_type(struct session *s, const char *arg)
{
	if (strcasecmp(arg, "I") == 0 || strcasecmp(arg, "L 8") == 0 || strcasecmp(arg, "L8") == 0) {
		s->type = 'I';
		session_end(s, 200, "Switching to Binary mode.");
	} else if (strcasecmp(arg, "A") == 0 || strcasecmp(arg, "A N") == 0) {
		s->type = 'A';
		session_end(s, 200, "Switching to ASCII mode.");
	} else {
		session_end(s, 504, "Unrecognised TYPE.");
	}
}

void cmd_mode(struct session *s, const char *arg)
{
	if (strcasecmp(arg, "S") == 0)
		session_end(s, 200, "Mode set to S.");
	else
		session_end(s, 504, "Bad MODE command.");
}

void cmd_stru(struct session *s, const char *arg)
{
	if (strcasecmp(arg, "F") == 0)
		session_end(s, 200, "Structure set to F.");
	else
		session_end(s, 504, "Bad STRU command.");
}

void cmd_allo(struct session *s, const char *arg)
{
	(void)arg;
	session_end(s, 202, "ALLO command ignored.");
}

void cmd_rest(struct session *s, const char *arg)
{
	uint64_t n;
	if (!words_number(arg, &n)) {
		session_end(s, 501, "REST needs a number of bytes.");
		return;
	}
	s->rest = n;
	session_end(s, 350, "Restart position accepted (%s).", arg);
}

/* draft-bryan-ftp-range: the first byte and the last; "1 0" is all of the file again. */
void cmd_rang(struct session *s, const char *arg)
{
	char first[32], last[32];
	uint64_t from, to;
	bool ok = words_next(&arg, first, sizeof(first)) && words_rest(arg, last, sizeof(last)) &&
		words_number(first, &from) && words_number(last, &to);
	if (!ok || (from > to && (from != 1 || to != 0))) {
		session_end(s, 501, "RANG needs a first and a last byte.");
		return;
	}
	if (from > to) {
		session_end(s, 350, "The range is the whole file.");
		return;
	}
	s->rest = from;
	s->range_end = to + 1;
	session_end(s, 350, "Restarting at %s. End byte range at %s.", first, last);
}
