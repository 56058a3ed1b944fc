/* What the data's state is: a counter per table and per cache name. */
#ifndef VERSIONS_H
#define VERSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "query.h"

#define VERSIONS_TABLES 48	/* tables that statements may read */
#define VERSIONS_QUERIES 512	/* statements, each with an epoch */
#define VERSIONS_VECTOR (QUERY_TABLES_MAX + 1)

/* The state that an answer was computed from: its statement's epoch, then
 * the versions of its tables. */
struct versions {
	unsigned count;
	uint64_t at[VERSIONS_VECTOR];
};

size_t versions_bytes(void);
void versions_open(void);	/* after shm_open_memory, before fork */

/* Before a statement is sent. */
void versions_read(const struct query *, struct versions *);

/* Whether nothing that the statement reads has changed since. */
bool versions_current(const struct query *, const struct versions *);

bool versions_equal(const struct versions *, const struct versions *);

void versions_bump_all(void);

/*
 * The same after a write of which nothing is known, and nobody was told that
 * it is done: what was read before it may still be true.
 */
void versions_doubt_all(void);

/* Whether nothing has changed since but by writes that are in doubt. */
bool versions_undisputed(const struct query *, const struct versions *);

/* Makes every answer of the statement old. */
void versions_clear(const struct query *);

/*
 * The listener's proof of life, written every 250 ms while LISTEN holds.  It
 * counts from when its round trip began (shm_now_ms): what was committed later
 * may lie unread, if the listener itself was held up.  Answers from memory
 * count only while it is younger than a second.
 */
void versions_alive(int64_t began_ms);
void versions_lost(void);	/* LISTEN is gone: no answer counts from now */
bool versions_trusted(void);
int64_t versions_alive_age_ms(void);	/* of the last proof, ever */

/* Whether the database cannot be reached, as the listener sees it. */
void versions_set_unreachable(bool);
bool versions_unreachable(void);

/*
 * A write is bumped for by its worker and, on NOTIFY, by the listener; twice
 * would throw away a fresh answer.  A worker names its write in the
 * transaction (an origin, for one commit), and whoever is first bumps.
 */
struct versions_origin {
	unsigned slot;
	uint64_t number;
};
struct versions_origin versions_write_begins(unsigned slot);
size_t versions_origin_text(struct versions_origin, char *out, size_t size);

/*
 * After the commit, before it is acknowledged.  `names` are tables separated
 * by blanks, as the triggers collect them; one that no statement reads changes
 * nothing.
 */
void versions_bump(const char *names, struct versions_origin);

/* "table", or "table origin" when the writer has said who it is.  False when
 * the write's own worker was first. */
bool versions_heard(const char *payload);

uint64_t versions_bumps(void);	/* since the memory was made */

#endif
