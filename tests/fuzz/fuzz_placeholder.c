/* Statements: :'name' becomes $1, and nothing else changes. */
#include "fuzz.h"

#include "placeholder.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct placeholders found, again;
	size_t room = 2 * size + 1, i;
	char *out = malloc(room), *small = malloc(size + 1);
	enum placeholder_fault fault;

	MUST(out != NULL && small != NULL);
	fault = placeholder_replace((const char *)bytes, size, out, room,
	    &found);
	MUST(fault != PLACEHOLDER_ROOM);
	MUST(found.count <= PLACEHOLDERS_MAX && found.at <= size);
	for (i = 0; i < found.count; i++)
		MUST(found.names[i].start + found.names[i].length <= size &&
		    found.names[i].length <= PLACEHOLDER_LENGTH_MAX);
	if (fault == PLACEHOLDER_FINE)
		MUST(strlen(out) < room);
	placeholder_replace((const char *)bytes, size, small, size / 2,
	    &again);
	free(out);
	free(small);
	return 0;
}
