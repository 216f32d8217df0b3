#include "throttle_fixture.h"

struct user {
	struct throttle_waiter waiter; /* first: found from it */
	struct fixture *f;
	struct aftp_throttle *t;
	uint64_t moved, most;
	int runs;
	bool again; /* lines up again */
	bool lazy;  /* never uses its turn */
};

static void user_run(struct throttle_waiter *w)
{
	struct user *u = (struct user *)w;
	uint64_t n = aftp_throttle_allow(u->t, u->most, u->f->now);

	assert_null(w->on);
	u->runs++;
	if (!u->lazy) {
		aftp_throttle_charge(u->t, n, u->f->now);
		u->moved += n;
	}
	if (u->again)
		throttle_wait_add(u->t, w, throttle_wait_quantum(u->t));
}

static void users_init(struct fixture *f, struct user *users, size_t n, struct aftp_throttle *t)
{
	for (size_t i = 0; i < n; i++)
		users[i] = (struct user){ .waiter.run = user_run, .f = f, .t = t, .most = UINT64_MAX, .again = true };
}

/* Made-up time passes, and the line is told to look at its clock. */
static void pass(struct fixture *f, struct aftp_throttle *t, uint64_t ns)
{
	f->now += ns;
	throttle_line_wake(t->line);
	uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void test_waiters_share_fairly(void **state)
{
	struct fixture *f = *state;
	struct aftp_throttle *t = make(f, MB, 0);
	struct user u[5];
	uint64_t all = 0;

	users_init(f, u, 5, t);
	u[3].most = 100; /* takes little, and gets no less often its turn */
	assert_int_equal(throttle_wait_open(t), 0);
	empty_bucket(t, f->now);
	for (int i = 0; i < 5; i++)
		throttle_wait_add(t, &u[i].waiter, 1);
	for (int i = 0; i < 4000; i++)
		pass(f, t, MS + (unsigned)i % 7 * 100000);
	for (int i = 0; i < 5; i++) {
		assert_in_range(u[i].runs, u[0].runs - 1, u[0].runs + 1);
		if (i != 3)
			assert_in_range(u[i].moved, u[0].moved * 95 / 100, u[0].moved * 105 / 100);
		all += u[i].moved;
		throttle_wait_cancel(&u[i].waiter);
	}
	assert_in_range(all, 5 * MB, 5300 * KB); /* 5.2 s */
	throttle_wait_close(t);
	aftp_throttle_unref(t);
}

static void test_first_come_first_served(void **state)
{
	struct fixture *f = *state;
	struct aftp_throttle *t = make(f, MB, 0);
	struct user u[3];

	users_init(f, u, 3, t);
	assert_int_equal(throttle_wait_open(t), 0);
	empty_bucket(t, f->now);
	for (int i = 0; i < 3; i++) {
		u[i].again = false;
		throttle_wait_add(t, &u[i].waiter, 1000);
	}
	assert_true(throttle_wait_must(t, &u[0].waiter));
	pass(f, t, MS / 2);
	assert_int_equal(u[0].runs, 0);
	pass(f, t, MS / 2);
	assert_int_equal(u[0].runs, 1);
	assert_int_equal(u[1].runs, 0);
	throttle_wait_cancel(&u[1].waiter); /* who leaves holds up nobody */
	pass(f, t, MS);
	assert_int_equal(u[1].runs, 0);
	assert_int_equal(u[2].runs, 1);
	assert_false(throttle_wait_must(t, &u[1].waiter));
	throttle_wait_close(t);
	aftp_throttle_unref(t);
}

static void test_unused_turn_passes_on(void **state)
{
	struct fixture *f = *state;
	struct aftp_throttle *t = make(f, MB, 0);
	struct user u[2];

	users_init(f, u, 2, t);
	assert_int_equal(throttle_wait_open(t), 0);
	empty_bucket(t, f->now);
	u[0].lazy = true;
	u[0].again = false;
	throttle_wait_add(t, &u[0].waiter, 1);
	throttle_wait_add(t, &u[1].waiter, 1);
	pass(f, t, 5 * MS);
	assert_int_equal(u[0].runs, 1);
	assert_ptr_equal(u[0].waiter.turn, t);
	pass(f, t, MS);
	assert_int_equal(u[1].runs, 1);
	assert_null(u[0].waiter.turn);
	throttle_wait_cancel(&u[0].waiter);
	throttle_wait_cancel(&u[1].waiter);
	throttle_wait_close(t);
	aftp_throttle_unref(t);
}

static void test_new_limit_wakes_at_once(void **state)
{
	static const uint64_t next[] = { 0, GB };
	struct fixture *f = *state;

	for (size_t k = 0; k < 2; k++) {
		struct aftp_throttle *t = make(f, 1, 0);
		struct user u[3];

		users_init(f, u, 3, t);
		assert_int_equal(throttle_wait_open(t), 0);
		empty_bucket(t, f->now);
		for (int i = 0; i < 3; i++) {
			u[i].again = false;
			u[i].most = 1;
			throttle_wait_add(t, &u[i].waiter, 1);
		}
		pass(f, t, MS);
		assert_int_equal(u[0].runs, 0);
		aftp_throttle_set_limit(t, next[k]);
		assert_int_equal(u[0].runs, 0); /* not from inside the call */
		for (int i = 0; i < 10; i++) {
			f->now += MS;
			uv_run(&f->loop, next[k] > 0 ? UV_RUN_ONCE : UV_RUN_NOWAIT);
		}
		for (int i = 0; i < 3; i++) {
			assert_int_equal(u[i].runs, 1);
			throttle_wait_cancel(&u[i].waiter);
		}
		throttle_wait_close(t);
		aftp_throttle_unref(t);
	}
}

/* The line goes with its last user, the throttle with its last owner, in any order. */
static void test_lifetimes(void **state)
{
	struct fixture *f = *state;
	struct aftp_throttle *t = make(f, MB, 0);
	struct user u;

	users_init(f, &u, 1, t);
	assert_int_equal(throttle_wait_open(t), 0);
	assert_int_equal(throttle_wait_open(t), 0);
	throttle_wait_close(t);
	assert_non_null(t->line);
	throttle_wait_add(t, &u.waiter, 1);
	throttle_wait_cancel(&u.waiter);
	aftp_throttle_unref(t);
	throttle_wait_close(t);
	t = make(f, MB, 0);
	assert_int_equal(throttle_wait_open(t), 0);
	throttle_wait_close(t);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_null(t->line);
	assert_int_equal(throttle_wait_open(t), 0);
	throttle_wait_close(t);
	aftp_throttle_unref(t);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_waiters_share_fairly),
		T(test_first_come_first_served),
		T(test_unused_turn_passes_on),
		T(test_new_limit_wakes_at_once),
		T(test_lifetimes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
