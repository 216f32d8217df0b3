#include <aftp/status.h>

#include <stddef.h>
#include <string.h>

static const struct {
	int status;
	int error; /* what a program sees */
	const char *name;
	const char *text;
} table[] = {
	{ AFTP_OK, 0, "OK", "success" },
	{ AFTP_EINVAL, EINVAL, "EINVAL", "invalid argument" },
	{ AFTP_ENOMEM, ENOMEM, "ENOMEM", "out of memory" },
	{ AFTP_EBUSY, EBUSY, "EBUSY", "another operation is under way" },
	{ AFTP_EALREADY, EALREADY, "EALREADY", "already done" },
	{ AFTP_ECANCELED, ECANCELED, "ECANCELED", "canceled" },
	{ AFTP_ETIMEDOUT, ETIMEDOUT, "ETIMEDOUT", "timed out" },
	{ AFTP_ECONNRESET, ECONNRESET, "ECONNRESET", "connection reset by the peer" },
	{ AFTP_ECONNREFUSED, ECONNREFUSED, "ECONNREFUSED", "connection refused" },
	{ AFTP_ENOTCONN, ENOTCONN, "ENOTCONN", "not connected" },
	{ AFTP_EPROTO, EPROTO, "EPROTO", "the peer does not speak FTP as it should" },
	{ AFTP_ENOTSUP, EOPNOTSUPP, "ENOTSUP", "the server does not support this" },
	{ AFTP_ENOENT, ENOENT, "ENOENT", "no such file or directory" },
	{ AFTP_EACCES, EACCES, "EACCES", "permission denied" },
	{ AFTP_EIO, EIO, "EIO", "input/output error" },
	{ AFTP_EOF, EIO, "EOF", "end of data" },
	{ AFTP_ELINETOOLONG, EIO, "ELINETOOLONG", "the peer sent a line that is too long" },
	{ AFTP_EINCOMPLETE, EIO, "EINCOMPLETE", "the connection ended in the middle of something" },
	{ AFTP_EREPLY, EIO, "EREPLY", "the server refused" },
	{ AFTP_ELOGIN, EACCES, "ELOGIN", "the server refused the login" },
	{ AFTP_ETLS, EIO, "ETLS", "TLS failed" },
	{ AFTP_ECERT, EACCES, "ECERT", "the server's certificate was refused" },
	{ AFTP_ETOOBIG, EIO, "ETOOBIG", "a reply, a listing or a queue passed its limit" },
	{ AFTP_ESHORT, EIO, "ESHORT", "the transfer has fewer bytes than it should" },
	{ AFTP_EBADNAME, EINVAL, "EBADNAME", "the name has a line end or a NUL byte, which FTP cannot send" },
	{ AFTP_ERESOLVE, EHOSTUNREACH, "ERESOLVE", "the host name could not be resolved" },
	{ AFTP_ETOOMANY, EBUSY, "ETOOMANY", "the server allows no more connections" },
	{ AFTP_ECHANGED, ESTALE, "ECHANGED", "the remote file changed while it was read" },
};

static int find(int status)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i].status == status)
			return (int)i;
	return -1;
}

const char *aftp_strerror(int status)
{
	int i = find(status > 0 ? 0 : status);
	const char *text = i >= 0 ? table[i].text : NULL;

	/* strerrordesc_np is static and knows no locale, unlike strerror. */
	if (!text && status > -4095)
		text = strerrordesc_np(-status);
	return text ? text : "unknown error";
}

const char *aftp_err_name(int status)
{
	int i = find(status > 0 ? 0 : status);
	const char *name = i >= 0 ? table[i].name : NULL;

	if (!name && status > -4095)
		name = strerrorname_np(-status);
	return name ? name : "UNKNOWN";
}

int aftp_errno(int status)
{
	int i;

	if (status >= 0)
		return 0;
	i = find(status);
	if (i >= 0)
		return table[i].error;
	return status > -4095 && strerrorname_np(-status) ? -status : EIO;
}
