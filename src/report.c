/*
 * All numbers are sums over the slots of shared memory, so every worker, and
 * the master, tells the same.  Sums are taken while others count on: one may
 * be a moment ahead of another.
 */
#include "report.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "cache.h"
#include "conf.h"
#include "plan.h"
#include "query.h"
#include "routes.h"
#include "shm.h"
#include "versions.h"

#define POOL_HIGH 80		/* percent, and of what is worth a word */
#define POOL_RAISED 60
#define HITS_LOW 50		/* percent */
#define HITS_ENOUGH 100		/* answers before a rate means something */
#define ANSWER_SLOW_US 100000

typedef struct json_object object;

static void
put_number(object *o, const char *name, uint64_t n)
{
	json_object_object_add(o, name, json_object_new_int64((int64_t)n));
}

static void
put_real(object *o, const char *name, double x)
{
	char text[32];

	/* Three decimals, and not the seventeen of a double. */
	snprintf(text, sizeof text, "%.3f", x);
	json_object_object_add(o, name, json_object_new_double_s(x, text));
}

static void
put_text(object *o, const char *name, const char *text)
{
	json_object_object_add(o, name, json_object_new_string(text));
}

static void
put_call(object *array, const char *call, enum language language)
{
	char text[512];

	text_format(text, sizeof text, call, language);
	json_object_array_add(array, json_object_new_string(text));
}

static void
put_times(object *o, const char *name, const struct board_histogram *h)
{
	object *t = json_object_new_object();

	put_number(t, "count", board_count(h));
	put_real(t, "p50", board_quantile(h, 0.5) / 1000);
	put_real(t, "p99", board_quantile(h, 0.99) / 1000);
	put_real(t, "max", (double)h->max_us / 1000);
	json_object_object_add(o, name, t);
}

/* A slot that serves or has served. */
static bool
is_used(unsigned slot)
{
	return board_slots[slot].started_ms != 0;
}

static bool
is_alive(unsigned slot)
{
	return board_slots[slot].pid > 0;
}

#define SUM(member) ({ uint64_t sum_ = 0; \
	for (unsigned i_ = 0; i_ < SHM_SLOTS; i_++) \
		sum_ += board_slots[i_].member; \
	sum_; })

/* --- workers --- */

static const char *const states[] = {
	[SLOT_FREE] = "gone", [SLOT_STARTING] = "starting",
	[SLOT_READY] = "ready", [SLOT_DRAINING] = "draining"
};

static object *
describe_worker(unsigned slot)
{
	const struct board_slot *b = &board_slots[slot];
	object *o = json_object_new_object();

	put_number(o, "slot", slot);
	put_text(o, "socket", b->path);
	put_number(o, "pid", (uint64_t)b->pid);
	put_text(o, "state", states[b->state]);
	put_number(o, "uptime_seconds",
	    (uint64_t)(shm_now_ms() - b->started_ms) / 1000);
	put_number(o, "restarts", b->restarts);
	put_number(o, "requests", b->requests);
	put_number(o, "clients", b->clients);
	put_number(o, "unsent_bytes", b->unsent_bytes);
	return o;
}

object *
report_workers(void)
{
	object *list = json_object_new_array();

	for (unsigned slot = 0; slot < SHM_SLOTS; slot++)
		if (is_alive(slot))
			json_object_array_add(list, describe_worker(slot));
	return list;
}

/* --- pool --- */

static object *
describe_pool(unsigned slot)
{
	const struct board_slot *b = &board_slots[slot];
	object *o = json_object_new_object();
	uint64_t open = b->pool_open, busy = b->pool_busy;

	put_number(o, "slot", slot);
	put_number(o, "pid", (uint64_t)b->pid);
	put_number(o, "open", open);
	put_number(o, "in_use", busy);
	put_number(o, "idle", open > busy ? open - busy : 0);
	put_number(o, "waiting", b->pool_waiting);
	put_times(o, "waited_ms", &b->waited);
	put_number(o, "waited_out", b->waited_out);
	put_number(o, "refused", b->refused);
	put_number(o, "timeouts", b->timeouts);
	put_number(o, "reconnects", b->lost);
	put_number(o, "connect_failures", b->connect_failures);
	put_number(o, "lifetime_closes", b->lifetime_closes);
	put_number(o, "retries", b->retries);
	return o;
}

static struct board_histogram
times_of_all_routes(void)
{
	struct board_histogram all = { 0 };

	for (unsigned slot = 0; slot < SHM_SLOTS; slot++)
		for (size_t i = 0; is_used(slot) && i < routes_count; i++)
			board_sum(&all, &board_slots[slot].routes[i].time);
	return all;
}

/* The old rules: pool, share of hits, time of an answer. */
static unsigned
hit_percent(bool *enough)
{
	uint64_t hits = SUM(hits), all = hits + SUM(misses) + SUM(waits);

	*enough = all >= HITS_ENOUGH;
	return all == 0 ? 0 : (unsigned)(hits * 100 / all);
}

static void
warn_of_hits(object *warnings, enum language language)
{
	bool enough;
	unsigned percent = hit_percent(&enough);
	char call[64];

	if (!enough || percent >= HITS_LOW)
		return;
	snprintf(call, sizeof call, "hits_low|%u", percent);
	put_call(warnings, call, language);
}

static void
warn_of_times(object *warnings, enum language language)
{
	struct board_histogram all = times_of_all_routes();
	double us = board_quantile(&all, 0.99);
	char call[64];

	if (board_count(&all) < HITS_ENOUGH || us <= ANSWER_SLOW_US)
		return;
	snprintf(call, sizeof call, "answers_slow|%u", (unsigned)(us / 1000));
	put_call(warnings, call, language);
}

/* Whether the pool's use is worth a warning; the words go into the list. */
static bool
warn_of_pool(object *warnings, uint64_t busy, uint64_t total,
    enum language language)
{
	uint64_t most = (uint64_t)conf.pool_max;
	unsigned percent = (unsigned)((busy * 100 + most / 2) / most);
	char call[64];
	bool high = percent > POOL_HIGH;

	if (percent > POOL_RAISED) {
		snprintf(call, sizeof call, "%s|%u",
		    high ? "pool_high" : "pool_raised", percent);
		put_call(warnings, call, language);
	}
	/* None idle matters only when no more may be opened. */
	if (busy < total || total < most)
		return high;
	put_call(warnings, "pool_none_available", language);
	return true;
}

/* Whether the server has as many; others want some too. */
static void
compare_with_server(object *o, object *advice, enum language language)
{
	unsigned long long most = (unsigned long long)conf.pool_max;
	unsigned long long limit = board_common->max_connections;
	unsigned long long reserved = board_common->reserved_connections;
	char text[256], call[128];

	if (limit == 0)		/* it was never asked */
		return;
	if (most + reserved > limit) {
		snprintf(call, sizeof call, "pool_above_server|%llu|%llu|%llu",
		    most, limit, reserved);
		put_call(advice, call, language);
		return;
	}
	snprintf(call, sizeof call, "pool_sum|%llu|%llu|%llu|%llu", most,
	    reserved, limit, limit - most - reserved);
	text_format(text, sizeof text, call, language);
	put_text(o, "arithmetic", text);
}

static object *
recommend(uint64_t busy, enum language language)
{
	object *o = json_object_new_object(), *advice;
	uint64_t most = (uint64_t)conf.pool_max;
	char text[128], call[128];

	text_format(text, sizeof text, "pool_optimal", language);
	put_text(o, "optimal_range", text);
	snprintf(text, sizeof text, "min=%ld, max=%ld", conf.pool_min,
	    conf.pool_max);
	put_text(o, "current_config", text);
	json_object_object_add(o, "advice", advice = json_object_new_array());
	if (busy * 100 > most * POOL_HIGH) {
		snprintf(call, sizeof call, "pool_raise|%llu|%llu",
		    (unsigned long long)most,
		    (unsigned long long)(busy * 10 / 7 + 1));
		put_call(advice, call, language);
	}
	compare_with_server(o, advice, language);
	return o;
}

static object *
pool_stats(uint64_t busy, uint64_t total)
{
	object *o = json_object_new_object();

	put_number(o, "min_connections", (uint64_t)conf.pool_min);
	put_number(o, "max_connections", (uint64_t)conf.pool_max);
	put_number(o, "available", total > busy ? total - busy : 0);
	put_number(o, "in_use", busy);
	put_number(o, "total", total);
	put_number(o, "waiting", SUM(pool_waiting));
	put_number(o, "server_max_connections", board_common->max_connections);
	return o;
}

object *
report_pool(enum language language)
{
	object *o = json_object_new_object(), *warnings, *workers;
	/* The listener's connection is one of them, and always in use. */
	uint64_t listener = versions_trusted();
	uint64_t busy = SUM(pool_busy) + listener;
	uint64_t total = SUM(pool_open) + listener;
	const char *status = "healthy";

	warnings = json_object_new_array();
	if (versions_unreachable() || SUM(pool_down) > 0) {
		status = "error";
		put_call(warnings, "database_unavailable", language);
	} else if (warn_of_pool(warnings, busy, total, language))
		status = "warning";
	warn_of_times(warnings, language);
	put_text(o, "status", status);
	json_object_object_add(o, "pool_stats", pool_stats(busy, total));
	json_object_object_add(o, "warnings", warnings);
	json_object_object_add(o, "recommendations",
	    recommend(busy, language));
	json_object_object_add(o, "workers",
	    workers = json_object_new_array());
	for (unsigned slot = 0; slot < SHM_SLOTS; slot++)
		if (is_alive(slot))
			json_object_array_add(workers, describe_pool(slot));
	return o;
}

/* --- cache --- */

struct tally {
	uint64_t entries, expired, bytes;
};

/* What one walk over a slot fills. */
struct walk {
	const bool *of;			/* statements that are asked for */
	struct tally slot, *queries;	/* per statement, of all slots */
};

/* The name by which a statement's answers are cleared. */
static const char *
name_of(unsigned query)
{
	for (size_t i = 0; i < routes_count; i++)
		if (routes[i].cache != NULL && routes[i].statement != NULL &&
		    strcmp(routes[i].statement, queries[query].name) == 0)
			return routes[i].cache;
	return queries[query].name;
}

static bool
reads_table(const struct query *query, const char *table)
{
	for (unsigned i = 0; i < query->table_count; i++)
		if (strcmp(query_tables[query->tables[i]], table) == 0)
			return true;
	return false;
}

static void
choose(bool *of, const char *prefix, const char *table)
{
	for (unsigned i = 0; i < queries_count; i++)
		of[i] = queries[i].reads && (prefix == NULL ||
		    strncmp(name_of(i), prefix, strlen(prefix)) == 0) &&
		    (table == NULL || reads_table(&queries[i], table));
}

static void
add(struct tally *t, uint32_t bytes, bool expired)
{
	t->entries++;
	t->bytes += bytes;
	t->expired += expired;
}

static void
on_seen(void *context, const struct cache_item *item, uint32_t bytes)
{
	struct walk *w = context;
	bool expired;

	if (!w->of[item->query])
		return;
	expired = shm_now_ms() - item->stored_ms >= item->ttl_ms ||
	    !versions_current(&queries[item->query], &item->versions);
	add(&w->slot, bytes, expired);
	add(&w->queries[item->query], bytes, expired);
}

static object *
describe_segment(unsigned slot, const struct tally *t)
{
	const struct board_slot *b = &board_slots[slot];
	object *o = json_object_new_object();

	put_number(o, "slot", slot);
	put_number(o, "pid", (uint64_t)b->pid);
	put_number(o, "entries", t->entries);
	put_number(o, "active", t->entries - t->expired);
	put_number(o, "bytes", t->bytes);
	put_number(o, "capacity", cache_capacity());
	put_number(o, "hits", b->hits);
	put_number(o, "hits_other", b->hits_other);
	put_number(o, "misses", b->misses);
	put_number(o, "evictions", b->evictions);
	return o;
}

/* A line for each name, although several statements may share one. */
static object *
describe_names(const struct tally *tallies)
{
	object *all = json_object_new_object();

	for (unsigned i = 0; i < queries_count; i++) {
		uint64_t hits = 0, misses = 0;
		object *o;

		for (unsigned slot = 0; slot < SHM_SLOTS; slot++) {
			hits += board_slots[slot].statements[i].hits;
			misses += board_slots[slot].statements[i].misses;
		}
		if (tallies[i].entries + hits + misses == 0)
			continue;
		o = json_object_new_object();
		put_number(o, "entries", tallies[i].entries);
		put_number(o, "active",
		    tallies[i].entries - tallies[i].expired);
		put_number(o, "bytes", tallies[i].bytes);
		put_number(o, "hits", hits);
		put_number(o, "misses", misses);
		json_object_object_add(all, name_of(i), o);
	}
	return all;
}

static void
put_totals(object *o, const struct tally *t, const char *prefix)
{
	uint64_t hits = SUM(hits), all = hits + SUM(misses) + SUM(waits);

	put_number(o, "total_entries", t->entries);
	put_number(o, "active_entries", t->entries - t->expired);
	put_number(o, "expired_entries", t->expired);
	put_text(o, "prefix", prefix != NULL ? prefix : "all");
	put_number(o, "bytes", t->bytes);
	put_number(o, "hits", hits);
	put_number(o, "hits_other", SUM(hits_other));
	put_number(o, "misses", SUM(misses));
	put_number(o, "waits", SUM(waits));
	put_number(o, "stale", SUM(stale));
	put_number(o, "not_modified", SUM(not_modified));
	put_number(o, "evictions", SUM(evictions));
	put_number(o, "uncached", SUM(uncached));
	put_number(o, "bumps", versions_bumps());
	put_number(o, "clears", board_common->cache_clears);
	put_real(o, "hit_rate",
	    all == 0 ? 0 : (double)hits / (double)all);
}

object *
report_cache(const char *prefix, enum language language)
{
	object *o = json_object_new_object(), *stats, *workers, *warnings;
	struct tally *tallies = calloc(queries_count, sizeof *tallies);
	struct tally total = { 0 };
	bool of[BOARD_STATEMENTS];
	uint64_t capacity = 0;

	stats = json_object_new_object();
	workers = json_object_new_array();
	warnings = json_object_new_array();
	choose(of, prefix, NULL);
	for (unsigned slot = 0; tallies != NULL && slot < SHM_SLOTS; slot++) {
		struct walk w = { .of = of, .queries = tallies };

		if (!is_used(slot))
			continue;
		cache_walk(slot, on_seen, &w);
		total.entries += w.slot.entries;
		total.expired += w.slot.expired;
		total.bytes += w.slot.bytes;
		capacity += cache_capacity();
		json_object_array_add(workers,
		    describe_segment(slot, &w.slot));
	}
	put_totals(stats, &total, prefix);
	put_number(stats, "capacity", capacity);
	if (tallies != NULL)
		json_object_object_add(stats, "prefixes",
		    describe_names(tallies));
	json_object_object_add(stats, "workers", workers);
	warn_of_hits(warnings, language);
	put_text(o, "status", json_object_array_length(warnings) > 0 ?
	    "warning" : "ok");
	json_object_object_add(o, "cache_stats", stats);
	json_object_object_add(o, "warnings", warnings);
	free(tallies);
	return o;
}

static uint64_t
count_current(const bool *of)
{
	struct tally *tallies = calloc(queries_count, sizeof *tallies);
	uint64_t n = 0;

	for (unsigned slot = 0; tallies != NULL && slot < SHM_SLOTS; slot++) {
		struct walk w = { .of = of, .queries = tallies };

		if (is_used(slot))
			cache_walk(slot, on_seen, &w);
		n += w.slot.entries - w.slot.expired;
	}
	free(tallies);
	return n;
}

object *
report_cleared(const char *prefix, const char *table)
{
	object *o = json_object_new_object();
	bool of[BOARD_STATEMENTS];
	char text[256];
	uint64_t n;

	choose(of, prefix, table);
	n = count_current(of);
	for (unsigned i = 0; i < queries_count; i++)
		if (of[i])
			versions_clear(&queries[i]);
	atomic_fetch_add(&board_common->cache_clears, 1);
	if (prefix != NULL)
		snprintf(text, sizeof text, "Cleared %llu cache entries with "
		    "prefix \"%.100s\"", (unsigned long long)n, prefix);
	else if (table != NULL)
		snprintf(text, sizeof text, "Cleared %llu cache entries that "
		    "read \"%.64s\"", (unsigned long long)n, table);
	else
		snprintf(text, sizeof text, "Cleared all %llu cache entries",
		    (unsigned long long)n);
	put_text(o, "status", "ok");
	put_text(o, "message", text);
	put_number(o, "cleared_count", n);
	return o;
}

/* --- slow statements --- */

struct statement_times {
	unsigned query;
	uint64_t calls, errors, rows, bytes, hits;
	struct board_histogram time;
	double p99;
	object *server;		/* or NULL */
};

static int
slower_first(const void *a, const void *b)
{
	double x = ((const struct statement_times *)a)->p99;
	double y = ((const struct statement_times *)b)->p99;

	return x < y ? 1 : x > y ? -1 : 0;
}

static void
sum_statement(struct statement_times *t, unsigned query)
{
	t->query = query;
	for (unsigned slot = 0; slot < SHM_SLOTS; slot++) {
		const struct board_statement *s =
		    &board_slots[slot].statements[query];

		if (!is_used(slot))
			continue;
		t->calls += s->calls;
		t->errors += s->errors;
		t->rows += s->rows;
		t->bytes += s->bytes;
		t->hits += s->hits;
		board_sum(&t->time, &s->time);
	}
	t->p99 = board_quantile(&t->time, 0.99);
}

static void
put_plan(object *o, unsigned query)
{
	int64_t age_ms;
	const char *plan = plan_of(query, &age_ms);

	if (plan == NULL)
		return;
	put_text(o, "plan", plan);
	put_number(o, "plan_age_seconds", (uint64_t)age_ms / 1000);
}

static object *
describe_statement(const struct statement_times *t, bool plan)
{
	object *o = json_object_new_object();

	put_text(o, "statement", queries[t->query].name);
	put_number(o, "calls", t->calls);
	put_number(o, "errors", t->errors);
	put_number(o, "rows", t->rows);
	put_number(o, "bytes", t->bytes);
	put_number(o, "saved_by_cache", t->hits);
	put_times(o, "ms", &t->time);
	if (t->server != NULL)
		json_object_object_add(o, "server",
		    json_object_get(t->server));
	if (plan)
		put_plan(o, t->query);
	return o;
}

static void
add_server(struct statement_times *all, object *server)
{
	for (unsigned i = 0; i < queries_count; i++)
		all[i].server = json_object_object_get(server,
		    queries[i].name);
}

object *
report_slow(const char *counts, bool plans)
{
	struct statement_times *all = calloc(queries_count, sizeof *all);
	object *o = json_object_new_object();
	object *list = json_object_new_array();
	object *server = counts != NULL ? json_tokener_parse(counts) : NULL;

	for (unsigned i = 0; all != NULL && i < queries_count; i++)
		sum_statement(&all[i], i);
	if (all != NULL && server != NULL)
		add_server(all, server);
	if (all != NULL)
		qsort(all, queries_count, sizeof *all, slower_first);
	for (unsigned i = 0; all != NULL && i < queries_count; i++)
		if (all[i].calls > 0)
			json_object_array_add(list,
			    describe_statement(&all[i], plans));
	free(all);
	json_object_object_add(o, "statements", list);
	put_number(o, "slow_ms", (uint64_t)conf.slow_ms);
	json_object_object_add(o, "pg_stat_statements",
	    json_object_new_boolean(server != NULL));
	json_object_put(server);
	return o;
}

/* --- the program --- */

object *
report_status(void)
{
	object *o = json_object_new_object();
	bool enough;

	put_text(o, "version", VERSION);
	put_number(o, "uptime_seconds", (uint64_t)(shm_now_ms() -
	    board_common->started_ms) / 1000);
	put_number(o, "workers", board_common->workers);
	put_number(o, "generation", board_common->generation);
	put_number(o, "listener_pid", (uint64_t)board_common->listener);
	json_object_object_add(o, "listening",
	    json_object_new_boolean(versions_trusted()));
	json_object_object_add(o, "database_reachable",
	    json_object_new_boolean(!versions_unreachable()));
	put_number(o, "hit_percent", hit_percent(&enough));
#define X(name, help) put_number(o, #name, SUM(name));
	BOARD_COUNTERS(X)
	BOARD_GAUGES(X)
#undef X
	return o;
}
