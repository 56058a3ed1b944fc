/* Turns the :'name' of a statement into $1, $2 …, as psql reads them. */
#ifndef PLACEHOLDER_H
#define PLACEHOLDER_H

#include <stddef.h>

#define PLACEHOLDERS_MAX 24	/* arguments of one statement */
#define PLACEHOLDER_LENGTH_MAX 63

enum placeholder_fault {
	PLACEHOLDER_FINE,
	PLACEHOLDER_NAME,	/* :' is not followed by a name and a quote */
	PLACEHOLDER_MANY,	/* more than PLACEHOLDERS_MAX names */
	PLACEHOLDER_DOLLAR,	/* a $1 that is not ours */
	PLACEHOLDER_OPEN,	/* a quote or comment does not end */
	PLACEHOLDER_SECOND,	/* something stands behind the semicolon */
	PLACEHOLDER_EMPTY,	/* there is no statement */
	PLACEHOLDER_BYTE,	/* a NUL, or a backslash: a command of psql */
	PLACEHOLDER_ROOM	/* `out` is too small */
};

struct placeholders {
	unsigned count;
	struct {
		size_t start, length;		/* in the statement */
	} names[PLACEHOLDERS_MAX];		/* of $1, $2 … */
	size_t at;				/* where a fault is */
};

/*
 * Reads the one statement in `text`, with or without its semicolon; writes it
 * to `out`, without it and with a NUL.  Strings, E'' strings, "identifiers",
 * $dollar$ quotes$dollar$ and comments are left as they are; a name that
 * occurs again gets the same number.  `size` of 2 * length + 1 is enough.
 */
enum placeholder_fault placeholder_replace(const char *text, size_t length,
    char *out, size_t size, struct placeholders *);

#endif
