/* What each reply adds to the counters, and the line it is worth. */
#ifndef MEASURE_H
#define MEASURE_H

/* From now on, every reply of this worker. */
void measure_open(void);

#endif
