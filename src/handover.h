/* What an upgrade in place hands to the program that it executes. */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

/* Tells memory apart whose parts would not mean the same. */
uint64_t handover_layout(void);

/*
 * Executes the program anew with everything it needs in the environment: the
 * memory, the bells, the sockets and the children.  Returns only on failure.
 */
void handover_execute(const char *program, char **arguments,
    unsigned generation);

/* Maps the memory and takes over what was handed; without a handover all is
 * new.  False with a sentence. */
bool handover_receive(unsigned *generation, char *why, unsigned long size);

#endif
