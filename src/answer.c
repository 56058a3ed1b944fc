/*
 * A GET is fetched (fetch.c): from memory, from a flight, from the database.
 * Everything else is a write: one statement, run once, whose result is answered
 * after what it touched has been bumped (connection.c).
 */
#include "answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "conf.h"
#include "fetch.h"
#include "gate.h"
#include "gzip.h"
#include "log.h"
#include "match.h"
#include "plan.h"
#include "shm.h"
#include "sqlstate.h"

/* A GET on its way. */
struct reading {
	struct request *request;
	struct args args;
	struct fetch fetch;
};

/* A statement on its way that nobody else shares. */
struct running {
	struct request *request;
	struct pool_job job;
	answer_done *done;
	void *context;
	struct args args;
	char *texts;			/* what its values point to */
};

static int64_t ttls_ms[BOARD_ROUTES];
static bool is_large[BOARD_STATEMENTS];	/* an answer was worth compressing */

static const char *const source_names[] = {
	[FETCH_HIT] = "hit", [FETCH_MISS] = "miss", [FETCH_WAIT] = "wait",
	[FETCH_STALE] = "stale"
};

bool
answer_open(char *why, size_t size)
{
	if (routes_count > BOARD_ROUTES || queries_count > BOARD_STATEMENTS) {
		snprintf(why, size, "there are more routes or statements than "
		    "the board has room for");
		return false;
	}
	for (size_t i = 0; i < routes_count; i++)
		ttls_ms[i] = routes[i].cache == NULL ? 0 :
		    conf_ttl(routes[i].cache, routes[i].ttl) * 1000;
	return match_open(why, size) && gate_open(why, size) &&
	    args_open(why, size);
}

int64_t
answer_ttl_ms(unsigned route)
{
	return ttls_ms[route];
}

/*
 * An error that no table knows is a defect of ours: its code is logged, and
 * the server's words when they are about the schema and not about values.
 */
static void
log_error(const struct query *query, const struct finding *f)
{
	bool schema = strncmp(f->sqlstate, "42", 2) == 0 ||
	    strncmp(f->sqlstate, "XX", 2) == 0;
	struct log_line line;

	log_begin(&line, LOG_ERROR, "statement_failed");
	log_text(&line, "statement", query->name);
	log_text(&line, "sqlstate", f->sqlstate);
	if (schema && f->message != NULL)
		log_text(&line, "why", f->message);
	log_end(&line);
}

void
answer_refuse(struct request *r, const struct query *query,
    const struct pool_answer *p)
{
	const struct finding *f = p->finding;
	struct sqlstate_answer a;

	switch (p->outcome) {
	case POOL_REFUSED:
		a = sqlstate_read(f->sqlstate, f->message, f->constraint,
		    f->column);
		if (a.status == 500)
			log_error(query, f);
		http_refuse(r, a.status, a.text, a.field);
		break;
	case POOL_DOWN:
	case POOL_LOST:
		http_refuse(r, 503, "database_unavailable", NULL);
		break;
	default:
		http_refuse(r, 503, "busy", NULL);
	}
}

static const char *
not_found(const struct request *r)
{
	return r->route->not_found != NULL ? r->route->not_found :
	    "not_found";
}

/* Keeps the form that was made, under the key and the state of the plain one. */
struct compressing {
	struct cache_key key;
	struct cache_item item;
	char plain[HTTP_HEAD_MAX], head[HTTP_HEAD_MAX];
};

static void
variant(struct cache_key *key)
{
	key->bytes[0] ^= 1;		/* a statement of its own, as it were */
	cache_key_finish(key);
}

static void
on_compressed(void *context, const char *bytes, size_t length)
{
	struct compressing *c = context;

	if (bytes != NULL) {
		c->item.head = c->head;
		c->item.head_length = (uint32_t)http_encoded_head(c->head,
		    sizeof c->head, c->plain, c->item.etag, "gzip", length);
		c->item.body = bytes;
		c->item.body_length = (uint32_t)length;
		cache_put(&c->key, &c->item);
	}
	free(c);
}

/*
 * What is asked for a second time, and was not found compressed (by
 * give_compressed), is compressed once it has been sent.  By then the request
 * may be gone, so that all but the body is taken before.
 */
static struct compressing *
prepare_compressing(const struct request *r, const struct fetch *f,
    const struct fetched *a)
{
	unsigned query = query_index(f->query);
	bool known = is_large[query];
	struct compressing *c;

	if (a->body_length < GZIP_LEAST)
		return NULL;
	is_large[query] = true;
	if (!known || !r->gzip || a->source != FETCH_HIT ||
	    (c = malloc(sizeof *c)) == NULL)
		return NULL;
	if (!fetch_key(f, &c->key)) {
		free(c);
		return NULL;
	}
	variant(&c->key);
	c->item = (struct cache_item){ .query = query,
	    .versions = a->versions, .ttl_ms = f->ttl_ms,
	    .stored_ms = shm_now_ms() - a->age_ms };
	snprintf(c->plain, sizeof c->plain, "%.*s", (int)a->head_length,
	    a->head);
	memcpy(c->item.etag, a->etag, CACHE_ETAG);
	return c;
}

static void
count_source(const struct fetched *a, const struct request *r)
{
	switch (a->source) {
	case FETCH_HIT:
		board_add(&board->hits, 1);
		board_add(&board->hits_other, a->other);
		board_time(&board->hit_time, shm_now_us() - r->started_us);
		break;
	case FETCH_MISS:
		board_add(&board->misses, 1);
		break;
	case FETCH_WAIT:
		board_add(&board->waits, 1);
		break;
	case FETCH_STALE:
		break;
	}
}

static void
on_fetched(struct fetch *f, const struct fetched *a)
{
	struct reading *reading = f->context;
	struct request *r = reading->request;
	struct compressing *c;
	struct pool_answer p = { .outcome = a->outcome,
	    .finding = a->finding };
	struct http_timing timing = { source_names[a->source], a->age_ms,
	    a->queued_us, a->ran_us };

	r->state = NULL;
	r->abandon = NULL;
	r->queued_us = a->queued_us;
	r->ran_us = a->ran_us;
	if (a->outcome != POOL_DONE)
		answer_refuse(r, f->query, &p);
	else if (!a->found)
		http_refuse(r, 404, not_found(r), NULL);
	else {
		count_source(a, r);
		c = prepare_compressing(r, f, a);
		http_answer(r, a->head, a->head_length, a->etag, a->body,
		    a->body_length, &timing);
		if (c != NULL && !gzip_make(a->body, a->body_length,
		    on_compressed, c))
			free(c);
	}
	free(reading);
}

/* The compressed form, if some worker has made one that still counts. */
static bool
give_compressed(struct request *r, const struct fetch *f)
{
	static struct cache_key key;
	struct versions now;
	struct cache_item item;
	struct http_timing timing = { .cache = "hit" };

	if (!r->gzip || !is_large[query_index(f->query)] ||
	    !versions_trusted() || !fetch_key(f, &key))
		return false;
	variant(&key);
	versions_read(f->query, &now);
	if (!cache_get(&key, &now, shm_now_ms(), &item))
		return false;
	timing.age_ms = shm_now_ms() - item.stored_ms;
	board_add(&board->statements[query_index(f->query)].hits, 1);
	board_add(&board->hits, 1);
	board_add(&board->hits_other, item.other);
	board_time(&board->hit_time, shm_now_us() - r->started_us);
	http_answer(r, item.head, item.head_length, item.etag, item.body,
	    item.body_length, &timing);
	return true;
}

static void
abandon_reading(struct request *r)
{
	struct reading *reading = r->state;

	fetch_abandon(&reading->fetch);
	free(reading);
	http_drop(r);
}

static void
read_it(struct request *r)
{
	struct reading *reading = calloc(1, sizeof *reading);
	struct fetch *f;

	if (reading == NULL) {
		http_refuse(r, 503, "busy", NULL);
		return;
	}
	if (!args_bind(r, &reading->args)) {
		free(reading);
		return;
	}
	reading->request = r;
	f = &reading->fetch;
	f->query = reading->args.query;
	memcpy(f->values, reading->args.values, sizeof f->values);
	f->ttl_ms = ttls_ms[r->route_index];
	f->deadline_ms = r->route->flags & EXPORT ? conf.export_ms :
	    conf.statement_ms;
	f->urgent = r->route->flags & URGENT;
	f->done = on_fetched;
	f->context = reading;
	if (f->ttl_ms > 0 && give_compressed(r, f)) {
		free(reading);
		return;
	}
	r->state = reading;
	r->abandon = abandon_reading;
	fetch_start(f);
}

static void
end_running(struct running *running)
{
	free(running->texts);
	free(running);
}

static void
count_execution(const struct query *query, const struct pool_answer *p)
{
	const PGresult *rows = p->outcome == POOL_DONE ?
	    p->finding->result : NULL;
	int count = PQntuples(rows), body = PQfnumber(rows, "body");

	board_ran(&board->statements[query_index(query)],
	    p->outcome == POOL_DONE, (uint64_t)count,
	    body >= 0 && count > 0 ? (uint64_t)PQgetlength(rows, 0, body) : 0,
	    p->finding != NULL ? p->ran_us : -1);
}

static void
on_ran(struct pool_job *job, const struct pool_answer *p)
{
	struct running *running = job->context;

	count_execution(job->work.query, p);
	running->request->abandon = NULL;
	running->request->queued_us += p->queued_us;
	running->request->ran_us += p->ran_us;
	running->done(running->request, running->context, p);
	plan_notice(job->work.query, p->ran_us);
	end_running(running);
}

static void
abandon_running(struct request *r)
{
	struct running *running = r->state;

	pool_abandon(&running->job);
	end_running(running);
	http_drop(r);
}

void
answer_query(struct request *r, const struct args *args, answer_done *done,
    void *context)
{
	struct running *running = calloc(1, sizeof *running);
	struct pool_answer full = { .outcome = POOL_FULL };

	if (running != NULL) {
		running->args = *args;
		running->texts = args_keep(&running->args);
	}
	if (running == NULL || running->texts == NULL) {
		free(running);
		done(r, context, &full);
		return;
	}
	running->request = r;
	running->done = done;
	running->context = context;
	running->job.work = (struct work){ .query = args->query,
	    .count = args->query->count, .values = running->args.values,
	    .writes = !args->query->reads, .deadline_ms = conf.statement_ms };
	running->job.urgent = r->route->flags & URGENT;
	running->job.done = on_ran;
	running->job.context = running;
	if (args->query->reads && context == NULL) {
		r->state = running;
		r->abandon = abandon_running;
	}
	pool_submit(&running->job);
}

static const char *
column(const PGresult *rows, const char *name)
{
	int n = PQfnumber(rows, name);

	return n < 0 || PQgetisnull(rows, 0, n) ? NULL :
	    PQgetvalue(rows, 0, n);
}

/* {"message":"…" and then the members of the statement's own object. */
static void
reply_with_message(struct request *r, int status, const char *call,
    const char *body)
{
	char text[1024];
	size_t length = text_format(text, sizeof text, call, r->language);
	size_t size = length * 6 + (body ? strlen(body) : 0) + 32;
	char *out = malloc(size);
	size_t at;

	if (out == NULL) {
		http_refuse(r, 503, "busy", NULL);
		return;
	}
	at = (size_t)sprintf(out, "{\"message\":");
	at += json_quote(out + at, size - at, text, length);
	if (body != NULL && body[0] == '{' &&
	    body[1 + strspn(body + 1, " \n")] != '}')
		at += (size_t)sprintf(out + at, ",%s", body + 1);
	else
		out[at++] = '}';
	http_reply(r, status, "", out, at);
	free(out);
}

static void
reply_with(struct request *r, const struct query *query,
    const struct pool_answer *p)
{
	const PGresult *rows;
	const char *status, *message, *body;

	if (p->outcome != POOL_DONE) {
		answer_refuse(r, query, p);
		return;
	}
	rows = p->finding->result;
	if (PQntuples(rows) == 0) {
		http_refuse(r, 404, not_found(r), NULL);
		return;
	}
	status = column(rows, "status");
	message = column(rows, "message");
	body = column(rows, "body");
	if (message != NULL)
		reply_with_message(r, status != NULL ? atoi(status) : 200,
		    message, body);
	else
		http_reply(r, status != NULL ? atoi(status) : 200, "",
		    body != NULL ? body : "{}",
		    body != NULL ? strlen(body) : 2);
}

static void
on_answered(struct request *r, void *context, const struct pool_answer *p)
{
	(void)context;
	reply_with(r, args_query(r->route_index), p);
}

void
answer_run(struct request *r, const struct args *args)
{
	answer_query(r, args, on_answered, NULL);
}

static void
passed(struct request *r)
{
	struct args args;

	if (r->route->handler != NULL)
		r->route->handler(r);
	else if (r->route->method == GET)
		read_it(r);
	else if (args_bind(r, &args))
		answer_run(r, &args);
}

static void
route(struct request *r)
{
	char allow[64];
	enum match found = match_route(r, allow, sizeof allow);
	size_t max = HTTP_BODY_MAX;

	if (found == MATCH_FOUND && r->route->body_max > 0)
		max = r->route->body_max;
	if (!http_read_body(r, found == MATCH_FOUND ? max : HTTP_BODY_MAX))
		return;
	if (found == MATCH_NO_PATH)
		http_refuse(r, 404, "path_not_found", NULL);
	else if (found == MATCH_NO_METHOD)
		http_refuse_method(r, allow);
	else
		gate_enter(r, passed);
}

static void
on_request(struct fcgi *fcgi)
{
	struct request *r = fcgi_user(fcgi);

	if (r == NULL && (r = calloc(1, sizeof *r)) == NULL) {
		http_refuse_bare(fcgi);
		return;
	}
	fcgi_set_user(fcgi, r);
	if (http_read(r, fcgi))
		route(r);
}

static void
on_gone(struct fcgi *fcgi)
{
	struct request *r = fcgi_user(fcgi);
	void (*abandon)(struct request *) = r->abandon;

	r->abandon = NULL;
	if (abandon != NULL)
		abandon(r);
}

const struct fcgi_handler answer_handler = {
	.request = on_request, .gone = on_gone, .forget = free
};
