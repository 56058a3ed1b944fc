/*
 * The cache once more, as another process would have it: its functions are
 * called reader_…, it owns a segment of its own, and its memory is the first
 * one's.  A thread can so be what a process is in the program, and the
 * sanitizer of threads sees both sides.
 */
#include "cache_reader.h"

#define shm_take reader_take
#define cache_bytes reader_bytes
#define cache_open reader_open
#define cache_own reader_own
#define cache_key_start reader_key_start
#define cache_key_add reader_key_add
#define cache_key_finish reader_key_finish
#define cache_get reader_get
#define cache_get_newest reader_get_newest
#define cache_put reader_put
#define cache_walk reader_walk
#define cache_capacity reader_capacity
#define cache_evictions reader_evictions
#define cache_etag reader_etag
#define cache_segment reader_segment

#include "../../src/cache.c"
