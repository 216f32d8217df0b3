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

/* The argument of OPTS that turns on these facts, as far as the server offers them, and no others
 * ("MLST type;size;UNIX.mode;"). False when nothing is gained, or there is no room. */
enum features_choice {
	FEATURES_NEEDED, /* what a listing cannot do without; gains when the others that come by themselves are much longer */
	FEATURES_USEFUL, /* whatever is of use here; gains when something of that does not come by itself */
	FEATURES_USUAL,  /* that, and what comes by itself */
};
bool features_facts(const struct aftp_features *f, enum features_choice choice, char *out, size_t size);

/* Is a command worth sending? Offered or unknown, and not refused yet. */
bool features_may_mlst(const struct aftp_features *f);
bool features_may_mlsd(const struct aftp_features *f);
bool features_may_size(const struct aftp_features *f);
bool features_may_mdtm(const struct aftp_features *f);

/* Does this code say that the server has no such command (500, 502, 504)? */
bool features_unknown_command(int code);

#endif
