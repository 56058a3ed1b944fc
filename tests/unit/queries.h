/*
 * Statements for tests of what depends on them, instead of those that the
 * build embeds: "one" reads t0, "two" reads t0 and t1, "none" reads nothing,
 * "long" has an argument.
 */
#ifndef QUERIES_H
#define QUERIES_H

#include "query.h"

const struct query queries[] = {
	{ .name = "none", .hash = 1, .reads = true },
	{ .name = "one", .hash = 2, .reads = true, .table_count = 1,
	    .tables = { 0 } },
	{ .name = "two", .hash = 3, .reads = true, .table_count = 2,
	    .tables = { 0, 1 } },
	{ .name = "long", .hash = 4, .reads = true, .count = 1,
	    .arguments = { "word" }, .table_count = 1, .tables = { 0 } },
};
const unsigned queries_count = 4;
const char *const query_tables[] = { "t0", "t1", "t10" };
const unsigned query_tables_count = 3;

#define NONE (&queries[0])
#define ONE (&queries[1])
#define TWO (&queries[2])
#define LONG (&queries[3])

#endif
