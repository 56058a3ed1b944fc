/* The process that hears what others change in the database. */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>

/*
 * Until SIGTERM, or the parent's end.  A successor's predecessor still listens:
 * what is in memory stays valid, and SHM_LISTENER is written to `ready` as one
 * byte when this one listens too.  The predecessor is then sent SIGUSR1 and
 * goes when it has heard all that was committed before.
 */
_Noreturn void listener_run(bool successor, int ready);

#endif
