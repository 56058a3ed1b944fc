/* reklamctl: what a sysadmin asks of reklam, a command a row. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "ctl.h"

#ifndef VERSION
#define VERSION "1"
#endif
#ifndef SETTINGS_FILE
#define SETTINGS_FILE "/etc/reklam/reklam.conf"
#endif

static const struct ctl_command commands[] = {
	{ "status", ctl_control, "",
	    "workers, requests, pool and cache of the running program" },
	{ "workers", ctl_control, "", "a line for each worker" },
	{ "pool", ctl_control, "", "connections to the database" },
	{ "cache", ctl_cache, "[clear [PREFIX]]",
	    "what the cache holds; or empty it, or a part" },
	{ "slow", ctl_control, "", "the statements that took the most time" },
	{ "reload", ctl_control, "",
	    "read settings and the workers file again" },
	{ "check", ctl_check, "[-d DIR]",
	    "whether settings, database and program are well" },
	{ "migrate", ctl_migrate, "[--dry-run] [-d DIR]",
	    "bring the database to this version" },
	{ "token", ctl_token, "--service NAME --days N [--right RIGHT]...",
	    "print a token for a program, like cron's" },
	{ "user", ctl_user, "add [-n FULL_NAME] [-r ROLE] [-d DIR] USERNAME "
	    "EMAIL\n"
	    "passwd USERNAME\ndeactivate USERNAME\nlist",
	    "people who may log in" },
};
#define COMMANDS (sizeof commands / sizeof *commands)

bool ctl_json;
static const char *settings_file;
static const struct ctl_command *running;

int
ctl_fail(const char *format, ...)
{
	va_list arguments;

	fputs("reklamctl: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	putc('\n', stderr);
	return CTL_FAILED;
}

/* A command's usage has a line for each of its forms. */
static void
print_usage(FILE *out, const struct ctl_command *c, const char *before)
{
	const char *line = c->usage;
	size_t n;

	for (; *line != '\0'; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		fprintf(out, "%s%s %.*s\n", before, c->name, (int)n, line);
	}
	if (*c->usage == '\0')
		fprintf(out, "%s%s\n", before, c->name);
}

int
ctl_usage(void)
{
	print_usage(stderr, running, "usage: reklamctl [-j] [-f FILE] ");
	return CTL_USAGE;
}

/* Where nothing says which shop is meant, it is the one of this machine. */
static const char *
settings(void)
{
	if (settings_file == NULL && getenv("DATABASE_URL") == NULL &&
	    getenv("CONTROL_SOCKET") == NULL &&
	    access(SETTINGS_FILE, F_OK) == 0)
		settings_file = SETTINGS_FILE;
	return settings_file;
}

bool
ctl_settings(bool secret)
{
	char why[1024];

	if (secret ? conf_read(settings(), why, sizeof why) :
	    conf_read_without_secret(settings(), why, sizeof why))
		return true;
	ctl_fail("%s", why);
	return false;
}

static int
print_help(FILE *out, int status)
{
	size_t i;

	fputs("usage: reklamctl [-j] [-f FILE] COMMAND ...\n\n"
	    "  -f FILE  settings, as for reklamd (" SETTINGS_FILE ")\n"
	    "  -j       JSON instead of tables\n"
	    "  -V, -h   version, this help\n", out);
	for (i = 0; i < COMMANDS; i++) {
		putc('\n', out);
		print_usage(out, &commands[i], "  ");
		fprintf(out, "      %s\n", commands[i].help);
	}
	return status;
}

static int
run(int argc, char **argv)
{
	size_t i;

	if (argc == 0)
		return print_help(stderr, CTL_USAGE);
	for (i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, argv[0]) == 0) {
			running = &commands[i];
			optind = 0;	/* getopt starts anew */
			return commands[i].run(argc, argv);
		}
	ctl_fail("no command is called \"%s\"", argv[0]);
	return CTL_USAGE;
}

int
main(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+f:jVh")) != -1) {
		switch (option) {
		case 'f':
			settings_file = optarg;
			break;
		case 'j':
			ctl_json = true;
			break;
		case 'V':
			puts("reklamctl " VERSION);
			return CTL_DONE;
		case 'h':
			return print_help(stdout, CTL_DONE);
		default:
			return print_help(stderr, CTL_USAGE);
		}
	}
	return run(argc - optind, argv + optind);
}
