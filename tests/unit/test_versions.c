/* The shared memory, and the versions in it. */
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "queries.h"
#include "shm.h"
#include "versions.h"

/* As after a write that nobody else hears of. */
static void
bump(const char *names)
{
	versions_bump(names, versions_write_begins(0));
}

#define LAYOUT 7
#define BYTES (versions_bytes() + 3 * 4096)

static int
opened(void **state)
{
	(void)state;
	if (!shm_open_memory(-1, BYTES, LAYOUT))
		return -1;
	versions_open();
	return 0;
}

FACT(memory_is_handed_out_in_pages_until_it_ends)
{
	char *a, *b;

	assert_true(shm_open_memory(-1, 3 * 4096, LAYOUT));
	assert_false(shm_inherited());
	assert_int_not_equal(shm_boot(), 0);
	a = shm_take(1);
	b = shm_take(4097);
	assert_int_equal(b - a, 4096);
	assert_int_equal((uintptr_t)a % 4096, 0);
	assert_int_equal(a[0] | b[0] | b[8191], 0);
	assert_null(shm_take(4097));
}

FACT(memory_goes_on_in_the_next_program_of_its_layout)
{
	uint64_t boot;
	char *a;
	int fd;

	assert_true(shm_open_memory(-1, 4096, LAYOUT));
	boot = shm_boot();
	fd = shm_descriptor();
	a = shm_take(4096);
	strcpy(a, "kept");
	assert_true(shm_open_memory(dup(fd), 4096, LAYOUT));
	assert_true(shm_inherited());
	assert_int_equal(shm_boot(), boot);
	assert_string_equal(shm_take(4096), "kept");
	/* another layout, another size, no memory at all: a new one */
	assert_true(shm_open_memory(dup(fd), 4096, LAYOUT + 1));
	assert_false(shm_inherited());
	assert_int_not_equal(shm_boot(), boot);
	assert_true(shm_open_memory(dup(fd), 8192, LAYOUT));
	assert_false(shm_inherited());
	assert_true(shm_open_memory(memfd_create("x", 0), 4096, LAYOUT));
	assert_false(shm_inherited());
	assert_true(shm_open_memory(99, 4096, LAYOUT));
	assert_false(shm_inherited());
}

FACT(the_descriptor_is_not_for_other_programs)
{
	assert_true(shm_open_memory(-1, 4096, LAYOUT));
	assert_int_equal(fcntl(shm_descriptor(), F_GETFD) & FD_CLOEXEC,
	    FD_CLOEXEC);
}

FACT(a_bump_makes_old_what_reads_the_table)
{
	struct versions none, one, two;

	versions_read(NONE, &none);
	versions_read(ONE, &one);
	versions_read(TWO, &two);
	bump("t1");
	assert_true(versions_current(NONE, &none));
	assert_true(versions_current(ONE, &one));
	assert_false(versions_current(TWO, &two));
	versions_read(TWO, &two);
	bump("t0");
	assert_true(versions_current(NONE, &none));
	assert_false(versions_current(ONE, &one));
	assert_false(versions_current(TWO, &two));
}

FACT(names_are_whole_words)
{
	struct versions two;
	uint64_t before = versions_bumps();

	versions_read(TWO, &two);
	bump("");
	assert_int_equal(versions_bumps(), before);
	bump("t t00 T0 other t10 t0x  x");
	assert_true(versions_current(TWO, &two));
	bump("other  t0 ");
	assert_false(versions_current(TWO, &two));
}

FACT(a_bump_of_all_spares_nothing_that_reads)
{
	struct versions one, two;

	versions_read(ONE, &one);
	versions_read(TWO, &two);
	versions_bump_all();
	assert_false(versions_current(ONE, &one));
	assert_false(versions_current(TWO, &two));
}

FACT(a_doubt_is_no_change)
{
	struct versions before, after;

	versions_read(TWO, &before);
	versions_doubt_all();
	assert_false(versions_current(TWO, &before));
	assert_true(versions_undisputed(TWO, &before));
	versions_read(TWO, &after);
	bump("t1");
	assert_false(versions_undisputed(TWO, &before));
	assert_false(versions_undisputed(TWO, &after));
	versions_read(TWO, &after);
	versions_doubt_all();
	assert_true(versions_undisputed(TWO, &after));
	versions_clear(TWO);
	assert_false(versions_undisputed(TWO, &after));
	versions_read(ONE, &after);
	versions_doubt_all();
	versions_bump_all();
	assert_false(versions_undisputed(ONE, &after));
}

FACT(clearing_is_for_one_statement)
{
	struct versions none, one;

	versions_read(NONE, &none);
	versions_read(ONE, &one);
	versions_clear(NONE);
	assert_false(versions_current(NONE, &none));
	assert_true(versions_current(ONE, &one));
	assert_true(versions_equal(&one, &one));
	assert_false(versions_equal(&none, &one));
}

FACT(trust_lasts_a_second)
{
	assert_int_equal(versions_alive_age_ms(), INT64_MAX);
	assert_false(versions_trusted());
	versions_alive(shm_now_ms());
	assert_true(versions_trusted());
	versions_lost();
	assert_false(versions_trusted());
	assert_in_range(versions_alive_age_ms(), 0, 900);
	versions_alive(shm_now_ms());
	usleep(1010000);
	assert_false(versions_trusted());
	versions_alive(shm_now_ms());
	assert_true(versions_trusted());
	assert_false(versions_unreachable());
	versions_set_unreachable(true);
	assert_true(versions_unreachable());
}

/* What the listener hears of a write. */
static void
notice(char *out, size_t size, const char *table, struct versions_origin origin)
{
	int n = snprintf(out, size, "%s ", table);

	assert_true(versions_origin_text(origin, out + n, size - (size_t)n) <
	    size - (size_t)n);
}

FACT(a_write_is_bumped_for_once_by_whoever_is_first)
{
	struct versions_origin a = versions_write_begins(3),
	    b = versions_write_begins(3);
	uint64_t before = versions_bumps();
	char of_a[64], of_b[64];

	assert_int_not_equal(a.number, b.number);
	notice(of_a, sizeof of_a, "t0", a);
	notice(of_b, sizeof of_b, "t0", b);
	versions_bump("t0 t1", b);
	assert_int_equal(versions_bumps(), before + 2);
	assert_false(versions_heard(of_b));
	assert_int_equal(versions_bumps(), before + 2);
	assert_true(versions_heard(of_a));
	assert_int_equal(versions_bumps(), before + 3);
	versions_bump("t0 t1", a);
	assert_int_equal(versions_bumps(), before + 4);
}

FACT(a_mark_is_forgotten_rather_than_mistaken)
{
	struct versions_origin first = versions_write_begins(0);
	char text[64];
	int i;

	notice(text, sizeof text, "t0", first);
	versions_bump("t0", first);
	for (i = 0; i < 255; i++)
		versions_bump("t0", versions_write_begins(0));
	assert_false(versions_heard(text));
	versions_bump("t0", versions_write_begins(0));
	assert_true(versions_heard(text));
	/* It has no mark to be found in. */
	assert_true(versions_heard(text));
}

FACT(a_strange_origin_is_none_of_ours)
{
	unsigned long long boot = (unsigned long long)shm_boot();
	static const char *const formats[] = {
		"t0", "t0 ", "t0 x", "t0 .", "t0 %llx", "t0 %llx.3",
		"t0 %llx.3.", "t0 %llx.3.0", "t0 %llx.99.1",
		"t0 %llx.ffffffff.1", "t0 %llx.40.0", "t0 %llx.3.10001",
		"t0 %llx.-1.1"
	};
	char text[100];
	size_t i;

	versions_bump("t0", versions_write_begins(3));
	for (i = 0; i < COUNT(formats); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
		snprintf(text, sizeof text, formats[i], boot);
#pragma GCC diagnostic pop
		ROW_TRUE(versions_heard(text), text);
	}
	snprintf(text, sizeof text, "t0 %llx.3.1", boot ^ 1);
	assert_true(versions_heard(text));
	snprintf(text, sizeof text, "t0 %llx.3.1", boot);
	assert_false(versions_heard(text));
}

/* Nor when the writes have been so many that a mark looks like one of theirs. */
FACT(who_names_no_write_is_never_passed_over)
{
	struct versions_origin nobody = { 0 }, last;
	uint64_t before;

	do
		last = versions_write_begins(0);
	while (last.number % (UINT64_C(256) << 16) != 0);
	versions_bump("t0", last);
	before = versions_bumps();
	versions_bump("t0", nobody);
	assert_true(versions_heard("t0"));
	assert_int_equal(versions_bumps(), before + 2);
}

#define BUMPS 100000

static void *
bump_often(void *nothing)
{
	int i;

	for (i = 0; i < BUMPS; i++)
		bump("t0");
	return nothing;
}

FACT(no_bump_is_lost)
{
	struct versions before, after;
	pthread_t other;

	versions_read(ONE, &before);
	assert_int_equal(pthread_create(&other, NULL, bump_often, NULL), 0);
	bump_often(NULL);
	pthread_join(other, NULL);
	versions_read(ONE, &after);
	assert_int_equal(after.at[1] - before.at[1], 2 * BUMPS);
}

/* What one process bumped before it told, the other sees. */
FACT(a_bump_is_seen_by_other_processes)
{
	struct versions one;
	pid_t child;
	int status;

	versions_read(ONE, &one);
	if ((child = fork()) == 0) {
		bump("t0");
		_exit(0);
	}
	waitpid(child, &status, 0);
	assert_false(versions_current(ONE, &one));
}

#define V(fact) cmocka_unit_test_setup(fact, opened)

int
main(void)
{
	const struct CMUnitTest facts[] = {
		T(memory_is_handed_out_in_pages_until_it_ends),
		T(memory_goes_on_in_the_next_program_of_its_layout),
		T(the_descriptor_is_not_for_other_programs),
		V(a_bump_makes_old_what_reads_the_table),
		V(names_are_whole_words),
		V(a_bump_of_all_spares_nothing_that_reads),
		V(a_doubt_is_no_change),
		V(clearing_is_for_one_statement),
		V(trust_lasts_a_second),
		V(a_write_is_bumped_for_once_by_whoever_is_first),
		V(a_mark_is_forgotten_rather_than_mistaken),
		V(a_strange_origin_is_none_of_ours),
		V(who_names_no_write_is_never_passed_over),
		V(no_bump_is_lost),
		V(a_bump_is_seen_by_other_processes),
	};

	return cmocka_run_group_tests(facts, NULL, NULL);
}
