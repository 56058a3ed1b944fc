/* What is asked of text that json_read found to be right. */
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_keys.h"

static bool
means(const struct json *json, const struct json_node *node, const char *word,
    size_t length)
{
	struct json_bytes b;
	size_t i;

	if (!node->escaped)
		return node->end - node->start == length &&
		    memcmp(json->text + node->start, word, length) == 0;
	json_bytes_of(&b, json->text, node);
	for (i = 0; i < length; i++)
		if (json_bytes_next(&b) != (unsigned char)word[i])
			return false;
	return json_bytes_next(&b) == -1;
}

int
json_member(const struct json *json, uint32_t object, const char *key)
{
	const struct json_node *nodes = json->nodes;
	size_t length = strlen(key);
	uint32_t i, at;

	if (json->count == 0 || nodes[object].kind != JSON_OBJECT)
		return -1;
	for (i = 0, at = object + 1; i < nodes[object].count; i++) {
		if (means(json, &nodes[at], key, length))
			return (int)at + 1;
		at = nodes[at + 1].next;
	}
	return -1;
}

int
json_member_of(const struct json *json, uint32_t object, const char *key,
    enum json_kind kind)
{
	int node = json_member(json, object, key);

	return node >= 0 && json->nodes[node].kind == kind ? node : -1;
}

size_t
json_string(const struct json *json, uint32_t node, char *out, size_t size)
{
	const struct json_node *n = &json->nodes[node];
	struct json_bytes b;
	size_t used = 0;
	int c;

	if (size == 0)
		return 0;
	json_bytes_of(&b, json->text, n);
	if (!n->escaped) {
		used = (size_t)(n->end - n->start);
		used = used < size ? used : size - 1;
		memcpy(out, json->text + n->start, used);
	} else {
		while (used < size - 1 && (c = json_bytes_next(&b)) != -1)
			out[used++] = (char)c;
	}
	out[used] = '\0';
	return used;
}

bool
json_integer(const struct json *json, uint32_t node, int64_t *value)
{
	const struct json_node *n = &json->nodes[node];
	const char *p = json->text + n->start, *end = json->text + n->end;
	bool negative;
	int64_t v = 0;

	if (n->kind != JSON_NUMBER)
		return false;
	negative = *p == '-';
	/* counted downwards: there is one more below zero than above */
	for (p += negative; p < end; p++)
		if (*p < '0' || *p > '9' ||
		    __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_sub_overflow(v, *p - '0', &v))
			return false;
	if (!negative && __builtin_sub_overflow(0, v, &v))
		return false;
	*value = v;
	return true;
}

int64_t
json_member_integer(const struct json *json, uint32_t object, const char *key)
{
	int node = json_member(json, object, key);
	int64_t value = 0;

	return node >= 0 && json_integer(json, (uint32_t)node, &value) ?
	    value : 0;
}

size_t
json_member_string(const struct json *json, uint32_t object, const char *key,
    char *out, size_t size)
{
	int node = json_member_of(json, object, key, JSON_STRING);

	if (node >= 0)
		return json_string(json, (uint32_t)node, out, size);
	out[0] = '\0';
	return 0;
}

char *
json_member_copy(const struct json *json, uint32_t object, const char *key)
{
	int node = json_member_of(json, object, key, JSON_STRING);
	char *text = NULL;
	size_t size;

	if (node >= 0) {
		size = json->nodes[node].end - json->nodes[node].start + 1;
		if ((text = malloc(size)) != NULL)
			json_string(json, (uint32_t)node, text, size);
	}
	return text;
}

bool
json_is_nothing(const struct json *json, uint32_t node)
{
	const struct json_node *n = &json->nodes[node];

	switch (n->kind) {
	case JSON_TRUE:
		return false;
	case JSON_NUMBER:
		return strtod(json->text + n->start, NULL) == 0;
	case JSON_STRING:
		return n->start == n->end;
	case JSON_ARRAY:
	case JSON_OBJECT:
		return n->count == 0;
	default:
		return true;
	}
}

struct quoting {
	char *out;
	size_t size, used;
};

static void
put(struct quoting *q, const char *bytes, size_t length)
{
	if (q->used < q->size)
		memcpy(q->out + q->used, bytes, length < q->size - q->used ?
		    length : q->size - q->used);
	q->used += length;
}

static void
put_escape(struct quoting *q, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *place = strchr(from, c);
	char text[8];

	if (place != NULL && c != '\0')
		snprintf(text, sizeof text, "\\%c", to[place - from]);
	else
		snprintf(text, sizeof text, "\\u%04x", c);
	put(q, text, strlen(text));
}

size_t
json_quote(char *out, size_t size, const char *bytes, size_t length)
{
	struct quoting q = { .out = out, .size = size };
	size_t i, plain = 0;
	unsigned char c;

	put(&q, "\"", 1);
	for (i = 0; i < length; i++) {
		c = (unsigned char)bytes[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		put(&q, bytes + plain, i - plain);
		put_escape(&q, c);
		plain = i + 1;
	}
	put(&q, bytes + plain, length - plain);
	put(&q, "\"", 1);
	if (size > 0)
		out[q.used < size ? q.used : size - 1] = '\0';
	return q.used;
}
