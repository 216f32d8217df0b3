/* fuzz - what the targets share. Each is one file with LLVMFuzzerTestOneInput(), which libFuzzer calls (make fuzz), and
 * replay.c with the inputs that are kept in seeds/ (make check). */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input. */
#define MUST(condition)                                                                         \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

/* redirect.c: every connect() of the process, libuv's too, goes to this port of 127.0.0.1. So an input cannot make it
 * reach anybody else. */
extern uint16_t fuzz_port;
/* A listening socket there, not blocking; sets fuzz_port. */
int fuzz_listen(void);

#endif
