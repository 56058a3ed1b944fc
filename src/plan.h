/*
 * How the server means to run a statement that was slow: its generic plan, as
 * EXPLAIN tells it.  Fetched once, in the background, for all workers.
 */
#ifndef PLAN_H
#define PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "query.h"

size_t plan_bytes(void);
void plan_open(void);		/* after shm_open_memory, before fork */

/*
 * A statement took so long; beyond SLOW_MS its plan is of interest, once nobody
 * waits for a connection.
 */
void plan_notice(const struct query *, int64_t ran_us);

/* NULL while there is none. */
const char *plan_of(unsigned query, int64_t *age_ms);

#endif
