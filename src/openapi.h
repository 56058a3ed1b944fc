/* GET /api/openapi.json: the tables that route and check, as OpenAPI 3.1. */
#ifndef OPENAPI_H
#define OPENAPI_H

struct request;

void openapi_tell(struct request *);

#endif
