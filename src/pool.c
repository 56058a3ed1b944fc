/*
 * Members are the connections, open or opening, each under a permit.  Jobs
 * wait in two queues, urgent before ordinary; both are bounded in length, and
 * no job waits longer than DB_POOL_WAIT_MS.  One that would, as things are, is
 * refused when it comes; and where somebody has been refused within the last
 * second, a quarter of that is too long already: what is taken is then
 * answered soon, and the rest is told so at once.  With two connections or more one
 * is left to urgent jobs (a login, who is asking): they wait behind no
 * statement of the ordinary kind.
 *
 * While the database cannot be reached (`failures` > 0 and nothing open) jobs
 * are refused at once, and one member at a time tries again, with a back-off.
 */
#include "pool.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "conf.h"
#include "log.h"
#include "permit.h"
#include "shm.h"

#define BACKOFF_LEAST_MS 20
/* Not the 500 of the design: one attempt in 240 ms finds a database that is
 * back within 250 ms, and is still no more than five a second. */
#define BACKOFF_MOST_MS 240
#define TRIES_AFTER_CONFLICT 3
#define PATIENCE_SHARE 4
#define STRICT_US 1000000
#define SPARE_IDLE_MS 10000	/* beyond the share: closed after that */
#define DRAINED_IDLE_MS 100	/* when successors need the permits */
#define CARE_MS 500

struct pool_member {
	struct connection *connection;
	struct pool_job *job;
	int permit;
	bool open;
	int64_t expires_ms;
	LIST_ENTRY(pool_member) link;
};

TAILQ_HEAD(jobs, pool_job);

static struct event_base *base;
static unsigned slot, least;
static LIST_HEAD(, pool_member) members = LIST_HEAD_INITIALIZER(members);
static struct queue {
	struct jobs jobs;
	unsigned length;
	int64_t refused_us;		/* the last time; 0: never */
} urgent = { .jobs = TAILQ_HEAD_INITIALIZER(urgent.jobs) },
    ordinary = { .jobs = TAILQ_HEAD_INITIALIZER(ordinary.jobs) };
static unsigned open_count, opening_count, ordinary_busy;
static int64_t usual_us;		/* that a statement takes */
static unsigned failures;
static int64_t try_again_ms;
static struct event *care_timer, *wait_timer;
static bool draining;
static bool reached;		/* and not lost again */

static void dispatch(void);

static unsigned
waiting(void)
{
	return urgent.length + ordinary.length;
}

static void
show(void)
{
	board_set(&board->pool_open, open_count);
	board_set(&board->pool_waiting, waiting());
	board_set(&board->pool_down, open_count == 0 && failures > 0);
}

static void
answer(struct pool_job *job, enum pool_outcome outcome,
    const struct finding *finding)
{
	struct pool_answer a = { .outcome = outcome, .finding = finding };
	int64_t us = shm_now_us() - job->since_us;

	if (finding != NULL)
		a.ran_us = finding->ran_us;
	a.queued_us = us > a.ran_us ? us - a.ran_us : 0;
	job->done(job, &a);
}

static struct queue *
queue_of(const struct pool_job *job)
{
	return job->urgent ? &urgent : &ordinary;
}

static void
set_timer(struct event *timer, int64_t ms)
{
	struct timeval wait = { ms / 1000, ms % 1000 * 1000 };

	evtimer_add(timer, &wait);
}

static void
enqueue(struct pool_job *job, bool first)
{
	struct queue *q = queue_of(job);

	if (first)
		TAILQ_INSERT_HEAD(&q->jobs, job, link);
	else
		TAILQ_INSERT_TAIL(&q->jobs, job, link);
	q->length++;
	if (!evtimer_pending(wait_timer, NULL))
		set_timer(wait_timer, conf.pool_wait_ms);
}

static void
dequeue(struct pool_job *job)
{
	struct queue *q = queue_of(job);

	TAILQ_REMOVE(&q->jobs, job, link);
	q->length--;
}

static void
refuse_all(struct queue *q, enum pool_outcome outcome)
{
	struct pool_job *job;

	while ((job = TAILQ_FIRST(&q->jobs)) != NULL) {
		dequeue(job);
		answer(job, outcome, NULL);
	}
}

/* The first that has waited too long; `next_ms` is when to look again. */
static struct pool_job *
find_waited_out(struct queue *q, int64_t *next_ms)
{
	struct pool_job *job;

	TAILQ_FOREACH(job, &q->jobs, link) {
		int64_t left_ms = conf.pool_wait_ms -
		    (shm_now_us() - job->since_us) / 1000;

		if (left_ms <= 0)
			return job;
		if (*next_ms == 0 || left_ms < *next_ms)
			*next_ms = left_ms;
	}
	return NULL;
}

static void
refuse_waited_out(struct queue *q, int64_t *next_ms)
{
	struct pool_job *job;

	while ((job = find_waited_out(q, next_ms)) != NULL) {
		dequeue(job);
		q->refused_us = shm_now_us();
		board_add(&board->waited_out, 1);
		answer(job, POOL_WAITED_OUT, NULL);
	}
}

static void
on_wait(int fd, short what, void *context)
{
	int64_t next_ms = 0;

	(void)fd, (void)what, (void)context;
	refuse_waited_out(&urgent, &next_ms);
	refuse_waited_out(&ordinary, &next_ms);
	if (next_ms > 0)
		set_timer(wait_timer, next_ms);
	show();
}

static unsigned
capacity(void)
{
	unsigned owned = permit_owned(slot), held = open_count + opening_count;

	return owned > held ? owned : held;
}

/* One connection is left to urgent jobs, when there is more than one. */
static bool
may_run_ordinary(void)
{
	unsigned most = capacity();

	return ordinary_busy < (most > 1 ? most - 1 : 1);
}

/* So that one statement out of many that is slow does not count for much. */
static void
learn_time(int64_t ran_us)
{
	int64_t most_us = 4 * usual_us + 1000;

	usual_us += ((ran_us < most_us ? ran_us : most_us) - usual_us) / 8;
}

/* Whether it would be in vain to wait there. */
static bool
is_hopeless(const struct queue *q)
{
	const struct pool_job *first = TAILQ_FIRST(&q->jobs);
	int64_t now = shm_now_us(), most_us = conf.pool_wait_ms * 1000;
	int64_t side_by_side = capacity();

	if (first == NULL)
		return false;
	if (q->refused_us > 0 && now - q->refused_us < STRICT_US)
		most_us /= PATIENCE_SHARE;
	if (q == &ordinary && side_by_side > 1)
		side_by_side--;
	return now - first->since_us > most_us || q->length * usual_us >
	    most_us * (side_by_side > 0 ? side_by_side : 1);
}

static void
run(struct pool_member *m, struct pool_job *job)
{
	m->job = job;
	job->on = m;
	ordinary_busy += !job->urgent;
	board_add(&board->pool_busy, 1);
	if (job->tries == 0)
		board_time(&board->waited, shm_now_us() - job->since_us);
	/* The member used last is found first: the others may grow idle. */
	LIST_REMOVE(m, link);
	LIST_INSERT_HEAD(&members, m, link);
	connection_run(m->connection, &job->work);
}

static struct pool_job *
release(struct pool_member *m)
{
	struct pool_job *job = m->job;

	if (job != NULL) {
		m->job = NULL;
		job->on = NULL;
		ordinary_busy -= !job->urgent;
		board_set(&board->pool_busy, board->pool_busy - 1);
	}
	return job;
}

static void on_opened(struct connection *);
static void on_finished(struct connection *, const struct finding *);
static void on_closed(struct connection *, bool);

static const struct connection_owner owner = {
	.opened = on_opened, .finished = on_finished, .closed = on_closed
};

static bool
may_try(void)
{
	return failures == 0 ||
	    (opening_count == 0 && shm_now_ms() >= try_again_ms);
}

static void
grow(void)
{
	struct pool_member *m;
	char name[48];
	int permit;

	if (!may_try())
		return;
	if ((permit = permit_take(slot)) == -1) {
		if (permit_held(slot) < permit_owned(slot))
			permit_want(slot);
		return;
	}
	snprintf(name, sizeof name, "reklamd worker-%u", slot);
	if ((m = calloc(1, sizeof *m)) == NULL ||
	    (m->connection = connection_open(base, conf.database_url, name,
	    &owner, m)) == NULL) {
		free(m);
		permit_give(permit);
		return;
	}
	m->permit = permit;
	opening_count++;
	LIST_INSERT_HEAD(&members, m, link);
}

static struct pool_member *
find_idle(void)
{
	struct pool_member *m;

	LIST_FOREACH(m, &members, link)
		if (m->open && m->job == NULL &&
		    connection_is_idle(m->connection))
			return m;
	return NULL;
}

static struct pool_job *
next_job(void)
{
	struct pool_job *job = TAILQ_FIRST(&urgent.jobs);

	if (job == NULL && may_run_ordinary())
		job = TAILQ_FIRST(&ordinary.jobs);
	return job;
}

/*
 * Gives each waiting job that may run a connection; opens what lacks, also
 * for those that may not run yet: what is opened beyond the share is theirs.
 */
static void
dispatch(void)
{
	struct pool_member *m;
	struct pool_job *job;

	while ((job = next_job()) != NULL && (m = find_idle()) != NULL) {
		dequeue(job);
		run(m, job);
	}
	while (opening_count < waiting()) {
		unsigned before = opening_count;

		grow();
		if (opening_count == before)
			break;
	}
	show();
}

/* A lent permit goes back as soon as its owner asks for it. */
static bool
owes(void)
{
	return permit_wanted() && permit_held(slot) > permit_owned(slot);
}

static void
on_opened(struct connection *c)
{
	struct pool_member *m = connection_context(c);
	long life = conf.lifetime_seconds * 1000;

	m->open = true;
	m->expires_ms = shm_now_ms() + life - random() % (life / 10 + 1);
	permit_backend(m->permit, connection_backend(c));
	opening_count--;
	open_count++;
	if (failures > 0)
		log_note(LOG_NOTICE, "the database can be reached");
	failures = 0;
	reached = true;
	dispatch();
}

/* Whether the job goes once more, by itself. */
static bool
may_retry(const struct pool_job *job, const struct finding *f)
{
	if (f->outcome == WORK_LOST)
		return !job->work.writes && job->tries == 0;
	if (f->outcome != WORK_REFUSED)
		return false;
	if (strcmp(f->sqlstate, "40001") == 0 ||
	    strcmp(f->sqlstate, "40P01") == 0)
		return job->tries < TRIES_AFTER_CONFLICT;
	/* A prepared statement that is gone, or whose plan no longer fits. */
	return job->tries == 0 && (strcmp(f->sqlstate, "26000") == 0 ||
	    strcmp(f->sqlstate, "0A000") == 0);
}

static enum pool_outcome
outcome_of(const struct finding *f)
{
	static const enum pool_outcome outcomes[] = {
		[WORK_DONE] = POOL_DONE,
		[WORK_REFUSED] = POOL_REFUSED,
		[WORK_TIMED_OUT] = POOL_TIMED_OUT,
		[WORK_LOST] = POOL_LOST,
	};

	return outcomes[f->outcome];
}

/* Closes what is too old, or more than is needed; asks the silent ones. */
static void
tend(struct pool_member *m, int64_t now)
{
	int64_t idle_ms = now - connection_used_ms(m->connection);

	if (now >= m->expires_ms) {
		board_add(&board->lifetime_closes, 1);
		connection_drop(m->connection);
	} else if (owes() || (open_count > least &&
	    idle_ms > (draining ? DRAINED_IDLE_MS : SPARE_IDLE_MS)))
		connection_drop(m->connection);
	else if (idle_ms > conf.idle_check_seconds * 1000)
		connection_ping(m->connection);
}

/*
 * One that broke is seldom alone.  Who is tried once more must not meet the
 * next: the idle ones have to show first that they live.
 */
static void
doubt_idle_ones(void)
{
	struct pool_member *m;

	LIST_FOREACH(m, &members, link)
		if (m->open && m->job == NULL &&
		    connection_is_idle(m->connection))
			connection_ping(m->connection);
}

static void
on_finished(struct connection *c, const struct finding *f)
{
	struct pool_member *m = connection_context(c);
	struct pool_job *job = release(m);

	if (job != NULL)
		learn_time(f->ran_us);
	if (job != NULL && may_retry(job, f)) {
		job->tries++;
		board_add(&board->retries, 1);
		if (f->outcome == WORK_LOST)
			doubt_idle_ones();
		job->since_us = shm_now_us();
		enqueue(job, true);
	} else if (job != NULL)
		answer(job, outcome_of(f), f);
	/* It may never be idle when tend_all looks. */
	if (m->job == NULL && connection_is_idle(c))
		tend(m, shm_now_ms());
	dispatch();
}

static void
back_off(void)
{
	long ms = BACKOFF_LEAST_MS;

	for (unsigned i = 0; i < failures && ms < BACKOFF_MOST_MS; i++)
		ms *= 2;
	if (ms > BACKOFF_MOST_MS)
		ms = BACKOFF_MOST_MS;
	failures++;
	ms = ms - ms / 10 + random() % (ms / 10 + 1);
	try_again_ms = shm_now_ms() + ms;
	set_timer(care_timer, ms);
}

static void
on_closed(struct connection *c, bool was_open)
{
	struct pool_member *m = connection_context(c);

	release(m);
	LIST_REMOVE(m, link);
	permit_give(m->permit);
	if (was_open)
		open_count--;
	else {
		opening_count--;
		board_add(&board->connect_failures, 1);
		back_off();
	}
	free(m);
	if (open_count == 0 && failures > 0) {
		reached = false;
		refuse_all(&urgent, POOL_DOWN);
		refuse_all(&ordinary, POOL_DOWN);
	}
	dispatch();
}

static void
tend_all(void)
{
	struct pool_member *m, *next;
	int64_t now = shm_now_ms();

	for (m = LIST_FIRST(&members); m != NULL; m = next) {
		next = LIST_NEXT(m, link);
		if (m->open && m->job == NULL &&
		    connection_is_idle(m->connection))
			tend(m, now);
	}
}

/* A timer may ring a moment early; the next attempt is not put off for that. */
static int64_t
next_care_ms(void)
{
	int64_t left_ms = try_again_ms - shm_now_ms();

	if (failures == 0 || open_count + opening_count >= least ||
	    left_ms >= CARE_MS)
		return CARE_MS;
	return left_ms > 0 ? left_ms : 1;
}

static void
on_care(int fd, short what, void *context)
{
	(void)fd, (void)what, (void)context;
	tend_all();
	if (open_count + opening_count < least)
		grow();
	set_timer(care_timer, next_care_ms());
	show();
}

bool
pool_open(struct event_base *b, unsigned s, unsigned share)
{
	base = b;
	slot = s;
	least = share;
	srandom((unsigned)shm_now_us() ^ slot);
	care_timer = evtimer_new(base, on_care, NULL);
	wait_timer = evtimer_new(base, on_wait, NULL);
	if (care_timer == NULL || wait_timer == NULL)
		return false;
	set_timer(care_timer, CARE_MS);
	for (unsigned i = 0; i < share; i++)
		grow();
	return true;
}

bool
pool_is_up(void)
{
	return reached;
}

void
pool_submit(struct pool_job *job)
{
	struct queue *q = queue_of(job);

	job->since_us = shm_now_us();
	job->tries = 0;
	job->on = NULL;
	if (open_count == 0 && failures > 0) {
		answer(job, POOL_DOWN, NULL);
		grow();		/* it may be due, and nobody else's to do */
	} else if (q->length >= conf.pool_queue || is_hopeless(q)) {
		q->refused_us = job->since_us;
		board_add(&board->refused, 1);
		answer(job, POOL_FULL, NULL);
	} else {
		enqueue(job, false);
		dispatch();
	}
}

void
pool_abandon(struct pool_job *job)
{
	struct pool_member *m = job->on;

	board_add(&board->abandoned, 1);
	if (m != NULL) {
		release(m);
		connection_drop(m->connection);
	} else {
		dequeue(job);
		show();
	}
}

void
pool_bell(void)
{
	if (owes())
		tend_all();
	dispatch();
}

void
pool_drain(void)
{
	draining = true;
	least = 0;
	tend_all();
}
