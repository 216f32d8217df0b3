/* An open directory whose listing is still on its way: what has come is there, the rest is waited for, and an end that is
 * none is an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <aftp/status.h>
#include <fcntl.h>

#include "lib/site_fixture.h"

#define ALL  5000u
#define PART 200000u /* bytes of a listing: more than the first thousand entries, and not half of all */

static struct fixture f;
static unsigned seen[ALL];
static uint64_t many; /* its inode */

static const char *const no_mlsx[] = { "MLSD", "MLST", NULL };

static int setup(void **state)
{
	(void)state;
	fixture_init(&f);
	memset(seen, 0, sizeof seen);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_finish(&f);
	return 0;
}

/* "many" is known, and `faults` come next. */
static void up(struct aftp_faults faults)
{
	struct site_attr a;
	char path[32];

	for (unsigned i = 0; i < ALL; i++) {
		snprintf(path, sizeof path, "/many/file-%04u", i);
		assert_int_equal(aftp_memfs_put(f.fs, path, "x", 1), 0);
	}
	f.server_options.faults.no = faults.no;
	fixture_serve(&f);
	assert_int_equal(fixture_mount(&f), 0);
	assert_int_equal(fixture_walk(&f, "many", &a), 0);
	many = a.st.st_ino;
	assert_int_equal(aftp_server_set_faults(f.server, &faults), 0);
}

static struct site_dir *open_many(void)
{
	struct site_dir *d = NULL;

	assert_int_equal(fixture_opendir(&f, many, &d), 0);
	return d;
}

static void note(const char *name)
{
	unsigned i;

	assert_int_equal(sscanf(name, "file-%u", &i), 1);
	assert_in_range(i, 0, ALL - 1);
	seen[i]++;
}

static unsigned count_seen(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ALL; i++) {
		assert_in_range(seen[i], 0, 1);
		n += seen[i];
	}
	return n;
}

/* From `index` on; how that ended. */
static int read_all(struct site_dir *d, uint64_t index)
{
	const char *name;
	int rc;

	while ((rc = fixture_entry(&f, d, index++, &name)) == 1)
		note(name);
	return rc;
}

/* What has come; the index of the first that has not. */
static uint64_t read_present(struct site_dir *d)
{
	struct site_attr attr;
	const char *name;
	uint64_t i = 2;

	while (site_dir_entry(d, i, &name, &attr)) {
		note(name);
		i++;
	}
	assert_false(site_dir_knows(d, i));
	return i;
}

static void listed_whole(void)
{
	assert_int_equal(fixture_count(&f, many), ALL);
}

/* --- while it arrives ----------------------------------------------------------------------------- */

struct answer {
	bool done;
	int status;
};

static void on_dir(void *arg, int status, struct site_dir *d)
{
	struct answer *a = arg;

	(void)d;
	a->status = status;
	a->done = true;
}

static void what_has_come_is_there(const char *const *no)
{
	struct answer a = { 0 };
	struct site_op *op = NULL;
	struct site_dir *d;
	uint64_t end;

	up((struct aftp_faults){ .stall_after = PART, .no = no });
	d = open_many();
	end = read_present(d);
	assert_in_range(count_seen(), 1000, ALL - 1);
	assert_int_equal(site_dir_wait(d, end, &op, on_dir, &a), 0);
	site_cancel(op);
	fixture_wait(&f, &a.done);
	assert_int_equal(a.status, AFTP_ECANCELED);
	assert_true(site_dir_knows(d, end - 1));
	a.done = false;
	assert_int_equal(site_dir_wait(d, end - 1, &op, on_dir, &a), 0);
	fixture_wait(&f, &a.done);
	assert_int_equal(a.status, 0);
	site_closedir(d);
}

static void what_has_come_is_there_by_mlsd(void **state)
{
	(void)state;
	what_has_come_is_there(NULL);
}

static void what_has_come_is_there_by_list(void **state)
{
	(void)state;
	what_has_come_is_there(no_mlsx);
}

static void every_name_comes_once(void **state)
{
	struct site_dir *d;

	(void)state;
	f.server_options.limits.write = 4000000;
	up((struct aftp_faults){ 0 });
	d = open_many();
	assert_int_equal(read_all(d, 2), 0);
	assert_int_equal(count_seen(), ALL);
	site_closedir(d);
	listed_whole();
	assert_int_equal(fixture_commands(&f, "MLSD"), 1);
}

static void places_stay(void **state)
{
	static char at[ALL][16];
	struct site_dir *d;
	const char *name;

	(void)state;
	f.server_options.limits.write = 4000000;
	up((struct aftp_faults){ 0 });
	d = open_many();
	for (unsigned i = 0; i < 900; i++) {
		assert_int_equal(fixture_entry(&f, d, i + 2, &name), 1);
		snprintf(at[i], sizeof at[i], "%s", name);
	}
	/* Past the end is known at the end. */
	assert_int_equal(fixture_entry(&f, d, UINT64_C(1) << 40, &name), 0);
	for (unsigned i = 0; i < 900; i++) {
		assert_int_equal(fixture_entry(&f, d, i + 2, &name), 1);
		assert_string_equal(name, at[i]);
	}
	site_closedir(d);
}

static void one_who_leaves_does_not_end_it(void **state)
{
	struct site_dir *d;

	(void)state;
	f.server_options.limits.write = 4000000;
	up((struct aftp_faults){ 0 });
	d = open_many();
	site_closedir(d);
	listed_whole();
	assert_int_equal(fixture_commands(&f, "MLSD"), 1);
}

static void the_site_closes(void **state)
{
	struct answer a = { 0 };
	struct site_dir *d;

	(void)state;
	up((struct aftp_faults){ .stall_after = PART });
	d = open_many();
	assert_int_equal(site_dir_wait(d, read_present(d), NULL, on_dir, &a), 0);
	fixture_unmount(&f);
	assert_true(a.done);
	assert_int_equal(a.status, AFTP_ECANCELED);
}

/* --- what is no end ------------------------------------------------------------------------------- */

static void silence_is_an_error(void **state)
{
	struct site_dir *d;
	const char *name;
	unsigned n;

	(void)state;
	f.options.timeout_ms = 1000;
	up((struct aftp_faults){ .stall_after = PART, .times = 1 });
	d = open_many();
	assert_int_equal(read_all(d, 2), AFTP_ETIMEDOUT);
	n = count_seen();
	assert_in_range(n, 1000, ALL - 1);
	assert_int_equal(fixture_entry(&f, d, n + 2, &name), AFTP_ETIMEDOUT);
	assert_int_equal(fixture_entry(&f, d, n + 1, &name), 1);
	site_closedir(d);
	listed_whole();
	assert_int_equal(fixture_commands(&f, "MLSD"), 2);
}

static void a_refusal_in_the_middle_is_an_error(void **state)
{
	struct site_dir *d;

	(void)state;
	up((struct aftp_faults){ .drop_after = PART });
	d = open_many();
	assert_true(read_all(d, 2) < 0);
	assert_in_range(count_seen(), 1000, ALL - 1);
	site_closedir(d);
	assert_true(fixture_count(&f, many) < 0);
	assert_int_equal(aftp_server_set_faults(f.server, &(struct aftp_faults){ 0 }), 0);
	listed_whole();
}

/* --- another attempt ------------------------------------------------------------------------------ */

static void a_lost_connection_goes_unnoticed(const char *const *no)
{
	struct site_dir *d;

	up((struct aftp_faults){ .drop_all_after = PART, .times = 1, .no = no });
	d = open_many();
	assert_int_equal(read_all(d, 2), 0);
	assert_int_equal(count_seen(), ALL);
	site_closedir(d);
	listed_whole();
	assert_int_equal(fixture_commands(&f, "MLSD"), no ? 0 : 2);
}

static void a_lost_connection_goes_unnoticed_by_mlsd(void **state)
{
	(void)state;
	a_lost_connection_goes_unnoticed(NULL);
}

static void a_lost_connection_goes_unnoticed_by_list(void **state)
{
	(void)state;
	a_lost_connection_goes_unnoticed(no_mlsx);
}

static void what_went_meanwhile_is_not_kept(void **state)
{
	struct site_dir *d;
	struct site_attr a;
	const char *name;
	char path[64];

	(void)state;
	up((struct aftp_faults){ .drop_all_after = PART, .times = 1 });
	d = open_many();
	assert_int_equal(fixture_entry(&f, d, 2, &name), 1);
	snprintf(path, sizeof path, "/many/%s", name);
	assert_int_equal(aftp_memfs_remove(f.fs, path), 0);
	assert_int_equal(read_all(d, 2), 0);
	assert_int_equal(count_seen(), ALL);
	site_closedir(d);
	assert_int_equal(fixture_count(&f, many), ALL - 1);
	assert_int_equal(fixture_lookup(&f, many, path + 6, &a), AFTP_ENOENT);
	assert_int_equal(fixture_commands(&f, "MLSD"), 2);
}

static void lost_again_and_again(void **state)
{
	struct site_dir *d;

	(void)state;
	up((struct aftp_faults){ .drop_all_after = PART });
	d = open_many();
	assert_true(read_all(d, 2) < 0);
	assert_in_range(count_seen(), 1000, ALL - 1);
	site_closedir(d);
}

/* --- our own changes ------------------------------------------------------------------------------ */

static bool has(struct site_dir *d, const char *wanted)
{
	struct site_attr attr;
	const char *name;

	for (uint64_t i = 0; site_dir_entry(d, i, &name, &attr); i++)
		if (strcmp(name, wanted) == 0)
			return true;
	return false;
}

static void on_done(void *arg, int status)
{
	on_dir(arg, status, NULL);
}

/* Who opens it after a change sees that, though the listing began before. */
static void changes_are_seen(void **state)
{
	struct site_dir *before, *after;
	struct site_open_result r;
	struct answer a = { 0 };
	struct site_attr attr;

	(void)state;
	f.server_options.limits.write = 400000;
	up((struct aftp_faults){ 0 });
	before = open_many();
	assert_true(site_dir_current(before));
	assert_int_equal(fixture_create(&f, many, "new", O_WRONLY, &attr, &r), 0);
	assert_int_equal(fixture_write(&f, r.file, 0, "12345", 5), 5);
	assert_int_equal(fixture_flush(&f, r.file), 0);
	site_release(r.file);
	assert_int_equal(site_unlink(f.site, many, "file-0007", NULL, on_done, &a), 0);
	fixture_wait(&f, &a.done);
	assert_int_equal(a.status, 0);
	assert_false(site_dir_current(before));
	assert_int_equal(aftp_server_set_limits(f.server, AFTP_LIMIT_SERVER, NULL, &(struct aftp_limits){ 0 }), 0);
	after = open_many();
	assert_true(site_dir_knows(after, 2 + ALL + 1));
	assert_true(has(after, "new"));
	assert_false(has(after, "file-0007"));
	assert_true(site_dir_current(after));
	site_closedir(after);
	site_closedir(before);
	assert_int_equal(fixture_commands(&f, "MLSD"), 1);
}

/* They are asked for behind the listing. */
static void exact_times_are_waited_for(void **state)
{
	struct site_dir *d;

	(void)state;
	f.options.exact_times = true;
	up((struct aftp_faults){ .no = no_mlsx });
	d = open_many();
	assert_true(site_dir_knows(d, 2 + ALL));
	assert_int_equal(fixture_commands(&f, "MDTM"), ALL);
	site_closedir(d);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_has_come_is_there_by_mlsd),
		T(what_has_come_is_there_by_list),
		T(every_name_comes_once),
		T(places_stay),
		T(one_who_leaves_does_not_end_it),
		T(the_site_closes),
		T(silence_is_an_error),
		T(a_refusal_in_the_middle_is_an_error),
		T(a_lost_connection_goes_unnoticed_by_mlsd),
		T(a_lost_connection_goes_unnoticed_by_list),
		T(what_went_meanwhile_is_not_kept),
		T(lost_again_and_again),
		T(changes_are_seen),
		T(exact_times_are_waited_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
