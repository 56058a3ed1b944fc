/*
 * Flights: who joins, who waits for another worker, who gets what was there.
 * Memory and versions are the real ones; the pool, the other workers and what
 * they claim are the test's.
 */
#include "unit.h"

#include <event2/event.h>
#include <libpq-fe.h>

#include "board.h"
#include "claim.h"
#include "fetch.h"
#include "plan.h"
#include "queries.h"
#include "shm.h"
#include "versions.h"

#define SEGMENT (64 * 1024)
#define TTL 1000000

/* --- what it meets --- */

static struct event_base *base;
static struct pool_job *jobs[10];	/* submitted, and not answered */
static int submitted, abandoned, released, fruitless_told;
static bool pool_up, others_wait, was_fruitless, still_held, no_calloc,
    no_malloc;
static enum claim claims;		/* what a claim gets */

void *__real_calloc(size_t, size_t);
void *__wrap_calloc(size_t, size_t);
void *
__wrap_calloc(size_t count, size_t size)
{
	return no_calloc ? NULL : __real_calloc(count, size);
}

void *__real_malloc(size_t);
void *__wrap_malloc(size_t);
void *
__wrap_malloc(size_t size)
{
	return no_malloc ? NULL : __real_malloc(size);
}

void
pool_submit(struct pool_job *job)
{
	jobs[submitted++] = job;
}

void
pool_abandon(struct pool_job *job)
{
	(void)job;
	abandoned++;
}

bool
pool_is_up(void)
{
	return pool_up;
}

void
plan_notice(const struct query *query, int64_t ran_us)
{
	(void)query, (void)ran_us;
}

enum claim
claim_take(uint64_t id, unsigned slot)
{
	assert_true(id != 0);
	(void)slot;
	return claims;
}

void
claim_release(uint64_t id, unsigned slot)
{
	(void)id, (void)slot;
	released++;
}

void
claim_fruitless(uint64_t id)
{
	(void)id;
	fruitless_told++;
}

bool
claim_was_fruitless(uint64_t id)
{
	(void)id;
	return was_fruitless;
}

bool
claim_watch(uint64_t id, unsigned slot)
{
	(void)id, (void)slot;
	return still_held;
}

bool
claim_has_waiters(uint64_t id)
{
	(void)id;
	return others_wait;
}

/* --- asking --- */

/* What a fetch was answered with. */
struct seen {
	struct fetch fetch;
	int times;
	enum pool_outcome outcome;
	enum fetch_source source;
	bool found;
	char body[50];
};

static void
on_done(struct fetch *f, const struct fetched *a)
{
	struct seen *s = f->context;

	s->times++;
	s->outcome = a->outcome;
	s->source = a->source;
	s->found = a->found;
	snprintf(s->body, sizeof s->body, "%.*s", (int)a->body_length,
	    a->found ? a->body : "");
}

static void
ask(struct seen *s, const struct query *query)
{
	*s = (struct seen){ .fetch = { .query = query, .ttl_ms = TTL,
	    .deadline_ms = 1, .done = on_done, .context = s } };
	fetch_start(&s->fetch);
}

static void
bump(const char *names)
{
	versions_bump(names, versions_write_begins(0));
}

/* The pool ends the nth job: with a row of that body, or without a row. */
static void
end(int n, enum pool_outcome outcome, const char *body, const char *type)
{
	PGresAttDesc columns[] = { { .name = (char *)(uintptr_t)"body" },
	    { .name = (char *)(uintptr_t)"type" } };
	PGresult *rows = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	struct finding finding = { .result = rows };
	struct pool_answer answer = { .outcome = outcome,
	    .finding = outcome == POOL_DONE ? &finding : NULL };

	assert_int_equal(PQsetResultAttrs(rows, type ? 2 : 1, columns), 1);
	if (body != NULL)
		PQsetvalue(rows, 0, 0, (char *)(uintptr_t)body,
		    (int)strlen(body));
	if (body != NULL && type != NULL)
		PQsetvalue(rows, 0, 1, (char *)(uintptr_t)type,
		    (int)strlen(type));
	jobs[n]->done(jobs[n], &answer);
	PQclear(rows);
}

/* It is there, whoever has made it. */
static void
put(const struct fetch *f, const char *body)
{
	struct cache_key key;
	struct cache_item item = { .query = 1, .stored_ms = shm_now_ms(),
	    .ttl_ms = TTL, .head = "h", .head_length = 1, .body = body,
	    .body_length = (uint32_t)strlen(body) };

	assert_true(fetch_key(f, &key));
	versions_read(f->query, &item.versions);
	assert_true(cache_put(&key, &item));
}

static int
begin(void **state)
{
	static bool opened;

	(void)state;
	if (!opened) {
		if (!shm_open_memory(-1, versions_bytes() + board_bytes() +
		    cache_bytes(SEGMENT) + 3 * 4096, 1))
			return -1;
		versions_open();
		board_open();
		board = &board_slots[0];
		cache_open(SEGMENT);
		base = event_base_new();
		if (base == NULL || !cache_own(0))
			return -1;
		fetch_open(base, 0);
		opened = true;
	}
	submitted = abandoned = released = fruitless_told = 0;
	others_wait = was_fruitless = still_held = no_calloc = no_malloc =
	    false;
	pool_up = true;
	claims = CLAIM_TAKEN;
	versions_set_unreachable(false);
	versions_alive(shm_now_ms());
	versions_bump_all();
	return 0;
}

FACT(who_asks_meanwhile_gets_the_same_and_who_asks_later_has_it)
{
	struct seen first, second, later;

	ask(&first, ONE);
	ask(&second, ONE);
	assert_int_equal(submitted, 1);
	end(0, POOL_DONE, "{}", NULL);
	assert_int_equal(first.times + second.times, 2);
	assert_int_equal(first.source, FETCH_MISS);
	assert_int_equal(second.source, FETCH_WAIT);
	assert_string_equal(second.body, "{}");
	assert_int_equal(released, 1);
	ask(&later, ONE);
	assert_int_equal(later.times, 1);
	assert_int_equal(later.source, FETCH_HIT);
	assert_int_equal(submitted, 1);
	bump("t0");
	ask(&later, ONE);
	assert_int_equal(submitted, 2);
	end(1, POOL_DONE, "[]", NULL);
	assert_string_equal(later.body, "[]");
}

FACT(nobody_joins_what_was_read_before_a_write)
{
	struct seen before, after;

	ask(&before, ONE);
	bump("t0");
	ask(&after, ONE);
	assert_int_equal(submitted, 2);
	end(0, POOL_DONE, "[1]", NULL);
	end(1, POOL_DONE, "[2]", NULL);
	assert_string_equal(before.body, "[1]");
	assert_string_equal(after.body, "[2]");
	ask(&after, ONE);
	assert_string_equal(after.body, "[2]");
	assert_int_equal(after.source, FETCH_HIT);
}

FACT(what_is_no_answer_is_not_kept)
{
	static char long_type[3000];
	static const struct { enum pool_outcome outcome; const char *body, *type; }
	rows[] = {
		{ POOL_DONE, NULL, NULL }, { POOL_DONE, "{}", long_type },
		{ POOL_REFUSED, NULL, NULL }, { POOL_TIMED_OUT, NULL, NULL },
		{ POOL_DOWN, NULL, NULL }
	};
	struct seen one;

	memset(long_type, 't', sizeof long_type - 1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		ask(&one, ONE);
		end((int)i, rows[i].outcome, rows[i].body, rows[i].type);
		assert_int_equal(one.times, 1);
		assert_int_equal(one.outcome, rows[i].outcome);
		assert_int_equal(one.found, rows[i].body != NULL);
		assert_int_equal(fruitless_told, (int)i + 1);
		assert_int_equal(submitted, (int)i + 1);
	}
}

FACT(another_worker_s_answer_is_waited_for)
{
	struct seen one;

	claims = CLAIM_OTHERS;
	ask(&one, TWO);
	assert_int_equal(submitted, 0);
	still_held = true;
	fetch_bell();			/* it rang for something else */
	assert_int_equal(one.times, 0);
	put(&one.fetch, "{\"by\":\"another\"}");
	still_held = false;
	fetch_bell();
	assert_int_equal(one.times, 1);
	assert_int_equal(one.source, FETCH_WAIT);
	assert_string_equal(one.body, "{\"by\":\"another\"}");
	assert_int_equal(submitted, 0);
}

FACT(without_another_worker_s_answer_one_of_us_flies)
{
	struct seen one;

	claims = CLAIM_OTHERS;
	ask(&one, ONE);
	was_fruitless = true;		/* it had none */
	fetch_bell();
	assert_int_equal(submitted, 1);
	end(0, POOL_DONE, "{}", NULL);
	assert_int_equal(one.times, 1);
	assert_int_equal(released, 0);	/* it was not ours */

	bump("t0");
	ask(&one, ONE);
	was_fruitless = false;		/* it died */
	claims = CLAIM_TAKEN;
	fetch_bell();
	assert_int_equal(submitted, 2);
	end(1, POOL_DONE, "{}", NULL);
	assert_int_equal(released, 1);

	bump("t0");
	claims = CLAIM_OTHERS;
	ask(&one, ONE);
	put(&one.fetch, "[]");
	no_malloc = true;		/* no room for its answer */
	was_fruitless = true;
	fetch_bell();
	no_malloc = false;
	assert_int_equal(submitted, 3);
	end(2, POOL_DONE, "{}", NULL);
}

FACT(who_neither_answers_nor_dies_is_not_waited_for_for_ever)
{
	struct seen one;

	claims = CLAIM_OTHERS;
	ask(&one, ONE);
	event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(submitted, 1);
	end(0, POOL_DONE, "{}", NULL);
	assert_int_equal(one.times, 1);
}

FACT(what_nobody_waits_for_is_dropped)
{
	struct seen one, other;

	ask(&one, ONE);
	ask(&other, ONE);
	fetch_abandon(&one.fetch);
	assert_int_equal(abandoned, 0);
	fetch_abandon(&one.fetch);	/* it is on no flight */
	fetch_abandon(&other.fetch);
	assert_int_equal(abandoned, 1);
	assert_int_equal(released, 1);
	assert_int_equal(one.times + other.times, 0);

	others_wait = true;		/* at another worker */
	ask(&one, ONE);
	fetch_abandon(&one.fetch);
	assert_int_equal(abandoned, 1);
	end(1, POOL_DONE, "{}", NULL);
	assert_int_equal(released, 2);
	others_wait = false;

	bump("t0");
	claims = CLAIM_OTHERS;
	ask(&one, ONE);
	fetch_abandon(&one.fetch);
	assert_int_equal(abandoned, 1);
}

FACT(what_has_no_key_is_shared_with_nobody)
{
	static char value[CACHE_KEY_MAX + 1];
	struct seen seen[2];

	memset(value, 'x', sizeof value - 1);
	for (int i = 0; i < 2; i++) {
		seen[i] = (struct seen){ .fetch = { .query = LONG,
		    .values = { value }, .ttl_ms = TTL, .done = on_done,
		    .context = &seen[i] } };
		fetch_start(&seen[i].fetch);
	}
	assert_int_equal(submitted, 2);
	for (int i = 0; i < 2; i++) {
		assert_string_equal(jobs[i]->work.values[0], value);
		end(i, POOL_DONE, "{}", NULL);
		assert_int_equal(seen[i].source, FETCH_MISS);
	}
	assert_int_equal(released, 0);
}

FACT(while_nobody_hears_only_the_last_second_is_joined)
{
	struct seen one, soon, late;

	versions_lost();
	ask(&one, ONE);
	ask(&soon, ONE);
	assert_int_equal(submitted, 1);
	usleep(1100 * 1000);
	ask(&late, ONE);
	assert_int_equal(submitted, 2);
	end(0, POOL_DONE, "[1]", NULL);
	end(1, POOL_DONE, "[2]", NULL);
	assert_string_equal(soon.body, "[1]");
	assert_string_equal(late.body, "[2]");
	assert_int_equal(released, 0);	/* nothing was claimed */
	ask(&late, ONE);		/* nor counts what is in memory */
	assert_int_equal(submitted, 3);
	end(2, POOL_DONE, "[3]", NULL);
}

/* The database has just gone, and the answer was there before. */
static void
go_away(void)
{
	struct seen one;

	versions_set_unreachable(false);
	versions_alive(shm_now_ms());
	versions_bump_all();
	submitted = 0;
	ask(&one, ONE);
	end(0, POOL_DONE, "[\"old\"]", NULL);
	versions_lost();
	versions_set_unreachable(true);
	pool_up = false;
	submitted = 0;
}

/* The database is asked, in vain, and nothing stale is given instead. */
static void
has_nothing(const struct query *query, enum pool_outcome outcome)
{
	struct seen one;

	ask(&one, query);
	assert_int_equal(submitted, 1);
	end(0, outcome, NULL, NULL);
	assert_int_equal(one.outcome, outcome);
}

FACT(without_a_database_what_was_true_is_given)
{
	struct seen one;

	go_away();
	ask(&one, ONE);
	assert_int_equal(submitted, 0);
	assert_int_equal(one.source, FETCH_STALE);
	assert_string_equal(one.body, "[\"old\"]");

	pool_up = true;			/* it is still tried */
	ask(&one, ONE);
	assert_int_equal(submitted, 1);
	pool_up = false;
	end(0, POOL_DOWN, NULL, NULL);
	assert_int_equal(one.times, 1);
	assert_int_equal(one.source, FETCH_STALE);
	assert_int_equal(one.outcome, POOL_DONE);

	go_away();
	has_nothing(TWO, POOL_LOST);	/* there never was anything */
}

FACT(but_not_what_a_write_has_changed_or_is_too_old)
{
	go_away();
	bump("t0");
	has_nothing(ONE, POOL_DOWN);

	go_away();
	versions_alive(shm_now_ms() - 61000);
	has_nothing(ONE, POOL_DOWN);

	go_away();
	versions_set_unreachable(false);
	has_nothing(ONE, POOL_DOWN);
}

FACT(without_memory_it_is_refused)
{
	struct seen one;

	no_calloc = true;
	ask(&one, ONE);
	no_calloc = false;
	assert_int_equal(one.outcome, POOL_FULL);
	no_malloc = true;
	ask(&one, ONE);
	no_malloc = false;
	assert_int_equal(one.outcome, POOL_FULL);
	assert_int_equal(submitted, 0);
}

#define EACH(name) cmocka_unit_test_setup(name, begin)

RUN(EACH(who_asks_meanwhile_gets_the_same_and_who_asks_later_has_it),
    EACH(nobody_joins_what_was_read_before_a_write),
    EACH(what_is_no_answer_is_not_kept),
    EACH(another_worker_s_answer_is_waited_for),
    EACH(without_another_worker_s_answer_one_of_us_flies),
    EACH(who_neither_answers_nor_dies_is_not_waited_for_for_ever),
    EACH(what_nobody_waits_for_is_dropped),
    EACH(what_has_no_key_is_shared_with_nobody),
    EACH(while_nobody_hears_only_the_last_second_is_joined),
    EACH(without_a_database_what_was_true_is_given),
    EACH(but_not_what_a_write_has_changed_or_is_too_old),
    EACH(without_memory_it_is_refused))
