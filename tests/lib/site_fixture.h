/* site_fixture - a site on the library's own server, in one loop, with calls that wait for their answer. */
#ifndef TESTS_SITE_FIXTURE_H
#define TESTS_SITE_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include <aftp/server.h>

#include "remote/site.h"

struct fixture {
	uv_loop_t loop;
	struct aftp_memfs *fs;
	struct aftp_server *server;
	struct aftp_server_options server_options;
	struct site *site;
	struct site_options options;
	uint16_t port;
	int start_status;
	char why[300];
	uv_timer_t guard;
	bool guard_fired;
	bool hurried;   /* what the site does after so many ticks is due ten times as soon */
	unsigned stale; /* how often the site called something stale */
};

/* An empty file system and default options; change them, then fixture_serve() and fixture_mount(). */
void fixture_init(struct fixture *f);
void fixture_serve(struct fixture *f); /* on f->port, or a free one when it is 0 */
void fixture_stop_server(struct fixture *f);
int fixture_mount(struct fixture *f); /* site_start()'s status */
void fixture_unmount(struct fixture *f);
void fixture_finish(struct fixture *f); /* everything; fails the test when a handle is left on the loop */

/* Runs the loop until *done; fails the test after 60 seconds. */
void fixture_wait(struct fixture *f, const bool *done);
/* The same until is_idle(). */
void fixture_settle(struct fixture *f, bool (*is_idle)(const struct site *s));

int fixture_lookup(struct fixture *f, uint64_t parent, const char *name, struct site_attr *attr);
int fixture_walk(struct fixture *f, const char *path, struct site_attr *attr); /* "a/b/c" from the root */
int fixture_getattr(struct fixture *f, uint64_t ino, struct site_attr *attr);
int fixture_readlink(struct fixture *f, uint64_t ino, char *target, size_t size);
int fixture_opendir(struct fixture *f, uint64_t ino, struct site_dir **d);
/* 1: *name is set; 0: there are no more; or a status */
int fixture_entry(struct fixture *f, struct site_dir *d, uint64_t index, const char **name);
int fixture_count(struct fixture *f, uint64_t ino); /* entries without dots, or a status */
int fixture_open(struct fixture *f, const char *path, struct site_open_result *r);
ssize_t fixture_read(struct fixture *f, struct site_file *file, uint64_t off, size_t len, void *buf);

int fixture_open_flags(struct fixture *f, const char *path, int flags, struct site_open_result *r);
int fixture_create(struct fixture *f, uint64_t parent, const char *name, int flags, struct site_attr *attr,
	struct site_open_result *r);
ssize_t fixture_write(struct fixture *f, struct site_file *file, uint64_t off, const void *data, size_t len);
int fixture_flush(struct fixture *f, struct site_file *file);
int fixture_truncate(struct fixture *f, const char *path, struct site_file *file, uint64_t size);

uint64_t fixture_commands(struct fixture *f, const char *verb);

#endif
