/* The list of workers. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "workers_file.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct workers_file workers;
	char path[40], why[300] = "";
	int fd = memfd_create("workers", MFD_CLOEXEC);
	size_t i;

	MUST(fd != -1 && write(fd, bytes, size) == (ssize_t)size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (workers_file_read(path, &workers, why, sizeof why)) {
		MUST(workers.count >= 1 && workers.count <= WORKERS_MAX);
		for (i = 0; i < workers.count; i++)
			MUST(workers.path[i][0] == '/' &&
			    strlen(workers.path[i]) < WORKERS_PATH_MAX);
	} else {
		MUST(why[0] != '\0');
	}
	close(fd);
	return 0;
}
