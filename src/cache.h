/* Answers kept in memory: each worker writes its own, all read all. */
#ifndef CACHE_H
#define CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "versions.h"

#define CACHE_KEY_MAX 4096
#define CACHE_ETAG 16

struct cache_key {
	uint64_t hash;		/* only finds the place */
	uint32_t length;
	char bytes[CACHE_KEY_MAX];
};

/* An answer.  From cache_get: valid until the next call of this module. */
struct cache_item {
	unsigned query;			/* query_index */
	struct versions versions;
	int64_t stored_ms, ttl_ms;
	unsigned char etag[CACHE_ETAG];
	uint32_t key_length, head_length, body_length;
	const char *key, *head, *body;
	bool other;			/* in another worker's segment */
};

/* Of all slots; what is never used is never touched. */
size_t cache_bytes(size_t segment_bytes);
void cache_open(size_t segment_bytes);	/* after shm_open_memory */

/*
 * Makes this process the writer of the slot's segment and empties it, so that
 * nothing half-written by a dead predecessor is ever read.
 */
bool cache_own(unsigned slot);

/* Appends a part of a key; false when it does not fit (do not cache). */
void cache_key_start(struct cache_key *, uint64_t statement);
bool cache_key_add(struct cache_key *, const char *value, size_t length);
void cache_key_finish(struct cache_key *);

/*
 * The answer for the key that carries exactly `wanted` and whose age is less
 * than its TTL; own segment first.  Only after cache_own.
 */
bool cache_get(const struct cache_key *, const struct versions *wanted,
    int64_t now_ms, struct cache_item *);

/* The youngest answer for the key, whatever its versions and age. */
bool cache_get_newest(const struct cache_key *, struct cache_item *);

/*
 * Stores the item, whose pointers are the caller's own memory and whose key is
 * the argument's.  False when it is larger than an
 * eighth of the segment: it is then not kept.
 */
bool cache_put(const struct cache_key *, const struct cache_item *);

/*
 * Shows each answer that the slot holds; its pointers are not to be used.
 * Walks over the whole index: for those who count.
 */
typedef void cache_seen(void *context, const struct cache_item *,
    uint32_t bytes);
void cache_walk(unsigned slot, cache_seen *, void *context);
size_t cache_capacity(void);	/* of a slot, in bytes */

/* Entries pushed out by this process while they still counted. */
uint64_t cache_evictions(void);

/* The ETag of a body. */
void cache_etag(const char *body, size_t length, unsigned char[CACHE_ETAG]);

/* The slots' memory, for tests that destroy it. */
void *cache_segment(unsigned slot, size_t *bytes);

#endif
