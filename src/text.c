/*
 * The table of texts: name, English, Turkish.  {1}, {2} … stand for what the
 * caller gives after the name.  The Turkish is the wire contract's, to the
 * letter; SQL returns and raises the names.
 */
#include "text.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "utf8.h"

const struct text texts[] = {
/* --- of the program itself --- */
	{ "internal_error", { "Something went wrong",
	    "Bir hata oluştu" } },

/* --- auth --- */

/* --- customers and dealers --- */

/* --- dashboard --- */

/* --- health --- */

/* --- jobs, steps, notes, revisions, timeline --- */

/* --- machines --- */

/* --- notifications --- */

/* --- permissions --- */

/* --- processes and groups --- */

/* --- roles --- */

/* --- tasks --- */

/* --- user-roles --- */

/* --- users --- */
};

const size_t texts_count = sizeof texts / sizeof *texts;

static const struct text *
row(const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < texts_count; i++)
		if (strncmp(texts[i].name, name, length) == 0 &&
		    texts[i].name[length] == '\0')
			return &texts[i];
	return NULL;
}

const char *
text_find(const char *name, enum language language)
{
	const struct text *text = row(name, strlen(name));

	return text ? text->in[language] : NULL;
}

/* What stands for {number}: the part of `call` behind its number-th bar. */
static const char *
argument(const char *call, int number, size_t *length)
{
	while (number-- > 0) {
		call += strcspn(call, "|");
		if (*call == '\0')
			break;
		call++;
	}
	*length = strcspn(call, "|");
	return call;
}

static bool
is_mark(const char *p)
{
	return p[0] == '{' && p[1] >= '1' && p[1] <= '9' && p[2] == '}';
}

static size_t
append(char *out, size_t used, size_t size, const char *bytes, size_t n)
{
	if (n > size - used)
		n = size - used;
	memcpy(out + used, bytes, n);
	return used + n;
}

size_t
text_format(char *out, size_t size, const char *call, enum language language)
{
	const struct text *text = row(call, strcspn(call, "|"));
	const char *p, *bytes;
	size_t used = 0, n;

	if (size == 0)
		return 0;
	p = text ? text->in[language] : text_find("internal_error", language);
	while (*p != '\0' && used < size) {
		if (is_mark(p)) {
			bytes = argument(call, p[1] - '0', &n);
			p += 3;
		} else {
			bytes = p;
			n = strcspn(p + 1, "{") + 1;
			p += n;
		}
		used = append(out, used, size, bytes, n);
	}
	if (used == size)
		used = utf8_cut(out, size - 1);
	out[used] = '\0';
	return used;
}

static const char *const tags[LANGUAGES] = { "en", "tr" };

/* A q-value in thousandths; -1 when it is none (RFC 9110, 12.4.2). */
static int
quality(const char *p, size_t length)
{
	static const int weight[] = { 1000, 0, 100, 10, 1 };
	int q = 0;
	size_t i;

	if (length == 0 || length > 5 || (p[0] != '0' && p[0] != '1') ||
	    (length > 1 && p[1] != '.'))
		return -1;
	for (i = 0; i < length; i++) {
		if (i == 1)
			continue;
		if (p[i] < '0' || p[i] > '9')
			return -1;
		q += (p[i] - '0') * weight[i];
	}
	return q <= 1000 ? q : -1;
}

/* The quality that one element, "tr-TR;q=0.9", gives its tag. */
static int
element_quality(const char *tag, size_t tag_length, size_t length)
{
	const char *p = tag + tag_length, *end = tag + length;

	p += strspn(p, " \t");
	if (p >= end)
		return 1000;
	if (*p++ != ';')
		return -1;
	p += strspn(p, " \t");
	if (strncasecmp(p, "q=", 2) != 0)
		return -1;
	p += 2;
	return quality(p, strcspn(p, " \t,"));
}

/* Whether "tr-TR" speaks of "tr". */
static bool
speaks_of(const char *tag, size_t length, const char *language)
{
	size_t n = strlen(language);

	return length >= n && strncasecmp(tag, language, n) == 0 &&
	    (length == n || tag[n] == '-');
}

enum language
text_accepted(const char *header, enum language fallback)
{
	int best[LANGUAGES] = { -1, -1 }, others = -1, q, l;
	enum language first = fallback, other;
	size_t n, tag;

	for (; header != NULL && *header != '\0'; header += n) {
		header += strspn(header, " \t,");
		n = strcspn(header, ",");
		tag = strcspn(header, " \t;,");
		q = element_quality(header, tag, n);
		if (tag == 1 && *header == '*')
			others = q;
		for (l = 0; l < LANGUAGES; l++)
			if (q > best[l] && speaks_of(header, tag, tags[l])) {
				if (best[ENGLISH] == -1 && best[TURKISH] == -1)
					first = (enum language)l;
				best[l] = q;
			}
	}
	for (l = 0; l < LANGUAGES; l++)
		if (best[l] == -1)
			best[l] = others;
	other = first == ENGLISH ? TURKISH : ENGLISH;
	if (best[first] <= 0 && best[other] <= 0)
		return fallback;
	return best[other] > best[first] ? other : first;
}
