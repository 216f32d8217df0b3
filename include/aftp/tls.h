/* tls - what TLS connections need: settings, which any number of them share, and the sessions they may resume.
 *
 * Certificates are verified unless asked otherwise. A pinned key needs no authority and no host name: it is compared
 * with the peer's public key (as in RFC 7469), and nothing else counts. TLS 1.2 and 1.3 are spoken by default. */
#ifndef AFTP_TLS_H
#define AFTP_TLS_H

#include <stdbool.h>
#include <stddef.h>

struct aftp_tls;          /* settings; reference-counted, never changed */
struct aftp_tls_sessions; /* what a control connection shares with its data connections; reference-counted */

enum aftp_tls_version {
	AFTP_TLS_DEFAULT, /* at least 1.2, at most 1.3 */
	AFTP_TLS_1_0,     /* below 1.2 nothing is safe: it must be asked for */
	AFTP_TLS_1_1,
	AFTP_TLS_1_2,
	AFTP_TLS_1_3,
};

/* What both sides can choose. Files are PEM; a file may hold a chain, the leaf first. */
struct aftp_tls_options {
	const char *cert_file;    /* our certificate; NULL = none (a server then makes one, see below) */
	const char *key_file;     /* its key; NULL = in cert_file */
	const char *key_password; /* NULL = none: a key that needs one is refused, nobody is asked */

	/* Whose certificates are trusted. Of a client: both NULL = the system's. Of a server: both NULL = clients need no
	 * certificate; else they must show one. */
	const char *ca_file;
	const char *ca_path; /* a directory with hashed names, see openssl-rehash(1) */

	/* "sha256//BASE64" of the SubjectPublicKeyInfo, up to 8 joined by ';'. One must match; then neither authority nor
	 * host name is asked for. NULL = none. */
	const char *pin;
	bool no_verify_peer;     /* any certificate is taken (but a pin still counts): who listens cannot be told */
	bool no_verify_hostname; /* a trusted certificate is taken whatever name it is for */

	enum aftp_tls_version min_version, max_version;
	const char *ciphers;      /* up to TLS 1.2, in OpenSSL's words; NULL = OpenSSL's choice */
	const char *ciphersuites; /* of TLS 1.3 */
};

/* Both: the caller owns one reference. `why` (may be NULL) gets words for people on failure.
 * 0; AFTP_ENOMEM; AFTP_EINVAL: a pin, a version or a cipher that cannot be; AFTP_ECERT: a file that cannot be read, or
 * is not what it should be. */
int aftp_tls_client_new(struct aftp_tls **out, const struct aftp_tls_options *o, char *why, size_t size);

/* Without cert_file a certificate is made in memory, for `names` ("ftp.example.org,127.0.0.1"; NULL = localhost and its
 * addresses) and with a new key; nobody trusts it unless told to. Sessions are kept in tickets, so that resuming costs
 * no memory; they work for this server as long as its settings live. Clients that take no tickets can resume what began on
 * a connection that shares `sessions`. */
int aftp_tls_server_new(
	struct aftp_tls **out, const struct aftp_tls_options *o, const char *names, char *why, size_t size);

struct aftp_tls *aftp_tls_ref(struct aftp_tls *t);
void aftp_tls_unref(struct aftp_tls *t); /* accepts NULL */

/* Of our own certificate: the pin by which a client can know us, "" when there is none, and all of it as PEM text, NULL
 * when there is none. Both live as long as `t`. */
const char *aftp_tls_own_pin(const struct aftp_tls *t);
const char *aftp_tls_own_certificate(const struct aftp_tls *t);

/* One for each control connection, given to its TLS and to that of its data connections. A client's keeps the sessions
 * that the server hands out on any of them, and gives the newest unused one to the next (RFC 8446 section C.4: a TLS 1.3
 * ticket is best used once); the last one is kept. A server's tells its own tickets from those of other control
 * connections: see aftp_stream_tls_resumed(). Streams hold a reference while they live. 0 or AFTP_ENOMEM. */
int aftp_tls_sessions_new(struct aftp_tls_sessions **out);
struct aftp_tls_sessions *aftp_tls_sessions_ref(struct aftp_tls_sessions *s);
void aftp_tls_sessions_unref(struct aftp_tls_sessions *s); /* accepts NULL */

/* Connections that share it go no higher than `max`, whatever their settings allow. For servers whose sessions can only
 * be resumed with TLS 1.2. */
void aftp_tls_sessions_limit(struct aftp_tls_sessions *s, enum aftp_tls_version max);

#endif
