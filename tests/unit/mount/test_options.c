#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <aftp/status.h>

#include "mount/options.h"
#include "remote/site.h"

#define MAX_ARGS 12

/* A command line in memory that may be written to, as main() gets it. */
struct line {
	char *argv[MAX_ARGS + 1];
	int argc;
	struct options o;
	char why[512];
	int rc;
};

static void run(struct line *l, const char *const *words)
{
	*l = (struct line){ 0 };
	while (words[l->argc] != NULL) {
		assert_true(l->argc < MAX_ARGS);
		l->argv[l->argc] = strdup(words[l->argc]);
		assert_non_null(l->argv[l->argc]);
		l->argc++;
	}
	l->rc = options_parse(&l->o, l->argc, l->argv, l->why, sizeof(l->why));
	assert_int_equal(l->rc < 0, l->why[0] != '\0');
}
#define RUN(l, ...) run(l, (const char *const[]){ __VA_ARGS__, NULL })

static void end(struct line *l)
{
	options_finish(&l->o);
	for (int i = 0; i < l->argc; i++)
		free(l->argv[i]);
}

static void test_defaults(void **state)
{
	struct line l;
	(void)state;
	mode_t mask = umask(027);
	RUN(&l, "ftpfs", "ftp://h/pub", "/mnt");
	umask(mask);
	assert_int_equal(l.rc, 0);
	assert_int_equal(l.o.action, OPTIONS_MOUNT);
	assert_string_equal(l.o.url.host, "h");
	assert_int_equal(l.o.url.port, 21);
	assert_string_equal(l.o.url.path, "/pub");
	assert_string_equal(l.o.mountpoint, "/mnt");
	assert_null(l.o.user);
	assert_null(l.o.password);
	assert_int_equal(l.o.max_conns, 4);
	assert_int_equal(l.o.connect_timeout_ms, 15000);
	assert_int_equal(l.o.timeout_ms, 30000);
	assert_int_equal(l.o.idle_timeout_ms, 60000);
	assert_int_equal(l.o.attr_ttl_ms, 20000);
	assert_int_equal(l.o.readahead, 16 << 20);
	assert_int_equal(l.o.segments, 0);
	assert_int_equal(l.o.lookahead, SITE_LOOKAHEAD_FULL);
	assert_int_equal(l.o.kernel_readahead_kb, 1024);
	assert_int_equal(l.o.uid, getuid());
	assert_int_equal(l.o.gid, getgid());
	assert_int_equal(l.o.file_mask, 027);
	assert_int_equal(l.o.dir_mask, 027);
	assert_int_equal(l.o.log_level, AFTP_LOG_WARN);
	assert_false(l.o.foreground);
	end(&l);
}

static void test_values(void **state)
{
	struct line l;
	(void)state;
	RUN(&l, "ftpfs", "-o",
		"user=joe,password=secret,account=acc,port=2121,max_conns=1,connect_timeout=1.5,timeout=2m",
		"-oidle_timeout=5,attr_timeout=0,negative_timeout=3,readahead=64K,segments=3,lookahead=metadata,cache_"
		"entries=1000,kernel_readahead="
		"0",
		"-o",
		"uid=7,gid=8,fmask=133,dmask=022,direct_io,kernel_cache,disable_epsv,disable_mlsd,default_permissions",
		"-o", "allow_other,fsname=name,subtype=sub,log_level=info,log_file=/l,credentials=/c,netrc=/n,ro",
		"ftp://h", "/m");
	assert_int_equal(l.rc, 0);
	assert_string_equal(l.o.user, "joe");
	assert_string_equal(l.o.password, "secret");
	assert_string_equal(l.o.account, "acc");
	assert_int_equal(l.o.url.port, 2121);
	assert_int_equal(l.o.max_conns, 1);
	assert_int_equal(l.o.connect_timeout_ms, 1500);
	assert_int_equal(l.o.timeout_ms, 120000);
	assert_int_equal(l.o.idle_timeout_ms, 5000);
	assert_int_equal(l.o.attr_ttl_ms, 0);
	assert_int_equal(l.o.negative_ttl_ms, 3000);
	assert_int_equal(l.o.readahead, 65536);
	assert_int_equal(l.o.segments, 3);
	assert_int_equal(l.o.lookahead, SITE_LOOKAHEAD_METADATA);
	assert_int_equal(l.o.cache_entries, 1000);
	assert_int_equal(l.o.kernel_readahead_kb, 0);
	assert_int_equal(l.o.uid, 7);
	assert_int_equal(l.o.gid, 8);
	assert_int_equal(l.o.file_mask, 0133);
	assert_int_equal(l.o.dir_mask, 022);
	assert_true(l.o.direct_io && l.o.kernel_cache && l.o.no_epsv && l.o.no_mlsd && l.o.default_permissions);
	assert_true(l.o.allow_other && l.o.read_only);
	assert_string_equal(l.o.fsname, "name");
	assert_string_equal(l.o.subtype, "sub");
	assert_int_equal(l.o.log_level, AFTP_LOG_INFO);
	assert_string_equal(l.o.log_file, "/l");
	assert_string_equal(l.o.credentials, "/c");
	assert_string_equal(l.o.netrc, "/n");
	end(&l);
}

static void test_order_and_repetition(void **state)
{
	struct line l;
	(void)state;
	RUN(&l, "ftpfs", "ftp://h", "/m", "-o", "max_conns=2,fsname=a", "-f", "-o", "max_conns=3,fsname=b,,");
	assert_int_equal(l.rc, 0);
	assert_int_equal(l.o.max_conns, 3);
	assert_string_equal(l.o.fsname, "b");
	assert_true(l.o.foreground);
	end(&l);

	RUN(&l, "ftpfs", "-d", "-p", "99", "--", "h:77/x", "-m");
	assert_int_equal(l.rc, 0);
	assert_int_equal(l.o.log_level, AFTP_LOG_WIRE);
	assert_true(l.o.foreground);
	assert_int_equal(l.o.url.port, 99);
	assert_string_equal(l.o.mountpoint, "-m");
	end(&l);
}

/* umask sets both; fmask and dmask override it, wherever they stand. */
static void test_masks(void **state)
{
	struct line l;
	(void)state;
	RUN(&l, "ftpfs", "ftp://h", "/m", "-o", "fmask=0,umask=77");
	assert_int_equal(l.rc, 0);
	assert_int_equal(l.o.file_mask, 0);
	assert_int_equal(l.o.dir_mask, 077);
	end(&l);
}

/* What mount(8) was seen to pass, and what people paste from elsewhere. */
static void test_swallowed_words(void **state)
{
	static const char *const words[] = {
		"rw,nofail,_netdev,noauto,auto,user,users,nouser,x-systemd.automount,x-foo=1,X-mount.mkdir,defaults",
		"rw,dev,suid",
		"rw,noatime,nosuid,nodev,exec",
		"rw,noexec,nosuid,nodev,user_xattr,user,_netdev",
		"nodiratime,relatime,strictatime,sync,async,comment=why",
		"reconnect,ServerAliveInterval=15,workaround=rename",
		"nonempty,big_writes,max_read=131072",
		"utf8,tcp_nodelay,skip_pasv_ip,ftp_method=multicwd",
		"netrc",
		"vfs-cache-mode=full,poll-interval=1m",
	};
	struct line l;
	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		print_message("%s\n", words[i]);
		RUN(&l, "ftpfs", "ftp://h", "/m", "-o", words[i]);
		assert_string_equal(l.why, "");
		assert_int_equal(l.rc, 0);
		assert_null(l.o.user);
		end(&l);
	}
}

static void test_other_spellings(void **state)
{
	struct line l;
	(void)state;
	RUN(&l, "ftpfs", "ftp://h", "/m", "-o",
		"concurrency=7,contimeout=1m,dir-cache-time=5m,username=u,pass=p,read_only=true");
	assert_int_equal(l.rc, 0);
	assert_int_equal(l.o.max_conns, 7);
	assert_int_equal(l.o.connect_timeout_ms, 60000);
	assert_int_equal(l.o.attr_ttl_ms, 300000);
	assert_string_equal(l.o.user, "u");
	assert_string_equal(l.o.password, "p");
	assert_true(l.o.read_only);
	end(&l);
	RUN(&l, "ftpfs", "ftp://h", "/m", "-o", "cache=no,nomulticonn,direct_io,direct_io=no,dcache_max_size=500");
	assert_int_equal(l.rc, 0);
	assert_int_equal(l.o.attr_ttl_ms, 0);
	assert_int_equal(l.o.max_conns, 1);
	assert_false(l.o.direct_io);
	assert_int_equal(l.o.cache_entries, 500);
	end(&l);
	RUN(&l, "ftpfs", "ftp://h", "/m", "-o", "cache=yes,dcache_timeout=7");
	assert_int_equal(l.rc, 0);
	assert_int_equal(l.o.attr_ttl_ms, 7000);
	end(&l);
}

static void test_words_for_the_kernel(void **state)
{
	struct line l;
	(void)state;
	RUN(&l, "ftpfs", "ftp://h", "/m", "-o", "noexec,dev,suid,noatime,context=a:b\\,c");
	assert_int_equal(l.rc, 0);
	assert_string_equal(l.o.fuse, "noexec,noatime,context=a:b\\,c");
	end(&l);
}

static void test_escapes(void **state)
{
	struct line l;
	(void)state;
	RUN(&l, "ftpfs", "ftp://h", "/m", "-o", "password=a\\,b\\\\c\\d=e,user=x");
	assert_int_equal(l.rc, 0);
	assert_string_equal(l.o.password, "a,b\\c\\d=e");
	assert_string_equal(l.o.user, "x");
	end(&l);
}

/* No argument keeps a secret, nor how long it was. */
static void test_wiped(void **state)
{
	static const struct {
		const char *option, *url, *option_after, *url_after;
	} rows[] = {
		{ "ro,password=topsecret,max_conns=3", "ftp://h/", "ro,password=***,max_conns=3", "ftp://h/" },
		{ "pass=topsecret", "ftp://h/", "pass=***", "ftp://h/" },
		{ "password=x", "ftp://h/", "password=*", "ftp://h/" },
		{ "password=", "ftp://h/", "password=", "ftp://h/" },
		{ "user=joe:topsecret,ro", "ftp://h/", "user=joe:***,ro", "ftp://h/" },
		{ "user=joe:a\\,topsecret,max_conns=3", "ftp://h/", "user=joe:***,max_conns=3", "ftp://h/" },
		{ "account=topsecret,max_conns=3", "ftp://h/", "account=***,max_conns=3", "ftp://h/" },
		{ "proxy=socks5://joe:topsecret@p,ro", "ftp://h/", "proxy=***,ro", "ftp://h/" },
		{ "proxy_user=joe:topsecret", "ftp://h/", "proxy_user=***", "ftp://h/" },
		{ "key_password=topsecret", "ftps://h/", "key_password=***", "ftps://h/" },
		{ "max_conns=3", "ftps://joe:topsecret@h/p", "max_conns=3", "ftps://joe:***@h/p" },
		{ "max_conns=3", "ftp://joe:topsecret@h/p", "max_conns=3", "ftp://joe:***@h/p" },
		{ "max_conns=3", "ftp://joe:top%40secret@h", "max_conns=3", "ftp://joe:***@h" },
		{ "max_conns=3", "ftp://joe:@h", "max_conns=3", "ftp://joe:@h" },
		{ "max_conns=3", "joe:topsecret@h:2121/p", "max_conns=3", "joe:***@h:2121/p" },
		{ "max_conns=3", "ftp://h/a:topsecret@b", "max_conns=3", "ftp://h/a:topsecret@b" },
	};
	struct line l;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t option_len = strlen(rows[i].option), url_len = strlen(rows[i].url);
		print_message("%s %s\n", rows[i].option, rows[i].url);
		RUN(&l, "ftpfs", "-o", rows[i].option, rows[i].url, "/m");
		assert_string_equal(l.argv[2], rows[i].option_after);
		assert_string_equal(l.argv[3], rows[i].url_after);
		/* Nothing behind the end either. */
		for (size_t j = strlen(l.argv[2]); j < option_len; j++)
			assert_int_equal(l.argv[2][j], '\0');
		for (size_t j = strlen(l.argv[3]); j < url_len; j++)
			assert_int_equal(l.argv[3][j], '\0');
		end(&l);
	}
}

static void test_logins(void **state)
{
	struct line l;
	(void)state;
	RUN(&l, "ftpfs", "-o", "user=joe:se:cret", "ftp://ann:other@h", "/m");
	assert_int_equal(l.rc, 0);
	assert_string_equal(l.o.user, "joe");
	assert_string_equal(l.o.password, "se:cret");
	assert_string_equal(l.o.url.user, "ann");
	assert_string_equal(l.o.url.password, "other");
	end(&l);
}

/* Each with a part of what must be said. */
static void test_errors(void **state)
{
	static const struct {
		const char *option, *says;
	} rows[] = {
		{ "foo", "unknown option 'foo'" },
		{ "foo=bar", "unknown option 'foo'" },
		{ "=x", "unknown option ''" },
		{ "max_conn=3", "unknown option 'max_conn'" },
		{ "max_connss=3", "unknown option 'max_connss'" },
		{ "max_conns=0", "max_conns=0: must be a whole number from 1 to 64" },
		{ "max_conns=65", "from 1 to 64" },
		{ "max_conns=", "from 1 to 64" },
		{ "max_conns", "option 'max_conns' needs a value: max_conns=N" },
		{ "timeout=soon", "timeout=soon: must be a time from 0.1 to 3600 seconds" },
		{ "readahead=1K", "readahead=1K: must be a size from 64K to 1G" },
		{ "umask=888", "must be octal" },
		{ "uid=nosuchuser", "must be a number or the name of a user" },
		{ "gid=nosuchgroup", "must be a number or the name of a group" },
		{ "port=0", "from 1 to 65535" },
		{ "port=65536", "from 1 to 65535" },
		{ "direct_io=perhaps", "takes no value but yes and no" },
		{ "cache=perhaps", "takes no value but yes and no" },
		{ "log_level=loud", "must be error, warn, info, debug or wire" },
		{ "fsname=", "has an empty value" },
		{ "user=", "empty name" },
		{ "user=:x", "empty name" },
		{ "ssl=perhaps", "takes no value but yes and no" },
		{ "lookahead=some", "must be full, metadata or off" },
		{ "lookahead", "option 'lookahead' needs a value" },
		{ "segments=65", "must be a whole number" },
		{ "tls=perhaps", "must be require, control, try or off" },
		{ "tls_min=3", "tls_min=3: must be 1.0, 1.1, 1.2 or 1.3" },
		{ "cacert", "option 'cacert' needs a value: cacert=FILE" },
		{ "proxy=", "has an empty value" },
		{ "socks4", "SOCKS 5" },
		{ "active_ports=9-8", "must be two numbers from 1 to 65535" },
		{ "active_ports=0", "must be two numbers from 1 to 65535" },
		{ "read_limit=fast", "read_limit=fast: must be a size from 0 to" },
		{ "codepage=x", "no such character set" },
		{ "iocharset=latin1", "UTF-8" },
		{ "delay_connect", "not possible" },
		{ "ro,foo,rw", "unknown option 'foo'" },
		{ "ro,x", "unknown option 'x'" },
	};
	struct line l;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].option);
		RUN(&l, "ftpfs", "-o", rows[i].option, "ftp://h", "/m");
		assert_int_equal(l.rc, AFTP_EINVAL);
		assert_non_null(strstr(l.why, rows[i].says));
		assert_null(strchr(l.why, '\n'));
		end(&l);
	}
}

static void test_usage_errors(void **state)
{
	struct line l;
	(void)state;
	RUN(&l, "ftpfs");
	assert_non_null(strstr(l.why, "usage:"));
	end(&l);
	RUN(&l, "ftpfs", "ftp://h");
	assert_non_null(strstr(l.why, "usage:"));
	end(&l);
	RUN(&l, "ftpfs", "ftp://h", "/m", "third");
	assert_non_null(strstr(l.why, "'third'"));
	end(&l);
	RUN(&l, "ftpfs", "-q", "ftp://h", "/m");
	assert_non_null(strstr(l.why, "-q"));
	end(&l);
	RUN(&l, "ftpfs", "--frob", "ftp://h", "/m");
	assert_non_null(strstr(l.why, "--frob"));
	end(&l);
	RUN(&l, "ftpfs", "ftp://h", "/m", "-o");
	assert_non_null(strstr(l.why, "-o needs a value"));
	end(&l);
	RUN(&l, "ftpfs", "-p", "x", "ftp://h", "/m");
	assert_non_null(strstr(l.why, "-p x"));
	end(&l);
}

static void test_url_errors(void **state)
{
	static const struct {
		const char *url, *says;
	} rows[] = {
		{ "http://h/", "http://h/" },
		{ "ftp:///x", "ftp:///x" },
		{ "", "" },
		{ "ftp://joe:topsecret@h:0/", "joe:***@" },
		{ "ftpes://joe:topsecret@h:x/", "joe:***@" },
		{ "ftp://h/%0a", "ftp://h/" },
	};
	struct line l;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].url);
		RUN(&l, "ftpfs", rows[i].url, "/m");
		assert_true(l.rc < 0);
		assert_non_null(strstr(l.why, rows[i].says));
		assert_null(strstr(l.why, "topsecret"));
		end(&l);
	}
}

static void test_help_and_version(void **state)
{
	struct line l;
	(void)state;
	RUN(&l, "ftpfs", "-h");
	assert_int_equal(l.rc, 0);
	assert_int_equal(l.o.action, OPTIONS_HELP);
	end(&l);
	RUN(&l, "ftpfs", "--help", "x");
	assert_int_equal(l.o.action, OPTIONS_HELP);
	end(&l);
	RUN(&l, "ftpfs", "--version");
	assert_int_equal(l.o.action, OPTIONS_VERSION);
	end(&l);
	RUN(&l, "ftpfs", "-V");
	assert_int_equal(l.o.action, OPTIONS_VERSION);
	end(&l);
}

/* The flags that mount(8) gives to its helpers, as it was seen to. */
static void test_mount_helper(void **state)
{
	struct line l;
	(void)state;
	RUN(&l, "/sbin/mount.ftpfs", "ftp://h", "/m", "-s", "-v", "-n", "-o", "rw,noexec,user,_netdev", "-t", "ftpfs");
	assert_int_equal(l.rc, 0);
	assert_int_equal(l.o.action, OPTIONS_MOUNT);
	assert_false(l.o.foreground);
	end(&l);
	RUN(&l, "mount.fuse.ftpfs", "ftp://h", "/m", "-f", "-o", "rw");
	assert_int_equal(l.rc, 0);
	assert_int_equal(l.o.action, OPTIONS_FAKE);
	end(&l);
}

/* What the table is for: every option that help shows is understood, and fits its column. */
static void test_help_is_true(void **state)
{
	char *text = NULL, *save = NULL;
	size_t size = 0;
	unsigned n = 0;
	(void)state;
	FILE *f = open_memstream(&text, &size);
	assert_non_null(f);
	options_print_help(f);
	fclose(f);
	for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		char name[64], option[80];
		struct line l;
		assert_true(strlen(line) <= 100);
		if (sscanf(line, "  -o %63s", name) != 1)
			continue;
		n++;
		name[strcspn(name, "=")] = '\0';
		/* An empty value is wrong for some; that the name is unknown is never the reason. */
		snprintf(option, sizeof(option), "%s=", name);
		RUN(&l, "ftpfs", "-o", option, "ftp://h", "/m");
		assert_null(strstr(l.why, "unknown"));
		end(&l);
	}
	assert_true(n > 30);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_order_and_repetition),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_swallowed_words),
		cmocka_unit_test(test_other_spellings),
		cmocka_unit_test(test_words_for_the_kernel),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_wiped),
		cmocka_unit_test(test_logins),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_usage_errors),
		cmocka_unit_test(test_url_errors),
		cmocka_unit_test(test_help_and_version),
		cmocka_unit_test(test_mount_helper),
		cmocka_unit_test(test_help_is_true),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
