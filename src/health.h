/* The handlers of /, /api/health and what hangs below it. */
#ifndef HEALTH_H
#define HEALTH_H

struct request;

void health_root(struct request *);
void health_alive(struct request *);
void health_ready(struct request *);
void health_pool(struct request *);
void health_cache(struct request *);
void health_clear(struct request *);
void health_slow(struct request *);

#endif
