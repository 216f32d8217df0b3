/* Data connections that are made in advance, and what servers do to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/kit.h"
#include "lib/loop.h"

enum { SHORT_MS = 250, ROUNDS = 20000 };

#define FEATURES "211-Features:\r\n SIZE\r\n MDTM\r\n211 End"
#define OPENED                                                                                               \
	SAY("220 ready"), REPLY("USER", "331 password"), REPLY("PASS", "230 ok"), REPLY("TYPE I", "200 ok"), \
		REPLY("FEAT", FEATURES)
#define PORT_OPEN DO(STEP_LISTEN), SAY("229 here (%E)")
#define ARMED     EPSV, DO(STEP_ACCEPT)
#define FINE      SAY("226 Transfer complete.")
#define OPENING   SAY("150 Here it comes")
#define HERE      SAY("257 \"/\"")
#define FILL(n)   DO_N(STEP_FILL, n)
#define FROM(n)   DO_N(STEP_SEEK, n)
#define ENDS      DO(STEP_END_DATA)
#define FILE(n)   OPENING, FROM(0), FILL(n), ENDS
/* The server is known to do one thing after the other. */
#define KNOWN     SAY("220 ready"), REPLY("USER", "331 password"), REPLY("PASS", "230 ok"), REPLY("TYPE I", "200 ok")
/* A first download, from a server that does one thing after the other; then there is another connection. */
#define LEARNED   WANT("RETR /f"), WANT("PWD"), FILE(10), FINE, HERE, ARMED
#define STAYS     REPLY("NOOP", "200 still here"), END

enum act_kind {
	NOTHING,
	GET,
	CANCELED_GET,
	PUT,
	PUT_TWICE, /* SIZE is asked twice */
	LIST,
	UNTIL_ARMED, /* the first thing in any case, but for */
	AT_ONCE,
	ASK,
	UNTIL_BARE,
	GO_ON, /* the server, from where it holds */
};

struct act {
	enum act_kind kind;
	int status;
	size_t n;      /* bytes, entries */
	uint64_t from; /* of GET; of PUT: 1: SIZE was answered in order, the last time */
};

struct row {
	const char *name;
	struct act acts[8];
	bool lost;
	const char *segment; /* was sent in one piece */
	const char *never;   /* and this was not */
	struct step script[64];
};

static const struct row downloads[] = {
	{ "one round trip, and the next port behind it",
		{ { GET, 0, 10, 0 }, { UNTIL_ARMED, 0, 0, 0 }, { GET, 0, 1000, 0 } }, false, "\nRETR /f+EPSV+\n", NULL,
		{ OPENED, ARMED, LEARNED, WANT("RETR /f"), WANT("EPSV"), FILE(1000), FINE, PORT_OPEN, DO(STEP_ACCEPT),
			STAYS } },
	{ "PWD leaves with the first one", { { GET, 0, 10, 0 } }, false, "\nRETR /f+PWD+\n", NULL,
		{ OPENED, ARMED, LEARNED, STAYS } },
	{ "a server that answers PWD first", { { GET, 0, 10, 0 }, { UNTIL_ARMED, 0, 0, 0 }, { GET, 0, 1000, 0 } },
		false, NULL, "RETR /f+EPSV",
		{ OPENED, ARMED, WANT("RETR /f"), WANT("PWD"), OPENING, HERE, FILL(10), ENDS, FINE, ARMED,
			WANT("RETR /f"), FILE(1000), FINE, ARMED, STAYS } },
	{ "a server that answers PWD before it begins",
		{ { GET, 0, 10, 0 }, { UNTIL_ARMED, 0, 0, 0 }, { GET, 0, 1000, 0 } }, false, NULL, "RETR /f+EPSV",
		{ OPENED, ARMED, WANT("RETR /f"), WANT("PWD"), HERE, OPENING, FILL(10), ENDS, FINE, ARMED,
			WANT("RETR /f"), FILE(1000), FINE, ARMED, STAYS } },
	{ "a server that refuses PWD first", { { GET, 0, 10, 0 } }, false, NULL, NULL,
		{ OPENED, ARMED, WANT("RETR /f"), WANT("PWD"), SAY("500 Unknown command"), OPENING, FILL(10), ENDS,
			FINE, ARMED, STAYS } },
	{ "an offset", { { GET, 0, 500, 500 } }, false, "\nREST 500+RETR /f+PWD+\n", NULL,
		{ OPENED, ARMED, REPLY("REST 500", "350 from there"), WANT("RETR /f"), WANT("PWD"), OPENING, FROM(500),
			FILL(500), ENDS, FINE, HERE, ARMED, STAYS } },
	{ "an offset that is refused, and data", { { GET, AFTP_ENOTSUP, 0, 500 } }, false, NULL, NULL,
		{ OPENED, ARMED, REPLY("REST 500", "502 no"), WANT("RETR /f"), WANT("PWD"), OPENING, FILL(1000),
			DO(STEP_DATA_GONE), SAY("426 broken"), HERE, ARMED, STAYS } },

	{ "ended while idle", { { GO_ON, 0, 0, 0 }, { UNTIL_BARE, 0, 0, 0 }, { GET, 0, 10, 0 } }, false, NULL, NULL,
		{ OPENED, ARMED, DO(STEP_HOLD), ENDS, ARMED, LEARNED, STAYS } },
	{ "reset while idle", { { GO_ON, 0, 0, 0 }, { UNTIL_BARE, 0, 0, 0 }, { GET, 0, 10, 0 } }, false, NULL, NULL,
		{ OPENED, ARMED, DO(STEP_HOLD), DO(STEP_RESET_DATA), ARMED, LEARNED, STAYS } },
	{ "it speaks unasked", { { GO_ON, 0, 0, 0 }, { UNTIL_BARE, 0, 0, 0 }, { GET, 0, 10, 0 } }, false, NULL, NULL,
		{ OPENED, ARMED, DO(STEP_HOLD), DATA("what"), ARMED, LEARNED, STAYS } },
	{ "dead: 425", { { GET, 0, 10, 0 } }, false, NULL, NULL,
		{ OPENED, ARMED, WANT("RETR /f"), WANT("PWD"), DO(STEP_RESET_DATA), SAY("425 no connection"), HERE,
			EPSV, DO(STEP_ACCEPT), WANT("RETR /f"), FILE(10), FINE, ARMED, STAYS } },
	{ "dead: 426 after 150", { { GET, 0, 10, 0 } }, false, NULL, NULL,
		{ OPENED, ARMED, WANT("RETR /f"), WANT("PWD"), OPENING, DO(STEP_RESET_DATA), SAY("426 broken"), HERE,
			EPSV, DO(STEP_ACCEPT), WANT("RETR /f"), FILE(10), FINE, ARMED, STAYS } },
	{ "dead: 226 after a reset", { { GET, 0, 10, 0 } }, false, NULL, NULL,
		{ OPENED, ARMED, WANT("RETR /f"), WANT("PWD"), OPENING, DO(STEP_RESET_DATA), FINE, HERE, EPSV,
			DO(STEP_ACCEPT), WANT("RETR /f"), FILE(10), FINE, ARMED, STAYS } },
	{ "dead, and the next one too", { { GET, AFTP_ECONNRESET, 0, 0 } }, false, NULL, NULL,
		{ OPENED, ARMED, WANT("RETR /f"), WANT("PWD"), DO(STEP_RESET_DATA), SAY("425 no connection"), HERE,
			EPSV, DO(STEP_ACCEPT), WANT("RETR /f"), PAUSE(20), DO(STEP_RESET_DATA),
			SAY("425 no connection"), ARMED, STAYS } },
	{ "broken after some bytes is no reason", { { GET, AFTP_ECONNRESET, 10, 0 } }, false, NULL, NULL,
		{ OPENED, ARMED, WANT("RETR /f"), WANT("PWD"), OPENING, FILL(10), SAY("426 broken"), HERE, ENDS, ARMED,
			STAYS } },

	{ "550, and the connection stays open",
		{ { GET, AFTP_ENOENT, 0, 0 }, { UNTIL_ARMED, 0, 0, 0 }, { GET, 0, 10, 0 } }, false, NULL, NULL,
		{ OPENED, ARMED, WANT("RETR /f"), WANT("PWD"), SAY("550 No such file or directory"), HERE, ARMED,
			WANT("RETR /f"), WANT("EPSV"), FILE(10), FINE, PORT_OPEN, DO(STEP_ACCEPT), STAYS } },
	{ "550, and the connection is closed",
		{ { GET, AFTP_ENOENT, 0, 0 }, { UNTIL_ARMED, 0, 0, 0 }, { GET, 0, 10, 0 } }, false, NULL, NULL,
		{ OPENED, ARMED, WANT("RETR /f"), WANT("PWD"), DO(STEP_RESET_DATA),
			SAY("550 No such file or directory"), HERE, ARMED, WANT("RETR /f"), WANT("EPSV"), FILE(10),
			FINE, PORT_OPEN, DO(STEP_ACCEPT), STAYS } },
	{ "550 with EPSV behind",
		{ { GET, 0, 10, 0 }, { UNTIL_ARMED, 0, 0, 0 }, { GET, AFTP_ENOENT, 0, 0 }, { GET, 0, 20, 0 } }, false,
		NULL, NULL,
		{ OPENED, ARMED, LEARNED, WANT("RETR /f"), WANT("EPSV"), SAY("550 No such file or directory"),
			PORT_OPEN, DO(STEP_ACCEPT), WANT("RETR /f"), WANT("EPSV"), FILE(20), FINE, PORT_OPEN,
			DO(STEP_ACCEPT), STAYS } },
	{ "EPSV refused in the middle", { { GET, 0, 10, 0 }, { UNTIL_ARMED, 0, 0, 0 }, { GET, 0, 20, 0 } }, false, NULL,
		NULL,
		{ OPENED, ARMED, LEARNED, WANT("RETR /f"), WANT("EPSV"), OPENING, SAY("500 Unknown command"), FROM(0),
			FILL(20), ENDS, PAUSE(10), FINE, ARMED, STAYS } },
	{ "EPSV ends the transfer", { { GET, 0, 10, 0 }, { UNTIL_ARMED, 0, 0, 0 }, { GET, AFTP_ECONNRESET, 5, 0 } },
		true, NULL, NULL,
		{ OPENED, ARMED, LEARNED, WANT("RETR /f"), WANT("EPSV"), OPENING, FROM(0), FILL(5), PAUSE(20),
			PORT_OPEN, END } },
	{ "the answer to EPSV is still due", { { AT_ONCE, 0, 0, 0 }, { GET, 0, 10, 0 } }, false, NULL, "EPSV+EPSV",
		{ OPENED, WANT("EPSV"), PAUSE(30), PORT_OPEN, DO(STEP_ACCEPT), LEARNED, STAYS } },
	{ "nothing is asked meanwhile", { { AT_ONCE, 0, 0, 0 }, { ASK, 200, 0, 0 }, { GET, 0, 10, 0 } }, false, NULL,
		"EPSV+NOOP",
		{ OPENED, WANT("EPSV"), PAUSE(30), PORT_OPEN, DO(STEP_ACCEPT), REPLY("NOOP", "200 here"), LEARNED,
			STAYS } },
	{ "EPSV refused: PASV", { { GET, 0, 10, 0 }, { UNTIL_ARMED, 0, 0, 0 }, { GET, 0, 10, 0 } }, false,
		"\nRETR /f+PASV+\n", NULL,
		{ OPENED, REPLY("EPSV", "500 what?"), WANT("PASV"), DO(STEP_LISTEN), SAY("227 Entering (%P)."),
			DO(STEP_ACCEPT), WANT("RETR"), WANT("PWD"), FILE(10), FINE, HERE, WANT("PASV"), DO(STEP_LISTEN),
			SAY("227 Entering (%P)."), DO(STEP_ACCEPT), WANT("RETR"), WANT("PASV"), FILE(10), FINE,
			DO(STEP_LISTEN), SAY("227 Entering (%P)."), DO(STEP_ACCEPT), STAYS } },
	{ "no port to be had now", { { AT_ONCE, 0, 0, 0 }, { GET, 0, 10, 0 } }, false, NULL, NULL,
		{ OPENED, REPLY("EPSV", "425 all in use"), REPLY("PASV", "425 all in use"), ARMED, WANT("RETR"),
			WANT("PWD"), FILE(10), FINE, HERE, ARMED, STAYS } },

	{ "stopped, PWD behind", { { CANCELED_GET, AFTP_ECANCELED, 10, 0 } }, false, NULL, NULL,
		{ OPENED, ARMED, WANT("RETR /f"), WANT("PWD"), OPENING, FILL(10), DO(STEP_DATA_GONE), SAY("426 broken"),
			HERE, ARMED, STAYS } },
	{ "stopped, EPSV behind",
		{ { GET, 0, 10, 0 }, { UNTIL_ARMED, 0, 0, 0 }, { CANCELED_GET, AFTP_ECANCELED, 10, 0 },
			{ UNTIL_ARMED, 0, 0, 0 } },
		false, NULL, "RETR /f+EPSV+PWD",
		{ OPENED, ARMED, LEARNED, WANT("RETR /f"), WANT("EPSV"), OPENING, FROM(0), FILL(10), DO(STEP_DATA_GONE),
			SAY("426 broken"), PORT_OPEN, DO(STEP_ACCEPT), STAYS } },
	{ "stopped, EPSV behind, a second 150",
		{ { GET, 0, 10, 0 }, { UNTIL_ARMED, 0, 0, 0 }, { CANCELED_GET, AFTP_ECANCELED, 10, 0 },
			{ UNTIL_ARMED, 0, 0, 0 } },
		false, NULL, NULL,
		{ OPENED, ARMED, LEARNED, WANT("RETR /f"), WANT("EPSV"), OPENING, FROM(0), FILL(10), DO(STEP_DATA_GONE),
			OPENING, PORT_OPEN, DO(STEP_ACCEPT), STAYS } },
	{ "stopped, EPSV behind is refused",
		{ { GET, 0, 10, 0 }, { UNTIL_ARMED, 0, 0, 0 }, { CANCELED_GET, AFTP_ECANCELED, 10, 0 } }, false, NULL,
		NULL,
		{ OPENED, ARMED, LEARNED, WANT("RETR /f"), WANT("EPSV"), OPENING, FROM(0), FILL(10), DO(STEP_DATA_GONE),
			SAY("426 broken"), SAY("425 no port"), REPLY("PASV", "425 no port"), STAYS } },
	{ "stopped, and EPSV is all that is answered",
		{ { GET, 0, 10, 0 }, { UNTIL_ARMED, 0, 0, 0 }, { CANCELED_GET, AFTP_ECANCELED, 10, 0 } }, true, NULL,
		NULL,
		{ OPENED, ARMED, LEARNED, WANT("RETR /f"), WANT("EPSV"), OPENING, FROM(0), FILL(10), DO(STEP_DATA_GONE),
			PORT_OPEN, END } },

	{ "a listing", { { LIST, 0, 1, 0 } }, false, "\nLIST -a /f+PWD+\n", NULL,
		{ OPENED, ARMED, WANT("LIST -a /f"), WANT("PWD"), OPENING,
			DATA("drwxr-xr-x 2 0 0 10 Jan 01 2020 .\r\n-rw-r--r-- 1 0 0 10 Jan 01 2020 a\r\n"), ENDS, FINE,
			HERE, ARMED, STAYS } },
	{ "a listing that has to go there", { { LIST, 0, 1, 1 } }, false, "\nPWD+CWD /a b+\n", "CWD /a b+LIST",
		{ OPENED, ARMED, REPLY("PWD", "257 \"/\""), REPLY("CWD /a b", "250 ok"), WANT("LIST -a"), WANT("PWD"),
			OPENING, DATA("drwxr-xr-x 2 0 0 10 Jan 01 2020 .\r\n-rw-r--r-- 1 0 0 10 Jan 01 2020 a\r\n"),
			ENDS, FINE, HERE, ARMED, STAYS } },
	{ "a listing that cannot go there", { { LIST, AFTP_ENOENT, 0, 1 } }, false, NULL, "LIST",
		{ OPENED, ARMED, REPLY("PWD", "257 \"/\""), REPLY("CWD /a b", "550 No such file or directory"), ARMED,
			STAYS } },
};

#define PUTS WANT("STOR /f")
#define TAKE DO(STEP_TAKE_ALL)

static const struct row uploads[] = {
	{ "bytes before 150, and SIZE behind", { { PUT, 0, 5000, 1 } }, false, NULL, NULL,
		{ KNOWN, ARMED, PUTS, TAKE, OPENING, FINE, REPLY("SIZE /f", "213 5000"), ARMED, STAYS } },
	{ "an empty file", { { PUT, 0, 0, 1 } }, false, NULL, NULL,
		{ KNOWN, ARMED, PUTS, TAKE, OPENING, FINE, REPLY("SIZE /f", "213 0"), ARMED, STAYS } },
	{ "a big one: the first bytes only", { { PUT, 0, 1 << 20, 1 } }, false, NULL, NULL,
		{ KNOWN, ARMED, PUTS, DO_N(STEP_TAKE, 65536), PAUSE(20), OPENING, TAKE, FINE,
			REPLY("SIZE /f", "213 1048576"), ARMED, STAYS } },
	{ "EPSV only after the end", { { PUT, 0, 5000, 1 }, { UNTIL_ARMED, 0, 0, 0 }, { PUT, 0, 5000, 1 } }, false,
		NULL, "STOR /f+EPSV",
		{ KNOWN, ARMED, PUTS, TAKE, OPENING, FINE, REPLY("SIZE /f", "213 5000"), ARMED, PUTS, TAKE, OPENING,
			FINE, REPLY("SIZE /f", "213 5000"), ARMED, STAYS } },
	{ "SIZE is answered first", { { PUT, 0, 5000, 0 }, { UNTIL_ARMED, 0, 0, 0 }, { PUT, 0, 5000, 1 } }, false, NULL,
		NULL,
		{ KNOWN, ARMED, PUTS, OPENING, TAKE, REPLY("SIZE /f", "213 0"), FINE, ARMED, PUTS, OPENING, TAKE, FINE,
			REPLY("SIZE /f", "213 5000"), ARMED, STAYS } },
	{ "SIZE is refused first", { { PUT, 0, 5000, 0 } }, false, NULL, NULL,
		{ KNOWN, ARMED, PUTS, OPENING, TAKE, REPLY("SIZE /f", "500 Unknown command"), FINE, ARMED, STAYS } },
	{ "SIZE is refused", { { PUT, 0, 5000, 0 } }, false, NULL, NULL,
		{ KNOWN, ARMED, PUTS, OPENING, TAKE, FINE, REPLY("SIZE /f", "550 no"), ARMED, STAYS } },
	{ "another size", { { PUT, 0, 5000, 7 } }, false, NULL, NULL,
		{ KNOWN, ARMED, PUTS, OPENING, TAKE, FINE, REPLY("SIZE /f", "213 7"), ARMED, STAYS } },
	{ "the end instead of SIZE's answer", { { PUT, 0, 5000, 0 } }, true, NULL, NULL,
		{ KNOWN, ARMED, PUTS, OPENING, TAKE, WANT("SIZE /f"), FINE, DO(STEP_CLOSE), END } },
	{ "no answer to SIZE", { { PUT, 0, 5000, 0 } }, true, NULL, NULL,
		{ KNOWN, ARMED, PUTS, OPENING, TAKE, WANT("SIZE /f"), FINE, END } },
	{ "the end instead of 226", { { PUT, AFTP_ECONNRESET, 5000, 0 } }, true, NULL, NULL,
		{ KNOWN, ARMED, PUTS, OPENING, TAKE, WANT("SIZE /f"), DO(STEP_CLOSE), END } },
	{ "asked twice, once too early", { { PUT_TWICE, 0, 5000, 1 } }, false, NULL, NULL,
		{ KNOWN, ARMED, PUTS, OPENING, TAKE, WANT("SIZE /f"), WANT("SIZE /f"), SAY("213 0"), FINE,
			SAY("213 5000"), ARMED, STAYS } },
	{ "asked twice, too early", { { PUT_TWICE, 0, 5000, 0 } }, false, NULL, NULL,
		{ KNOWN, ARMED, PUTS, OPENING, TAKE, REPLY("SIZE /f", "213 0"), REPLY("SIZE /f", "213 0"), FINE, ARMED,
			STAYS } },
	{ "asked twice, in order", { { PUT_TWICE, 0, 5000, 1 } }, false, NULL, NULL,
		{ KNOWN, ARMED, PUTS, OPENING, TAKE, WANT("SIZE /f"), WANT("SIZE /f"), FINE, SAY("213 5000"),
			SAY("213 5000"), ARMED, STAYS } },
	{ "asked twice, once too early, and refused", { { PUT_TWICE, AFTP_EACCES, 5000, 0 } }, false, NULL, NULL,
		{ KNOWN, ARMED, PUTS, OPENING, TAKE, WANT("SIZE /f"), WANT("SIZE /f"), SAY("213 0"),
			SAY("553 Permission denied."), SAY("213 300"), ARMED, STAYS } },
	{ "asked twice, once too early, the end instead of 226", { { PUT_TWICE, AFTP_ECONNRESET, 5000, 0 } }, true,
		NULL, NULL,
		{ KNOWN, ARMED, PUTS, OPENING, TAKE, WANT("SIZE /f"), WANT("SIZE /f"), SAY("213 0"), DO(STEP_CLOSE),
			END } },
	{ "refused, SIZE tells of the old file", { { PUT, AFTP_EACCES, 5000, 0 } }, false, NULL, NULL,
		{ KNOWN, ARMED, PUTS, TAKE, WANT("SIZE /f"), SAY("553 Permission denied."), SAY("213 5000"), ARMED,
			STAYS } },
	{ "refused, and so is SIZE", { { PUT, AFTP_EACCES, 5000, 0 } }, false, NULL, NULL,
		{ KNOWN, ARMED, PUTS, TAKE, WANT("SIZE /f"), SAY("553 Permission denied."),
			SAY("550 No such file or directory"), ARMED, STAYS } },
	{ "refused at once", { { PUT, AFTP_EACCES, 1 << 20, 0 } }, false, NULL, "SIZE",
		{ KNOWN, ARMED, PUTS, SAY("553 Permission denied."), ARMED, STAYS } },
	{ "dead: 425", { { PUT, 0, 5000, 0 } }, false, NULL, NULL,
		{ KNOWN, ARMED, PUTS, DO(STEP_RESET_DATA), PAUSE(20), WANT("SIZE"), SAY("425 no connection"),
			SAY("213 5000"), EPSV, DO(STEP_ACCEPT), PUTS, OPENING, TAKE, FINE, ARMED, STAYS } },
	{ "dead: 426, a big one", { { PUT, 0, 1 << 20, 1 } }, false, NULL, NULL,
		{ KNOWN, ARMED, PUTS, DO(STEP_RESET_DATA), SAY("426 broken"), EPSV, DO(STEP_ACCEPT), PUTS, OPENING,
			TAKE, FINE, REPLY("SIZE /f", "213 1048576"), ARMED, STAYS } },
	{ "dead after 150 is the caller's affair", { { PUT, AFTP_ECONNRESET, 64 << 20, 0 } }, false, NULL, NULL,
		{ KNOWN, ARMED, PUTS, OPENING, PAUSE(10), DO(STEP_RESET_DATA), SAY("426 broken"), ARMED, STAYS } },
	{ "a server that never says 150", { { PUT, AFTP_ETIMEDOUT, 1 << 20, 0 } }, true, NULL, NULL,
		{ KNOWN, ARMED, PUTS, DO_N(STEP_TAKE, 65536), END } },
};

/* One that is strictly in order: the next port is asked for as soon as all is sent. */
#define STRICT \
	SAY("220 (vsFTPd 3.0.3)"), REPLY("USER", "331 password"), REPLY("PASS", "230 ok"), REPLY("TYPE I", "200 ok")
#define BEHIND WANT("SIZE /f"), WANT("EPSV")

static const struct row strict_uploads[] = {
	{ "EPSV behind the end", { { PUT, 0, 5000, 1 }, { UNTIL_ARMED, 0, 0, 0 }, { PUT, 0, 5000, 1 } }, false, NULL,
		NULL,
		{ STRICT, ARMED, PUTS, TAKE, BEHIND, OPENING, FINE, SAY("213 5000"), PORT_OPEN, DO(STEP_ACCEPT), PUTS,
			TAKE, BEHIND, OPENING, FINE, SAY("213 5000"), PORT_OPEN, DO(STEP_ACCEPT), STAYS } },
	{ "the next one takes it over", { { PUT, 0, 5000, 1 }, { PUT, 0, 5000, 1 } }, false, NULL, "EPSV+EPSV",
		{ STRICT, ARMED, PUTS, TAKE, BEHIND, OPENING, FINE, SAY("213 5000"), PORT_OPEN, WANT("STOR /f"),
			DO(STEP_ACCEPT), TAKE, BEHIND, OPENING, FINE, SAY("213 5000"), PORT_OPEN, DO(STEP_ACCEPT),
			STAYS } },
	{ "not before the end", { { PUT, 0, 1 << 20, 1 } }, false, NULL, "STOR /f+EPSV",
		{ STRICT, ARMED, PUTS, DO_N(STEP_TAKE, 65536), PAUSE(20), DO(STEP_NOTHING), OPENING, TAKE, BEHIND, FINE,
			SAY("213 1048576"), PORT_OPEN, DO(STEP_ACCEPT), STAYS } },
	{ "refused", { { PUT, AFTP_EACCES, 5000, 0 }, { UNTIL_ARMED, 0, 0, 0 } }, false, NULL, NULL,
		{ STRICT, ARMED, PUTS, TAKE, BEHIND, SAY("553 Permission denied."), SAY("550 no such file"), PORT_OPEN,
			DO(STEP_ACCEPT), STAYS } },
	{ "no port to be had", { { PUT, 0, 5000, 1 }, { PUT, 0, 10, 1 } }, false, NULL, NULL,
		{ STRICT, ARMED, PUTS, TAKE, BEHIND, OPENING, FINE, SAY("213 5000"), SAY("425 all in use"),
			REPLY("PASV", "425 all in use"), ARMED, PUTS, TAKE, BEHIND, OPENING, FINE, SAY("213 10"),
			PORT_OPEN, DO(STEP_ACCEPT), STAYS } },
	{ "dead: 425", { { PUT, 0, 5000, 0 } }, false, NULL, NULL,
		{ STRICT, ARMED, PUTS, DO(STEP_RESET_DATA), BEHIND, SAY("425 no connection"), SAY("213 300"), PORT_OPEN,
			DO(STEP_ACCEPT), PUTS, OPENING, TAKE, WANT("EPSV"), FINE, PORT_OPEN, DO(STEP_ACCEPT), STAYS } },
	{ "it is not what it says: the port first", { { PUT, AFTP_ECONNRESET, 5000, 0 } }, true, NULL, NULL,
		{ STRICT, ARMED, PUTS, OPENING, TAKE, BEHIND, PORT_OPEN, END } },
};

/* --- acting --------------------------------------------------------------------------------------- */

static void wait_armed(struct kit *k, const char *name, bool armed)
{
	for (int i = 0; i < ROUNDS; i++) {
		if (aftp_client_armed(k->client) == armed)
			return;
		uv_run(&k->loop, UV_RUN_NOWAIT);
		loop_run_for(&k->loop, 1);
	}
	fail_msg("%s: not %s", name, armed ? "armed" : "bare");
}

static void get(struct kit *k, const struct row *row, const struct act *a)
{
	struct kit_get g = { .cancel_at = a->kind == CANCELED_GET ? a->n : 0 };

	(void)kit_get(&g, k, "/f", a->from);
	if (g.status != a->status)
		fail_msg("%s: %s, not %s (%d %s)", row->name, aftp_err_name(g.status), aftp_err_name(a->status), g.code,
			g.message);
	if (g.len != a->n)
		fail_msg("%s: %zu bytes, not %zu", row->name, g.len, a->n);
	if (!kit_get_right(&g, a->from))
		fail_msg("%s: wrong bytes", row->name);
	if (g.started > 1)
		fail_msg("%s: started %u times", row->name, g.started);
	kit_get_free(&g);
}

static void put(struct kit *k, const struct row *row, const struct act *a)
{
	struct kit_put p = { .early = true, .confirm = a->kind == PUT_TWICE ? 2 : 1 };

	k->server.data_bytes = k->server.taken = 0;
	kit_put_start(&p, k, AFTP_STORE, "/f", 0, a->n, 300000);
	(void)kit_put_wait(&p);
	if (p.status != a->status)
		fail_msg("%s: %s, not %s (%d %s)", row->name, aftp_err_name(p.status), aftp_err_name(a->status), p.code,
			p.message);
	if (a->status == 0 && (p.moved != a->n || k->server.data_bytes != a->n))
		fail_msg("%s: %llu bytes, of which %llu arrived", row->name, (unsigned long long)p.moved,
			(unsigned long long)k->server.data_bytes);
	if (p.has_size != (a->from > 0) || (p.has_size && p.size != (a->from == 1 ? a->n : a->from)))
		fail_msg("%s: size %d %llu", row->name, p.has_size, (unsigned long long)p.size);
	if (k->server.data_wrong)
		fail_msg("%s: wrong bytes", row->name);
}

static void list(struct kit *k, const struct row *row, const struct act *a)
{
	struct kit_list l = { 0 };

	(void)kit_list(&l, k, a->from ? "/a b" : "/f");
	if (l.status != a->status)
		fail_msg("%s: %s, not %s", row->name, aftp_err_name(l.status), aftp_err_name(a->status));
}

static void act(struct kit *k, const struct row *row, const struct act *a)
{
	switch (a->kind) {
	case GET:
	case CANCELED_GET: get(k, row, a); break;
	case PUT:
	case PUT_TWICE: put(k, row, a); break;
	case LIST: list(k, row, a); break;
	case ASK: assert_int_equal(kit_command(k, "NOOP", NULL, NULL), a->status); break;
	case UNTIL_ARMED: wait_armed(k, row->name, true); break;
	case UNTIL_BARE: wait_armed(k, row->name, false); break;
	case GO_ON: scripted_go_on(&k->server); break;
	default: break;
	}
}

static const struct aftp_features in_order = { .feat = true, .size = true, .downloads_in_order = AFTP_ORDER_YES };

static void check(const struct row *row, bool known, bool byte_by_byte)
{
	struct kit k;

	kit_begin(&k, row->script);
	k.server.byte_by_byte = byte_by_byte;
	k.o.arm = true;
	if (row->lost)
		k.o.timeout_ms = SHORT_MS;
	k.assumed = known ? &in_order : NULL;
	assert_int_equal(kit_connect(&k), 0);
	assert_true(aftp_client_idle(k.client));
	if (row->acts[0].kind != AT_ONCE)
		wait_armed(&k, row->name, true);
	for (const struct act *a = row->acts; a->kind != NOTHING; a++)
		act(&k, row, a);
	if (aftp_client_alive(k.client) == row->lost)
		fail_msg("%s: lost %u times: %s", row->name, k.lost, aftp_err_name(k.lost_status));
	if (!row->lost) {
		if (kit_command(&k, "NOOP", NULL, NULL) != 200)
			fail_msg("%s: out of step: %s: %s", row->name, k.server.trouble, k.server.segments);
		assert_true(aftp_client_idle(k.client));
		if (!k.server.finished)
			fail_msg("%s: the script waits at step %zu", row->name, k.server.at);
	}
	if (row->segment && !byte_by_byte && !strstr(k.server.segments, row->segment))
		fail_msg("%s: not in one segment: %s", row->name, k.server.segments);
	if (row->never && strstr(k.server.segments, row->never))
		fail_msg("%s: sent: %s", row->name, k.server.segments);
	if (k.server.trouble[0])
		fail_msg("%s: %s", row->name, k.server.trouble);
	kit_end(&k);
}

static void test_downloads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof downloads / sizeof *downloads; i++)
		check(&downloads[i], false, false);
}

static void test_downloads_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof downloads / sizeof *downloads; i++)
		if (!downloads[i].lost && downloads[i].acts[0].kind != AT_ONCE)
			check(&downloads[i], false, true);
}

static void test_uploads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof uploads / sizeof *uploads; i++)
		check(&uploads[i], true, false);
}

static void test_strict_uploads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof strict_uploads / sizeof *strict_uploads; i++)
		check(&strict_uploads[i], true, false);
}

static void test_uploads_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof uploads / sizeof *uploads; i++)
		if (!uploads[i].lost)
			check(&uploads[i], true, true);
}

/* --- what is learned ------------------------------------------------------------------------------ */

/* Three connections that end at once, or are not to be had: then no more. */
static void test_gives_up(void **state)
{
	static const struct step ended[] = { OPENED, ARMED, ENDS, ARMED, LEARNED, ENDS, ARMED, WANT("RETR /f"),
		WANT("EPSV"), FILE(10), FINE, PORT_OPEN, DO(STEP_ACCEPT), ENDS, ARMED, WANT("RETR /f"), FILE(10), FINE,
		STAYS };
	const struct step *scripts[] = { ended };

	(void)state;
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		struct kit k;

		kit_begin(&k, scripts[i]);
		k.o.arm = true;
		assert_int_equal(kit_connect(&k), 0);
		for (int n = 0; n < 3; n++) {
			struct kit_get g = { 0 };

			for (int turn = 0; turn < 50; turn++)
				loop_run_for(&k.loop, 1);
			assert_false(aftp_client_armed(k.client));
			assert_int_equal(kit_get(&g, &k, "/f", 0), 0);
			assert_int_equal(g.len, 10);
			kit_get_free(&g);
		}
		assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
		assert_true(k.server.finished);
		kit_end(&k);
	}
}

/* What one connection has learned, the next one knows. */
static void test_remembers(void **state)
{
	static const struct step script[] = { KNOWN, ARMED, WANT("RETR /f"), WANT("EPSV"), FILE(10), FINE, PORT_OPEN,
		DO(STEP_ACCEPT), STAYS };
	struct kit_get g = { 0 };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	k.o.arm = true;
	k.assumed = &in_order;
	assert_int_equal(kit_connect(&k), 0);
	assert_non_null(strstr(k.server.segments, "\nTYPE I+EPSV+\n"));
	assert_int_equal(kit_get(&g, &k, "/f", 0), 0);
	assert_int_equal(kit_command(&k, "NOOP", NULL, NULL), 200);
	kit_get_free(&g);
	kit_end(&k);
}

/* One that may do several things at a time gets nothing before it wants it. */
static void test_waits_for_150(void **state)
{
	static const struct row rows[] = {
		{ "order unknown", { { PUT, 0, 5000, 1 }, { UNTIL_ARMED, 0, 0, 0 }, { PUT, 0, 5000, 1 } }, false,
			"\nSTOR /f+PWD+\n", NULL,
			{ OPENED, ARMED, WANT("STOR /f"), WANT("PWD"), PAUSE(20), DO(STEP_NOTHING), OPENING, TAKE,
				WANT("SIZE /f"), FINE, HERE, SAY("213 5000"), ARMED, WANT("STOR /f"), TAKE, OPENING,
				FINE, REPLY("SIZE /f", "213 5000"), ARMED, STAYS } },
		{ "PWD first", { { PUT, 0, 5000, 1 }, { UNTIL_ARMED, 0, 0, 0 }, { PUT, 0, 5000, 1 } }, false, NULL,
			NULL,
			{ OPENED, ARMED, WANT("STOR /f"), WANT("PWD"), HERE, OPENING, TAKE, WANT("SIZE /f"), FINE,
				SAY("213 5000"), ARMED, WANT("STOR /f"), PAUSE(20), DO(STEP_NOTHING), OPENING, TAKE,
				FINE, REPLY("SIZE /f", "213 5000"), ARMED, STAYS } },
		{ "SIZE first", { { PUT, 0, 5000, 0 } }, false, NULL, NULL,
			{ OPENED, ARMED, WANT("STOR /f"), WANT("PWD"), OPENING, TAKE, WANT("SIZE /f"), SAY("213 0"),
				HERE, FINE, ARMED, STAYS } },
		{ "refused", { { PUT, AFTP_EACCES, 5000, 0 }, { UNTIL_ARMED, 0, 0, 0 }, { PUT, 0, 5000, 1 } }, false,
			NULL, NULL,
			{ OPENED, ARMED, WANT("STOR /f"), WANT("PWD"), SAY("553 Permission denied."), HERE, ARMED,
				WANT("STOR /f"), TAKE, OPENING, FINE, REPLY("SIZE /f", "213 5000"), ARMED, STAYS } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check(&rows[i], false, false);
}

static void test_quit_while_asking(void **state)
{
	static const struct step script[] = { OPENED, WANT("EPSV"), PAUSE(20), PORT_OPEN, REPLY("QUIT", "221 bye"),
		END };
	struct kit k;

	(void)state;
	kit_begin(&k, script);
	k.o.arm = true;
	assert_int_equal(kit_connect(&k), 0);
	assert_true(aftp_client_idle(k.client));
	kit_quit(&k);
	assert_true(k.server.finished);
	kit_end(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_downloads),
		cmocka_unit_test(test_downloads_in_pieces),
		cmocka_unit_test(test_uploads),
		cmocka_unit_test(test_strict_uploads),
		cmocka_unit_test(test_uploads_in_pieces),
		cmocka_unit_test(test_gives_up),
		cmocka_unit_test(test_remembers),
		cmocka_unit_test(test_waits_for_150),
		cmocka_unit_test(test_quit_while_asking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
