/* What is left of a body stays on the connection. */
#define fcgi_body fcgi_body_drained
#include "../../src/fcgi.c"
#undef fcgi_body

long fcgi_body(struct fcgi *, char *, size_t);

long
fcgi_body(struct fcgi *c, char *to, size_t room)
{
	return room > 0 ? FCGX_GetStr(to, (int)room, c->fcgx.in) : 0;
}
