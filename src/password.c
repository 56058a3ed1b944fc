/*
 * A check takes long on purpose, so it is done by a thread of its own, which
 * touches nothing of the loop's: a task goes to it by a list, comes back by
 * another, and an eventfd tells the loop.
 *
 * The lock protects the two lists, `waiting_count` and `ending`.  A task
 * belongs to whoever took it off a list.
 *
 * How long an answer takes must not tell who exists.  The costs of bcrypt are
 * powers of two, so a wrong password at the row's cost c, then c, c + 1 … up
 * to one below the configured cost for nothing, take exactly as long as the
 * configured cost alone, which is what an unknown user gets.
 */
#include "password.h"

#include <sys/eventfd.h>

#include <crypt.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bcrypt.h"
#include "log.h"

#define WAITING_MAX 4

struct task {
	struct task *next;
	char password[PASSWORD_BYTES_MAX + 1];
	char hash[PASSWORD_HASH_SIZE];		/* "": an unknown user */
	password_checked *checked;		/* one of both */
	password_hashed *hashed;
	void *context;
	bool right;
	char fresh[PASSWORD_HASH_SIZE];
};

static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct task *waiting, *finished;
	unsigned waiting_count;
	bool ending;
	struct event *event;
	int fd;
	int cost;
	struct crypt_data data;			/* the helper's */
} helper;

static void
discard(struct task *t)
{
	explicit_bzero(t, sizeof *t);
	free(t);
}

static void
append(struct task **list, struct task *t)
{
	while (*list != NULL)
		list = &(*list)->next;
	*list = t;
}

static struct task *
take(struct task **list)
{
	struct task *t = *list;

	if (t != NULL) {
		*list = t->next;
		t->next = NULL;
	}
	return t;
}

static void
check(struct task *t)
{
	int cost = bcrypt_cost(t->hash);

	if (cost == -1) {
		bcrypt_waste(&helper.data, helper.cost);
		return;
	}
	t->right = bcrypt_right(&helper.data, t->password, t->hash);
	if (cost >= helper.cost)
		return;
	if (t->right)
		bcrypt_make(&helper.data, t->password, helper.cost, t->fresh);
	for (; !t->right && cost < helper.cost; cost++)
		bcrypt_waste(&helper.data, cost);
}

static void *
help(void *unused)
{
	static const uint64_t one = 1;
	struct task *t;

	pthread_mutex_lock(&helper.lock);
	while (!helper.ending) {
		if ((t = take(&helper.waiting)) == NULL) {
			pthread_cond_wait(&helper.wake, &helper.lock);
			continue;
		}
		helper.waiting_count--;
		pthread_mutex_unlock(&helper.lock);
		if (t->checked != NULL)
			check(t);
		else
			bcrypt_make(&helper.data, t->password, helper.cost,
			    t->fresh);
		pthread_mutex_lock(&helper.lock);
		append(&helper.finished, t);
		if (write(helper.fd, &one, sizeof one) == -1)
			log_note(LOG_ERROR, "the password helper's eventfd: "
			    "%m");
	}
	pthread_mutex_unlock(&helper.lock);
	return unused;
}

static struct task *
take_finished(void)
{
	struct task *t;

	pthread_mutex_lock(&helper.lock);
	t = take(&helper.finished);
	pthread_mutex_unlock(&helper.lock);
	return t;
}

/* On the loop: what the helper has finished. */
static void
deliver(evutil_socket_t fd, short what, void *unused)
{
	struct task *t;
	uint64_t count;

	(void)what, (void)unused;
	if (read((int)fd, &count, sizeof count) == -1)
		return;
	while ((t = take_finished()) != NULL) {
		if (t->checked != NULL)
			t->checked(t->context, t->right, t->fresh);
		else
			t->hashed(t->context, t->fresh);
		discard(t);
	}
}

/* Signals are the loop's: the helper must not be the one that gets them. */
static bool
start_thread(void)
{
	sigset_t all, old;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&helper.thread, NULL, help, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return error == 0;
}

bool
password_open(struct event_base *base, int cost)
{
	memset(&helper, 0, sizeof helper);
	pthread_mutex_init(&helper.lock, NULL);
	pthread_cond_init(&helper.wake, NULL);
	helper.cost = cost;
	helper.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (helper.fd == -1)
		return false;
	helper.event = event_new(base, helper.fd, EV_READ | EV_PERSIST,
	    deliver, NULL);
	if (helper.event != NULL && event_add(helper.event, NULL) == 0 &&
	    start_thread())
		return true;
	if (helper.event != NULL)
		event_free(helper.event);
	close(helper.fd);
	return false;
}

/* Who still waits hears nothing any more. */
void
password_close(void)
{
	struct task *t;

	pthread_mutex_lock(&helper.lock);
	helper.ending = true;
	pthread_cond_signal(&helper.wake);
	pthread_mutex_unlock(&helper.lock);
	pthread_join(helper.thread, NULL);
	while ((t = take(&helper.waiting)) != NULL ||
	    (t = take(&helper.finished)) != NULL)
		discard(t);
	event_free(helper.event);
	close(helper.fd);
	pthread_cond_destroy(&helper.wake);
	pthread_mutex_destroy(&helper.lock);
}

static bool
submit(struct task *t, const char *password)
{
	bool room;

	snprintf(t->password, sizeof t->password, "%s", password);
	pthread_mutex_lock(&helper.lock);
	room = helper.waiting_count < WAITING_MAX;
	if (room) {
		append(&helper.waiting, t);
		helper.waiting_count++;
		pthread_cond_signal(&helper.wake);
	}
	pthread_mutex_unlock(&helper.lock);
	if (!room)
		discard(t);
	return room;
}

bool
password_check(const char *password, const char *hash,
    password_checked *done, void *context)
{
	struct task *t = calloc(1, sizeof *t);

	if (t == NULL)
		return false;
	/* one that is too long is none, and stays so when it is cut */
	snprintf(t->hash, sizeof t->hash, "%s", hash ? hash : "");
	t->checked = done;
	t->context = context;
	return submit(t, password);
}

bool
password_hash(const char *password, password_hashed *done, void *context)
{
	struct task *t = calloc(1, sizeof *t);

	if (t == NULL)
		return false;
	t->hashed = done;
	t->context = context;
	return submit(t, password);
}

bool
password_right(const char *password, const char *hash)
{
	struct crypt_data *data = calloc(1, sizeof *data);
	bool right;

	if (data == NULL)
		return false;
	right = bcrypt_right(data, password, hash);
	free(data);
	return right;
}

bool
password_make(const char *password, int cost, char out[PASSWORD_HASH_SIZE])
{
	struct crypt_data *data = calloc(1, sizeof *data);
	bool made;

	out[0] = '\0';
	if (data == NULL)
		return false;
	made = bcrypt_make(data, password, cost, out);
	free(data);
	return made;
}
