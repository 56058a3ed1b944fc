/* How often an account has failed to log in, over all workers. */
#ifndef THROTTLE_H
#define THROTTLE_H

#include <stdbool.h>
#include <stddef.h>

#define THROTTLE_PER_MINUTE 10

size_t throttle_bytes(void);
void throttle_open(void);	/* after shm_open_memory, before fork */

/* Whether the account has to wait until its minute is over. */
bool throttle_is_full(const char *account);
void throttle_count(const char *account);

#endif
