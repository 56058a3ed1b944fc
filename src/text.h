/* Every text that a person may read, in English and Turkish. */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

enum language { ENGLISH, TURKISH, LANGUAGES };

/* A row of the table, for those who walk it: reklamctl, tests. */
struct text {
	const char *name;
	const char *in[LANGUAGES];
};
extern const struct text texts[];
extern const size_t texts_count;

/*
 * `call` is the name of a text, followed by what stands for {1}, {2} … in it:
 * "revision_created|5".  The result is cut to size - 1 bytes at a character's
 * border and ends with a NUL; returns its length.  An unknown name gives the
 * text "internal_error" and is a defect that a test finds.
 */
size_t text_format(char *out, size_t size, const char *call, enum language);

/* The bare template; NULL when there is none of that name. */
const char *text_find(const char *name, enum language);

/* The language that an Accept-Language header prefers, or `fallback`. */
enum language text_accepted(const char *header, enum language fallback);

#endif
