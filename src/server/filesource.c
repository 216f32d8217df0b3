#include "server/filesource.h"

#include <aftp/status.h>
#include <stdlib.h>

#include "server/session.h"

enum { READ_MAX = 1 << 20 };

struct filesource {
	struct session *s;
	struct sender *sender;
	struct aftp_vfs_file *file;
	struct aftp_vfs_req req;
	bool reading, closing;
};

static void on_closed(void *arg, int status)
{
	struct filesource *f = arg;
	struct session *s = f->s;
	if (status < 0)
		aftp_log(&s->log, AFTP_LOG_WARN, "closing a file that was read: %s", aftp_strerror(status));
	free(f);
	session_release(s);
}

static void close_file(struct filesource *f)
{
	int rc = f->file->fs->ops->close(f->file, &f->req, on_closed, f);
	if (rc < 0)
		on_closed(f, rc);
}

static void on_read(void *arg, int status)
{
	struct filesource *f = arg;
	f->reading = false;
	if (f->closing)
		close_file(f);
	else if (status < 0)
		send_failed(f->sender, status);
	else if (f->req.len == 0)
		send_end(f->sender);
	else
		send_block(f->sender, f->req.data, f->req.len);
}

static void filesource_pull(void *source)
{
	struct filesource *f = source;
	int rc = f->file->fs->ops->read(f->file, &f->req, READ_MAX, on_read, f);
	f->reading = rc == 0;
	if (rc < 0)
		send_failed(f->sender, rc);
}

static void filesource_release(void *source, const char *data)
{
	struct filesource *f = source;
	f->file->fs->ops->release(f->file, data);
}

static void filesource_close(void *source)
{
	struct filesource *f = source;
	f->closing = true;
	if (!f->reading)
		close_file(f);
}

const struct source filesource_ops = { filesource_pull, filesource_release, filesource_close };

int filesource_new(struct filesource **out, struct session *s, struct aftp_vfs_file *file)
{
	struct filesource *f = calloc(1, sizeof(*f));
	if (!f)
		return AFTP_ENOMEM;
	f->s = s;
	f->file = file;
	session_hold(s);
	*out = f;
	return 0;
}

void filesource_start(struct filesource *f, struct sender *snd)
{
	f->sender = snd;
}
