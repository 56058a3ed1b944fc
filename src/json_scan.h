/* The two kinds of JSON value whose text has a grammar of its own. */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include "json.h"

/* Behind the number that begins at p; NULL when there is none. */
const char *json_scan_number(const char *p, const char *end);

/*
 * The closing quote of the string whose characters begin at p; NULL with a
 * fault when something is wrong with them.
 */
const char *json_scan_string(const char *p, const char *end, bool *escaped,
    enum json_fault *fault);

#endif
