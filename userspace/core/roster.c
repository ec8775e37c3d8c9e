// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The list of nodes that count, its canonical bytes and digest. Not here: who may change it.
 */
#include "core/roster.h"

#include <endian.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define KEY_PREFIX     "ed25519:"
#define KEY_PREFIX_LEN (sizeof(KEY_PREFIX) - 1)
#define ID_CONTEXT     "starling node id"
#define ENCODE_TITLE   "starling roster 1"

_Static_assert(KEY_PREFIX_LEN + sodium_base64_ENCODED_LEN(ROSTER_KEY_BYTES, sodium_base64_VARIANT_ORIGINAL) ==
		       ROSTER_KEY_TEXT_BYTES,
	       "text of a key");
_Static_assert(ROSTER_KEY_BYTES == crypto_sign_PUBLICKEYBYTES, "Ed25519");

__u64 roster_id(const struct roster_key *key)
{
	__u8 hash[crypto_generichash_BYTES];
	__le64 id;

	_Static_assert(sizeof(ID_CONTEXT) - 1 == crypto_generichash_KEYBYTES_MIN, "as key: domain separation");
	crypto_generichash(hash, sizeof(hash), key->byte, sizeof(key->byte), (const __u8 *)ID_CONTEXT,
			   sizeof(ID_CONTEXT) - 1);
	memcpy(&id, hash, sizeof(id));
	return le64toh(id);
}

const char *roster_id_format(__u64 id, char text[ROSTER_ID_TEXT_BYTES])
{
	snprintf(text, ROSTER_ID_TEXT_BYTES, "%016llx", (unsigned long long)id);
	return text;
}

int roster_key_parse(const char *text, struct roster_key *ret)
{
	struct roster_key key;
	size_t len;

	/* sodium_base642bin() refuses digits past the last byte that are not zero. */
	if (strlen(text) != ROSTER_KEY_TEXT_BYTES - 1 || strncmp(text, KEY_PREFIX, KEY_PREFIX_LEN) != 0 ||
	    sodium_base642bin(key.byte, sizeof(key.byte), text + KEY_PREFIX_LEN, strlen(text) - KEY_PREFIX_LEN, NULL,
			      &len, NULL, sodium_base64_VARIANT_ORIGINAL) ||
	    len != sizeof(key.byte))
		return -EINVAL;
	*ret = key;
	return 0;
}

const char *roster_key_format(const struct roster_key *key, char text[ROSTER_KEY_TEXT_BYTES])
{
	memcpy(text, KEY_PREFIX, KEY_PREFIX_LEN);
	sodium_bin2base64(text + KEY_PREFIX_LEN, ROSTER_KEY_TEXT_BYTES - KEY_PREFIX_LEN, key->byte, sizeof(key->byte),
			  sodium_base64_VARIANT_ORIGINAL);
	return text;
}

const char *const *roster_role_words(void)
{
#define ROLE_WORD(name, word) word,
	static const char *const words[] = {STARLING_ROLES(ROLE_WORD) NULL};
#undef ROLE_WORD

	return words;
}

void roster_roles_format(__u32 roles, struct buf *out)
{
	const char *comma = "";
	size_t i;

	for (i = 0; i < ROLE_COUNT; i++) {
		if (!(roles >> i & 1))
			continue;
		buf_printf(out, "%s%s", comma, roster_role_words()[i]);
		comma = ",";
	}
}

void roster_free(struct roster *r)
{
	free(r->node);
	*r = (struct roster){0};
}

int roster_copy(struct roster *ret, const struct roster *from)
{
	*ret = (struct roster){0};
	if (array_copy(&ret->node, from->node, from->count, sizeof(*from->node)))
		return -ENOMEM;
	ret->count = from->count;
	return 0;
}

static int node_order(const void *name, const void *node)
{
	return strcmp(name, ((const struct roster_node *)node)->name);
}

static bool node_place(const struct roster *r, const char *name, size_t *ret_at)
{
	return array_find(r->node, r->count, sizeof(*r->node), name, node_order, ret_at);
}

int roster_add(struct roster *r, const struct roster_node *node, struct err *err)
{
	struct roster_node copy = *node;
	const struct roster_node *other;
	size_t at;

	if (node_place(r, node->name, &at))
		return err_set(err, EEXIST, "node %s is in the roster already", node->name);
	if (r->count == STARLING_ROSTER_NODES)
		return err_set(err, ENOSPC, "the roster has %d nodes, which is as many as fit", STARLING_ROSTER_NODES);
	copy.id = roster_id(&node->key);
	other = roster_find_id(r, copy.id);
	if (other)
		return err_set(err, EINVAL, "node %s: its key is that of %s already", node->name, other->name);
	if (array_insert(&r->node, &r->count, sizeof(copy), at, &copy))
		return err_set(err, ENOMEM, "no memory for the roster");
	return 0;
}

int roster_delete(struct roster *r, const char *name)
{
	size_t at;

	if (!node_place(r, name, &at))
		return -ENOENT;
	array_delete(r->node, &r->count, sizeof(*r->node), at);
	return 0;
}

const struct roster_node *roster_find(const struct roster *r, const char *name)
{
	size_t at;

	return node_place(r, name, &at) ? &r->node[at] : NULL;
}

const struct roster_node *roster_find_id(const struct roster *r, __u64 id)
{
	size_t i;

	for (i = 0; i < r->count; i++)
		if (r->node[i].id == id)
			return &r->node[i];
	return NULL;
}

__u32 roster_reputation(const struct roster_node *node)
{
	return node->reputation ? node->reputation : ROSTER_REPUTATION_FULL;
}

void roster_reputation_set(struct roster_node *node, __u32 reputation)
{
	node->reputation = reputation == ROSTER_REPUTATION_FULL ? 0 : reputation;
}

bool roster_reputation_is(__u32 reputation)
{
	return reputation >= ROSTER_REPUTATION_FLOOR && reputation <= ROSTER_REPUTATION_FULL &&
	       reputation % ROSTER_REPUTATION_STEP == 0;
}

bool roster_reputations_same(const struct roster *a, const struct roster *b)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct roster_node *other = roster_find_id(b, a->node[i].id);

		if (other && roster_reputation(other) != roster_reputation(&a->node[i]))
			return false;
	}
	return true;
}

void roster_reputations_take(struct roster *to, const struct roster *from)
{
	for (size_t i = 0; i < to->count; i++) {
		const struct roster_node *other = roster_find_id(from, to->node[i].id);

		to->node[i].reputation = other ? other->reputation : 0;
	}
}

static void text_encode(const char *text, struct buf *out)
{
	size_t len = strlen(text);

	_Static_assert(STARLING_NAME_BYTES <= 256, "a byte has the length");
	buf_putc(out, (char)len);
	buf_add(out, text, len);
}

static void number_encode(__u32 number, struct buf *out)
{
	__le32 le = htole32(number);

	buf_add(out, &le, sizeof(le));
}

/* No name is empty, so that nothing else begins with that zero. */
static void reputations_encode(const struct roster *r, struct buf *out)
{
	bool full = true;

	for (size_t i = 0; i < r->count; i++)
		full &= roster_reputation(&r->node[i]) == ROSTER_REPUTATION_FULL;
	if (full)
		return;
	buf_putc(out, 0);
	for (size_t i = 0; i < r->count; i++)
		number_encode(roster_reputation(&r->node[i]), out);
}

void roster_encode(const struct roster *r, struct buf *out)
{
	size_t i;

	buf_add(out, ENCODE_TITLE, sizeof(ENCODE_TITLE));
	for (i = 0; i < r->count; i++) {
		text_encode(r->node[i].name, out);
		text_encode(r->node[i].site, out);
		buf_add(out, r->node[i].key.byte, sizeof(r->node[i].key.byte));
		number_encode(r->node[i].roles, out);
		number_encode(r->node[i].stake, out);
	}
	reputations_encode(r, out);
}

int roster_digest(const struct roster *r, struct roster_epoch *ret)
{
	struct buf bytes = BUF_INIT;
	int rc;

	roster_encode(r, &bytes);
	rc = buf_error(&bytes);
	if (!rc)
		crypto_generichash(ret->byte, sizeof(ret->byte), (const __u8 *)bytes.text, bytes.len, NULL, 0);
	buf_free(&bytes);
	return rc;
}

bool roster_same(const struct roster *a, const struct roster *b)
{
	struct roster_epoch x, y;

	return !roster_digest(a, &x) && !roster_digest(b, &y) && !memcmp(&x, &y, sizeof(x));
}

const char *roster_epoch_format(const struct roster_epoch *epoch, char text[ROSTER_EPOCH_TEXT_BYTES])
{
	return sodium_bin2hex(text, ROSTER_EPOCH_TEXT_BYTES, epoch->byte, sizeof(epoch->byte));
}
