/*
 * Statements for tests of what depends on them, instead of those that the
 * build embeds: "one" reads t0, "two" reads t0 and t1, "none" reads nothing.
 */
#ifndef QUERIES_H
#define QUERIES_H

#include "query.h"

const struct query queries[] = {
	{ .name = "none", .reads = true },
	{ .name = "one", .reads = true, .table_count = 1, .tables = { 0 } },
	{ .name = "two", .reads = true, .table_count = 2, .tables = { 0, 1 } },
};
const unsigned queries_count = 3;
const char *const query_tables[] = { "t0", "t1", "t10" };
const unsigned query_tables_count = 3;

#define NONE (&queries[0])
#define ONE (&queries[1])
#define TWO (&queries[2])

#endif
