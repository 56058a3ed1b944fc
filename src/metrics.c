/*
 * Counters are those of shared memory, so any worker tells of all of them, and
 * those of a worker that died go on where they were.  Gauges and what belongs
 * to a worker carry its slot.
 */
#include "metrics.h"

#include <stdio.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "cache.h"
#include "conf.h"
#include "http.h"
#include "match.h"
#include "permit.h"
#include "query.h"
#include "routes.h"
#include "shm.h"
#include "versions.h"

static void
put_head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP reklam_%s %s.\n# TYPE reklam_%s %s\n", name, help,
	    name, type);
}

static bool
is_used(unsigned slot)
{
	return board_slots[slot].started_ms != 0;
}

/* Offsets, so that one loop serves all rows of the board's table. */
#define X(name, help) { #name, help, offsetof(struct board_slot, name) },
static const struct row {
	const char *name, *help;
	size_t offset;
} counters[] = { BOARD_COUNTERS(X) }, gauges[] = { BOARD_GAUGES(X) };
#undef X

static uint64_t
value_of(unsigned slot, const struct row *row)
{
	return *(const counter *)((const char *)&board_slots[slot] +
	    row->offset);
}

static void
put_row(FILE *out, const struct row *row, const char *type,
    const char *suffix)
{
	char name[64];

	snprintf(name, sizeof name, "%s%s", row->name, suffix);
	put_head(out, name, type, row->help);
	for (unsigned slot = 0; slot < SHM_SLOTS; slot++)
		if (is_used(slot))
			fprintf(out, "reklam_%s{slot=\"%u\"} %llu\n", name,
			    slot, (unsigned long long)value_of(slot, row));
}

/* The lines of one histogram; `labels` ends with a comma, or is empty. */
static void
put_histogram(FILE *out, const char *name, const char *labels,
    const struct board_histogram *h)
{
	uint64_t below = 0;

	for (unsigned i = 0; i < BOARD_BUCKETS; i++) {
		below += h->bucket[i];
		fprintf(out, "reklam_%s_bucket{%sle=\"", name, labels);
		if (i < BOARD_BUCKETS - 1)
			fprintf(out, "%g", board_bounds[i] / 1e6);
		else
			fputs("+Inf", out);
		fprintf(out, "\"} %llu\n", (unsigned long long)below);
	}
	fprintf(out, "reklam_%s_sum{%.*s} %.6f\n", name,
	    labels[0] != '\0' ? (int)(strlen(labels) - 1) : 0, labels,
	    (double)h->sum_us / 1e6);
	fprintf(out, "reklam_%s_count{%.*s} %llu\n", name,
	    labels[0] != '\0' ? (int)(strlen(labels) - 1) : 0, labels,
	    (unsigned long long)below);
}

static void
sum_route(struct board_route *sum, size_t route)
{
	for (unsigned slot = 0; slot < SHM_SLOTS; slot++) {
		const struct board_route *r = &board_slots[slot].routes[route];

		if (!is_used(slot))
			continue;
		for (unsigned i = 0; i < 6; i++)
			board_add(&sum->status[i], r->status[i]);
		board_sum(&sum->time, &r->time);
	}
}

/* A route that nobody has asked for has no lines. */
static void
put_routes(FILE *out)
{
	struct board_route *sums = calloc(routes_count, sizeof *sums);
	char labels[256];

	if (sums == NULL)
		return;
	put_head(out, "http_requests_total", "counter",
	    "Requests by route and class of status");
	for (size_t i = 0; i < routes_count; i++) {
		sum_route(&sums[i], i);
		for (unsigned s = 2; s < 6; s++)
			if (sums[i].status[s] > 0)
				fprintf(out, "reklam_http_requests_total{"
				    "method=\"%s\",route=\"%s\","
				    "status=\"%uxx\"} %llu\n",
				    match_method_name(routes[i].method),
				    routes[i].path, s,
				    (unsigned long long)sums[i].status[s]);
	}
	put_head(out, "http_request_seconds", "histogram",
	    "Time from a request's arrival to its answer, by route");
	for (size_t i = 0; i < routes_count; i++) {
		if (board_count(&sums[i].time) == 0)
			continue;
		snprintf(labels, sizeof labels,
		    "method=\"%s\",route=\"%s\",",
		    match_method_name(routes[i].method), routes[i].path);
		put_histogram(out, "http_request_seconds", labels,
		    &sums[i].time);
	}
	free(sums);
}

static void
put_statements(FILE *out)
{
	char labels[128];

	put_head(out, "statement_seconds", "histogram",
	    "Time of statements in the database");
	for (unsigned i = 0; i < queries_count; i++) {
		struct board_histogram sum = { 0 };

		for (unsigned slot = 0; slot < SHM_SLOTS; slot++)
			if (is_used(slot))
				board_sum(&sum,
				    &board_slots[slot].statements[i].time);
		if (board_count(&sum) == 0)
			continue;
		snprintf(labels, sizeof labels, "statement=\"%s\",",
		    queries[i].name);
		put_histogram(out, "statement_seconds", labels, &sum);
	}
}

static void
put_times(FILE *out)
{
	struct board_histogram waited = { 0 }, hits = { 0 };

	for (unsigned slot = 0; slot < SHM_SLOTS; slot++) {
		if (!is_used(slot))
			continue;
		board_sum(&waited, &board_slots[slot].waited);
		board_sum(&hits, &board_slots[slot].hit_time);
	}
	put_head(out, "pool_waited_seconds", "histogram",
	    "Time that statements waited for a connection");
	put_histogram(out, "pool_waited_seconds", "", &waited);
	put_head(out, "hit_seconds", "histogram",
	    "Time of answers from memory, in the worker");
	put_histogram(out, "hit_seconds", "", &hits);
}

static void
put_one(FILE *out, const char *name, const char *type, const char *help,
    double value)
{
	put_head(out, name, type, help);
	fprintf(out, "reklam_%s %.15g\n", name, value);
}

static void
put_restarts(FILE *out)
{
	put_head(out, "worker_restarts_total", "counter",
	    "Workers that ended by themselves and were replaced");
	for (unsigned slot = 0; slot < SHM_SLOTS; slot++)
		if (is_used(slot))
			fprintf(out, "reklam_worker_restarts_total"
			    "{slot=\"%u\"} %llu\n", slot, (unsigned long long)
			    board_slots[slot].restarts);
}

static void
put_program(FILE *out)
{
	put_head(out, "build_info", "gauge", "Always 1");
	fprintf(out, "reklam_build_info{version=\"%s\"} 1\n", VERSION);
	put_one(out, "uptime_seconds", "gauge", "Since the program's start",
	    (double)(shm_now_ms() - board_common->started_ms) / 1000);
	put_one(out, "workers", "gauge", "Workers that should serve",
	    (double)board_common->workers);
	put_one(out, "generation", "gauge", "Reloads and upgrades, plus one",
	    (double)board_common->generation);
	put_restarts(out);
	put_one(out, "pool_max", "gauge", "DB_POOL_MAX_CONNECTIONS",
	    (double)conf.pool_max);
	put_one(out, "server_max_connections", "gauge",
	    "The database's own limit; 0 when it is not known",
	    (double)board_common->max_connections);
	put_one(out, "database_unreachable", "gauge",
	    "1 while the listener cannot connect", versions_unreachable());
	put_one(out, "listener_trusted", "gauge",
	    "1 while answers from memory count", versions_trusted());
	put_one(out, "listener_age_seconds", "gauge",
	    "Since the listener's last proof of life",
	    (double)versions_alive_age_ms() / 1000);
	put_one(out, "listener_round_trip_seconds", "gauge",
	    "Of the listener's last proof of life",
	    (double)board_common->listener_round_us / 1e6);
	put_one(out, "listener_restarts_total", "counter",
	    "Listeners that ended by themselves",
	    (double)board_common->listener_restarts);
	put_one(out, "notifications_total", "counter",
	    "Changes that the listener heard of",
	    (double)board_common->notifications);
	put_one(out, "notifications_own_total", "counter",
	    "Of these, those that the writer had told already",
	    (double)board_common->notifications_own);
	put_one(out, "bumps_total", "counter",
	    "Times that a table's version grew", (double)versions_bumps());
	put_one(out, "cache_clears_total", "counter",
	    "Times that somebody cleared the cache",
	    (double)board_common->cache_clears);
	put_one(out, "cache_capacity_bytes", "gauge",
	    "Memory for answers, per worker", (double)cache_capacity());
}

void
metrics_tell(struct request *r)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	bool fine;

	if (out == NULL) {
		http_refuse(r, 503, "busy", NULL);
		return;
	}
	put_program(out);
	for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
		put_row(out, &counters[i], "counter", "_total");
	for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++)
		put_row(out, &gauges[i], "gauge", "");
	put_times(out);
	put_routes(out);
	put_statements(out);
	fine = fclose(out) == 0;
	if (fine)
		http_reply_as(r, 200, "text/plain; version=0.0.4", "", text,
		    length);
	else
		http_refuse(r, 503, "busy", NULL);
	free(text);
}
