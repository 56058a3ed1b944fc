/* See cache_reader.c. */
#ifndef CACHE_READER_H
#define CACHE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache_key;
struct cache_item;
struct versions;

void reader_open(size_t segment_bytes);
bool reader_own(unsigned slot);
bool reader_get(const struct cache_key *, const struct versions *,
    int64_t now_ms, struct cache_item *);

/* The test's: where the first one's segments lie. */
void *reader_take(size_t bytes);

#endif
