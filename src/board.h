/* Counters of every worker, in shared memory; they survive the worker. */
#ifndef BOARD_H
#define BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BOARD_ROUTES 256
#define BOARD_STATEMENTS 512
#define BOARD_PATH 108

typedef _Atomic uint64_t counter;

/*
 * What is counted: name, help.  One row here gives the member, the metric
 * reklam_<name>_total and the line in `reklamctl status`.
 */
#define BOARD_COUNTERS(X) \
	X(requests, "Requests answered") \
	X(connections, "Connections accepted from nginx") \
	X(broken, "Requests that were cut off or malformed as FastCGI") \
	X(hits, "Answers from memory") \
	X(hits_other, "Of these, from another worker's segment") \
	X(misses, "Answers computed for the cache") \
	X(waits, "Answers that another request's execution gave") \
	X(stale, "Answers served stale while the database was unreachable") \
	X(not_modified, "Requests answered 304") \
	X(evictions, "Answers pushed out of memory while they still counted") \
	X(uncached, "Answers too large to keep") \
	X(writes, "Statements that write") \
	X(bumps_all, "Times every table was bumped for want of knowledge") \
	X(refused, "Requests refused because too many waited") \
	X(waited_out, "Requests refused after waiting too long") \
	X(timeouts, "Statements given up at their deadline") \
	X(connects, "Connections to the database opened") \
	X(connect_failures, "Attempts to connect that failed") \
	X(lost, "Connections to the database that broke") \
	X(lifetime_closes, "Connections closed for their age") \
	X(retries, "Statements tried once more") \
	X(prepares, "Statements prepared") \
	X(abandoned, "Requests whose client went away") \
	X(logins, "Logins that succeeded") \
	X(logins_failed, "Logins that were refused") \
	X(log_dropped, "Log lines that could not be written")

#define BOARD_GAUGES(X) \
	X(pool_open, "Connections to the database") \
	X(pool_busy, "Of these, with a statement") \
	X(pool_waiting, "Statements waiting for a connection") \
	X(pool_down, "1 while the database cannot be reached") \
	X(clients, "Connections from nginx") \
	X(unsent_bytes, "Bytes of answers not yet taken by nginx")

/* Upper bounds in microseconds; the last bucket has none. */
#define BOARD_BUCKETS 20
extern const uint32_t board_bounds[BOARD_BUCKETS - 1];

struct board_histogram {
	counter bucket[BOARD_BUCKETS];
	counter sum_us, max_us;
};

struct board_route {
	counter status[6];		/* by hundreds: [2] is 2xx */
	struct board_histogram time;
};

struct board_statement {
	counter calls, errors, rows, bytes;
	counter hits, misses;
	struct board_histogram time;
};

enum worker_state { SLOT_FREE, SLOT_STARTING, SLOT_READY, SLOT_DRAINING };

struct board_slot {
	/* Written by the master. */
	_Atomic uint32_t state;		/* enum worker_state */
	_Atomic pid_t pid;
	_Atomic int64_t started_ms;
	counter restarts;
	char path[BOARD_PATH];
	/* Written by the slot's worker alone. */
	_Atomic uint64_t writing;	/* writes sent and not yet bumped */
#define X(name, help) counter name;
	BOARD_COUNTERS(X)
	BOARD_GAUGES(X)
#undef X
	struct board_histogram waited;	/* for a connection */
	struct board_histogram hit_time;
	struct board_route routes[BOARD_ROUTES];
	struct board_statement statements[BOARD_STATEMENTS];
};

/* Written by the listener and the master. */
struct board_common {
	_Atomic pid_t listener;
	_Atomic int listener_backend;	/* its server process */
	counter listener_restarts, notifications, notifications_own;
	counter listener_round_us;	/* the last proof of life */
	counter workers, generation;
	_Atomic int64_t started_ms;
	counter max_connections;	/* the database's own limit; 0: unknown */
	counter reserved_connections;	/* of these, for superusers */
	counter cache_clears;
};

extern struct board_slot *board_slots;	/* SHM_PROCESSES of them */
extern struct board_common *board_common;
extern struct board_slot *board;	/* this process's own */

size_t board_bytes(void);
void board_open(void);		/* after shm_open_memory, before fork */
void board_be(unsigned slot);	/* this process is that slot's worker */
unsigned board_me(void);

/* Of this process's own counters: nobody else writes them. */
static inline void
board_add(counter *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c,
	    memory_order_relaxed) + n, memory_order_relaxed);
}

static inline void
board_set(counter *c, uint64_t n)
{
	atomic_store_explicit(c, n, memory_order_relaxed);
}

void board_time(struct board_histogram *, int64_t us);

/* A statement has run in so many us, or never began to (-1). */
void board_ran(struct board_statement *, bool fine, uint64_t rows,
    uint64_t bytes, int64_t us);

/* Adds b to a; a is private memory. */
void board_sum(struct board_histogram *a, const struct board_histogram *b);
uint64_t board_count(const struct board_histogram *);

/* The time in microseconds below which that share of all lies. */
double board_quantile(const struct board_histogram *, double share);

#endif
