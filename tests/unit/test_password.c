#include "unit.h"

#include <event2/event.h>

#include "bcrypt.h"
#include "password.h"

/* As pgcrypto wrote them: crypt('admin123', gen_salt('bf')) and so on. */
static const struct {
	const char *password, *hash;
} old[] = {
	{ "U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW" },
	{ "U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK" },
	{ "", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy" },
};

FACT(old_hashes_are_known)
{
	size_t i, j;

	for (i = 0; i < COUNT(old); i++)
		for (j = 0; j < COUNT(old); j++)
			assert_int_equal(password_right(old[i].password,
			    old[j].hash), i == j);
}

FACT(a_new_hash_is_right_for_its_password_only)
{
	char hash[PASSWORD_HASH_SIZE], other[PASSWORD_HASH_SIZE];

	assert_true(password_make("\xc3\xb6" "ffne dich", 4, hash));
	assert_int_equal(strlen(hash), 60);
	assert_memory_equal(hash, "$2a$04$", 7);
	assert_true(password_right("\xc3\xb6" "ffne dich", hash));
	assert_false(password_right("\xc3\xb6" "ffne dicH", hash));
	assert_false(password_right("", hash));
	assert_true(password_make("\xc3\xb6" "ffne dich", 4, other));
	assert_string_not_equal(hash, other);
}

FACT(seventy_two_bytes_count)
{
	char hash[PASSWORD_HASH_SIZE], word[600];

	memset(word, 'x', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	word[72] = '\0';
	assert_true(password_make(word, 4, hash));
	word[72] = 'y';
	assert_true(password_right(word, hash));	/* bcrypt reads no more */
	word[71] = 'z';
	assert_false(password_right(word, hash));
}

FACT(what_is_no_hash_is_never_right)
{
	static const char *const hashes[] = {
		"", "*0", "*1", "x", "$2a$", "$1$abc$def",
		"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe",
		"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeWW",
		"$2c$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$2a$5$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeWW",
		"$2a$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$2a$05$CCCCCCCCCCCCCCCCCCCCC:E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvy\nW",
		"$1a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"x2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$2a.05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$2a$/5$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$2a$:5$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$2a$0/$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$2a$0:$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$2a$05.CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$2a$17$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$6$abcdefgh$1234567890123456789012345678901234567890123456",
	};
	size_t i;

	for (i = 0; i < COUNT(hashes); i++) {
		ROW_TRUE(!password_right("U*U", hashes[i]), hashes[i]);
		ROW_TRUE(bcrypt_cost(hashes[i]) == -1, hashes[i]);
	}
	assert_int_equal(bcrypt_cost(old[0].hash), 5);
}

/* --- the helper --- */

static struct event_base *base;
static int calls;
static bool last_right;
static char last_hash[PASSWORD_HASH_SIZE];

static void
on_checked(void *context, bool right, const char *again)
{
	assert_ptr_equal(context, &calls);
	calls++;
	last_right = right;
	strcpy(last_hash, again);
}

static void
on_hashed(void *context, const char *hash)
{
	assert_ptr_equal(context, &calls);
	calls++;
	strcpy(last_hash, hash);
}

static void
wait_for(int count)
{
	while (calls < count)
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	assert_int_equal(calls, count);
}

static int
start(void **state)
{
	(void)state;
	calls = 0;
	base = event_base_new();
	return password_open(base, 6) ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	password_close();
	event_base_free(base);
	return 0;
}

static void
check(const char *password, const char *hash)
{
	assert_true(password_check(password, hash, on_checked, &calls));
	wait_for(calls + 1);
}

FACT(the_helper_checks)
{
	check("U*U", old[0].hash);
	assert_true(last_right);
	check("U*V", old[0].hash);
	assert_false(last_right);
	assert_string_equal(last_hash, "");
	check("U*U", NULL);
	assert_false(last_right);
	check("U*U", "nonsense");
	assert_false(last_right);
}

FACT(a_cheap_hash_is_made_anew_when_the_password_is_right)
{
	char cheap[PASSWORD_HASH_SIZE], dear[PASSWORD_HASH_SIZE];

	assert_true(password_make("U*U", 4, cheap));
	assert_true(password_make("U*U", 7, dear));
	check("U*U", cheap);
	assert_int_equal(bcrypt_cost(last_hash), 6);
	assert_true(password_right("U*U", last_hash));
	check("U*V", cheap);
	assert_string_equal(last_hash, "");
	check("U*U", dear);
	assert_true(last_right);
	assert_string_equal(last_hash, "");
}

FACT(the_helper_hashes)
{
	assert_true(password_hash("U*U", on_hashed, &calls));
	wait_for(1);
	assert_true(password_right("U*U", last_hash));
	assert_int_equal(bcrypt_cost(last_hash), 6);
}

FACT(few_may_wait)
{
	int taken = 0, i;

	for (i = 0; i < 100; i++)
		taken += password_check("x", old[0].hash, on_checked, &calls);
	assert_in_range(taken, 4, 20);
	wait_for(taken);
	assert_true(password_check("x", old[0].hash, on_checked, &calls));
	wait_for(taken + 1);
}

FACT(it_ends_while_somebody_waits)
{
	int i;

	for (i = 0; i < 4; i++)
		password_check("x", old[0].hash, on_checked, &calls);
}

int
main(void)
{
	const struct CMUnitTest facts[] = {
		T(old_hashes_are_known),
		T(a_new_hash_is_right_for_its_password_only),
		T(seventy_two_bytes_count),
		T(what_is_no_hash_is_never_right),
		cmocka_unit_test_setup_teardown(the_helper_checks, start, end),
		cmocka_unit_test_setup_teardown(
		    a_cheap_hash_is_made_anew_when_the_password_is_right,
		    start, end),
		cmocka_unit_test_setup_teardown(the_helper_hashes, start, end),
		cmocka_unit_test_setup_teardown(few_may_wait, start, end),
		cmocka_unit_test_setup_teardown(it_ends_while_somebody_waits,
		    start, end),
	};

	return cmocka_run_group_tests(facts, NULL, NULL);
}
