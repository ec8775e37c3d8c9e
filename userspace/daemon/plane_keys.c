// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Keys of VIPs, the address-only keys beside them, and the filter. Not here: VIPs themselves.
 *
 * Every address of a VIP has one key {address, 0, 0}, whatever the number of VIPs on it; it
 * names one of them. A filter bit stays set until a grace period after its last key is gone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/key_table.h"
#include "core/mix.h"
#include "daemon/plane_show.h"
#include "io/host.h"

struct vip_key plane_key(const struct endpoint *e)
{
	struct vip_key key = {.port = e->port, .proto = e->proto};

	memcpy(key.addr, e->addr.byte, sizeof(key.addr));
	return key;
}

__u32 plane_addr_bucket(const struct addr *a, __u32 buckets)
{
	__u64 half[2];

	memcpy(half, a->byte, sizeof(half));
	return mix_below(mix64(half[0] ^ mix64(half[1])), buckets);
}

static struct plane_address **address_find(struct plane *p, const struct addr *a)
{
	struct plane_address **at = &p->address[plane_addr_bucket(a, PLANE_ADDRESS_BUCKETS)];

	while (*at && !addr_equal(&(*at)->addr, a))
		at = &(*at)->next;
	return at;
}

void plane_addresses_free(struct plane *p)
{
	for (__u32 i = 0; i < PLANE_ADDRESS_BUCKETS; i++) {
		while (p->address[i]) {
			struct plane_address *next = p->address[i]->next;

			free(p->address[i]);
			p->address[i] = next;
		}
	}
}

bool plane_address_used(struct plane *p, const __u8 byte[16])
{
	const struct plane_address *a;
	struct addr addr;

	memcpy(addr.byte, byte, sizeof(addr.byte));
	a = *address_find(p, &addr);
	return a && a->users;
}

static void filter_set(struct plane *p, const struct addr *a)
{
	__u32 bit = key_table_filter_bit(a->byte);

	if (!p->filter_count[bit]++)
		__atomic_fetch_or(&p->filter->bits[bit / 64], 1ULL << bit % 64, __ATOMIC_RELEASE);
}

static void filter_clear(struct plane *p, const struct addr *a)
{
	__u32 bit = key_table_filter_bit(a->byte);

	if (p->filter_count[bit] && !--p->filter_count[bit])
		__atomic_fetch_and(&p->filter->bits[bit / 64], ~(1ULL << bit % 64), __ATOMIC_RELEASE);
}

/* One more user of an address: its address-only key is set with the first. */
int plane_address_use(struct plane *p, const struct addr *addr, __u32 vip)
{
	struct plane_address **at = address_find(p, addr), *a = *at;
	struct endpoint only = {.addr = *addr};
	struct vip_key key = plane_key(&only);
	int ret;

	if (a && a->set) {
		a->users++;
		return 0;
	}
	if (!a) {
		a = calloc(1, sizeof(*a));
		if (!a)
			return -ENOMEM;
		a->addr = *addr;
		*at = a;
		filter_set(p, addr);
	}
	ret = dataplane_key_set(p->dp, &key, vip);
	a->users++;
	a->vip = vip;
	a->set = !ret;
	return ret;
}

int plane_key_add(struct plane *p, const struct endpoint *e, __u32 vip)
{
	struct vip_key key = plane_key(e);
	int ret = plane_address_use(p, &e->addr, vip);

	return ret ? ret : dataplane_key_set(p->dp, &key, vip);
}

void plane_key_drop(struct plane *p, __u32 vip, const struct endpoint *e)
{
	struct plane_address *a = *address_find(p, &e->addr);
	struct endpoint only = {.addr = e->addr};
	struct vip_key key = plane_key(e), address = plane_key(&only);

	dataplane_key_delete(p->dp, &key);
	if (!a)
		return;
	a->users--;
	if (a->set && (!a->users || a->vip == vip)) {
		dataplane_key_delete(p->dp, &address);
		a->set = false;
	}
}

/* Another VIP that has the address, for its address-only key. */
static const struct plane_vip *address_heir(const struct plane *p, const struct addr *addr)
{
	for (size_t i = 0; i < p->vip_count; i++)
		for (size_t k = 0; k < p->vip[i]->key_count; k++)
			if (addr_equal(&p->vip[i]->key[k].addr, addr))
				return p->vip[i];
	return NULL;
}

void plane_key_forget(struct plane *p, const struct endpoint *e)
{
	struct plane_address **at = address_find(p, &e->addr), *a = *at;
	struct endpoint only = {.addr = e->addr};
	struct vip_key address = plane_key(&only);
	const struct plane_vip *heir;

	if (!a || a->set)
		return;
	heir = a->users ? address_heir(p, &e->addr) : NULL;
	if (heir) {
		a->vip = heir->id;
		a->set = !dataplane_key_set(p->dp, &address, heir->id);
		return;
	}
	if (a->users)
		return; /* its next user is about to come */
	filter_clear(p, &e->addr);
	*at = a->next;
	free(a);
}

/*
 * A VIP on the address that others reach this host by takes its packets, and a backend that has the VIP on lo can no
 * longer talk to the balancer at all. One that is served already came to be so knowingly, or the address came later.
 */
static int key_check(const struct plane *p, const struct vip_config *want, const struct endpoint *key,
		     const struct host_address *own, struct err *err)
{
	char text[ENDPOINT_TEXT_BYTES], addr[ADDR_TEXT_BYTES];

	if (!own || plane_vip_of_key(p, key))
		return 0;
	return err_set(err, EINVAL,
		       "VIP %s: %s would take packets from this host itself, which has %s on %s: give the VIP an "
		       "address of its own, on lo if this host is to answer ARP for it",
		       want->name, endpoint_format(key, text), addr_format(&own->addr, addr), own->device);
}

int plane_keys_check(const struct plane *p, const struct config *want, struct err *err)
{
	struct host_address *own = NULL;
	size_t count = 0;
	int ret = host_addresses(&own, &count, err);

	for (size_t i = 0; i < want->vip_count && !ret; i++) {
		const struct vip_config *v = &want->vip[i];

		for (size_t k = 0; k < v->key_count && !ret; k++)
			ret = key_check(p, v, &v->key[k], host_address_find(own, count, &v->key[k].addr), err);
	}
	free(own);
	return ret;
}
