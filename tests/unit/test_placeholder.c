#include "unit.h"

#include "placeholder.h"

static struct placeholders found;
static char out[4096];

/* Into memory of exactly the size that is enough. */
static enum placeholder_fault
replace(const char *text, size_t length)
{
	size_t size = 2 * length + 1;
	char *exact = malloc(size), *copy = malloc(length + 1) ;
	enum placeholder_fault fault;

	memcpy(copy + 1, text, length);
	fault = placeholder_replace(copy + 1, length, exact, size, &found);
	if (fault == PLACEHOLDER_FINE)
		snprintf(out, sizeof out, "%s", exact);
	free(exact);
	free(copy);
	return fault;
}

static const struct {
	const char *text, *out;
} rows[] = {
	{ "SELECT 1", "SELECT 1" }, { "SELECT 1;", "SELECT 1" },
	{ "SELECT 1 ;\n-- done\n/* so */ ", "SELECT 1" },
	{ "SELECT :'a'::int", "SELECT $1::int" },
	{ "SELECT :'a', :'b', :'a'", "SELECT $1, $2, $1" },
	{ "SELECT x::text, :'a'", "SELECT x::text, $1" },
	{ "SELECT a[1:2]", "SELECT a[1:2]" },
	{ "SELECT x:=:'a'", "SELECT x:=$1" },
	/* nothing inside of quotes and comments */
	{ "SELECT ':''a''', :'a'", "SELECT ':''a''', $1" },
	{ "SELECT ':''a'''", "SELECT ':''a'''" },
	{ "SELECT \":'a'\"", "SELECT \":'a'\"" },
	{ "SELECT \"a\"\":'b'\"", "SELECT \"a\"\":'b'\"" },
	{ "SELECT $$:'a'$$", "SELECT $$:'a'$$" },
	{ "SELECT $x$ $$ :'a' $x$", "SELECT $x$ $$ :'a' $x$" },
	{ "SELECT $x$:'a'$y$$x$, :'b'", "SELECT $x$:'a'$y$$x$, $1" },
	{ "SELECT 1 -- :'a'\n, :'b'", "SELECT 1 -- :'a'\n, $1" },
	{ "SELECT 1 /* :'a' /* ; */ ' */, :'b'",
	    "SELECT 1 /* :'a' /* ; */ ' */, $1" },
	{ "SELECT ';', \";\", $$;$$", "SELECT ';', \";\", $$;$$" },
	/* E'' strings know backslashes, others do not */
	{ "SELECT E'\\':''a', :'b'", "SELECT E'\\':''a', $1" },
	{ "SELECT '\\', :'b'", "SELECT '\\', $1" },
	{ "SELECT e'a\\'' \n '\\'b', :'c'", "SELECT e'a\\'' \n '\\'b', $1" },
	{ "SELECT tableE'a', :'b'", "SELECT tableE'a', $1" },
	/* a number keeps apart from words beside it */
	{ "SELECT a:'b'c", "SELECT a $1 c" },
	{ "SELECT 1:'b'2", "SELECT 1 $1 2" },
	{ "LIMIT:'a'OFFSET:'b'", "LIMIT $1 OFFSET $2" },
	/* a $ in a word is no quote */
	{ "SELECT a$b$c", "SELECT a$b$c" },
	{ "SELECT :'_a1'", "SELECT $1" },
	{ "SELECT \xc3\xa4, :'a'", "SELECT \xc3\xa4, $1" },
};

FACT(names_become_numbers)
{
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		ROW_TRUE(replace(rows[i].text, strlen(rows[i].text)) ==
		    PLACEHOLDER_FINE, rows[i].text);
		assert_string_equal(out, rows[i].out);
	}
}

static const struct {
	const char *text;
	enum placeholder_fault fault;
	size_t at;
} wrong[] = {
	{ "SELECT :''", PLACEHOLDER_NAME, 7 },
	{ "SELECT :'a b'", PLACEHOLDER_NAME, 7 },
	{ "SELECT :'a", PLACEHOLDER_NAME, 7 },
	{ "SELECT :'1a'", PLACEHOLDER_NAME, 7 },
	{ "SELECT :'\xc3\xa4'", PLACEHOLDER_NAME, 7 },
	{ "SELECT $1", PLACEHOLDER_DOLLAR, 7 },
	{ "SELECT $", PLACEHOLDER_DOLLAR, 7 },
	{ "SELECT 'a", PLACEHOLDER_OPEN, 7 },
	{ "SELECT 'a''", PLACEHOLDER_OPEN, 7 },
	{ "SELECT \"a", PLACEHOLDER_OPEN, 7 },
	{ "SELECT E'\\'", PLACEHOLDER_OPEN, 8 },
	{ "SELECT $$a$", PLACEHOLDER_OPEN, 7 },
	{ "SELECT $a$b$B$", PLACEHOLDER_OPEN, 7 },
	{ "SELECT /* /* */", PLACEHOLDER_OPEN, 7 },
	{ "SELECT 1; SELECT 2", PLACEHOLDER_SECOND, 10 },
	{ "SELECT 1;;", PLACEHOLDER_SECOND, 9 },
	{ "SELECT 1; /* x", PLACEHOLDER_OPEN, 10 },
	{ "", PLACEHOLDER_EMPTY, 0 }, { " \n", PLACEHOLDER_EMPTY, 0 },
	{ ";", PLACEHOLDER_EMPTY, 0 }, { "-- a\n;", PLACEHOLDER_EMPTY, 0 },
	{ "\\c other", PLACEHOLDER_BYTE, 0 },
	{ "SELECT 1 \\gexec", PLACEHOLDER_BYTE, 9 },
};

FACT(what_is_no_statement_is_refused_with_its_place)
{
	size_t i;

	for (i = 0; i < COUNT(wrong); i++) {
		ROW_TRUE(replace(wrong[i].text, strlen(wrong[i].text)) ==
		    wrong[i].fault, wrong[i].text);
		ROW_TRUE(found.at == wrong[i].at, wrong[i].text);
	}
	assert_int_equal(replace("SELECT\0 1", 9), PLACEHOLDER_BYTE);
}

FACT(there_are_twenty_four_names_of_sixty_three_letters)
{
	char text[4096] = "SELECT";
	int i, n = 6;

	for (i = 0; i < PLACEHOLDERS_MAX; i++)
		n += sprintf(text + n, " :'a%d'", i);
	assert_int_equal(replace(text, (size_t)n), PLACEHOLDER_FINE);
	assert_int_equal(found.count, PLACEHOLDERS_MAX);
	assert_non_null(strstr(out, " $24"));
	n += sprintf(text + n, " :'a0'");
	assert_int_equal(replace(text, (size_t)n), PLACEHOLDER_FINE);
	n += sprintf(text + n, " :'b'");
	assert_int_equal(replace(text, (size_t)n), PLACEHOLDER_MANY);
	for (i = 63; i <= 64; i++) {
		n = sprintf(text, "SELECT :'a%0*d'", i - 1, 0);
		assert_int_equal(replace(text, (size_t)n), i == 63 ?
		    PLACEHOLDER_FINE : PLACEHOLDER_NAME);
	}
}

FACT(the_names_are_where_they_were_found)
{
	static const char text[] = "SELECT :'first', :'second'";

	assert_int_equal(replace(text, sizeof text - 1), PLACEHOLDER_FINE);
	assert_int_equal(found.count, 2);
	assert_memory_equal(text + found.names[0].start, "first", 5);
	assert_int_equal(found.names[0].length, 5);
	assert_memory_equal(text + found.names[1].start, "second", 6);
}

FACT(too_small_a_place_is_not_left)
{
	static const char text[] = "SELECT :'a'";
	char small[16];
	size_t size, i;

	for (size = 0; size < 12; size++) {
		memset(small, '#', sizeof small);
		assert_int_equal(placeholder_replace(text, sizeof text - 1,
		    small, size, &found), size < 10 ? PLACEHOLDER_ROOM :
		    PLACEHOLDER_FINE);
		for (i = size; i < sizeof small; i++)
			assert_int_equal(small[i], '#');
	}
}

RUN(T(names_become_numbers),
    T(what_is_no_statement_is_refused_with_its_place),
    T(there_are_twenty_four_names_of_sixty_three_letters),
    T(the_names_are_where_they_were_found),
    T(too_small_a_place_is_not_left))
