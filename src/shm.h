/* The memory that master, workers and listener share. */
#ifndef SHM_H
#define SHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHM_SLOTS 64		/* workers of all generations at one time */
#define SHM_LISTENER SHM_SLOTS	/* its place beside the slots */
#define SHM_PROCESSES (SHM_SLOTS + 1)
#define SHM_CACHE_LINE 64

/*
 * Maps `bytes` of address space, before the first fork; pages are taken when
 * they are touched.  `fd` is -1, or a memfd handed over by the program that
 * executed this one; it is kept when it was made with the same `layout`.
 * False with errno set when there is no memory.
 */
bool shm_open_memory(int fd, size_t bytes, uint64_t layout);

/* Whether what is in the memory was there before this program. */
bool shm_inherited(void);
int shm_descriptor(void);

/*
 * The next `bytes` of it, zero at first, at the start of a page.  Every
 * program of one layout takes the same parts in the same order.
 */
void *shm_take(size_t bytes);

/* Tells the memory apart from that of an earlier start; never 0. */
uint64_t shm_boot(void);

/* CLOCK_MONOTONIC in milliseconds and microseconds. */
int64_t shm_now_ms(void);
int64_t shm_now_us(void);

#endif
