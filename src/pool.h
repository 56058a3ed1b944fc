/* A worker's connections to the database, and who waits for one. */
#ifndef POOL_H
#define POOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "connection.h"

enum pool_outcome {
	POOL_DONE,		/* `finding->result` */
	POOL_REFUSED,		/* by the database: `finding->sqlstate` … */
	POOL_TIMED_OUT,		/* the statement took too long */
	POOL_LOST,		/* the connection broke; nothing is known */
	POOL_FULL,		/* too many wait already */
	POOL_WAITED_OUT,	/* no connection within DB_POOL_WAIT_MS */
	POOL_DOWN		/* the database cannot be reached */
};

struct pool_answer {
	enum pool_outcome outcome;
	const struct finding *finding;	/* NULL when it was never sent */
	int64_t queued_us, ran_us;
};

/*
 * A statement to run.  The memory, and all that `work` points to, is the
 * caller's and stays until `done`, which is called exactly once, perhaps
 * before pool_submit returns.
 */
struct pool_job {
	struct work work;
	bool urgent;		/* waits behind no ordinary statement */
	void (*done)(struct pool_job *, const struct pool_answer *);
	void *context;

	/* the pool's */
	TAILQ_ENTRY(pool_job) link;
	struct pool_member *on;
	int64_t since_us;
	unsigned tries;
};

/* On this loop, for this slot; `share` connections are opened at once. */
bool pool_open(struct event_base *, unsigned slot, unsigned share);
bool pool_is_up(void);	/* the database could be reached, last time */
void pool_submit(struct pool_job *);

/*
 * Nobody waits for the job any more: it is taken from the queue, or its
 * connection is dropped, and `done` is not called.  Not for writes.
 */
void pool_abandon(struct pool_job *);

/* Our bell rang: others may want a permit back, or one may be free. */
void pool_bell(void);

/* From now on connections are closed as soon as they are idle. */
void pool_drain(void);

#endif
