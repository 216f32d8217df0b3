/* counts - what the server has counted: as lines for people, and as a file for programs. */
#ifndef MEMFTPD_COUNTS_H
#define MEMFTPD_COUNTS_H

#include <aftp/server.h>
#include <stdio.h>

/* "stat NAME N", a line each, and "stat end". */
void counts_print(const struct aftp_server *server, FILE *out);
/* One JSON object. The file appears, or changes, all at once. 0 or -errno. */
int counts_write(const struct aftp_server *server, const char *path);

#endif
