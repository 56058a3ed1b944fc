/* One value that a client sent: is it what its field says? */
#ifndef FIELD_H
#define FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "json.h"
#include "routes.h"

/*
 * A value of the query or the path, decoded.  May be rewritten in place into
 * the form that the statement gets; a blank one becomes "".
 */
bool field_check_text(const struct field *, char *value);

/*
 * All BODY fields of a table against an object (members of OBJECTS with their
 * own tables); on failure `bad` is the field that is to blame and `missing`
 * whether it was not given at all.
 */
bool field_check_object(const struct field *, const struct json *,
    unsigned object, const struct field **bad, bool *missing);

#endif
