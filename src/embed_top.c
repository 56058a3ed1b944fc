/*
 * The comments on top of a statement: the first sentence is the help, a line
 * "reads: a, b" the tables that it reads; a comma at its end continues it.
 */
#include <stdio.h>
#include <string.h>

#include "embed.h"

struct top {
	struct statement *s;
	unsigned line;
	bool in_reads;		/* the list goes on in the next line */
	char help[1024];
};

#define TABLE_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789_."

static void
add_table(struct top *t, const char *name, size_t length)
{
	struct statement *s = t->s;

	if (length == 7 && strncmp(name, "nothing", 7) == 0)
		return;
	if (!embed_is_name(name, length, TABLE_LETTERS))
		embed_complain(s->file, t->line,
		    "behind \"reads:\" there must be names of tables");
	else if (s->table_count == QUERY_TABLES_MAX)
		embed_complain(s->file, t->line, "it reads more than 16 tables");
	else
		s->tables[s->table_count++] = embed_copy(name, length);
}

static void
take_reads(struct top *t, const char *p, const char *end)
{
	size_t n;

	t->s->reads = true;
	for (;;) {
		while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
			p++;
		t->in_reads = p == end;
		if (p == end)
			return;
		for (n = 0; p + n < end && strchr(" \t\r,", p[n]) == NULL; n++)
			;
		add_table(t, p, n);
		p += n;
		while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
			p++;
		t->in_reads = false;
		if (p == end)
			return;
		if (*p++ != ',') {
			embed_complain(t->s->file, t->line,
			    "tables are separated by commas");
			return;
		}
	}
}

static void
take_help(struct top *t, const char *p, const char *end)
{
	size_t used = strlen(t->help);

	snprintf(t->help + used, sizeof t->help - used, "%s%.*s",
	    used > 0 ? " " : "", (int)(end - p), p);
}

static void
take_comment(struct top *t, const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (end - p >= 6 && strncmp(p, "reads:", 6) == 0)
		take_reads(t, p + 6, end);
	else if (t->in_reads)
		take_reads(t, p, end);
	else if (p < end && !t->s->reads)
		take_help(t, p, end);
}

/* The first sentence, without its full stop. */
static char *
first_sentence(const char *help)
{
	size_t n;

	for (n = 0; help[n] != '\0'; n++)
		if (help[n] == '.' && (help[n + 1] == ' ' ||
		    help[n + 1] == '\0'))
			break;
	return embed_copy(help, n);
}

const char *
embed_top(struct statement *s, const char *text)
{
	struct top t = { .s = s, .line = 1 };
	const char *p = text, *end;

	for (;; p = end + (*end == '\n'), t.line++) {
		end = p + strcspn(p, "\n");
		if (strncmp(p, "--", 2) == 0)
			take_comment(&t, p + 2, end);
		else if (p + strspn(p, " \t\r") != end || *end == '\0')
			break;
	}
	if (t.in_reads)
		embed_complain(s->file, t.line, "the list of tables is not finished");
	if (t.help[0] == '\0')
		embed_complain(s->file, 1, "it must begin with a sentence: -- What "
		    "it answers.");
	s->help = first_sentence(t.help);
	return p;
}
