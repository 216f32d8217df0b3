/* scenario - rules for what is to happen when a certain command comes, a line each: COMMAND WHEN ACTION [ARGUMENT]. */
#ifndef MEMFTPD_SCENARIO_H
#define MEMFTPD_SCENARIO_H

#include "memftpd/options.h"

/* 0, or -1 after complaining. */
int scenario_add(struct options *o, const char *line);
int scenario_load(struct options *o, const char *path);
void scenario_finish(struct options *o);

#endif
