/* Strings of JSON text as the characters that they mean. */
#ifndef JSON_KEYS_H
#define JSON_KEYS_H

#include "json.h"

/* The bytes of a string, unescaped one after the other. */
struct json_bytes {
	const char *p, *end;
	unsigned char pending[4];
	unsigned at, count;
};

void json_bytes_of(struct json_bytes *, const char *text,
    const struct json_node *);

/* The next one; -1 behind the last. */
int json_bytes_next(struct json_bytes *);

/* Whether two members of the object at index `object` have the same key. */
bool json_keys_repeat(const char *text, const struct json_node *nodes,
    uint32_t object);

#endif
