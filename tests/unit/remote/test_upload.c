/* Uploads against servers that answer in every order and die at every moment: the file is there, whole, or the program
 * hears that it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <aftp/status.h>
#include <fcntl.h>

#include "lib/scripted.h"
#include "lib/site_fixture.h"

#define LEN  5000 /* bytes that are written */
#define OLD  300  /* bytes of the old file */
#define MOST 96

/* The last line of a case says what it is about; what must be so is in the scripts: they are followed to the letter. */
struct test {
	const char *name;
	int flags;       /* of the open; with O_CREAT the file is new */
	unsigned conns;  /* 1: by the spool */
	unsigned offset; /* of what is written */
	int status;      /* of the flush */
	unsigned connections;
	struct step first[MOST], second[MOST];
};

#define BEGIN GREETED("ready")
#define GREETED(text)                                                                                        \
	SAY("220 " text), REPLY("USER", "331 password"), REPLY("PASS", "230 ok"), REPLY("TYPE I", "200 ok"), \
		REPLY("PWD", "257 \"/\" is where you are"), REPLY("FEAT", "502 no")
#define SIZING(size)                                                                                                  \
	SAY("220 ready"), REPLY("USER", "331 password"), REPLY("PASS", "230 ok"), REPLY("TYPE I", "200 ok"),          \
		REPLY("PWD", "257 \"/\" is where you are"), REPLY("FEAT", "211-Features:\r\n SIZE\r\n211 End"), EPSV, \
		WANT("LIST -a /"), DO(STEP_ACCEPT), SAY("150 ok"),                                                    \
		DATA("drwxr-xr-x 2 0 0 10 Jan 01 2020 .\r\n-rw-r--r-- 1 0 0 " #size " Jan 01 2020 f\r\n"),            \
		DO(STEP_END_DATA), SAY("226 ok")
/* A listing over the control connection, of an empty directory. */
#define STATUS                                                                                                   \
	WANT("STAT /"), SAY("213-Status follows:"), SAY("drwxr-xr-x 2 0 0 4096 Nov 26 07:18 ."), SAY("213 End"), \
		REPLY("REST", "350 Restart position accepted (%A)."), REPLY("REST 0", "350 ok (0).")
#define LISTING(text) EPSV, WANT("MLSD"), DO(STEP_ACCEPT), SAY("150 ok"), DATA(text), DO(STEP_END_DATA), SAY("226 ok")
#define NONE          BEGIN, LISTING("type=cdir; .\r\n")
#define SOME(size)    BEGIN, LISTING("type=file;size=" #size ";modify=20200101000000; f\r\n")
#define AGAIN         SAY("220 ready"), REPLY("USER", "331 password"), REPLY("PASS", "230 ok"), REPLY("TYPE I", "200 ok")
#define PUT(verb)     EPSV, WANT(verb), DO(STEP_ACCEPT)
#define TAKEN(verb)   PUT(verb), SAY("150 go"), DO(STEP_TAKE_ALL)
#define FINE          SAY("226 done")
#define SIZED(n)      REPLY("SIZE /f", "213 " #n)
/* Until it stands still. */
#define LOOK(n)       SIZED(n), SIZED(n)
#define TIMED         REPLY("MDTM /f", "213 20260101000000")
#define LESS(n)                                                                                 \
	DO_N(STEP_SEEK, n), TAKEN("APPE /f"), WANT("SIZE"), WANT("MDTM"), FINE, SAY("213 " #n), \
		SAY("213 20260101000000")
#define NEW    O_WRONLY | O_CREAT | O_EXCL
#define OVER   O_WRONLY | O_TRUNC
#define BEHIND O_WRONLY | O_APPEND

static const struct test tests[] = {
	{ "answers in order", NEW, 2, 0, 0, 1,
		{ NONE, TAKEN("STOR /f"), WANT("SIZE"), FINE, SAY("213 5000"), TIMED, END }, { END } },
	{ "an answer that overtakes is asked for again", NEW, 2, 0, 0, 1,
		{ NONE, TAKEN("STOR /f"), SIZED(77), FINE, SIZED(5000), TIMED, END }, { END } },
	{ "one that answers the first question too early", NEW, 2, 0, 0, 1,
		{ GREETED("ProFTPD"), LISTING("type=cdir; .\r\n"), TAKEN("STOR /f"), WANT("SIZE"), WANT("SIZE"),
			SAY("213 77"), FINE, SAY("213 5000"), TIMED, END },
		{ END } },
	{ "and the second, too", NEW, 2, 0, 0, 1,
		{ GREETED("ProFTPD"), LISTING("type=cdir; .\r\n"), TAKEN("STOR /f"), WANT("SIZE"), WANT("SIZE"),
			SAY("213 77"), SAY("213 88"), FINE, SIZED(5000), TIMED, END },
		{ END } },
	{ "one that is strictly in order", NEW, 2, 0, 0, 1,
		{ GREETED("(vsFTPd 3.0.3)"), STATUS, TAKEN("STOR /f"), WANT("SIZE"), WANT("MDTM"), FINE,
			SAY("213 5000"), SAY("213 20260101000000"), END },
		{ END } },
	{ "a refusal that overtakes", NEW, 2, 0, 0, 1,
		{ NONE, TAKEN("STOR /f"), REPLY("SIZE", "550 busy"), FINE, SIZED(5000), TIMED, END }, { END } },
	{ "a server that takes no questions meanwhile", NEW, 2, 0, 0, 1,
		{ NONE, TAKEN("STOR /f"), REPLY("SIZE", "500 Unknown command"), FINE, SIZED(5000), TIMED, END },
		{ END } },
	{ "a refusal of the upload", NEW, 2, 0, -EDQUOT, 1,
		{ NONE, TAKEN("STOR /f"), WANT("SIZE"), SAY("552 Quota exceeded"), SAY("550 f: No such file"), END },
		{ END } },
	{ "a refusal of the upload, and a size", NEW, 2, 0, -EDQUOT, 1,
		{ NONE, TAKEN("STOR /f"), WANT("SIZE"), SAY("213 10"), SAY("552 Quota exceeded"), END }, { END } },
	{ "a disk that is full", NEW, 2, 0, -ENOSPC, 1,
		{ NONE, TAKEN("STOR /f"), WANT("SIZE"), SAY("452 Insufficient storage"), SAY("213 10"), END },
		{ END } },
	{ "no permission", NEW, 2, 0, AFTP_EACCES, 1, { NONE, PUT("STOR /f"), SAY("550 Permission denied"), END },
		{ END } },
	{ "a name that the server does not like", NEW, 2, 0, AFTP_EACCES, 1,
		{ NONE, PUT("STOR /f"), SAY("553 Could not create file."), END }, { END } },
	{ "an account that is needed", NEW, 2, 0, AFTP_EACCES, 1,
		{ NONE, PUT("STOR /f"), SAY("532 Need account for storing files"), END }, { END } },
	{ "too little", NEW, 2, 0, 0, 1,
		{ NONE, TAKEN("STOR /f"), WANT("SIZE"), FINE, SAY("213 4999"), TIMED, SIZED(4999),
			DO_N(STEP_SEEK, 4999), TAKEN("APPE /f"), WANT("SIZE"), WANT("MDTM"), FINE, SAY("213 5000"),
			SAY("213 20260101000000"), END },
		{ END } },
	{ "too little, time and again", NEW, 2, 0, AFTP_EIO, 1,
		{ NONE, TAKEN("STOR /f"), WANT("SIZE"), FINE, SAY("213 4999"), TIMED, SIZED(4999), LESS(4999),
			SIZED(4999), LESS(4999), SIZED(4999), LESS(4999), SIZED(4999), LESS(4999), END },
		{ END } },
	{ "too much", NEW, 2, 0, 0, 1,
		{ NONE, TAKEN("STOR /f"), WANT("SIZE"), FINE, SAY("213 5001"), TIMED, SIZED(5001), DO_N(STEP_SEEK, 0),
			TAKEN("STOR /f"), WANT("SIZE"), WANT("MDTM"), FINE, SAY("213 5000"), SAY("213 20260101000000"),
			END },
		{ END } },
	{ "451, since the data broke off", NEW, 2, 0, 0, 1,
		{ NONE, PUT("STOR /f"), SAY("150 go"), DO_N(STEP_TAKE, 1), WANT("SIZE"), DO(STEP_RESET_DATA),
			SAY("451 Transfer aborted"), SAY("213 1000"), SIZED(1000), DO_N(STEP_SEEK, 1000),
			TAKEN("APPE /f"), FINE, SIZED(5000), TIMED, END },
		{ END } },
	{ "451 behind what nobody knows", NEW, 2, 0, 0, 1,
		{ NONE, TAKEN("STOR /f"), REPLY("SIZE", "500 Unknown command"), SAY("451 Transfer aborted"),
			SIZED(4000), DO_N(STEP_SEEK, 4000), TAKEN("APPE /f"), FINE, SIZED(5000), TIMED, END },
		{ END } },
	{ "nobody tells sizes", NEW, 2, 0, 0, 1,
		{ NONE, TAKEN("STOR /f"), WANT("SIZE"), FINE, SAY("502 no"), REPLY("MDTM", "502 no"), END }, { END } },

	{ "the end before 150", NEW, 2, 0, 0, 2, { NONE, PUT("STOR /f"), DO(STEP_CLOSE), END },
		{ AGAIN, TAKEN("STOR /f"), FINE, SIZED(5000), TIMED, END } },
	{ "the end in the middle", NEW, 2, 0, 0, 2,
		{ NONE, PUT("STOR /f"), SAY("150 go"), DO_N(STEP_TAKE, 1), DO(STEP_RESET), END },
		{ AGAIN, LOOK(1000), DO_N(STEP_SEEK, 1000), TAKEN("APPE /f"), FINE, SIZED(5000), TIMED, END } },
	{ "the end in the middle, while what was sent is still being written", NEW, 2, 0, 0, 2,
		{ NONE, PUT("STOR /f"), SAY("150 go"), DO_N(STEP_TAKE, 1), DO(STEP_RESET), END },
		{ AGAIN, SIZED(1000), SIZED(1500), LOOK(2000), DO_N(STEP_SEEK, 2000), TAKEN("APPE /f"), FINE,
			SIZED(5000), TIMED, END } },
	{ "the end in the middle, and nothing of it is there", NEW, 2, 0, 0, 2,
		{ NONE, PUT("STOR /f"), SAY("150 go"), DO_N(STEP_TAKE, 1), DO(STEP_RESET), END },
		{ AGAIN, REPLY("SIZE", "550 f: No such file"), TAKEN("STOR /f"), FINE, SIZED(5000), TIMED, END } },
	{ "the end in the middle, and somebody else's is there", NEW, 2, 0, 0, 2,
		{ NONE, PUT("STOR /f"), SAY("150 go"), DO_N(STEP_TAKE, 1), DO(STEP_RESET), END },
		{ AGAIN, LOOK(7000), TAKEN("STOR /f"), FINE, SIZED(5000), TIMED, END } },
	{ "the end instead of 226", NEW, 2, 0, 0, 2, { NONE, TAKEN("STOR /f"), WANT("SIZE"), DO(STEP_CLOSE), END },
		{ AGAIN, LOOK(5000), SIZED(5000), TIMED, END } },
	{ "the end instead of the size", NEW, 2, 0, 0, 2,
		{ NONE, TAKEN("STOR /f"), WANT("SIZE"), FINE, DO(STEP_CLOSE), END },
		{ AGAIN, SIZED(5000), SIZED(5000), TIMED, END } },
	{ "the end instead of the size, which is wrong", NEW, 2, 0, 0, 2,
		{ NONE, TAKEN("STOR /f"), WANT("SIZE"), FINE, DO(STEP_CLOSE), END },
		{ AGAIN, SIZED(4000), SIZED(4000), TIMED, SIZED(4000), DO_N(STEP_SEEK, 4000), TAKEN("APPE /f"), FINE,
			SIZED(5000), TIMED, END } },
	{ "426 in the end", NEW, 2, 0, 0, 1,
		{ NONE, TAKEN("STOR /f"), WANT("SIZE"), SAY("426 Failure reading network stream."), SAY("213 5000"),
			SIZED(5000), SIZED(5000), TIMED, END },
		{ END } },

	{ "over an old file", OVER, 2, 0, 0, 1,
		{ SOME(300), SIZED(300), EPSV, WANT("STOR /f"), DO(STEP_ACCEPT), SAY("150 go"), DO(STEP_TAKE_ALL),
			WANT("SIZE"), FINE, SAY("213 5000"), TIMED, END },
		{ END } },
	{ "over an old file, the end in the middle", OVER, 2, 0, 0, 2,
		{ SOME(300), SIZED(300), EPSV, WANT("STOR /f"), DO(STEP_ACCEPT), SAY("150 go"), DO_N(STEP_TAKE, 1),
			DO(STEP_RESET), END },
		{ AGAIN, LOOK(1000), DO_N(STEP_SEEK, 1000), TAKEN("APPE /f"), FINE, SIZED(5000), TIMED, END } },
	{ "over an old file, which is kept until the end", OVER, 2, 0, 0, 2,
		{ SOME(300), SIZED(300), EPSV, WANT("STOR /f"), DO(STEP_ACCEPT), SAY("150 go"), DO_N(STEP_TAKE, 1),
			DO(STEP_RESET), END },
		{ AGAIN, LOOK(300), TAKEN("STOR /f"), FINE, SIZED(5000), TIMED, END } },
	{ "over an old file of the same size", OVER, 2, 0, 0, 2,
		{ SOME(5000), SIZED(5000), EPSV, WANT("STOR /f"), DO(STEP_ACCEPT), SAY("150 go"), DO(STEP_TAKE_ALL),
			WANT("SIZE"), DO(STEP_RESET), END },
		{ AGAIN, LOOK(5000), TAKEN("STOR /f"), FINE, SIZED(5000), TIMED, END } },
	{ "over an old file that cannot be told", OVER, 2, 0, 0, 2,
		{ SOME(300), REPLY("SIZE", "550 no"), EPSV, WANT("STOR /f"), DO(STEP_ACCEPT), SAY("150 go"),
			DO_N(STEP_TAKE, 1), DO(STEP_RESET), END },
		{ AGAIN, LOOK(1000), TAKEN("STOR /f"), FINE, SIZED(5000), TIMED, END } },

	{ "from the spool", NEW, 1, 0, 0, 1,
		{ NONE, TAKEN("STOR /f"), WANT("SIZE"), FINE, SAY("213 5000"), TIMED, END }, { END } },
	{ "from the spool, the end in the middle", NEW, 1, 0, 0, 2,
		{ NONE, PUT("STOR /f"), SAY("150 go"), DO_N(STEP_TAKE, 1), DO(STEP_RESET), END },
		{ AGAIN, LOOK(1000), DO_N(STEP_SEEK, 1000), TAKEN("APPE /f"), FINE, SIZED(5000), TIMED, END } },
	{ "from the spool over an old file, which is kept until the end", OVER, 1, 0, 0, 2,
		{ SOME(300), SIZED(300), EPSV, WANT("STOR /f"), DO(STEP_ACCEPT), SAY("150 go"), DO_N(STEP_TAKE, 1),
			DO(STEP_RESET), END },
		{ AGAIN, LOOK(300), TAKEN("STOR /f"), FINE, SIZED(5000), TIMED, END } },
	{ "a resumed one that cannot be appended to", NEW, 1, 0, 0, 2,
		{ NONE, PUT("STOR /f"), SAY("150 go"), DO_N(STEP_TAKE, 1), DO(STEP_RESET), END },
		{ AGAIN, LOOK(1000), PUT("APPE /f"), SAY("502 no"), TAKEN("STOR /f"), FINE, SIZED(5000), TIMED, END } },

	{ "behind an old file", BEHIND, 2, OLD, 0, 1,
		{ SOME(300), SIZED(300), DO_N(STEP_SEEK, 300), TAKEN("APPE /f"), WANT("SIZE"), FINE, SAY("213 5300"),
			TIMED, END },
		{ END } },
	{ "behind what somebody has appended", BEHIND, 2, OLD, 0, 1,
		{ SOME(300), SIZED(400), DO_N(STEP_SEEK, 300), TAKEN("APPE /f"), WANT("SIZE"), FINE, SAY("213 5400"),
			TIMED, END },
		{ END } },
	{ "and somebody appends behind us", BEHIND, 2, OLD, 0, 1,
		{ SOME(300), SIZED(300), DO_N(STEP_SEEK, 300), TAKEN("APPE /f"), WANT("SIZE"), FINE, SAY("213 9000"),
			TIMED, END },
		{ END } },
	{ "behind an old file, too little", BEHIND, 2, OLD, 0, 1,
		{ SOME(300), SIZED(300), DO_N(STEP_SEEK, 300), TAKEN("APPE /f"), WANT("SIZE"), FINE, SAY("213 5000"),
			TIMED, SIZED(5000), DO_N(STEP_SEEK, 5000), TAKEN("APPE /f"), WANT("SIZE"), WANT("MDTM"), FINE,
			SAY("213 5300"), SAY("213 20260101000000"), END },
		{ END } },
	{ "behind an old file, the end in the middle", BEHIND, 2, OLD, 0, 2,
		{ SOME(300), SIZED(300), DO_N(STEP_SEEK, 300), PUT("APPE /f"), SAY("150 go"), DO_N(STEP_TAKE, 1),
			DO(STEP_RESET), END },
		{ AGAIN, LOOK(800), DO_N(STEP_SEEK, 800), TAKEN("APPE /f"), FINE, SIZED(5300), TIMED, END } },
	{ "behind an old file, the end before 150", BEHIND, 2, OLD, 0, 2,
		{ SOME(300), SIZED(300), DO_N(STEP_SEEK, 300), PUT("APPE /f"), DO(STEP_RESET), END },
		{ AGAIN, LOOK(300), DO_N(STEP_SEEK, 300), TAKEN("APPE /f"), WANT("SIZE"), FINE, SAY("213 5300"), TIMED,
			END } },
	{ "behind an old file, and nobody knows whose is what", BEHIND, 2, OLD, AFTP_EIO, 2,
		{ SOME(300), SIZED(300), DO_N(STEP_SEEK, 300), PUT("APPE /f"), SAY("150 go"), DO_N(STEP_TAKE, 1),
			DO(STEP_RESET), END },
		{ AGAIN, LOOK(9000), END } },
	{ "behind an old file, wherever its end is", BEHIND, 2, OLD, 0, 1,
		{ SIZING(300), WANT("SIZE /f"), WANT("EPSV"), SAY("213 300"), DO(STEP_LISTEN), SAY("229 here (%E)"),
			WANT("APPE /f"), DO(STEP_ACCEPT), DO_N(STEP_SEEK, 300), SAY("150 go"), DO(STEP_TAKE_ALL),
			WANT("SIZE"), FINE, SAY("213 5300"), TIMED, END },
		{ END } },
	{ "behind what somebody has appended, wherever", BEHIND, 2, OLD, 0, 1,
		{ SIZING(300), SIZED(400), DO_N(STEP_SEEK, 300), TAKEN("APPE /f"), WANT("SIZE"), FINE, SAY("213 5400"),
			TIMED, END },
		{ END } },
	{ "behind a file that has become shorter, wherever", BEHIND, 2, OLD, 0, 1,
		{ SIZING(300), SIZED(7), DO_N(STEP_SEEK, 300), TAKEN("APPE /f"), WANT("SIZE"), FINE, SAY("213 5007"),
			TIMED, END },
		{ END } },
	{ "behind a file that is not there any more", BEHIND, 2, OLD, AFTP_ECHANGED, 1,
		{ SIZING(300), REPLY("SIZE", "550 Could not get file size."), DO_N(STEP_SEEK, 300), TAKEN("APPE /f"),
			WANT("SIZE"), FINE, SAY("213 5000"), END },
		{ END } },
	{ "behind an old file, wherever, the end before anything", BEHIND, 2, OLD, 0, 2,
		{ SIZING(300), WANT("SIZE /f"), DO(STEP_RESET), END },
		{ AGAIN, LOOK(400), DO_N(STEP_SEEK, 300), TAKEN("APPE /f"), WANT("SIZE"), FINE, SAY("213 5400"), TIMED,
			END } },
	{ "behind an old file, wherever, the end in the middle", BEHIND, 2, OLD, 0, 2,
		{ SIZING(300), SIZED(400), DO_N(STEP_SEEK, 300), PUT("APPE /f"), SAY("150 go"), DO_N(STEP_TAKE, 1),
			DO(STEP_RESET), END },
		{ AGAIN, LOOK(900), DO_N(STEP_SEEK, 800), TAKEN("APPE /f"), FINE, SIZED(5400), TIMED, END } },
	{ "a server that knows sizes, and cannot append", BEHIND, 2, OLD, 0, 1,
		{ SIZING(300), SIZED(300), DO_N(STEP_SEEK, 300), PUT("APPE /f"), SAY("502 no"), EPSV, WANT("RETR /f"),
			DO(STEP_ACCEPT), SAY("150 here"), DO_N(STEP_SEEK, 0), DO_N(STEP_FILL, 300), DO(STEP_END_DATA),
			FINE, SIZED(300), EPSV, WANT("STOR /f"), DO_N(STEP_SEEK, 0), DO(STEP_ACCEPT), SAY("150 go"),
			DO(STEP_TAKE_ALL), WANT("SIZE"), FINE, SAY("213 5300"), TIMED, END },
		{ END } },
	{ "at the end of an old file that has grown", O_WRONLY, 2, OLD, AFTP_ECHANGED, 1,
		{ SOME(300), SIZED(400), END }, { END } },
	{ "at the end of an old file that grows", O_WRONLY, 2, OLD, AFTP_EIO, 1,
		{ SOME(300), SIZED(300), DO_N(STEP_SEEK, 300), TAKEN("APPE /f"), WANT("SIZE"), FINE, SAY("213 9000"),
			TIMED, SIZED(9000), END },
		{ END } },
	{ "a server that cannot append", BEHIND, 2, OLD, 0, 1,
		{ SOME(300), SIZED(300), DO_N(STEP_SEEK, 300), PUT("APPE /f"), SAY("502 no"), EPSV, WANT("RETR /f"),
			DO(STEP_ACCEPT), SAY("150 here"), DO_N(STEP_SEEK, 0), DO_N(STEP_FILL, 300), DO(STEP_END_DATA),
			FINE, SIZED(300), EPSV, WANT("STOR /f"), DO_N(STEP_SEEK, 0), DO(STEP_ACCEPT), SAY("150 go"),
			DO(STEP_TAKE_ALL), WANT("SIZE"), FINE, SAY("213 5300"), TIMED, END },
		{ END } },
};

static struct site_file *open_it(struct fixture *f, const struct test *t)
{
	struct site_open_result r = { 0 };
	struct site_attr attr;

	if (t->flags & O_CREAT)
		assert_int_equal(fixture_create(f, SITE_ROOT, "f", t->flags, &attr, &r), 0);
	else
		assert_int_equal(fixture_open_flags(f, "f", t->flags, &r), 0);
	return r.file;
}

/* The same number of bytes is written and flushed, once or several times. */
static void run(const struct test *t, unsigned rounds, bool arm)
{
	const struct step *const scripts[] = { t->first, t->second, NULL };
	char bytes[LEN];
	struct scripted s;
	struct fixture f;
	struct site_file *file;
	int status = 0;

	fixture_init(&f);
	scripted_start(&s, &f.loop, t->first);
	s.scripts = scripts;
	s.one_only = arm;
	f.options.port = s.port;
	f.options.max_conns = t->conns;
	f.options.no_arm = !arm;
	assert_int_equal(fixture_mount(&f), 0);
	file = open_it(&f, t);
	for (unsigned round = 0; round < rounds && status == 0; round++) {
		for (unsigned i = 0; i < LEN; i++)
			bytes[i] = (char)scripted_byte(t->offset + round * LEN + i);
		assert_int_equal(fixture_write(&f, file, t->offset + round * LEN, bytes, LEN), LEN);
		status = fixture_flush(&f, file);
	}
	if (status != t->status || s.trouble[0] || s.data_wrong || s.connections != t->connections || !s.finished)
		fail_msg("%s: %s, not %s; %u connections; step %zu; %s %s\n%s", t->name, aftp_err_name(status),
			aftp_err_name(t->status), s.connections, s.at, s.trouble, s.data_wrong ? "wrong bytes" : "",
			s.commands);
	site_release(file);
	scripted_stop(&s);
	fixture_finish(&f);
}

static void all(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
		run(&tests[i], 1, false);
}

/* A question that is always answered too early is not asked for ever. */
static void learns(void **state)
{
#define MORE(was) SIZED(was), DO_N(STEP_SEEK, was), TAKEN("APPE /f")
	static const struct test test = { "always too early", NEW, 2, 0, 0, 1,
		{ NONE, TAKEN("STOR /f"), SIZED(77), FINE, SIZED(5000), TIMED, MORE(5000), SIZED(77), FINE,
			SIZED(10000), TIMED, MORE(10000), SIZED(77), FINE, SIZED(15000), TIMED, MORE(15000), PAUSE(20),
			DO(STEP_NOTHING), FINE, SIZED(20000), TIMED, END },
		{ END } };

	(void)state;
	run(&test, 4, false);
}

/* All has left with SIZE, and the connection is lost before its answer: did any of it arrive? Others append, too. */
static void appends_blindly(void **state)
{
#define ARMED EPSV, DO(STEP_ACCEPT)
#define BLIND                                                                                                  \
	SAY("220 ProFTPD"), REPLY("USER", "331 password"), REPLY("PASS", "230 ok"), REPLY("TYPE I", "200 ok"), \
		REPLY("PWD", "257 \"/\""), REPLY("FEAT", "211-Features:\r\n SIZE\r\n211 End"), ARMED,          \
		WANT("LIST -a /"), WANT("EPSV"), SAY("150 ok"),                                                \
		DATA("drwxr-xr-x 2 0 0 10 Jan 01 2020 .\r\n-rw-r--r-- 1 0 0 300 Jan 01 2020 f\r\n"),           \
		DO(STEP_END_DATA), SAY("226 ok"), DO(STEP_LISTEN), SAY("229 here (%E)"), DO(STEP_ACCEPT),      \
		WANT("SIZE /f"), WANT("APPE /f"), DO_N(STEP_SEEK, 300), DO(STEP_TAKE_ALL), DO(STEP_RESET), END
	static const struct test cases[] = {
		{ "none of it", BEHIND, 2, OLD, 0, 2, { BLIND },
			{ AGAIN, ARMED, LOOK(300), WANT("APPE /f"), SAY("150 go"), DO_N(STEP_SEEK, 300),
				DO(STEP_TAKE_ALL), WANT("SIZE"), FINE, SAY("213 5300"), TIMED, END } },
		{ "some of it, or another's", BEHIND, 2, OLD, AFTP_EIO, 2, { BLIND },
			{ AGAIN, ARMED, LOOK(800), END } },
		{ "all of it, or another's", BEHIND, 2, OLD, AFTP_EIO, 2, { BLIND },
			{ AGAIN, ARMED, LOOK(5300), END } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		run(&cases[i], 1, true);
}

int main(void)
{
	const struct CMUnitTest list[] = { cmocka_unit_test(all), cmocka_unit_test(learns),
		cmocka_unit_test(appends_blindly) };
	return cmocka_run_group_tests(list, NULL, NULL);
}
