/* The strict check of JSON, and what is asked of what passed it. */
#include "fuzz.h"

#include "json.h"

static struct json_node nodes[JSON_NODES_MAX];

static void
look_at(const struct json *json, uint32_t i, size_t size)
{
	const struct json_node *n = &json->nodes[i];
	size_t room = n->end - n->start + 1, length;
	char *text, *quoted;
	struct json again;
	struct json_node node;
	int64_t integer;

	MUST(n->start <= n->end && n->end <= size);
	MUST(n->next > i && n->next <= json->count);
	json_integer(json, i, &integer);
	if (n->kind != JSON_STRING)
		return;
	text = malloc(room);
	quoted = malloc(room * 6 + 3);
	MUST(text != NULL && quoted != NULL);
	length = json_string(json, i, text, room);
	MUST(length < room && text[length] == '\0' && strlen(text) == length);
	room = json_quote(quoted, room * 6 + 3, text, length);
	MUST(json_read(&again, quoted, room, &node, 1) == JSON_FINE);
	free(text);
	free(quoted);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct json json;
	uint32_t i;

	if (json_read(&json, (const char *)bytes, size, nodes,
	    JSON_NODES_MAX) != JSON_FINE)
		return 0;
	MUST(json.count >= 1 && json.count <= JSON_NODES_MAX);
	MUST(nodes[0].next == json.count);
	for (i = 0; i < json.count; i++)
		look_at(&json, i, size);
	json_member(&json, 0, "a");
	json_member(&json, 0, "");
	return 0;
}
