#include "query.h"

#include <stdlib.h>
#include <string.h>

static int
compare(const void *name, const void *query)
{
	return strcmp(name, ((const struct query *)query)->name);
}

const struct query *
query_find(const char *name)
{
	return bsearch(name, queries, queries_count, sizeof *queries, compare);
}

unsigned
query_index(const struct query *query)
{
	return (unsigned)(query - queries);
}
