/*
 * The limit: libfcgi on a libevent loop, as reklamd has it, and nothing else.
 * Every request is answered with the bytes of one file, head and body, through
 * libfcgi's own streams.
 *
 *	bare SOCKET FILE
 */
#include <event2/event.h>
#include <fcgiapp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct event_base *base;
static char answer[1 << 20];
static int answer_length;

struct client {
	FCGX_Request request;
	struct event *readable;
};

static void
on_readable(int fd, short what, void *context)
{
	struct client *c = context;
	char rest[4096];

	(void)fd, (void)what;
	if (FCGX_Accept_r(&c->request) != 0) {
		event_free(c->readable);
		FCGX_Free(&c->request, 1);
		free(c);
		return;
	}
	c->request.keepConnection = 1;
	while (FCGX_GetStr(rest, sizeof rest, c->request.in) > 0)
		continue;
	FCGX_PutStr(answer, answer_length, c->request.out);
	FCGX_Finish_r(&c->request);
}

static void
on_accept(int listener, short what, void *context)
{
	int fd;

	(void)what, (void)context;
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct client *c = calloc(1, sizeof *c);

		FCGX_InitRequest(&c->request, -1, 0);
		c->request.ipcFd = fd;
		c->request.keepConnection = 1;
		c->request.detached = 1;
		c->readable = event_new(base, fd, EV_READ | EV_PERSIST,
		    on_readable, c);
		event_add(c->readable, NULL);
	}
}

int
main(int argc, char **argv)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	FILE *file = argc == 3 ? fopen(argv[2], "r") : NULL;

	if (file == NULL || strlen(argv[1]) >= sizeof name.sun_path) {
		fprintf(stderr, "usage: bare SOCKET FILE\n");
		return 1;
	}
	answer_length = (int)fread(answer, 1, sizeof answer, file);
	strcpy(name.sun_path, argv[1]);
	unlink(argv[1]);
	if (bind(listener, (struct sockaddr *)&name, sizeof name) == -1 ||
	    listen(listener, 1024) == -1) {
		perror(argv[1]);
		return 1;
	}
	FCGX_Init();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	base = event_base_new();
	event_add(event_new(base, listener, EV_READ | EV_PERSIST, on_accept,
	    NULL), NULL);
	event_base_dispatch(base);
	return 0;
}
