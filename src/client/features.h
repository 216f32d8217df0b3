/* features - what a FEAT reply tells (RFC 2389 section 3), and which MLSx facts to ask for (RFC 3659 section 7.9). */
#ifndef CLIENT_FEATURES_H
#define CLIENT_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

#include <aftp/client.h>
#include <aftp/reply.h>

/* Servers that are known by their greetings to take some names for others. */
void features_greeted(struct aftp_features *f, const struct aftp_reply *r);

/* Sets what the lines of a 211 name; sets nothing but `feat` to false for a refusal. */
void features_parse(struct aftp_features *f, const struct aftp_reply *r);

/* The argument of OPTS that turns on every fact that is of use here and that the server offers and does not send by
 * itself ("MLST type;size;UNIX.mode;"). False when there is nothing to ask for, or no room. */
bool features_wish(const struct aftp_features *f, char *out, size_t size);

/* Is a command worth sending? Offered or unknown, and not refused yet. */
bool features_may_mlst(const struct aftp_features *f);
bool features_may_mlsd(const struct aftp_features *f);
bool features_may_size(const struct aftp_features *f);
bool features_may_mdtm(const struct aftp_features *f);

/* Does this code say that the server has no such command (500, 502, 504)? */
bool features_unknown_command(int code);

#endif
