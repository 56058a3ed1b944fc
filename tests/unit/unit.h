/* What every unit test begins with. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A fact: a sentence in words_with_underscores, and how it is seen. */
#define FACT(name) static void name(void **state __attribute__((unused)))
#define RUN(...) int main(void) { \
	const struct CMUnitTest facts[] = { __VA_ARGS__ }; \
	return cmocka_run_group_tests(facts, NULL, NULL); \
}
#define T(name) cmocka_unit_test(name)
#define COUNT(table) (sizeof (table) / sizeof *(table))

/* A row of a table failed: says which. */
#define ROW_TRUE(true_one, row) do { \
	if (!(true_one)) \
		fail_msg("%s: not so for: %s", #true_one, row); \
} while (0)

#endif
