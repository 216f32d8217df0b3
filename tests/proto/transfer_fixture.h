/* transfer_fixture - a server with a few files, and a client that is logged in. */
#ifndef TESTS_TRANSFER_FIXTURE_H
#define TESTS_TRANSFER_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/testd.h"

struct fixture {
	struct testd d;
	struct talk t;
};

static inline struct fixture *begin(const struct aftp_server_options *o)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	testd_start(&f->d, o, false);
	testd_put(&f->d, "/file", "content", 7);
	testd_put(&f->d, "/dir/one", "1", 1);
	testd_put(&f->d, "/dir/two words", "22", 2);
	testd_put(&f->d, "/dir/ -a", "333", 3);
	testd_pattern(&f->d, "/big", 64 << 20, 1);
	talk_login(&f->t, &f->d, "anonymous", "x");
	return f;
}

static inline void end(struct fixture *f)
{
	talk_close(&f->t);
	testd_stop(&f->d);
	free(f);
}

static inline void assert_file(struct fixture *f, const char *path, const char *want, size_t len)
{
	char command[128];
	size_t n;
	snprintf(command, sizeof(command), "RETR %s", path);
	char *got = talk_retrieve(&f->t, command, &n);
	assert_int_equal(n, len);
	assert_memory_equal(got, want, len);
	free(got);
}

static inline void make_many(struct testd *d, void *arg)
{
	char path[64];
	for (int i = 0; i < *(int *)arg; i++) {
		snprintf(path, sizeof(path), "/many/file number %d", i);
		assert_int_equal(aftp_memfs_put(d->fs, path, "x", 1), 0);
	}
}

static inline uint16_t epsv_port(struct talk *t)
{
	talk_expect(t, 229, "EPSV");
	return (uint16_t)strtoul(strstr(t->reply, "(|||") + 4, NULL, 10);
}

#endif
