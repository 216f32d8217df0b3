/* scripted - a server that says exactly what a test wants said, for clients that must survive it.
 *
 * It runs in the test's own loop with plain sockets. Each connection goes through the same table of steps, in order;
 * after the last step it is silent. What a client sends against the script is remembered as trouble. */
#ifndef TESTS_SCRIPTED_H
#define TESTS_SCRIPTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum step_kind {
	STEP_END,   /* of the table */
	STEP_WANT,  /* waits for a line that begins with text */
	STEP_SAY,   /* sends text; "%E" is the data port as EPSV tells it, "%P" as PASV does, "%A" the last argument */
	STEP_PAUSE, /* n milliseconds */
	STEP_HOLD,  /* until scripted_go_on() */
	STEP_CLOSE, /* the control connection */
	STEP_RESET,
	STEP_NOISE,   /* n bytes without a line end */
	STEP_FLOOD,   /* text, again and again, until the client goes */
	STEP_LISTEN,  /* a data port is open from now on */
	STEP_NO_PORT, /* the data port is one where nobody listens */
	STEP_ACCEPT,  /* waits for the data connection */
	STEP_DATA,    /* sends text on it */
	STEP_FILL,    /* n bytes of scripted_byte(), from where the last one stopped */
	STEP_END_DATA,
	STEP_RESET_DATA,
	STEP_DATA_GONE, /* waits until the client has ended it; what it sent is dropped */
	STEP_TAKE,      /* waits for n bytes on it */
	STEP_NOTHING,   /* nothing has come on it yet */
	STEP_TAKE_ALL,  /* to its end */
	STEP_SEEK,      /* scripted_byte() goes on from n, both ways */
};

struct step {
	enum step_kind kind;
	const char *text;
	long n;
};

#define WANT(prefix)                 \
	{                            \
		STEP_WANT, prefix, 0 \
	}
#define SAY(reply)                        \
	{                                 \
		STEP_SAY, reply "\r\n", 0 \
	}
#define SAY_RAW(bytes)             \
	{                          \
		STEP_SAY, bytes, 0 \
	}
#define REPLY(prefix, reply) WANT(prefix), SAY(reply)
#define PAUSE(ms)                    \
	{                            \
		STEP_PAUSE, NULL, ms \
	}
#define DO(kind)              \
	{                     \
		kind, NULL, 0 \
	}
#define DO_N(kind, n)         \
	{                     \
		kind, NULL, n \
	}
#define DATA(text)                 \
	{                          \
		STEP_DATA, text, 0 \
	}
#define FLOOD(text)                 \
	{                           \
		STEP_FLOOD, text, 0 \
	}
#define END                       \
	{                         \
		STEP_END, NULL, 0 \
	}

/* A login as most servers have it, with FEAT refused. */
#define LOGIN                                                                                                \
	SAY("220 ready"), REPLY("USER", "331 password"), REPLY("PASS", "230 ok"), REPLY("TYPE I", "200 ok"), \
		REPLY("FEAT", "502 no")
/* Passive mode: the data connection stands after it. */
#define EPSV WANT("EPSV"), DO(STEP_LISTEN), SAY("229 here (%E)")

struct scripted_peer;

struct scripted {
	uv_loop_t *loop;
	uv_tcp_t listener;
	uint16_t port;
	const struct step *script;
	/* May be set before a client comes. */
	const struct step *const *scripts; /* one for each connection, the last (before NULL) for all further ones */
	bool one_only;                     /* others wait for its end */
	bool byte_by_byte; /* the first replies leave in pieces of one byte, each in a turn of its own */
	size_t cut;        /* the control connection ends after so many bytes; 0 = never */
	size_t cut_data;   /* the same for data */
	bool cut_resets;   /* a cut is an RST, of both connections */
	/* What has come. */
	char commands[8192]; /* every line, ended by '\n' */
	char segments[8192]; /* every read of the control connection, "\r\n" as '+', ended by '\n' */
	char trouble[256];   /* the first thing that was against the script; "" when nothing was */
	unsigned connections;
	uint64_t data_bytes; /* taken */
	bool data_reset;     /* it ended in a reset */
	bool data_wrong;     /* they are not scripted_byte() from 0, or where STEP_SEEK was */
	size_t said;         /* bytes on the control connection */
	size_t at;           /* the present step */
	bool finished;       /* the last step is done */
	/* Private. */
	uv_tcp_t *data_listener;
	uint16_t data_port;
	struct scripted_peer *control, *data;
	uv_timer_t timer;
	char line[4096];
	size_t line_len;
	uint64_t position, taken; /* of what is sent; of what comes */
	size_t data_said;
	bool others, flooding, pausing, going_on, busy;
};

unsigned char scripted_byte(uint64_t position);

/* Listens on a free port of 127.0.0.1. */
void scripted_start(struct scripted *s, uv_loop_t *loop, const struct step *script);
void scripted_go_on(struct scripted *s);
void scripted_stop(struct scripted *s); /* all handles are closing after it */

#endif
