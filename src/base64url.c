#include "base64url.h"

#include <stdint.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t
base64url_encode(char *out, const void *bytes, size_t length)
{
	const unsigned char *in = bytes;
	uint32_t bits = 0;
	int have = 0;
	size_t i, n = 0;

	for (i = 0; i < length; i++) {
		bits = bits << 8 | in[i];
		for (have += 8; have >= 6; have -= 6)
			out[n++] = alphabet[bits >> (have - 6) & 63];
	}
	if (have > 0)
		out[n++] = alphabet[bits << (6 - have) & 63];
	return n;
}

/* The six bits of the characters from blank on; -1 has none. */
static const signed char values[] = {
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, -1,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1,
	-1,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, 63,
	-1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1,
};

/* Without a branch, which nobody could foretell. */
static int
six(char c)
{
	unsigned i = (unsigned char)c - 32u;

	return i < sizeof values ? values[i] : -1;
}

ssize_t
base64url_decode(unsigned char *out, const char *text, size_t length)
{
	uint32_t bits = 0;
	int value, wrong = 0;
	size_t i, n = 0, rest = length % 4;

	if (rest == 1)
		return -1;
	for (i = 0; i < length; i++) {
		value = six(text[i]);
		wrong |= value;
		bits = bits << 6 | ((uint32_t)value & 63);
		if (i % 4 != 3)
			continue;
		out[n++] = (unsigned char)(bits >> 16);
		out[n++] = (unsigned char)(bits >> 8);
		out[n++] = (unsigned char)bits;
	}
	if (rest > 0)
		out[n++] = (unsigned char)(bits >> (rest == 2 ? 4 : 10));
	if (rest == 3)
		out[n++] = (unsigned char)(bits >> 2);
	if (wrong < 0 || (rest > 0 && (bits & (rest == 2 ? 15 : 3)) != 0))
		return -1;
	return (ssize_t)n;
}
