/* The statements of sql/query/, embedded by the build. */
#ifndef QUERY_H
#define QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUERY_ARGUMENTS_MAX 24
#define QUERY_TABLES_MAX 16

struct query {
	const char *name;
	const char *help;		/* the first sentence of the file */
	const char *text;		/* :'name' replaced by $1 … */
	uint64_t hash;			/* of the text */
	bool reads;			/* has a `reads:` line: may be cached */
	unsigned count;			/* of arguments */
	const char *arguments[QUERY_ARGUMENTS_MAX];
	unsigned table_count;
	unsigned char tables[QUERY_TABLES_MAX];	/* into query_tables */
};

/* In the order of their names. */
extern const struct query queries[];
extern const unsigned queries_count;

/* Every table that some statement reads, in order. */
extern const char *const query_tables[];
extern const unsigned query_tables_count;

/* NULL when there is none. */
const struct query *query_find(const char *name);

/* Its place in `queries`. */
unsigned query_index(const struct query *);

#endif
