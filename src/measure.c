#include "measure.h"

#include "board.h"
#include "conf.h"
#include "http.h"
#include "log.h"
#include "match.h"
#include "routes.h"
#include "shm.h"

static uint64_t told;		/* of the lines that could not be written */

static void
log_request(enum log_level level, const char *event, const struct request *r,
    int status, size_t bytes, int64_t us, const struct http_timing *t)
{
	const char *id = http_header(r, FCGI_REQUEST_ID);
	struct log_line line;

	log_begin(&line, level, event);
	if (id != NULL)
		log_text(&line, "request", id);
	if (r->route != NULL) {
		log_text(&line, "method", match_method_name(r->route->method));
		log_text(&line, "route", r->route->path);
		if (r->route->statement != NULL)
			log_text(&line, "statement", r->route->statement);
	}
	if (r->user[0] != '\0')
		log_text(&line, "user", r->user);
	log_number(&line, "status", status);
	log_number(&line, "bytes", (int64_t)bytes);
	log_number(&line, "us", us);
	if (t != NULL)
		log_text(&line, "cache", t->cache);
	log_number(&line, "queued_us", r->queued_us);
	log_number(&line, "query_us", r->ran_us);
	log_end(&line);
}

static void
count(const struct request *r, int status, int64_t us)
{
	uint64_t dropped = log_dropped();

	board_add(&board->requests, 1);
	if (dropped != told)
		board_add(&board->log_dropped, dropped - told);
	told = dropped;
	if (status == 304)
		board_add(&board->not_modified, 1);
	if (r->route != NULL) {
		struct board_route *route = &board->routes[r->route_index];

		board_add(&route->status[status / 100], 1);
		board_time(&route->time, us);
	}
}

static void
on_replied(struct request *r, int status, size_t bytes,
    const struct http_timing *timing)
{
	int64_t us = shm_now_us() - r->started_us;

	count(r, status, us);
	if (status >= 500 && !(r->route != NULL && r->route->flags & QUIET))
		log_request(LOG_WARNING, "failed", r, status, bytes, us,
		    timing);
	else if (us >= conf.slow_ms * 1000 && conf.slow_ms > 0)
		log_request(LOG_NOTICE, "slow", r, status, bytes, us, timing);
	else if (conf.log_level >= LOG_DEBUG)
		log_request(LOG_DEBUG, "request", r, status, bytes, us,
		    timing);
}

void
measure_open(void)
{
	told = log_dropped();		/* the master's, before the fork */
	http_replied = on_replied;
}
