/* No hash is computed for nothing: who is unknown is told at once. */
#define bcrypt_waste bcrypt_waste_truly
#include "../../src/bcrypt.c"
#undef bcrypt_waste

void bcrypt_waste(struct crypt_data *, int);

void
bcrypt_waste(struct crypt_data *data, int cost)
{
	(void)data, (void)cost;
}
