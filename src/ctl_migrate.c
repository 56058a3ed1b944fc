/*
 * reklamctl migrate: brings a database to this version.
 *
 * A migration is applied once; the functions all anew when one of them or a
 * table has changed, because some of them look at the tables there are; texts
 * and indexes when they have changed.  Each file and the record of it are one
 * transaction, but for the indexes, which are built concurrently.
 */
#include <dirent.h>
#include <getopt.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "conf.h"
#include "ctl.h"

#ifndef SQL_DIRECTORY
#define SQL_DIRECTORY "/usr/share/reklam/sql"
#endif

#define PATH_SIZE 4096
#define FILE_MAX (1 << 20)
#define FUNCTIONS_MAX 200

struct migration {
	const char *directory;
	bool dry, quiet;
	PGconn *connection;
	PGresult *applied;	/* NULL: there is no record yet */
	int done;		/* what was, or would be, applied */
	struct ctl_file functions[FUNCTIONS_MAX];	/* that will be */
	size_t function_count;
};

static bool
checksum_of(const struct migration *m, const char *file, char sum[17])
{
	static char bytes[FILE_MAX];
	char path[PATH_SIZE];
	size_t length = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", m->directory, file);
	if ((f = fopen(path, "re")) != NULL) {
		length = fread(bytes, 1, sizeof bytes, f);
		fclose(f);
	}
	if (length == 0 || length == sizeof bytes) {
		ctl_fail("%s cannot be read", path);
		return false;
	}
	snprintf(sum, 17, "%016llx",
	    (unsigned long long)XXH64(bytes, length, 0));
	return true;
}

/* The checksum under which it was applied; NULL when it was not. */
static const char *
recorded(const struct migration *m, const char *name)
{
	int i, n = m->applied ? PQntuples(m->applied) : 0;

	for (i = 0; i < n; i++)
		if (strcmp(PQgetvalue(m->applied, i, 0), name) == 0)
			return PQgetvalue(m->applied, i, 1);
	return NULL;
}

static bool
is_recorded(const struct migration *m, const char *name, const char *sum)
{
	const char *was = recorded(m, name);

	return was != NULL && strcmp(was, sum) == 0;
}

static void
say(struct migration *m, const char *name, const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	m->done++;
	if (m->quiet)
		return;
	if (m->dry)
		printf("would apply %s\n", name);
	else
		printf("applied %s (%.2f s)\n", name,
		    (double)(now.tv_sec - since->tv_sec) +
		    (double)(now.tv_nsec - since->tv_nsec) / 1e9);
	fflush(stdout);
}

static bool
apply(struct migration *m, const char *file, const char *sum, bool at_once)
{
	struct ctl_file one = { file, sum };
	struct ctl_script script = { .directory = m->directory,
	    .files = &one, .count = 1, .at_once = at_once };
	struct timespec since;

	clock_gettime(CLOCK_MONOTONIC, &since);
	if (!m->dry && !ctl_psql(&script)) {
		ctl_fail("%s was not applied%s", file, at_once ?
		    "; nothing of it remains" : " to its end");
		return false;
	}
	say(m, file, &since);
	return true;
}

/* Of plain characters, as psql's \set reads the name. */
static int
is_sql(const struct dirent *entry)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t n = strlen(entry->d_name);

	return n > 4 && strcmp(entry->d_name + n - 4, ".sql") == 0 &&
	    strspn(entry->d_name, plain) == n;
}

/* The .sql files of a part of the directory, in order; -1: said why. */
static int
list(const struct migration *m, const char *part, struct dirent ***files)
{
	char path[PATH_SIZE];
	int n;

	snprintf(path, sizeof path, "%s/%s", m->directory, part);
	n = scandir(path, files, is_sql, alphasort);
	if (n == -1)
		ctl_fail("%s cannot be read", path);
	return n;
}

static bool
migrate_one(struct migration *m, const char *file)
{
	const char *was = recorded(m, file);
	char sum[17];

	if (!checksum_of(m, file, sum))
		return false;
	if (was == NULL)
		return apply(m, file, sum, true);
	if (*was != '\0' && strcmp(was, sum) != 0)
		ctl_fail("note: %s has changed since it was applied", file);
	return true;
}

static bool
function_noted(struct migration *m, const char *file)
{
	struct ctl_file *f = &m->functions[m->function_count];
	char sum[17];

	if (m->function_count == FUNCTIONS_MAX) {
		ctl_fail("more than %d files of functions", FUNCTIONS_MAX);
		return false;
	}
	if (!checksum_of(m, file, sum))
		return false;
	f->name = strdup(file);
	f->checksum = strdup(sum);
	m->function_count++;
	return f->name != NULL && f->checksum != NULL;
}

static bool
each(struct migration *m, const char *part,
    bool (*one)(struct migration *, const char *))
{
	struct dirent **files;
	char name[PATH_SIZE];
	int i, n = list(m, part, &files);
	bool fine = n != -1;

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof name, "%s/%s", part, files[i]->d_name);
		fine = fine && one(m, name);
		free(files[i]);
	}
	if (n != -1)
		free(files);
	return fine;
}

/* Stops the walk at a function that is new or has changed. */
static bool
is_unchanged(struct migration *m, const char *file)
{
	char sum[17];

	return checksum_of(m, file, sum) && is_recorded(m, file, sum);
}

/* Together, as most of the time would go into beginning anew for each. */
static bool
functions_applied(struct migration *m)
{
	struct ctl_script script = { .directory = m->directory,
	    .files = m->functions, .count = m->function_count,
	    .at_once = true, .told = true };

	if (m->dry) {
		for (size_t i = 0; i < m->function_count; i++)
			say(m, m->functions[i].name, NULL);
		return true;
	}
	m->done += (int)m->function_count;
	if (!ctl_psql(&script)) {
		ctl_fail("not all functions were applied; nothing remains of "
		    "the one that failed");
		return false;
	}
	return true;
}

static bool
functions(struct migration *m)
{
	if (m->done == 0 && each(m, "function", is_unchanged))
		return true;
	return each(m, "function", function_noted) && functions_applied(m);
}

static void
forget(struct migration *m)
{
	for (size_t i = 0; i < m->function_count; i++) {
		free((char *)m->functions[i].name);
		free((char *)m->functions[i].checksum);
	}
	PQclear(m->applied);
}

static bool
texts_copied(struct migration *m)
{
	char *json = ctl_texts(), sum[17];
	struct ctl_argument arguments[] = {
		{ "texts", json }, { "checksum", sum }, { NULL, NULL }
	};
	struct timespec since;
	PGresult *result = NULL;
	bool fine = false;

	clock_gettime(CLOCK_MONOTONIC, &since);
	if (json == NULL)
		goto out;
	snprintf(sum, sizeof sum, "%016llx",
	    (unsigned long long)XXH64(json, strlen(json), 0));
	fine = true;
	if (is_recorded(m, "texts", sum))
		goto out;
	if (!m->dry) {
		result = ctl_run(m->connection, "control_texts", arguments);
		fine = result != NULL;
	}
	if (fine)
		say(m, "texts", &since);
out:
	PQclear(result);
	free(json);
	return fine;
}

static bool
indexes(struct migration *m)
{
	char sum[17];

	if (!checksum_of(m, "indexes.sql", sum))
		return false;
	return is_recorded(m, "indexes.sql", sum) ||
	    apply(m, "indexes.sql", sum, false);
}

/* Two at once would wait for each other's indexes: one at a time. */
static bool
lock(const struct migration *m)
{
	static const struct ctl_argument none[] = { { NULL, NULL } };
	PGresult *result;
	bool asked, got = false, told = false;

	do {
		result = ctl_run(m->connection, "control_lock", none);
		asked = result != NULL;
		got = asked && *ctl_field(result, "locked") == 't';
		PQclear(result);
		if (asked && !got) {
			if (!told)
				ctl_fail("note: waiting for another migration");
			told = true;
			sleep(1);
		}
	} while (asked && !got);
	return got;
}

/* Whether there is a list of what was applied. */
static bool
has_record(const struct migration *m)
{
	PGresult *result = PQexec(m->connection,
	    "SELECT 1 WHERE to_regclass('reklam.migrations') IS NOT NULL");
	bool has = PQntuples(result) == 1;

	PQclear(result);
	return has;
}

/* What was applied until now; makes the list, unless nothing may change. */
static bool
read_record(struct migration *m)
{
	static const struct ctl_argument none[] = { { NULL, NULL } };
	struct ctl_file file = { "migrations.sql", NULL };
	struct ctl_script script = { .directory = m->directory,
	    .files = &file, .count = 1, .at_once = true };

	if (!m->dry && !ctl_psql(&script))
		return false;
	if (m->dry && !has_record(m))
		return true;
	m->applied = ctl_run(m->connection, "control_applied", none);
	return m->applied != NULL;
}

static bool
migrate(struct migration *m)
{
	return (m->dry || lock(m)) && read_record(m) &&
	    each(m, "migration", migrate_one) && functions(m) &&
	    texts_copied(m) && indexes(m);
}

int
ctl_pending(struct pg_conn *connection, const char *directory)
{
	struct migration m = { .directory = directory, .dry = true,
	    .quiet = true, .connection = connection };
	bool known = migrate(&m);

	forget(&m);
	return known ? m.done : -1;
}

static const struct option words[] = {
	{ "dry-run", no_argument, NULL, 'n' }, { 0 }
};

int
ctl_migrate(int argc, char **argv)
{
	struct migration m = { .directory = SQL_DIRECTORY };
	int option, status = CTL_FAILED;

	while ((option = getopt_long(argc, argv, "nd:", words, NULL)) != -1) {
		if (option == '?')
			return ctl_usage();
		if (option == 'n')
			m.dry = true;
		else
			m.directory = optarg;
	}
	if (optind != argc)
		return ctl_usage();
	if (!ctl_settings(false) || (m.connection = ctl_connect()) == NULL)
		return CTL_FAILED;
	if (migrate(&m)) {
		status = CTL_DONE;
		if (m.done == 0)
			puts("the database is up to date");
	}
	forget(&m);
	PQfinish(m.connection);
	return status;
}
