/*
 * The text is walked once, without recursion: a stack holds the containers
 * that are open.  Nothing is allocated.  Keys are compared when their object
 * closes, few of them each with each, many after sorting them by a hash, so
 * that no text takes more than n log n steps.
 */
#include "json.h"

#include <string.h>

#include "json_keys.h"
#include "json_scan.h"

struct reader {
	const char *text, *p, *end;
	struct json_node *nodes;
	uint32_t count, room;
	uint32_t open[JSON_DEPTH_MAX];
	unsigned depth;
	enum json_fault fault;
};

static bool
fail(struct reader *r, enum json_fault fault)
{
	r->fault = fault;
	return false;
}

/* The byte ahead; a NUL at the end, which is nowhere allowed. */
static char
peek(const struct reader *r)
{
	return r->p < r->end ? *r->p : '\0';
}

static void
blanks(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' ||
	    *r->p == '\t' || *r->p == '\r'))
		r->p++;
}

/* A node that begins here; it ends here too until more is known. */
static struct json_node *
add(struct reader *r, enum json_kind kind)
{
	struct json_node *n;

	if (r->count == r->room) {
		fail(r, JSON_NODES);
		return NULL;
	}
	n = &r->nodes[r->count++];
	n->kind = kind;
	n->start = n->end = (uint32_t)(r->p - r->text);
	n->next = r->count;
	n->count = 0;
	n->escaped = false;
	return n;
}

static bool
finish(struct reader *r, struct json_node *n)
{
	n->end = (uint32_t)(r->p - r->text);
	return true;
}

static bool
literal(struct reader *r, const char *word, enum json_kind kind)
{
	size_t length = strlen(word);
	struct json_node *n;

	if ((size_t)(r->end - r->p) < length ||
	    memcmp(r->p, word, length) != 0)
		return fail(r, JSON_SYNTAX);
	if ((n = add(r, kind)) == NULL)
		return false;
	r->p += length;
	return finish(r, n);
}

static bool
number(struct reader *r)
{
	struct json_node *n = add(r, JSON_NUMBER);
	const char *end;

	if (n == NULL)
		return false;
	if ((end = json_scan_number(r->p, r->end)) == NULL)
		return fail(r, JSON_SYNTAX);
	r->p = end;
	return finish(r, n);
}

static bool
string(struct reader *r)
{
	struct json_node *n;
	const char *end;

	if (peek(r) != '"')
		return fail(r, JSON_SYNTAX);
	r->p++;
	if ((n = add(r, JSON_STRING)) == NULL)
		return false;
	end = json_scan_string(r->p, r->end, &n->escaped, &r->fault);
	if (end == NULL)
		return false;
	r->p = end;
	finish(r, n);
	r->p++;
	return true;
}

static bool
open_container(struct reader *r, enum json_kind kind)
{
	if (r->depth == JSON_DEPTH_MAX)
		return fail(r, JSON_DEPTH);
	if (add(r, kind) == NULL)
		return false;
	r->open[r->depth++] = r->count - 1;
	r->p++;
	return true;
}

static bool
close_container(struct reader *r)
{
	uint32_t i = r->open[--r->depth];
	struct json_node *n = &r->nodes[i];

	r->p++;
	n->next = r->count;
	if (n->kind == JSON_OBJECT &&
	    json_keys_repeat(r->text, r->nodes, i))
		return fail(r, JSON_DUPLICATE);
	return finish(r, n);
}

/* A value; of a container, only its beginning. */
static bool
value(struct reader *r)
{
	blanks(r);
	switch (peek(r)) {
	case '{':
		return open_container(r, JSON_OBJECT);
	case '[':
		return open_container(r, JSON_ARRAY);
	case '"':
		return string(r);
	case 't':
		return literal(r, "true", JSON_TRUE);
	case 'f':
		return literal(r, "false", JSON_FALSE);
	case 'n':
		return literal(r, "null", JSON_NULL);
	default:
		return number(r);
	}
}

static bool
key(struct reader *r)
{
	blanks(r);
	if (!string(r))
		return false;
	blanks(r);
	if (peek(r) != ':')
		return fail(r, JSON_SYNTAX);
	r->p++;
	return true;
}

/* The next item or member of the innermost container, or its end. */
static bool
follow(struct reader *r)
{
	struct json_node *n = &r->nodes[r->open[r->depth - 1]];

	blanks(r);
	if (peek(r) == (n->kind == JSON_OBJECT ? '}' : ']'))
		return close_container(r);
	if (n->count > 0) {
		if (peek(r) != ',')
			return fail(r, JSON_SYNTAX);
		r->p++;
	}
	n->count++;
	if (n->kind == JSON_OBJECT && !key(r))
		return false;
	return value(r);
}

enum json_fault
json_read(struct json *json, const char *text, size_t length,
    struct json_node *nodes, uint32_t room)
{
	struct reader r = { .text = text, .p = text, .end = text + length,
	    .nodes = nodes,
	    .room = room < JSON_NODES_MAX ? room : JSON_NODES_MAX };
	bool fine;

	json->text = text;
	json->nodes = nodes;
	json->count = 0;
	if (length >= UINT32_MAX)
		return JSON_SYNTAX;
	fine = value(&r);
	while (fine && r.depth > 0)
		fine = follow(&r);
	if (!fine)
		return r.fault;
	blanks(&r);
	if (r.p != r.end)
		return JSON_SYNTAX;
	json->count = r.count;
	return JSON_FINE;
}
