/* play - what is different about other people's servers, so that ours can behave like one of them.
 *
 * Every quirk was seen on the real one: vsftpd 3.0.3, ProFTPD 1.3.8, Pure-FTPd 1.0.50, pyftpdlib 1.5.7, aioftp 0.21;
 * tests/interop/play.py holds them side by side. */
#ifndef SERVER_PLAY_H
#define SERVER_PLAY_H

#include <aftp/server.h>
#include <stdbool.h>
#include <stddef.h>

struct command;

/* What becomes of commands that come while data moves. */
enum play_order {
	PLAY_STRICT,  /* each waits for the one before it */
	PLAY_AT_ONCE, /* what needs no data connection is done at once */
	PLAY_BUSY, /* likewise, and what would need it, or a rename, gets 450; but only the first of what comes at once */
	PLAY_LOST, /* they get 500 */
};

/* How a download ends that the client has closed early. */
enum play_broken { PLAY_426, PLAY_150, PLAY_GONE };

/* How LIST takes what follows it. */
enum play_list {
	PLAY_OPTIONS,     /* options as ls(1) has them, then a path */
	PLAY_BARE_OPTION, /* options only when there is nothing else */
	PLAY_LITERAL,     /* a path, whatever it looks like */
	PLAY_ENTRIES,     /* options; a pattern without brackets stands for the entries that it fits */
	PLAY_GLOB,        /* options; and a pattern of any kind */
	PLAY_SHELL, /* options; words, patterns and backslashes; the first match is listed, if it is a directory */
};

/* And what it says when nothing is there. */
enum play_absent { PLAY_550, PLAY_EMPTY, PLAY_450 };

enum play_bytes { PLAY_ANY, PLAY_REFUSED, PLAY_FATAL }; /* an argument that is not UTF-8 */

struct play {
	const char *welcome;
	const char *const *no; /* what it lacks; NULL-ended, or NULL */
	int unknown;           /* for what it does not know; 0: ours, 500 or 502 */
	bool login_first;      /* and before login that is no better than anything else */
	int no_login;
	enum play_order order;
	/* ABOR waits for the end of a download, of an upload */
	bool abor_waits_down, abor_waits_up;
	int abor_idle;        /* with nothing to abort */
	int abor_upload;      /* the second reply of an upload that was aborted */
	bool epsv_kills;      /* a new data port ends the transfer that runs, without a word */
	bool old_port_stays;  /* a session has one port for all its data connections */
	bool old_data_fin;    /* what a new port replaces is closed, not reset */
	bool early_150;       /* 150 comes before the data connection, 125 when there is one already */
	bool refusal_closes;  /* a refused transfer closes the data connection */
	bool lingers;         /* the final reply waits until the client has closed the data connection, up to 10.8 s */
	bool armed_times_out; /* a data connection that is not used ends the session */
	enum play_broken broken;
	bool rest_is_next;  /* REST counts for the very next command only */
	bool epsv_bare;     /* an argument of EPSV gets 522, and is the end */
	bool past_end;      /* REST past the end is refused: 554 */
	bool ascii_no_size; /* SIZE wants TYPE I */
	bool mdtm_files;    /* MDTM tells of files only */
	bool mdtm_sets;     /* with a time in front of the path it sets it */
	int mlsd_end;       /* the final reply of MLSD */
	int mlsd_refused;   /* of what is no directory; 0: as any other */
	bool mlsd_of_file;  /* an empty listing */
	bool no_dots;       /* listings lack "." and ".." */
	bool counts;        /* the end of a listing tells how many */
	unsigned list_max;  /* entries that a listing has at most; 0 = no limit */
	enum play_list list;
	enum play_absent absent;
	bool list_no_file; /* LIST of a file is empty */
	bool nlst_paths;   /* NLST of a directory has it in each name */
	bool no_backslash; /* in names: 553 */
	enum play_bytes not_utf8;
	bool bare_257; /* MKD does not double quotes, or says nothing */
};

const struct play *play_find(enum aftp_server_play which); /* NULL when there is none */
bool play_utf8(const char *text);

#endif
