/*
 * A connection is in pipeline mode for life: what belongs together (prepare,
 * execute, read back the touched tables, sync) is one flight of messages and
 * one wait for the answer.  The steps of the flight are listed in `steps`; the
 * results arrive in that order, each followed by NULL, but for the last.
 *
 * libpq's own waits are never used: each phase has a timer of ours, and when it
 * runs out the connection is dropped, whatever the server is doing.  Nor does
 * libpq see more than one address at a time: it would stay with one that says
 * nothing.
 */
#include "connection.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board.h"
#include "conf.h"
#include "log.h"
#include "resolve.h"
#include "shm.h"
#include "text.h"
#include "versions.h"

#define GRACE_MS 250	/* the server's own timeout comes first */
#define STEPS_MAX 8

enum phase { OPENING, IDLE, RUNNING, DEAD };
enum step { SETTINGS, PREPARE, EXECUTE, TOUCHED, SYNC };

struct connection {
	PGconn *pg;
	struct event_base *base;
	struct event *readable, *writable, *timer;
	const struct connection_owner *owner;
	void *context;
	enum phase phase;
	const char *url;
	char name[48];
	struct resolve resolve;
	struct places *places;		/* while opening */
	unsigned place, places_left;
	int64_t opened_ms, used_ms, started_us;

	enum step steps[STEPS_MAX];
	unsigned step_count, step;
	struct work work;
	PGresult *result, *error;	/* of EXECUTE; of whichever failed */
	PGresult *touched;
	bool answered, refused;		/* while opening: see connection.h */
	bool writing;			/* its outcome is not known yet */
	struct versions_origin origin, next_origin;	/* see versions.h */
	unsigned generation;		/* in the names of its statements */
	bool prepared[VERSIONS_QUERIES];
};

/* The origin that the session's next write will carry comes along. */
static const char touched_text[] =
	"SELECT current_setting('reklam.touched', true),"
	" set_config('reklam.origin', $1, false)";
/* Behind a pooler a session is nobody's: all is said in each transaction. */
static const char settings_text[] =
	"SELECT set_config('statement_timeout', $1, true),"
	" set_config('search_path', 'public, reklam', true),"
	" set_config('jit', 'off', true),"
	" set_config('max_parallel_workers_per_gather', '0', true),"
	" set_config('plan_cache_mode', 'force_generic_plan', true),"
	" set_config('TimeZone', $2, true),"
	" set_config('DateStyle', 'ISO, MDY', true),"
	" set_config('reklam.lang', $3, true)";

/* A table that somebody has locked is not waited for. */
static const char explain_settings_text[] =
	"SELECT set_config('plan_cache_mode', 'force_generic_plan', true),"
	" set_config('lock_timeout', '100ms', true)";

/* Where the last one that opened leads: the next begins there. */
static unsigned good_place;

static void on_event(int, short, void *);
static void on_timer(int, short, void *);
static void on_resolved(struct resolve *, const struct places *);

/*
 * The code in a message of libpq about connecting, which has no other place
 * for it ("…FATAL:  57P03: the database…"), or "".
 */
static const char *
code_in(const char *message)
{
	static const char allowed[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	while ((message = strstr(message, ":  ")) != NULL) {
		message += 3;
		if (strspn(message, allowed) == 5 && message[5] == ':')
			return message;
	}
	return "";
}

/* It goes down, or is not up: 57P01 to 57P03. */
static bool
is_shut(const char *sqlstate)
{
	return strncmp(sqlstate, "57P0", 4) == 0 && sqlstate[4] >= '1' &&
	    sqlstate[4] <= '3';
}

static void
learn_from_failure(struct connection *c)
{
	const char *code = code_in(PQerrorMessage(c->pg));

	c->answered |= *code != '\0';
	c->refused |= *code != '\0' && !is_shut(code);
}

static void
leave(struct connection *c)
{
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->writable != NULL)
		event_free(c->writable);
	c->readable = c->writable = NULL;
	learn_from_failure(c);
	PQfinish(c->pg);
	c->pg = NULL;
}

static void
drop(struct connection *c)
{
	bool was_open = c->phase != OPENING;

	leave(c);
	resolve_cancel(&c->resolve);
	event_free(c->timer);
	PQclear(c->result);
	PQclear(c->error);
	PQclear(c->touched);
	free(c->places);
	c->owner->closed(c, was_open);
	free(c);
}

void
connection_drop(struct connection *c)
{
	drop(c);
}

static void
set_timer(struct connection *c, long ms)
{
	struct timeval wait = { ms / 1000, ms % 1000 * 1000 };

	evtimer_add(c->timer, &wait);
}

/*
 * Nothing that was read before the write counts any more; when its outcome is
 * not known (NULL), nothing at all while there is a database to ask.  Only then
 * is it taken off `writing`, by which the master knows what a dead worker left
 * behind.
 *
 * Only what has been committed and bumped is marked: a write of which nothing
 * is known may be committed yet, and the origin of one that was rolled back is
 * still the session's.
 */
static void
settle_write(struct connection *c, const char *touched)
{
	if (!c->writing)
		return;
	c->writing = false;
	if (touched == NULL) {
		versions_doubt_all();
		board_add(&board->bumps_all, 1);
	} else
		versions_bump(touched, c->origin);
	atomic_fetch_sub(&board->writing, 1);
}

static void
report(struct connection *c, struct finding *f)
{
	f->ran_us = shm_now_us() - c->started_us;
	c->work = (struct work){ 0 };
	c->owner->finished(c, f);
}

/* The flight ends without an answer: tells the owner, then is gone. */
static void
lose(struct connection *c, enum outcome outcome)
{
	struct finding f = { .outcome = outcome };

	settle_write(c, NULL);
	if (outcome == WORK_LOST)
		board_add(&board->lost, 1);
	if (c->phase == RUNNING) {
		c->phase = DEAD;
		report(c, &f);
	}
	drop(c);
}

static const char *
language_name(void)
{
	return conf.language == TURKISH ? "tr" : "en";
}

/*
 * The settings of a session, as startup options; fixed for its life.  There
 * are as many statements at once as the pool has connections: a statement that
 * takes a second core slows the others, and answers for a page are there before
 * a parallel plan or compiled code has begun.  One plan serves all arguments:
 * a plan for each takes longer than most statements, and for some PostgreSQL
 * would make one each time (bench/plans).
 */
static void
session_options(struct connection *c, char *out, size_t size)
{
	char origin[64] = "";

	c->origin = versions_write_begins(board_me());
	versions_origin_text(c->origin, origin, sizeof origin);
	snprintf(out, size, "-c statement_timeout=%ld"
	    " -c client_connection_check_interval=100"
	    " -c idle_in_transaction_session_timeout=5000"
	    " -c search_path=public,reklam -c DateStyle=ISO"
	    " -c jit=off -c max_parallel_workers_per_gather=0"
	    " -c plan_cache_mode=force_generic_plan"
	    " -c TimeZone=%s -c reklam.lang=%s -c reklam.origin=%s",
	    conf.statement_ms, conf.time_zone, language_name(), origin);
}

struct connection *
connection_open(struct event_base *base, const char *url, const char *name,
    const struct connection_owner *owner, void *context)
{
	struct connection *c = calloc(1, sizeof *c);

	if (c == NULL || (c->timer = evtimer_new(base, on_timer, c)) == NULL) {
		free(c);
		return NULL;
	}
	c->base = base;
	c->url = url;
	snprintf(c->name, sizeof c->name, "%s", name);
	c->owner = owner;
	c->context = context;
	c->resolve.done = on_resolved;
	board_add(&board->connects, 1);
	/* The first step is taken on the loop, not inside the caller. */
	event_active(c->timer, EV_READ, 0);
	return c;
}

static bool
listen_for(struct connection *c, short what)
{
	if (c->readable != NULL)
		event_free(c->readable);
	c->readable = event_new(c->base, PQsocket(c->pg),
	    (short)(what | EV_PERSIST), on_event, c);
	return c->readable != NULL && event_add(c->readable, NULL) == 0;
}

/* While the database is away each attempt fails: one line in ten seconds. */
static void
log_failure(const char *why)
{
	static int64_t last_ms = -10000;
	char sentence[512];
	struct log_line line;

	if (shm_now_ms() - last_ms < 10000)
		return;
	last_ms = shm_now_ms();
	snprintf(sentence, sizeof sentence, "%.*s", (int)strcspn(why, "\n"),
	    why);
	log_begin(&line, LOG_WARNING, "database_connect_failed");
	log_text(&line, "why", sentence);
	log_end(&line);
}

/* libpq would write it to standard error. */
static void
on_notice(void *context, const char *message)
{
	(void)context;
	log_note(LOG_DEBUG, "the database says: %.*s",
	    (int)strcspn(message, "\n"), message);
}

static bool
start_at(struct connection *c, const struct place *p)
{
	char options[512] = "";
	const char *keys[7] = { "dbname", "application_name" };
	const char *values[7] = { c->url, c->name };
	const char *more[][2] = { { "options", conf.prepared ? options : "" },
	    { "host", p->host }, { "hostaddr", p->address },
	    { "port", p->port } };

	session_options(c, options, sizeof options);
	for (size_t i = 0, n = 2; i < sizeof more / sizeof *more; i++)
		if (more[i][1][0] != '\0') {
			keys[n] = more[i][0];
			values[n++] = more[i][1];
		}
	set_timer(c, conf.connect_ms);
	c->pg = PQconnectStartParams(keys, values, 1);
	PQsetErrorVerbosity(c->pg, PQERRORS_VERBOSE);
	PQsetNoticeProcessor(c->pg, on_notice, NULL);
	if (c->pg != NULL && PQstatus(c->pg) != CONNECTION_BAD &&
	    listen_for(c, EV_WRITE))
		return true;
	log_failure(PQerrorMessage(c->pg));
	leave(c);
	return false;
}

static void
try_places(struct connection *c)
{
	for (; c->places_left > 0; c->places_left--) {
		if (start_at(c, &c->places->at[c->place]))
			return;
		c->place = (c->place + 1) % c->places->count;
	}
	drop(c);
}

static void
on_resolved(struct resolve *r, const struct places *places)
{
	struct connection *c = (struct connection *)((char *)r -
	    offsetof(struct connection, resolve));

	c->places = malloc(sizeof *places);
	if (places->count == 0)
		log_failure("the database's host is not known");
	if (c->places != NULL) {
		*c->places = *places;
		c->places_left = places->count;
		c->place = good_place < places->count ? good_place : 0;
	}
	try_places(c);
}

/* This address leads nowhere, or not to what is wanted. */
static void
try_next(struct connection *c, const char *why)
{
	log_failure(why);
	leave(c);
	if (c->places_left > 0) {
		c->places_left--;
		c->place = (c->place + 1) % c->places->count;
	}
	try_places(c);
}

static bool
settle_in(struct connection *c)
{
	if (PQsetnonblocking(c->pg, 1) != 0 || PQenterPipelineMode(c->pg) != 1)
		return false;
	c->writable = event_new(c->base, PQsocket(c->pg), EV_WRITE,
	    on_event, c);
	if (c->writable == NULL || !listen_for(c, EV_READ))
		return false;
	evtimer_del(c->timer);
	good_place = c->place;
	free(c->places);
	c->places = NULL;
	c->phase = IDLE;
	c->opened_ms = c->used_ms = shm_now_ms();
	return true;
}

static void
go_on_opening(struct connection *c)
{
	bool going = true;

	switch (PQconnectPoll(c->pg)) {
	case PGRES_POLLING_READING:
		going = listen_for(c, EV_READ);
		break;
	case PGRES_POLLING_WRITING:
		going = listen_for(c, EV_WRITE);
		break;
	case PGRES_POLLING_OK:
		if ((going = settle_in(c)))
			c->owner->opened(c);
		return;
	default:
		going = false;
	}
	if (!going)
		try_next(c, PQerrorMessage(c->pg));
}

static void
add_step(struct connection *c, enum step step)
{
	c->steps[c->step_count++] = step;
}

static void
statement_name(const struct connection *c, char *out, size_t size)
{
	snprintf(out, size, "%s.%u", c->work.query->name, c->generation);
}

static bool
send_settings(struct connection *c)
{
	char ms[24];
	const char *values[] = { ms, conf.time_zone, language_name() };

	snprintf(ms, sizeof ms, "%ld", c->work.deadline_ms);
	add_step(c, SETTINGS);
	return PQsendQueryParams(c->pg, settings_text, 3, NULL, values, NULL,
	    NULL, 0) == 1;
}

static bool
send_plain(struct connection *c)
{
	const char *text = c->work.text != NULL ? c->work.text :
	    c->work.query->text;

	add_step(c, EXECUTE);
	return PQsendQueryParams(c->pg, text, (int)c->work.count, NULL,
	    c->work.values, NULL, NULL, 0) == 1;
}

static bool
send_prepared(struct connection *c)
{
	unsigned index = query_index(c->work.query);
	char name[96];

	statement_name(c, name, sizeof name);
	if (!c->prepared[index]) {
		add_step(c, PREPARE);
		board_add(&board->prepares, 1);
		if (PQsendPrepare(c->pg, name, c->work.query->text,
		    (int)c->work.count, NULL) != 1)
			return false;
	}
	add_step(c, EXECUTE);
	return PQsendQueryPrepared(c->pg, name, (int)c->work.count,
	    c->work.values, NULL, NULL, 0) == 1;
}

static bool
send_touched(struct connection *c)
{
	char text[64] = "";
	const char *values[] = { text };

	add_step(c, TOUCHED);
	if (conf.prepared) {	/* else the session is not ours to mark */
		c->next_origin = versions_write_begins(board_me());
		versions_origin_text(c->next_origin, text, sizeof text);
	}
	return PQsendQueryParams(c->pg, touched_text, 1, NULL, values, NULL,
	    NULL, 0) == 1;
}

/* EXPLAIN EXECUTE "name"(NULL, NULL …): no value makes a plan generic. */
static void
explain_text(char *out, size_t size, const char *name, unsigned count)
{
	int at = snprintf(out, size, "EXPLAIN EXECUTE \"%s\"", name);

	for (unsigned i = 0; i < count; i++)
		at += snprintf(out + at, size - (size_t)at, "%s NULL",
		    i == 0 ? " (" : ",");
	if (count > 0)
		snprintf(out + at, size - (size_t)at, ")");
}

/*
 * Under a name of its own: what is prepared for use is left alone, and one
 * that a failure left behind is never met again.
 */
static bool
send_explain(struct connection *c)
{
	static unsigned number;
	char name[48], explain[320], forget[80];

	snprintf(name, sizeof name, "plan.%d.%u", (int)getpid(), ++number);
	explain_text(explain, sizeof explain, name, c->work.query->count);
	snprintf(forget, sizeof forget, "DEALLOCATE \"%s\"", name);
	add_step(c, SETTINGS);
	add_step(c, SETTINGS);		/* as little is kept of it */
	add_step(c, EXECUTE);
	add_step(c, SETTINGS);
	return PQsendQueryParams(c->pg, explain_settings_text, 0, NULL, NULL, NULL,
	    NULL, 0) == 1 && PQsendPrepare(c->pg, name, c->work.query->text,
	    0, NULL) == 1 && PQsendQueryParams(c->pg, explain, 0, NULL, NULL,
	    NULL, NULL, 0) == 1 && PQsendQueryParams(c->pg, forget, 0, NULL,
	    NULL, NULL, NULL, 0) == 1;
}

static bool
send_work(struct connection *c)
{
	const struct work *w = &c->work;
	bool own_settings = !conf.prepared ||
	    w->deadline_ms != conf.statement_ms;

	if (own_settings && !send_settings(c))
		return false;
	if (w->explain)
		return send_explain(c);
	if (!(conf.prepared && w->text == NULL ? send_prepared(c) :
	    send_plain(c)))
		return false;
	if (w->writes && !send_touched(c))
		return false;
	return true;
}

static bool
flush(struct connection *c)
{
	int left = PQflush(c->pg);

	if (left == 1)
		event_add(c->writable, NULL);
	return left >= 0;
}

/*
 * What cannot be sent is reported from the loop (EV_SIGNAL on the timer),
 * since the caller does not expect an answer before this returns.
 */
static void
start(struct connection *c, bool sent, long deadline_ms)
{
	c->phase = RUNNING;
	c->step = 0;
	c->started_us = shm_now_us();
	add_step(c, SYNC);
	set_timer(c, deadline_ms);
	if (!sent || PQpipelineSync(c->pg) != 1 || !flush(c))
		event_active(c->timer, EV_SIGNAL, 0);
}

void
connection_run(struct connection *c, const struct work *work)
{
	c->work = *work;
	c->step_count = 0;
	if (work->writes) {
		atomic_fetch_add(&board->writing, 1);
		board_add(&board->writes, 1);
		c->writing = true;
	}
	start(c, send_work(c), work->deadline_ms + GRACE_MS);
}

void
connection_ping(struct connection *c)
{
	c->step_count = 0;
	start(c, true, conf.connect_ms);
}

/* A statement's plan or name is not what it was: all are prepared anew. */
static void
forget_prepared(struct connection *c)
{
	memset(c->prepared, 0, sizeof c->prepared);
	c->generation++;
}

/* Whether the connection is no use after this error (08: the connection; none:
 * libpq's own words). */
static bool
is_dead(const struct connection *c, const char *sqlstate)
{
	return sqlstate == NULL || PQstatus(c->pg) != CONNECTION_OK ||
	    strncmp(sqlstate, "08", 2) == 0 || is_shut(sqlstate);
}

static void
fill_refusal(struct finding *f, const PGresult *error)
{
	f->outcome = WORK_REFUSED;
	f->sqlstate = PQresultErrorField(error, PG_DIAG_SQLSTATE);
	f->message = PQresultErrorField(error, PG_DIAG_MESSAGE_PRIMARY);
	f->detail = PQresultErrorField(error, PG_DIAG_MESSAGE_DETAIL);
	f->constraint = PQresultErrorField(error, PG_DIAG_CONSTRAINT_NAME);
	f->column = PQresultErrorField(error, PG_DIAG_COLUMN_NAME);
	if (strcmp(f->sqlstate, "57014") == 0)
		f->outcome = WORK_TIMED_OUT;
}

/* What was refused has been rolled back, so it touched nothing. */
static void
finish_refused(struct connection *c, PGresult *error)
{
	struct finding f = { .outcome = WORK_REFUSED };

	fill_refusal(&f, error);
	if (strcmp(f.sqlstate, "26000") == 0 ||
	    strcmp(f.sqlstate, "0A000") == 0)
		forget_prepared(c);
	settle_write(c, "");
	report(c, &f);
	PQclear(error);
}

static void
finish_done(struct connection *c, PGresult *result, PGresult *touched)
{
	struct finding f = { .outcome = WORK_DONE, .result = result };

	if (touched != NULL) {
		settle_write(c, PQgetvalue(touched, 0, 0));
		c->origin = c->next_origin;
	}
	report(c, &f);
	PQclear(result);
	PQclear(touched);
}

/* After report() the connection may be running something else, or be gone. */
static void
finish(struct connection *c)
{
	PGresult *result = c->result, *error = c->error, *touched = c->touched;

	if (error != NULL && is_dead(c,
	    PQresultErrorField(error, PG_DIAG_SQLSTATE))) {
		lose(c, WORK_LOST);
		return;
	}
	c->result = c->error = c->touched = NULL;
	evtimer_del(c->timer);
	c->phase = IDLE;
	c->used_ms = shm_now_ms();
	if (error != NULL) {
		PQclear(result);
		PQclear(touched);
		finish_refused(c, error);
	} else
		finish_done(c, result, touched);
}

static void
take(struct connection *c, PGresult *r)
{
	enum step step = c->steps[c->step];
	PGresult **keep = NULL;

	switch (PQresultStatus(r)) {
	case PGRES_TUPLES_OK:
		keep = step == EXECUTE ? &c->result :
		    step == TOUCHED ? &c->touched : NULL;
		break;
	case PGRES_COMMAND_OK:
		if (step == PREPARE)
			c->prepared[query_index(c->work.query)] = true;
		else if (step == EXECUTE)
			keep = &c->result;
		break;
	case PGRES_FATAL_ERROR:
		keep = c->error == NULL ? &c->error : NULL;
		break;
	default:	/* PGRES_PIPELINE_ABORTED: an earlier one failed */
		break;
	}
	if (keep != NULL)
		*keep = r;
	else
		PQclear(r);
}

static void
take_notices(struct connection *c)
{
	PGnotify *n;

	while ((n = PQnotifies(c->pg)) != NULL) {
		if (c->owner->notified != NULL)
			c->owner->notified(c, n->extra);
		PQfreemem(n);
	}
}

/*
 * Whatever has come in, as far as it is whole.  On a broken connection libpq
 * still gives what came before the end, which may hold the reason.
 */
static void
take_results(struct connection *c, bool broken)
{
	while (broken || !PQisBusy(c->pg)) {
		PGresult *r = PQgetResult(c->pg);

		if (r == NULL) {
			if (PQstatus(c->pg) != CONNECTION_OK ||
			    c->step + 1 >= c->step_count) {
				lose(c, WORK_LOST);
				return;
			}
			c->step++;
		} else if (PQresultStatus(r) == PGRES_PIPELINE_SYNC) {
			PQclear(r);
			finish(c);
			return;
		} else
			take(c, r);
	}
}

static void
on_event(int fd, short what, void *context)
{
	struct connection *c = context;
	bool broken;

	(void)fd;
	if (c->phase == OPENING) {
		go_on_opening(c);
		return;
	}
	if (what & EV_WRITE && !flush(c)) {
		lose(c, WORK_LOST);
		return;
	}
	if (!(what & EV_READ))
		return;
	broken = PQconsumeInput(c->pg) != 1;
	take_notices(c);
	if (c->phase == RUNNING)
		take_results(c, broken);
	else if (broken || PQstatus(c->pg) != CONNECTION_OK)
		lose(c, WORK_LOST);
}

static void
on_timer(int fd, short what, void *context)
{
	struct connection *c = context;

	(void)fd;
	if (what & EV_SIGNAL)
		lose(c, WORK_LOST);
	else if (what & EV_READ) {
		set_timer(c, conf.connect_ms);
		resolve_start(c->base, c->url, &c->resolve);
	} else if (c->phase == RUNNING) {
		board_add(&board->timeouts, 1);
		lose(c, WORK_TIMED_OUT);
	} else
		try_next(c, c->resolve.waits ? "nothing is heard of the "
		    "database's host" : "the database does not answer");
}

void *
connection_context(const struct connection *c)
{
	return c->context;
}

bool
connection_was_answered(const struct connection *c)
{
	return c->answered;
}

bool
connection_was_refused(const struct connection *c)
{
	return c->refused;
}

bool
connection_is_idle(const struct connection *c)
{
	return c->phase == IDLE;
}

int
connection_backend(const struct connection *c)
{
	return PQbackendPID(c->pg);
}

int64_t
connection_opened_ms(const struct connection *c)
{
	return c->opened_ms;
}

int64_t
connection_used_ms(const struct connection *c)
{
	return c->used_ms;
}
