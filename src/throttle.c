/*
 * A place per hash of the account's name: the minute, and the failures in it,
 * in one word that is changed by compare-and-swap.  Two accounts in one place
 * share their failures; with 4,096 places that is rare, and is over after a
 * minute.
 */
#include "throttle.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "shm.h"

#define PLACES 4096

static _Atomic uint64_t *places;

size_t
throttle_bytes(void)
{
	return PLACES * sizeof *places;
}

void
throttle_open(void)
{
	places = shm_take(throttle_bytes());
}

static _Atomic uint64_t *
place_of(const char *account)
{
	return &places[XXH3_64bits_withSeed(account, strlen(account),
	    shm_boot()) % PLACES];
}

static uint64_t
this_minute(void)
{
	return (uint64_t)shm_now_ms() / 60000 + 1;
}

static uint64_t
failures_in(uint64_t word, uint64_t minute)
{
	return word >> 16 == minute ? word & 0xffff : 0;
}

bool
throttle_is_full(const char *account)
{
	return failures_in(atomic_load(place_of(account)), this_minute()) >=
	    THROTTLE_PER_MINUTE;
}

void
throttle_count(const char *account)
{
	_Atomic uint64_t *place = place_of(account);
	uint64_t minute = this_minute(), before = atomic_load(place), after;

	do
		after = minute << 16 | (failures_in(before, minute) + 1);
	while (!atomic_compare_exchange_weak(place, &before, after));
}
