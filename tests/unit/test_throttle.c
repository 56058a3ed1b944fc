#include "unit.h"

#include "shm.h"
#include "throttle.h"

/* The clock of the tests instead of the system's. */
static int64_t now = 600000;

int64_t
shm_now_ms(void)
{
	return now;
}

uint64_t
shm_boot(void)
{
	return 1;
}

static _Alignas(8) char memory[4096 * 8];

void *
shm_take(size_t bytes)
{
	assert_int_equal(bytes, sizeof memory);
	return memory;
}

static int
opened(void **state)
{
	(void)state;
	memset(memory, 0, sizeof memory);
	throttle_open();
	now = 600000;
	return 0;
}

FACT(ten_failures_fill_a_minute)
{
	int i;

	for (i = 0; i < THROTTLE_PER_MINUTE; i++) {
		assert_false(throttle_is_full("anna"));
		throttle_count("anna");
	}
	assert_true(throttle_is_full("anna"));
	assert_false(throttle_is_full("bob"));
	assert_false(throttle_is_full(""));
	now += 59999;
	assert_true(throttle_is_full("anna"));
	now += 1;
	assert_false(throttle_is_full("anna"));
}

FACT(a_minute_begins_anew)
{
	int i;

	for (i = 0; i < 5; i++)
		throttle_count("anna");
	now += 60000;
	for (i = 0; i < THROTTLE_PER_MINUTE - 1; i++)
		throttle_count("anna");
	assert_false(throttle_is_full("anna"));
	throttle_count("anna");
	assert_true(throttle_is_full("anna"));
}

/* A flood neither wraps around nor reaches into another minute. */
FACT(a_flood_stays_full)
{
	int i;

	for (i = 0; i < 200000; i++)
		throttle_count("anna");
	assert_true(throttle_is_full("anna"));
	now += 60000;
	assert_false(throttle_is_full("anna"));
}

int
main(void)
{
	const struct CMUnitTest facts[] = {
		cmocka_unit_test_setup(ten_failures_fill_a_minute, opened),
		cmocka_unit_test_setup(a_minute_begins_anew, opened),
		cmocka_unit_test_setup(a_flood_stays_full, opened),
	};

	return cmocka_run_group_tests(facts, NULL, NULL);
}
