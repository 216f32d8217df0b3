/* secured - a server with TLS that says exactly what a test wants said; beside `scripted`, which has none.
 *
 * It runs in the test's own loop. Each connection goes through the same table of steps, in order; after the last step it
 * is silent. What a client sends against the script is remembered as trouble. */
#ifndef TESTS_SECURED_H
#define TESTS_SECURED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <aftp/stream.h>

enum secured_kind {
	SECURED_END,      /* of the table */
	SECURED_WANT,     /* waits for a line that begins with text */
	SECURED_SAY,      /* sends text; "%E" is the data port as EPSV tells it */
	SECURED_TLS,      /* on the control connection; it fails quietly */
	SECURED_LISTEN,   /* a data port is open from now on */
	SECURED_ACCEPT,   /* waits for the data connection */
	SECURED_CONNECT,  /* connects to where the last EPRT or PORT said */
	SECURED_INTRUDE,  /* somebody else does, from 127.0.0.2 */
	SECURED_QUIET,    /* nothing has come on the data connection yet */
	SECURED_DATA_TLS, /* on the data connection; it fails quietly */
	SECURED_FILL,     /* sends n bytes of scripted_byte() on it, from where the last one stopped */
	SECURED_DATA,     /* sends text on it */
	SECURED_END_DATA, /* in good order */
	SECURED_CUT_DATA, /* FIN, and no word to TLS */
	SECURED_TAKE_ALL, /* to its end */
	SECURED_SEEK,     /* scripted_byte() goes on from n */
	SECURED_CLOSE,    /* the control connection */
	/* Goes on with step n of the table unless the data connection has resumed a session of this control connection. */
	SECURED_UNLESS_RESUMED,
	SECURED_GO_TO, /* step n */
};

struct secured_step {
	enum secured_kind kind;
	const char *text;
	long n;
};

/* Steps of a script. */
#define WANTS(prefix)                   \
	{                               \
		SECURED_WANT, prefix, 0 \
	}
#define SAYS(text)                          \
	{                                   \
		SECURED_SAY, text "\r\n", 0 \
	}
#define DOES(kind)            \
	{                     \
		kind, NULL, 0 \
	}
#define DOES_N(kind, n)       \
	{                     \
		kind, NULL, n \
	}
#define ANSWERS(prefix, text) WANTS(prefix), SAYS(text)
#define FINISH                       \
	{                            \
		SECURED_END, NULL, 0 \
	}

struct secured {
	uv_loop_t *loop;
	uv_tcp_t listener, data_listener;
	uint16_t port, data_port;
	const struct secured_step *script;
	struct aftp_tls *tls;
	struct aftp_tls_sessions *sessions; /* of the present control connection */
	struct aftp_stream *control, *data;
	/* What has come. */
	char commands[8192]; /* every line, ended by '\n'; "[TLS]" and "[data TLS]" where those stand */
	char trouble[256];
	unsigned connections;
	unsigned resumed;    /* data connections that resumed a session of their control connection */
	uint64_t data_bytes; /* taken */
	int data_end;        /* how the client ended its data */
	int tls_status;      /* of the last handshake */
	size_t at;
	bool finished;
	/* Private. */
	bool busy, waiting;
	uint64_t position;
	uint16_t client_port;
	int intruder;
	char land[65536];
};

/* Listens on a free port of 127.0.0.1. A reference to the settings is taken. */
void secured_start(struct secured *s, uv_loop_t *loop, const struct secured_step *script, struct aftp_tls *tls);
void secured_stop(struct secured *s); /* all handles are closing after it */

#endif
