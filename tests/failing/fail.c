/*
 * What our own code calls fails at the Nth time, as a page of memory says that
 * the test shares with the process it means (REKLAM_FAIL names its file).
 */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

/* As tests/test_failing.py writes and reads it. */
static struct page {
	_Atomic int32_t pid;		/* in which process */
	_Atomic int32_t at;		/* the number of the call that fails */
	_Atomic int32_t calls;		/* so far */
	_Atomic int32_t look;		/* for leaks, at the next call */
	char failed[48];		/* the name of what did */
} *page;

/* Of the leak sanitizer, where there is one. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

__attribute__((constructor)) static void
open_page(void)
{
	const char *path = getenv("REKLAM_FAIL");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;

	if (fd == -1)
		return;
	page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	if (page == MAP_FAILED)
		page = NULL;
	close(fd);
}

static bool
fails(const char *name, int error)
{
	if (page == NULL || page->pid != getpid())
		return false;
	if (atomic_exchange(&page->look, 0) != 0 &&
	    __lsan_do_recoverable_leak_check != NULL)
		__lsan_do_recoverable_leak_check();
	if (atomic_fetch_add(&page->calls, 1) + 1 != page->at)
		return false;
	strcpy(page->failed, name);
	errno = error;
	return true;
}

#define FAILS(type, name, parameters, arguments, error, value) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters \
	{ \
		if (fails(#name, error)) \
			return value; \
		return __real_##name arguments; \
	}

FAILS(void *, malloc, (size_t n), (n), ENOMEM, NULL)
FAILS(void *, calloc, (size_t n, size_t m), (n, m), ENOMEM, NULL)
FAILS(void *, realloc, (void *p, size_t n), (p, n), ENOMEM, NULL)
FAILS(char *, strdup, (const char *s), (s), ENOMEM, NULL)
FAILS(char *, strndup, (const char *s, size_t n), (s, n), ENOMEM, NULL)
FAILS(FILE *, open_memstream, (char **p, size_t *n), (p, n), ENOMEM, NULL)

FAILS(int, accept4, (int fd, struct sockaddr *a, socklen_t *n, int flags),
    (fd, a, n, flags), EMFILE, -1)
FAILS(int, eventfd, (unsigned n, int flags), (n, flags), EMFILE, -1)
FAILS(int, pipe2, (int *fds, int flags), (fds, flags), EMFILE, -1)
FAILS(ssize_t, recv, (int fd, void *to, size_t n, int flags),
    (fd, to, n, flags), ECONNRESET, -1)
FAILS(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags),
    (fd, m, flags), ECONNRESET, -1)

FAILS(struct event *, event_new, (struct event_base *b, int fd, short what,
    event_callback_fn call, void *p), (b, fd, what, call, p), ENOMEM, NULL)
FAILS(int, event_add, (struct event *e, const struct timeval *t), (e, t),
    ENOMEM, -1)
FAILS(struct evbuffer *, evbuffer_new, (void), (), ENOMEM, NULL)
FAILS(int, evbuffer_add, (struct evbuffer *b, const void *p, size_t n),
    (b, p, n), ENOMEM, -1)
FAILS(int, FCGX_InitRequest, (FCGX_Request *r, int fd, int flags),
    (r, fd, flags), ENOMEM, -1)

FAILS(PGconn *, PQconnectStartParams, (const char *const *k,
    const char *const *v, int db), (k, v, db), ENOMEM, NULL)
FAILS(PostgresPollingStatusType, PQconnectPoll, (PGconn *c), (c), EIO,
    PGRES_POLLING_FAILED)
FAILS(int, PQsetnonblocking, (PGconn *c, int on), (c, on), EIO, -1)
FAILS(int, PQenterPipelineMode, (PGconn *c), (c), EIO, 0)
FAILS(int, PQpipelineSync, (PGconn *c), (c), ENOMEM, 0)
FAILS(int, PQflush, (PGconn *c), (c), EPIPE, -1)
FAILS(int, PQconsumeInput, (PGconn *c), (c), EPIPE, 0)
FAILS(int, PQsendPrepare, (PGconn *c, const char *name, const char *text,
    int n, const Oid *types), (c, name, text, n, types), ENOMEM, 0)
FAILS(int, PQsendQueryPrepared, (PGconn *c, const char *name, int n,
    const char *const *v, const int *lengths, const int *formats, int format),
    (c, name, n, v, lengths, formats, format), ENOMEM, 0)
FAILS(int, PQsendQueryParams, (PGconn *c, const char *text, int n,
    const Oid *types, const char *const *v, const int *lengths,
    const int *formats, int format),
    (c, text, n, types, v, lengths, formats, format), ENOMEM, 0)

FAILS(int, EVP_MAC_init, (EVP_MAC_CTX *c, const unsigned char *key, size_t n,
    const OSSL_PARAM *p), (c, key, n, p), ENOMEM, 0)
FAILS(int, EVP_MAC_update, (EVP_MAC_CTX *c, const unsigned char *p, size_t n),
    (c, p, n), ENOMEM, 0)
FAILS(int, EVP_MAC_final, (EVP_MAC_CTX *c, unsigned char *to, size_t *n,
    size_t size), (c, to, n, size), ENOMEM, 0)
FAILS(int, deflateInit2_, (z_streamp z, int level, int method, int bits,
    int memory, int strategy, const char *version, int size),
    (z, level, method, bits, memory, strategy, version, size), ENOMEM,
    Z_MEM_ERROR)
FAILS(int, deflate, (z_streamp z, int flush), (z, flush), ENOMEM,
    Z_STREAM_ERROR)

/* Those with a list of arguments; the second is the first's fortified form. */
int __wrap_asprintf(char **out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int
__wrap_asprintf(char **out, const char *format, ...)
{
	va_list list;
	int n = -1;

	va_start(list, format);
	if (!fails("asprintf", ENOMEM))
		n = vasprintf(out, format, list);
	va_end(list);
	return n;
}

int __wrap___asprintf_chk(char **out, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int
__wrap___asprintf_chk(char **out, int flag, const char *format, ...)
{
	va_list list;
	int n = -1;

	(void)flag;
	va_start(list, format);
	if (!fails("asprintf", ENOMEM))
		n = vasprintf(out, format, list);
	va_end(list);
	return n;
}
