/* RFC 4648, 5: base64 for URLs, without padding. */
#ifndef BASE64URL_H
#define BASE64URL_H

#include <stddef.h>
#include <sys/types.h>

/* Bytes that `length` bytes take, and that `length` characters hold. */
#define BASE64URL_ENCODED(length) (((length) * 4 + 2) / 3)
#define BASE64URL_DECODED(length) ((length) * 3 / 4)

/* Returns the length, without a NUL; `out` has room for it. */
size_t base64url_encode(char *out, const void *bytes, size_t length);

/*
 * Returns the length; -1 for a character that is none of the alphabet
 * (padding too), a length that no bytes have, or bits that mean nothing but
 * are not zero: every text has one form only.
 */
ssize_t base64url_decode(unsigned char *out, const char *text, size_t length);

#endif
