/* A new password, from the terminal or from standard input. */
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "conf.h"
#include "ctl.h"

#define CHARACTERS_LEAST 8	/* ASVS 5.0, 6.2.1 */

static bool
read_line(char *line, int size)
{
	size_t n;

	if (fgets(line, size, stdin) == NULL)
		return false;
	n = strcspn(line, "\r\n");
	line[n] = '\0';
	return true;
}

/* Without echo where somebody types. */
static bool
ask(const char *question, char *line, int size)
{
	struct termios was, quiet;
	bool typed = tcgetattr(STDIN_FILENO, &was) == 0, got;

	if (!typed)
		return read_line(line, size);
	/* The question comes last: what was typed before it is thrown away. */
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	fputs(question, stderr);
	got = read_line(line, size);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
	putc('\n', stderr);
	return got;
}

static int
characters(const char *text)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

/* What bcrypt would not read of it would be no part of the password. */
static const char *
fault(const char *password)
{
	if (characters(password) < CHARACTERS_LEAST)
		return "a password has at least 8 characters";
	if (strlen(password) > PASSWORD_BYTES_MAX)
		return "a password has at most 72 bytes";
	return NULL;
}

bool
ctl_password(char hash[PASSWORD_HASH_SIZE])
{
	char once[256] = "", again[256] = "";
	const char *wrong = NULL;

	if (!ask("New password: ", once, sizeof once))
		wrong = "there is no password";
	else if ((wrong = fault(once)) == NULL && isatty(STDIN_FILENO) &&
	    (!ask("The same again: ", again, sizeof again) ||
	    strcmp(once, again) != 0))
		wrong = "these were two different ones";
	else if (wrong == NULL &&
	    !password_make(once, (int)conf.password_cost, hash))
		wrong = "a hash cannot be made";
	explicit_bzero(once, sizeof once);
	explicit_bzero(again, sizeof again);
	if (wrong != NULL)
		ctl_fail("%s", wrong);
	return wrong == NULL;
}
