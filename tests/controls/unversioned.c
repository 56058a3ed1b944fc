/* The data never changes, as it seems. */
#define versions_read versions_read_truly
#include "../../src/versions.c"
#undef versions_read

void versions_read(const struct query *, struct versions *);

void
versions_read(const struct query *query, struct versions *v)
{
	memset(v, 0, sizeof *v);
	v->count = query->table_count + 1;
}
