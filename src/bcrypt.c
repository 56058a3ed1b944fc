#include "bcrypt.h"

#include <crypt.h>
#include <stdio.h>
#include <string.h>

#define LENGTH 60		/* $2a$10$, 22 of salt, 31 of hash */
#define COST_MAX 16

static const char letters[] = "./ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "abcdefghijklmnopqrstuvwxyz0123456789";

int
bcrypt_cost(const char *hash)
{
	int cost;

	if (strlen(hash) != LENGTH || strncmp(hash, "$2", 2) != 0 ||
	    strchr("aby", hash[2]) == NULL || hash[3] != '$' ||
	    hash[4] < '0' || hash[4] > '9' || hash[5] < '0' ||
	    hash[5] > '9' || hash[6] != '$' ||
	    strspn(hash + 7, letters) != LENGTH - 7)
		return -1;
	cost = (hash[4] - '0') * 10 + hash[5] - '0';
	return cost >= 4 && cost <= COST_MAX ? cost : -1;
}

/* What bcrypt reads of it; the library refuses what is far longer. */
static const char *
run(struct crypt_data *data, const char *password, const char *setting)
{
	char read[PASSWORD_BYTES_MAX + 1];
	const char *hash;

	snprintf(read, sizeof read, "%s", password);
	hash = crypt_r(read, setting, data);
	explicit_bzero(read, sizeof read);
	return hash != NULL && strlen(hash) == LENGTH ? hash : NULL;
}

bool
bcrypt_right(struct crypt_data *data, const char *password, const char *hash)
{
	const char *made;
	unsigned char different = 0;
	int i;

	if (bcrypt_cost(hash) == -1 ||
	    (made = run(data, password, hash)) == NULL)
		return false;
	for (i = 0; i < LENGTH; i++)
		different |= (unsigned char)(made[i] ^ hash[i]);
	return different == 0;
}

bool
bcrypt_make(struct crypt_data *data, const char *password, int cost,
    char out[PASSWORD_HASH_SIZE])
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *made;

	out[0] = '\0';
	if (crypt_gensalt_rn("$2a$", (unsigned long)cost, NULL, 0, setting,
	    sizeof setting) == NULL ||
	    (made = run(data, password, setting)) == NULL)
		return false;
	memcpy(out, made, LENGTH + 1);
	return true;
}

void
bcrypt_waste(struct crypt_data *data, int cost)
{
	char setting[32];

	snprintf(setting, sizeof setting, "$2a$%02d$abcdefghijklmnopqrstuu",
	    cost);
	run(data, "nobody's", setting);
}
