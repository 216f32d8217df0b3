/* options - the command line of memftpd: one table, from which come parsing and --help. */
#ifndef MEMFTPD_OPTIONS_H
#define MEMFTPD_OPTIONS_H

#include <aftp/server.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>

enum { OPTIONS_LISTEN = 8, OPTIONS_USERS = 64, OPTIONS_NO = 64, OPTIONS_LOAD = 16 };

struct options_pattern {
	char *path;
	uint64_t size;
};

struct options {
	struct aftp_server_options server; /* vfs and log are main's to set */
	struct sockaddr_storage listen[OPTIONS_LISTEN];
	bool listen_tls[OPTIONS_LISTEN];
	size_t nlisten;
	struct aftp_user users[OPTIONS_USERS];
	size_t nusers;
	char *user_text[OPTIONS_USERS];                     /* what the users point into; owned */
	char *home[OPTIONS_USERS], *base[OPTIONS_USERS];    /* likewise */
	struct aftp_permission *permissions[OPTIONS_USERS]; /* likewise, paths too */
	uint64_t quota, memory;
	bool tls_on; /* also when one of the others was given */
	struct aftp_tls_options tls;
	const char *tls_names, *tls_save;
	const char *no[OPTIONS_NO + 1];
	size_t nno;
	struct aftp_rule *rules; /* owned, verbs and texts too */
	size_t nrules;
	const char *load[OPTIONS_LOAD];
	size_t nload;
	struct options_pattern patterns[OPTIONS_LOAD];
	size_t npatterns;
	const char *account;
	const char *count;  /* the file that the counters go to */
	const char *limits; /* the file that limits come from; NULL: none */
	bool stats, verbose, help, version;
};

/* 0, or -1 after one line about what is wrong on stderr. Strings stay argv's. */
int options_parse(struct options *o, int argc, char **argv);
void options_finish(struct options *o);
void options_help(FILE *out);

#endif
