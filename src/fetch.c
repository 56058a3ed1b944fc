/*
 * A flight is one execution for one key and one state of the data.  It carries
 * the versions that were read before its statement was sent.  Who asks joins
 * it only while they are current, and so is never answered from before a write
 * that was acknowledged when he came; who has joined gets its answer even if
 * the data moves on meanwhile.  Inside the worker flights hang on a list;
 * between workers a claim (claim.h) names who flies, and the answer is found
 * in his segment under exactly those versions.
 *
 *	fetch_start -> memory -> a flight of ours -> another's claim -> the pool
 *
 * While nobody hears what others change (versions_trusted), versions say
 * nothing of their writes: then only flights of the last second are joined,
 * and only in the same worker.
 *
 * When the database cannot be reached, what was current when it was last seen
 * is given as stale for up to a minute: an answer from before an acknowledged
 * write never is.  (Before one of which nothing is known it may be; else a
 * write under way when the database went would leave nothing to give.)
 */
#include "fetch.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "board.h"
#include "claim.h"
#include "conf.h"
#include "http.h"
#include "plan.h"
#include "shm.h"

#define STALE_MS 60000
#define PATIENCE_MS 500		/* beyond a statement's own deadline */
#define JOIN_MS 1000		/* the age at which a flight is joined unheard */

struct flight {
	LIST_ENTRY(flight) link;
	TAILQ_HEAD(, fetch) waiting;
	struct cache_key *key;		/* NULL: not to be shared or kept */
	struct versions versions;
	uint64_t id;
	bool listed, claimed, elsewhere;
	int64_t ttl_ms, began_us;
	struct event *timer;		/* of one elsewhere */
	struct pool_job job;
	const char *values[QUERY_ARGUMENTS_MAX];
	char *texts;			/* what values point to */
};

static struct event_base *base;
static unsigned slot;
static LIST_HEAD(, flight) flights = LIST_HEAD_INITIALIZER(flights);

static void take_off(struct flight *);

void
fetch_open(struct event_base *b, unsigned s)
{
	base = b;
	slot = s;
}

bool
fetch_key(const struct fetch *f, struct cache_key *key)
{
	cache_key_start(key, f->query->hash);
	for (unsigned i = 0; i < f->query->count; i++) {
		const char *value = f->values[i];

		if (!cache_key_add(key, value, value ? strlen(value) : 0))
			return false;
	}
	cache_key_finish(key);
	return true;
}

static struct board_statement *
counters(const struct query *query)
{
	return &board->statements[query_index(query)];
}

static void
fill_from_item(struct fetched *a, const struct cache_item *item)
{
	a->outcome = POOL_DONE;
	a->found = true;
	a->head = item->head;
	a->head_length = item->head_length;
	a->body = item->body;
	a->body_length = item->body_length;
	memcpy(a->etag, item->etag, sizeof a->etag);
	a->versions = item->versions;
	a->other = item->other;
	a->age_ms = shm_now_ms() - item->stored_ms;
}

static bool
give_from_memory(struct fetch *f, const struct cache_key *key,
    const struct versions *now)
{
	struct cache_item item;
	struct fetched a = { .source = FETCH_HIT };

	if (!cache_get(key, now, shm_now_ms(), &item))
		return false;
	board_add(&counters(f->query)->hits, 1);
	fill_from_item(&a, &item);
	f->done(f, &a);
	return true;
}

/* Only while the database itself is away; see above. */
static bool
give_stale(struct fetch *f, const struct cache_key *key)
{
	struct cache_item item;
	struct fetched a = { .source = FETCH_STALE };

	if (key == NULL || f->ttl_ms == 0 || !versions_unreachable() ||
	    pool_is_up() || versions_alive_age_ms() > STALE_MS ||
	    !cache_get_newest(key, &item) ||
	    !versions_undisputed(f->query, &item.versions))
		return false;
	board_add(&board->stale, 1);
	fill_from_item(&a, &item);
	f->done(f, &a);
	return true;
}

static uint64_t
flight_id(const struct cache_key *key, const struct versions *v)
{
	uint64_t id = XXH3_64bits_withSeed(v->at,
	    v->count * sizeof v->at[0], key->hash);

	return id > UINT8_MAX ? id : id + UINT8_MAX;	/* 0 is no claim */
}

static bool
may_be_joined(const struct flight *flight)
{
	return versions_trusted() ||
	    shm_now_us() - flight->began_us < JOIN_MS * 1000;
}

static struct flight *
find_flight(uint64_t id, const struct cache_key *key,
    const struct versions *now)
{
	struct flight *flight;

	LIST_FOREACH(flight, &flights, link)
		if (flight->id == id && flight->key != NULL &&
		    may_be_joined(flight) &&
		    versions_equal(&flight->versions, now) &&
		    flight->key->length == key->length && memcmp(
		    flight->key->bytes, key->bytes, key->length) == 0)
			return flight;
	return NULL;
}

static void
unlist(struct flight *flight)
{
	if (flight->listed)
		LIST_REMOVE(flight, link);
	flight->listed = false;
}

static void
end_flight(struct flight *flight)
{
	unlist(flight);
	if (flight->claimed)
		claim_release(flight->id, slot);
	if (flight->timer != NULL)
		event_free(flight->timer);
	free(flight->key);
	free(flight->texts);
	free(flight);
}

/*
 * The flight is over: everybody on it gets the answer.  Nobody joins any more,
 * since a callback may ask for the same key again.
 */
static void
land(struct flight *flight, struct fetched *a)
{
	struct fetch *f;

	unlist(flight);
	while ((f = TAILQ_FIRST(&flight->waiting)) != NULL) {
		TAILQ_REMOVE(&flight->waiting, f, link);
		f->flight = NULL;
		a->source = f->source;
		if ((a->outcome != POOL_DOWN && a->outcome != POOL_LOST) ||
		    !give_stale(f, flight->key))
			f->done(f, a);
	}
}

static size_t
make_head(char *out, size_t size, const PGresult *rows, struct fetched *a)
{
	int total = PQfnumber(rows, "total"), type = PQfnumber(rows, "type");

	return http_answer_head(out, size,
	    type >= 0 ? PQgetvalue(rows, 0, type) : "application/json",
	    total >= 0 ? strtoll(PQgetvalue(rows, 0, total), NULL, 10) : -1,
	    a->etag, NULL, a->body_length);
}

static bool
read_row(struct fetched *a, const PGresult *rows, char *head, size_t size)
{
	int body = PQfnumber(rows, "body");

	a->found = PQntuples(rows) > 0 && body >= 0 &&
	    !PQgetisnull(rows, 0, body);
	if (!a->found)
		return false;
	a->body = PQgetvalue(rows, 0, body);
	a->body_length = (uint32_t)PQgetlength(rows, 0, body);
	cache_etag(a->body, a->body_length, a->etag);
	a->head = head;
	a->head_length = (uint32_t)make_head(head, size, rows, a);
	return a->head_length > 0;
}

static bool
remember(const struct flight *flight, const struct fetched *a)
{
	struct cache_item item = {
		.query = query_index(flight->job.work.query),
		.versions = flight->versions,
		.stored_ms = shm_now_ms(), .ttl_ms = flight->ttl_ms,
		.head_length = a->head_length, .head = a->head,
		.body_length = a->body_length, .body = a->body,
	};

	static uint64_t evictions;	/* that have been counted */
	bool kept;

	if (flight->key == NULL || flight->ttl_ms == 0)
		return false;
	memcpy(item.etag, a->etag, sizeof item.etag);
	kept = cache_put(flight->key, &item);
	board_add(&board->uncached, !kept);
	board_add(&board->evictions, cache_evictions() - evictions);
	evictions = cache_evictions();
	return kept;
}

static void
count_execution(const struct query *query, const struct pool_answer *p,
    const struct fetched *a)
{
	struct board_statement *s = counters(query);

	board_add(&s->misses, 1);
	board_ran(s, p->outcome == POOL_DONE, a->found, a->body_length,
	    p->finding != NULL ? p->ran_us : -1);
}

static void
on_executed(struct pool_job *job, const struct pool_answer *p)
{
	struct flight *flight = job->context;
	struct fetched a = { .outcome = p->outcome, .finding = p->finding,
	    .versions = flight->versions, .queued_us = p->queued_us,
	    .ran_us = p->ran_us };
	char head[HTTP_HEAD_MAX];
	bool kept = p->outcome == POOL_DONE &&
	    read_row(&a, p->finding->result, head, sizeof head) &&
	    remember(flight, &a);

	count_execution(job->work.query, p, &a);
	/* The answer is in its place before the others are told. */
	if (flight->claimed && !kept)
		claim_fruitless(flight->id);
	if (flight->claimed)
		claim_release(flight->id, slot);
	flight->claimed = false;
	land(flight, &a);
	plan_notice(job->work.query, p->ran_us);
	end_flight(flight);
}

static void
set_timer(struct flight *flight)
{
	long ms = flight->job.work.deadline_ms + PATIENCE_MS;
	struct timeval wait = { ms / 1000, ms % 1000 * 1000 };

	evtimer_add(flight->timer, &wait);
}

static void
execute(struct flight *flight)
{
	flight->elsewhere = false;
	if (flight->timer != NULL)
		evtimer_del(flight->timer);
	pool_submit(&flight->job);
}

/*
 * Another worker's flight ended without an answer for us.  What cannot be kept
 * (no row, an error, too large) is not waited for again: each worker gets its
 * own.  When the worker died, one of us flies for all.
 */
static void
fly_instead(struct flight *flight)
{
	if (claim_was_fruitless(flight->id))
		execute(flight);
	else
		take_off(flight);
}

/*
 * Another worker's flight ended.  Its answer is copied: the callbacks of those
 * who wait use the cache themselves.
 */
static void
look_elsewhere(struct flight *flight)
{
	struct cache_item item;
	struct fetched a = { 0 };
	struct fetch *f;
	char *copy;

	if (!cache_get(flight->key, &flight->versions, shm_now_ms(), &item) ||
	    (copy = malloc(item.head_length + item.body_length + 1)) == NULL) {
		fly_instead(flight);
		return;
	}
	TAILQ_FOREACH(f, &flight->waiting, link)
		f->source = FETCH_WAIT;
	fill_from_item(&a, &item);
	a.head = memcpy(copy, item.head, item.head_length);
	a.body = memcpy(copy + item.head_length, item.body, item.body_length);
	land(flight, &a);
	end_flight(flight);
	free(copy);
}

static void
on_timer(int fd, short what, void *context)
{
	struct flight *flight = context;

	(void)fd, (void)what;
	/* The backstop: its owner neither answered nor was found dead. */
	execute(flight);
}

void
fetch_bell(void)
{
	struct flight *flight, *next;

	for (flight = LIST_FIRST(&flights); flight != NULL; flight = next) {
		next = LIST_NEXT(flight, link);
		/* It may be in the air again, by a third worker. */
		if (flight->elsewhere && !claim_watch(flight->id, slot))
			look_elsewhere(flight);
	}
}

static bool
watch_elsewhere(struct flight *flight)
{
	if (flight->timer == NULL)
		flight->timer = evtimer_new(base, on_timer, flight);
	if (flight->timer == NULL)
		return false;
	flight->elsewhere = true;
	set_timer(flight);
	return true;
}

/* Executes the flight, or waits for the worker that already does. */
static void
take_off(struct flight *flight)
{
	enum claim claim = CLAIM_NONE;

	if (flight->key != NULL && flight->ttl_ms > 0 && versions_trusted())
		claim = claim_take(flight->id, slot);
	flight->claimed = claim == CLAIM_TAKEN;
	if (claim != CLAIM_OTHERS || !watch_elsewhere(flight))
		execute(flight);
}

/* The values outlive the request that brought them. */
static bool
copy_values(struct flight *flight, const struct fetch *f)
{
	size_t bytes = 1;
	char *to;

	for (unsigned i = 0; i < f->query->count; i++)
		if (f->values[i] != NULL)
			bytes += strlen(f->values[i]) + 1;
	if ((to = flight->texts = malloc(bytes)) == NULL)
		return false;
	for (unsigned i = 0; i < f->query->count; i++) {
		flight->values[i] = f->values[i] == NULL ? NULL : to;
		if (f->values[i] != NULL)
			to = stpcpy(to, f->values[i]) + 1;
	}
	return true;
}

static struct flight *
new_flight(const struct fetch *f, const struct cache_key *key)
{
	struct flight *flight = calloc(1, sizeof *flight);
	size_t bytes;

	if (flight == NULL || !copy_values(flight, f)) {
		free(flight);
		return NULL;
	}
	TAILQ_INIT(&flight->waiting);
	if (key != NULL) {
		bytes = offsetof(struct cache_key, bytes) + key->length;
		if ((flight->key = malloc(bytes)) != NULL)
			memcpy(flight->key, key, bytes);
	}
	flight->ttl_ms = f->ttl_ms;
	flight->began_us = shm_now_us();
	flight->job.urgent = f->urgent;
	flight->job.done = on_executed;
	flight->job.context = flight;
	flight->job.work = (struct work){ .query = f->query,
	    .count = f->query->count, .values = flight->values,
	    .deadline_ms = f->deadline_ms };
	return flight;
}

static void
join(struct flight *flight, struct fetch *f, enum fetch_source source)
{
	f->flight = flight;
	f->source = source;
	TAILQ_INSERT_TAIL(&flight->waiting, f, link);
}

static void
start_flight(struct fetch *f, const struct cache_key *key,
    const struct versions *now, uint64_t id)
{
	struct flight *flight = new_flight(f, key);
	struct fetched a = { .outcome = POOL_FULL };

	if (flight == NULL) {
		f->done(f, &a);
		return;
	}
	flight->versions = *now;
	flight->id = id;
	LIST_INSERT_HEAD(&flights, flight, link);
	flight->listed = true;
	join(flight, f, FETCH_MISS);
	take_off(flight);
}

void
fetch_start(struct fetch *f)
{
	static struct cache_key key;	/* not kept beyond this call */
	bool shared = fetch_key(f, &key);
	struct versions now;
	struct flight *flight;
	uint64_t id = 0;

	f->flight = NULL;
	versions_read(f->query, &now);
	if (shared && f->ttl_ms > 0) {
		if (versions_trusted() ? give_from_memory(f, &key, &now) :
		    give_stale(f, &key))
			return;
	}
	if (shared) {
		id = flight_id(&key, &now);
		if ((flight = find_flight(id, &key, &now)) != NULL) {
			join(flight, f, FETCH_WAIT);
			return;
		}
	}
	start_flight(f, shared ? &key : NULL, &now, id);
}

void
fetch_abandon(struct fetch *f)
{
	struct flight *flight = f->flight;

	if (flight == NULL)
		return;
	TAILQ_REMOVE(&flight->waiting, f, link);
	f->flight = NULL;
	if (!TAILQ_EMPTY(&flight->waiting) ||
	    (flight->claimed && claim_has_waiters(flight->id)))
		return;
	if (!flight->elsewhere)
		pool_abandon(&flight->job);
	end_flight(flight);
}
