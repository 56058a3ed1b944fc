/*
 * reklamctl check: whether all is well, for a person or for what watches.  A
 * line for each part, and the status of the worst.
 */
#include <getopt.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "json.h"

#ifndef SQL_DIRECTORY
#define SQL_DIRECTORY "/usr/share/reklam/sql"
#endif

static bool
is_migrated(const char *directory)
{
	PGconn *connection = ctl_connect();
	int pending;

	if (connection == NULL)
		return false;
	pending = ctl_pending(connection, directory);
	PQfinish(connection);
	if (pending > 0)
		ctl_fail("the database lacks %d parts of this version: "
		    "reklamctl migrate", pending);
	if (pending == 0)
		puts("database: answers, and is of this version");
	return pending == 0;
}

static bool
is_true(const struct json *j, const char *name)
{
	return json_member_of(j, 0, name, JSON_TRUE) >= 0;
}

/* Without LISTEN every answer is computed anew; without a database, none. */
static bool
is_connected(const struct json *status)
{
	if (!is_true(status, "database_reachable"))
		ctl_fail("reklamd cannot reach the database");
	else if (!is_true(status, "listening"))
		ctl_fail("reklamd does not hear of changes: nothing is cached");
	else
		return true;
	return false;
}

static bool
has_workers(const struct json *workers)
{
	char state[16];
	unsigned ready = 0;
	uint32_t i;

	for (i = 1; i < workers->count; i = workers->nodes[i].next) {
		json_member_string(workers, i, "state", state, sizeof state);
		ready += strcmp(state, "ready") == 0;
	}
	if (ready == 0)
		ctl_fail("no worker is ready");
	else
		printf("reklamd: answers, %u workers are ready\n", ready);
	return ready > 0;
}

/* Said, but no reason to wake somebody. */
static bool
tell_warnings(const struct json *pool)
{
	int list = json_member(pool, 0, "warnings");
	char sentence[1024];
	uint32_t i;

	for (i = (uint32_t)list + 1; list != -1 &&
	    i < pool->nodes[list].next; i = pool->nodes[i].next)
		if (pool->nodes[i].kind == JSON_STRING) {
			json_string(pool, i, sentence, sizeof sentence);
			printf("warning: %s\n", sentence);
		}
	return true;
}

static const struct {
	const char *line;
	bool (*is_well)(const struct json *);
} questions[] = {
	{ "status", is_connected },
	{ "workers", has_workers },
	{ "pool", tell_warnings },
};

static bool
is_running(void)
{
	struct json document;
	size_t length, i;
	char *answer;
	bool well = true;

	for (i = 0; well && i < sizeof questions / sizeof *questions; i++) {
		answer = ctl_ask(questions[i].line, &length);
		well = answer != NULL &&
		    ctl_read(&document, answer, length) &&
		    questions[i].is_well(&document);
		free(answer);
	}
	return well;
}

int
ctl_check(int argc, char **argv)
{
	const char *directory = SQL_DIRECTORY;
	bool migrated, running;
	int option;

	while ((option = getopt(argc, argv, "d:")) != -1) {
		if (option != 'd')
			return ctl_usage();
		directory = optarg;
	}
	if (optind != argc)
		return ctl_usage();
	if (!ctl_settings(true))
		return CTL_FAILED;
	puts("settings: understood");
	migrated = is_migrated(directory);
	running = is_running();
	return migrated && running ? CTL_DONE : CTL_FAILED;
}
