/* status - what every call of the library answers.
 *
 * A call or a callback gets 0 (or a count) for success and a negative number for failure. The numbers
 * are -errno where POSIX has a word for it (and so equal libuv's on Linux), and the AFTP_E* below where
 * it has none. They can be passed upward unchanged, printed, and turned into an errno for a program.
 *
 * The async contract, the same for every function of the library that takes a callback:
 *   returns 0    the callback runs exactly once, later, never from inside the call;
 *   returns < 0  the callback never runs;
 *   close/cancel the callback still runs, with AFTP_ECANCELED, before the memory goes. */
#ifndef AFTP_STATUS_H
#define AFTP_STATUS_H

#include <errno.h>

enum aftp_status {
	AFTP_OK = 0,
	AFTP_EINVAL = -EINVAL, /* an argument is out of its range */
	AFTP_ENOMEM = -ENOMEM,
	AFTP_EBUSY = -EBUSY,       /* one of these is under way already */
	AFTP_EALREADY = -EALREADY, /* it was done before */
	AFTP_ECANCELED = -ECANCELED,
	AFTP_ETIMEDOUT = -ETIMEDOUT, /* no progress within the limit */
	AFTP_ECONNRESET = -ECONNRESET,
	AFTP_ECONNREFUSED = -ECONNREFUSED,
	AFTP_ENOTCONN = -ENOTCONN,
	AFTP_EPROTO = -EPROTO,   /* the peer does not speak FTP, or broke off its rules */
	AFTP_ENOTSUP = -ENOTSUP, /* the server has no such command */
	AFTP_ENOENT = -ENOENT,
	AFTP_EACCES = -EACCES,
	AFTP_EIO = -EIO,
	AFTP_EOF = -4095,          /* orderly end; the same number as UV_EOF */
	AFTP_ELINETOOLONG = -6001, /* a line passed its cap */
	AFTP_EINCOMPLETE = -6002,  /* the peer ended in the middle of something */
	AFTP_EREPLY = -6003,       /* a well-formed reply with a code that says no */
	AFTP_ELOGIN = -6004,       /* USER, PASS or ACCT refused */
	AFTP_ETLS = -6005,         /* the TLS layer failed */
	AFTP_ECERT = -6006,        /* the peer's certificate was refused */
	AFTP_ETOOBIG = -6007,      /* a reply, a listing or a queue passed its cap */
	AFTP_ESHORT = -6008,       /* the server confirmed a transfer that has fewer bytes than it should */
	AFTP_EBADNAME = -6009,     /* CR, LF or NUL in a command */
	AFTP_ERESOLVE = -6010,     /* no such host, or the name service does not answer */
	AFTP_ETOOMANY = -6011,     /* the server has no more connections for us (421, some 530) */
	AFTP_ECHANGED = -6012,     /* the remote file changed while it was being read */
};

/* A sentence in plain English, never NULL; static memory. Unknown numbers give "unknown error". */
const char *aftp_strerror(int status);

/* The symbolic name ("ETIMEDOUT", "ELINETOOLONG"), never NULL; static memory. */
const char *aftp_err_name(int status);

/* The positive errno that a program should see for `status`; EIO where there is no better word;
 * 0 for a status >= 0. Never ENOENT for anything but AFTP_ENOENT. */
int aftp_errno(int status);

#endif
