#include "json_scan.h"

#include <string.h>

#include "utf8.h"

static const char *
digits(const char *p, const char *end)
{
	const char *begin = p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p > begin ? p : NULL;
}

const char *
json_scan_number(const char *p, const char *end)
{
	if (p < end && *p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else if ((p = digits(p, end)) == NULL)
		return NULL;
	if (p < end && *p == '.' && (p = digits(p + 1, end)) == NULL)
		return NULL;
	if (p == end || (*p != 'e' && *p != 'E'))
		return p;
	p++;
	if (p < end && (*p == '+' || *p == '-'))
		p++;
	return digits(p, end);
}

/* The four digits of a \u escape; -1 when they are none. */
static int
hex(const char *p, const char *end)
{
	int value = 0, i, c;

	if (end - p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		c = (unsigned char)p[i];
		if (c >= '0' && c <= '9')
			c -= '0';
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			c = (c | 32) - 'a' + 10;
		else
			return -1;
		value = value * 16 + c;
	}
	return value;
}

/* Behind a \u escape, of which p is behind the u. */
static const char *
unicode(const char *p, const char *end, enum json_fault *fault)
{
	int unit = hex(p, end);

	*fault = unit == 0 ? JSON_NUL : JSON_SYNTAX;
	if (unit <= 0 || (unit & 0xfc00) == 0xdc00)
		return NULL;
	p += 4;
	if ((unit & 0xfc00) != 0xd800)
		return p;
	/* the second half of a pair */
	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return NULL;
	unit = hex(p + 2, end);
	return unit != -1 && (unit & 0xfc00) == 0xdc00 ? p + 6 : NULL;
}

/* Behind an escape, of which p is behind the backslash. */
static const char *
escape(const char *p, const char *end, enum json_fault *fault)
{
	if (p < end && *p == 'u')
		return unicode(p + 1, end, fault);
	if (p < end && *p != '\0' && strchr("\"\\/bfnrt", *p) != NULL)
		return p + 1;
	*fault = JSON_SYNTAX;
	return NULL;
}

/* What neither ends a string nor needs a second look. */
static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

const char *
json_scan_string(const char *p, const char *end, bool *escaped,
    enum json_fault *fault)
{
	size_t length;

	while (p != NULL) {
		while (p < end && is_plain((unsigned char)*p))
			p++;
		if (p == end || (unsigned char)*p < 0x20) {
			*fault = JSON_SYNTAX;
			return NULL;
		}
		if (*p == '"')
			break;
		if (*p == '\\') {
			*escaped = true;
			p = escape(p + 1, end, fault);
			continue;
		}
		length = utf8_length(p, (size_t)(end - p));
		if (length == 0) {
			*fault = JSON_UTF8;
			return NULL;
		}
		p += length;
	}
	return p;
}
