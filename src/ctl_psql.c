/*
 * Files of SQL are psql's: it knows their \commands, quotes and COPY, and says
 * FILE:LINE where something is wrong.  It gets the connection through its
 * environment, because everybody may read a command line.
 */
#include <sys/wait.h>

#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "ctl.h"

#ifndef PSQL
#define PSQL "psql"
#endif

#define ARGUMENTS_MAX 24
#define PATH_MAX_LENGTH 4096

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

static _Noreturn void
become(const struct ctl_script *s)
{
	static char file[PATH_MAX_LENGTH], applied[PATH_MAX_LENGTH];
	static char name[512], checksum[64];
	const char *argv[ARGUMENTS_MAX] = { NULL };
	int n = common(argv);

	snprintf(file, sizeof file, "%s/%s", s->directory, s->file);
	snprintf(applied, sizeof applied, "%s/applied.sql", s->directory);
	if (s->at_once)
		argv[n++] = "-1";
	argv[n++] = "-f";
	argv[n++] = file;
	if (s->name != NULL) {
		snprintf(name, sizeof name, "migration=%s", s->name);
		snprintf(checksum, sizeof checksum, "checksum=%s",
		    s->checksum);
		argv[n++] = "-v";
		argv[n++] = name;
		argv[n++] = "-v";
		argv[n++] = checksum;
		argv[n++] = "-f";
		argv[n++] = applied;
	}
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
