/* bcrypt by libxcrypt, in one helper thread per worker, off the loop. */
#ifndef PASSWORD_H
#define PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;

#define PASSWORD_BYTES_MAX 72	/* what bcrypt reads */
#define PASSWORD_HASH_SIZE 64

/* Starts the helper; its answers arrive on the loop. */
bool password_open(struct event_base *, int cost);
void password_close(void);

/*
 * Checks `password` against `hash` (NULL: an unknown user, which takes as long
 * as a wrong password).  `again` is a fresh hash to store when the old one is
 * cheaper than the configured cost and the password is right, else "".
 * `done` is called on the loop; false when too many wait (say 503).
 */
typedef void password_checked(void *context, bool right, const char *again);
bool password_check(const char *password, const char *hash,
    password_checked *done, void *context);

/* A new hash of `password`; "" when it cannot be made. */
typedef void password_hashed(void *context, const char *hash);
bool password_hash(const char *password, password_hashed *done, void *context);

/* The same without a helper, for reklamctl and tests. */
bool password_right(const char *password, const char *hash);
bool password_make(const char *password, int cost, char out[PASSWORD_HASH_SIZE]);

#endif
