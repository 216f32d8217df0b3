/* dispatch - from a line that a client sent to the command that it is, and whether it may run. */
#ifndef SERVER_DISPATCH_H
#define SERVER_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>

struct session;

/* Consumes the line that control_next() gave, and starts its command. */
void dispatch_line(struct session *s, const char *line, size_t len);
/* The same for a line that came while a transfer runs. False when it has to wait; nothing was consumed then. */
bool dispatch_in_transfer(struct session *s, const char *line, size_t len);
/* One command more; false when that was one too many (a fault), and the session has died. */
bool dispatch_counts(struct session *s);

#endif
