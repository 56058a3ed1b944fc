#include "base64url.h"

#include <stdint.h>
#include <string.h>

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

/* One more than a character's six bits; 0 has none. */
static const unsigned char values[256] = {
	['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6,
	['G'] = 7, ['H'] = 8, ['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12,
	['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18,
	['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
	['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30,
	['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36,
	['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
	['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
	['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54,
	['2'] = 55, ['3'] = 56, ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60,
	['8'] = 61, ['9'] = 62, ['-'] = 63, ['_'] = 64,
};

/* Negative for what is no character of the alphabet. */
static int
six(char c)
{
	return values[(unsigned char)c] - 1;
}

/* Four characters' bytes; negative when one of them is none. */
static int
decode_four(unsigned char *out, const char *text)
{
	int a = six(text[0]), b = six(text[1]), c = six(text[2]),
	    d = six(text[3]);

	out[0] = (unsigned char)((unsigned)a << 2 | (unsigned)b >> 4);
	out[1] = (unsigned char)((unsigned)b << 4 | (unsigned)c >> 2);
	out[2] = (unsigned char)((unsigned)c << 6 | (unsigned)d);
	return a | b | c | d;
}

ssize_t
base64url_decode(unsigned char *out, const char *text, size_t length)
{
	size_t i, n = 0, rest = length % 4;
	unsigned char bytes[3];
	char last[4] = { 'A', 'A', 'A', 'A' };	/* no bits */
	int wrong = 0;

	if (rest == 1)
		return -1;
	/* What is wrong is seen at the end: nobody foretells a branch. */
	for (i = 0; i + 4 <= length; i += 4, n += 3)
		wrong |= decode_four(out + n, text + i);
	if (rest > 0) {
		memcpy(last, text + i, rest);
		wrong |= decode_four(bytes, last);
		/* The bits that are left over are none. */
		if (bytes[rest - 1] != 0)
			return -1;
		memcpy(out + n, bytes, rest - 1);
		n += rest - 1;
	}
	return wrong < 0 ? -1 : (ssize_t)n;
}
