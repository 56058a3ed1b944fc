/*
 * libpq would look names up itself, and the loop would stand still for as long
 * as the resolver is silent.  So a thread of its own does, one lookup of all
 * names at a time, and libpq is given addresses.  The thread gets a copy of the
 * list and gives it back through a pipe; it shares nothing else.
 *
 * While a lookup does not end, or fails, the addresses found last are used.
 */
#include "resolve.h"

#include <event2/event.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "shm.h"

#define FRESH_MS 1000		/* one lookup serves all who ask meanwhile */
#define SILENT_MS 100		/* then what was found last is used */

static LIST_HEAD(, resolve) waiting = LIST_HEAD_INITIALIZER(waiting);
static struct places asked, found;	/* with names; with addresses */
static bool has_names;
static int64_t found_ms, started_ms;
static bool running;
static int ends[2] = { -1, -1 };
static struct event *readable;

/* --- the string --- */

/* The next of a list separated by commas; the last one serves the rest. */
static void
next_word(const char **list, char *out, size_t size)
{
	size_t length = strcspn(*list, ",");

	snprintf(out, size, "%.*s", (int)length, *list);
	if ((*list)[length] == ',')
		*list += length + 1;
}

static const PQconninfoOption *
find(const PQconninfoOption *options, const char *word)
{
	while (options != NULL && options->keyword != NULL &&
	    strcmp(options->keyword, word) != 0)
		options++;
	return options;
}

static const char *
option(const PQconninfoOption *options, const char *word)
{
	options = find(options, word);
	return options != NULL && options->val != NULL ? options->val : "";
}

/* What libpq takes where a list says nothing. */
static const char *
compiled(const PQconninfoOption *options, const char *word)
{
	options = find(options, word);
	return options != NULL && options->compiled != NULL ?
	    options->compiled : "";
}

static unsigned
words_in(const char *list)
{
	unsigned n = 1;

	for (; *list != '\0'; list++)
		n += *list == ',';
	return n;
}

/* A socket's directory and an address need no lookup. */
static bool
is_name(struct place *p)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST }, *list;

	if (p->address[0] != '\0' || p->host[0] == '\0' ||
	    p->host[0] == '/' || p->host[0] == '@')
		return false;
	if (getaddrinfo(p->host, NULL, &hints, &list) != 0)
		return true;
	freeaddrinfo(list);
	snprintf(p->address, sizeof p->address, "%.63s", p->host);
	return false;
}

/* What the string says itself, else what libpq's environment does. */
static void
read_string(const char *url)
{
	PQconninfoOption *own = PQconninfoParse(url, NULL);
	PQconninfoOption *others = PQconndefaults();
	const char *hosts = option(own, "host");
	const char *addresses = option(own, "hostaddr");
	const char *ports = option(own, "port");
	unsigned count;

	if (*hosts == '\0' && *addresses == '\0') {
		hosts = option(others, "host");
		addresses = option(others, "hostaddr");
	}
	count = words_in(*addresses != '\0' ? addresses : hosts);
	for (; asked.count < count && asked.count < RESOLVE_MOST;
	    asked.count++) {
		struct place *p = &asked.at[asked.count];

		next_word(&hosts, p->host, sizeof p->host);
		next_word(&addresses, p->address, sizeof p->address);
		next_word(&ports, p->port, sizeof p->port);
		/* A URL with two hosts has two ports, be they empty; one
		 * that is not said here would leave libpq with both. */
		if (p->port[0] == '\0' && *option(own, "port") != '\0')
			snprintf(p->port, sizeof p->port, "%s",
			    compiled(others, "port"));
		has_names |= is_name(p);
	}
	PQconninfoFree(own);
	PQconninfoFree(others);
}

/* --- the thread --- */

static void
add_address(struct places *to, const struct place *p,
    const struct addrinfo *address)
{
	struct place *new = &to->at[to->count];

	if (to->count == RESOLVE_MOST)
		return;
	*new = *p;
	if (getnameinfo(address->ai_addr, address->ai_addrlen, new->address,
	    sizeof new->address, NULL, 0, NI_NUMERICHOST) == 0)
		to->count++;
}

static void
look_up(struct places *to, const struct place *p)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;

	if (getaddrinfo(p->host, NULL, &hints, &list) != 0)
		return;
	for (const struct addrinfo *a = list; a != NULL; a = a->ai_next)
		add_address(to, p, a);
	freeaddrinfo(list);
}

static void *
look_up_all(void *context)
{
	struct places *names = context, *to = calloc(1, sizeof *to);

	for (unsigned i = 0; to != NULL && i < names->count; i++) {
		struct place *p = &names->at[i];

		if (is_name(p))
			look_up(to, p);
		else if (to->count < RESOLVE_MOST)
			to->at[to->count++] = *p;
	}
	free(names);
	if (write(ends[1], &to, sizeof to) != sizeof to)
		log_note(LOG_ERROR, "the resolver's pipe: %m");
	return NULL;
}

/* A process that ends does not wait for it, and no signal goes to it. */
static bool
start_thread(struct places *names)
{
	pthread_attr_t detached;
	pthread_t thread;
	sigset_t all, old;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	error = pthread_create(&thread, &detached, look_up_all, names);
	pthread_attr_destroy(&detached);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return error == 0;
}

/* --- the loop --- */

static void
tell_all(void)
{
	struct resolve *r;

	while ((r = LIST_FIRST(&waiting)) != NULL) {
		resolve_cancel(r);
		r->done(r, &found);
	}
}

static void
on_readable(int fd, short what, void *context)
{
	struct places *new;

	(void)what, (void)context;
	if (read(fd, &new, sizeof new) != sizeof new)
		return;
	running = false;
	if (new != NULL && new->count > 0) {
		found = *new;
		found_ms = shm_now_ms();
	} else
		log_note(LOG_WARNING, "no address was found for the "
		    "database's host");
	free(new);
	tell_all();
}

static bool
open_once(struct event_base *base, const char *url)
{
	if (asked.count > 0)
		return true;
	read_string(url);
	if (!has_names)
		return true;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	readable = event_new(base, ends[0], EV_READ | EV_PERSIST,
	    on_readable, NULL);
	return readable != NULL && event_add(readable, NULL) == 0;
}

static bool
begin(void)
{
	struct places *names = malloc(sizeof *names);

	if (names == NULL)
		return false;
	*names = asked;
	if (!start_thread(names)) {
		free(names);
		return false;
	}
	running = true;
	started_ms = shm_now_ms();
	return true;
}

/* Whether the answer is worth waiting for. */
static bool
has_to_wait(void)
{
	int64_t now = shm_now_ms();

	if (found.count > 0 && now - found_ms < FRESH_MS)
		return false;
	if (running)
		return found.count == 0 || now - started_ms < SILENT_MS;
	return begin();
}

void
resolve_start(struct event_base *base, const char *url, struct resolve *r)
{
	r->waits = open_once(base, url) && has_names && has_to_wait();
	if (r->waits)
		LIST_INSERT_HEAD(&waiting, r, link);
	else
		r->done(r, has_names ? &found : &asked);
}

void
resolve_cancel(struct resolve *r)
{
	if (r->waits)
		LIST_REMOVE(r, link);
	r->waits = false;
}
