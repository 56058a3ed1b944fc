/*
 * A fuzz target is a file with this function: it takes any bytes and aborts
 * when something that must hold does not.  With clang, libFuzzer calls it
 * (tests/fuzz/run); with any compiler replay.c does, for the corpus.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define MUST(what) do { \
	if (!(what)) { \
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
		abort(); \
	} \
} while (0)

/* A copy with a NUL behind it, in memory of exactly that size. */
static inline char *
fuzz_text(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text != NULL);
	memcpy(text, bytes, size);
	text[size] = '\0';
	return text;
}

#endif
