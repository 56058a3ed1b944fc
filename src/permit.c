/*
 * A permit is a cell that says who holds it.  It is taken by compare-and-swap
 * and given back by its holder alone, or by the master after the holder's
 * death, so at every instant each permit has one holder or none.  The shares
 * are written by the master alone.
 *
 * A server process lives on for a moment after its connection was closed, and
 * as long as a statement takes to notice.  So a permit that is given back is
 * CLOSING, and only the listener makes it free, when the database no longer
 * lists that process: there are never more of them than permits.
 *
 * No worker can take another's last permit: with a share of two or more, one
 * is never lent, so that an owner who was idle gets a connection at once.
 */
#include "permit.h"

#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include "claim.h"
#include "shm.h"

/* How long a connection may have been opening when its worker died. */
#define UNKNOWN_MS 1000

enum { FREE = 0, CLOSING = PERMIT_HOLDERS + 1 };	/* else slot + 1 */

struct cell {
	_Atomic int holder;
	_Atomic int backend;		/* 0: not known */
	_Atomic int64_t since_ms;	/* CLOSING */
};

struct permits {
	_Atomic unsigned limit;
	_Atomic unsigned owned[SHM_SLOTS];
	_Atomic bool wants[PERMIT_HOLDERS];
	struct cell cells[PERMITS_MAX];
};

static struct permits *permits;

size_t
permit_bytes(void)
{
	return sizeof *permits;
}

void
permit_open(void)
{
	permits = shm_take(sizeof *permits);
}

void
permit_share(unsigned limit, const unsigned *slots, unsigned count)
{
	unsigned owned[SHM_SLOTS] = { 0 };

	for (unsigned i = 0; i < count; i++)
		owned[slots[i]] = limit / count;
	for (unsigned slot = 0; slot < SHM_SLOTS; slot++)
		atomic_store(&permits->owned[slot], owned[slot]);
	atomic_store(&permits->limit, limit);
}

unsigned
permit_limit(void)
{
	return permits->limit;
}

static unsigned
held_by(int holder)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PERMITS_MAX; i++)
		n += permits->cells[i].holder == holder;
	return n;
}

unsigned
permit_held(unsigned slot)
{
	return held_by((int)slot + 1);
}

unsigned
permit_owned(unsigned slot)
{
	return permits->owned[slot];
}

/* How many must stay free for owners who hold nothing yet. */
static unsigned
kept_for_others(unsigned slot)
{
	unsigned held[CLOSING + 1] = { 0 }, n = 0;

	for (unsigned i = 0; i < PERMITS_MAX; i++)
		held[permits->cells[i].holder]++;
	for (unsigned i = 0; i < SHM_SLOTS; i++)
		n += i != slot && permits->owned[i] > 1 && held[i + 1] == 0;
	return n;
}

static unsigned
free_cells(void)
{
	unsigned n = 0, limit = permits->limit;

	for (unsigned i = 0; i < limit; i++)
		n += permits->cells[i].holder == FREE;
	return n;
}

int
permit_take(unsigned slot)
{
	unsigned limit = permits->limit;
	bool lent = slot < SHM_SLOTS &&
	    permit_held(slot) >= permit_owned(slot);

	if (lent && (permit_wanted() || free_cells() <= kept_for_others(slot)))
		return -1;
	for (unsigned i = 0; i < limit; i++) {
		int nobody = FREE;

		if (atomic_compare_exchange_strong(&permits->cells[i].holder,
		    &nobody, (int)slot + 1)) {
			atomic_store(&permits->cells[i].backend, 0);
			atomic_store(&permits->wants[slot], false);
			return (int)i;
		}
	}
	return -1;
}

void
permit_backend(int permit, int pid)
{
	atomic_store(&permits->cells[permit].backend, pid);
}

static void
ring_who_wants(void)
{
	for (unsigned i = 0; i < SHM_PROCESSES; i++)
		if (atomic_load(&permits->wants[i]))
			bell_ring(i);
}

void
permit_give(int permit)
{
	struct cell *cell = &permits->cells[permit];

	if (cell->backend == 0) {	/* it never came to be */
		atomic_store(&cell->holder, FREE);
		ring_who_wants();
		return;
	}
	atomic_store(&cell->since_ms, shm_now_ms());
	atomic_store(&cell->holder, CLOSING);
	bell_ring(SHM_LISTENER);
}

void
permit_give_all(unsigned slot)
{
	for (unsigned i = 0; i < PERMITS_MAX; i++)
		if (permits->cells[i].holder == (int)slot + 1) {
			atomic_store(&permits->cells[i].since_ms,
			    shm_now_ms());
			atomic_store(&permits->cells[i].holder, CLOSING);
		}
	atomic_store(&permits->wants[slot], false);
	bell_ring(SHM_LISTENER);
}

void
permit_want(unsigned slot)
{
	atomic_store(&permits->wants[slot], true);
	for (unsigned i = 0; i < SHM_SLOTS; i++)
		if (i != slot && permit_held(i) > permit_owned(i))
			bell_ring(i);
}

bool
permit_wait(unsigned guest, long ms)
{
	int64_t end = shm_now_ms() + ms;

	while (permit_take(guest) == -1) {
		if (shm_now_ms() > end) {
			atomic_store(&permits->wants[guest], false);
			return false;
		}
		permit_want(guest);
		usleep(2000);
	}
	return true;
}

bool
permit_wanted(void)
{
	for (unsigned i = 0; i < PERMIT_HOLDERS; i++)
		if (atomic_load_explicit(&permits->wants[i],
		    memory_order_relaxed))
			return true;
	return false;
}

unsigned
permit_closing(int *pids, unsigned room)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PERMITS_MAX && n < room; i++) {
		struct cell *cell = &permits->cells[i];

		if (cell->holder != CLOSING)
			continue;
		if (cell->backend != 0)
			pids[n++] = cell->backend;
		else if (shm_now_ms() - cell->since_ms >= UNKNOWN_MS) {
			atomic_store(&cell->holder, FREE);
			ring_who_wants();
		} else
			pids[n++] = 0;
	}
	return n;
}

void
permit_gone(int pid)
{
	for (unsigned i = 0; i < PERMITS_MAX; i++)
		if (permits->cells[i].holder == CLOSING &&
		    permits->cells[i].backend == pid)
			atomic_store(&permits->cells[i].holder, FREE);
	ring_who_wants();
}

void
permit_all_gone(void)
{
	for (unsigned i = 0; i < PERMITS_MAX; i++)
		if (permits->cells[i].holder == CLOSING)
			atomic_store(&permits->cells[i].holder, FREE);
	ring_who_wants();
}
