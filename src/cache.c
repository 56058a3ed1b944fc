/*
 * A segment is a circular log of entries and, beside it, a hash index of
 * their positions.  One process writes a segment; any process reads it, at
 * any time, without a lock.
 *
 * Positions are bytes since the segment was made: they only grow, and an entry
 * at position p lies at p modulo the capacity, in one piece.  The writer
 *
 *	1. raises `reserved` to the end of the new entry,
 *	2. fence (release),
 *	3. writes the entry, word by word,
 *	4. stores its position in the index (release).
 *
 * What lies more than a capacity behind `reserved` may be overwritten at any
 * moment.  The reader loads a position from the index (acquire), copies the
 * words, fence (acquire), and loads `reserved`: when that is at most a capacity
 * ahead of the position, no word it copied was from a later entry.  All words
 * are relaxed atomics, so the race is defined; nothing read is used before the
 * check, but for lengths, which are held against the segment's size first.  A
 * checksum is the second line of defence.
 *
 * A writer killed in the middle leaves an entry that no index names, or a
 * position whose words are not all there and whose `reserved` says so.  There
 * is nothing to repair: its successor empties the index and goes on at the
 * next lap.
 *
 * The writer reads its own segment without copying.
 */
#include "cache.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "shm.h"

#define WAYS 8			/* positions in a bucket: one cache line */
#define BYTES_PER_WAY 512	/* of the log: an index for small answers */
#define BODY_ALIGN 8
#define HOT 2			/* finds that save an entry from eviction */

typedef _Atomic uint64_t word;

struct segment {
	word reserved;		/* end of the youngest entry, being written */
	word entries;		/* for those who count; not exact */
	char pad[SHM_CACHE_LINE - 2 * sizeof(word)];
	word words[];		/* the index, then the log */
};

/* Lies in the log, then key, head and body, filled up to whole words. */
struct entry {
	uint64_t checksum;	/* of all that follows */
	uint64_t position;
	uint64_t hash;
	uint32_t bytes;		/* in all */
	uint32_t query;
	int64_t stored_ms, ttl_ms;
	uint32_t key_length, head_length, body_length;
	uint32_t versions_count;
	uint64_t versions[VERSIONS_VECTOR];
	unsigned char etag[CACHE_ETAG];
};

static char *segments;			/* of all slots, one after another */
static size_t segment_size;		/* in bytes, with its index */
static uint64_t capacity;		/* of a log */
static size_t buckets;			/* a power of two */

/* Of the writer, private. */
static struct segment *own;
static uint64_t end, oldest;		/* positions: next entry, first one */
static unsigned char *found_times;	/* per place in the index */
static uint64_t evictions;
static char *scratch;			/* one entry, being built or read */
static size_t scratch_size;

static size_t
bucket_count(size_t log_bytes)
{
	size_t n = 64;

	while (n * WAYS * BYTES_PER_WAY < log_bytes)
		n *= 2;
	return n;
}

static size_t
size_of_segment(size_t log_bytes)
{
	size_t bytes = sizeof(struct segment) +
	    bucket_count(log_bytes) * WAYS * sizeof(word) + log_bytes;

	return (bytes + 4095) / 4096 * 4096;
}

size_t
cache_bytes(size_t segment_bytes)
{
	return SHM_SLOTS * size_of_segment(segment_bytes);
}

void
cache_open(size_t segment_bytes)
{
	segments = shm_take(cache_bytes(segment_bytes));
	segment_size = size_of_segment(segment_bytes);
	capacity = segment_bytes;
	buckets = bucket_count(segment_bytes);
}

static struct segment *
segment_of(unsigned slot)
{
	return (struct segment *)(segments + slot * segment_size);
}

void *
cache_segment(unsigned slot, size_t *bytes)
{
	*bytes = segment_size;
	return segment_of(slot);
}

static word *
bucket_of(struct segment *s, uint64_t hash)
{
	return s->words + (hash & (buckets - 1)) * WAYS;
}

static word *
log_at(struct segment *s, uint64_t position)
{
	return s->words + buckets * WAYS + position % capacity / 8;
}

/* A place in the index: a position in words, and 16 bits of the hash. */
static uint64_t
place_of(uint64_t position, uint64_t hash)
{
	return position / 8 << 16 | hash >> 48;
}

static uint64_t
position_of(uint64_t place)
{
	return place >> 16 << 3;
}

bool
cache_own(unsigned slot)
{
	uint64_t reserved;

	own = segment_of(slot);
	free(found_times);
	free(scratch);
	scratch_size = capacity / 8;
	found_times = calloc(buckets, WAYS);
	scratch = malloc(scratch_size);
	if (found_times == NULL || scratch == NULL)
		return false;
	reserved = atomic_load(&own->reserved);
	if (reserved > 0)	/* else it is new, and not to be touched */
		for (size_t i = 0; i < buckets * WAYS; i++)
			atomic_store(&own->words[i], 0);
	atomic_store(&own->entries, 0);
	/* Position 0 is not used: a place of 0 is empty. */
	end = oldest = (reserved / capacity + 1) * capacity;
	return true;
}

void
cache_key_start(struct cache_key *key, uint64_t statement)
{
	memcpy(key->bytes, &statement, sizeof statement);
	key->length = sizeof statement;
}

bool
cache_key_add(struct cache_key *key, const char *value, size_t length)
{
	uint32_t size = value == NULL ? UINT32_MAX : (uint32_t)length;

	if (value == NULL)
		length = 0;
	if (key->length + sizeof size > CACHE_KEY_MAX ||
	    length > CACHE_KEY_MAX - key->length - sizeof size)
		return false;
	memcpy(key->bytes + key->length, &size, sizeof size);
	key->length += sizeof size;
	if (length > 0)
		memcpy(key->bytes + key->length, value, length);
	key->length += (uint32_t)length;
	return true;
}

void
cache_key_finish(struct cache_key *key)
{
	key->hash = XXH3_64bits_withSeed(key->bytes, key->length, shm_boot());
}

void
cache_etag(const char *body, size_t length, unsigned char etag[CACHE_ETAG])
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(body, length));
	memcpy(etag, canonical.digest, CACHE_ETAG);
}

static uint64_t
checksum(const struct entry *e)
{
	return XXH3_64bits((const char *)e + sizeof e->checksum,
	    e->bytes - sizeof e->checksum);
}

/* Whether lengths that may be torn stay inside what was copied, and times
 * can be reckoned with. */
static bool
fits(const struct entry *e, uint64_t position, uint64_t hash)
{
	uint64_t sum = sizeof *e + (uint64_t)e->key_length +
	    e->head_length + e->body_length;

	return e->position == position && e->hash == hash &&
	    e->bytes % 8 == 0 && e->bytes <= capacity / 8 &&
	    position % capacity + e->bytes <= capacity &&
	    sum <= e->bytes && e->versions_count <= VERSIONS_VECTOR &&
	    e->query < queries_count && e->stored_ms >= 0 && e->ttl_ms >= 0;
}

/* Whether an entry may begin there, wherever a torn index says it does. */
static bool
has_room(uint64_t position)
{
	return position % capacity + sizeof(struct entry) <= capacity;
}

static void
load_words(void *to, word *from, size_t bytes)
{
	uint64_t *out = to;

	for (size_t i = 0; i < bytes / 8; i++)
		out[i] = atomic_load_explicit(&from[i], memory_order_relaxed);
}

static bool
not_overtaken(struct segment *s, uint64_t position)
{
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&s->reserved, memory_order_relaxed) <=
	    position + capacity;
}

/*
 * The entry at a position, or NULL: in place when it is our own, else a copy
 * in `scratch`, of its first part only when `whole` is false.
 */
static const struct entry *
entry_at(struct segment *s, uint64_t position, uint64_t hash, bool whole)
{
	struct entry *e = (struct entry *)scratch;

	if (s == own)
		return (const struct entry *)log_at(s, position);
	if (!has_room(position))
		return NULL;
	load_words(e, log_at(s, position), sizeof *e);
	if (!not_overtaken(s, position) || !fits(e, position, hash))
		return NULL;
	if (!whole)
		return e;
	load_words(e + 1, log_at(s, position) + sizeof *e / 8,
	    e->bytes - sizeof *e);
	if (!not_overtaken(s, position) || checksum(e) != e->checksum)
		return NULL;
	return e;
}

static void
describe(const struct entry *e, struct cache_item *item)
{
	item->query = e->query;
	item->versions.count = e->versions_count;
	memcpy(item->versions.at, e->versions,
	    e->versions_count * sizeof e->versions[0]);
	item->stored_ms = e->stored_ms;
	item->ttl_ms = e->ttl_ms;
	memcpy(item->etag, e->etag, CACHE_ETAG);
	item->key_length = e->key_length;
	item->head_length = e->head_length;
	item->body_length = e->body_length;
	item->key = (const char *)(e + 1);
	item->head = item->key + e->key_length;
	item->body = item->head + e->head_length;
}

/* What an entry must be to be given: of these versions and within its TTL,
 * or stored at a certain time. */
struct wish {
	const struct versions *versions;
	int64_t now_ms, stored_ms;
};

static bool
has_versions(const struct entry *e, const struct versions *v)
{
	return v->count == e->versions_count && memcmp(v->at, e->versions,
	    v->count * sizeof v->at[0]) == 0;
}

static bool
is_wanted(const struct entry *e, const struct wish *wish)
{
	if (wish->versions == NULL)
		return e->stored_ms >= wish->stored_ms;
	return wish->now_ms - e->stored_ms < e->ttl_ms &&
	    has_versions(e, wish->versions);
}

static bool
get_from(struct segment *s, const struct cache_key *key,
    const struct wish *wish, struct cache_item *item)
{
	word *bucket = bucket_of(s, key->hash);

	for (int i = 0; i < WAYS; i++) {
		uint64_t place = atomic_load_explicit(&bucket[i],
		    memory_order_acquire), position = position_of(place);
		const struct entry *e;
		unsigned char *times;

		if (place == 0 || (place & 0xffff) != key->hash >> 48)
			continue;
		e = entry_at(s, position, key->hash, false);
		if (e == NULL || e->hash != key->hash ||
		    e->key_length != key->length ||
		    !is_wanted(e, wish))
			continue;
		e = entry_at(s, position, key->hash, true);
		if (e == NULL || !is_wanted(e, wish) ||
		    memcmp(e + 1, key->bytes, key->length) != 0)
			continue;
		describe(e, item);
		item->other = s != own;
		if (s == own) {
			times = &found_times[bucket + i - s->words];
			*times += *times < UINT8_MAX;
		}
		return true;
	}
	return false;
}

static bool
get(const struct cache_key *key, const struct wish *wish,
    struct cache_item *item)
{
	if (get_from(own, key, wish, item))
		return true;
	for (unsigned slot = 0; slot < SHM_SLOTS; slot++) {
		struct segment *s = segment_of(slot);

		if (s != own && atomic_load_explicit(&s->entries,
		    memory_order_relaxed) > 0 && get_from(s, key, wish, item))
			return true;
	}
	return false;
}

bool
cache_get(const struct cache_key *key, const struct versions *wanted,
    int64_t now_ms, struct cache_item *item)
{
	struct wish wish = { .versions = wanted, .now_ms = now_ms };

	return own != NULL && get(key, &wish, item);
}

bool
cache_get_newest(const struct cache_key *key, struct cache_item *item)
{
	struct wish wish = { .stored_ms = INT64_MIN };
	bool found = false;

	/* Each round finds one that is younger than the last, if any is. */
	while (own != NULL && get(key, &wish, item)) {
		found = true;
		wish.stored_ms = item->stored_ms + 1;
	}
	if (found) {
		wish.stored_ms--;
		found = get(key, &wish, item);
	}
	return found;
}

static size_t
whole_words(size_t bytes)
{
	return (bytes + BODY_ALIGN - 1) / BODY_ALIGN * BODY_ALIGN;
}

/* The place in our index that names this position, or NULL. */
static word *
place_in_index(uint64_t position, uint64_t hash)
{
	word *bucket = bucket_of(own, hash);

	for (int i = 0; i < WAYS; i++)
		if (bucket[i] == place_of(position, hash))
			return &bucket[i];
	return NULL;
}

/*
 * Where to name a new entry: the place of an older one with the same key, a
 * free one, or that of the oldest in the bucket.
 */
static word *
choose_place(const struct entry *new)
{
	word *bucket = bucket_of(own, new->hash), *chosen = bucket;

	for (int i = 0; i < WAYS; i++) {
		const struct entry *old = (const struct entry *)
		    log_at(own, position_of(bucket[i]));

		if (bucket[i] != 0 && (bucket[i] & 0xffff) == new->hash >> 48 &&
		    old->hash == new->hash &&
		    old->key_length == new->key_length &&
		    memcmp(old + 1, new + 1, new->key_length) == 0)
			return &bucket[i];
		if (bucket[i] >> 16 < *chosen >> 16)
			chosen = &bucket[i];
	}
	return chosen;
}

static bool
counts(const struct entry *e)
{
	struct versions now;

	if (shm_now_ms() - e->stored_ms >= e->ttl_ms)
		return false;
	versions_read(&queries[e->query], &now);
	return has_versions(e, &now);
}

/*
 * Gives up the entries that the log's head is about to run over.  One that is
 * asked for often and still counts is kept in `rescued`, to be appended again.
 */
static void
give_up(uint64_t until, char *rescued, size_t room, size_t *used)
{
	while (oldest + capacity < until && oldest < end) {
		const struct entry *e =
		    (const struct entry *)log_at(own, oldest);
		word *place;

		if (e->position != oldest) {	/* the unused end of a lap */
			oldest = (oldest / capacity + 1) * capacity;
			continue;
		}
		if ((place = place_in_index(oldest, e->hash)) != NULL) {
			unsigned char *times =
			    &found_times[place - own->words];

			atomic_store_explicit(place, 0, memory_order_release);
			if (*times >= HOT && counts(e) &&
			    e->bytes <= room - *used) {
				memcpy(rescued + *used, e, e->bytes);
				*used += e->bytes;
			} else
				evictions += counts(e);
			*times = 0;
			atomic_fetch_sub_explicit(&own->entries, 1,
			    memory_order_relaxed);
		}
		oldest += e->bytes;
	}
}

static void
append(struct entry *new, bool rescued)
{
	static uint64_t saved[8192];	/* 64 KiB at most are rescued at once */
	size_t used = 0;
	uint64_t position = end;
	word *to, *place;

	if (position % capacity + new->bytes > capacity)
		position = (position / capacity + 1) * capacity;
	give_up(position + new->bytes, (char *)saved,
	    rescued ? 0 : sizeof saved, &used);
	new->position = position;
	new->checksum = checksum(new);
	place = choose_place(new);
	if (*place == 0)
		atomic_fetch_add_explicit(&own->entries, 1,
		    memory_order_relaxed);
	/* An older entry of this key is not to be found while we write. */
	atomic_store_explicit(place, 0, memory_order_relaxed);
	found_times[place - own->words] = 0;

	atomic_store_explicit(&own->reserved, position + new->bytes,
	    memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	to = log_at(own, position);
	for (size_t i = 0; i < new->bytes / 8; i++)
		atomic_store_explicit(&to[i], ((const uint64_t *)new)[i],
		    memory_order_relaxed);
	atomic_store_explicit(place, place_of(position, new->hash),
	    memory_order_release);
	end = position + new->bytes;
	for (size_t at = 0; at < used; ) {
		struct entry *e = (struct entry *)((char *)saved + at);

		at += e->bytes;
		append(e, true);
	}
}

bool
cache_put(const struct cache_key *key, const struct cache_item *item)
{
	struct entry *e = (struct entry *)scratch;
	size_t bytes = whole_words(sizeof *e + key->length +
	    (size_t)item->head_length + item->body_length);
	char *at = (char *)(e + 1);

	if (own == NULL || bytes > scratch_size)
		return false;
	memset(e, 0, sizeof *e);
	e->hash = key->hash;
	e->bytes = (uint32_t)bytes;
	e->query = item->query;
	e->stored_ms = item->stored_ms;
	e->ttl_ms = item->ttl_ms;
	e->key_length = key->length;
	e->head_length = item->head_length;
	e->body_length = item->body_length;
	e->versions_count = item->versions.count;
	memcpy(e->versions, item->versions.at,
	    item->versions.count * sizeof e->versions[0]);
	memcpy(e->etag, item->etag, CACHE_ETAG);
	memcpy(at, key->bytes, key->length);
	at += key->length;
	memcpy(at, item->head, item->head_length);
	at += item->head_length;
	memcpy(at, item->body, item->body_length);
	at += item->body_length;
	memset(at, 0, (size_t)((char *)e + bytes - at));
	append(e, false);
	return true;
}

void
cache_walk(unsigned slot, cache_seen *seen, void *context)
{
	struct segment *s = segment_of(slot);
	struct cache_item item;

	if (atomic_load(&s->reserved) == 0)
		return;
	for (size_t i = 0; i < buckets * WAYS; i++) {
		uint64_t place = atomic_load_explicit(&s->words[i],
		    memory_order_acquire), position = position_of(place);
		struct entry e = { 0 };

		if (place == 0 || !has_room(position))
			continue;
		load_words(&e, log_at(s, position), sizeof e);
		if (!not_overtaken(s, position) || !fits(&e, position, e.hash))
			continue;
		describe(&e, &item);
		seen(context, &item, e.bytes);
	}
}

size_t
cache_capacity(void)
{
	return capacity;
}

uint64_t
cache_evictions(void)
{
	return evictions;
}
