/* The master's own socket, where reklamctl asks. */
#ifndef CONTROL_H
#define CONTROL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define CONTROL_POLLS 9		/* the socket and those who ask */

bool control_open(const char *path, char *why, size_t size);
void control_close(void);	/* and the path with it */
void control_forget(void);	/* in a child: only the descriptors */

/* Who asks for a reload waits for the end of the one that it began. */
enum control_stage {
	CONTROL_ANSWERED,	/* at once: it is no reload */
	CONTROL_ASKED,		/* for one that has not begun */
	CONTROL_CHECKED,	/* its settings are being looked at */
	CONTROL_RENEWED,	/* its workers begin */
};
void control_reach(enum control_stage);	/* from the one before */

/* Answers who is at that stage: workers serve, or a sentence says why not. */
void control_reloaded(enum control_stage, const char *refusal);

/* Fills in what to poll for; returns how many. */
unsigned control_polls(struct pollfd polls[CONTROL_POLLS]);
void control_serve(const struct pollfd *polls, unsigned count);

#endif
