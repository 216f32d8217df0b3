#include "mount/login.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <aftp/status.h>

#include "mount/netrc.h"

#define MAX_FILE     (256 * 1024)
#define MAX_PASSWORD 4096

static void wipe_free(char *text, size_t len)
{
	if (text != NULL)
		explicit_bzero(text, len);
	free(text);
}

/* Reads up to `cap` bytes into fresh memory, NUL-ended. 0 or -errno; -EFBIG when there is more. */
static int read_all(int fd, size_t cap, char **out, size_t *len)
{
	char *text = malloc(cap + 1);
	size_t n = 0;
	if (text == NULL)
		return -ENOMEM;
	for (;;) {
		ssize_t got = read(fd, text + n, cap + 1 - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || n + (size_t)got > cap) {
			int err = got < 0 ? errno : EFBIG;
			wipe_free(text, cap + 1);
			return -err;
		}
		if (got == 0)
			break;
		n += (size_t)got;
	}
	text[n] = '\0';
	*out = text;
	*len = n;
	return 0;
}

/* Reads a file that holds secrets. *open_to_others: group or others can read it. */
static int read_secret_file(const char *path, char **out, size_t *len, bool *open_to_others)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	int rc = fstat(fd, &st) < 0 ? -errno : S_ISDIR(st.st_mode) ? -EISDIR : 0;
	if (rc == 0)
		rc = read_all(fd, MAX_FILE, out, len);
	*open_to_others = rc == 0 && (st.st_mode & 077) != 0;
	close(fd);
	return rc;
}

static int keep(char **to, const char *value, size_t len)
{
	if (*to != NULL)
		return 0;
	*to = strndup(value, len);
	return *to != NULL ? 0 : AFTP_ENOMEM;
}

static int parse_credential(const char *line, size_t len, struct options *o)
{
	const struct {
		const char *key;
		char **to;
	} keys[] = {
		{ "username=", &o->user },
		{ "user=", &o->user },
		{ "password=", &o->password },
		{ "pass=", &o->password },
		{ "account=", &o->account },
		{ "proxy_user=", &o->proxy_user },
		{ "key_password=", &o->key_password },
	};
	while (len > 0 && (line[0] == ' ' || line[0] == '\t')) {
		line++;
		len--;
	}
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len == 0 || line[0] == '#')
		return 0;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		size_t n = strlen(keys[i].key);
		if (len >= n && strncmp(line, keys[i].key, n) == 0)
			return keep(keys[i].to, line + n, len - n);
	}
	return AFTP_EPROTO;
}

/* Lines username=, password=, account=, proxy_user=, key_password=; empty ones and those beginning with '#' are skipped.
 * Values that are not NULL already stay. AFTP_EPROTO when a line is none of these. */
static int parse_credentials(struct options *o, const char *text, size_t len)
{
	const char *end = text + len;
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		const char *stop = nl != NULL ? nl : end;
		int rc = parse_credential(text, (size_t)(stop - text), o);
		if (rc < 0)
			return rc;
		text = nl != NULL ? nl + 1 : end;
	}
	return 0;
}

static int from_credentials(struct options *o, char *why, size_t size)
{
	char *text = NULL;
	size_t len = 0;
	bool open_to_others = false;
	int rc = read_secret_file(o->credentials, &text, &len, &open_to_others);
	if (rc < 0) {
		snprintf(why, size, "%s: %s", o->credentials, strerror(-rc));
		return rc;
	}
	if (open_to_others) {
		snprintf(why, size, "%s: others can read it; say chmod 600", o->credentials);
		rc = AFTP_EACCES;
	} else {
		rc = parse_credentials(o, text, len);
		if (rc == AFTP_EPROTO)
			snprintf(why, size,
				"%s: lines must be username=, password=, account=, proxy_user=, key_password= or begin "
				"with #",
				o->credentials);
	}
	wipe_free(text, len);
	return rc;
}

/* What the URL says counts only where nothing is known yet; its password goes with its user. */
static int from_url(struct options *o)
{
	if (o->url.user == NULL)
		return 0;
	bool same = o->user == NULL || strcmp(o->user, o->url.user) == 0;
	int rc = keep(&o->user, o->url.user, strlen(o->url.user));
	if (rc == 0 && same && o->url.password != NULL)
		rc = keep(&o->password, o->url.password, strlen(o->url.password));
	return rc;
}

static char *netrc_path(const struct options *o)
{
	char *path = NULL;
	const char *home = getenv("HOME");
	if (o->netrc != NULL)
		return strdup(o->netrc);
	if (home == NULL || home[0] == '\0') { /* so under mount(8) */
		const struct passwd *p = getpwuid(getuid());
		home = p != NULL ? p->pw_dir : NULL;
	}
	if (home == NULL || asprintf(&path, "%s/.netrc", home) < 0)
		return NULL;
	return path;
}

static int take_netrc(struct options *o, const char *path, const char *text, size_t len, char *why, size_t size)
{
	struct netrc_login l;
	int rc = netrc_find(&l, text, len, o->url.host, o->user);
	if (rc == AFTP_EPROTO)
		snprintf(why, size, "%s: a quote is not closed", path);
	if (rc <= 0)
		return rc;
	rc = 0;
	if (l.login != NULL)
		rc = keep(&o->user, l.login, strlen(l.login));
	if (rc == 0 && o->user != NULL && l.password != NULL)
		rc = keep(&o->password, l.password, strlen(l.password));
	if (rc == 0 && o->user != NULL && l.account != NULL)
		rc = keep(&o->account, l.account, strlen(l.account));
	netrc_login_finish(&l);
	return rc;
}

static int from_netrc(struct options *o, char *why, size_t why_size, char *warning, size_t warning_size)
{
	char *path = netrc_path(o), *text = NULL;
	size_t len = 0;
	bool open_to_others = false;
	if (path == NULL)
		return 0;
	int rc = read_secret_file(path, &text, &len, &open_to_others);
	if (rc < 0 && o->netrc != NULL)
		snprintf(why, why_size, "%s: %s", path, strerror(-rc));
	else if (rc < 0)
		rc = 0; /* a ~/.netrc that is not there is the normal case */
	else if (open_to_others)
		snprintf(warning, warning_size, "%s is not used: others can read it; say chmod 600", path);
	else
		rc = take_netrc(o, path, text, len, why, why_size);
	wipe_free(text, len);
	free(path);
	return rc;
}

/* One line of fd, without its end. 0, or AFTP_EOF when there is none, AFTP_ETOOBIG, AFTP_ENOMEM, -errno. */
static int read_line(int fd, char **out)
{
	char line[MAX_PASSWORD];
	size_t n = 0;
	int rc = 0;
	for (;;) {
		ssize_t got = read(fd, line + n, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || (got == 0 && n == 0))
			rc = got < 0 ? -errno : AFTP_EOF;
		if (got <= 0 || line[n] == '\n')
			break;
		if (++n == sizeof(line)) {
			rc = AFTP_ETOOBIG;
			break;
		}
	}
	if (rc == 0 && n > 0 && line[n - 1] == '\r')
		n--;
	if (rc == 0) {
		*out = strndup(line, n);
		rc = *out != NULL ? 0 : AFTP_ENOMEM;
	}
	explicit_bzero(line, sizeof(line));
	return rc;
}

/* Signals wait until the echo is back on. */
static int ask(struct options *o)
{
	struct termios old, quiet;
	sigset_t stop, before;
	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &old) < 0)
		return 0;
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGTSTP);
	sigprocmask(SIG_BLOCK, &stop, &before);
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ECHONL;
	fprintf(stderr, "Password for %s at %s: ", o->user, o->url.host);
	fflush(stderr);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	int rc = read_line(STDIN_FILENO, &o->password);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return rc == AFTP_EOF ? 0 : rc;
}

static int from_stdin(struct options *o, char *why, size_t size)
{
	char *password = NULL;
	int rc = read_line(STDIN_FILENO, &password);
	if (rc < 0) {
		snprintf(why, size, "no password came on standard input: %s", aftp_strerror(rc));
		return rc;
	}
	options_free_secret(o->password);
	o->password = password;
	return 0;
}

int login_find(struct options *o, char *why, size_t why_size, char *warning, size_t warning_size)
{
	int rc = 0;
	why[0] = '\0';
	warning[0] = '\0';
	if (o->password_stdin)
		rc = from_stdin(o, why, why_size);
	if (rc == 0 && o->credentials != NULL)
		rc = from_credentials(o, why, why_size);
	if (rc == 0)
		rc = from_url(o);
	if (rc == 0 && o->password == NULL && !o->no_netrc)
		rc = from_netrc(o, why, why_size, warning, warning_size);
	if (rc == 0 && o->user != NULL && o->password == NULL && strcmp(o->user, "anonymous") != 0 &&
		strcmp(o->user, "ftp") != 0)
		rc = ask(o);
	if (rc == 0 && o->user == NULL && o->password != NULL) {
		snprintf(why, why_size, "a password without a user was given; say -o user=NAME");
		rc = AFTP_EINVAL;
	}
	if (rc < 0 && why[0] == '\0')
		snprintf(why, why_size, "%s", aftp_strerror(rc));
	return rc;
}
