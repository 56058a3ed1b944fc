#include "unit.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "claim.h"
#include "permit.h"
#include "shm.h"

#define LIMIT 12
#define WORKERS 4

/* Who is seen to hold what, beside the permits themselves. */
static struct seen {
	_Atomic int holder[PERMITS_MAX];
	_Atomic int in_all, most;
	_Atomic long taken, mistakes;
} *seen;

static const unsigned slots[] = { 0, 1, 2 };

static int
opened(void **state)
{
	(void)state;
	if (!shm_open_memory(-1, permit_bytes() + sizeof *seen + 2 * 4096, 1))
		return -1;
	permit_open();
	seen = shm_take(sizeof *seen);
	permit_share(LIMIT, slots, 3);
	return 0;
}

static bool
rings(unsigned slot)
{
	uint64_t n;

	return read(bell_descriptor(slot), &n, sizeof n) == sizeof n;
}

static unsigned
take_all(unsigned slot)
{
	unsigned n = 0;

	while (permit_take(slot) >= 0)
		n++;
	return n;
}

FACT(each_owns_its_share)
{
	assert_int_equal(permit_limit(), LIMIT);
	assert_int_equal(permit_owned(0), 4);
	assert_int_equal(permit_owned(2), 4);
	assert_int_equal(permit_owned(3), 0);
	permit_share(10, slots, 3);
	assert_int_equal(permit_owned(1), 3);
	permit_share(10, slots, 0);
	assert_int_equal(permit_owned(0), 0);
}

/* Idle ones are lent, but never the last of somebody who has none. */
FACT(what_is_unused_is_lent)
{
	assert_int_equal(take_all(0), LIMIT - 2);
	assert_int_equal(permit_held(0), LIMIT - 2);
	assert_true(permit_take(1) >= 0);
	assert_true(permit_take(2) >= 0);
	assert_int_equal(take_all(1) + take_all(2) + take_all(3), 0);
}

FACT(who_wants_his_own_gets_it_back)
{
	int permit, i;

	for (i = 0; i < LIMIT - 2; i++)
		permit = permit_take(0);
	assert_true(permit_take(1) >= 0);
	assert_true(permit_take(2) >= 0);
	assert_int_equal(permit_take(1), -1);
	assert_false(permit_wanted());
	permit_want(1);
	assert_true(permit_wanted());
	assert_true(rings(0));		/* the one that holds too many */
	assert_false(rings(2));
	permit_give(permit);		/* it never led anywhere */
	assert_true(rings(1));
	assert_int_equal(permit_take(0), -1);	/* not while one is wanted */
	assert_int_equal(permit_take(1), permit);
	assert_false(permit_wanted());
}

FACT(a_permit_is_free_when_its_server_process_is_gone)
{
	int pids[8], first, second;

	first = permit_take(0);
	second = permit_take(0);
	permit_backend(first, 4711);
	permit_backend(second, 4712);
	permit_give(first);
	assert_true(rings(SHM_LISTENER));
	assert_int_equal(permit_closing(pids, 8), 1);
	assert_int_equal(pids[0], 4711);
	assert_int_equal(permit_closing(pids, 0), 0);
	permit_gone(4712);		/* held, so not given back */
	assert_int_equal(permit_held(0), 1);
	assert_int_not_equal(permit_take(0), first);
	permit_gone(4711);
	assert_int_equal(permit_closing(pids, 8), 0);
	assert_int_equal(permit_take(0), first);
	/* and nothing is known of its new one */
	permit_give(first);
	assert_int_equal(permit_closing(pids, 8), 0);
}

FACT(the_dead_give_all_they_held)
{
	int pids[8];

	permit_backend(permit_take(0), 11);
	permit_take(0);			/* was just opening */
	permit_backend(permit_take(1), 12);
	permit_want(0);
	permit_give_all(0);
	assert_false(permit_wanted());
	assert_true(rings(SHM_LISTENER));
	assert_int_equal(permit_held(0), 0);
	assert_int_equal(permit_held(1), 1);
	assert_int_equal(permit_closing(pids, 8), 2);
	assert_int_equal(pids[0], 11);
	assert_int_equal(pids[1], 0);
	permit_gone(11);
	assert_int_equal(permit_closing(pids, 8), 1);
	usleep(1010000);		/* by now it would be known */
	assert_int_equal(permit_closing(pids, 8), 0);
	permit_give_all(1);
	permit_all_gone();
	assert_int_equal(permit_closing(pids, 8), 0);
	assert_int_equal(take_all(2), LIMIT - 2);
}

FACT(fewer_permits_count_as_they_come_back)
{
	int held[LIMIT], i;

	for (i = 0; i < LIMIT - 2; i++)
		held[i] = permit_take(0);
	permit_share(3, slots, 3);
	assert_int_equal(permit_owned(0), 1);
	assert_int_equal(permit_held(0), LIMIT - 2);
	assert_int_equal(permit_take(0), -1);
	for (i = 0; i < LIMIT - 2; i++)
		permit_give(held[i]);
	assert_int_equal(take_all(0) + take_all(1), 3);
}

/* --- at the same time --- */

static void
note_taken(int permit, unsigned slot)
{
	int nobody = 0, n;

	if (!atomic_compare_exchange_strong(&seen->holder[permit], &nobody,
	    (int)slot + 1))
		seen->mistakes++;
	n = atomic_fetch_add(&seen->in_all, 1) + 1;
	if (n > LIMIT)
		seen->mistakes++;
	if (n > seen->most)
		seen->most = n;
	seen->taken++;
}

static void
note_given(int permit)
{
	atomic_fetch_sub(&seen->in_all, 1);
	atomic_store(&seen->holder[permit], 0);
}

/* Takes and gives, as many as it gets, until it is killed or stopped. */
static _Noreturn void
work(unsigned slot, int rounds)
{
	int held[LIMIT], n = 0, permit, i;
	unsigned chance = slot + 1;

	for (i = 0; i < rounds; i++) {
		chance = chance * 1103515245 + 12345;
		if (chance >> 16 & 1) {
			if (n < LIMIT && (permit = permit_take(slot)) >= 0) {
				note_taken(permit, slot);
				held[n++] = permit;
			} else if (permit_held(slot) < permit_owned(slot))
				permit_want(slot);
		} else if (n > 0) {
			note_given(held[--n]);
			permit_give(held[n]);
		}
		rings(slot);
	}
	while (n > 0) {
		note_given(held[--n]);
		permit_give(held[n]);
	}
	_exit(0);
}

FACT(there_are_never_more_than_were_granted)
{
	static const unsigned all[] = { 0, 1, 2, 3 };
	pid_t workers[WORKERS];
	unsigned i;
	int status;

	permit_share(LIMIT, all, WORKERS);
	for (i = 0; i < WORKERS; i++)
		if ((workers[i] = fork()) == 0)
			work(i, 20000);
	for (i = 0; i < WORKERS; i++) {
		waitpid(workers[i], &status, 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(seen->mistakes, 0);
	assert_int_equal(seen->in_all, 0);
	assert_true(seen->taken > 1000);
	assert_true(seen->most > LIMIT / 2);
}

/* What the killed held is all that is missing, and comes back. */
FACT(a_killed_worker_takes_nothing_with_it)
{
	int round, pids[LIMIT];
	pid_t worker;
	unsigned n;

	for (round = 0; round < 50; round++) {
		if ((worker = fork()) == 0)
			work(0, 1 << 30);
		usleep(2000);
		kill(worker, SIGKILL);
		waitpid(worker, NULL, 0);
		n = permit_held(0);
		permit_give_all(0);
		assert_int_equal(permit_closing(pids, LIMIT), n);
		permit_all_gone();
		assert_int_equal(permit_held(0), 0);
		memset(seen, 0, sizeof *seen);
	}
	assert_int_equal(take_all(1), LIMIT - 2);
}

#define P(fact) cmocka_unit_test_setup(fact, opened)

int
main(void)
{
	const struct CMUnitTest facts[] = {
		P(each_owns_its_share), P(what_is_unused_is_lent),
		P(who_wants_his_own_gets_it_back),
		P(a_permit_is_free_when_its_server_process_is_gone),
		P(the_dead_give_all_they_held),
		P(fewer_permits_count_as_they_come_back),
		P(there_are_never_more_than_were_granted),
		P(a_killed_worker_takes_nothing_with_it),
	};

	if (!bell_open())
		return 1;
	return cmocka_run_group_tests(facts, NULL, NULL);
}
