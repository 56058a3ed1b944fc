/* A strict check of JSON text, and a flat view of what is in it. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_kind {
	JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING,
	JSON_ARRAY, JSON_OBJECT
};

/*
 * A value in the text it was read from.  Nodes lie in the order of the text;
 * `next` is the index of the one after this value and all that is in it.  A
 * member of an object is two nodes: its key (a JSON_STRING), then its value.
 */
struct json_node {
	enum json_kind kind;
	uint32_t start, end;	/* of the text; strings without their quotes */
	uint32_t next;
	uint32_t count;		/* items or members */
	bool escaped;		/* JSON_STRING: has a backslash */
};

struct json {
	const char *text;
	struct json_node *nodes;
	uint32_t count;
};

enum json_fault {
	JSON_FINE, JSON_SYNTAX, JSON_UTF8, JSON_DEPTH, JSON_NODES,
	JSON_DUPLICATE, JSON_NUL
};

#define JSON_DEPTH_MAX 32
#define JSON_NODES_MAX 10000

/*
 * Strict RFC 8259 in strict UTF-8 (no overlong forms, no surrogates), nothing
 * but white space after the value, no \u0000, lone surrogate escapes refused,
 * no duplicate key in an object (compared after unescaping), at most
 * JSON_DEPTH_MAX deep.  `nodes` has room for `room` (the caller's memory).
 */
enum json_fault json_read(struct json *, const char *text, size_t length,
    struct json_node *nodes, uint32_t room);

/*
 * The value of a member of the object at index `object`; -1 when there is none,
 * when that is no object, and when nothing was read (count is 0).
 */
int json_member(const struct json *, uint32_t object, const char *key);

/* The same where it is of that kind, else -1. */
int json_member_of(const struct json *, uint32_t object, const char *key,
    enum json_kind kind);

/*
 * A string's characters, unescaped, NUL-terminated, in `out` (size at least
 * end - start + 1); returns the length.
 */
size_t json_string(const struct json *, uint32_t node, char *out, size_t size);

/* True for a number without fraction or exponent that fits. */
bool json_integer(const struct json *, uint32_t node, int64_t *value);

/* A member's number; 0 when it is none, or none that fits. */
int64_t json_member_integer(const struct json *, uint32_t object,
    const char *key);

/* A member's text, as by json_string; "" when it is none. */
size_t json_member_string(const struct json *, uint32_t object,
    const char *key, char *out, size_t size);

/* The same in memory of its own; NULL when it is none, or memory is short. */
char *json_member_copy(const struct json *, uint32_t object, const char *key);

/* Is it nothing: null, false, 0, "", [] or {}? */
bool json_is_nothing(const struct json *, uint32_t node);

/* Writes `length` bytes of UTF-8 as a JSON string with its quotes; returns
 * the length that was needed, like snprintf, and never writes past size. */
size_t json_quote(char *out, size_t size, const char *bytes, size_t length);

#endif
