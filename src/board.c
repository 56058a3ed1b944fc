/*
 * A slot's counters are written by one process with plain stores and read by
 * any; a reader may see one counter a little ahead of another.
 */
#include "board.h"

#include "shm.h"

const uint32_t board_bounds[BOARD_BUCKETS - 1] = {
	2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000,
	100000, 250000, 500000, 1000000, 2500000
};

struct board_slot *board_slots;
struct board_common *board_common;
struct board_slot *board;

size_t
board_bytes(void)
{
	return SHM_PROCESSES * sizeof *board_slots + sizeof *board_common + 4096;
}

void
board_open(void)
{
	board_slots = shm_take(SHM_PROCESSES * sizeof *board_slots);
	board_common = shm_take(sizeof *board_common);
}

void
board_be(unsigned slot)
{
	board = &board_slots[slot];
}

unsigned
board_me(void)
{
	return (unsigned)(board - board_slots);
}

void
board_time(struct board_histogram *h, int64_t us)
{
	unsigned i = 0;

	if (us < 0)
		us = 0;
	while (i < BOARD_BUCKETS - 1 && us > board_bounds[i])
		i++;
	board_add(&h->bucket[i], 1);
	board_add(&h->sum_us, (uint64_t)us);
	if ((uint64_t)us > h->max_us)
		board_set(&h->max_us, (uint64_t)us);
}

void
board_ran(struct board_statement *s, bool fine, uint64_t rows, uint64_t bytes,
    int64_t us)
{
	board_add(&s->calls, 1);
	board_add(&s->errors, !fine);
	board_add(&s->rows, rows);
	board_add(&s->bytes, bytes);
	if (us >= 0)
		board_time(&s->time, us);
}

void
board_sum(struct board_histogram *a, const struct board_histogram *b)
{
	for (unsigned i = 0; i < BOARD_BUCKETS; i++)
		board_add(&a->bucket[i], b->bucket[i]);
	board_add(&a->sum_us, b->sum_us);
	if (b->max_us > a->max_us)
		board_set(&a->max_us, b->max_us);
}

uint64_t
board_count(const struct board_histogram *h)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < BOARD_BUCKETS; i++)
		n += h->bucket[i];
	return n;
}

double
board_quantile(const struct board_histogram *h, double share)
{
	double wanted = share * (double)board_count(h), seen = 0;

	for (unsigned i = 0; i < BOARD_BUCKETS; i++) {
		double n = (double)h->bucket[i];
		double low = i > 0 ? board_bounds[i - 1] : 0;
		double high = i < BOARD_BUCKETS - 1 ? board_bounds[i] :
		    (double)h->max_us;

		if (n > 0 && seen + n >= wanted) {
			if (high > (double)h->max_us)
				high = (double)h->max_us;
			if (high < low)
				return high;
			return low + (high - low) * (wanted - seen) / n;
		}
		seen += n;
	}
	return 0;
}
