/* What FEAT tells, which facts are wished for, and which commands are worth a try. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "client/features.h"
#include "proto/command.h"

typedef void take_fn(struct aftp_features *f, const struct aftp_reply *r);

/* Lines separated by '\n'. */
static struct aftp_features take(take_fn *fn, const char *s)
{
	struct aftp_features f = { 0 };
	struct aftp_reply r;
	int rc = 0;

	aftp_reply_init(&r, 65536);
	for (;;) {
		size_t n = strcspn(s, "\n");

		rc = aftp_reply_add_line(&r, s, n);
		assert_true(rc >= 0);
		if (!s[n])
			break;
		s += n + 1;
	}
	assert_int_equal(rc, 1);
	fn(&f, &r);
	aftp_reply_finish(&r);
	return f;
}

static struct aftp_features parse(const char *s)
{
	return take(features_parse, s);
}

/* The names of the flags that are set. */
static const char *names(const struct aftp_features *f)
{
	static char out[256];
	const struct {
		const char *name;
		bool on;
	} flags[] = { { "feat", f->feat }, { "mlst", f->mlst }, { "mdtm", f->mdtm }, { "size", f->size },
		{ "rest", f->rest_stream }, { "epsv", f->epsv }, { "utf8", f->utf8 }, { "mfmt", f->mfmt },
		{ "mff", f->mff }, { "tvfs", f->tvfs }, { "rang", f->rang }, { "hash", f->hash }, { "clnt", f->clnt },
		{ "tls", f->auth_tls } };
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (flags[i].on)
			at += (size_t)snprintf(out + at, sizeof out - at, "%s%s", at ? " " : "", flags[i].name);
	return out;
}

static void test_parse(void **state)
{
	static const struct {
		const char *name, *lines, *flags, *facts;
	} cases[] = {
		{ "vsftpd", "211-Features:\n EPRT\n EPSV\n MDTM\n PASV\n REST STREAM\n SIZE\n TVFS\n UTF8\n211 End",
			"feat mdtm size rest epsv utf8 tvfs", "" },
		{ "ProFTPD",
			"211-Features:\n AUTH TLS\n CLNT\n EPRT\n EPSV\n HASH CRC32;MD5*\n HOST\n MDTM\n MFF "
			"modify;UNIX.group;\n"
			" MFMT\n MLST modify*;perm*;size*;type*;unique*;UNIX.group*;UNIX.mode*;UNIX.owner*;\n PBSZ\n "
			"PROT\n"
			" RANG STREAM\n REST STREAM\n SIZE\n TVFS\n UTF8\n211 End",
			"feat mlst mdtm size rest epsv utf8 mfmt mff tvfs rang hash clnt tls",
			"modify*;perm*;size*;type*;unique*;UNIX.group*;UNIX.mode*;UNIX.owner*;" },
		{ "Pure-FTPd",
			"211-Extensions supported:\n UTF8\n EPRT\n IDLE\n MDTM\n SIZE\n MFMT\n REST STREAM\n"
			" MLST type*;size*;sizd*;modify*;UNIX.mode*;UNIX.uid*;UNIX.gid*;unique*;\n MLSD\n PRET\n AUTH "
			"TLS\n"
			" TVFS\n ESTA\n PASV\n EPSV\n ESTP\n211 End.",
			"feat mlst mdtm size rest epsv utf8 mfmt tvfs tls",
			"type*;size*;sizd*;modify*;UNIX.mode*;UNIX.uid*;UNIX.gid*;unique*;" },
		{ "lower case", "211-x\n size\n rest stream\n mlst type*;\n211 x", "feat mlst size rest", "type*;" },
		{ "no space, two spaces, a tab, spaces behind", "211-x\nSIZE\n  MDTM\n\tUTF8\n EPSV  \n211 x",
			"feat mdtm size epsv utf8", "" },
		{ "with their numbers", "211-x\n211-SIZE\n211-MDTM\n211 x", "feat mdtm size", "" },
		{ "words that only begin so",
			"211-x\n SIZEX\n XSIZE\n MLSTX type*;\n REST\n REST STREAMS\n AUTH TLSX\n211 x", "feat", "" },
		{ "AUTH with more", "211-x\n AUTH SSL;TLS;TLS-C\n211 x", "feat tls", "" },
		{ "AUTH with commas", "211-x\n AUTH SSL,TLS\n211 x", "feat tls", "" },
		{ "MLST without facts", "211-x\n MLST\n211 x", "feat mlst", "" },
		{ "no features", "211 none", "feat", "" },
		{ "a refusal", "500 what is SIZE", "", "" },
		{ "a refusal of many lines", "502-x\n SIZE\n502 no", "", "" },
		{ "another answer", "200-x\n SIZE\n200 x", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct aftp_features f = parse(cases[i].lines);

		if (strcmp(names(&f), cases[i].flags) != 0 || strcmp(f.mlst_facts, cases[i].facts) != 0)
			fail_msg("%s: %s; %s", cases[i].name, names(&f), f.mlst_facts);
	}
}

/* A list that does not fit is cut after a whole fact. */
static void test_long_facts(void **state)
{
	char lines[1024] = "211-x\n MLST ";
	struct aftp_features f;
	size_t n;

	(void)state;
	while (strlen(lines) < 700)
		strncpy(lines + strlen(lines), "type*;unknownfact;", 20);
	strncpy(lines + strlen(lines), "\n211 x", 8);
	f = parse(lines);
	n = strlen(f.mlst_facts);
	assert_true(n > 100 && n < sizeof f.mlst_facts);
	assert_int_equal(f.mlst_facts[n - 1], ';');
	memset(lines, 'x', 600);
	memcpy(lines, "211-x\n MLST ", 12);
	memcpy(lines + 600, "\n211 x", 7);
	f = parse(lines);
	assert_true(f.mlst);
	assert_string_equal(f.mlst_facts, "");
}

static void test_wish(void **state)
{
	static const struct {
		const char *facts, *wish; /* NULL: nothing to ask for */
	} cases[] = {
		{ "type*;size*;modify*;", NULL },
		{ "type*;size*;modify*;UNIX.mode;", "MLST type;size;modify;UNIX.mode;" },
		{ "type*;size;lang;media-type;", "MLST type;size;" },
		{ "type*;media-type;", NULL },
		{ "Type*;SIZE;", "MLST Type;SIZE;" },
		{ "type*;size", "MLST type;size;" },
		{ ";;size;;", "MLST size;" },
		{ "*;;", NULL },
		{ "", NULL },
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct aftp_features f = { .mlst = true };
		bool asked;

		snprintf(f.mlst_facts, sizeof f.mlst_facts, "%s", cases[i].facts);
		asked = features_facts(&f, FEATURES_USEFUL, out, sizeof out);
		if (asked != (cases[i].wish != NULL) || (asked && strcmp(out, cases[i].wish) != 0))
			fail_msg("%s: %s", cases[i].facts, asked ? out : "nothing");
		f.mlst = false;
		assert_false(features_facts(&f, FEATURES_USEFUL, out, sizeof out));
	}
}

static void test_fewer(void **state)
{
	static const struct {
		const char *facts, *needed; /* NULL: not worth a command */
		const char *usual;
	} cases[] = {
		{ "modify*;perm*;size*;type*;unique*;UNIX.group*;UNIX.groupname*;UNIX.mode*;UNIX.owner*;UNIX.ownername*"
		  ";",
			"MLST modify;size;type;UNIX.mode;",
			"MLST "
			"modify;perm;size;type;unique;UNIX.group;UNIX.groupname;UNIX.mode;UNIX.owner;UNIX.ownername;" },
		{ "type*;size*;sizd*;modify*;UNIX.mode*;UNIX.uid*;UNIX.gid*;unique*;", NULL,
			"MLST type;size;sizd;modify;UNIX.mode;UNIX.uid;UNIX.gid;unique;" },
		{ "type*;perm*;size*;modify*;unix.mode;lang;", NULL, "MLST type;perm;size;modify;unix.mode;" },
	};
	char out[168];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct aftp_features f = { .mlst = true };

		snprintf(f.mlst_facts, sizeof f.mlst_facts, "%s", cases[i].facts);
		assert_int_equal(features_facts(&f, FEATURES_NEEDED, out, sizeof out), cases[i].needed != NULL);
		if (cases[i].needed)
			assert_string_equal(out, cases[i].needed);
		assert_true(features_facts(&f, FEATURES_USUAL, out, sizeof out));
		assert_string_equal(out, cases[i].usual);
	}
}

/* In too little room it asks for nothing, and stays inside. */
static void test_wish_without_room(void **state)
{
	struct aftp_features f = { .mlst = true, .mlst_facts = "type*;size;modify;" };
	const char *whole = "MLST type;size;modify;";
	char out[64];

	(void)state;
	for (size_t size = 0; size <= strlen(whole) + 1; size++) {
		memset(out, '#', sizeof out);
		assert_int_equal(features_facts(&f, FEATURES_USEFUL, out, size), size > strlen(whole));
		for (size_t i = size; i < sizeof out; i++)
			assert_int_equal(out[i], '#');
	}
	assert_string_equal(out, whole);
}

static void test_choices(void **state)
{
	struct aftp_features unknown = { 0 };
	struct aftp_features none = { .feat = true };
	struct aftp_features all = { .feat = true, .mlst = true, .size = true, .mdtm = true };
	struct aftp_features refused = all;

	(void)state;
	refused.no_mlst = refused.no_mlsd = refused.no_size = refused.no_mdtm = true;
	assert_true(features_may_mlst(&unknown) && features_may_mlsd(&unknown));
	assert_true(features_may_size(&unknown) && features_may_mdtm(&unknown));
	assert_false(features_may_mlst(&none) || features_may_mlsd(&none));
	assert_false(features_may_size(&none) || features_may_mdtm(&none));
	assert_true(features_may_mlst(&all) && features_may_mlsd(&all));
	assert_true(features_may_size(&all) && features_may_mdtm(&all));
	assert_false(features_may_mlst(&refused) || features_may_mlsd(&refused));
	assert_false(features_may_size(&refused) || features_may_mdtm(&refused));
}

static void test_unknown_command(void **state)
{
	(void)state;
	assert_true(features_unknown_command(500));
	assert_true(features_unknown_command(502));
	assert_true(features_unknown_command(504));
	assert_false(features_unknown_command(501));
	assert_false(features_unknown_command(550));
	assert_false(features_unknown_command(450));
}

static void test_greeting(void **state)
{
	static const struct {
		const char *lines;
		unsigned alters;
		enum aftp_order order;
		bool in_order, answers_one;
	} cases[] = {
		{ "220 (vsFTPd 3.0.3)", 0, AFTP_ORDER_YES, true, false },
		{ "220 ProFTPD Server (Debian) [::ffff:127.0.0.1]", COMMAND_TELNET, AFTP_ORDER_YES, false, true },
		{ "220---------- Welcome to Pure-FTPd [privsep] [TLS] ----------\n220-You are user number 1\n220 Bye.",
			COMMAND_MENDED, AFTP_ORDER_UNKNOWN, false, false },
		{ "220-Hello\n220 pyftpdlib 1.5.7 ready.", COMMAND_UTF_8, AFTP_ORDER_UNKNOWN, false, false },
		{ "220", 0, AFTP_ORDER_UNKNOWN, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct aftp_features f = take(features_greeted, cases[i].lines);

		assert_int_equal(f.alters, cases[i].alters);
		assert_int_equal(f.downloads_in_order, cases[i].order);
		assert_int_equal(f.in_order, cases[i].in_order);
		assert_int_equal(f.answers_one, cases[i].answers_one);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_greeting),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_long_facts),
		cmocka_unit_test(test_wish),
		cmocka_unit_test(test_fewer),
		cmocka_unit_test(test_wish_without_room),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_unknown_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
