/* GET /api/metrics: every counter of the program as Prometheus text. */
#ifndef METRICS_H
#define METRICS_H

struct request;

void metrics_tell(struct request *);

#endif
