#include "json_keys.h"

#include <string.h>

#define FEW 8			/* keys that are compared each with each */

struct key {
	uint64_t hash;
	const struct json_node *node;
};

void
json_bytes_of(struct json_bytes *b, const char *text,
    const struct json_node *node)
{
	b->p = text + node->start;
	b->end = text + node->end;
	b->at = b->count = 0;
}

static unsigned
hex(const char *p)
{
	unsigned value = 0;
	int i;

	for (i = 0; i < 4; i++)
		value = value * 16 + (p[i] <= '9' ? (unsigned)(p[i] - '0') :
		    (unsigned)((p[i] | 32) - 'a' + 10));
	return value;
}

/* The character of a \u escape, of which p is behind the u, as UTF-8. */
static void
unicode(struct json_bytes *b)
{
	unsigned c = hex(b->p), i, n;

	b->p += 4;
	if ((c & 0xfc00) == 0xd800) {
		c = 0x10000 + ((c & 0x3ff) << 10) + (hex(b->p + 2) & 0x3ff);
		b->p += 6;
	}
	n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (i = n - 1; i > 0; i--) {
		b->pending[i] = (unsigned char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	b->pending[0] = (unsigned char)(n == 1 ? c : (0xf00u >> n) | c);
	b->at = 0;
	b->count = n;
}

int
json_bytes_next(struct json_bytes *b)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	unsigned char c;

	if (b->at < b->count)
		return b->pending[b->at++];
	if (b->p == b->end)
		return -1;
	c = (unsigned char)*b->p++;
	if (c != '\\')
		return c;
	c = (unsigned char)*b->p++;
	if (c != 'u')
		return to[strchr(from, c) - from];
	unicode(b);
	return b->pending[b->at++];
}

/* The order of the characters. */
static int
compare(const char *text, const struct json_node *x,
    const struct json_node *y)
{
	uint32_t m = x->end - x->start, n = y->end - y->start;
	struct json_bytes a, b;
	int c, d;

	if (!x->escaped && !y->escaped) {
		c = memcmp(text + x->start, text + y->start, m < n ? m : n);
		return c != 0 ? c : (m > n) - (m < n);
	}
	json_bytes_of(&a, text, x);
	json_bytes_of(&b, text, y);
	do {
		c = json_bytes_next(&a);
		d = json_bytes_next(&b);
	} while (c == d && c != -1);
	return c - d;
}

/* FNV-1a from a start that a sender does not know. */
static uint64_t
hash(uint64_t h, const char *text, const struct json_node *node)
{
	struct json_bytes b;
	int c;

	json_bytes_of(&b, text, node);
	while ((c = json_bytes_next(&b)) != -1)
		h = (h ^ (unsigned)c) * 0x100000001b3u;
	return h ^ h >> 32;
}

static bool
is_less(const char *text, const struct key *a, const struct key *b)
{
	if (a->hash != b->hash)
		return a->hash < b->hash;
	return compare(text, a->node, b->node) < 0;
}

static void
sift_down(const char *text, struct key *keys, uint32_t i, uint32_t n)
{
	struct key moved = keys[i];
	uint32_t child;

	for (; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n &&
		    is_less(text, &keys[child], &keys[child + 1]))
			child++;
		if (!is_less(text, &moved, &keys[child]))
			break;
		keys[i] = keys[child];
	}
	keys[i] = moved;
}

/* A heap sort: n log n for whatever keys somebody has thought out. */
static void
sort(const char *text, struct key *keys, uint32_t n)
{
	struct key last;
	uint32_t i;

	for (i = n / 2; i > 0; i--)
		sift_down(text, keys, i - 1, n);
	for (i = n; i > 1; i--) {
		last = keys[i - 1];
		keys[i - 1] = keys[0];
		keys[0] = last;
		sift_down(text, keys, 0, i - 1);
	}
}

/* Not inlined, so that small objects do not pay for its 80 kB of stack. */
static __attribute__((noinline)) bool
many_repeat(const char *text, const struct json_node *nodes, uint32_t object)
{
	struct key keys[JSON_NODES_MAX / 2];
	uint64_t start = 0xcbf29ce484222325u ^ (uintptr_t)text;
	uint32_t n = nodes[object].count, i, at;

	for (i = 0, at = object + 1; i < n; i++, at = nodes[at + 1].next) {
		keys[i].node = &nodes[at];
		keys[i].hash = hash(start, text, &nodes[at]);
	}
	sort(text, keys, n);
	for (i = 1; i < n; i++)
		if (keys[i - 1].hash == keys[i].hash &&
		    compare(text, keys[i - 1].node, keys[i].node) == 0)
			return true;
	return false;
}

static bool
few_repeat(const char *text, const struct json_node *nodes, uint32_t object)
{
	const struct json_node *keys[FEW];
	uint32_t n = nodes[object].count, i, j, at;

	for (i = 0, at = object + 1; i < n; i++, at = nodes[at + 1].next) {
		keys[i] = &nodes[at];
		for (j = 0; j < i; j++)
			if (compare(text, keys[i], keys[j]) == 0)
				return true;
	}
	return false;
}

bool
json_keys_repeat(const char *text, const struct json_node *nodes,
    uint32_t object)
{
	if (nodes[object].count <= FEW)
		return few_repeat(text, nodes, object);
	return many_repeat(text, nodes, object);
}
