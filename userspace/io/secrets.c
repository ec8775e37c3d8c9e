// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Secrets at rest, as lines of Base64. Not here: files that survive crashes (state_file.h).
 */
#include "io/secrets.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/state_file.h"

#define LINE_BYTES     160 /* a key, a word and more */
#define SECRET_BYTES   4096
#define KEY_ID_CONTEXT "starling ring id"
#define SEED_CONTEXT   "starling seed id"
#define RING_CONTEXT   "SRG1" /* begins what is signed, as signing.h wants */
#define RING_SIGNED    "signed "

_Static_assert(sizeof(((struct identity *)0)->secret) == crypto_sign_SECRETKEYBYTES, "Ed25519");
_Static_assert(SIGNATURE_BYTES == crypto_sign_BYTES, "Ed25519");

/* --- files --- */

static int path_of(char path[PATH_MAX], const char *dir, const char *name, struct err *err)
{
	return (size_t)snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX
		       ? 0
		       : err_set(err, ENAMETOOLONG, "%s/%s is too long for a path", dir, name);
}

/* A credential of systemd is a plain file. Return: 0, -ENOENT, or -errno with @err. */
static int credential_read(const char *name, char text[SECRET_BYTES], struct err *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];
	ssize_t n;
	int fd, rc = 0;

	if (!dir)
		return -ENOENT;
	if ((size_t)snprintf(path, sizeof(path), "%s/starling.%s", dir, name) >= sizeof(path))
		return err_set(err, ENAMETOOLONG, "the credential directory has too long a name");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ENOENT : err_set(err, errno, "cannot read %s: %s", path, strerror(errno));
	n = read(fd, text, SECRET_BYTES - 1);
	if (n < 0)
		rc = err_set(err, errno, "cannot read %s: %s", path, strerror(errno));
	else if (n == SECRET_BYTES - 1)
		rc = err_set(err, EFBIG, "%s is too long", path);
	else
		text[n] = '\0';
	close(fd);
	return rc;
}

/* Return: 0, -ENOENT without words, or -errno with @err. */
static int secret_read(const char *dir, const char *name, char text[SECRET_BYTES], struct err *err)
{
	char path[PATH_MAX], *all = NULL;
	int rc = credential_read(name, text, err);
	size_t len = 0;

	if (rc != -ENOENT)
		return rc;
	rc = path_of(path, dir, name, err);
	if (!rc)
		rc = state_file_read(path, &all, &len, err);
	if (rc)
		return rc;
	if (len >= SECRET_BYTES)
		rc = err_set(err, EFBIG, "%s is too long", path);
	else
		memcpy(text, all, len + 1);
	sodium_memzero(all, len);
	free(all);
	return rc;
}

static int secret_write(const char *dir, const char *name, const char *text, struct err *err)
{
	char path[PATH_MAX];
	int rc = path_of(path, dir, name, err);

	return rc ? rc : state_file_write_secret(path, text, strlen(text), err);
}

/* The bytes of a line's first word. Return: whether there are exactly @len. */
static bool bytes_read(const char *word, void *bytes, size_t len)
{
	size_t got;

	return !sodium_base642bin(bytes, len, word, strcspn(word, " \n"), NULL, &got, NULL,
				  sodium_base64_VARIANT_ORIGINAL) &&
	       got == len;
}

static char *bytes_write(char text[LINE_BYTES], const void *bytes, size_t len)
{
	return sodium_bin2base64(text, LINE_BYTES, bytes, len, sodium_base64_VARIANT_ORIGINAL);
}

/* --- identity --- */

static void identity_from(struct identity *ret, const __u8 seed[crypto_sign_SEEDBYTES])
{
	crypto_sign_seed_keypair(ret->key.byte, ret->secret, seed);
	ret->id = roster_id(&ret->key);
}

int identity_renew(const char *dir, struct identity *ret, struct err *err)
{
	__u8 seed[crypto_sign_SEEDBYTES];
	char text[LINE_BYTES];
	struct identity made;
	int rc;

	randombytes_buf(seed, sizeof(seed));
	identity_from(&made, seed);
	rc = secret_write(dir, "identity", bytes_write(text, seed, sizeof(seed)), err);
	if (!rc)
		*ret = made;
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(text, sizeof(text));
	sodium_memzero(&made, sizeof(made));
	return rc;
}

static bool set_aside(const char *dir, char path[PATH_MAX])
{
	return (size_t)snprintf(path, PATH_MAX, "%s/identity.corrupt", dir) < PATH_MAX && !access(path, F_OK);
}

int identity_open(const char *dir, struct identity *ret, bool *ret_made, struct err *err)
{
	__u8 seed[crypto_sign_SEEDBYTES];
	char text[SECRET_BYTES], path[PATH_MAX];
	int rc = secret_read(dir, "identity", text, err);

	*ret_made = false;
	if (rc == -ENOENT && set_aside(dir, path))
		return err_set(err, EBADMSG,
			       "this node's identity is lost, what is left of it is %s: bring it back from a copy, or "
			       "remove that file to become a new node",
			       path);
	if (rc == -ENOENT) {
		*ret_made = true;
		return identity_renew(dir, ret, err);
	}
	if (!rc && !bytes_read(text, seed, sizeof(seed)))
		rc = err_set(err, EBADMSG, "the identity in %s is not one", dir);
	if (!rc)
		identity_from(ret, seed);
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(text, sizeof(text));
	return rc;
}

static int identity_sign(void *arg, const void *bytes, size_t len, __u8 ret_signature[SIGNATURE_BYTES])
{
	const struct identity *identity = arg;

	return crypto_sign_detached(ret_signature, NULL, bytes, len, identity->secret) ? -EINVAL : 0;
}

static bool identity_verify(void *arg, const struct roster_key *key, const void *bytes, size_t len,
			    const __u8 signature[SIGNATURE_BYTES])
{
	(void)arg;
	return !crypto_sign_verify_detached(signature, bytes, len, key->byte);
}

static void identity_hash(void *arg, const void *bytes, size_t len, __u8 ret_hash[HASH_BYTES])
{
	(void)arg;
	crypto_generichash(ret_hash, HASH_BYTES, bytes, len, NULL, 0);
}

struct signing identity_signing(struct identity *identity)
{
	return (struct signing){identity, identity_sign, identity_verify, identity_hash};
}

/* --- ring --- */

__u32 ring_key_id(const __u8 byte[RING_KEY_BYTES])
{
	__u8 hash[crypto_generichash_BYTES_MIN];
	__u32 id;

	_Static_assert(sizeof(KEY_ID_CONTEXT) - 1 == crypto_generichash_KEYBYTES_MIN, "as key: domain separation");
	crypto_generichash(hash, sizeof(hash), byte, RING_KEY_BYTES, (const __u8 *)KEY_ID_CONTEXT,
			   sizeof(KEY_ID_CONTEXT) - 1);
	id = (__u32)hash[0] << 24 | (__u32)hash[1] << 16 | (__u32)hash[2] << 8 | hash[3];
	return id ? id : 1;
}

const struct ring_key *ring_find(const struct ring *ring, __u32 id)
{
	for (size_t i = 0; i < ring->count; i++)
		if (ring->key[i].id == id)
			return &ring->key[i];
	return NULL;
}

__u32 ring_add(struct ring *ring, const __u8 byte[RING_KEY_BYTES])
{
	__u32 id = ring_key_id(byte);

	if (ring_find(ring, id))
		return id;
	if (ring->count == RING_KEYS)
		return 0;
	ring->key[ring->count].id = id;
	memcpy(ring->key[ring->count++].byte, byte, RING_KEY_BYTES);
	if (!ring->used)
		ring->used = id;
	return id;
}

__u32 ring_make(struct ring *ring)
{
	__u8 byte[RING_KEY_BYTES];
	__u32 id;

	randombytes_buf(byte, sizeof(byte));
	id = ring_add(ring, byte);
	sodium_memzero(byte, sizeof(byte));
	return id;
}

int ring_use(struct ring *ring, __u32 id)
{
	if (!ring_find(ring, id))
		return -ENOENT;
	ring->used = id;
	return 0;
}

int ring_remove(struct ring *ring, __u32 id)
{
	size_t i;

	for (i = 0; i < ring->count && ring->key[i].id != id; i++)
		;
	if (i == ring->count)
		return -ENOENT;
	if (ring->used == id)
		return -EBUSY;
	ring->key[i] = ring->key[--ring->count];
	sodium_memzero(&ring->key[ring->count], sizeof(ring->key[0]));
	return 0;
}

#define RING_SIGNED_BYTES (RING_BYTES - SIGNATURE_BYTES)
#define RING_SIGN_TEXT	  (sizeof(RING_CONTEXT) - 1 + RING_SIGNED_BYTES)

void ring_encode(const struct ring *ring, __u8 ret[RING_BYTES])
{
	__le64 longs[2] = {htole64(ring->number), htole64(ring->author)};
	__le32 words[2] = {htole32(ring->used), htole32((__u32)ring->count)};
	__u8 *p = ret;

	memset(ret, 0, RING_BYTES);
	p = mempcpy(p, longs, sizeof(longs));
	p = mempcpy(p, words, sizeof(words));
	for (size_t i = 0; i < ring->count; i++)
		memcpy(p + i * RING_KEY_BYTES, ring->key[i].byte, RING_KEY_BYTES);
	memcpy(ret + RING_SIGNED_BYTES, ring->signature, SIGNATURE_BYTES);
}

int ring_decode(const __u8 bytes[RING_BYTES], struct ring *ret)
{
	struct ring ring = {0};
	__le64 longs[2];
	__le32 words[2];
	const __u8 *p = bytes + sizeof(longs) + sizeof(words);
	size_t count, i;

	memcpy(longs, bytes, sizeof(longs));
	memcpy(words, bytes + sizeof(longs), sizeof(words));
	count = le32toh(words[1]);
	if (!count || count > RING_KEYS)
		return -EBADMSG;
	for (i = 0; i < count; i++)
		ring_add(&ring, p + i * RING_KEY_BYTES);
	if (ring.count != count || ring_use(&ring, le32toh(words[0])) ||
	    !sodium_is_zero(p + count * RING_KEY_BYTES, (RING_KEYS - count) * RING_KEY_BYTES))
		return -EBADMSG;
	ring.number = le64toh(longs[0]);
	ring.author = le64toh(longs[1]);
	memcpy(ring.signature, bytes + RING_SIGNED_BYTES, SIGNATURE_BYTES);
	*ret = ring;
	return 0;
}

static void ring_text(const struct ring *ring, __u8 ret[RING_SIGN_TEXT])
{
	__u8 bytes[RING_BYTES];

	ring_encode(ring, bytes);
	memcpy(ret, RING_CONTEXT, RING_SIGN_TEXT - RING_SIGNED_BYTES);
	memcpy(ret + RING_SIGN_TEXT - RING_SIGNED_BYTES, bytes, RING_SIGNED_BYTES);
	sodium_memzero(bytes, sizeof(bytes));
}

int ring_sign(struct ring *ring, const struct identity *author)
{
	__u8 text[RING_SIGN_TEXT];

	if (ring->number == UINT64_MAX)
		return -EOVERFLOW;
	ring->number++;
	ring->author = author->id;
	ring_text(ring, text);
	crypto_sign_detached(ring->signature, NULL, text, sizeof(text), author->secret);
	sodium_memzero(text, sizeof(text));
	return 0;
}

bool ring_signed(const struct ring *ring, const struct roster_key *author)
{
	__u8 text[RING_SIGN_TEXT];
	bool right;

	ring_text(ring, text);
	right = !crypto_sign_verify_detached(ring->signature, text, sizeof(text), author->byte);
	sodium_memzero(text, sizeof(text));
	return right;
}

int ring_compare(const struct ring *a, const struct ring *b)
{
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return a->author < b->author ? -1 : a->author > b->author;
}

/* "signed NUMBER AUTHOR SIGNATURE" */
static bool signed_read(const char *line, struct ring *ring)
{
	char *end;

	if (strncmp(line, RING_SIGNED, sizeof(RING_SIGNED) - 1) != 0)
		return false;
	ring->number = strtoull(line + sizeof(RING_SIGNED) - 1, &end, 10);
	ring->author = strtoull(end, &end, 16);
	return *end == ' ' && bytes_read(end + 1, ring->signature, sizeof(ring->signature));
}

/* A line a key: Base64, and "use" behind the one in use; then who signed it. */
int ring_load(const char *dir, struct ring *ret, struct err *err)
{
	struct ring ring = {0};
	char text[SECRET_BYTES], *line, *rest = text;
	__u8 byte[RING_KEY_BYTES];
	int rc = secret_read(dir, "ring", text, err);
	__u32 id;

	if (rc == -ENOENT) {
		*ret = ring;
		return 0;
	}
	while (!rc && (line = strsep(&rest, "\n")) && *line) {
		if (signed_read(line, &ring))
			continue;
		id = bytes_read(line, byte, sizeof(byte)) ? ring_add(&ring, byte) : 0;
		if (!id)
			rc = err_set(err, EBADMSG, "the keys in %s/ring are none", dir);
		else if (strstr(line, " use"))
			ring.used = id;
	}
	if (!rc)
		*ret = ring;
	sodium_memzero(&ring, sizeof(ring));
	sodium_memzero(text, sizeof(text));
	sodium_memzero(byte, sizeof(byte));
	return rc;
}

int ring_save(const char *dir, const struct ring *ring, struct err *err)
{
	char text[SECRET_BYTES] = "", line[LINE_BYTES];
	size_t len = 0;
	int rc;

	for (size_t i = 0; i < ring->count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s\n",
					bytes_write(line, ring->key[i].byte, RING_KEY_BYTES),
					ring->key[i].id == ring->used ? " use" : "");
	if (ring->number)
		snprintf(text + len, sizeof(text) - len, RING_SIGNED "%llu %016llx %s\n",
			 (unsigned long long)ring->number, (unsigned long long)ring->author,
			 bytes_write(line, ring->signature, sizeof(ring->signature)));
	rc = secret_write(dir, "ring", text, err);
	sodium_memzero(text, sizeof(text));
	sodium_memzero(line, sizeof(line));
	return rc;
}

/* --- seed --- */

int seed_load(const char *dir, __u32 ret[SEED_WORDS], struct err *err)
{
	char text[SECRET_BYTES];
	__u32 seed[SEED_WORDS];
	int rc = secret_read(dir, "seed", text, err);

	if (!rc && !bytes_read(text, seed, sizeof(seed)))
		rc = err_set(err, EBADMSG, "the seed in %s is not one", dir);
	if (!rc)
		memcpy(ret, seed, sizeof(seed));
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(text, sizeof(text));
	return rc;
}

int seed_save(const char *dir, const __u32 seed[SEED_WORDS], struct err *err)
{
	char text[LINE_BYTES];
	int rc = secret_write(dir, "seed", bytes_write(text, seed, SEED_WORDS * sizeof(*seed)), err);

	sodium_memzero(text, sizeof(text));
	return rc;
}

__u64 seed_fingerprint(const __u32 seed[SEED_WORDS])
{
	__le64 hash[crypto_generichash_BYTES_MIN / sizeof(__le64)];

	_Static_assert(sizeof(SEED_CONTEXT) - 1 == crypto_generichash_KEYBYTES_MIN, "as key: domain separation");
	crypto_generichash((__u8 *)hash, sizeof(hash), (const __u8 *)seed, SEED_WORDS * sizeof(*seed),
			   (const __u8 *)SEED_CONTEXT, sizeof(SEED_CONTEXT) - 1);
	return le64toh(hash[0]);
}
