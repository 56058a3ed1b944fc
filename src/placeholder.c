/*
 * A statement is read as a row of pieces: what is quoted, comments, :'name',
 * and single characters between them.  Only the pieces matter here, so
 * nothing of SQL's grammar is known.
 */
#include "placeholder.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct reader {
	const char *text;
	size_t length, at;
	char *out;
	size_t size, used;
	struct placeholders *found;
	enum placeholder_fault fault;
};

static bool
is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_';
}

/* Letters of SQL's identifiers; bytes of UTF-8 are letters. */
static bool
is_word(char c)
{
	return is_name(c) || c == '$' || (c & 0x80) != 0;
}

static bool
is_blank(char c)
{
	return c != '\0' && strchr(" \t\r\n\f", c) != NULL;
}

static char
peek(const struct reader *r, size_t ahead)
{
	return r->length - r->at > ahead ? r->text[r->at + ahead] : '\0';
}

static bool
fail(struct reader *r, enum placeholder_fault fault, size_t at)
{
	r->fault = fault;
	r->found->at = at;
	return false;
}

static bool
put(struct reader *r, const char *bytes, size_t n)
{
	if (r->size - r->used <= n)
		return fail(r, PLACEHOLDER_ROOM, r->at);
	memcpy(r->out + r->used, bytes, n);
	r->used += n;
	return true;
}

static bool
copy(struct reader *r, size_t n)
{
	if (!put(r, r->text + r->at, n))
		return false;
	r->at += n;
	return true;
}

/* A string or identifier from its quote on; twice the quote is one in it. */
static bool
quoted(struct reader *r, bool escapes)
{
	char quote = peek(r, 0);
	size_t n;

	for (n = 1; r->at + n < r->length; n++) {
		if (escapes && peek(r, n) == '\\')
			n++;
		else if (peek(r, n) == quote && peek(r, n + 1) == quote)
			n++;
		else if (peek(r, n) == quote)
			return copy(r, n + 1);
	}
	return fail(r, PLACEHOLDER_OPEN, r->at);
}

/* An E'' string goes on where only white space with a newline parts it. */
static bool
escape_string(struct reader *r)
{
	bool newline;
	size_t n;

	if (!copy(r, 1))
		return false;
	do {
		if (!quoted(r, true))
			return false;
		newline = false;
		for (n = 0; is_blank(peek(r, n)); n++)
			newline |= strchr("\r\n", peek(r, n)) != NULL;
		if (!newline || peek(r, n) != '\'')
			return true;
	} while (copy(r, n));
	return false;
}

/* The length of a $tag$ here; 0 when there is none. */
static size_t
dollar_tag(const struct reader *r)
{
	size_t n = 1;

	if (peek(r, 1) >= '0' && peek(r, 1) <= '9')
		return 0;
	while (is_word(peek(r, n)) && peek(r, n) != '$')
		n++;
	return peek(r, n) == '$' ? n + 1 : 0;
}

static bool
dollar_quoted(struct reader *r)
{
	const char *begin = r->text + r->at, *end;
	size_t tag = dollar_tag(r);

	if (tag == 0)
		return fail(r, PLACEHOLDER_DOLLAR, r->at);
	end = memmem(begin + tag, r->length - r->at - tag, begin, tag);
	if (end == NULL)
		return fail(r, PLACEHOLDER_OPEN, r->at);
	return copy(r, (size_t)(end - begin) + tag);
}

static bool
line_comment(struct reader *r)
{
	size_t n = 2;

	while (r->at + n < r->length && peek(r, n) != '\n')
		n++;
	return copy(r, n);
}

static bool
block_comment(struct reader *r)
{
	size_t n = 2;
	int depth = 1;

	while (depth > 0) {
		if (r->at + n >= r->length)
			return fail(r, PLACEHOLDER_OPEN, r->at);
		if (peek(r, n) == '/' && peek(r, n + 1) == '*') {
			depth++;
			n += 2;
		} else if (peek(r, n) == '*' && peek(r, n + 1) == '/') {
			depth--;
			n += 2;
		} else {
			n++;
		}
	}
	return copy(r, n);
}

/* The number of a name, from 1; 0 when there are too many. */
static unsigned
number(struct reader *r, size_t start, size_t length)
{
	struct placeholders *f = r->found;
	unsigned i;

	for (i = 0; i < f->count; i++)
		if (f->names[i].length == length && memcmp(r->text + start,
		    r->text + f->names[i].start, length) == 0)
			return i + 1;
	if (f->count == PLACEHOLDERS_MAX)
		return 0;
	f->names[f->count].start = start;
	f->names[f->count].length = length;
	return ++f->count;
}

/* :'name', set apart from words beside it. */
static bool
placeholder(struct reader *r)
{
	size_t n = 2;
	char mark[8];
	bool apart;

	while (is_name(peek(r, n)))
		n++;
	if (n == 2 || n - 2 > PLACEHOLDER_LENGTH_MAX || peek(r, n) != '\'' ||
	    (peek(r, 2) >= '0' && peek(r, 2) <= '9'))
		return fail(r, PLACEHOLDER_NAME, r->at);
	n++;
	apart = r->used > 0 && is_word(r->out[r->used - 1]);
	snprintf(mark, sizeof mark, "%s$%u%s", apart ? " " : "",
	    number(r, r->at + 2, n - 3), is_word(peek(r, n)) ? " " : "");
	if (strstr(mark, "$0") != NULL)
		return fail(r, PLACEHOLDER_MANY, r->at);
	if (!put(r, mark, strlen(mark)))
		return false;
	r->at += n;
	return true;
}

/* A word as a whole, so that no quote in its middle is taken for one. */
static bool
word(struct reader *r)
{
	size_t n = 1;

	if ((peek(r, 0) == 'e' || peek(r, 0) == 'E') && peek(r, 1) == '\'')
		return escape_string(r);
	while (is_word(peek(r, n)))
		n++;
	return copy(r, n);
}

static bool
is_comment(const struct reader *r)
{
	return (peek(r, 0) == '-' && peek(r, 1) == '-') ||
	    (peek(r, 0) == '/' && peek(r, 1) == '*');
}

static bool
comment(struct reader *r)
{
	return peek(r, 0) == '-' ? line_comment(r) : block_comment(r);
}

static bool
piece(struct reader *r)
{
	char c = peek(r, 0);

	if (is_comment(r))
		return comment(r);
	if (c == '\'' || c == '"')
		return quoted(r, false);
	if (c == '$')
		return dollar_quoted(r);
	if (c == ':' && peek(r, 1) == ':')
		return copy(r, 2);
	if (c == ':' && peek(r, 1) == '\'')
		return placeholder(r);
	if (c == '\\')
		return fail(r, PLACEHOLDER_BYTE, r->at);
	if (is_word(c))
		return word(r);
	return copy(r, 1);
}

/* Behind the semicolon there may only be comments, which are left out. */
static bool
nothing_more(struct reader *r)
{
	size_t end = r->used;

	for (r->at++; r->at < r->length;) {
		if (is_blank(peek(r, 0)))
			r->at++;
		else if (!is_comment(r))
			return fail(r, PLACEHOLDER_SECOND, r->at);
		else if (!comment(r))
			return false;
	}
	r->used = end;
	return true;
}

enum placeholder_fault
placeholder_replace(const char *text, size_t length, char *out, size_t size,
    struct placeholders *found)
{
	struct reader r = { .text = text, .length = length, .out = out,
	    .size = size, .found = found };
	const char *nul = memchr(text, '\0', length);
	bool fine = true, any = false;

	found->count = 0;
	found->at = 0;
	if (nul != NULL)
		fine = fail(&r, PLACEHOLDER_BYTE, (size_t)(nul - text));
	while (fine && r.at < r.length) {
		if (peek(&r, 0) == ';') {
			fine = nothing_more(&r);
			break;
		}
		any |= !is_blank(peek(&r, 0)) && !is_comment(&r);
		fine = piece(&r);
	}
	if (fine && !any)
		fine = fail(&r, PLACEHOLDER_EMPTY, 0);
	while (fine && r.used > 0 && is_blank(out[r.used - 1]))
		r.used--;
	if (fine && put(&r, "", 0))
		out[r.used] = '\0';
	return r.fault;
}
