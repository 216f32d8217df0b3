/* options - what the command line asks for.
 *
 * One table names every option with its type, range and help text; parsing, --help and the check against the manual
 * all read that table. Words that mount(8) and fstab hand to every filesystem are swallowed, and so are the harmless
 * spellings of sshfs, curlftpfs and rclone. Anything else that is unknown is an error: a mistyped option that is
 * ignored in silence is a trap. */
#ifndef MOUNT_OPTIONS_H
#define MOUNT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <aftp/log.h>
#include <aftp/url.h>

enum options_action { OPTIONS_MOUNT, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_FAKE };

#define OPTIONS_UNSET (-1)

/* What -o tls= says. CONTROL: the control connection only, and data in the clear. */
enum options_tls { OPTIONS_TLS_OFF, OPTIONS_TLS_TRY, OPTIONS_TLS_CONTROL, OPTIONS_TLS_REQUIRE };

struct options {
	enum options_action action;
	struct aftp_url url;
	char *mountpoint; /* as written */
	bool foreground;

	char *user, *password, *account; /* of -o; NULL = not given there (see login.h) */
	char *credentials;               /* file */
	char *netrc;                     /* file; NULL = ~/.netrc */
	bool no_netrc, password_stdin;

	int64_t port; /* OPTIONS_UNSET = the URL's */
	int64_t max_conns;
	int64_t connect_timeout_ms, timeout_ms, idle_timeout_ms;
	int64_t attr_ttl_ms, negative_ttl_ms;
	int64_t readahead, cache_entries;
	int64_t segments;            /* 0 = as many as help */
	int64_t lookahead;           /* enum site_lookahead */
	int64_t kernel_readahead_kb; /* 0 = leave it as it is */
	bool no_epsv, no_mlsd, no_arm;

	/* See transport.h. */
	int64_t tls;              /* enum options_tls, or OPTIONS_UNSET */
	int64_t tls_min, tls_max; /* enum aftp_tls_version */
	char *cacert, *capath, *tls_pin, *cert, *key, *key_password, *ciphers, *ciphersuites;
	bool no_verify_peer, no_verify_hostname;
	char *proxy, *proxy_user;
	int64_t proxy_kind; /* enum aftp_proxy_kind, for a `proxy` that does not tell it */
	bool active, no_eprt;
	char *active_address;
	int64_t active_ports[2];                                            /* 0 = any */
	int64_t read_limit, write_limit, conn_read_limit, conn_write_limit; /* bytes/s; 0 = none */

	const char *ignored; /* a sentence about an option that could not be heeded; static */

	int64_t uid, gid;                   /* resolved: never OPTIONS_UNSET after a successful parse */
	int64_t umask, file_mask, dir_mask; /* the same */
	bool read_only, direct_io, kernel_cache, ignore_chown, atomic, close_to_open, xattr, exact_times;
	bool follow_symlinks, transform_symlinks, loose_symlinks;
	char *codepage, *iocharset; /* of names, there and here; NULL = names are bytes */
	int64_t spool_memory;
	char *spool_dir; /* NULL = $TMPDIR or /var/tmp */
	bool allow_other, allow_root, default_permissions, auto_unmount;
	char *fsname, *subtype;
	char *fuse; /* more options for libfuse, comma-separated; NULL = none */

	char *log_file;
	enum aftp_log_level log_level;
	bool fuse_debug;
};

/* Fills *o, which the caller ends with options_finish() in every case. Secrets in argv are overwritten.
 * 0, or < 0 with one line in `why` that says what is wrong. */
int options_parse(struct options *o, int argc, char **argv, char *why, size_t size);
void options_finish(struct options *o);

void options_print_help(FILE *to);

/* Wipes and frees a secret; accepts NULL. */
void options_free_secret(char *secret);

#endif
