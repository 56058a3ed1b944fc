/*
 * A tool of the build: prints reklam-api(7) from the tables that route and
 * check, so that the manual cannot be behind.
 */
#include <stdio.h>
#include <string.h>

#include "match.h"
#include "routes.h"

static const char *const type_names[] = {
	[TEXT] = "text", [LOOSE] = "text or number", [UUID] = "uuid",
	[INTEGER] = "integer", [NUMBER] = "number", [BOOLEAN] = "boolean",
	[FLAG] = "flag", [DATE] = "date", [TIME] = "time",
	[TIMESTAMP] = "date, or date and time", [CHOICE] = "one of",
	[CHOICES] = "some of", [UUIDS] = "list of uuids",
	[OBJECT] = "object", [OBJECTS] = "list of objects"
};

static const char *const source_names[] = {
	[PATH] = "path", [QUERY] = "query", [BODY] = "body"
};

/* A hyphen that is one, and no line that begins like a macro. */
static void
print_text(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '-')
			fputs("\\-", stdout);
		else
			putchar(*text);
}

static void
print_limits(const struct field *f)
{
	if (f->choices != NULL) {
		putchar(' ');
		print_text(f->choices);
	}
	if (f->min == 0 && f->max == 0)
		return;
	if (f->type == TEXT && f->max == 0)
		printf(", at least %lld characters", f->min);
	else if (f->type == TEXT)
		printf(", %lld to %lld characters", f->min, f->max);
	else if (f->type == INTEGER || f->type == NUMBER)
		printf(", %lld to %lld", f->min, f->max);
	else
		printf(", at most %lld", f->max);
}

static void
print_fields(const struct field *fields, const char *indent)
{
	for (const struct field *f = fields; f->name != NULL; f++) {
		printf(".br\n%s\\(bu ", indent);
		print_text(f->name);
		printf(" (%s): %s", source_names[f->source],
		    type_names[f->type]);
		print_limits(f);
		if (f->flags & REQUIRED)
			printf(", required");
		if (f->fallback != NULL) {
			printf(", else ");
			print_text(f->fallback);
		}
		printf("\n");
		if (f->members != NULL)
			print_fields(f->members, "\\ \\ ");
	}
}

static void
print_route(const struct route *r)
{
	printf(".It ");
	printf("%s ", match_method_name(r->method));
	print_text(r->path);
	printf("\n");
	print_text(r->help);
	printf(".\n.br\nFor: ");
	print_text(r->access);
	if (r->cache != NULL) {
		printf("; from memory for %d s at most, cleared as ", r->ttl);
		print_text(r->cache);
	}
	printf(".\n");
	if (r->fields != NULL)
		print_fields(r->fields, "");
}

static void
print_head(void)
{
	puts(".Dd November 24, 2026\n.Dt REKLAM-API 7\n.Os\n"
	    ".Sh NAME\n.Nm reklam-api\n.Nd the HTTP interface of reklam\n"
	    ".Sh DESCRIPTION\n"
	    "Every endpoint of\n.Xr reklamd 8 ,\n"
	    "made from the tables by which it routes and checks.\n"
	    "The same as OpenAPI 3.1 is at\n.Pa /api/openapi.json .\n.Pp\n"
	    "A request carries\n.Ql Authorization: Bearer TOKEN ,\n"
	    "where the token comes from\n.Ql POST /api/auth/login\n"
	    "or, for a program, from\n.Xr reklamctl 8 .\n"
	    "Bodies and answers are JSON.\n"
	    "A refusal is\n.Ql {\\(dqerror\\(dq: words, \\(dqfield\\(dq: name}\n"
	    "with a status of 400 (a value), 401 (the token), 403 (the right),"
	    "\n404, 409 (the present state), 429 (too many attempts) or 503 "
	    "(busy, or\nwithout the database: try again after\n"
	    ".Ql Retry-After ) .\n"
	    "Words are Turkish or English, as\n.Ql Accept-Language\nasks.\n"
	    ".Pp\nAnswers to\n.Ql GET\nhave an\n.Ql ETag ;\nsent back in\n"
	    ".Ql If-None-Match ,\nit saves the body.\n.Ql X-Cache\n"
	    "tells whether an answer came from memory.\n"
	    "Lists take\n.Ql limit\nand\n.Ql offset\nand tell their whole "
	    "length in\n.Ql X-Total-Count .\n.Pp\n"
	    "Who may:\n.Cm public\nis anybody,\n.Cm token\nwhoever has logged "
	    "in,\n.Cm manager\nan active role\n.Ql yonetici ,\n.Cm loopback\n"
	    "who asks on the same machine, and a name like\n.Cm jobs.view\n"
	    "whoever has that right; managers have all.\n"
	    ".Sh ENDPOINTS\n.Bl -tag -width Ds");
}

int
main(void)
{
	print_head();
	for (size_t i = 0; i < routes_count; i++)
		print_route(&routes[i]);
	puts(".El\n.Sh SEE ALSO\n.Xr reklam.conf 5 ,\n.Xr reklamctl 8 ,\n"
	    ".Xr reklamd 8");
	return 0;
}
