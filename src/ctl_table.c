/*
 * A JSON document for people.  What is plain stands in lines of name and
 * value; a list of objects, or an object of objects, is a table whose columns
 * are named by the first row, those of an inner object "outer.inner".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "json.h"

#define COLUMNS_MAX 32
#define CELL_SIZE 256

struct cell {
	char name[CELL_SIZE], text[CELL_SIZE];
	bool number;
};

struct row {
	struct cell cells[COLUMNS_MAX];
	int count;
};

/* In characters, as far as a terminal shows one for each. */
static int
width(const char *text)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static bool
is_plain(const struct json *j, uint32_t node)
{
	return j->nodes[node].kind < JSON_ARRAY;
}

/* What moves a cursor or rings a bell becomes a blank. */
static void
plain_text(const struct json *j, uint32_t node, char *out, size_t size)
{
	static const char *const words[] = {
		[JSON_NULL] = "-", [JSON_FALSE] = "no", [JSON_TRUE] = "yes"
	};
	const struct json_node *n = &j->nodes[node];
	char *p;

	if (n->kind < JSON_NUMBER)
		snprintf(out, size, "%s", words[n->kind]);
	else if (n->kind == JSON_NUMBER)
		snprintf(out, size, "%.*s", (int)(n->end - n->start),
		    j->text + n->start);
	else
		json_string(j, node, out, size);
	for (p = out; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
}

/* A list of words in one cell. */
static void
list_text(const struct json *j, uint32_t list, char *out, size_t size)
{
	char word[CELL_SIZE];
	size_t n = 0;
	uint32_t i;

	*out = '\0';
	for (i = list + 1; i < j->nodes[list].next && n < size;
	    i = j->nodes[i].next) {
		if (is_plain(j, i))
			plain_text(j, i, word, sizeof word);
		else
			strcpy(word, "...");
		n += (size_t)snprintf(out + n, size - n, "%s%s",
		    n ? " " : "", word);
	}
}

static void
add_cell(struct row *row, const struct json *j, uint32_t node,
    const char *name)
{
	struct cell *c;

	if (row->count == COLUMNS_MAX)
		return;
	c = &row->cells[row->count++];
	snprintf(c->name, sizeof c->name, "%s", name);
	c->number = j->nodes[node].kind == JSON_NUMBER;
	if (is_plain(j, node))
		plain_text(j, node, c->text, sizeof c->text);
	else
		list_text(j, node, c->text, sizeof c->text);
}

static void
fill_row(struct row *row, const struct json *j, uint32_t object,
    const char *outer)
{
	char key[CELL_SIZE], name[CELL_SIZE * 2 + 2];
	uint32_t i;

	for (i = object + 1; i < j->nodes[object].next;
	    i = j->nodes[i + 1].next) {
		plain_text(j, i, key, sizeof key);
		snprintf(name, sizeof name, "%s%s%s", outer,
		    *outer ? "." : "", key);
		if (j->nodes[i + 1].kind == JSON_OBJECT)
			fill_row(row, j, i + 1, name);
		else
			add_cell(row, j, i + 1, name);
	}
}

static const struct cell *
find_cell(const struct row *row, const char *name)
{
	static const struct cell missing = { .text = "-" };
	int i;

	for (i = 0; i < row->count; i++)
		if (strcmp(row->cells[i].name, name) == 0)
			return &row->cells[i];
	return &missing;
}

static int
widest(const struct row *rows, size_t count, const char *name)
{
	int most = width(name), n;
	size_t i;

	for (i = 0; i < count; i++) {
		n = width(find_cell(&rows[i], name)->text);
		most = n > most ? n : most;
	}
	return most;
}

/* Numbers stand on the right of their column. */
static void
print_cell(const char *text, int room, bool right, bool last)
{
	int blanks = room - width(text);

	printf("%*s%s%*s", right ? blanks : 0, "", text,
	    last || right ? 0 : blanks, "");
	fputs(last ? "\n" : "  ", stdout);
}

static void
print_rows(const struct row *rows, size_t count)
{
	const struct row *first = &rows[0];
	int rooms[COLUMNS_MAX], column;
	size_t i;

	for (column = 0; column < first->count; column++)
		rooms[column] = widest(rows, count,
		    first->cells[column].name);
	for (column = 0; column < first->count; column++)
		print_cell(first->cells[column].name, rooms[column],
		    first->cells[column].number, column == first->count - 1);
	for (i = 0; i < count; i++)
		for (column = 0; column < first->count; column++)
			print_cell(find_cell(&rows[i],
			    first->cells[column].name)->text, rooms[column],
			    first->cells[column].number,
			    column == first->count - 1);
}

/* The members of an object of objects carry their key in front. */
static void
print_table(const struct json *j, uint32_t node)
{
	bool keyed = j->nodes[node].kind == JSON_OBJECT;
	size_t count = j->nodes[node].count, n = 0;
	struct row *rows = calloc(count, sizeof *rows);
	uint32_t i;

	if (rows == NULL)
		return;
	for (i = node + 1; i < j->nodes[node].next; i = j->nodes[i].next) {
		if (keyed)
			add_cell(&rows[n], j, i++, "name");
		fill_row(&rows[n++], j, i, "");
	}
	if (rows[0].count > 0)
		print_rows(rows, count);
	free(rows);
}

static bool
is_table(const struct json *j, uint32_t node)
{
	bool keyed = j->nodes[node].kind == JSON_OBJECT;
	uint32_t i;

	if (is_plain(j, node) || j->nodes[node].count == 0)
		return false;
	for (i = node + 1; i < j->nodes[node].next; i = j->nodes[i].next) {
		i += keyed;
		if (j->nodes[i].kind != JSON_OBJECT)
			return false;
	}
	return true;
}

/* The plain members, their values below each other. */
static void
print_pairs(const struct json *j, uint32_t object)
{
	struct row *row = calloc(1, sizeof *row);
	uint32_t i;
	int most = 0, n;
	char key[CELL_SIZE];

	if (row == NULL)
		return;
	for (i = object + 1; i < j->nodes[object].next;
	    i = j->nodes[i + 1].next) {
		if (j->nodes[i + 1].kind == JSON_OBJECT ||
		    is_table(j, i + 1))
			continue;
		plain_text(j, i, key, sizeof key);
		add_cell(row, j, i + 1, key);
		n = width(key);
		most = n > most ? n : most;
	}
	for (n = 0; n < row->count; n++) {
		print_cell(row->cells[n].name, most, false, false);
		puts(row->cells[n].text);
	}
	free(row);
}

static void print_node(const struct json *, uint32_t);

/* The inner objects and tables, each under its name. */
static void
print_parts(const struct json *j, uint32_t object)
{
	char key[CELL_SIZE];
	uint32_t i;

	for (i = object + 1; i < j->nodes[object].next;
	    i = j->nodes[i + 1].next) {
		if ((j->nodes[i + 1].kind != JSON_OBJECT &&
		    !is_table(j, i + 1)) || j->nodes[i + 1].count == 0)
			continue;
		plain_text(j, i, key, sizeof key);
		printf("\n%s:\n", key);
		print_node(j, i + 1);
	}
}

static void
print_node(const struct json *j, uint32_t node)
{
	char text[CELL_SIZE * COLUMNS_MAX];

	if (is_table(j, node)) {
		print_table(j, node);
	} else if (j->nodes[node].kind == JSON_OBJECT) {
		print_pairs(j, node);
		print_parts(j, node);
	} else {
		list_text(j, node, text, sizeof text);
		puts(text);
	}
}

void
ctl_table(const struct json *document)
{
	print_node(document, 0);
}
