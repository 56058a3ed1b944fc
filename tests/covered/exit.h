/* Workers end by _exit, and would not write down where they have been. */
#include <unistd.h>

void __gcov_dump(void);
#define _exit(status) (__gcov_dump(), _exit(status))
