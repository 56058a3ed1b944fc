/*
 * Files of SQL are psql's: it knows their \commands, quotes and COPY, and says
 * FILE:LINE where something is wrong.  It gets the connection through its
 * environment, because everybody may read a command line.
 */
#include <sys/wait.h>

#include <errno.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "ctl.h"

#ifndef PSQL
#define PSQL "psql"
#endif

#define COMMON_MAX 16
#define FILE_MAX 16		/* arguments for a file */

/* In the child: libpq's variables say what the URL says. */
static bool
set_environment(void)
{
	PQconninfoOption *options, *o;
	char *why = NULL;

	options = PQconninfoParse(conf.listen_url, &why);
	if (options == NULL) {
		ctl_fail("%s", why ? why : "out of memory");
		return false;
	}
	for (o = options; o->keyword != NULL; o++)
		if (o->envvar != NULL && o->val != NULL)
			setenv(o->envvar, o->val, 1);
	setenv("PGAPPNAME", "reklamctl", 1);
	return true;
}

/* The options of psql that hold for every script. */
static int
common(const char **argv)
{
	static const char *const words[] = {
		PSQL, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null",
		"-c", "SET search_path = public, reklam",
		"-c", "SET client_min_messages = warning"
	};

	memcpy(argv, words, sizeof words);
	return sizeof words / sizeof *words;
}

/* "-f file" or "-c command"; its memory goes with the process. */
static int
add(const char **argv, int n, const char *option, const char *format, ...)
{
	va_list words;
	char *text;

	va_start(words, format);
	if (vasprintf(&text, format, words) == -1)
		_exit(1);
	va_end(words);
	argv[n++] = option;
	argv[n++] = text;
	return n;
}

static int
add_file(const char **argv, int n, const struct ctl_script *s,
    const struct ctl_file *file)
{
	if (s->at_once)
		n = add(argv, n, "-c", "BEGIN");
	n = add(argv, n, "-f", "%s/%s", s->directory, file->name);
	if (file->checksum != NULL) {
		n = add(argv, n, "-c", "\\set migration '%s'", file->name);
		n = add(argv, n, "-c", "\\set checksum '%s'", file->checksum);
		n = add(argv, n, "-f", "%s/applied.sql", s->directory);
	}
	if (s->at_once)
		n = add(argv, n, "-c", "COMMIT");
	if (s->told)
		n = add(argv, n, "-c", "\\echo applied %s", file->name);
	return n;
}

static _Noreturn void
become(const struct ctl_script *s)
{
	const char **argv = calloc(COMMON_MAX + s->count * FILE_MAX,
	    sizeof *argv);
	int n;

	if (argv == NULL)
		_exit(1);
	n = common(argv);
	for (size_t i = 0; i < s->count; i++)
		n = add_file(argv, n, s, &s->files[i]);
	if (set_environment()) {
		execvp(PSQL, (char *const *)argv);
		ctl_fail("%s: %s", PSQL, strerror(errno));
	}
	_exit(1);
}

bool
ctl_psql(const struct ctl_script *s)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0)
		become(s);
	if (child == -1) {
		ctl_fail("fork: %s", strerror(errno));
		return false;
	}
	while (waitpid(child, &status, 0) == -1)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
