/*
 * Names are looked up beside the loop.  A process has one string, so each fact
 * has a process; the resolver is one of ours.
 */
#include "unit.h"

#include <event2/event.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>

#include "resolve.h"

#define MS 1000000L

int __real_getaddrinfo(const char *, const char *, const struct addrinfo *,
    struct addrinfo **);
int __wrap_getaddrinfo(const char *, const char *, const struct addrinfo *,
    struct addrinfo **);

static _Atomic int lookups, takes_ms, fails;
static struct event_base *base;
static int told;			/* how often `done` was called */
static struct places last;

static const struct {
	const char *name, *addresses[3];
} names[] = {
	{ "one.example", { "192.0.2.1" } },
	{ "two.example", { "192.0.2.2", "2001:db8::2" } },
};

static void
wait_ms(int ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * MS }, NULL);
}

/* Any number of addresses as one answer. */
static int
answer(const char *const *addresses, size_t count, struct addrinfo **list)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST,
	    .ai_socktype = SOCK_STREAM };

	*list = NULL;
	for (size_t i = 0; i < count && addresses[i] != NULL; i++) {
		while (*list != NULL)
			list = &(*list)->ai_next;
		if (__real_getaddrinfo(addresses[i], NULL, &hints, list) != 0)
			return EAI_FAIL;
	}
	return 0;
}

int
__wrap_getaddrinfo(const char *host, const char *service,
    const struct addrinfo *hints, struct addrinfo **list)
{
	const char *many[20];

	if (hints->ai_flags & AI_NUMERICHOST)
		return __real_getaddrinfo(host, service, hints, list);
	lookups++;
	wait_ms(takes_ms);
	for (size_t i = 0; i < COUNT(names) && !fails; i++)
		if (strcmp(names[i].name, host) == 0)
			return answer(names[i].addresses, 3, list);
	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = "192.0.2.3";
	return strcmp(host, "many.example") == 0 && !fails ?
	    answer(many, COUNT(many), list) : EAI_NONAME;
}

static void
done(struct resolve *r, const struct places *found)
{
	(void)r;
	told++;
	last = *found;
}

static void
start(struct resolve *r, const char *url)
{
	r->done = done;
	resolve_start(base, url, r);
}

static void
on_time(int fd, short what, void *count)
{
	(void)fd, (void)what;
	++*(int *)count;
}

/* The loop for so long; how often a timer of 10 ms rang. */
static int
loop_ms(int ms)
{
	int rung = 0;
	struct event *timer = event_new(base, -1, EV_PERSIST, on_time, &rung);

	event_add(timer, &(struct timeval){ 0, 10000 });
	event_base_loopexit(base, &(struct timeval){ ms / 1000,
	    ms % 1000 * 1000 });
	event_base_dispatch(base);
	event_free(timer);
	return rung;
}

static bool
is_at(unsigned i, const char *host, const char *address, const char *port)
{
	return i < last.count && strcmp(last.at[i].host, host) == 0 &&
	    strcmp(last.at[i].address, address) == 0 &&
	    strcmp(last.at[i].port, port) == 0;
}

/* Each of these is true in a process of its own. */
static void
in_a_process(bool (*fact)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		base = event_base_new();
		_exit(fact() ? 0 : 1);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	assert_int_equal(status, 0);
}

static bool
directory(void)
{
	struct resolve r;

	start(&r, "postgresql:///x?host=/run/pg");
	return told == 1 && last.count == 1 && is_at(0, "/run/pg", "", "");
}

static bool
address(void)
{
	struct resolve r;

	start(&r, "postgresql://192.0.2.7:5433/x");
	return told == 1 && last.count == 1 &&
	    is_at(0, "192.0.2.7", "192.0.2.7", "5433");
}

static bool
hostaddr(void)
{
	struct resolve r;

	start(&r, "host=one.example hostaddr=192.0.2.8");
	return told == 1 && last.count == 1 && lookups == 0 &&
	    is_at(0, "one.example", "192.0.2.8", "");
}

FACT(what_is_no_name_is_not_looked_up)
{
	in_a_process(directory);
	in_a_process(address);
	in_a_process(hostaddr);
}

static bool
order(void)
{
	struct resolve r;

	start(&r, "postgresql://two.example:1,192.0.2.5:2,"
	    "one.example:3/x");
	if (told != 0)
		return false;
	loop_ms(200);
	return told == 1 && last.count == 4 && lookups == 2 &&
	    is_at(0, "two.example", "192.0.2.2", "1") &&
	    is_at(1, "two.example", "2001:db8::2", "1") &&
	    is_at(2, "192.0.2.5", "192.0.2.5", "2") &&
	    is_at(3, "one.example", "192.0.2.1", "3");
}

static bool
environment(void)
{
	struct resolve r;

	setenv("PGHOST", "one.example", 1);
	start(&r, "postgresql:///x");
	loop_ms(200);
	return told == 1 && is_at(0, "one.example", "192.0.2.1", "");
}

static bool
many(void)
{
	struct resolve r;

	start(&r, "postgresql://many.example,192.0.2.5/x");
	loop_ms(200);
	return told == 1 && last.count == RESOLVE_MOST;
}

FACT(each_name_stands_beside_its_addresses_in_their_order)
{
	in_a_process(order);
	in_a_process(environment);
	in_a_process(many);
}

static bool
slow(void)
{
	struct resolve r;
	int rung;

	takes_ms = 400;
	start(&r, "postgresql://one.example/x");
	rung = loop_ms(200);
	if (told != 0 || rung < 5)
		return false;
	loop_ms(600);
	return told == 1 && is_at(0, "one.example", "192.0.2.1", "");
}

FACT(the_loop_goes_on_while_the_resolver_is_silent)
{
	in_a_process(slow);
}

static bool
at_once(void)
{
	struct resolve r[5];

	takes_ms = 100;
	for (int i = 0; i < 4; i++)
		start(&r[i], "postgresql://one.example/x");
	loop_ms(400);
	start(&r[4], NULL);	/* it is fresh */
	return told == 5 && lookups == 1;
}

FACT(one_lookup_serves_all_who_ask_meanwhile)
{
	in_a_process(at_once);
}

/* The first waits for it, others no longer. */
static bool
silent(void)
{
	struct resolve r[3];

	start(&r[0], "postgresql://one.example/x");
	loop_ms(1200);
	takes_ms = 600;
	start(&r[1], NULL);
	loop_ms(200);
	if (told != 1)
		return false;
	start(&r[2], NULL);
	if (told != 2 || !is_at(0, "one.example", "192.0.2.1", ""))
		return false;
	loop_ms(800);
	return told == 3 && lookups == 2;
}

static bool
failing(void)
{
	struct resolve r[2];

	start(&r[0], "postgresql://one.example/x");
	loop_ms(1200);
	fails = 1;
	start(&r[1], NULL);
	loop_ms(200);
	return told == 2 && lookups == 2 &&
	    is_at(0, "one.example", "192.0.2.1", "");
}

FACT(what_was_found_last_is_used_while_nothing_is_found)
{
	in_a_process(silent);
	in_a_process(failing);
}

/* And the next who asks has it looked up again. */
static bool
nothing(void)
{
	struct resolve r;

	fails = 1;
	start(&r, "postgresql://one.example/x");
	loop_ms(200);
	if (told != 1 || last.count != 0)
		return false;
	fails = 0;
	start(&r, NULL);
	loop_ms(200);
	return told == 2 && last.count == 1 && lookups == 2;
}

FACT(a_name_that_nobody_knows_has_no_place)
{
	in_a_process(nothing);
}

static bool
canceled(void)
{
	struct resolve r[2];

	start(&r[0], "postgresql://one.example/x");
	start(&r[1], NULL);
	resolve_cancel(&r[0]);
	resolve_cancel(&r[0]);
	loop_ms(200);
	return told == 1 && lookups == 1;
}

FACT(who_has_gone_is_not_told)
{
	in_a_process(canceled);
}

RUN(T(what_is_no_name_is_not_looked_up),
    T(each_name_stands_beside_its_addresses_in_their_order),
    T(the_loop_goes_on_while_the_resolver_is_silent),
    T(one_lookup_serves_all_who_ask_meanwhile),
    T(what_was_found_last_is_used_while_nothing_is_found),
    T(a_name_that_nobody_knows_has_no_place), T(who_has_gone_is_not_told))
