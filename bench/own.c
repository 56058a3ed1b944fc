/*
 * Loaded before a worker's libraries: how long it is at a request itself, from
 * libfcgi's having read it to the sending of its answer, token and all.  What
 * libfcgi, the loop and the kernel take is not in it.  OWN_PAGE names the file
 * where limits.py reads it.
 */
#include <dlfcn.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct page {
	_Atomic uint64_t requests, ns;
};

static struct page *page;
static uint64_t began;			/* 0: no request is being answered */
static int (*next_accept)(FCGX_Request *);
static ssize_t (*next_sendmsg)(int, const struct msghdr *, int);

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

__attribute__((constructor)) static void
open_page(void)
{
	const char *path = getenv("OWN_PAGE");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;

	next_accept = dlsym(RTLD_NEXT, "FCGX_Accept_r");
	next_sendmsg = dlsym(RTLD_NEXT, "sendmsg");
	if (fd == -1)
		return;
	page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	if (page == MAP_FAILED)
		page = NULL;
	close(fd);
}

int
FCGX_Accept_r(FCGX_Request *request)
{
	int failed = next_accept(request);

	began = failed || page == NULL ? 0 : now();
	return failed;
}

ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
	if (began != 0) {
		atomic_fetch_add(&page->ns, now() - began);
		atomic_fetch_add(&page->requests, 1);
		began = 0;
	}
	return next_sendmsg(fd, message, flags);
}
