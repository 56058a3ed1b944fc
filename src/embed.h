/* Parts of the build-time program embed. */
#ifndef EMBED_H
#define EMBED_H

#include <stdbool.h>
#include <stddef.h>

#include "placeholder.h"
#include "query.h"

#define EMBED_NAME_MAX 63

struct statement {
	const char *file;
	char *name, *help, *text;
	char *source;			/* of the statement alone */
	struct placeholders found;	/* in it */
	bool reads;
	unsigned table_count;
	char *tables[QUERY_TABLES_MAX];
};

/* FILE:LINE: sentence; the exit status will be 1. */
void embed_complain(const char *file, unsigned line, const char *sentence);

/* A string of its own. */
char *embed_copy(const char *bytes, size_t length);

/* Whether it begins with a letter and consists of these. */
bool embed_is_name(const char *, size_t length, const char *letters);

/* Reads the comments on top; where the statement begins. */
const char *embed_top(struct statement *, const char *text);

#endif
