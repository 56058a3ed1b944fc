/*
 * Every counter is written by whoever wrote a table, and read by all; nothing
 * else is shared here.  The order that makes it exact:
 *
 *	reader: versions_read -> statement sent -> answer stored with them
 *	writer: commit -> versions_bump -> the write is acknowledged
 *
 * An answer computed from before the commit therefore carries versions from
 * before the bump, and is not current once the write has been acknowledged.
 * One computed after the commit but stored under the older versions is only
 * thrown away too early.
 *
 * A write's NOTIFY comes to the listener at about the time when its worker
 * hears of the commit.  Whoever is first bumps, then marks the table in the
 * write's mark; the other one finds it there and leaves it alone.  The marks
 * are a ring per slot, each with a part of its write's number.  What a writer
 * that died before has not marked, or what 256 later writes have pushed out,
 * is bumped again: the mistake is always on the safe side.
 */
#include "versions.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shm.h"

#define RING 256
#define TRUST_MS 1000

/* A mark: 16 bits of the write's number, then a bit for each table. */
#define MARK_SHIFT VERSIONS_TABLES
#define MARK_OF(number) (((number) / RING + 1) << MARK_SHIFT)

struct origins {
	_Atomic uint64_t last;
	_Atomic uint64_t mark[RING];
};

struct shared {
	_Atomic uint64_t table[VERSIONS_TABLES];
	_Atomic uint64_t sure[VERSIONS_TABLES];	/* at the last sure change */
	_Atomic uint64_t epoch[VERSIONS_QUERIES];
	_Atomic uint64_t bumps;
	_Atomic int64_t alive;		/* ms: the last proof */
	_Atomic bool holds;		/* LISTEN, as far as is known */
	_Atomic bool unreachable;
	struct origins origins[SHM_PROCESSES];
};

static struct shared *shared;

size_t
versions_bytes(void)
{
	return sizeof *shared;
}

void
versions_open(void)
{
	shared = shm_take(sizeof *shared);
}

void
versions_read(const struct query *query, struct versions *v)
{
	v->count = query->table_count + 1;
	v->at[0] = atomic_load(&shared->epoch[query_index(query)]);
	for (unsigned i = 0; i < query->table_count; i++)
		v->at[i + 1] = atomic_load(&shared->table[query->tables[i]]);
}

bool
versions_current(const struct query *query, const struct versions *v)
{
	struct versions now;

	versions_read(query, &now);
	return versions_equal(&now, v);
}

bool
versions_undisputed(const struct query *query, const struct versions *v)
{
	if (v->at[0] != atomic_load(&shared->epoch[query_index(query)]))
		return false;
	for (unsigned i = 0; i < query->table_count; i++)
		if (v->at[i + 1] < atomic_load(
		    &shared->sure[query->tables[i]]))
			return false;
	return true;
}

bool
versions_equal(const struct versions *a, const struct versions *b)
{
	return a->count == b->count &&
	    memcmp(a->at, b->at, a->count * sizeof a->at[0]) == 0;
}

static int
table_named(const char *name, size_t length)
{
	for (unsigned i = 0; i < query_tables_count; i++)
		if (strncmp(query_tables[i], name, length) == 0 &&
		    query_tables[i][length] == '\0')
			return (int)i;
	return -1;
}

/* Who is overtaken by a later change leaves its mark alone. */
static void
change(unsigned table)
{
	uint64_t now = atomic_fetch_add(&shared->table[table], 1) + 1;
	uint64_t sure = atomic_load(&shared->sure[table]);

	while (sure < now && !atomic_compare_exchange_weak(
	    &shared->sure[table], &sure, now))
		;
}

/* Of a write that has not said who it is: it has no mark. */
static const struct versions_origin nobody;

/* The table is bumped for that write, unless somebody has done so. */
static bool
bump_for(struct versions_origin origin, unsigned table)
{
	_Atomic uint64_t *mark =
	    &shared->origins[origin.slot].mark[origin.number % RING];
	uint64_t was = atomic_load(mark), bit = UINT64_C(1) << table,
	    tag = MARK_OF(origin.number) >> MARK_SHIFT;
	bool marks = origin.number != nobody.number;

	if (marks && was >> MARK_SHIFT == tag && (was & bit) != 0)
		return false;
	change(table);
	atomic_fetch_add(&shared->bumps, 1);
	while (marks && was >> MARK_SHIFT == tag &&
	    !atomic_compare_exchange_weak(mark, &was, was | bit))
		;
	return true;
}

/*
 * Tables that no statement reads are no reason to bump: audit rows of other
 * modules, for one.  The trigger exists only on tables of ours, so a name
 * that is not known here is a table without readers.
 */
void
versions_bump(const char *names, struct versions_origin origin)
{
	while (*names != '\0') {
		size_t length = strcspn(names, " ");
		int table = table_named(names, length);

		if (table >= 0)
			bump_for(origin, (unsigned)table);
		names += length + (names[length] == ' ');
	}
}

static struct versions_origin
read_origin(const char *text)
{
	unsigned long long boot, number;
	unsigned slot;

	if (sscanf(text, " %llx.%x.%llx", &boot, &slot, &number) != 3 ||
	    boot != shm_boot() || slot >= SHM_PROCESSES)
		return nobody;
	return (struct versions_origin){ slot, number };
}

bool
versions_heard(const char *text)
{
	size_t length = strcspn(text, " ");
	int table = table_named(text, length);

	return table < 0 ||
	    bump_for(read_origin(text + length), (unsigned)table);
}

void
versions_bump_all(void)
{
	for (unsigned i = 0; i < query_tables_count; i++)
		change(i);
	atomic_fetch_add(&shared->bumps, 1);
}

void
versions_doubt_all(void)
{
	for (unsigned i = 0; i < query_tables_count; i++)
		atomic_fetch_add(&shared->table[i], 1);
	atomic_fetch_add(&shared->bumps, 1);
}

void
versions_clear(const struct query *query)
{
	atomic_fetch_add(&shared->epoch[query_index(query)], 1);
}

void
versions_alive(int64_t began_ms)
{
	atomic_store(&shared->alive, began_ms);
	atomic_store(&shared->holds, true);
}

void
versions_lost(void)
{
	atomic_store(&shared->holds, false);
}

int64_t
versions_alive_age_ms(void)
{
	int64_t alive = atomic_load(&shared->alive);

	return alive == 0 ? INT64_MAX : shm_now_ms() - alive;
}

bool
versions_trusted(void)
{
	return atomic_load(&shared->holds) &&
	    versions_alive_age_ms() < TRUST_MS;
}

void
versions_set_unreachable(bool unreachable)
{
	atomic_store(&shared->unreachable, unreachable);
}

bool
versions_unreachable(void)
{
	return atomic_load(&shared->unreachable);
}

struct versions_origin
versions_write_begins(unsigned slot)
{
	struct origins *o = &shared->origins[slot];
	uint64_t number = atomic_fetch_add(&o->last, 1) + 1;

	atomic_store(&o->mark[number % RING], MARK_OF(number));
	return (struct versions_origin){ slot, number };
}

size_t
versions_origin_text(struct versions_origin origin, char *out, size_t size)
{
	return (size_t)snprintf(out, size, "%llx.%x.%llx",
	    (unsigned long long)shm_boot(), origin.slot,
	    (unsigned long long)origin.number);
}

uint64_t
versions_bumps(void)
{
	return atomic_load(&shared->bumps);
}
