#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "json.h"
#include "log.h"

static char said[200000];

/* What a child says on its standard error, which is `fd` for it. */
static void
listen_to(void (*speak)(void), int in, int out)
{
	size_t n = 0;
	ssize_t got;
	pid_t child = fork();
	int status;

	if (child == 0) {
		dup2(out, STDERR_FILENO);
		close(in);
		speak();
		_exit(0);
	}
	close(out);
	while ((got = read(in, said + n, sizeof said - 1 - n)) > 0)
		n += (size_t)got;
	said[n] = '\0';
	close(in);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
hear(void (*speak)(void))
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	listen_to(speak, ends[0], ends[1]);
}

/* Without the time, which stands first. */
static const char *
line(void)
{
	assert_true(strlen(said) > 25);
	assert_int_equal(said[23], 'Z');
	return said + 25;
}

static void
a_note(void)
{
	log_as("worker-0");
	log_note(LOG_NOTICE, "it is %d\nlines\x1b[0m", 2);
	log_note(LOG_DEBUG, "too much detail");
}

FACT(a_note_is_one_line)
{
	hear(a_note);
	assert_string_equal(line(), "worker-0 notice it is 2 lines [0m\n");
}

static void
an_event(void)
{
	struct log_line l;

	log_begin(&l, LOG_WARNING, "slow");
	log_text(&l, "route", "/api/jobs");
	log_text(&l, "odd", "a \"b\"\n\\\x7f\xc2\x85\xff\xc3\xa4");
	log_text(&l, "sign", "a=b");
	log_text(&l, "nothing", "");
	log_number(&l, "us", -12);
	log_end(&l);
	log_begin(&l, LOG_DEBUG, "unheard");
	log_text(&l, "a", "b");
	log_end(&l);
}

FACT(an_event_has_fields)
{
	hear(an_event);
	assert_string_equal(line(), "reklam warning slow route=/api/jobs "
	    "odd=\"a \\\"b\\\"\\n\\\\\\u007f\\u0085\\ufffd\xc3\xa4\" "
	    "sign=\"a=b\" nothing=\"\" us=-12\n");
}

static void
an_event_as_json(void)
{
	log_open(true, LOG_NOTICE);
	an_event();
}

static struct json json;

static const char *
member(const char *name)
{
	static char text[5000];
	int node = json_member(&json, 0, name);

	assert_true(node > 0);
	json_string(&json, (uint32_t)node, text, sizeof text);
	return text;
}

FACT(json_is_json)
{
	static struct json_node nodes[100];
	size_t end;

	hear(an_event_as_json);
	end = strcspn(said, "\n");
	assert_int_equal(end, strlen(said) - 1);
	assert_int_equal(json_read(&json, said, end, nodes, 100), JSON_FINE);
	assert_string_equal(member("event"), "slow");
	assert_string_equal(member("level"), "warning");
	assert_string_equal(member("odd"),
	    "a \"b\"\n\\\x7f\xc2\x85\xef\xbf\xbd\xc3\xa4");
	assert_string_equal(member("nothing"), "");
	assert_string_equal(member("us"), "-12");
}

/* Whatever is too long: the line stays whole, and JSON stays JSON. */
static void
long_lines(void)
{
	static char value[6000];
	struct log_line l;
	size_t n;

	log_open(true, LOG_NOTICE);
	for (n = 3900; n < 4200; n++) {
		memset(value, n % 3 ? 'x' : '"', n);
		value[n] = '\0';
		if (n % 2)
			memcpy(value + n - 2, "\xc3\xa4", 2);
		log_begin(&l, LOG_NOTICE, "long");
		log_text(&l, "value", value + n % 3 * 7);
		log_number(&l, "number", 1234567);
		log_text(&l, "more", "more");
		log_end(&l);
		usleep(200);
	}
	log_note(LOG_NOTICE, "%s", value);
}

FACT(a_long_line_is_cut_and_stays_whole)
{
	static struct json_node nodes[100];
	int ends[2], lines = 0;
	char *p = said, *end;

	assert_int_equal(pipe(ends), 0);
	fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
	memset(said, 0, sizeof said);
	/* a pipe of a megabyte takes them all before they are read in parts */
	listen_to(long_lines, ends[0], ends[1]);
	for (; (end = strchr(p, '\n')) != NULL; p = end + 1) {
		assert_true(end - p < 4096);
		assert_int_equal(json_read(&json, p, (size_t)(end - p),
		    nodes, 100), JSON_FINE);
		lines++;
	}
	assert_true(lines > 40);
}

static void
to_a_full_pipe(void)
{
	int i;

	for (i = 0; i < 5000; i++)
		log_note(LOG_NOTICE, "line %d", i);
	if (log_dropped() == 0 || log_dropped() >= 5000)
		_exit(3);
	_exit(0);
}

FACT(a_reader_that_does_not_read_holds_nobody_up)
{
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	if ((child = fork()) == 0) {
		dup2(ends[1], STDERR_FILENO);
		alarm(20);
		to_a_full_pipe();
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(ends[0]);
	close(ends[1]);
}

static void
to_nobody(void)
{
	close(STDERR_FILENO);
	log_open(false, LOG_NOTICE);
	log_note(LOG_NOTICE, "who hears it?");
	if (log_dropped() != 1)
		_exit(3);
}

static void
to_one_who_left(void)
{
	int i;

	usleep(50000);
	for (i = 0; i < 3; i++)
		log_note(LOG_NOTICE, "who hears it?");
	_exit(log_dropped() == 3 ? 0 : 3);
}

FACT(nobody_reads_and_nobody_dies)
{
	int ends[2], status;
	pid_t child;

	hear(to_nobody);
	assert_string_equal(said, "");
	assert_int_equal(pipe(ends), 0);
	if ((child = fork()) == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		to_one_who_left();
	}
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
to_a_full_disk(void)
{
	int fd = open("/dev/full", O_WRONLY);

	dup2(fd, STDERR_FILENO);
	log_open(false, LOG_NOTICE);
	log_note(LOG_NOTICE, "who keeps it?");
	if (log_dropped() != 1)
		_exit(3);
}

FACT(a_full_disk_loses_lines_only)
{
	hear(to_a_full_disk);
}

FACT(a_socket_is_written_too)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	listen_to(a_note, ends[0], ends[1]);
	assert_string_equal(line(), "worker-0 notice it is 2 lines [0m\n");
}

static void
die(void)
{
	log_die("no %s: %m", "way");
}

FACT(the_last_word_ends_the_program)
{
	int ends[2], status;
	pid_t child;
	ssize_t n;

	assert_int_equal(pipe(ends), 0);
	if ((child = fork()) == 0) {
		dup2(ends[1], STDERR_FILENO);
		errno = ENOENT;
		die();
	}
	close(ends[1]);
	n = read(ends[0], said, sizeof said - 1);
	assert_true(n > 0);
	said[n] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_string_equal(line(),
	    "reklam error no way: No such file or directory\n");
}

FACT(writing_a_line_keeps_errno)
{
	errno = ENOENT;
	log_note(LOG_DEBUG, "unheard");
	assert_int_equal(errno, ENOENT);
}

RUN(T(a_note_is_one_line), T(an_event_has_fields), T(json_is_json),
    T(a_long_line_is_cut_and_stays_whole),
    T(a_reader_that_does_not_read_holds_nobody_up),
    T(nobody_reads_and_nobody_dies), T(a_full_disk_loses_lines_only),
    T(a_socket_is_written_too), T(the_last_word_ends_the_program),
    T(writing_a_line_keeps_errno))
