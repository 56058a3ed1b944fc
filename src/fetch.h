/* The answer of a statement that reads: memory, then a flight, then a query. */
#ifndef FETCH_H
#define FETCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "cache.h"
#include "pool.h"

struct event_base;
struct flight;

enum fetch_source { FETCH_HIT, FETCH_MISS, FETCH_WAIT, FETCH_STALE };

struct fetched {
	enum pool_outcome outcome;	/* POOL_DONE: what follows holds */
	const struct finding *finding;	/* POOL_REFUSED: why */
	bool found;			/* there is a row */
	enum fetch_source source;
	const char *head, *body;	/* http_answer_head's, and the text */
	uint32_t head_length, body_length;
	unsigned char etag[CACHE_ETAG];
	struct versions versions;	/* that it was computed from */
	bool other;			/* in another worker's memory */
	int64_t age_ms, queued_us, ran_us;
};

/*
 * What to fetch.  The memory is the caller's until `done`, which is called
 * exactly once, perhaps before fetch_start returns; values are copied.
 */
struct fetch {
	const struct query *query;
	const char *values[QUERY_ARGUMENTS_MAX];
	int64_t ttl_ms;			/* 0: not cached */
	long deadline_ms;
	bool urgent;
	void (*done)(struct fetch *, const struct fetched *);
	void *context;

	/* fetch.c's */
	struct flight *flight;
	TAILQ_ENTRY(fetch) link;
	enum fetch_source source;
};

void fetch_open(struct event_base *, unsigned slot);
void fetch_start(struct fetch *);

/* Nobody waits for it any more; `done` is not called. */
void fetch_abandon(struct fetch *);

/* Our bell rang: another worker's flight may be over. */
void fetch_bell(void);

/* The key of what it asks for, as it is stored; false when it has none. */
bool fetch_key(const struct fetch *, struct cache_key *);

#endif
