/*
 * What each type of field takes.  The rules for text are one table, used for
 * the query and for strings in a body; a body's other kinds of JSON have
 * theirs below.
 */
#include "field.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "utf8.h"

#define TEXT_MAX 65536		/* bytes of any string */

static bool
has_limits(const struct field *f)
{
	return f->min != 0 || f->max != 0;
}

static size_t
characters(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static bool
is_text(const struct field *f, char *s)
{
	return strlen(s) <= TEXT_MAX && (!has_limits(f) ||
	    (characters(s) >= (size_t)f->min &&
	    (f->max == 0 || characters(s) <= (size_t)f->max)));
}

static void
trim(char *s)
{
	size_t start = strspn(s, " \t\r\n\v\f"), length = strlen(s + start);

	while (length > 0 && strchr(" \t\r\n\v\f", s[start + length - 1]))
		length--;
	memmove(s, s + start, length);
	s[length] = '\0';
}

static bool
is_loose(const struct field *f, char *s)
{
	trim(s);
	return s[0] == '\0' || is_text(f, s);
}

static bool
is_uuid(const struct field *f, char *s)
{
	(void)f;
	for (int i = 0; i < 36; i++) {
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (hyphen ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
			return false;
		s[i] = (char)tolower((unsigned char)s[i]);
	}
	return s[36] == '\0';
}

static bool
is_integer(const struct field *f, char *s)
{
	const char *digit;
	char *end;
	long long n;

	trim(s);
	digit = s + (*s == '-' || *s == '+');
	if (!isdigit((unsigned char)*digit) || strlen(digit) > 18)
		return false;
	n = strtoll(s, &end, 10);
	if (f->flags & LENIENT && f->max > 0 && n > f->max)
		n = f->max;
	if (*end != '\0' || (has_limits(f) && (n < f->min || n > f->max)))
		return false;
	snprintf(s, strlen(s) + 1, "%lld", n);
	return true;
}

/* Plain decimal notation, finite: what numeric takes without surprise. */
static bool
is_number(const struct field *f, char *s)
{
	char *end;
	double n;

	trim(s);
	if (s[strspn(s, "+-0123456789.eE")] != '\0' || s[0] == '\0' ||
	    strlen(s) > 64)
		return false;
	n = strtod(s, &end);
	return *end == '\0' && isfinite(n) && (!has_limits(f) ||
	    (n >= (double)f->min && n <= (double)f->max));
}

static bool
is_word_of(const char *choices, const char *s)
{
	size_t length = strlen(s);

	for (const char *at = choices; (at = strstr(at, s)) != NULL &&
	    length > 0; at++)
		if ((at == choices || at[-1] == ' ') &&
		    (at[length] == ' ' || at[length] == '\0'))
			return strchr(s, ' ') == NULL;
	return false;
}

static bool
is_boolean(const struct field *f, char *s)
{
	(void)f;
	for (char *c = s; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return strcmp(s, "true") == 0 || strcmp(s, "false") == 0;
}

static bool
is_flag(const struct field *f, char *s)
{
	(void)f, (void)s;
	return true;	/* 1, true, yes, on; anything else is false */
}

static bool
is_choice(const struct field *f, char *s)
{
	return is_word_of(f->choices, s);
}

static bool
is_choices(const struct field *f, char *s)
{
	char copy[512], *rest = copy, *word;

	if (strlen(s) >= sizeof copy)
		return false;
	strcpy(copy, s);
	while ((word = strsep(&rest, ",")) != NULL)
		if (!is_word_of(f->choices, word))
			return false;
	return true;
}

/* Exactly `n` digits; moves on. */
static bool
digits(const char **s, int n, int *value)
{
	for (*value = 0; n > 0; n--, (*s)++) {
		if (!isdigit((unsigned char)**s))
			return false;
		*value = *value * 10 + **s - '0';
	}
	return true;
}

static bool
is_mark(const char **s, char mark)
{
	return *(*s)++ == mark;
}

static int
days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
	    30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool
read_date(const char **s)
{
	int year, month, day;

	return digits(s, 4, &year) && is_mark(s, '-') &&
	    digits(s, 2, &month) && is_mark(s, '-') && digits(s, 2, &day) &&
	    year > 0 && month >= 1 && month <= 12 && day >= 1 &&
	    day <= days_in(year, month);
}

static bool
read_seconds(const char **s, int *second)
{
	size_t part;

	if (!digits(s, 2, second))
		return false;
	if (**s != '.')
		return true;
	part = strspn(*s + 1, "0123456789");
	*s += 1 + part;
	return part > 0;
}

static bool
read_time(const char **s)
{
	int hour, minute, second = 0;

	if (!digits(s, 2, &hour) || !is_mark(s, ':') ||
	    !digits(s, 2, &minute))
		return false;
	if (**s == ':' && ((*s)++, !read_seconds(s, &second)))
		return false;
	return hour < 24 && minute < 60 && second < 60;
}

static bool
is_date(const struct field *f, char *text)
{
	const char *s = text;

	(void)f;
	return read_date(&s) && *s == '\0';
}

static bool
is_time(const struct field *f, char *text)
{
	const char *s = text;

	(void)f;
	return read_time(&s) && *s == '\0';
}

static bool
is_timestamp(const struct field *f, char *text)
{
	const char *s = text;

	(void)f;
	if (!read_date(&s))
		return false;
	if (*s == '\0')
		return true;
	if (*s != 'T' && *s != ' ')
		return false;
	s++;
	return read_time(&s) && *s == '\0';
}

static bool
is_never(const struct field *f, char *s)
{
	(void)f, (void)s;
	return false;
}

static const struct {
	bool (*check)(const struct field *, char *);
	bool blank_is_null;		/* and so is the word "null" */
} types[] = {
	[TEXT] = { is_text, false },
	[LOOSE] = { is_loose, false },
	[UUID] = { is_uuid, true },
	[INTEGER] = { is_integer, true },
	[NUMBER] = { is_number, true },
	[BOOLEAN] = { is_boolean, true },
	[FLAG] = { is_flag, false },
	[DATE] = { is_date, true },
	[TIME] = { is_time, true },
	[TIMESTAMP] = { is_timestamp, true },
	[CHOICE] = { is_choice, false },
	[CHOICES] = { is_choices, false },
	[UUIDS] = { is_never, false },
	[OBJECT] = { is_never, false },
	[OBJECTS] = { is_never, false },
};

bool
field_check_text(const struct field *f, char *value)
{
	return value[0] == '\0' || types[f->type].check(f, value);
}

static bool
is_blank(const char *s)
{
	return s[strspn(s, " \t\r\n")] == '\0' || strcmp(s, "null") == 0;
}

static bool
check_string(const struct field *f, const struct json *j, unsigned node,
    bool *null)
{
	static char copy[TEXT_MAX + 2];		/* full: it is too long */

	if (json_string(j, node, copy, sizeof copy) > TEXT_MAX)
		return false;
	*null = (f->flags & BLANK ? copy[0] == '\0' : is_blank(copy)) &&
	    (types[f->type].blank_is_null ||
	    ((f->type == TEXT || f->type == LOOSE || f->type == CHOICE) &&
	    strcmp(copy, "null") != 0));
	return (*null && (types[f->type].blank_is_null || f->type == CHOICE)) ||
	    types[f->type].check(f, copy);
}

/* A number's text, as it stands in the body. */
static bool
check_number(const struct field *f, const struct json *j, unsigned node)
{
	char copy[72];
	size_t length = j->nodes[node].end - j->nodes[node].start;
	int64_t n;

	if (f->type == FLAG)
		return true;
	if (length >= sizeof copy)
		return false;
	memcpy(copy, j->text + j->nodes[node].start, length);
	copy[length] = '\0';
	if (f->type == LOOSE)
		return is_loose(f, copy);
	if (f->type == INTEGER && !json_integer(j, node, &n)) {
		/* 45.0 and 45.7 count as 45, as they did; 1.5e3 is not 1. */
		if (strpbrk(copy, "eE") != NULL)
			return false;
		copy[strcspn(copy, ".")] = '\0';
		return is_integer(f, copy);
	}
	return (f->type == INTEGER && is_integer(f, copy)) ||
	    (f->type == NUMBER && is_number(f, copy));
}

static bool
check_uuids(const struct field *f, const struct json *j, unsigned node)
{
	static const struct field one = { .type = UUID };
	bool null;

	if (f->max > 0 && j->nodes[node].count > (uint32_t)f->max)
		return false;
	for (unsigned i = node + 1; i < j->nodes[node].next;
	    i = j->nodes[i].next)
		if (j->nodes[i].kind != JSON_STRING ||
		    !check_string(&one, j, i, &null) || null)
			return false;
	return true;
}

static bool
check_objects(const struct field *f, const struct json *j, unsigned node,
    const struct field **bad)
{
	bool missing;

	if (f->max > 0 && j->nodes[node].count > (uint32_t)f->max)
		return false;
	for (unsigned i = node + 1; i < j->nodes[node].next;
	    i = j->nodes[i].next)
		if (j->nodes[i].kind != JSON_OBJECT ||
		    !field_check_object(f->members, j, i, bad, &missing))
			return false;
	return true;
}

static bool
check_value(const struct field *f, const struct json *j, unsigned node,
    bool *null, const struct field **bad)
{
	*null = false;
	if (f->type == TEXT && f->flags & REQUIRED &&
	    json_is_nothing(j, node)) {
		*null = true;
		return true;
	}
	switch (j->nodes[node].kind) {
	case JSON_NULL:
		*null = true;
		return !(f->flags & NOT_NULL);
	case JSON_TRUE:
	case JSON_FALSE:
		return f->type == BOOLEAN || f->type == FLAG ||
		    f->type == LOOSE;
	case JSON_NUMBER:
		return check_number(f, j, node);
	case JSON_STRING:
		return check_string(f, j, node, null);
	case JSON_ARRAY:
		return (f->type == UUIDS && check_uuids(f, j, node)) ||
		    (f->type == OBJECTS && check_objects(f, j, node, bad));
	default:
		return f->type == OBJECT;
	}
}

bool
field_check_object(const struct field *fields, const struct json *j,
    unsigned object, const struct field **bad, bool *missing)
{
	*missing = false;
	for (const struct field *f = fields; f != NULL && f->name != NULL;
	    f++) {
		int node;
		bool null = true, fine;

		if (f->source != BODY)
			continue;
		node = json_member(j, object, f->name);
		*bad = f;
		fine = node < 0 ||
		    check_value(f, j, (unsigned)node, &null, bad);
		/* A blank one is missing, though it is too short as well. */
		*missing = null && f->flags & REQUIRED;
		if (!fine || *missing)
			return false;
	}
	return true;
}
