// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The register's value to bytes and back, and what it has a node run. Not here: who decides it (caspaxos.c).
 */
#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "core/intent.h"

#define VALUE_LAYOUT 1

struct wire_lease {
	char name[STARLING_LEASE_BYTES]; /* zeros behind it */
	__le64 holder;
	__le64 fence;
	__le32 renewed;
	__le32 ttl_ms;
};
struct wire_value {
	__u8 layout;
	__u8 proposed; /* 0, 1 */
	__u8 waved;    /* 0, 1 */
	__u8 pad;
	__le32 generation;
	__le32 previous_generation;
	__le32 window_ms;
	__le64 deadline_ms;
	__le64 by;
	__u8 root[HASH_BYTES];
	__u8 previous[HASH_BYTES];
	struct wire_lease lease[INTENT_LEASES];
};
_Static_assert(sizeof(struct wire_lease) == 40, "layout of a lease");
_Static_assert(offsetof(struct wire_value, deadline_ms) == 16 && offsetof(struct wire_value, root) == 32 &&
		       offsetof(struct wire_value, lease) == 96 && sizeof(struct wire_value) == INTENT_VALUE_BYTES,
	       "layout of a value");

size_t intent_encode(const struct intent *i, __u8 out[INTENT_VALUE_BYTES])
{
	struct wire_value w = {
		.layout = VALUE_LAYOUT,
		.proposed = i->proposed,
		.waved = i->waved,
		.generation = htole32(i->generation),
		.previous_generation = htole32(i->previous_generation),
		.window_ms = htole32(i->window_ms),
		.deadline_ms = htole64(i->deadline_ms),
		.by = htole64(i->by),
	};
	size_t k;

	memcpy(w.root, i->root.byte, sizeof(w.root));
	memcpy(w.previous, i->previous.byte, sizeof(w.previous));
	for (k = 0; k < INTENT_LEASES; k++) {
		const struct intent_lease *l = &i->lease[k];

		memcpy(w.lease[k].name, l->name, strnlen(l->name, sizeof(l->name) - 1));
		w.lease[k].holder = htole64(l->holder);
		w.lease[k].fence = htole64(l->fence);
		w.lease[k].renewed = htole32(l->renewed);
		w.lease[k].ttl_ms = htole32(l->ttl_ms);
	}
	memcpy(out, &w, sizeof(w));
	return sizeof(w);
}

/* A value has one encoding, so what is behind a name counts too. */
static bool lease_name_ends(const struct wire_lease *l)
{
	size_t i = strnlen(l->name, sizeof(l->name));

	if (i == sizeof(l->name))
		return false;
	while (i < sizeof(l->name))
		if (l->name[i++])
			return false;
	return true;
}

int intent_decode(const __u8 *bytes, size_t len, struct intent *ret)
{
	struct wire_value w;
	struct intent i;
	size_t k;

	if (len != sizeof(w))
		return -EBADMSG;
	memcpy(&w, bytes, sizeof(w));
	if (w.layout != VALUE_LAYOUT || w.proposed > 1 || w.waved > w.proposed || w.pad)
		return -EBADMSG;
	memset(&i, 0, sizeof(i));
	i.generation = le32toh(w.generation);
	i.previous_generation = le32toh(w.previous_generation);
	i.proposed = w.proposed;
	i.waved = w.waved;
	i.window_ms = le32toh(w.window_ms);
	i.deadline_ms = le64toh(w.deadline_ms);
	i.by = le64toh(w.by);
	memcpy(i.root.byte, w.root, sizeof(w.root));
	memcpy(i.previous.byte, w.previous, sizeof(w.previous));
	for (k = 0; k < INTENT_LEASES; k++) {
		struct intent_lease *l = &i.lease[k];

		if (!lease_name_ends(&w.lease[k]))
			return -EBADMSG;
		memcpy(l->name, w.lease[k].name, sizeof(l->name));
		l->holder = le64toh(w.lease[k].holder);
		l->fence = le64toh(w.lease[k].fence);
		l->renewed = le32toh(w.lease[k].renewed);
		l->ttl_ms = le32toh(w.lease[k].ttl_ms);
	}
	*ret = i;
	return 0;
}

bool intent_wanted(const struct intent *i, __u64 now_ms, bool told, struct object_name *ret_root, __u32 *ret_generation)
{
	bool own = !i->proposed || (now_ms < i->deadline_ms && (told || !i->waved));

	*ret_root = own ? i->root : i->previous;
	*ret_generation = own ? i->generation : i->previous_generation;
	return own;
}

bool intent_same_proposal(const struct intent *a, const struct intent *b)
{
	return a->generation == b->generation && object_name_is(&a->root, &b->root) && a->proposed == b->proposed;
}

int intent_confirm_check(const struct intent *is, const struct intent *seen, __u64 left_ms)
{
	if (!intent_same_proposal(is, seen))
		return -ESTALE;
	if (is->waved)
		return -EINPROGRESS;
	return left_ms < INTENT_CONFIRM_LAST_MS ? -ETIME : 0;
}
