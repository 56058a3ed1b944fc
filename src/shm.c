/*
 * One memfd, mapped once by the master before it forks, so that a pointer
 * into it means the same in every process.  Its first page tells what it is;
 * the rest is handed out in the order of the calls.  It has no name in any
 * file system: when the last process is gone, so is the memory.
 */
#include "shm.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define MAGIC UINT64_C(0x72656b6c616d6831)	/* "reklamh1" */

struct first_page {
	uint64_t magic;
	uint64_t layout;
	uint64_t boot;
	uint64_t bytes;
};

static struct first_page *first;
static size_t mapped, taken;
static int memory = -1;
static bool inherited;

static bool
is_ours(int fd, size_t bytes, uint64_t layout)
{
	struct first_page page;
	struct stat st;

	return fstat(fd, &st) == 0 && (size_t)st.st_size == bytes &&
	    pread(fd, &page, sizeof page, 0) == (ssize_t)sizeof page &&
	    page.magic == MAGIC && page.layout == layout &&
	    page.bytes == bytes;
}

static uint64_t
random_boot(void)
{
	uint64_t boot = 0;

	while (boot == 0)
		if (getrandom(&boot, sizeof boot, 0) != sizeof boot)
			boot = (uint64_t)shm_now_us() ^ (uint64_t)getpid();
	return boot;
}

bool
shm_open_memory(int fd, size_t bytes, uint64_t layout)
{
	bytes = (bytes + 2 * PAGE - 1) / PAGE * PAGE;
	inherited = fd >= 0 && is_ours(fd, bytes, layout);
	if (fd >= 0 && !inherited)
		close(fd);
	if (!inherited) {
		if ((fd = memfd_create("reklam", MFD_CLOEXEC)) == -1)
			return false;
		if (ftruncate(fd, (off_t)bytes) == -1)
			return false;
	} else if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
		return false;
	first = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (first == MAP_FAILED)
		return false;
	memory = fd;
	mapped = bytes;
	taken = PAGE;
	if (!inherited)
		*first = (struct first_page){ MAGIC, layout, random_boot(),
		    bytes };
	return true;
}

bool
shm_inherited(void)
{
	return inherited;
}

int
shm_descriptor(void)
{
	return memory;
}

void *
shm_take(size_t bytes)
{
	void *part = (char *)first + taken;

	bytes = (bytes + PAGE - 1) / PAGE * PAGE;
	if (bytes > mapped - taken)
		return NULL;
	taken += bytes;
	return part;
}

uint64_t
shm_boot(void)
{
	return first->boot;
}

static int64_t
now(clockid_t clock, int64_t per_second)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * per_second + t.tv_nsec / (1000000000 / per_second);
}

int64_t
shm_now_ms(void)
{
	return now(CLOCK_MONOTONIC, 1000);
}

int64_t
shm_now_us(void)
{
	return now(CLOCK_MONOTONIC, 1000000);
}
