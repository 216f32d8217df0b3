/* rawdata - any command that makes the server send: NLST, LIST, MLSD with arguments of the caller's. */
#ifndef CLIENT_RAWDATA_H
#define CLIENT_RAWDATA_H

#include <aftp/client.h>

/* As aftp_client_retrieve(), with another command. `argument` may be NULL. AFTP_EINVAL: no verb. */
int rawdata_start(struct aftp_client *c, struct aftp_transfer **out, const char *verb, const char *argument,
	const struct aftp_sink *sink);

#endif
