/* A file of settings, as systemd would read it too. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "conf.h"
#include "log.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char path[40], why[1000] = "", *printed = NULL;
	int fd = memfd_create("settings", MFD_CLOEXEC);
	size_t length;
	FILE *out;

	log_open(false, LOG_ERROR);
	MUST(fd != -1 && write(fd, bytes, size) == (ssize_t)size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (conf_read_without_secret(path, why, sizeof why)) {
		MUST(conf.pool_min >= 1 && conf.pool_min <= conf.pool_max);
		MUST(conf.database_url != NULL && conf.listen_url != NULL);
		MUST((out = open_memstream(&printed, &length)) != NULL);
		conf_print(out);
		fclose(out);
		free(printed);
		conf_ttl("get_jobs", 300);
	} else {
		MUST(why[0] != '\0');
	}
	close(fd);
	return 0;
}
