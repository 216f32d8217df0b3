#include "mount/options.h"

#include <getopt.h>
#include <iconv.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <aftp/status.h>

#include "mount/option_table.h"
#include "mount/value.h"

/* One word of -o while it is looked at. `raw` is in argv, `value` is an unescaped copy. */
struct word {
	struct options *o;
	const struct option_row *row;
	char *raw;
	size_t raw_len; /* of raw up to the next comma */
	size_t key_len;
	char *value; /* NULL when there is no '=' */
	char *why;
	size_t why_size;
};

__attribute__((format(printf, 2, 3))) static int complain(struct word *w, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(w->why, w->why_size, fmt, ap);
	va_end(ap);
	return AFTP_EINVAL;
}

void options_free_secret(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

/* Overwrites text[0..len) of a string that belongs to argv with "***" and closes the gap, so that not even the length
 * of a password is left to see. */
static void wipe(char *text, size_t len)
{
	size_t rest = strlen(text + len), stars = len < 3 ? len : 3;
	memset(text, '*', stars);
	memmove(text + stars, text + len, rest);
	explicit_bzero(text + stars + rest, len - stars);
}

static void *field(struct word *w)
{
	return (char *)w->o + w->row->offset;
}

static void set_text(struct word *w)
{
	char **to = field(w);
	options_free_secret(*to);
	*to = w->value;
	w->value = NULL;
}

static void wipe_value(struct word *w, size_t skip)
{
	size_t start = w->key_len + 1 + skip;
	if (w->raw_len > start)
		wipe(w->raw + start, w->raw_len - start);
}

static int set_user(struct word *w)
{
	char *colon = w->value != NULL ? strchr(w->value, ':') : NULL;
	if (w->value == NULL)
		return 0; /* fstab's `user` */
	if (colon != NULL) {
		char *password = strdup(colon + 1);
		if (password == NULL)
			return AFTP_ENOMEM;
		options_free_secret(w->o->password);
		w->o->password = password;
		explicit_bzero(colon, strlen(colon));
		const char *raw_colon = memchr(w->raw + w->key_len, ':', w->raw_len - w->key_len);
		wipe_value(w, (size_t)(raw_colon - w->raw) - w->key_len);
	}
	if (w->value[0] == '\0')
		return complain(w, "option 'user' has an empty name");
	set_text(w);
	return 0;
}

static int take_switch(struct word *w, bool *on)
{
	if (w->value == NULL || value_switch(w->value, on))
		return 0;
	return complain(w, "option '%s' takes no value but yes and no", w->row->name);
}

static int set_flag(struct word *w)
{
	bool on = true;
	int rc = take_switch(w, &on);
	if (rc < 0)
		return rc;
	*(bool *)field(w) = on == (w->row->type == OPTION_FLAG);
	return 0;
}

static int set_unless(struct word *w)
{
	bool on = true;
	int rc = take_switch(w, &on);
	if (rc < 0)
		return rc;
	if (!on)
		*(int64_t *)field(w) = w->row->min;
	return 0;
}

static int set_number(struct word *w)
{
	static const char *const lookaheads[] = { "full", "metadata", "off" }; /* enum site_lookahead */
	const struct option_row *r = w->row;
	char range[80];
	int64_t *to = field(w);
	switch (r->type) {
	case OPTION_COUNT:
		return value_count(w->value, r->min, r->max, to)
			? 0
			: complain(w, "%s=%s: must be a whole number %s", r->name, w->value,
				  value_count_range(range, sizeof(range), r->min, r->max));
	case OPTION_DURATION:
		return value_duration(w->value, r->min, r->max, to)
			? 0
			: complain(w, "%s=%s: must be a time %s (or with ms, s, m, h behind it)", r->name, w->value,
				  value_duration_range(range, sizeof(range), r->min, r->max));
	case OPTION_BYTES:
		return value_bytes(w->value, r->min, r->max, to)
			? 0
			: complain(w, "%s=%s: must be a size %s", r->name, w->value,
				  value_bytes_range(range, sizeof(range), r->min, r->max));
	case OPTION_OCTAL:
		return value_octal(w->value, to)
			? 0
			: complain(w, "%s=%s: must be octal, from 0 to 777", r->name, w->value);
	case OPTION_UID:
		return value_uid(w->value, to)
			? 0
			: complain(w, "%s=%s: must be a number or the name of a user", r->name, w->value);
	case OPTION_VERSION:
		return value_tls_version(w->value, to)
			? 0
			: complain(w, "%s=%s: must be 1.0, 1.1, 1.2 or 1.3", r->name, w->value);
	case OPTION_PORTS:
		return value_ports(w->value, to)
			? 0
			: complain(w, "%s=%s: must be two numbers from 1 to 65535, as 4000-4009", r->name, w->value);
	case OPTION_AHEAD:
		return value_word(w->value, lookaheads, sizeof(lookaheads) / sizeof(lookaheads[0]), to)
			? 0
			: complain(w, "%s=%s: must be full, metadata or off", r->name, w->value);
	default:
		return value_gid(w->value, to)
			? 0
			: complain(w, "%s=%s: must be a number or the name of a group", r->name, w->value);
	}
}

static int set_tls(struct word *w)
{
	static const char *const words[] = {
		[OPTIONS_TLS_OFF] = "off",
		[OPTIONS_TLS_TRY] = "try",
		[OPTIONS_TLS_CONTROL] = "control",
		[OPTIONS_TLS_REQUIRE] = "require",
	};
	bool on = true;
	if (w->value == NULL || value_switch(w->value, &on)) {
		*(int64_t *)field(w) = on ? OPTIONS_TLS_REQUIRE : OPTIONS_TLS_OFF;
		return 0;
	}
	return value_word(w->value, words, sizeof(words) / sizeof(words[0]), field(w))
		? 0
		: complain(w, "%s=%s: must be require, control, try or off", w->row->name, w->value);
}

static int set_proxy(struct word *w)
{
	wipe_value(w, 0);
	if (w->value[0] == '\0')
		return complain(w, "option '%s' has an empty value", w->row->name);
	set_text(w);
	if (w->row->min != 0)
		w->o->proxy_kind = w->row->min;
	return 0;
}

static int set_fixed(struct word *w)
{
	bool on = true;
	int rc = take_switch(w, &on);
	if (rc < 0)
		return rc;
	if (on)
		*(int64_t *)field(w) = w->row->min;
	return 0;
}

static int set_level(struct word *w)
{
	if (!value_log_level(w->value, field(w)))
		return complain(w, "%s=%s: must be error, warn, info, debug or wire", w->row->name, w->value);
	return 0;
}

static int add_fuse(struct word *w)
{
	char *all = NULL;
	const char *old = w->o->fuse;
	int n = asprintf(&all, "%s%s%.*s", old != NULL ? old : "", old != NULL ? "," : "", (int)w->raw_len, w->raw);
	if (n < 0)
		return AFTP_ENOMEM;
	free(w->o->fuse);
	w->o->fuse = all;
	return 0;
}

static int set_word(struct word *w)
{
	const struct option_row *r = w->row;
	bool optional = r->type == OPTION_TEXT && r->min == 1;
	if (w->value == NULL && r->value != NULL && r->type != OPTION_USER && r->type != OPTION_TLS && !optional)
		return complain(w, "option '%s' needs a value: %s=%s", r->name, r->name, r->value);
	switch (r->type) {
	case OPTION_FLAG:
	case OPTION_NOT: return set_flag(w);
	case OPTION_UNLESS: return set_unless(w);
	case OPTION_USER: return set_user(w);
	case OPTION_SECRET:
		wipe_value(w, 0);
		set_text(w);
		return 0;
	case OPTION_TEXT:
		if (w->value != NULL && w->value[0] == '\0')
			return complain(w, "option '%s' has an empty value", r->name);
		if (w->value != NULL)
			set_text(w);
		return 0;
	case OPTION_LEVEL: return set_level(w);
	case OPTION_SET: return set_fixed(w);
	case OPTION_TLS: return set_tls(w);
	case OPTION_PROXY: return set_proxy(w);
	case OPTION_FUSE: return add_fuse(w);
	case OPTION_REFUSE: return complain(w, "option '%s' is not possible: %s", r->name, r->help);
	case OPTION_WARN: w->o->ignored = r->help; return 0;
	case OPTION_IGNORE: return 0;
	default: return set_number(w);
	}
}

/* The length of the word up to a comma; "\," is a comma in the word. */
static size_t word_len(const char *text)
{
	size_t n = 0;
	while (text[n] != '\0' && text[n] != ',')
		n += text[n] == '\\' && text[n + 1] != '\0' ? 2 : 1;
	return n;
}

static char *unescape(const char *text, size_t len)
{
	char *out = malloc(len + 1);
	size_t n = 0;
	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\' && i + 1 < len && (text[i + 1] == ',' || text[i + 1] == '\\'))
			i++;
		out[n++] = text[i];
	}
	out[n] = '\0';
	return out;
}

static int parse_word(struct options *o, char *text, char *why, size_t size)
{
	struct word w = { .o = o, .raw = text, .raw_len = word_len(text), .why = why, .why_size = size };
	const char *eq = memchr(text, '=', w.raw_len);
	w.key_len = eq != NULL ? (size_t)(eq - text) : w.raw_len;
	if (w.raw_len == 0)
		return 0;
	w.row = option_table_find(text, w.key_len);
	if (w.row == NULL)
		return complain(&w, "unknown option '%.*s' (ftpfs --help lists all)", (int)w.key_len, text);
	if (eq != NULL) {
		w.value = unescape(eq + 1, w.raw_len - w.key_len - 1);
		if (w.value == NULL)
			return AFTP_ENOMEM;
	}
	int rc = set_word(&w);
	options_free_secret(w.value);
	return rc;
}

static int parse_words(struct options *o, char *text, char *why, size_t size)
{
	for (;;) {
		int rc = parse_word(o, text, why, size);
		if (rc < 0)
			return rc;
		text += word_len(text); /* measured again: a wiped password is shorter */
		if (*text == '\0')
			return 0;
		text++;
	}
}

static int parse_url(struct options *o, char *text, char *why, size_t size)
{
	const char *reason = NULL;
	int rc = aftp_url_parse(&o->url, text, &reason);
	if (rc == AFTP_ENOMEM)
		return rc;
	/* user:password@ stands between "//" and the last '@' before the path. */
	char *start = strstr(text, "://");
	start = start != NULL ? start + 3 : text;
	size_t host_len = strcspn(start, "/");
	char *at = memrchr(start, '@', host_len);
	char *colon = at != NULL ? memchr(start, ':', (size_t)(at - start)) : NULL;
	if (colon != NULL)
		wipe(colon + 1, (size_t)(at - colon - 1));
	if (rc < 0)
		snprintf(why, size, "%s: %s", text, reason != NULL ? reason : "not a URL");
	return rc;
}

/* mount(8) calls its helpers mount.TYPE with flags of its own. */
static bool is_mount_helper(const char *argv0)
{
	const char *slash = argv0 != NULL ? strrchr(argv0, '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : argv0;
	return name != NULL && strncmp(name, "mount.", 6) == 0;
}

static int parse_flag(struct options *o, int flag, bool helper, char *why, size_t size)
{
	switch (flag) {
	case 'o': return parse_words(o, optarg, why, size);
	case 'p':
		if (value_count(optarg, 1, 65535, &o->port))
			return 0;
		snprintf(why, size, "-p %s: must be a whole number from 1 to 65535", optarg);
		return AFTP_EINVAL;
	case 'f':
		if (helper)
			o->action = OPTIONS_FAKE;
		o->foreground = true;
		return 0;
	case 'd':
		o->foreground = true;
		o->log_level = AFTP_LOG_WIRE;
		return 0;
	case 'r': o->read_only = true; return 0;
	case 'h': o->action = OPTIONS_HELP; return 0;
	case 'V': o->action = OPTIONS_VERSION; return 0;
	case 'w': o->read_only = false; return 0;
	case 's':
	case 'v':
	case 'n':
	case 't':
	case 'N': return 0;
	case ':': snprintf(why, size, "-%c needs a value", optopt); return AFTP_EINVAL;
	default:
		if (optopt != 0)
			snprintf(why, size, "unknown option -%c (ftpfs --help lists all)", optopt);
		else
			snprintf(why, size, "unknown option (ftpfs --help lists all)");
		return AFTP_EINVAL;
	}
}

static int parse_flags(struct options *o, int argc, char **argv, char *why, size_t size)
{
	static const struct option words[] = { { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' }, { NULL, 0, NULL, 0 } };
	bool helper = is_mount_helper(argv[0]);
	optind = 0; /* a fresh scan, also in a program that parses twice */
	opterr = 0;
	for (;;) {
		int flag = getopt_long(argc, argv, ":o:p:t:N:fdshVvwrn", words, NULL);
		if (flag == -1)
			return 0;
		if (flag == '?' && optopt == 0) {
			snprintf(why, size, "unknown option '%s' (ftpfs --help lists all)", argv[optind - 1]);
			return AFTP_EINVAL;
		}
		int rc = parse_flag(o, flag, helper, why, size);
		if (rc < 0)
			return rc;
	}
}

static void set_defaults(struct options *o)
{
	*o = (struct options){
		.port = OPTIONS_UNSET,
		.tls = OPTIONS_UNSET,
		.max_conns = 4,
		.connect_timeout_ms = 15000,
		.timeout_ms = 30000,
		.idle_timeout_ms = 60000,
		.attr_ttl_ms = 20000,
		.negative_ttl_ms = INT64_MAX,
		.readahead = 16 * 1024 * 1024,
		.cache_entries = 200000,
		.spool_memory = 4 * 1024 * 1024,
		.kernel_readahead_kb = 1024,
		.uid = OPTIONS_UNSET,
		.gid = OPTIONS_UNSET,
		.umask = OPTIONS_UNSET,
		.file_mask = OPTIONS_UNSET,
		.dir_mask = OPTIONS_UNSET,
		.log_level = AFTP_LOG_WARN,
	};
}

static void fill_owner(struct options *o)
{
	if (o->uid == OPTIONS_UNSET)
		o->uid = getuid();
	if (o->gid == OPTIONS_UNSET)
		o->gid = getgid();
	if (o->umask == OPTIONS_UNSET) {
		mode_t mask = umask(0);
		umask(mask);
		o->umask = mask & 0777;
	}
	if (o->file_mask == OPTIONS_UNSET)
		o->file_mask = o->umask;
	if (o->dir_mask == OPTIONS_UNSET)
		o->dir_mask = o->umask;
}

static int check_charsets(const struct options *o, char *why, size_t size)
{
	iconv_t ic = o->codepage != NULL ? iconv_open("UTF-8", o->codepage) : NULL;
	if (ic == (iconv_t)-1) {
		snprintf(why, size, "codepage=%s: no such character set (iconv -l lists all)", o->codepage);
		return AFTP_EINVAL;
	}
	if (ic != NULL)
		iconv_close(ic);
	if (o->iocharset != NULL && strcasecmp(o->iocharset, "utf8") != 0 && strcasecmp(o->iocharset, "utf-8") != 0) {
		snprintf(why, size, "iocharset=%s: names are UTF-8 here, or bytes without codepage=", o->iocharset);
		return AFTP_EINVAL;
	}
	return 0;
}

static int parse(struct options *o, int argc, char **argv, char *why, size_t size)
{
	int rc = parse_flags(o, argc, argv, why, size);
	if (rc < 0 || o->action == OPTIONS_HELP || o->action == OPTIONS_VERSION)
		return rc;
	if (argc - optind != 2) {
		snprintf(why, size,
			argc - optind < 2 ? "usage: ftpfs [-f] [-d] [-o option,...] URL MOUNTPOINT"
					  : "more than a URL and a mountpoint was given ('%s')",
			argv[argc - 1]);
		return AFTP_EINVAL;
	}
	rc = parse_url(o, argv[optind], why, size);
	if (rc < 0)
		return rc;
	if (o->port != OPTIONS_UNSET)
		o->url.port = (uint16_t)o->port;
	o->mountpoint = strdup(argv[optind + 1]);
	if (o->mountpoint == NULL)
		return AFTP_ENOMEM;
	fill_owner(o);
	return check_charsets(o, why, size);
}

int options_parse(struct options *o, int argc, char **argv, char *why, size_t size)
{
	why[0] = '\0';
	set_defaults(o);
	int rc = parse(o, argc, argv, why, size);
	if (rc == AFTP_ENOMEM)
		snprintf(why, size, "out of memory");
	return rc;
}

void options_finish(struct options *o)
{
	aftp_url_clear(&o->url);
	options_free_secret(o->password);
	options_free_secret(o->account);
	options_free_secret(o->key_password);
	options_free_secret(o->proxy);
	options_free_secret(o->proxy_user);
	free(o->cacert);
	free(o->capath);
	free(o->tls_pin);
	free(o->cert);
	free(o->key);
	free(o->ciphers);
	free(o->ciphersuites);
	free(o->active_address);
	free(o->user);
	free(o->mountpoint);
	free(o->credentials);
	free(o->netrc);
	free(o->fsname);
	free(o->subtype);
	free(o->fuse);
	free(o->log_file);
	free(o->spool_dir);
	free(o->codepage);
	free(o->iocharset);
	*o = (struct options){ 0 };
}

void options_print_help(FILE *to)
{
	fputs("usage: ftpfs [-f] [-d] [-o option,...] URL MOUNTPOINT\n"
	      "Mounts the FTP site ftp://[user[:password]@]host[:port][/path] on the directory MOUNTPOINT.\n"
	      "With ftpes:// or ftps:// everything is encrypted (explicit or implicit TLS).\n"
	      "Unmount with: fusermount3 -u MOUNTPOINT (or, as root, umount MOUNTPOINT)\n\n"
	      "  -f                         stay in the foreground\n"
	      "  -d                         stay in the foreground and print the talk with the server\n"
	      "  -p N                       as -o port=N\n"
	      "  -r                         as -o ro\n"
	      "  -h, --help                 print this\n"
	      "  -V, --version              print the version\n",
		to);
	option_table_print(to);
	fputs("\nTimes are seconds, with fractions or with ms, s, m or h behind them; sizes take K, M and G.\n"
	      "A comma in a value is written \\, in a list of options.\n",
		to);
}
