/* attr - what is known of one remote thing, small enough to keep a hundred thousand of. */
#ifndef REMOTE_ATTR_H
#define REMOTE_ATTR_H

#include <stdbool.h>
#include <stdint.h>

#include <aftp/entry.h>

#include "remote/site.h"

struct attr {
	uint64_t size; /* of a directory: a hint at how long its listing is, or 0 */
	int64_t mtime;
	uint32_t mtime_nsec;
	uint16_t mode; /* 07777 */
	uint8_t type;  /* enum aftp_type; UNKNOWN only for the zeroed value */
	uint8_t have;  /* AFTP_HAVE_SIZE, _MODE, _MTIME */
};

/* An entry of unknown type counts as a file: it can be opened, and the server says no if it is not one. */
void attr_from_entry(struct attr *a, const struct aftp_entry *e);

/* The directory that is the root of a mount, before anything is known of it. */
void attr_directory(struct attr *a);

/* Everything stat(2) wants. What the server did not tell gets the usual: files 0644, directories 0755, one link. */
void attr_to_stat(const struct attr *a, uint64_t ino, const struct site_options *o, struct stat *st);

#endif
