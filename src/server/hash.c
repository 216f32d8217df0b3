#include "server/hash.h"

#include <aftp/status.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CRC_SLICES = 8 };

struct hash {
	EVP_MD_CTX *evp; /* NULL: CRC-32 */
	bool failed;
	uint32_t crc;
	uint32_t table[CRC_SLICES][256];
};

/* --- kinds ----------------------------------------------------------------------------------------- */

static const struct hash_kind kinds[] = {
	{ "SHA-256", "SHA256", { "XSHA256", NULL } },
	{ "SHA-512", "SHA512", { "XSHA512", NULL } },
	{ "SHA-1", "SHA1", { "XSHA1", "XSHA" } },
	{ "MD5", "MD5", { "XMD5", NULL } },
	{ "CRC32", NULL, { "XCRC", NULL } },
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

size_t hash_kind_count(void)
{
	return KINDS;
}

const struct hash_kind *hash_kind_at(size_t i)
{
	return &kinds[i];
}

const struct hash_kind *hash_kind_find(const char *name)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcasecmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

const struct hash_kind *hash_kind_of_verb(const char *verb)
{
	for (size_t i = 0; i < 2 * KINDS; i++) {
		const char *own = kinds[i / 2].verbs[i % 2];
		if (own && strcmp(own, verb) == 0)
			return &kinds[i / 2];
	}
	return NULL;
}

/* --- CRC-32, eight bytes a step -------------------------------------------------------------------- */

static void crc_prepare(struct hash *h)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;
		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
		h->table[0][i] = c;
	}
	for (int slice = 1; slice < CRC_SLICES; slice++)
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t c = h->table[slice - 1][i];
			h->table[slice][i] = h->table[0][c & 255] ^ (c >> 8);
		}
	h->crc = UINT32_MAX;
}

static void crc_update(struct hash *h, const unsigned char *p, size_t n)
{
	uint32_t crc = h->crc;
	for (; n >= CRC_SLICES; n -= CRC_SLICES, p += CRC_SLICES) {
		uint32_t next = 0;
		for (int i = 0; i < CRC_SLICES; i++) {
			unsigned char byte = p[i];
			if (i < 4)
				byte = (unsigned char)(byte ^ (crc >> 8 * i));
			next ^= h->table[CRC_SLICES - 1 - i][byte];
		}
		crc = next;
	}
	for (; n > 0; n--, p++)
		crc = h->table[0][(crc ^ *p) & 255] ^ (crc >> 8);
	h->crc = crc;
}

/* --- life ------------------------------------------------------------------------------------------ */

int hash_new(struct hash **out, const struct hash_kind *kind)
{
	struct hash *h = calloc(1, sizeof(*h));
	if (!h)
		return AFTP_ENOMEM;
	*out = h;
	if (!kind->evp) {
		crc_prepare(h);
		return 0;
	}
	const EVP_MD *md = EVP_get_digestbyname(kind->evp);
	h->evp = md ? EVP_MD_CTX_new() : NULL;
	int rc = !md ? AFTP_ENOTSUP : !h->evp ? AFTP_ENOMEM : EVP_DigestInit_ex(h->evp, md, NULL) ? 0 : AFTP_ENOTSUP;
	if (rc < 0) {
		hash_free(h);
		*out = NULL;
	}
	return rc;
}

void hash_free(struct hash *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->evp);
	free(h);
}

void hash_update(struct hash *h, const void *p, size_t n)
{
	if (!h->evp)
		crc_update(h, p, n);
	else if (!EVP_DigestUpdate(h->evp, p, n))
		h->failed = true;
}

int hash_final(struct hash *h, char *hex)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 4;
	uint32_t crc = ~h->crc;
	for (unsigned i = 0; i < 4; i++)
		digest[i] = (unsigned char)(crc >> (24 - 8 * i));
	if (h->evp && (h->failed || !EVP_DigestFinal_ex(h->evp, digest, &len)))
		return AFTP_EIO;
	for (unsigned i = 0; i < len; i++)
		snprintf(hex + 2 * (size_t)i, 3, "%02x", digest[i]);
	return 0;
}
