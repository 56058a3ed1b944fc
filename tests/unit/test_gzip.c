/* The compressed form: now for what is small, by the helper for the rest. */
#include "unit.h"

#include <event2/event.h>
#include <sys/eventfd.h>
#include <zlib.h>

#include "gzip.h"

#define SMALL 2000
#define LARGE 300000

/* What is to fail, once: the name of a call, or NULL. */
static const char *failing;

static bool
fails(const char *call)
{
	if (failing == NULL || strcmp(failing, call) != 0)
		return false;
	failing = NULL;
	return true;
}

int __real_deflateInit2_(z_streamp, int, int, int, int, int, const char *,
    int);
int __wrap_deflateInit2_(z_streamp, int, int, int, int, int, const char *,
    int);
int
__wrap_deflateInit2_(z_streamp z, int level, int method, int window,
    int memory, int strategy, const char *version, int size)
{
	return fails("deflateInit2") ? Z_MEM_ERROR : __real_deflateInit2_(z,
	    level, method, window, memory, strategy, version, size);
}

int __real_deflate(z_streamp, int);
int __wrap_deflate(z_streamp, int);
int
__wrap_deflate(z_streamp z, int flush)
{
	return fails("deflate") ? Z_STREAM_ERROR : __real_deflate(z, flush);
}

int __real_eventfd(unsigned, int);
int __wrap_eventfd(unsigned, int);
int
__wrap_eventfd(unsigned value, int flags)
{
	return fails("eventfd") ? -1 : __real_eventfd(value, flags);
}

void *__real_malloc(size_t);
void *__wrap_malloc(size_t);
void *
__wrap_malloc(size_t size)
{
	return fails("malloc") ? NULL : __real_malloc(size);
}

struct event *__real_event_new(struct event_base *, evutil_socket_t, short,
    event_callback_fn, void *);
struct event *__wrap_event_new(struct event_base *, evutil_socket_t, short,
    event_callback_fn, void *);
struct event *
__wrap_event_new(struct event_base *b, evutil_socket_t fd, short what,
    event_callback_fn call, void *context)
{
	return fails("event_new") ? NULL : __real_event_new(b, fd, what, call,
	    context);
}

static char text[LARGE];
static struct event_base *base;
static int told;
static bool right;

/* Is it gzip of the first `wanted` bytes of the text? */
static bool
is_text(const char *bytes, size_t length, size_t wanted)
{
	static char out[LARGE + 1];
	z_stream z = { .next_in = (Bytef *)(uintptr_t)bytes,
	    .avail_in = (uInt)length, .next_out = (Bytef *)out,
	    .avail_out = sizeof out };
	bool ended;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return false;
	ended = inflate(&z, Z_FINISH) == Z_STREAM_END;
	inflateEnd(&z);
	return ended && z.total_out == wanted &&
	    memcmp(out, text, wanted) == 0;
}

static void
on_made(void *context, const char *bytes, size_t length)
{
	size_t wanted = *(size_t *)context;

	told++;
	right = bytes != NULL && is_text(bytes, length, wanted);
}

static bool
make(size_t length)
{
	static size_t wanted;

	told = 0;
	right = false;
	wanted = length;
	return gzip_make(text, length, on_made, &wanted);
}

static int
opened(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)('a' + (i * i / 7) % 26);
	base = event_base_new();
	return base != NULL && gzip_open(base) ? 0 : -1;
}

FACT(a_small_one_is_made_at_once)
{
	assert_true(make(SMALL));
	assert_int_equal(told, 1);
	assert_true(right);
}

FACT(a_large_one_comes_by_the_loop_one_at_a_time)
{
	static size_t other = SMALL;

	for (int i = 0; i < 3; i++) {
		assert_true(make(LARGE - (size_t)i));
		assert_int_equal(told, 0);
		/* Another large one is not waited for; a small one need not. */
		assert_false(gzip_make(text, LARGE, on_made, &other));
		assert_true(gzip_make(text, SMALL, on_made, &other));
		assert_int_equal(told, 1);
		event_base_loop(base, EVLOOP_ONCE);
		assert_int_equal(told, 2);
		assert_true(right);
	}
}

FACT(one_that_cannot_be_made_is_told_and_the_next_is_made)
{
	static const char *const calls[] = { "deflateInit2", "deflate" };
	static const size_t sizes[] = { SMALL, LARGE };

	failing = "malloc";
	assert_true(make(SMALL));
	assert_false(right);
	failing = "malloc";
	assert_false(make(LARGE));	/* there is no room for a copy of it */
	assert_int_equal(told, 0);

	for (size_t i = 0; i < COUNT(calls); i++)
		for (size_t j = 0; j < COUNT(sizes); j++) {
			failing = calls[i];
			assert_true(make(sizes[j]));
			if (sizes[j] == LARGE)
				event_base_loop(base, EVLOOP_ONCE);
			assert_null(failing);
			assert_int_equal(told, 1);
			assert_false(right);
			assert_true(make(sizes[j]));
			if (sizes[j] == LARGE)
				event_base_loop(base, EVLOOP_ONCE);
			assert_true(right);
		}
}

/* The last one: it leaves the helper's descriptors behind. */
FACT(without_descriptors_or_memory_it_does_not_begin)
{
	failing = "eventfd";
	assert_false(gzip_open(base));
	failing = "event_new";
	assert_false(gzip_open(base));
}

int
main(void)
{
	const struct CMUnitTest facts[] = {
		T(a_small_one_is_made_at_once),
		T(a_large_one_comes_by_the_loop_one_at_a_time),
		T(one_that_cannot_be_made_is_told_and_the_next_is_made),
		T(without_descriptors_or_memory_it_does_not_begin),
	};

	return cmocka_run_group_tests(facts, opened, NULL);
}
