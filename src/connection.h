/* One libpq connection on the loop: opens, runs a statement at a time. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "query.h"

struct event_base;
struct connection;

/*
 * What to run.  A statement that `writes` has its touched tables read back in
 * the same flight and bumped before `done`, and is never repeated by itself.
 * With `text` that is run instead of `query`, without being prepared; with
 * `explain`, the rows are lines about the query's generic plan.
 */
struct work {
	const struct query *query;
	const char *text;
	unsigned count;			/* of values */
	const char *const *values;	/* text, or NULL; the caller's */
	bool writes, explain;
	long deadline_ms;
};

enum outcome {
	WORK_DONE,	/* `result` has the rows */
	WORK_REFUSED,	/* by the database: `sqlstate` and what follows */
	WORK_TIMED_OUT,
	WORK_LOST	/* the connection broke; a write may have happened */
};

/* Pointers are valid until the callback returns. */
struct finding {
	enum outcome outcome;
	const PGresult *result;
	const char *sqlstate, *message, *constraint, *column, *detail;
	int64_t ran_us;
};

/* What a connection tells its owner; after `closed` it is gone. */
struct connection_owner {
	void (*opened)(struct connection *);
	void (*finished)(struct connection *, const struct finding *);
	void (*closed)(struct connection *, bool was_open);
	void (*notified)(struct connection *, const char *payload); /* or NULL */
};

/*
 * Starts opening one; `closed` tells when that fails.  NULL when there is no
 * memory.  `name` is the application_name.
 */
struct connection *connection_open(struct event_base *, const char *url,
    const char *name, const struct connection_owner *, void *context);
void *connection_context(const struct connection *);

/* Runs it, when idle; `finished` follows, from the loop. */
void connection_run(struct connection *, const struct work *);

/* A round trip without a statement; `finished` follows. */
void connection_ping(struct connection *);

/* Ends it without a word; `closed` is called before this returns. */
void connection_drop(struct connection *);

/* In `closed`, of one that never was open: whether a server was there, and
 * whether it only refused us. */
bool connection_was_answered(const struct connection *);
bool connection_was_refused(const struct connection *);

bool connection_is_idle(const struct connection *);
int connection_backend(const struct connection *);	/* its process id */
int64_t connection_opened_ms(const struct connection *);
int64_t connection_used_ms(const struct connection *);

#endif
