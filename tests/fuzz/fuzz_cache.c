/*
 * A segment that another process is said to have written.  Its sound bytes
 * are overwritten by those given, nine at a time: a place (two bytes of it
 * choose where, counted from an end of index or log) and a word.
 */
#include "fuzz.h"

#include "../unit/queries.h"
#include "cache.h"
#include "shm.h"
#include "versions.h"

#define SEGMENT (16 * 1024)
#define KEYS 16
#define BODY 300

static struct versions now;
static struct cache_key keys[KEYS];
static unsigned char *segment, *sound;
static size_t segment_size;

static void
put(int i)
{
	char body[BODY];
	struct cache_item item = {
		.query = 1, .versions = now, .stored_ms = 1000,
		.ttl_ms = 1000, .head = "h", .head_length = 1,
		.body = memset(body, i, sizeof body), .body_length = BODY
	};

	cache_key_start(&keys[i], 1);
	cache_key_add(&keys[i], (char *)&i, sizeof i);
	cache_key_finish(&keys[i]);
	MUST(cache_put(&keys[i], &item));
}

static void
begin(void)
{
	int i;

	MUST(shm_open_memory(-1, versions_bytes() + cache_bytes(SEGMENT) +
	    4096, 1));
	versions_open();
	cache_open(SEGMENT);
	versions_read(ONE, &now);
	MUST(cache_own(0));
	for (i = 0; i < KEYS; i++)
		put(i);
	segment = cache_segment(0, &segment_size);
	MUST((sound = malloc(segment_size)) != NULL);
	memcpy(sound, segment, segment_size);
	MUST(cache_own(1));
}

static size_t
place(const uint8_t *bytes)
{
	int at = bytes[1] << 8 | bytes[2];

	if (bytes[0] & 2)
		return 0;		/* `reserved` */
	at += bytes[0] & 1 ? 64 : (int)segment_size - 4096 - SEGMENT;
	return (size_t)at / 8 * 8;
}

static void
overwrite(const uint8_t *bytes, size_t size)
{
	for (; size >= 11; bytes += 11, size -= 11)
		if (place(bytes) + 8 <= segment_size)
			memcpy(segment + place(bytes), bytes + 3, 8);
}

/* Who reads a segment changes nothing in it: only this was overwritten. */
static void
restore(const uint8_t *bytes, size_t size)
{
	for (; size >= 11; bytes += 11, size -= 11)
		if (place(bytes) + 8 <= segment_size)
			memcpy(segment + place(bytes), sound + place(bytes),
			    8);
}

static void
on_seen(void *context, const struct cache_item *item, uint32_t bytes)
{
	(void)context;
	MUST(item->query < queries_count && bytes <= SEGMENT / 8);
	MUST(item->versions.count <= VERSIONS_VECTOR);
}

static void
look_at(const struct cache_item *item, int i)
{
	uint32_t k;

	MUST(item->key_length == keys[i].length &&
	    memcmp(item->key, keys[i].bytes, keys[i].length) == 0);
	MUST(item->body_length == BODY);
	for (k = 0; k < BODY; k++)
		MUST(item->body[k] == i);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct cache_item item;
	int i;

	if (segment == NULL)
		begin();
	overwrite(bytes, size);
	for (i = 0; i < KEYS; i++)
		if (cache_get(&keys[i], &now, 1500, &item))
			look_at(&item, i);
	if (cache_get_newest(&keys[0], &item))
		look_at(&item, 0);
	cache_walk(0, on_seen, NULL);
	restore(bytes, size);
	return 0;
}
