/* entry_month - names of months, in English and in the languages of servers that translate them. */
#ifndef PROTO_ENTRY_MONTH_H
#define PROTO_ENTRY_MONTH_H

#include <stddef.h>

/* 1..12, or 0. A final '.' or ',' is ignored, and so is the case of ASCII letters. */
unsigned entry_month(const char *s, size_t n);

#endif
