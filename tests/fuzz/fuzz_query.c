/*
 * The head of a request: a line for each parameter that nginx sends, in the
 * order of FCGI_PARAMETERS, then the body.
 */
#include "fuzz.h"

#include "http.h"
#include "utf8.h"

static struct {
	char *lines[FCGI_COUNT];
	const char *body;
	size_t length;
	int replies;
} given;

/* --- in place of fcgi.c --- */

const char *
fcgi_parameter(const struct fcgi *fcgi, enum fcgi_parameter which)
{
	(void)fcgi;
	return given.lines[which];
}

long
fcgi_body(struct fcgi *fcgi, char *to, size_t room)
{
	(void)fcgi;
	if (to != NULL)
		memcpy(to, given.body, given.length < room ? given.length :
		    room);
	return (long)given.length;
}

void
fcgi_reply(struct fcgi *fcgi, const char *head, size_t head_length,
    const char *body, size_t body_length)
{
	(void)fcgi, (void)body, (void)body_length;
	MUST(head_length == 0 || memcmp(head, "Status: 4", 9) == 0);
	given.replies++;
}

/* --- */

static bool
is_sound(const char *s)
{
	size_t n, left = strlen(s);

	for (; left > 0; s += n, left -= n)
		if ((n = utf8_length(s, left)) == 0)
			return false;
	return true;
}

static void
look_at(const struct request *r)
{
	unsigned i;

	MUST(r->segment_count >= 1 && r->segment_count <= HTTP_SEGMENTS_MAX);
	MUST(r->pair_count <= HTTP_PAIRS_MAX);
	for (i = 0; i < r->segment_count; i++)
		MUST(r->segments[i] > r->uri &&
		    r->segments[i] < r->uri + sizeof r->uri &&
		    is_sound(r->segments[i]));
	for (i = 0; i < r->pair_count; i++)
		MUST(r->pairs[i].name >= r->uri &&
		    r->pairs[i].value >= r->pairs[i].name &&
		    r->pairs[i].value < r->uri + sizeof r->uri &&
		    is_sound(r->pairs[i].name) && is_sound(r->pairs[i].value));
	http_query(r, "limit");
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct request *r = malloc(sizeof *r);
	char *text = fuzz_text(bytes, size), *rest = text;
	unsigned i;

	memset(&given, 0, sizeof given);
	for (i = 0; i < FCGI_COUNT && rest != NULL; i++)
		given.lines[i] = strsep(&rest, "\n");
	given.body = rest ? rest : "";
	given.length = rest ? size - (size_t)(rest - text) : 0;
	MUST(r != NULL);
	r->body = NULL;
	r->json.nodes = NULL;
	if (http_read(r, NULL)) {
		MUST(given.replies == 0);
		look_at(r);
		if (http_read_body(r, 1000))
			MUST(r->body_length == given.length &&
			    (r->body == NULL ||
			    r->body[r->body_length] == '\0'));
		else
			MUST(given.replies == 1);
	} else {
		MUST(given.replies == 1);
	}
	if (given.replies == 0)
		http_finish(r);
	free(r);
	free(text);
	return 0;
}
