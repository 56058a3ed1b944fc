#include "check.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "answer.h"
#include "conf.h"
#include "log.h"
#include "query.h"
#include "routes.h"

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

static bool
begins(const char *name, const char *prefix)
{
	return name != NULL && strncasecmp(name, prefix, strlen(prefix)) == 0;
}

/* Cached answers have the name of their route; a few, of their statement. */
static bool
is_cached(const char *prefix)
{
	bool found = false;

	for (size_t i = 0; i < routes_count; i++)
		found |= begins(routes[i].cache, prefix);
	for (unsigned i = 0; i < queries_count; i++)
		found |= queries[i].reads && begins(queries[i].name, prefix);
	return found;
}

static bool
check_ttls(char *why, size_t size)
{
	const char *name;

	for (size_t i = 0; (name = conf_ttl_name(i)) != NULL; i++)
		if (!is_cached(name)) {
			snprintf(why, size, "CACHE_TTL_%s: the name of no "
			    "cached answer begins so", name);
			return false;
		}
	return true;
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
	if (!check_ttls(why, size))
		return false;
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

/* The database's own list counts: it is what makes dates and times. */
static bool
knows_time_zone(PGconn *pg, char *why, size_t size)
{
	const char *values[] = { conf.time_zone };
	PGresult *r = PQexecParams(pg, "SELECT set_config('TimeZone', $1, "
	    "true)", 1, NULL, values, NULL, NULL, 0);
	bool fine = PQresultStatus(r) == PGRES_TUPLES_OK;

	if (!fine)
		snprintf(why, size, "TIME_ZONE is \"%s\"; the database knows "
		    "no such time zone", conf.time_zone);
	PQclear(r);
	return fine;
}

static PGconn *
connect_to(const char *url, const char *options)
{
	const char *keys[] = { "dbname", "application_name",
	    "connect_timeout", options != NULL ? "options" : NULL, NULL };
	const char *values[] = { url, "reklamd check", "3", options, NULL };

	return PQconnectdbParams(keys, values, 1);
}

/* In a transaction that never ends, since the session may be a pooler's. */
static void
set_up(PGconn *pg)
{
	PQclear(PQexec(pg, "BEGIN"));
	PQclear(PQexec(pg, "SELECT set_config('search_path', "
	    "'public, reklam', true), "
	    "set_config('statement_timeout', '5000', true)"));
}

/* A pooler answers in the name of a server process that is none. */
static bool
is_pooler(PGconn *pg)
{
	PGresult *r = PQexecParams(pg, "SELECT pg_backend_pid()", 0, NULL,
	    NULL, NULL, NULL, 0);
	bool found = PQresultStatus(r) == PGRES_TUPLES_OK &&
	    atoi(PQgetvalue(r, 0, 0)) != PQbackendPID(pg);

	PQclear(r);
	return found;
}

/* A session of its own has other settings than ours, or refuses them. */
static bool
fits_pooler(PGconn *pg, char *why, size_t size)
{
	if (!conf.prepared &&
	    strcmp(conf.listen_url, conf.database_url) != 0)
		return true;
	if (!is_pooler(pg))
		return true;
	snprintf(why, size, conf.prepared ?
	    "DATABASE_URL leads to a pooler: DB_PREPARED has to be off" :
	    "DATABASE_URL leads to a pooler: DB_LISTEN_URL has to lead past "
	    "it");
	return false;
}

bool
check_listener(bool *reached, char *why, size_t size)
{
	PGconn *pg;
	bool fine = true;

	*reached = false;
	if (strcmp(conf.listen_url, conf.database_url) == 0)
		return true;
	pg = connect_to(conf.listen_url, NULL);
	*reached = PQstatus(pg) == CONNECTION_OK;
	if (!*reached) {
		quote_error(pg, "DB_LISTEN_URL: the database cannot be "
		    "reached", why, size);
		fine = false;
	} else if (is_pooler(pg)) {
		snprintf(why, size, "DB_LISTEN_URL leads to a pooler: it has "
		    "to lead past it");
		fine = false;
	}
	PQfinish(pg);
	return fine;
}

bool
check_database(bool *reached, char *why, size_t size)
{
	/* Not that it has to be ISO here; but a pooler refuses it. */
	PGconn *pg = connect_to(conf.database_url,
	    conf.prepared ? "-c DateStyle=ISO" : NULL);
	bool fine = PQstatus(pg) == CONNECTION_OK;

	*reached = fine;
	if (!fine && strstr(PQerrorMessage(pg), "startup parameter")) {
		*reached = true;
		quote_error(pg, "DATABASE_URL leads to a pooler: DB_PREPARED "
		    "has to be off", why, size);
	} else if (!fine)
		quote_error(pg, "the database cannot be reached", why, size);
	else
		set_up(pg);
	fine = fine && fits_pooler(pg, why, size) &&
	    knows_time_zone(pg, why, size);
	for (unsigned i = 0; fine && i < queries_count; i++)
		if (strncmp(queries[i].name, "control_", 8) != 0)
			fine = prepare(pg, &queries[i], why, size);
	PQfinish(pg);
	return fine;
}
