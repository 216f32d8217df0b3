#include "mount/option_table.h"

#include <stdbool.h>
#include <string.h>

#include <aftp/client.h>

#include "mount/options.h"

#define AT(field) offsetof(struct options, field)
#define KIB       ((int64_t)1024)
#define MIB       (1024 * KIB)
#define HOUR_MS   ((int64_t)3600 * 1000)

#define TIB       (1024 * 1024 * MIB)

static const char no_such_proxy[] = "proxies are SOCKS 5, or HTTP with a basic login";

static const struct option_row rows[] = {
	{ "user", OPTION_USER, "NAME[:PASSWORD]", AT(user), 0, 0, "log in as NAME" },
	{ "password", OPTION_SECRET, "PASSWORD", AT(password), 0, 0,
		"the password (others may see it while ftpfs starts)" },
	{ "account", OPTION_SECRET, "NAME", AT(account), 0, 0, "the account, for servers that ask for one" },
	{ "password_stdin", OPTION_FLAG, NULL, AT(password_stdin), 0, 0, "read the password from standard input" },
	{ "credentials", OPTION_TEXT, "FILE", AT(credentials), 0, 0, "read username= and password= from FILE" },
	{ "netrc", OPTION_TEXT, "FILE", AT(netrc), 1, 1, "look for the login in FILE instead of ~/.netrc" },
	{ "no_netrc", OPTION_FLAG, NULL, AT(no_netrc), 0, 0, "do not look at ~/.netrc" },
	{ "tls", OPTION_TLS, "require|control|try|off", AT(tls), 0, 0,
		"encryption that an ftp:// URL does not ask for" },
	{ "cacert", OPTION_TEXT, "FILE", AT(cacert), 0, 0, "trust the authorities in FILE, not the system's" },
	{ "capath", OPTION_TEXT, "DIR", AT(capath), 0, 0, "the same, a directory with hashed names" },
	{ "tls_pin", OPTION_TEXT, "sha256//BASE64", AT(tls_pin), 0, 0, "trust the server with this key and no other" },
	{ "cert", OPTION_TEXT, "FILE", AT(cert), 0, 0, "show the certificate in FILE to the server" },
	{ "key", OPTION_TEXT, "FILE", AT(key), 0, 0, "its key (default: in the same file)" },
	{ "key_password", OPTION_SECRET, "PASSWORD", AT(key_password), 0, 0, "the password of that key" },
	{ "tls_min", OPTION_VERSION, "VERSION", AT(tls_min), 0, 0, "the lowest version of TLS (default 1.2)" },
	{ "tls_max", OPTION_VERSION, "VERSION", AT(tls_max), 0, 0, "the highest version of TLS (default 1.3)" },
	{ "ciphers", OPTION_TEXT, "LIST", AT(ciphers), 0, 0, "ciphers up to TLS 1.2, in OpenSSL's words" },
	{ "ciphersuites", OPTION_TEXT, "LIST", AT(ciphersuites), 0, 0, "ciphers of TLS 1.3" },
	{ "no_verify_peer", OPTION_FLAG, NULL, AT(no_verify_peer), 0, 0, "take any certificate (dangerous)" },
	{ "no_verify_hostname", OPTION_FLAG, NULL, AT(no_verify_hostname), 0, 0,
		"take a certificate for any name (dangerous)" },
	{ "proxy", OPTION_PROXY, "URL", AT(proxy), 0, 0, "connect through socks5://... or http://..." },
	{ "proxy_user", OPTION_SECRET, "NAME:PASSWORD", AT(proxy_user), 0, 0, "the login at the proxy" },
	{ "active", OPTION_FLAG, NULL, AT(active), 0, 0, "let the server connect to us for data" },
	{ "active_ports", OPTION_PORTS, "LOW-HIGH", AT(active_ports), 0, 0, "the ports for that (default: any)" },
	{ "active_address", OPTION_TEXT, "ADDRESS", AT(active_address), 0, 0, "the address that the server is told" },
	{ "disable_eprt", OPTION_FLAG, NULL, AT(no_eprt), 0, 0, "use PORT, never EPRT" },
	{ "read_limit", OPTION_BYTES, "BYTES", AT(read_limit), 0, TIB, "bytes per second to read at most" },
	{ "write_limit", OPTION_BYTES, "BYTES", AT(write_limit), 0, TIB, "bytes per second to write at most" },
	{ "conn_read_limit", OPTION_BYTES, "BYTES", AT(conn_read_limit), 0, TIB, "the same for each connection" },
	{ "conn_write_limit", OPTION_BYTES, "BYTES", AT(conn_write_limit), 0, TIB, "the same for each connection" },
	{ "port", OPTION_COUNT, "N", AT(port), 1, 65535, "the server's port (default 21, or 990 for ftps://)" },
	{ "max_conns", OPTION_COUNT, "N", AT(max_conns), 1, 64, "connections to the server at most (default 4)" },
	{ "connect_timeout", OPTION_DURATION, "SEC", AT(connect_timeout_ms), 100, HOUR_MS,
		"time for a connection to come up (default 15)" },
	{ "timeout", OPTION_DURATION, "SEC", AT(timeout_ms), 100, HOUR_MS,
		"silence of the server before an operation fails (default 30)" },
	{ "idle_timeout", OPTION_DURATION, "SEC", AT(idle_timeout_ms), 100, 24 * HOUR_MS,
		"close connections unused for so long (default 60)" },
	{ "disable_epsv", OPTION_FLAG, NULL, AT(no_epsv), 0, 0, "use PASV, never EPSV" },
	{ "no_arm", OPTION_FLAG, NULL, AT(no_arm), 0, 0, "open data connections only when they are used" },
	{ "disable_mlsd", OPTION_FLAG, NULL, AT(no_mlsd), 0, 0, "use LIST, never MLSD" },
	{ "attr_timeout", OPTION_DURATION, "SEC", AT(attr_ttl_ms), 0, 24 * HOUR_MS,
		"how long attributes and listings are believed (default 20)" },
	{ "negative_timeout", OPTION_DURATION, "SEC", AT(negative_ttl_ms), 0, 24 * HOUR_MS,
		"the same for names that do not exist, if that is less" },
	{ "cache_entries", OPTION_COUNT, "N", AT(cache_entries), 100, 100000000,
		"directory entries kept at most (default 200000)" },
	{ "readahead", OPTION_BYTES, "BYTES", AT(readahead), 64 * KIB, 1024 * MIB,
		"how far a reader may run ahead (default 16M)" },
	{ "segments", OPTION_COUNT, "N", AT(segments), 0, 64,
		"connections for one big file at most (default 0: as many as help)" },
	{ "lookahead", OPTION_AHEAD, "WHAT", AT(lookahead), 0, 0,
		"fetch ahead what comes next: full, metadata or off (default full)" },
	{ "kernel_readahead", OPTION_COUNT, "KB", AT(kernel_readahead_kb), 0, 65536,
		"the kernel's own readahead (default 1024, 0 leaves it)" },
	{ "spool_memory", OPTION_BYTES, "BYTES", AT(spool_memory), 64 * KIB, 1024 * MIB,
		"bytes of a changed file that are kept in memory (default 4M)" },
	{ "spool_dir", OPTION_TEXT, "DIR", AT(spool_dir), 0, 0,
		"where the rest is kept (default $TMPDIR or /var/tmp)" },
	{ "xattr", OPTION_FLAG, NULL, AT(xattr), 0, 0, "the server's facts and checksums as attributes user.ftp.*" },
	{ "cto", OPTION_FLAG, NULL, AT(close_to_open), 0, 0,
		"ask the server at each open whether the file has changed" },
	{ "exact_times", OPTION_FLAG, NULL, AT(exact_times), 0, 0,
		"where listings tell minutes, ask for the seconds of files (MDTM)" },
	{ "codepage", OPTION_TEXT, "CHARSET", AT(codepage), 0, 0,
		"character set of the server's names (default: bytes)" },
	{ "iocharset", OPTION_TEXT, "CHARSET", AT(iocharset), 0, 0,
		"character set of names here: UTF-8, and no other" },
	{ "follow_symlinks", OPTION_FLAG, NULL, AT(follow_symlinks), 0, 0, "show what links lead to, not links" },
	{ "transform_symlinks", OPTION_FLAG, NULL, AT(transform_symlinks), 0, 0, "make absolute links relative" },
	{ "contain_symlinks", OPTION_NOT, NULL, AT(loose_symlinks), 0, 0,
		"refuse links that lead out of the mount (default)" },
	{ "no_contain_symlinks", OPTION_FLAG, NULL, AT(loose_symlinks), 0, 0, NULL },
	{ "atomic", OPTION_FLAG, NULL, AT(atomic), 0, 0, "upload under another name, and rename when all is there" },
	{ "direct_io", OPTION_FLAG, NULL, AT(direct_io), 0, 0, "no page cache: reads go to the server" },
	{ "kernel_cache", OPTION_FLAG, NULL, AT(kernel_cache), 0, 0, "keep cached pages even when a file has changed" },
	{ "uid", OPTION_UID, "USER", AT(uid), 0, 0, "owner of all files (default: who mounts)" },
	{ "gid", OPTION_GID, "GROUP", AT(gid), 0, 0, "group of all files (default: who mounts)" },
	{ "umask", OPTION_OCTAL, "MASK", AT(umask), 0, 0, "permission bits to take away (default: the umask)" },
	{ "fmask", OPTION_OCTAL, "MASK", AT(file_mask), 0, 0, "the same for files only" },
	{ "dmask", OPTION_OCTAL, "MASK", AT(dir_mask), 0, 0, "the same for directories only" },
	{ "ro", OPTION_FLAG, NULL, AT(read_only), 0, 0, "read-only" },
	{ "ignore_chown", OPTION_FLAG, NULL, AT(ignore_chown), 0, 0, "say yes to a change of owner, and do nothing" },
	{ "allow_other", OPTION_FLAG, NULL, AT(allow_other), 0, 0, "let all users in" },
	{ "allow_root", OPTION_FLAG, NULL, AT(allow_root), 0, 0, "let root in" },
	{ "default_permissions", OPTION_FLAG, NULL, AT(default_permissions), 0, 0,
		"let the kernel check permission bits" },
	{ "auto_unmount", OPTION_FLAG, NULL, AT(auto_unmount), 0, 0, "unmount when ftpfs dies" },
	{ "fsname", OPTION_TEXT, "NAME", AT(fsname), 0, 0, "source shown by mount(8) (default: the URL)" },
	{ "subtype", OPTION_TEXT, "NAME", AT(subtype), 0, 0,
		"type shown by mount(8) behind \"fuse.\" (default ftpfs)" },
	{ "log_file", OPTION_TEXT, "FILE", AT(log_file), 0, 0, "append messages to FILE instead of the system log" },
	{ "log_level", OPTION_LEVEL, "LEVEL", AT(log_level), 0, 0, "error, warn, info, debug or wire (default warn)" },
	{ "fuse_debug", OPTION_FLAG, NULL, AT(fuse_debug), 0, 0, "print each request of the kernel (with -f)" },

	{ "arm", OPTION_NOT, NULL, AT(no_arm), 0, 0, NULL },
	{ "rw", OPTION_NOT, NULL, AT(read_only), 0, 0, NULL },
	{ "nomulticonn", OPTION_SET, NULL, AT(max_conns), 1, 1, NULL },
	{ "cache", OPTION_UNLESS, NULL, AT(attr_ttl_ms), 0, 0, NULL },
	{ "dir_cache", OPTION_UNLESS, NULL, AT(attr_ttl_ms), 0, 0, NULL },
	{ "noexec", OPTION_FUSE, NULL, 0, 0, 0, NULL },
	{ "noatime", OPTION_FUSE, NULL, 0, 0, 0, NULL },
	{ "context", OPTION_FUSE, NULL, 0, 0, 0, NULL },
	{ "fscontext", OPTION_FUSE, NULL, 0, 0, 0, NULL },
	{ "defcontext", OPTION_FUSE, NULL, 0, 0, 0, NULL },
	{ "rootcontext", OPTION_FUSE, NULL, 0, 0, 0, NULL },

	{ "ssl", OPTION_SET, NULL, AT(tls), OPTIONS_TLS_REQUIRE, 0, NULL },
	{ "explicit_tls", OPTION_SET, NULL, AT(tls), OPTIONS_TLS_REQUIRE, 0, NULL },
	{ "ssl_control", OPTION_SET, NULL, AT(tls), OPTIONS_TLS_CONTROL, 0, NULL },
	{ "ssl_try", OPTION_SET, NULL, AT(tls), OPTIONS_TLS_TRY, 0, NULL },
	{ "disable_tls13", OPTION_SET, NULL, AT(tls_max), AFTP_TLS_1_2, 0, NULL },
	{ "sslv3", OPTION_WARN, NULL, 0, 0, 0, "sslv3 is ignored: SSL 3 is broken, and TLS is used" },
	{ "krb4", OPTION_WARN, NULL, 0, 0, 0, "krb4 is ignored: there is no Kerberos 4 any more" },
	{ "engine", OPTION_WARN, NULL, 0, 0, 0, "engine is ignored: keys are read from files" },
	{ "httpproxy", OPTION_SET, NULL, AT(proxy_kind), AFTP_PROXY_HTTP, 0, NULL },
	{ "socks5", OPTION_SET, NULL, AT(proxy_kind), AFTP_PROXY_SOCKS5, 0, NULL },
	{ "http_proxy", OPTION_PROXY, "URL", AT(proxy), AFTP_PROXY_HTTP, 0, NULL },
	{ "socks_proxy", OPTION_PROXY, "URL", AT(proxy), AFTP_PROXY_SOCKS5, 0, NULL },
	{ "socks4", OPTION_REFUSE, NULL, 0, 0, 0, no_such_proxy },
	{ "proxy_digest", OPTION_REFUSE, NULL, 0, 0, 0, no_such_proxy },
	{ "proxy_ntlm", OPTION_REFUSE, NULL, 0, 0, 0, no_such_proxy },
	{ "delay_connect", OPTION_REFUSE, NULL, 0, 0, 0, "ftpfs mounts only what has answered" },
};

/* What mount(8), fstab and other filesystems' users write, and what needs nothing done. */
/* clang-format off */
static const char *const ignored[] = {
	"nofail", "_netdev", "auto", "noauto", "users", "nouser", "owner", "group", "defaults", "comment",
	"exec", "suid", "nosuid", "dev", "nodev", "atime", "diratime", "nodiratime", "relatime", "norelatime",
	"strictatime", "nostrictatime", "lazytime", "nolazytime", "sync", "async", "dirsync", "user_xattr", "acl",
	"noacl", "loud", "silent", "mand", "nomand", "iversion", "noiversion",
	"nonempty", "big_writes", "large_read", "max_read", "max_write", "max_background", "async_read",
	"reconnect", "auto_cache", "sync_readdir", "sshfs_sync", "idmap", "nomap", "workaround",
	"no_check_root", "disable_hardlink", "ServerAliveInterval", "ServerAliveCountMax", "writeback_cache",
	"unreliable_append", "dcache_clean_interval", "dcache_min_clean_interval", "compression",
	"enable_epsv", "skip_pasv_ip", "tcp_nodelay", "utf8", "ftp_method", "custom_list",
	"disable_utf8", "force_list_hidden", "writing_mdtm", "no_check_upload", "poll_interval", "vfs_cache_mode",
	"vfs_refresh", "daemon", "daemon_wait", "daemon_timeout", "close_timeout", "shut_timeout", "no_modtime",
	"max_read_ahead", "volname", "tlsv1", "cert_type", "key_type", "proxytunnel", "proxy_basic", "proxy_anyauth",
	"tls_cache_size",
};

static const struct { const char *word, *means; } aliases[] = {
	{ "username", "user" }, { "pass", "password" },
	{ "no_check_certificate", "no_verify_peer" }, { "pinnedpubkey", "tls_pin" }, { "ftp_port", "active_address" },
	{ "concurrency", "max_conns" }, { "contimeout", "connect_timeout" },
	{ "entry_timeout", "attr_timeout" }, { "ac_attr_timeout", "attr_timeout" },
	{ "cache_timeout", "attr_timeout" }, { "cache_stat_timeout", "attr_timeout" },
	{ "cache_dir_timeout", "attr_timeout" }, { "cache_link_timeout", "attr_timeout" },
	{ "dcache_timeout", "attr_timeout" }, { "dcache_stat_timeout", "attr_timeout" },
	{ "dcache_dir_timeout", "attr_timeout" }, { "dcache_link_timeout", "attr_timeout" },
	{ "dir_cache_time", "attr_timeout" },
	{ "dcache_max_size", "cache_entries" }, { "cache_max_size", "cache_entries" },
	{ "buffer_size", "readahead" }, { "vfs_read_ahead", "readahead" },
	{ "read_only", "ro" }, { "allow_non_empty", "nonempty" },
};

/* clang-format on */

static const struct option_row ignored_row = { "", OPTION_IGNORE, NULL, 0, 0, 0, NULL };

static bool same_word(const char *key, size_t len, const char *name)
{
	for (size_t i = 0; i < len; i++) {
		char c = key[i] == '-' ? '_' : key[i];
		if (name[i] == '\0' || c != name[i])
			return false;
	}
	return name[len] == '\0';
}

const struct option_row *option_table_find(const char *key, size_t len)
{
	if (len > 2 && (key[0] == 'x' || key[0] == 'X') && key[1] == '-')
		return &ignored_row;
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (same_word(key, len, aliases[i].word)) {
			key = aliases[i].means;
			len = strlen(key);
			break;
		}
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (same_word(key, len, rows[i].name))
			return &rows[i];
	}
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		if (same_word(key, len, ignored[i]))
			return &ignored_row;
	}
	return NULL;
}

void option_table_print(FILE *to)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct option_row *r = &rows[i];
		char word[64];
		if (r->help == NULL || r->type == OPTION_REFUSE || r->type == OPTION_WARN)
			continue;
		snprintf(word, sizeof(word), "%s%s%s", r->name, r->value != NULL ? "=" : "",
			r->value != NULL ? r->value : "");
		fprintf(to, "  -o %-22s  %s\n", word, r->help);
	}
}
