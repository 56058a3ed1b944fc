/* reklamd: reads its words and its settings, checks, and runs the master. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "conf.h"
#include "log.h"
#include "master.h"
#include "workers_file.h"

#ifndef VERSION
#define VERSION "1"
#endif

enum task { RUN, CHECK, PRINT };

static int
print_help(FILE *out, int status)
{
	fputs("usage: reklamd [-f FILE] [-t | -T | -V | -h]\n\n"
	    "  -f FILE  settings, one NAME=value a line; the environment's "
	    "win\n"
	    "  -t       check settings, workers' list, statements and "
	    "database, then exit\n"
	    "  -T       print the settings as understood, then exit\n"
	    "  -V, -h   version, this help\n", out);
	return status;
}

/* Dates are the shop's: `today` and the log speak of the same day. */
static void
use_time_zone(void)
{
	setenv("TZ", conf.time_zone, 1);
	tzset();
}

/* Where one is closed, a socket would get its number, and then our lines. */
static void
fill_standard_descriptors(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
		;
	if (fd > STDERR_FILENO)
		close(fd);
}

/* Each connection is a descriptor; take as many as are allowed. */
static void
use_all_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/*
 * A start without the database is refused; -t only says it, and an upgrade in
 * place goes on.
 */
static void
check_all(enum task task)
{
	char why[1024];
	struct workers_file workers;
	bool reached, upgrade = getenv("REKLAM_HANDOVER") != NULL;

	if (!workers_file_read(conf.workers_file, &workers, why, sizeof why) ||
	    !check_settings(&workers, why, sizeof why))
		log_die("%s", why);
	if (upgrade || (check_database(&reached, why, sizeof why) &&
	    check_listener(&reached, why, sizeof why)))
		return;
	if (reached || task == RUN)
		log_die("%s", why);
	log_note(LOG_WARNING, "%s", why);
}

int
main(int argc, char **argv)
{
	const char *settings = NULL;
	enum task task = RUN;
	char why[1024];
	int option;

	fill_standard_descriptors();
	while ((option = getopt(argc, argv, "f:tTVh")) != -1)
		switch (option) {
		case 'f':
			settings = optarg;
			break;
		case 't':
			task = CHECK;
			break;
		case 'T':
			task = PRINT;
			break;
		case 'V':
			puts("reklamd " VERSION);
			return 0;
		case 'h':
			return print_help(stdout, 0);
		default:
			return print_help(stderr, 1);
		}
	if (optind < argc)
		return print_help(stderr, 1);
	if (!conf_read(settings, why, sizeof why))
		log_die("%s", why);
	log_open(conf.log_json, (enum log_level)conf.log_level);
	if (task == PRINT) {
		conf_print(stdout);
		return 0;
	}
	use_time_zone();
	check_all(task);
	if (task == CHECK) {
		puts("all is well");
		return 0;
	}
	use_all_descriptors();
	return master_run(settings, argv);
}
