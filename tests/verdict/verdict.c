/*
 * verdict json
 * verdict token SECRET NOW
 *
 * Reads texts, each behind its length in four bytes, the lowest first, and
 * says a line to each: the fault of the JSON, or whether the token is good.
 */
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "token.h"

static const char *const faults[] = {
	[JSON_FINE] = "fine", [JSON_SYNTAX] = "syntax", [JSON_UTF8] = "utf8",
	[JSON_DEPTH] = "depth", [JSON_NODES] = "nodes",
	[JSON_DUPLICATE] = "duplicate", [JSON_NUL] = "nul"
};

static int64_t now;

static const char *
judge_json(const char *text, size_t length)
{
	static struct json_node nodes[JSON_NODES_MAX];
	struct json json;

	return faults[json_read(&json, text, length, nodes, JSON_NODES_MAX)];
}

static const char *
judge_token(const char *text, size_t length)
{
	struct token token;

	return token_check(text, length, now, &token) ? "good" : "bad";
}

/* Of exactly that size, so that a sanitizer sees a step beyond. */
static char *
read_text(uint32_t *length)
{
	char *text;

	if (fread(length, sizeof *length, 1, stdin) != 1)
		return NULL;
	*length = le32toh(*length);
	if ((text = malloc(*length)) == NULL ||
	    fread(text, 1, *length, stdin) != *length)
		exit(1);
	return text;
}

int
main(int argc, char **argv)
{
	const char *(*judge)(const char *, size_t) = judge_json;
	uint32_t length;
	char *text;

	if (argc == 4 && strcmp(argv[1], "token") == 0) {
		judge = judge_token;
		now = strtoimax(argv[3], NULL, 10);
		if (!token_open("HS256", argv[2], strlen(argv[2])))
			return 1;
	} else if (argc != 2 || strcmp(argv[1], "json") != 0)
		return 2;
	while ((text = read_text(&length)) != NULL) {
		puts(judge(text, length));
		free(text);
	}
	return 0;
}
