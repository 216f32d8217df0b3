/* kit - a client in a loop of its own, with calls that wait for their answer.
 *
 * Every call checks the async contract: no callback from inside the call, and each exactly once. */
#ifndef TESTS_KIT_H
#define TESTS_KIT_H

#include <aftp/client.h>
#include <aftp/status.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "lib/scripted.h"

enum { KIT_DATA_MAX = 4 << 20, KIT_NAMES_MAX = 4096 };

struct kit {
	uv_loop_t loop;
	struct scripted server;
	bool scripted;
	struct aftp_client_options o;
	const struct aftp_features *assumed; /* NULL: nothing is known of the server */
	struct aftp_client *client;
	unsigned lost; /* how often the connection was lost */
	int lost_status;
};

/* A scripted server (none when script is NULL) and options for it; small limits. Change them, then kit_connect(). */
void kit_begin(struct kit *k, const struct step *script);
int kit_connect(struct kit *k); /* a new client's status */
void kit_close(struct kit *k);  /* the client */
void kit_quit(struct kit *k);
/* All of it. Fails the test when the scripted server had trouble, or something is left on the loop. */
void kit_end(struct kit *k);

/* Callbacks that put a status, or a reply's code, into the int in their argument. */
void kit_note_status(void *arg, int status);
void kit_note_reply(void *arg, int status, const struct aftp_reply *r);

/* The final reply's code, or a status; text (256 bytes) may be NULL. */
int kit_command(struct kit *k, const char *verb, const char *argument, char *text);

struct kit_get {
	struct kit *kit;
	struct aftp_transfer *transfer;
	uint64_t cancel_at; /* cancels once so many bytes are there; 0 = never */
	bool cancel_in_lend;
	uint64_t pause_at; /* gives no memory from then on, until kit_get_go_on() */
	bool paused;
	bool close_at_end; /* closes the client inside done() */
	unsigned started;
	uint64_t size; /* as the server told */
	char *bytes;   /* what came; of KIT_DATA_MAX bytes */
	size_t len;
	int status, code;
	char message[256];
	uint64_t moved;
	unsigned done;
	bool over;
};

void kit_get_start(struct kit_get *g, struct kit *k, const char *path, uint64_t offset);
void kit_get_wait(struct kit_get *g);
void kit_get_go_on(struct kit_get *g);
void kit_get_free(struct kit_get *g);
int kit_get(struct kit_get *g, struct kit *k, const char *path, uint64_t offset); /* start and wait: the status */
/* The bytes are scripted_byte() from `offset` on. */
bool kit_get_right(const struct kit_get *g, uint64_t offset);

struct kit_list {
	struct kit *kit;
	struct aftp_transfer *transfer;
	unsigned stop_at; /* the entry callback answers stop_with at this entry; 0 = never */
	int stop_with;
	unsigned cancel_at;
	bool plain;                /* by LIST in any case */
	bool small;                /* thought to be so */
	char target[256];          /* the last one */
	char names[KIT_NAMES_MAX]; /* "a/ b c" with dots left out: directories end in '/' */
	uint64_t entries, unknown;
	unsigned seen;
	bool truncated;
	enum aftp_listing_kind kind;
	int status;
	unsigned done;
	bool over;
};

void kit_list_start(struct kit_list *l, struct kit *k, const char *path);
int kit_list(struct kit_list *l, struct kit *k, const char *path);

/* Fills *e (its strings are gone). */
int kit_stat(struct kit *k, const char *path, struct aftp_entry *e);

struct kit_put {
	struct kit *kit;
	struct aftp_transfer *transfer;
	uint64_t total, given; /* scripted_byte() from 0 */
	size_t chunk;
	uint64_t cancel_at;
	bool early;
	unsigned confirm; /* how often SIZE is asked behind the data */
	unsigned owed;
	bool has_size;
	uint64_t size;
	char *block;
	unsigned ready;
	int status, code;
	char message[256];
	uint64_t moved;
	unsigned done;
	bool over;
};

void kit_put_start(struct kit_put *p, struct kit *k, enum aftp_store how, const char *path, uint64_t offset,
	uint64_t total, size_t chunk);
int kit_put_wait(struct kit_put *p); /* and frees what it holds */

#endif
