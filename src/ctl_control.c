/*
 * What is asked of a running master: one line, and one JSON document back,
 * over its unix socket.
 */
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "ctl.h"
#include "json.h"

#define ANSWER_MAX (4 << 20)
#define LINE_SIZE 300
#define PATIENCE 30		/* seconds, for a reload too */

static int
connect_master(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = PATIENCE };
	int fd;

	if (strlen(conf.control_socket) >= sizeof address.sun_path) {
		ctl_fail("%s is too long for a socket", conf.control_socket);
		return -1;
	}
	strcpy(address.sun_path, conf.control_socket);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd != -1) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		    sizeof patience);
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		    sizeof patience);
		if (connect(fd, (struct sockaddr *)&address,
		    sizeof address) == 0)
			return fd;
	}
	ctl_fail("%s: %s; is reklamd running?", conf.control_socket,
	    strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}

static bool
send_line(int fd, const char *line)
{
	char text[LINE_SIZE];
	int n = snprintf(text, sizeof text, "%s\n", line);

	return send(fd, text, (size_t)n, MSG_NOSIGNAL) == n;
}

/* Until it closes; NULL with errno. */
static char *
read_answer(int fd, size_t *length)
{
	char *answer = malloc(ANSWER_MAX);
	ssize_t n = -1;

	*length = 0;
	while (answer != NULL && *length < ANSWER_MAX &&
	    (n = read(fd, answer + *length, ANSWER_MAX - *length)) > 0)
		*length += (size_t)n;
	if (n == 0 && *length > 0)
		return answer;
	if (n == 0)
		errno = ECONNRESET;
	free(answer);
	return NULL;
}

char *
ctl_ask(const char *line, size_t *length)
{
	char *answer = NULL;
	int fd = connect_master();

	if (fd == -1)
		return NULL;
	if (send_line(fd, line))
		answer = read_answer(fd, length);
	if (answer == NULL)
		ctl_fail("reklamd does not answer: %s", strerror(errno));
	close(fd);
	return answer;
}

bool
ctl_read(struct json *document, const char *answer, size_t length)
{
	static struct json_node nodes[JSON_NODES_MAX];

	if (json_read(document, answer, length, nodes, JSON_NODES_MAX) ==
	    JSON_FINE)
		return true;
	ctl_fail("what reklamd answers is not JSON");
	return false;
}

/* {"error": "a sentence"} */
static bool
is_refusal(const struct json *document)
{
	char sentence[1024];

	if (json_member_string(document, 0, "error", sentence,
	    sizeof sentence) == 0)
		return false;
	ctl_fail("%s", sentence);
	return true;
}

static int
show(const char *line)
{
	struct json document;
	size_t length;
	char *answer = NULL;
	int status = CTL_FAILED;

	if (ctl_settings(false))
		answer = ctl_ask(line, &length);
	if (answer == NULL)
		return CTL_FAILED;
	if (ctl_read(&document, answer, length) && !is_refusal(&document)) {
		status = CTL_DONE;
		if (ctl_json)
			printf("%.*s\n", (int)document.nodes[0].end,
			    answer);
		else
			ctl_table(&document);
	}
	free(answer);
	return status;
}

int
ctl_control(int argc, char **argv)
{
	return argc == 1 ? show(argv[0]) : ctl_usage();
}

int
ctl_cache(int argc, char **argv)
{
	char line[LINE_SIZE] = "cache";

	if (argc > 3 || (argc > 1 && strcmp(argv[1], "clear") != 0))
		return ctl_usage();
	if (argc == 2)
		strcpy(line, "cache clear");
	if (argc == 3 && (*argv[2] == '\0' || strlen(argv[2]) > 200 ||
	    strpbrk(argv[2], " \t\r\n") != NULL))
		return ctl_fail("\"%s\" is no prefix", argv[2]);
	if (argc == 3)
		snprintf(line, sizeof line, "cache clear %s", argv[2]);
	return show(line);
}
