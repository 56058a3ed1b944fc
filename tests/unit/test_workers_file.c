#include "unit.h"

#include "workers_file.h"

static struct workers_file workers;
static char why[512], path[64];

static bool
read_text(const char *text, size_t length)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fwrite(text, 1, length, file);
	fclose(file);
	strcpy(why, "");
	return workers_file_read(path, &workers, why, sizeof why);
}

static bool
reads(const char *text)
{
	return read_text(text, strlen(text));
}

static int
make_path(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/test_workers_file.XXXXXX");
	fd = mkstemp(path);
	return fd == -1 ? -1 : close(fd);
}

static int
remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

FACT(each_socket_is_a_worker)
{
	assert_true(reads("# the workers\n\n"
	    "server unix:/run/a.sock max_fails=0;\r\n"
	    "\tserver\tunix:/run/b.sock weight=2 max_fails=0; # two\n"
	    "server unix:/run/a.sock max_fails=0 fail_timeout=1s;"));
	assert_int_equal(workers.count, 2);
	assert_string_equal(workers.path[0], "/run/a.sock");
	assert_string_equal(workers.path[1], "/run/b.sock");
	assert_false(workers.once[0]);
	assert_true(workers.once[1]);
	assert_false(workers.no_max_fails[0]);
	assert_false(workers.no_max_fails[1]);
}

FACT(a_line_that_is_down_is_none)
{
	assert_true(reads("server unix:/run/a.sock max_fails=0 down;\n"
	    "server unix:/run/b.sock backup;\n"));
	assert_int_equal(workers.count, 1);
	assert_string_equal(workers.path[0], "/run/b.sock");
	assert_true(workers.no_max_fails[0]);
}

FACT(max_fails_counts_on_every_line_of_a_socket)
{
	assert_true(reads("server unix:/a max_fails=0;\n"
	    "server unix:/a;\n"));
	assert_true(workers.no_max_fails[0]);
	assert_true(reads("server unix:/a max_fails=00;\n"));
	assert_true(workers.no_max_fails[0]);
}

static const struct {
	const char *text, *line;
} wrong[] = {
	{ "", ":1: no worker" }, { "# nothing\n", ": no worker" },
	{ "server unix:/a down;\n", ": no worker" },
	{ "server unix:/a", ":1: a line ends with a semicolon" },
	{ "\nserver unix:/a # x;\n", ":2: a line ends" },
	{ "server unix:/a; server unix:/b;", ":1: one server a line" },
	{ "server unix:/a;;", ":1: one server" },
	{ "server 127.0.0.1:80;", ":1: behind \"server\"" },
	{ "server;", ":1: behind" }, { ";", ":1: only" },
	{ "upstream x { server unix:/a; }", ":1: one server" },
	{ "listen unix:/a;", ":1: only" },
	{ "server unix:a.sock;", ":1: the path of a socket begins" },
	{ "server unix:;", ":1: the path" },
	{ "server unix:/a$b;", ":1: the path of a socket has an odd" },
	{ "server unix:/a:8080;", "odd character" },
	{ "server unix:\"/a\";", ":1: the path" },
	{ "server unix:/\xc3\xa4;", "odd character" },
	{ "server unix:/a weight;", ":1: nginx knows no" },
	{ "server unix:/a weight=;", ":1: nginx knows no" },
	{ "server unix:/a downs;", ":1: nginx knows no" },
	{ "server unix:/a max_fails = 0;", ":1: nginx knows no" },
};

FACT(what_is_not_understood_is_refused_with_its_line)
{
	size_t i;

	for (i = 0; i < COUNT(wrong); i++) {
		ROW_TRUE(!reads(wrong[i].text), wrong[i].text);
		if (strstr(why, wrong[i].line) == NULL)
			fail_msg("%s: %s", wrong[i].text, why);
		assert_memory_equal(why, path, strlen(path));
		assert_null(strchr(why, '\n'));
	}
	assert_false(read_text("server unix:/a;\0\n", 17));
	assert_non_null(strstr(why, "a NUL"));
}

FACT(a_path_is_as_long_as_a_socket_can_take)
{
	char text[256];
	int n;

	for (n = 106; n <= 108; n++) {
		sprintf(text, "server unix:/%0*d;", n - 1, 0);
		assert_int_equal(reads(text), n < 108);
	}
}

FACT(there_are_sixty_four_at_most)
{
	char text[4096];
	int n, i;

	for (i = n = 0; i < 64; i++)
		n += sprintf(text + n, "server unix:/%d;\n", i);
	assert_true(reads(text));
	assert_int_equal(workers.count, 64);
	n += sprintf(text + n, "server unix:/0;\nserver unix:/65 down;\n");
	assert_true(reads(text));
	sprintf(text + n, "server unix:/64;\n");
	assert_false(reads(text));
	assert_non_null(strstr(why, ":67: there are more than 64"));
}

FACT(no_file_and_too_large_a_file)
{
	static char text[70000];

	assert_false(workers_file_read("/nowhere/at/all", &workers, why,
	    sizeof why));
	assert_string_equal(why,
	    "/nowhere/at/all: No such file or directory");
	assert_false(workers_file_read("/tmp", &workers, why, sizeof why));
	assert_string_equal(why, "/tmp: Is a directory");
	memset(text, '\n', sizeof text);
	assert_false(read_text(text, sizeof text));
	assert_non_null(strstr(why, "too long"));
}

int
main(void)
{
	const struct CMUnitTest facts[] = {
		T(each_socket_is_a_worker), T(a_line_that_is_down_is_none),
		T(max_fails_counts_on_every_line_of_a_socket),
		T(what_is_not_understood_is_refused_with_its_line),
		T(a_path_is_as_long_as_a_socket_can_take),
		T(there_are_sixty_four_at_most),
		T(no_file_and_too_large_a_file),
	};

	return cmocka_run_group_tests(facts, make_path, remove_path);
}
