#include "unit.h"

#include "match.h"

/* A table for tests instead of the program's. */
static struct route table[300] = {
	{ .method = GET, .path = "/api/jobs" },
	{ .method = POST, .path = "/api/jobs" },
	{ .method = GET, .path = "/api/jobs/{id}" },
	{ .method = PATCH, .path = "/api/jobs/{id}" },
	{ .method = DELETE, .path = "/api/jobs/{id}" },
	{ .method = GET, .path = "/api/tasks/{id}" },
	{ .method = GET, .path = "/api/tasks/history" },
	{ .method = POST, .path = "/api/tasks/{id}/notes/{note}" },
	{ .method = GET, .path = "/" },
};
#define ROWS 9

extern const struct route routes[300] __attribute__((alias("table")));
size_t count = ROWS;
extern const size_t routes_count __attribute__((alias("count")));

static struct request request;

static enum match
look(enum http_method method, const char *path, char allow[64])
{
	static char copy[512];
	char *rest = strcpy(copy, path);

	memset(&request, 0, sizeof request);
	request.method = method;
	rest++;
	while (rest != NULL)
		request.segments[request.segment_count++] = strsep(&rest, "/");
	return match_route(&request, allow, 64);
}

static int
opened(void **state)
{
	char why[200];

	(void)state;
	return match_open(why, sizeof why) ? 0 : -1;
}

static const struct {
	enum http_method method;
	const char *path;
	int row;		/* -1: no path; -2: no method */
	const char *allow;
} rows[] = {
	{ HTTP_GET, "/api/jobs", 0, "" }, { HTTP_POST, "/api/jobs", 1, "" },
	{ HTTP_GET, "/api/jobs/7", 2, "" }, { HTTP_PATCH, "/api/jobs/x", 3, "" },
	{ HTTP_DELETE, "/api/jobs/x", 4, "" },
	{ HTTP_GET, "/api/tasks/history", 6, "" },
	{ HTTP_GET, "/api/tasks/histor", 5, "" },
	{ HTTP_POST, "/api/tasks/1/notes/2", 7, "" },
	{ HTTP_GET, "/", 8, "" },
	{ HTTP_GET, "/api", -1, "" }, { HTTP_GET, "/api/job", -1, "" },
	{ HTTP_GET, "/api/jobs/", -1, "" }, { HTTP_GET, "//api/jobs", -1, "" },
	{ HTTP_GET, "/api//jobs", -1, "" }, { HTTP_GET, "/API/jobs", -1, "" },
	{ HTTP_GET, "/api/jobs/1/2", -1, "" },
	{ HTTP_GET, "/api/tasks/1/notes/", -1, "" },
	{ HTTP_GET, "/api/{id}", -1, "" },
	{ HTTP_GET, "/a/b/c/d/e/f/g/h/i/j/k/l", -1, "" },
	{ HTTP_PATCH, "/api/jobs", -2, "GET, HEAD, POST" },
	{ HTTP_OTHER, "/api/jobs", -2, "GET, HEAD, POST" },
	{ HTTP_POST, "/api/jobs/1", -2, "GET, HEAD, PATCH, DELETE" },
	{ HTTP_DELETE, "/api/tasks/history", -2, "GET, HEAD" },
	{ HTTP_GET, "/api/tasks/1/notes/2", -2, "POST" },
};

FACT(a_path_and_a_method_mean_one_route)
{
	char allow[64];
	enum match found;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		found = look(rows[i].method, rows[i].path, allow);
		ROW_TRUE(found == (rows[i].row >= 0 ? MATCH_FOUND :
		    rows[i].row == -1 ? MATCH_NO_PATH : MATCH_NO_METHOD),
		    rows[i].path);
		if (found == MATCH_FOUND) {
			ROW_TRUE(request.route == &table[rows[i].row],
			    rows[i].path);
			assert_int_equal(request.route_index, rows[i].row);
		} else {
			assert_string_equal(allow, rows[i].allow);
		}
	}
}

FACT(a_route_knows_the_values_of_its_path)
{
	char allow[64];

	look(HTTP_POST, "/api/tasks/seven/notes/eight", allow);
	assert_string_equal(match_value(&request, "id"), "seven");
	assert_string_equal(match_value(&request, "note"), "eight");
	assert_null(match_value(&request, "i"));
	assert_null(match_value(&request, "notes"));
	assert_true(match_has(&table[2], "id"));
	assert_false(match_has(&table[0], "id"));
	assert_string_equal(match_method_name(DELETE), "DELETE");
}

static const struct {
	const char *path, *why;
} wrong[] = {
	{ "/api/jobs/{other}", "two routes are GET /api/jobs" },
	{ "/api/jobs", "two routes are GET" },
	{ "api/jobs", "the path api/jobs of a route is malformed" },
	{ "", "malformed" },
	{ "/1/2/3/4/5/6/7/8/9/10/11/12/13", "malformed" },
};

FACT(a_table_that_means_two_things_is_refused)
{
	char why[200], allow[64];
	size_t i;

	for (i = 0; i < COUNT(wrong); i++) {
		table[ROWS] = (struct route){ .path = wrong[i].path };
		count = ROWS + 1;
		ROW_TRUE(!match_open(why, sizeof why), wrong[i].path);
		if (strstr(why, wrong[i].why) == NULL)
			fail_msg("%s: %s", wrong[i].path, why);
	}
	table[ROWS].path = "/1/2/3/4/5/6/7/8/9/10/11/12";
	assert_true(match_open(why, sizeof why));
	assert_int_equal(look(HTTP_GET, table[ROWS].path, allow),
	    MATCH_FOUND);
	count = 300;
	assert_false(match_open(why, sizeof why));
	count = ROWS;
}

int
main(void)
{
	const struct CMUnitTest facts[] = {
		cmocka_unit_test_setup(a_path_and_a_method_mean_one_route,
		    opened),
		cmocka_unit_test_setup(a_route_knows_the_values_of_its_path,
		    opened),
		T(a_table_that_means_two_things_is_refused),
	};

	return cmocka_run_group_tests(facts, NULL, NULL);
}
