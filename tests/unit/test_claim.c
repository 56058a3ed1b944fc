#include "unit.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "claim.h"
#include "shm.h"

#define ID UINT64_C(0x123456789abcdef0)
#define PLACES 16384

static int
opened(void **state)
{
	(void)state;
	if (!shm_open_memory(-1, claim_bytes(), 1))
		return -1;
	claim_open();
	return 0;
}

static bool
rings(unsigned slot)
{
	uint64_t n;

	return read(bell_descriptor(slot), &n, sizeof n) == sizeof n;
}

FACT(the_first_executes_and_the_others_wait)
{
	assert_false(claim_is_held(ID));
	assert_int_equal(claim_take(ID, 0), CLAIM_TAKEN);
	assert_true(claim_is_held(ID));
	assert_false(claim_has_waiters(ID));
	assert_int_equal(claim_take(ID, 1), CLAIM_OTHERS);
	assert_int_equal(claim_take(ID, 63), CLAIM_OTHERS);
	assert_true(claim_has_waiters(ID));
	assert_false(rings(1));
	claim_release(ID, 0);
	assert_true(rings(1));
	assert_true(rings(63));
	assert_false(rings(0));
	assert_false(claim_is_held(ID));
	assert_false(claim_has_waiters(ID));
	assert_int_equal(claim_take(ID, 1), CLAIM_TAKEN);
	claim_release(ID, 1);
}

FACT(only_the_owner_releases)
{
	assert_int_equal(claim_take(ID, 3), CLAIM_TAKEN);
	claim_release(ID, 4);
	claim_release(ID + PLACES, 3);
	assert_true(claim_is_held(ID));
	claim_release(ID, 3);
	claim_release(ID, 3);
	assert_false(claim_is_held(ID));
}

FACT(flights_do_not_mix)
{
	/* one place, another flight: everybody for himself */
	assert_int_equal(claim_take(ID, 0), CLAIM_TAKEN);
	assert_int_equal(claim_take(ID + PLACES, 1), CLAIM_NONE);
	assert_false(claim_is_held(ID + PLACES));
	/* places of their own */
	assert_int_equal(claim_take(ID + 1, 1), CLAIM_TAKEN);
	assert_int_equal(claim_take(ID + 256, 1), CLAIM_TAKEN);
	claim_release(ID, 0);
	assert_true(claim_is_held(ID + 1));
	assert_true(claim_is_held(ID + 256));
	assert_int_equal(claim_take(0, 0), CLAIM_TAKEN);
	assert_true(claim_is_held(0));
	claim_release(0, 0);
	assert_false(claim_is_held(0));
}

FACT(a_dead_owner_is_released_by_the_master)
{
	pid_t worker;
	int i;

	if ((worker = fork()) == 0) {
		for (i = 0; i < 1000; i++)
			claim_take(ID + (uint64_t)i, 5);
		raise(SIGKILL);
	}
	waitpid(worker, NULL, 0);
	assert_int_equal(claim_take(ID + 2000, 6), CLAIM_TAKEN);
	assert_int_equal(claim_take(ID + 7, 2), CLAIM_OTHERS);
	assert_int_equal(claim_take(ID + 8, 3), CLAIM_OTHERS);
	claim_release_all(5);
	assert_true(rings(2));
	assert_true(rings(3));
	for (i = 0; i < 1000; i++)
		assert_false(claim_is_held(ID + (uint64_t)i));
	assert_true(claim_is_held(ID + 2000));
}

FACT(a_bell_rings_for_the_listener_and_many_times_at_once)
{
	int i;

	for (i = 0; i < 3; i++)
		bell_ring(SHM_LISTENER);
	assert_true(rings(SHM_LISTENER));
	assert_false(rings(SHM_LISTENER));
	bell_adopt(9999, 1);	/* nothing */
}

/* --- at the same time --- */

#define SLOTS 4
#define FLIGHTS 4000

static _Atomic int in_the_air;
static _Atomic long executed, waited, mistakes;

static void
execute(unsigned slot)
{
	if (atomic_fetch_add(&in_the_air, 1) != 0)
		mistakes++;
	executed++;
	atomic_fetch_sub(&in_the_air, 1);
	claim_release(ID, slot);
}

/* As a worker does: wait for the bell, look again. */
static void
wait_for_the_bell(unsigned slot)
{
	struct pollfd p = { .fd = bell_descriptor(slot), .events = POLLIN };
	uint64_t n;

	waited++;
	if (poll(&p, 1, 5000) != 1)
		mistakes++;
	else if (read(p.fd, &n, sizeof n) != sizeof n)
		mistakes++;
}

static void *
work(void *slot)
{
	unsigned me = (unsigned)(uintptr_t)slot;
	int i;

	for (i = 0; i < FLIGHTS; i++)
		switch (claim_take(ID, me)) {
		case CLAIM_TAKEN:
			execute(me);
			break;
		case CLAIM_OTHERS:
			wait_for_the_bell(me);
			break;
		case CLAIM_NONE:
			break;
		}
	return NULL;
}

FACT(one_at_a_time_and_nobody_is_forgotten)
{
	pthread_t threads[SLOTS];
	uintptr_t i;

	for (i = 0; i < SLOTS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work,
		    (void *)i), 0);
	for (i = 0; i < SLOTS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(mistakes, 0);
	assert_true(executed > FLIGHTS);
	assert_false(claim_is_held(ID));
}

#define C(fact) cmocka_unit_test_setup(fact, opened)

int
main(void)
{
	const struct CMUnitTest facts[] = {
		C(the_first_executes_and_the_others_wait),
		C(only_the_owner_releases), C(flights_do_not_mix),
		C(a_dead_owner_is_released_by_the_master),
		C(a_bell_rings_for_the_listener_and_many_times_at_once),
		C(one_at_a_time_and_nobody_is_forgotten),
	};

	if (!bell_open())
		return 1;
	return cmocka_run_group_tests(facts, NULL, NULL);
}
