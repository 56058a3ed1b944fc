/* Workers end by _exit, and would not write down where they have been. */
#include <unistd.h>

void __gcov_dump(void);

__attribute__((noreturn)) static inline void
covered_exit(int status)
{
	__gcov_dump();
	_exit(status);
}
#define _exit covered_exit
