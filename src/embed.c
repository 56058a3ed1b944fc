/*
 * embed FILE.sql ... > statements.c
 *
 * Used by the build: makes the arrays of query.h from sql/query/.  A file is
 * comments on top (embed_top.c), then one statement, whose name is the file's.
 * Everything wrong is said as FILE:LINE: sentence, and the exit status is 1.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "embed.h"

#define STATEMENT_MAX 65536
#define STATEMENTS_MAX 1000
#define TABLES_MAX 255		/* one is an unsigned char */
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789_"

static struct statement statements[STATEMENTS_MAX];
static unsigned count;
static char *tables[TABLES_MAX];
static unsigned tables_count;
static bool failed;

void
embed_complain(const char *file, unsigned line, const char *sentence)
{
	fprintf(stderr, "%s:%u: %s\n", file, line, sentence);
	failed = true;
}

char *
embed_copy(const char *bytes, size_t length)
{
	char *c = malloc(length + 1);

	if (c == NULL) {
		fputs("embed: out of memory\n", stderr);
		exit(1);
	}
	memcpy(c, bytes, length);
	c[length] = '\0';
	return c;
}

bool
embed_is_name(const char *s, size_t length, const char *letters)
{
	return length > 0 && length <= EMBED_NAME_MAX &&
	    s[0] >= 'a' && s[0] <= 'z' && strspn(s, letters) >= length;
}

/* The file's text; NULL when it cannot be had. */
static char *
read_file(const char *path)
{
	static char bytes[STATEMENT_MAX + 1];
	FILE *file = fopen(path, "r");
	size_t length;

	if (file == NULL) {
		embed_complain(path, 1, strerror(errno));
		return NULL;
	}
	length = fread(bytes, 1, sizeof bytes, file);
	fclose(file);
	if (length == sizeof bytes || memchr(bytes, '\0', length) != NULL) {
		embed_complain(path, 1, "it is too long, or no text");
		return NULL;
	}
	return embed_copy(bytes, length);
}

static const char *
says(enum placeholder_fault fault)
{
	static const char *const sentences[] = {
		[PLACEHOLDER_FINE] = "nothing is wrong",
		[PLACEHOLDER_NAME] = "behind :' there must be a name and a '",
		[PLACEHOLDER_MANY] = "more than 24 arguments",
		[PLACEHOLDER_DOLLAR] = "arguments are written :'name', not $1",
		[PLACEHOLDER_OPEN] = "a quote or comment is not closed",
		[PLACEHOLDER_SECOND] = "only one statement a file",
		[PLACEHOLDER_EMPTY] = "there is no statement",
		[PLACEHOLDER_BYTE] = "a backslash stands here",
		[PLACEHOLDER_ROOM] = "the statement is too long"
	};

	return sentences[fault];
}

static char *
name_of(const char *path)
{
	const char *base = strrchr(path, '/');
	size_t length;

	base = base ? base + 1 : path;
	length = strcspn(base, ".");
	if (!embed_is_name(base, length, NAME_LETTERS) ||
	    strcmp(base + length, ".sql") != 0)
		embed_complain(path, 1, "a statement's file is called like "
		    "customer_list.sql");
	return embed_copy(base, length);
}

static unsigned
line_of(const char *text, const char *at)
{
	unsigned line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

static void
read_statement(const char *path)
{
	static char text[2 * STATEMENT_MAX + 256];
	struct statement *s = &statements[count++];
	enum placeholder_fault fault;
	const char *begin;
	char *whole = read_file(path);
	int n;

	s->file = path;
	s->name = name_of(path);
	if (whole == NULL)
		return;
	begin = embed_top(s, whole);
	s->source = embed_copy(begin, strlen(begin));
	n = snprintf(text, sizeof text, "/* %s */ ", s->name);
	fault = placeholder_replace(s->source, strlen(s->source), text + n,
	    sizeof text - (size_t)n, &s->found);
	if (fault != PLACEHOLDER_FINE)
		embed_complain(path, line_of(whole, begin + s->found.at),
		    says(fault));
	s->text = embed_copy(text, strlen(text));
	free(whole);
}

static int
by_name(const void *a, const void *b)
{
	const struct statement *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
sort_statements(void)
{
	unsigned i;

	qsort(statements, count, sizeof *statements, by_name);
	for (i = 1; i < count; i++)
		if (strcmp(statements[i - 1].name, statements[i].name) == 0)
			embed_complain(statements[i].file, 1,
			    "there are two statements of this name");
}

static unsigned
table_index(const char *name)
{
	unsigned i;

	for (i = 0; i < tables_count; i++)
		if (strcmp(tables[i], name) == 0)
			break;
	return i;
}

static void
collect_tables(void)
{
	unsigned i, j;

	for (i = 0; i < count; i++)
		for (j = 0; j < statements[i].table_count; j++) {
			if (table_index(statements[i].tables[j]) < tables_count)
				continue;
			if (tables_count == TABLES_MAX) {
				embed_complain(statements[i].file, 1,
				    "more than 255 tables in all");
				return;
			}
			tables[tables_count++] = statements[i].tables[j];
		}
	qsort(tables, tables_count, sizeof *tables, by_text);
}

/* A C string, one line of it for each of the text. */
static void
write_string(const char *text)
{
	putchar('"');
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			fputs(text[1] ? "\\n\"\n\t    \"" : "\\n", stdout);
		else if (*text == '"' || *text == '\\' || *text == '?')
			printf("\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			printf("\\%03o", (unsigned char)*text);
		else
			putchar(*text);
	}
	putchar('"');
}

static void
write_statement(const struct statement *s)
{
	unsigned i;

	printf("\t{ \"%s\", ", s->name);
	write_string(s->help);
	printf(",\n\t    ");
	write_string(s->text);
	printf(",\n\t    0x%016llxu, %s, %u, {",
	    (unsigned long long)XXH64(s->text, strlen(s->text), 0),
	    s->reads ? "true" : "false", s->found.count);
	for (i = 0; i < s->found.count; i++)
		printf(" \"%.*s\",", (int)s->found.names[i].length,
		    s->source + s->found.names[i].start);
	printf("%s },\n\t    %u, {", s->found.count ? "" : " NULL",
	    s->table_count);
	for (i = 0; i < s->table_count; i++)
		printf(" %u,", table_index(s->tables[i]));
	printf("%s } },\n", s->table_count ? "" : " 0");
}

/* Both arrays end with an empty row, so that they may be empty. */
static void
write_all(void)
{
	unsigned i;

	printf("/* Made by embed from sql/query/. */\n"
	    "#include \"query.h\"\n\n"
	    "const struct query queries[] = {\n");
	for (i = 0; i < count; i++)
		write_statement(&statements[i]);
	printf("\t{ .name = NULL }\n};\n\n"
	    "const unsigned queries_count = %u;\n\n"
	    "const char *const query_tables[] = {\n", count);
	for (i = 0; i < tables_count; i++)
		printf("\t\"%s\",\n", tables[i]);
	printf("\tNULL\n};\n\n"
	    "const unsigned query_tables_count = %u;\n", tables_count);
}

int
main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && count < STATEMENTS_MAX; i++)
		read_statement(argv[i]);
	if (i < argc)
		embed_complain(argv[i], 1, "more than 1000 statements");
	sort_statements();
	collect_tables();
	if (failed)
		return 1;
	write_all();
	return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : 1;
}
