/* What is checked before anything is served. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "workers_file.h"

/*
 * The settings against the list of workers, the routes against the statements.
 * False with a sentence in `why`; what is only unwise is logged.
 */
bool check_settings(const struct workers_file *, char *why, size_t size);

/*
 * Whether the database answers, and every statement can be prepared there.
 * False with a sentence; `reached` tells whether it answered.  Blocks.
 */
bool check_database(bool *reached, char *why, size_t size);

/* The same of DB_LISTEN_URL, where it is another one: no pooler may be there. */
bool check_listener(bool *reached, char *why, size_t size);

/* The connections that each of so many workers owns; 0: too few. */
unsigned check_share(size_t workers);

#endif
