/* buffers - memory for the kernel's requests. The bytes of a large write stay where the kernel has put them until they
 * are on their way to the server, so that they are not copied once more; meanwhile requests land elsewhere. */
#ifndef MOUNT_BUFFERS_H
#define MOUNT_BUFFERS_H

struct buffers;

struct buffers *buffers_new(void); /* NULL when out of memory */

/* One that came back, or NULL: then it must be made with malloc(), by whoever knows how large it must be. */
void *buffers_take(struct buffers *b);
/* From here on somebody else has one, and gives it back by buffers_back() at any time, also after buffers_free(). */
void buffers_lent(struct buffers *b);
void buffers_back(void *b, void *memory);

void buffers_free(struct buffers *b); /* accepts NULL; lives on until the last one is back */

#endif
