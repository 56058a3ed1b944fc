#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "cache.h"
#include "cache_reader.h"
#include "queries.h"
#include "shm.h"
#include "versions.h"

/* As after a write that nobody else hears of. */
static void
bump(const char *names)
{
	versions_bump(names, versions_write_begins(0));
}

#define SEGMENT (64 * 1024)
#define TTL 1000000

static struct cache_key key;
static struct cache_item item;
static struct versions now;

static int
opened(void **state)
{
	(void)state;
	if (!shm_open_memory(-1, versions_bytes() + cache_bytes(SEGMENT) +
	    4096, 1))
		return -1;
	versions_open();
	cache_open(SEGMENT);
	versions_read(ONE, &now);
	return cache_own(0) ? 0 : -1;
}

static void
make_key(const char *value)
{
	cache_key_start(&key, 1);
	assert_true(cache_key_add(&key, value, strlen(value)));
	cache_key_finish(&key);
}

/* An answer whose body says what it answers, as long as is asked for. */
static char body[SEGMENT];

static size_t
make_body(const char *value, size_t length)
{
	size_t i, n = strlen(value);

	for (i = 0; i < length; i++)
		body[i] = value[i % n];
	return length;
}

static bool
put_at(const char *value, size_t length, int64_t stored_ms)
{
	struct cache_item new = {
		.query = 1, .versions = now, .stored_ms = stored_ms,
		.ttl_ms = TTL, .head = "head", .head_length = 4, .body = body,
		.body_length = (uint32_t)make_body(value, length)
	};

	make_key(value);
	cache_etag(body, length, new.etag);
	return cache_put(&key, &new);
}

static bool
put(const char *value, size_t length)
{
	return put_at(value, length, shm_now_ms());
}

struct walk {
	int entries, old;
	size_t bytes;
};

static void
on_seen(void *context, const struct cache_item *seen, uint32_t bytes)
{
	struct walk *w = context;

	w->entries++;
	w->bytes += bytes;
	w->old += !versions_current(&queries[seen->query], &seen->versions);
}

static struct walk
walk(unsigned slot)
{
	struct walk w = { 0 };

	cache_walk(slot, on_seen, &w);
	return w;
}

/* Whether `item` is the answer to the key, to the last byte. */
static void
assert_answers(const char *value)
{
	unsigned char etag[CACHE_ETAG];

	assert_int_equal(item.key_length, key.length);
	assert_memory_equal(item.key, key.bytes, key.length);
	assert_int_equal(item.head_length, 4);
	assert_memory_equal(item.head, "head", 4);
	make_body(value, item.body_length);
	assert_memory_equal(item.body, body, item.body_length);
	cache_etag(body, item.body_length, etag);
	assert_memory_equal(item.etag, etag, CACHE_ETAG);
}

static bool
finds(const char *value)
{
	make_key(value);
	if (!cache_get(&key, &now, shm_now_ms(), &item))
		return false;
	assert_answers(value);
	return true;
}

FACT(what_is_put_is_found)
{
	assert_false(finds("a"));
	assert_true(put("a", 600));
	assert_true(finds("a"));
	assert_int_equal(item.body_length, 600);
	assert_int_equal(item.query, 1);
	assert_true(finds("a"));
	assert_false(finds("b"));
	assert_true(put("b", 0));
	assert_true(finds("b"));
	assert_true(finds("a"));
}

FACT(a_newer_answer_takes_the_place_of_an_older)
{
	assert_true(put("a", 10));
	assert_true(finds("a") && finds("a"));
	assert_true(put("a", 20));
	assert_true(finds("a"));
	assert_int_equal(item.body_length, 20);
}

FACT(an_answer_is_of_its_versions)
{
	struct versions before = now;

	assert_true(put("a", 10));
	bump("t0");
	versions_read(ONE, &now);
	assert_false(finds("a"));
	make_key("a");
	assert_true(cache_get(&key, &before, shm_now_ms(), &item));
	assert_true(put("a", 30));
	assert_true(finds("a"));
	assert_false(cache_get(&key, &before, shm_now_ms(), &item));
}

FACT(clearing_beats_an_answer_on_its_way)
{
	assert_true(put("a", 10));
	versions_clear(ONE);
	assert_true(put("a", 20));	/* computed from before the clearing */
	versions_read(ONE, &now);
	assert_false(finds("a"));
	versions_clear(TWO);
	assert_true(put("a", 30));
	assert_true(finds("a"));
}

FACT(an_answer_ends_with_its_ttl)
{
	int64_t then = shm_now_ms();

	assert_true(put_at("a", 10, then));
	assert_true(cache_get(&key, &now, then + TTL - 1, &item));
	assert_false(cache_get(&key, &now, then + TTL, &item));
}

static uint64_t
hash_of(const char *const *values, int count)
{
	int i;

	cache_key_start(&key, 1);
	for (i = 0; i < count; i++)
		assert_true(cache_key_add(&key, values[i],
		    values[i] ? strlen(values[i]) : 0));
	cache_key_finish(&key);
	return key.hash;
}

FACT(keys_that_differ_differ)
{
	static const char *const lists[][3] = {
		{ NULL, NULL, NULL }, { "", NULL, NULL }, { NULL, "", NULL },
		{ "", "", "" }, { "ab", "c", "" }, { "a", "bc", "" },
		{ "abc", "", "" }, { "", "abc", "" }, { "NULL", NULL, NULL },
	};
	uint64_t seen[2 * COUNT(lists)];
	size_t i, j, n = 0;

	for (i = 0; i < COUNT(lists); i++)
		seen[n++] = hash_of(lists[i], 3);
	for (i = 0; i < 3; i++)
		seen[n++] = hash_of(lists[3], (int)i);
	for (i = 0; i < n; i++)
		for (j = 0; j < i; j++)
			assert_int_not_equal(seen[i], seen[j]);
	cache_key_start(&key, 2);
	cache_key_finish(&key);
	assert_int_not_equal(key.hash, seen[9]);
}

FACT(a_key_has_an_end)
{
	static char value[CACHE_KEY_MAX];

	cache_key_start(&key, 1);
	assert_false(cache_key_add(&key, value, CACHE_KEY_MAX - 11));
	assert_true(cache_key_add(&key, value, CACHE_KEY_MAX - 12));
	assert_false(cache_key_add(&key, value, 0));
	assert_false(cache_key_add(&key, NULL, 0));
	assert_int_equal(key.length, CACHE_KEY_MAX);
}

/* Only the place is found by the hash: here it is the same for two. */
FACT(the_whole_key_is_compared)
{
	uint64_t hash;

	assert_true(put("a", 10));
	hash = key.hash;
	make_key("b");
	key.hash = hash;
	assert_false(cache_get(&key, &now, shm_now_ms(), &item));
	assert_false(cache_get_newest(&key, &item));
	assert_true(cache_own(1));
	assert_false(cache_get(&key, &now, shm_now_ms(), &item));
	make_key("a");
	assert_true(cache_get(&key, &now, shm_now_ms(), &item));
}

FACT(too_large_an_answer_is_not_kept)
{
	size_t room = SEGMENT / 8;

	assert_false(put("a", room));
	assert_false(finds("a"));
	assert_true(put("a", room - 300));
	assert_true(finds("a"));
}

/* The log moves on: what is old is pushed out, what is young stays. */
FACT(the_oldest_make_room)
{
	char name[16];
	uint64_t before = cache_evictions();
	int i, found = 0;

	for (i = 0; i < 500; i++) {
		sprintf(name, "%d", i);
		assert_true(put(name, (size_t)(i * 37 % 2000)));
		assert_true(finds(name));
	}
	for (i = 0; i < 500; i++) {
		sprintf(name, "%d", i);
		if (finds(name))
			found++;
		else
			assert_true(i < 480);
	}
	assert_in_range(found, 20, 90);
	assert_in_range(cache_evictions() - before, 400, 480);
}

FACT(what_is_asked_for_often_is_kept)
{
	char name[16];
	int i;

	assert_true(put("hot", 700));
	assert_true(put("cold", 700));
	for (i = 0; i < 2000; i++) {
		sprintf(name, "%d", i);
		assert_true(put(name, 900));
		if (i % 5 == 0)
			assert_true(finds("hot"));
	}
	assert_false(finds("cold"));
	assert_true(finds("hot"));
	/* but not when it does not count any more */
	for (i = 0; i < 5; i++)
		assert_true(finds("hot"));
	bump("t0");
	for (i = 0; i < 200; i++) {
		sprintf(name, "%d", i);
		assert_true(put(name, 900));
	}
	assert_false(finds("hot"));
}

FACT(others_read_what_one_writes)
{
	struct cache_item other;

	assert_true(put("a", 3000));
	assert_true(cache_own(1));
	assert_true(finds("a"));
	assert_true(put("a", 10));	/* one's own comes first */
	assert_true(finds("a"));
	assert_int_equal(item.body_length, 10);
	assert_true(put("b", 20));
	other = item;
	(void)other;
	assert_true(cache_own(63));
	assert_true(finds("b"));
}

FACT(the_youngest_of_all_is_the_newest)
{
	int64_t then = shm_now_ms();

	assert_true(put_at("a", 10, then - 500));
	assert_true(cache_own(1));
	assert_true(put_at("a", 20, then - 300));
	assert_true(cache_own(2));
	assert_true(put_at("a", 30, then - 400));
	bump("t0");
	versions_read(ONE, &now);
	assert_false(finds("a"));
	assert_true(cache_get_newest(&key, &item));
	assert_int_equal(item.body_length, 20);
	assert_answers("a");
	make_key("b");
	assert_false(cache_get_newest(&key, &item));
}

FACT(a_successor_begins_empty)
{
	assert_true(put("a", 10));
	assert_true(cache_own(0));
	assert_false(finds("a"));
	assert_int_equal(walk(0).entries, 0);
	assert_true(put("b", 10));
	assert_true(finds("b"));
	assert_false(finds("a"));
}

FACT(a_walk_sees_what_is_there)
{
	assert_true(put("a", 1000));
	assert_true(put("b", 2000));
	assert_true(put("a", 500));
	assert_int_equal(walk(0).entries, 2);
	assert_in_range(walk(0).bytes, 2500, 4000);
	assert_int_equal(walk(0).old, 0);
	assert_int_equal(walk(1).entries, 0);
	assert_int_equal(cache_capacity(), SEGMENT);
	assert_true(cache_own(1));
	assert_int_equal(walk(0).entries, 2);
	bump("t0");
	assert_int_equal(walk(0).old, 2);
}

/*
 * A reader that is overtaken: the writer has reserved the place of what it
 * just read.  `reserved` is a segment's first word, and position 64 kB is the
 * first entry's.
 */
FACT(an_overtaken_reader_has_read_nothing)
{
	size_t size;
	_Atomic uint64_t *reserved = cache_segment(0, &size);
	uint64_t was;

	assert_true(put("a", 500));
	was = *reserved;
	assert_in_range(was, SEGMENT + 500, SEGMENT + 1000);
	assert_true(cache_own(1));
	*reserved = 2 * SEGMENT;
	assert_true(finds("a"));
	*reserved = 2 * SEGMENT + 8;
	assert_false(finds("a"));
	assert_false(cache_get_newest(&key, &item));
	*reserved = was;
	assert_true(finds("a"));
}

/* The second line of defence: any bit that is not as it was. */
FACT(an_entry_with_a_changed_bit_is_none)
{
	size_t size, i, last = 0;
	unsigned char *bytes = cache_segment(0, &size);
	int wrong = 0;

	assert_true(put("a", 100));
	assert_true(cache_own(1));
	for (i = 64; i < size; i++)
		if (bytes[i] != 0)
			last = i;
	for (i = 64; i <= last; i++) {
		bytes[i] ^= 1 << i % 8;
		wrong += finds("a");	/* asserts that it is what it was */
		bytes[i] ^= 1 << i % 8;
	}
	/* nothing but empty places of the index may change unnoticed */
	assert_true(finds("a"));
	assert_true((size_t)wrong < last);
}

static uint32_t
chance(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

/* Whatever lies in another's segment: nothing wrong comes out of it. */
static void
destroy(unsigned char *bytes, size_t size, int round)
{
	uint64_t words[3];
	size_t i, n, at;

	for (i = 0; i < 40; i++) {
		at = chance() % (size - 64) & ~(size_t)7;
		n = round % 3 ? 8 : 64;
		words[0] = chance();
		words[1] = (uint64_t)chance() << 32 | chance();
		words[2] = (uint64_t)SEGMENT * (chance() % 4) + chance() % 64;
		while (n > 0) {
			n -= 8;
			memcpy(bytes + at + n, &words[chance() % 3], 8);
		}
	}
}

FACT(arbitrary_bytes_are_harmless)
{
	static unsigned char sound[1 << 20];
	size_t size, i;
	unsigned char *bytes = cache_segment(0, &size);
	char name[16];
	int round;

	assert_true(size <= sizeof sound);
	for (i = 0; i < 100; i++) {
		sprintf(name, "%d", (int)i);
		assert_true(put(name, 400));
	}
	memcpy(sound, bytes, size);
	assert_true(cache_own(1));
	for (round = 0; round < 3000; round++) {
		memcpy(bytes, sound, size);
		destroy(bytes, size, round);
		for (i = 0; i < 5; i++) {
			sprintf(name, "%u", chance() % 100);
			finds(name);
			if (cache_get_newest(&key, &item))
				assert_answers(name);
		}
		walk(0);
	}
	for (i = 0; i < size; i++)
		bytes[i] = (unsigned char)chance();
	for (i = 0; i < 100; i++) {
		sprintf(name, "%d", (int)i);
		assert_false(finds(name));
	}
	walk(0);
}

/* --- at the same time --- */

void *
reader_take(size_t bytes)
{
	size_t size;

	(void)bytes;
	return cache_segment(0, &size);
}

static _Atomic bool stop;
static _Atomic long hits;

/* The numbers as text, so that a torn body is seen. */
static bool
is_answer(const struct cache_item *i, const char *value)
{
	size_t n = strlen(value), k;

	for (k = 0; k < i->body_length; k++)
		if (i->body[k] != value[k % n])
			return false;
	return i->body_length > 0;
}

static void *
read_on(void *wrong)
{
	struct cache_key k = { 0 };
	struct cache_item found;
	char name[16];
	int i;

	for (i = 0; !stop; i++) {
		sprintf(name, "%d", i % 50);
		cache_key_start(&k, 1);
		cache_key_add(&k, name, strlen(name));
		cache_key_finish(&k);
		if (!reader_get(&k, &now, shm_now_ms(), &found))
			continue;
		hits++;
		if (!is_answer(&found, name))
			++*(_Atomic long *)wrong;
	}
	return NULL;
}

FACT(a_reader_beside_the_writer_sees_whole_answers)
{
	_Atomic long wrong = 0;
	pthread_t reader;
	char name[16];
	int i;

	reader_open(SEGMENT);
	assert_true(reader_own(1));
	stop = false;
	hits = 0;
	assert_int_equal(pthread_create(&reader, NULL, read_on, &wrong), 0);
	for (i = 0; i < 200000; i++) {
		sprintf(name, "%d", i % 50);
		put(name, 1000 + (size_t)(i % 7) * 300);
	}
	stop = true;
	pthread_join(reader, NULL);
	assert_int_equal(wrong, 0);
	assert_true(hits > 0);
}

static _Noreturn void
write_until_killed(void)
{
	char name[16];
	int i;

	if (!cache_own(0))
		_exit(1);
	for (i = 0;; i++) {
		sprintf(name, "%d", i % 50);
		put(name, 1000 + (size_t)(i % 7) * 300);
	}
}

/* R12 in small: writers are killed wherever they are, readers go on. */
FACT(a_killed_writer_leaves_nothing_wrong)
{
	int kills, i, wrong = 0;
	char name[16];
	long found = 0;
	pid_t writer;

	assert_true(cache_own(1));
	for (kills = 0; kills < 100; kills++) {
		if ((writer = fork()) == 0)
			write_until_killed();
		for (i = 0; i < 2000; i++) {
			sprintf(name, "%d", i % 50);
			make_key(name);
			if (!cache_get(&key, &now, shm_now_ms(), &item))
				continue;
			found++;
			wrong += !is_answer(&item, name);
		}
		kill(writer, SIGKILL);
		waitpid(writer, NULL, 0);
	}
	assert_int_equal(wrong, 0);
	assert_true(found > 0);
}

#define C(fact) cmocka_unit_test_setup(fact, opened)

int
main(void)
{
	const struct CMUnitTest facts[] = {
		C(what_is_put_is_found),
		C(a_newer_answer_takes_the_place_of_an_older),
		C(an_answer_is_of_its_versions),
		C(clearing_beats_an_answer_on_its_way),
		C(an_answer_ends_with_its_ttl),
		C(keys_that_differ_differ),
		C(a_key_has_an_end),
		C(the_whole_key_is_compared),
		C(too_large_an_answer_is_not_kept),
		C(the_oldest_make_room),
		C(what_is_asked_for_often_is_kept),
		C(others_read_what_one_writes),
		C(the_youngest_of_all_is_the_newest),
		C(a_successor_begins_empty),
		C(a_walk_sees_what_is_there),
		C(an_overtaken_reader_has_read_nothing),
		C(an_entry_with_a_changed_bit_is_none),
		C(arbitrary_bytes_are_harmless),
		C(a_reader_beside_the_writer_sees_whole_answers),
		C(a_killed_writer_leaves_nothing_wrong),
	};

	return cmocka_run_group_tests(facts, NULL, NULL);
}
