/*
 * torture KILLS
 *
 * A writer of the cache is killed again and again, about once in a
 * millisecond, while two readers look whether what they are given is what was
 * put: each word of a value follows from its key and a number.  Says what it
 * saw; fails when one value was bad.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cache.h"
#include "query.h"
#include "shm.h"
#include "versions.h"

#define SEGMENT (64 * 1024)	/* small: the writer is round it soon */
#define KEYS 64
#define READERS 2
#define WORDS_MAX 900		/* an answer may take an eighth of it */
#define TTL 1000000

struct seen {
	_Atomic uint64_t reads, found, bad;
	char pad[SHM_CACHE_LINE - 3 * sizeof(uint64_t)];
};

static struct shared {
	_Atomic uint64_t number;	/* of the next value */
	_Atomic bool ending;
	struct seen seen[READERS];
} *shared;

static struct cache_key keys[KEYS];
static struct versions versions;
static uint64_t words[WORDS_MAX];
static const pid_t nobody;

static uint64_t
mix(uint64_t a, uint64_t b)
{
	uint64_t x = a * UINT64_C(0x9e3779b97f4a7c15) ^ b;

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* The value with that number for that key: how many words. */
static uint32_t
length_of(uint64_t key, uint64_t number)
{
	return (uint32_t)(2 + mix(key, number) % (WORDS_MAX - 2));
}

static void
make_keys(void)
{
	for (uint64_t k = 0; k < KEYS; k++) {
		cache_key_start(&keys[k], 1);
		cache_key_add(&keys[k], (const char *)&k, sizeof k);
		cache_key_finish(&keys[k]);
	}
}

static void
put(uint64_t key)
{
	uint64_t number = atomic_fetch_add(&shared->number, 1);
	uint32_t n = length_of(key, number);
	struct cache_item item = { .versions = versions,
	    .stored_ms = shm_now_ms(), .ttl_ms = TTL, .head = "head",
	    .head_length = 4, .body = (const char *)words,
	    .body_length = n * 8 };

	words[0] = key;
	words[1] = number;
	for (uint32_t i = 2; i < n; i++)
		words[i] = mix(number, i);
	cache_put(&keys[key], &item);
}

static bool
is_right(uint64_t key, const struct cache_item *item)
{
	uint32_t n = item->body_length / 8;

	if (item->body_length % 8 != 0 || n < 2 || n > WORDS_MAX ||
	    item->head_length != 4 || memcmp(item->head, "head", 4) != 0)
		return false;
	memcpy(words, item->body, item->body_length);
	if (words[0] != key || n != length_of(key, words[1]))
		return false;
	for (uint32_t i = 2; i < n; i++)
		if (words[i] != mix(words[1], i))
			return false;
	return true;
}

static void
on_seen(void *context, const struct cache_item *item, uint32_t bytes)
{
	uint64_t *sum = context;

	*sum += bytes + item->body_length;
}

static _Noreturn void
read_on(unsigned reader)
{
	struct seen *seen = &shared->seen[reader];
	struct cache_item item;
	uint64_t reads = 0, sum = 0;

	if (!cache_own(1 + reader) || nice(10) == -1)
		_exit(2);
	while (!atomic_load_explicit(&shared->ending, memory_order_relaxed)) {
		uint64_t key = mix(reader, reads++) % KEYS;
		bool found = reads % 16 != 0 ?
		    cache_get(&keys[key], &versions, shm_now_ms(), &item) :
		    cache_get_newest(&keys[key], &item);

		if (found)
			atomic_fetch_add(&seen->found, 1);
		if (found && !is_right(key, &item))
			atomic_fetch_add(&seen->bad, 1);
		if (reads % 4096 == 0)
			cache_walk(0, on_seen, &sum);
		atomic_store_explicit(&seen->reads, reads,
		    memory_order_relaxed);
	}
	_exit(0);
}

static _Noreturn void
write_on(void)
{
	if (!cache_own(0))
		_exit(2);
	for (;;)
		put(mix(1, atomic_load(&shared->number)) % KEYS);
}

/* A child that does not outlive us. */
static pid_t
start(int reader)
{
	pid_t pid = fork();

	if (pid != nobody)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (reader >= 0)
		read_on((unsigned)reader);
	write_on();
}

static bool
kill_writers(long kills)
{
	for (long i = 0; i < kills; i++) {
		struct timespec wait = { 0, 500000 + random() % 1000000 };
		pid_t writer = start(-1);
		int status;

		if (writer == -1)
			return false;
		nanosleep(&wait, NULL);
		kill(writer, SIGKILL);
		/* A crash of its own is not what is asked for. */
		if (waitpid(writer, &status, 0) != writer ||
		    !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			return false;
	}
	return true;
}

static bool
end_readers(const pid_t *readers)
{
	bool well = true;
	int status;

	atomic_store(&shared->ending, true);
	for (int i = 0; i < READERS; i++)
		well = waitpid(readers[i], &status, 0) == readers[i] &&
		    status == 0 && well;
	return well;
}

static int
report(long kills)
{
	uint64_t reads = 0, found = 0, bad = 0;

	for (int i = 0; i < READERS; i++) {
		reads += shared->seen[i].reads;
		found += shared->seen[i].found;
		bad += shared->seen[i].bad;
	}
	printf("{\"kills\": %ld, \"values\": %llu, \"reads\": %llu, "
	    "\"found\": %llu, \"bad\": %llu}\n", kills,
	    (unsigned long long)shared->number, (unsigned long long)reads,
	    (unsigned long long)found, (unsigned long long)bad);
	return bad > 0;
}

int
main(int argc, char **argv)
{
	long kills = argc > 1 ? atol(argv[1]) : 1000;
	pid_t readers[READERS];
	bool well;

	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || !shm_open_memory(-1, versions_bytes() +
	    cache_bytes(SEGMENT) + 4096, 1))
		return 2;
	versions_open();
	cache_open(SEGMENT);
	versions_read(&queries[0], &versions);
	make_keys();
	for (int i = 0; i < READERS; i++)
		if ((readers[i] = start(i)) == -1)
			return 2;
	well = kill_writers(kills);
	if (!end_readers(readers) || !well) {
		fprintf(stderr, "a process ended by itself\n");
		return 2;
	}
	return report(kills);
}
