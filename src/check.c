#include "check.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "conf.h"
#include "log.h"
#include "query.h"

unsigned
check_share(size_t workers)
{
	/* One is the listener's. */
	return (unsigned)((size_t)(conf.pool_max - 1) / workers);
}

static void
warn_of_lines(const struct workers_file *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->no_max_fails[i])
			log_note(LOG_WARNING, "%s: the line of %s lacks "
			    "max_fails=0: nginx would take the worker down "
			    "for ten seconds after one failure",
			    conf.workers_file, w->path[i]);
}

bool
check_settings(const struct workers_file *w, char *why, size_t size)
{
	if (check_share(w->count) == 0) {
		snprintf(why, size, "DB_POOL_MAX_CONNECTIONS is %ld: one is "
		    "the listener's, and %ld are not enough for %zu workers",
		    conf.pool_max, conf.pool_max - 1, w->count);
		return false;
	}
	if (conf.pool_min > conf.pool_max) {
		snprintf(why, size, "DB_POOL_MIN_CONNECTIONS is %ld, more "
		    "than DB_POOL_MAX_CONNECTIONS, which is %ld",
		    conf.pool_min, conf.pool_max);
		return false;
	}
	warn_of_lines(w);
	return answer_open(why, size);
}

/* libpq's sentence without its end of line. */
static void
quote_error(const PGconn *pg, const char *what, char *why, size_t size)
{
	const char *message = PQerrorMessage(pg);

	snprintf(why, size, "%s: %.*s", what, (int)strcspn(message, "\n"),
	    message);
}

static bool
prepare(PGconn *pg, const struct query *query, char *why, size_t size)
{
	char what[128];
	PGresult *r = PQprepare(pg, "", query->text, (int)query->count, NULL);
	bool fine = PQresultStatus(r) == PGRES_COMMAND_OK;

	if (!fine) {
		snprintf(what, sizeof what, "the statement \"%s\" cannot be "
		    "prepared (does the database lack \"reklamctl "
		    "migrate\"?)", query->name);
		quote_error(pg, what, why, size);
	}
	PQclear(r);
	return fine;
}

bool
check_database(bool *reached, char *why, size_t size)
{
	const char *keys[] = { "dbname", "application_name",
	    "connect_timeout", "options", NULL };
	const char *values[] = { conf.database_url, "reklamd check", "3",
	    "-c search_path=public,reklam -c statement_timeout=5000", NULL };
	PGconn *pg;
	bool fine = true;

	if (!conf.prepared)
		keys[3] = NULL;
	pg = PQconnectdbParams(keys, values, 1);
	*reached = PQstatus(pg) == CONNECTION_OK;
	if (!*reached) {
		quote_error(pg, "the database cannot be reached", why, size);
		fine = false;
	}
	for (unsigned i = 0; fine && i < queries_count; i++)
		if (strncmp(queries[i].name, "control_", 8) != 0)
			fine = prepare(pg, &queries[i], why, size);
	PQfinish(pg);
	return fine;
}
