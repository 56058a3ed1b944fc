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

/* Each sentence of the list "warnings", wherever it stands. */
static bool
has_warnings(const struct json *j, uint32_t list)
{
	char sentence[1024];
	uint32_t i;

	for (i = list + 1; i < j->nodes[list].next; i = j->nodes[i].next)
		if (j->nodes[i].kind == JSON_STRING) {
			json_string(j, i, sentence, sizeof sentence);
			ctl_fail("%s", sentence);
		}
	return j->nodes[list].count > 0;
}

static bool
is_content(const struct json *j)
{
	bool content = true;
	uint32_t i;

	for (i = 0; i < j->count; i++) {
		int list = json_member(j, i, "warnings");

		if (list != -1 && has_warnings(j, (uint32_t)list))
			content = false;
	}
	return content;
}

static bool
is_running(void)
{
	struct json document;
	size_t length;
	char *answer = ctl_ask("status", &length);
	bool well = answer != NULL && ctl_read(&document, answer, length);

	if (well)
		puts("reklamd: answers");
	well = well && is_content(&document);
	free(answer);
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
