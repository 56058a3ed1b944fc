/* bcrypt as pgcrypto writes it, by libxcrypt. */
#ifndef BCRYPT_H
#define BCRYPT_H

#include <stdbool.h>

#include "password.h"

struct crypt_data;		/* 32 kB of work space, for one at a time */

/* Its cost; -1 for what is no bcrypt hash, or one that would take seconds. */
int bcrypt_cost(const char *hash);

/* False too when `hash` is no bcrypt hash. */
bool bcrypt_right(struct crypt_data *, const char *password,
    const char *hash);

bool bcrypt_make(struct crypt_data *, const char *password, int cost,
    char out[PASSWORD_HASH_SIZE]);

/* Takes as long as a check at this cost, for nothing. */
void bcrypt_waste(struct crypt_data *, int cost);

#endif
