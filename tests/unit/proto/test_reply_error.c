/* The texts are those that the named servers send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <aftp/reply.h>
#include <aftp/status.h>

struct text {
	const char *text; /* lines separated by '\n' */
	int status;
};

static void check(const struct text *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *s = table[i].text;
		struct aftp_reply r;
		int status;

		aftp_reply_init(&r, 8192);
		for (;;) {
			size_t len = strcspn(s, "\n");

			assert_true(aftp_reply_add_line(&r, s, len) >= 0);
			if (!s[len])
				break;
			s += len + 1;
		}
		status = aftp_reply_error(&r);
		if (status != table[i].status)
			fail_msg(
				"%s: %s, not %s", table[i].text, aftp_err_name(status), aftp_err_name(table[i].status));
		aftp_reply_finish(&r);
	}
}
#define CHECK(table) check(table, sizeof table / sizeof *table)

static void test_success_is_no_error(void **state)
{
	static const struct text table[] = {
		{ "150 No such file or directory", 0 },
		{ "226 ok", 0 },
		{ "331 Permission denied", 0 },
		{ "350 ready", 0 },
	};

	(void)state;
	CHECK(table);
}

static void test_vsftpd(void **state)
{
	static const struct text table[] = {
		{ "550 Failed to open file.", AFTP_EREPLY }, /* missing or denied: it does not say */
		{ "550 Failed to change directory.", AFTP_EREPLY },
		{ "550 Could not get file size.", AFTP_EREPLY },
		{ "550 Could not get file modification time.", AFTP_EREPLY },
		{ "550 Create directory operation failed.", AFTP_EREPLY },
		{ "550 Remove directory operation failed.", AFTP_EREPLY },
		{ "550 Delete operation failed.", AFTP_EREPLY },
		{ "550 RNFR command failed.", AFTP_EREPLY },
		{ "553 Could not create file.", AFTP_EREPLY },
		{ "550 Permission denied.", AFTP_EACCES },
		{ "500 Unknown command.", AFTP_ENOTSUP },
		{ "500 Unknown SITE command.", AFTP_ENOTSUP },
		{ "500 OOPS: cannot read user list file:/etc/x", AFTP_EREPLY },
		{ "421 There are too many connections from your internet address.", AFTP_ETOOMANY },
		{ "421 There are too many connected users, please try later.", AFTP_ETOOMANY },
		{ "421 Timeout.", AFTP_EREPLY },
		{ "530 Login incorrect.", AFTP_ELOGIN },
		{ "530 Please login with USER and PASS.", AFTP_ELOGIN },
		{ "426 Failure writing network stream.", AFTP_EREPLY },
		{ "451 Failure reading local file.", AFTP_EREPLY },
		{ "425 Failed to establish connection.", AFTP_EREPLY },
	};

	(void)state;
	CHECK(table);
}

static void test_proftpd(void **state)
{
	static const struct text table[] = {
		{ "550 /x: No such file or directory", AFTP_ENOENT },
		{ "550 'x' cannot be listed: No such file or directory", AFTP_ENOENT },
		{ "550 x: Permission denied", AFTP_EACCES },
		{ "550 x: Operation not permitted", AFTP_EACCES },
		{ "553 x: Permission denied.", AFTP_EACCES },
		{ "550 x: Overwrite permission denied", AFTP_EACCES },
		{ "550 x: Forbidden filename", AFTP_EACCES },
		{ "550 x: Not a regular file", -EISDIR },
		{ "550 x: not a plain file", -EISDIR },
		{ "550 x: Is a directory", -EISDIR },
		{ "550 x: Not a directory", -ENOTDIR },
		{ "550 x: Directory not empty", -ENOTEMPTY },
		{ "550 x: File exists", -EEXIST },
		{ "550 x: Read-only file system", -EROFS },
		{ "550 x: File name too long", -ENAMETOOLONG },
		{ "452 Transfer aborted. No space left on device", -ENOSPC },
		{ "552 Transfer aborted. Disk quota exceeded", -EDQUOT },
		{ "552 STOR denied: quota exceeded: used 10.00 of 10.00 upload bytes", -EDQUOT },
		{ "451 x: Append/Restart not permitted, try again", AFTP_EREPLY },
		{ "500 MFXX not understood", AFTP_ENOTSUP },
		{ "504 'SITE X' not understood", AFTP_ENOTSUP },
		{ "530 Sorry, the maximum number of clients (3) from your host are already connected.", AFTP_ETOOMANY },
		{ "530 Sorry, the maximum number of clients (3) for this user are already connected.", AFTP_ETOOMANY },
		{ "421 Maximum login attempts exceeded", AFTP_ELOGIN },
		{ "421 Idle timeout (600 seconds): closing control connection", AFTP_EREPLY },
		{ "530 Login incorrect.", AFTP_ELOGIN },
	};

	(void)state;
	CHECK(table);
}

static void test_pure_ftpd(void **state)
{
	static const struct text table[] = {
		{ "550 Can't change directory to x: No such file or directory", AFTP_ENOENT },
		{ "550 Can't change directory to x: Not a directory", -ENOTDIR },
		{ "550 Can't open x: No such file or directory", AFTP_ENOENT },
		{ "550 Can't open x: Permission denied", AFTP_EACCES },
		{ "553 Can't open that file: Permission denied", AFTP_EACCES },
		{ "550 Can't check for file existence", AFTP_EREPLY }, /* any failure of stat(2) */
		{ "550 Sorry, but that file doesn't exist", AFTP_ENOENT },
		{ "550 I can only retrieve regular files", -EISDIR },
		{ "550 Can't create directory: File exists", -EEXIST },
		{ "550 Can't remove directory: Directory not empty", -ENOTEMPTY },
		{ "550 Could not delete x: Is a directory", -EISDIR },
		{ "451 Rename/move failure: Directory not empty", -ENOTEMPTY },
		{ "552 Disk full - please upload later", -ENOSPC },
		{ "552 Quota exceeded: [x] won't be saved", -EDQUOT },
		{ "553 Prohibited file name: x", AFTP_EACCES },
		{ "553 Prohibited file name: /No such file or directory", AFTP_EACCES },
		{ "421 50 users (the maximum) are already logged in, sorry", AFTP_ETOOMANY },
		{ "421 Too many connections (2) from this IP", AFTP_ETOOMANY },
		{ "530 Login authentication failed", AFTP_ELOGIN },
		{ "530 You aren't logged in", AFTP_ELOGIN },
		{ "500 Unknown command", AFTP_ENOTSUP },
	};

	(void)state;
	CHECK(table);
}

static void test_python_servers(void **state)
{
	static const struct text table[] = {
		/* pyftpdlib */
		{ "550 No such file or directory.", AFTP_ENOENT },
		{ "550 Permission denied.", AFTP_EACCES },
		{ "550 Not enough privileges.", AFTP_EACCES },
		{ "550 Is a directory.", -EISDIR },
		{ "550 Not a directory.", -ENOTDIR },
		{ "550 Directory not empty.", -ENOTEMPTY },
		{ "550 File exists.", -EEXIST },
		{ "550 /x is not retrievable.", AFTP_EREPLY }, /* missing, or no file */
		{ "501 No such directory.", AFTP_EREPLY },     /* said of files, too */
		{ "550 SIZE not allowed in ASCII mode.", AFTP_EREPLY },
		{ "500 Command \"XFOO\" not understood.", AFTP_ENOTSUP },
		{ "501 Unrecognized SITE command.", AFTP_ENOTSUP },
		{ "421 Too many connections. Service temporarily unavailable.", AFTP_ETOOMANY },
		{ "421 Too many connections from the same IP address.", AFTP_ETOOMANY },
		{ "421 Control connection timed out.", AFTP_EREPLY },
		{ "530 Authentication failed.", AFTP_ELOGIN },
		{ "530 Log in with USER and PASS first.", AFTP_ELOGIN },
		{ "501 can't decode path (server filesystem encoding is utf8)", AFTP_EREPLY },
		/* aioftp */
		{ "550 path does not exists", AFTP_ENOENT },
		{ "550 path already exists", -EEXIST },
		{ "550 path is not a directory", -ENOTDIR },
		{ "550 path is not a file", -EISDIR },
		{ "550 permission denied", AFTP_EACCES },
		{ "550 path unreachable", AFTP_EREPLY },
		{ "451 file system error", AFTP_EREPLY },
		{ "421 Too many connections", AFTP_ETOOMANY },
		{ "421 no free ports", AFTP_EREPLY },
		{ "530 wrong password", AFTP_ELOGIN },
		{ "502 'x' not implemented", AFTP_ENOTSUP },
		/* Twisted */
		{ "550 x: No such file or directory.", AFTP_ENOENT },
		{ "550 x: is a directory", -EISDIR },
	};

	(void)state;
	CHECK(table);
}

static void test_windows_servers(void **state)
{
	static const struct text table[] = {
		/* IIS */
		{ "550 The system cannot find the file specified. ", AFTP_ENOENT },
		{ "550 The system cannot find the path specified. ", AFTP_ENOENT },
		{ "550 x: The system cannot find the file specified.", AFTP_ENOENT },
		{ "550-The system cannot find the file specified. \n Win32 error:   The system cannot find the file "
		  "specified. \n"
		  " Error details: File system returned an error.\n550 End",
			AFTP_ENOENT },
		{ "550-Access is denied. \n Win32 error:   Access is denied. \n Error details: Authorization rule "
		  "denied the access. \n"
		  "550 End",
			AFTP_EACCES },
		{ "550 Access is denied. ", AFTP_EACCES },
		{ "550 Cannot create a file when that file already exists. ", -EEXIST },
		{ "550 The directory is not empty. ", -ENOTEMPTY },
		{ "550 The directory name is invalid. ", -ENOTDIR },
		{ "550 There is not enough space on the disk. ", -ENOSPC },
		{ "550 The process cannot access the file because it is being used by another process. ", AFTP_EACCES },
		{ "550 The filename, directory name, or volume label syntax is incorrect. ", AFTP_EREPLY },
		{ "530 User cannot log in. ", AFTP_ELOGIN },
		/* FileZilla Server */
		{ "550 File not found", AFTP_ENOENT },
		{ "550 CWD failed. \"/x\": directory not found.", AFTP_ENOENT },
		{ "550 CWD failed. \"/say \"\"hi\"\"\": directory not found.", AFTP_ENOENT },
		{ "550 Permission denied", AFTP_EACCES },
		{ "550 Directory already exists", -EEXIST },
		{ "550 can't access file.", AFTP_EREPLY },
		/* Serv-U, Titan, Gene6 and others */
		{ "550 /x: No such file.", AFTP_ENOENT },
		{ "550 /c:/x: No such file or directory.", AFTP_ENOENT },
		{ "421 Too many users logged in for this account. Try again later.", AFTP_ETOOMANY },
		{ "530 Sorry, no more users allowed from this IP: maximum reached", AFTP_ETOOMANY },
	};

	(void)state;
	CHECK(table);
}

static void test_unix_servers(void **state)
{
	static const struct text table[] = {
		/* wu-ftpd, inetutils, BSD */
		{ "550 x: No such file or directory.", AFTP_ENOENT },
		{ "550 x: not a plain file.", -EISDIR },
		{ "550 x: Permission denied on server. (Delete)", AFTP_EACCES },
		{ "550 x: Permission denied.", AFTP_EACCES },
		{ "521 \"/x\" directory exists", -EEXIST },
		{ "550 x: File exists.", -EEXIST },
		{ "452 Error writing file: No space left on device.", -ENOSPC },
		{ "500 'FOO': command not understood.", AFTP_ENOTSUP },
		{ "530 User x unknown.", AFTP_ELOGIN },
		{ "530 User x access denied..", AFTP_ELOGIN },
		{ "530-The maximum number of users is connected.\n530 User anonymous access denied.", AFTP_ETOOMANY },
		/* bftpd */
		{ "550 Error: No such file or directory.", AFTP_ENOENT },
		{ "553 Error: Permission denied.", AFTP_EACCES },
		/* Go and Java servers */
		{ "550 stat /x: no such file or directory", AFTP_ENOENT },
		{ "550 Could not access \"/x\": file does not exist", AFTP_ENOENT },
		{ "550 /x: No such file or directory.", AFTP_ENOENT },
		{ "550 Not a valid directory.", -ENOTDIR },
		{ "550 /x: Already exists.", -EEXIST },
		{ "550 [Errno 2] No such file or directory: '/x'", AFTP_ENOENT },
		{ "550 [Errno 13] Permission denied: '/x'", AFTP_EACCES },
		{ "550 File not found: /x", AFTP_ENOENT },
		{ "550 File/directory not found", AFTP_ENOENT },
	};

	(void)state;
	CHECK(table);
}

/* The name in the text must not decide. */
static void test_echoed_names(void **state)
{
	static const struct text table[] = {
		{ "550 permission denied: No such file or directory", AFTP_ENOENT },
		{ "550 No such file or directory: Permission denied", AFTP_EACCES },
		{ "550 /a: no such file: Is a directory", -EISDIR },
		{ "550 /No such file or directory: Some new trouble", AFTP_EREPLY },
		{ "550 Can't open No such file or directory", AFTP_EREPLY },
		{ "550 Can't open /x/no such file or directory", AFTP_EREPLY },
		{ "550 Can't open /x/permission denied", AFTP_EREPLY },
		{ "550 Can't open /x/secret.denied", AFTP_EREPLY },
		{ "550 No such file: x is not retrievable", AFTP_EREPLY },
		{ "550 \"No such file or directory\" failed", AFTP_EREPLY },
		{ "550 Could not open \"/x\": No such file or directory\": busy", AFTP_EREPLY },
		{ "550 \"permission denied\": directory not found", AFTP_ENOENT },
		{ "550 Cannot open \"file not found\"", AFTP_EREPLY },
	};

	(void)state;
	CHECK(table);
}

static void test_two_reasons_say_nothing(void **state)
{
	static const struct text table[] = {
		{ "550 Requested action not taken. File unavailable (e.g., file not found, no access).", AFTP_EREPLY },
		{ "550 File not found or access denied.", AFTP_EREPLY },
		{ "550 /x: No such file or directory or permission denied", AFTP_EREPLY },
		{ "550 Access denied or file not found", AFTP_EREPLY },
		{ "550 x: No such file or not a regular file", AFTP_EREPLY },
		{ "550 File not found (or no access)", AFTP_EREPLY },
	};

	(void)state;
	CHECK(table);
}

static void test_codes_alone(void **state)
{
	static const struct text table[] = {
		{ "550 Nein.", AFTP_EREPLY },
		{ "550", AFTP_EREPLY },
		{ "553 Nein.", AFTP_EREPLY },
		{ "450 busy", AFTP_EREPLY },
		{ "451 x", AFTP_EREPLY },
		{ "503 bad sequence", AFTP_EREPLY },
		{ "501 syntax", AFTP_EREPLY },
		{ "452 x", -ENOSPC },
		{ "552 x", -EDQUOT },
		{ "500 x", AFTP_ENOTSUP },
		{ "502 x", AFTP_ENOTSUP },
		{ "504 x", AFTP_ENOTSUP },
		{ "530 x", AFTP_ELOGIN },
		{ "532 need account", AFTP_ELOGIN },
		{ "421 x", AFTP_ETOOMANY },
		{ "421 Service not available, closing control connection", AFTP_EREPLY },
		{ "421 Server is shutting down", AFTP_EREPLY },
	};

	(void)state;
	CHECK(table);
}

static void test_long_texts(void **state)
{
	char text[5000];
	struct text one = { text, AFTP_ENOENT };

	(void)state;
	memset(text, 'n', sizeof text);
	memcpy(text, "550 /", 5);
	memcpy(text + 4000, ": No such file or directory", 28);
	check(&one, 1);
	memcpy(text + 4000, "/No such file or directory", 27);
	one.status = AFTP_EREPLY;
	check(&one, 1);
	text[10] = '"';
	text[3999] = '"';
	memcpy(text + 4000, ": Permission denied", 20);
	one.status = AFTP_EACCES;
	check(&one, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_success_is_no_error),
		cmocka_unit_test(test_vsftpd),
		cmocka_unit_test(test_proftpd),
		cmocka_unit_test(test_pure_ftpd),
		cmocka_unit_test(test_python_servers),
		cmocka_unit_test(test_windows_servers),
		cmocka_unit_test(test_unix_servers),
		cmocka_unit_test(test_echoed_names),
		cmocka_unit_test(test_two_reasons_say_nothing),
		cmocka_unit_test(test_codes_alone),
		cmocka_unit_test(test_long_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
