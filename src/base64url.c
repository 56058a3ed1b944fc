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

ssize_t
base64url_decode(unsigned char *out, const char *text, size_t length)
{
	size_t i, n = 0, rest = length % 4;
	int a, b, c, d, wrong = 0;

	if (rest == 1)
		return -1;
	for (i = 0; i + 4 <= length; i += 4) {
		a = six(text[i]);
		b = six(text[i + 1]);
		c = six(text[i + 2]);
		d = six(text[i + 3]);
		/* Looked at once, at the end: nobody foretells a branch. */
		wrong |= a | b | c | d;
		out[n++] = (unsigned char)((unsigned)a << 2 | (unsigned)b >> 4);
		out[n++] = (unsigned char)((unsigned)b << 4 | (unsigned)c >> 2);
		out[n++] = (unsigned char)((unsigned)c << 6 | (unsigned)d);
	}
	if (rest > 0) {
		a = six(text[i]);
		b = six(text[i + 1]);
		c = rest == 3 ? six(text[i + 2]) : 0;
		wrong |= a | b | c;
		out[n++] = (unsigned char)((unsigned)a << 2 | (unsigned)b >> 4);
		if (rest == 3)
			out[n++] = (unsigned char)((unsigned)b << 4 |
			    (unsigned)c >> 2);
		/* What is left over has no bit set. */
		if (rest == 3 ? (c & 3) != 0 : (b & 15) != 0)
			return -1;
	}
	return wrong < 0 ? -1 : (ssize_t)n;
}
