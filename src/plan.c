/*
 * A place in shared memory for each statement; whoever finds it empty takes it
 * by compare-and-swap and fills it, so each plan is fetched once.  One that
 * could not be had, or whose worker died, may be tried again a minute later.
 */
#include "plan.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "board.h"
#include "conf.h"
#include "pool.h"
#include "shm.h"

#define TEXT_MAX 8160
#define AGAIN_MS 60000

enum { NEVER = 0, KEPT = -1 };	/* else when it was tried, ms */

struct kept {
	_Atomic int64_t tried_ms;
	_Atomic int64_t since_ms;
	char text[TEXT_MAX];
};

static struct kept *plans;

size_t
plan_bytes(void)
{
	return BOARD_STATEMENTS * sizeof *plans;
}

void
plan_open(void)
{
	plans = shm_take(plan_bytes());
}

/* The rows are lines. */
static void
keep(struct kept *k, const PGresult *rows)
{
	size_t at = 0;

	for (int i = 0; i < PQntuples(rows); i++) {
		size_t length = (size_t)PQgetlength(rows, i, 0);

		if (at + length + 2 > sizeof k->text)
			break;
		if (i > 0)
			k->text[at++] = '\n';
		memcpy(k->text + at, PQgetvalue(rows, i, 0), length);
		at += length;
	}
	k->text[at] = '\0';
	atomic_store(&k->since_ms, shm_now_ms());
	atomic_store(&k->tried_ms, KEPT);
}

static void
on_explained(struct pool_job *job, const struct pool_answer *p)
{
	if (p->outcome == POOL_DONE)
		keep(&plans[query_index(job->work.query)],
		    p->finding->result);
	free(job);
}

static bool
is_mine_to_fetch(struct kept *k)
{
	int64_t now = shm_now_ms(), tried = atomic_load(&k->tried_ms);

	return tried != KEPT && (tried == NEVER || now - tried > AGAIN_MS) &&
	    atomic_compare_exchange_strong(&k->tried_ms, &tried, now);
}

/* While others wait it would be in their way, or be refused. */
static bool
is_worth_a_plan(int64_t ran_us)
{
	return conf.slow_ms > 0 && ran_us > conf.slow_ms * 1000 &&
	    board->pool_waiting == 0;
}

void
plan_notice(const struct query *query, int64_t ran_us)
{
	struct pool_job *job;

	if (!is_worth_a_plan(ran_us) ||
	    !is_mine_to_fetch(&plans[query_index(query)]) ||
	    (job = calloc(1, sizeof *job)) == NULL)
		return;
	job->work = (struct work){ .query = query, .explain = true,
	    .deadline_ms = conf.statement_ms };
	job->done = on_explained;
	pool_submit(job);
}

const char *
plan_of(unsigned query, int64_t *age_ms)
{
	struct kept *k = &plans[query];

	if (atomic_load(&k->tried_ms) != KEPT)
		return NULL;
	*age_ms = shm_now_ms() - atomic_load(&k->since_ms);
	return k->text;
}
