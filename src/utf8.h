/* Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>

/* Bytes of the character that p begins with, of `left`; 0 when it is none. */
static inline size_t
utf8_length(const char *p, size_t left)
{
	const unsigned char *c = (const unsigned char *)p;
	unsigned char least = 0x80, most = 0xbf;
	size_t n, i;

	if (left == 0)
		return 0;
	if (c[0] < 0x80)
		return 1;
	if (c[0] < 0xc2 || c[0] > 0xf4)
		return 0;
	n = c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
	if (n > left)
		return 0;
	if (c[0] == 0xe0)
		least = 0xa0;
	else if (c[0] == 0xed)
		most = 0x9f;
	else if (c[0] == 0xf0)
		least = 0x90;
	else if (c[0] == 0xf4)
		most = 0x8f;
	if (c[1] < least || c[1] > most)
		return 0;
	for (i = 2; i < n; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* How much of `length` bytes is left without an unfinished last character. */
static inline size_t
utf8_cut(const char *p, size_t length)
{
	size_t start = length;

	while (start > 0 && length - start < 3 &&
	    (p[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0 || (p[start - 1] & 0x80) == 0)
		return length;
	start--;
	return utf8_length(p + start, length - start) == length - start ?
	    length : start;
}

#endif
