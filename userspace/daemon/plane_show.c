// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * VIPs, backends and their slots as rows. Not here: flows, devices, the whole (plane_status.c).
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "core/config_file.h"
#include "core/table.h"
#include "daemon/plane_show.h"

#define IPV6_MTU_MIN 1280 /* bytes */

const char *const plane_scheduler_name[] = {"mh", "rr", "wrr", "lc", "wlc"};
const char *const plane_forward_name[] = {"dr", "ipip", "gue"};

void plane_row_end(struct plane *p, const struct table *t)
{
	if (p->showing && table_rows(t) % PLANE_CHUNK_ROWS == 0)
		plane_breathe(p);
}

int plane_vips_named(const struct plane *p, const char *name, size_t *ret_first, size_t *ret_count, struct err *err)
{
	*ret_first = 0;
	*ret_count = p->vip_count;
	if (!name)
		return 0;
	for (size_t i = 0; i < p->vip_count; i++) {
		if (strcmp(p->vip[i]->name, name))
			continue;
		*ret_first = i;
		*ret_count = 1;
		return 0;
	}
	return config_vip_none(p->config, name, err);
}

const char *plane_slot_text(__u64 slot)
{
	static const char *const name[] = {"empty", "plain", "split", "pinned"};

	if (slot_state(slot) == SLOT_SPLIT && slot_prev(slot) == slot_home0(slot))
		return "warm"; /* or its change was taken back */
	return slot_state(slot) <= SLOT_PINNED ? name[slot_state(slot)] : "?";
}

void plane_digest_text(__u64 digest, char text[PLANE_DIGEST_BYTES])
{
	snprintf(text, PLANE_DIGEST_BYTES, "%08x", (__u32)(digest >> 32));
}

const char *plane_backend_text(const struct plane *p, __u32 id, char text[ENDPOINT_TEXT_BYTES])
{
	const struct endpoint *at = plane_backend_at(p, id);

	return at ? endpoint_format(at, text) : NULL;
}

struct states {
	__u64 up, down, draining, disabled, unresolved, avoided, filling, held, failing, standby, full, room, sorry,
		open, half;
};

static void states_count(const struct plane *p, const struct plane_vip *v, struct states *s)
{
	*s = (struct states){0};
	for (__u32 i = 0; i < v->backend_count; i++) {
		const struct plane_backend *b = v->backend[i];
		const char *shown = plane_backend_shown(b);

		s->up += !strcmp(shown, "up");
		s->draining += !strcmp(shown, "draining");
		s->disabled += !strcmp(shown, "disabled");
		s->unresolved += !strcmp(shown, "unresolved");
		s->down += !strcmp(shown, "down");
		s->avoided += !strcmp(shown, "avoided");
		s->filling += !strcmp(shown, "filling");
		s->held += !strcmp(shown, "held");
		s->failing += !strcmp(shown, "failing");
		s->standby += !strcmp(shown, "standby");
		s->full += !strcmp(shown, "full");
		s->room += !strcmp(shown, "full") && plane_backend_counted(p, b) < plane_backend_limit(b);
		s->sorry += !strcmp(shown, "sorry");
		s->open += __atomic_load_n(&p->loads[b->id].open, __ATOMIC_RELAXED);
		s->half += __atomic_load_n(&p->loads[b->id].half, __ATOMIC_RELAXED);
	}
}

static void vip_states(const struct plane *p, const struct plane_vip *v, struct table *t, size_t row)
{
	struct states s;

	states_count(p, v, &s);
	table_set_bool(t, row, FIELD_VIP_available, s.up || s.filling || s.failing || s.room || v->serve.panic);
	table_set_u64(t, row, FIELD_VIP_backends_up, s.up);
	table_set_u64(t, row, FIELD_VIP_backends_down, s.down);
	table_set_u64(t, row, FIELD_VIP_backends_draining, s.draining);
	table_set_u64(t, row, FIELD_VIP_backends_disabled, s.disabled);
	table_set_u64(t, row, FIELD_VIP_backends_unresolved, s.unresolved);
	table_set_u64(t, row, FIELD_VIP_backends_avoided, s.avoided);
	table_set_u64(t, row, FIELD_VIP_backends_filling, s.filling);
	table_set_u64(t, row, FIELD_VIP_backends_held, s.held);
	table_set_u64(t, row, FIELD_VIP_backends_failing, s.failing);
	table_set_u64(t, row, FIELD_VIP_backends_standby, s.standby);
	table_set_u64(t, row, FIELD_VIP_backends_full, s.full);
	table_set_u64(t, row, FIELD_VIP_backends_sorry, s.sorry);
	if (v->scheduler == SCHEDULER_MH)
		return;
	table_set_u64(t, row, FIELD_VIP_active, s.open);
	table_set_u64(t, row, FIELD_VIP_half, s.half);
}

static void vip_row(struct plane *p, const struct plane_vip *v, struct table *t)
{
	const struct vip_config *configured = config_vip(p->config, v->name);
	char text[ENDPOINT_TEXT_BYTES], digest[PLANE_DIGEST_BYTES];
	size_t row = table_row(t);
	struct vip_count count;
	__u64 refused;

	table_set_u64(t, row, FIELD_VIP_id, v->id);
	table_set_text(t, row, FIELD_VIP_name, v->name);
	for (size_t i = 0; i < v->key_count; i++)
		table_add_list(t, row, FIELD_VIP_addresses, endpoint_format(&v->key[i], text));
	table_set_text(t, row, FIELD_VIP_scheduler, plane_scheduler_name[v->scheduler]);
	table_set_text(t, row, FIELD_VIP_forward, plane_forward_name[v->forward]);
	table_set_text(t, row, FIELD_VIP_hash, v->hash_source ? "source" : "5tuple");
	table_set_u64(t, row, FIELD_VIP_slots, v->region.count);
	table_set_u64(t, row, FIELD_VIP_slots_split, v->split);
	table_set_u64(t, row, FIELD_VIP_slots_pinned, v->pinned);
	table_set_u64(t, row, FIELD_VIP_slots_moved, p->vips[v->id].moved);
	table_set_u64(t, row, FIELD_VIP_build, v->build);
	plane_digest_text(v->digest, digest);
	table_set_text(t, row, FIELD_VIP_digest, digest);
	table_set_u64(t, row, FIELD_VIP_generation, p->vips[v->id].generation);
	vip_states(p, v, t, row);
	if (!dataplane_count_vips(p->dp, v->id, 1, &count)) {
		table_set_u64(t, row, FIELD_VIP_packets, count.packets);
		table_set_u64(t, row, FIELD_VIP_bytes, count.bytes);
		table_set_u64(t, row, FIELD_VIP_connections, count.connections);
		table_set_u64(t, row, FIELD_VIP_overflows, count.overflows);
	}
	if (!dataplane_count_refused(p->dp, v->id, 1, &refused))
		table_set_u64(t, row, FIELD_VIP_refused, refused);
	table_set_f64(t, row, FIELD_VIP_packets_per_second, v->rate.packets_s);
	table_set_f64(t, row, FIELD_VIP_bytes_per_second, v->rate.bytes_s);
	table_set_f64(t, row, FIELD_VIP_connections_per_second, v->rate.connections_s);
	table_set_f64(t, row, FIELD_VIP_idle, v->idle_ms / 1000.0);
	if (v->drain_timeout_ms)
		table_set_f64(t, row, FIELD_VIP_drain_timeout, v->drain_timeout_ms / 1000.0);
	if (v->slow_start_ms) {
		table_set_f64(t, row, FIELD_VIP_slow_start, v->slow_start_ms / 1000.0);
		table_set_text(t, row, FIELD_VIP_slow_start_form, v->slow_exponential ? "exponential" : "linear");
	}
	if (v->recovery != RECOVERY_AUTO)
		table_set_text(t, row, FIELD_VIP_recovery, recovery_words()[v->recovery]);
	if (v->damp_ms)
		table_set_f64(t, row, FIELD_VIP_damp, v->damp_ms / 1000.0);
	table_set_u64(t, row, FIELD_VIP_panic, v->policy.panic_percent);
	table_set_u64(t, row, FIELD_VIP_eject, v->policy.eject_percent);
	if (v->dead_reset)
		table_set_text(t, row, FIELD_VIP_dead, dead_words()[DEAD_RESET]);
	if (plane_vip_sorry(v))
		table_set_text(t, row, FIELD_VIP_sorry, endpoint_format(&plane_vip_sorry(v)->at, text));
	if (v->passive != PASSIVE_SUSPECT)
		table_set_text(t, row, FIELD_VIP_passive, passive_words()[v->passive]);
	if (configured && configured->restart[0])
		table_set_text(t, row, FIELD_VIP_restart, configured->restart);
}

int plane_show_vips(struct plane *p, const char *name, struct table *t, struct err *err)
{
	size_t first, count;
	int ret = plane_vips_named(p, name, &first, &count, err);

	if (ret)
		return ret;
	for (size_t i = first; i < first + count; i++) {
		vip_row(p, p->vip[i], t);
		plane_row_end(p, t);
	}
	return table_error(t);
}

/* Bytes of the headers that a packet gets in front of it. */
static __u32 outer_bytes(const struct plane_backend *b)
{
	__u32 ip = addr_is_v4(&b->at.addr) ? 20 : 40;

	switch (b->vip->forward) {
	case FORWARD_DR:
		return 0;
	case FORWARD_IPIP:
		return ip;
	case FORWARD_GUE:
		return ip + 8 + 4; /* UDP, GUE */
	}
	return 0;
}

/* What is too big for the path comes back as an ICMP error; below this, IPv6 has no answer to one (RFC 8200, section 5)
 */
static void backend_mtu(const struct plane_backend *b, struct table *t, size_t row)
{
	__u32 outer = outer_bytes(b), mtu = b->path->hop.mtu;

	table_set_u64(t, row, FIELD_BACKEND_mtu, mtu);
	if (b->path->resolved && mtu < IPV6_MTU_MIN + outer)
		table_set_textf(t, row, FIELD_BACKEND_why, "MTU %u of the path is too small: raise it to %u at least",
				mtu, IPV6_MTU_MIN + outer);
}

static void backend_way(const struct plane *p, const struct plane_backend *b, struct table *t, size_t row)
{
	const struct nexthop *hop = b->path ? &b->path->hop : NULL;
	char text[ADDR_TEXT_BYTES], device[IF_NAMESIZE] = "";
	const char *why = plane_backend_trouble(b);
	char held[PLANE_RECOVERY_BYTES], fares[PLANE_PASSIVE_BYTES];

	if (!why)
		why = plane_backend_held_by(b, held) ? held : plane_backend_kept(b);
	if (!why && plane_passive_words(b, fares))
		why = fares;
	table_set_text(t, row, FIELD_BACKEND_why, why);
	if (!hop || !b->path->ever)
		return;
	if (if_indextoname(hop->ifindex, device))
		table_set_text(t, row, FIELD_BACKEND_device, device);
	table_set_text(t, row, FIELD_BACKEND_source, addr_format(&hop->src, text));
	table_set_textf(t, row, FIELD_BACKEND_mac, "%02x:%02x:%02x:%02x:%02x:%02x", hop->dmac[0], hop->dmac[1],
			hop->dmac[2], hop->dmac[3], hop->dmac[4], hop->dmac[5]);
	backend_mtu(b, t, row);
	if (plane_outlet_trouble(p, hop->ifindex))
		table_set_textf(t, row, FIELD_BACKEND_why, "%s: %s", device, plane_outlet_trouble(p, hop->ifindex));
}

static void backend_override_row(const struct plane *p, const struct plane_backend *b, struct table *t, size_t row)
{
	const struct override *o = plane_override_of(p, b);

	if (!o)
		return;
	table_set_text(t, row, FIELD_BACKEND_by, o->by);
	if (o->reason[0])
		table_set_text(t, row, FIELD_BACKEND_reason, o->reason);
	if (o->state == OVERRIDE_DRAIN && o->timeout_ms)
		table_set_time(t, row, FIELD_BACKEND_until, o->since_ms + o->timeout_ms);
}

static void backend_check(const struct plane *p, const struct plane_backend *b, struct table *t, size_t row)
{
	const struct vip_config *configured = config_vip(p->config, b->vip->name);
	char words[PLANE_CHECK_BYTES] = "";

	if (!configured || !configured->check || !p->hooks.check || b->tier == STARLING_TIER_SORRY)
		return;
	p->hooks.check(p->hooks.arg, configured->check, &b->at, words);
	table_set_text(t, row, FIELD_BACKEND_check, words[0] ? words : NULL);
}

static void backend_limit(const struct plane *p, const struct plane_backend *b, struct table *t, size_t row)
{
	__u32 most = plane_backend_limit(b);

	if (b->maxconn) {
		table_set_u64(t, row, FIELD_BACKEND_agent_maxconn, b->maxconn);
		table_set_text(t, row, FIELD_BACKEND_agent_unheeded,
			       vip_uncounted(b->vip->scheduler, b->vip->hash_source));
	}
	if (!most)
		return;
	table_set_u64(t, row, FIELD_BACKEND_counted, plane_backend_counted(p, b));
	table_set_u64(t, row, FIELD_BACKEND_maxconn, most);
	table_set_bool(t, row, FIELD_BACKEND_full, b->full);
}

static void backend_row(struct plane *p, const struct plane_backend *b, struct table *t)
{
	const struct plane_vip *v = b->vip;
	char text[ENDPOINT_TEXT_BYTES];
	size_t row = table_row(t);
	struct backend_count count;

	table_set_u64(t, row, FIELD_BACKEND_id, b->id);
	table_set_text(t, row, FIELD_BACKEND_vip, v->name);
	table_set_text(t, row, FIELD_BACKEND_backend, endpoint_format(&b->at, text));
	table_set_text(t, row, FIELD_BACKEND_state, plane_backend_shown(b));
	table_set_bool(t, row, FIELD_BACKEND_up, b->word_state == BACKEND_UP);
	table_set_u64(t, row, FIELD_BACKEND_weight, b->configured);
	if (b->filling)
		table_set_f64(t, row, FIELD_BACKEND_present_weight, b->configured * plane_backend_part(b) / 1000.0);
	if (v->tables > 1 && b->tier != STARLING_TIER_SORRY)
		table_set_u64(t, row, FIELD_BACKEND_tier, b->tier);
	if (b->less)
		table_set_u64(t, row, FIELD_BACKEND_agent_percent, 100 - b->less);
	backend_limit(p, b, t, row);
	table_set_f64(t, row, FIELD_BACKEND_share, (double)b->held / v->region.count);
	if (v->scheduler != SCHEDULER_MH) {
		table_set_u64(t, row, FIELD_BACKEND_active, __atomic_load_n(&p->loads[b->id].open, __ATOMIC_RELAXED));
		table_set_u64(t, row, FIELD_BACKEND_half, __atomic_load_n(&p->loads[b->id].half, __ATOMIC_RELAXED));
	}
	backend_check(p, b, t, row);
	table_set_time(t, row, FIELD_BACKEND_since, BACKEND_SHOWN_MS(p->backends[b->id].shown));
	table_set_u64(t, row, FIELD_BACKEND_transitions, p->backends[b->id].word >> 48);
	table_set_f64(t, row, FIELD_BACKEND_connections_per_second, b->rate.connections_s);
	table_set_f64(t, row, FIELD_BACKEND_packets_per_second, b->rate.packets_s);
	table_set_f64(t, row, FIELD_BACKEND_bytes_per_second, b->rate.bytes_s);
	if (!dataplane_count_backends(p->dp, b->id, 1, &count)) {
		table_set_u64(t, row, FIELD_BACKEND_connections, count.connections);
		table_set_u64(t, row, FIELD_BACKEND_packets, count.packets);
		table_set_u64(t, row, FIELD_BACKEND_bytes, count.bytes);
	}
	table_set_u64(t, row, FIELD_BACKEND_syn_repeats, __atomic_load_n(&p->signs[b->id].repeats, __ATOMIC_RELAXED));
	table_set_u64(t, row, FIELD_BACKEND_resets, __atomic_load_n(&p->signs[b->id].resets, __ATOMIC_RELAXED));
	table_set_bool(t, row, FIELD_BACKEND_suspect, b->outlier.suspect || b->outlier.ejected);
	backend_way(p, b, t, row);
	backend_override_row(p, b, t, row);
}

int plane_show_backends(struct plane *p, const char *vip, struct table *t, struct err *err)
{
	size_t first, count;
	int ret = plane_vips_named(p, vip, &first, &count, err);

	if (ret)
		return ret;
	for (size_t i = first; i < first + count; i++) {
		for (__u32 b = 0; b < p->vip[i]->backend_count; b++) {
			backend_row(p, p->vip[i]->backend[b], t);
			plane_row_end(p, t);
		}
	}
	return table_error(t);
}
