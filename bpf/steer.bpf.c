// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The balancer's packet path: read steer() first, each step is a header of its own.
 * Not here: what the maps hold (include/starling/dataplane.h), how a flow is placed (where.h).
 */
#include <linux/bpf.h>
#include <stddef.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"
#include "parse.h"
#include "vip.h"
#include "homes.h"
#include "cell.h"
#include "sign.h"
#include "fragment.h"
#include "icmp.h"
#include "reset.h"
#include "encap.h"
#include "count.h"
#include "trace.h"

char _license[] SEC("license") = "Dual BSD/GPL";

#define STEER_VERDICTS 32 /* a power of two: the index is masked for the verifier */
_Static_assert(VERDICT_COUNT <= STEER_VERDICTS, "verdicts");
/* Not static: clang would put it into a section of mergeable constants, which the kernel's BTF refuses. */
const __u8 steer_action[STEER_VERDICTS] = {
#define STEER_ACTION(name, action, label, help) XDP_##action,
	STARLING_VERDICTS(STEER_ACTION)
#undef STEER_ACTION
};

/* The flow that a packet belongs to, as where_to() wants it. */
static inline struct flow steer_flow(const struct packet *p, const struct vip_record *vip)
{
	struct flow f = {.vip = p->vip, .kind = p->kind};

	if (!(vip->flags & VIP_HASH_SOURCE)) {
		f.hash = p->v4 ? flow_hash_mapped(p->t, config.mapped, config.seed) : flow_hash(p->t, config.seed);
	} else {
		f.hash = flow_hash_source(p->t, p->vip, config.seed);
		if (f.kind == PACKET_FIN || f.kind == PACKET_RST)
			f.kind = PACKET_OTHER;
	}
	return f;
}

/* The backend of the packet's flow. An ICMP error only asks for it. */
static inline void steer_place(struct packet *p, const struct vip_record *vip, struct scratch *s)
{
	struct flow f = steer_flow(p, vip);
	const struct view view = {0};
	struct where w = {0};

	p->hash = f.hash;
	if (where_plain(&view, vip, &f, &w))
		goto out;
	f.now = homes_tick();
	if (!p->error && settle_quick(&view, vip, &f, &w)) {
		if (config.trace.sample)
			s->where.cell_old = w.cell_old;
		goto out;
	}
	s->flow.hash = f.hash;
	s->flow.vip = f.vip;
	s->flow.kind = f.kind;
	s->flow.now = f.now;
	if (p->error)
		cell_look(vip, &s->flow, &s->where);
	else
		cell_settle(vip, &s->flow, &s->where);
	p->overflow = s->where.overflow;
	p->dead = s->where.dead;
	p->full = s->where.full;
	w.backend = s->where.backend;
	w.fresh = s->where.fresh;
	w.sign = s->where.sign;
out:
	p->backend = w.backend;
	p->fresh = w.fresh;
	p->sign = w.sign;
	if (vip->flags & VIP_NOTES && SIGN_KINDS >> p->kind & 1)
		p->sign = (__u8)sign_by_note(p->ctx, p->hash, p->ports, p->kind, (__u32)p->l4);
}

/* For an address of VIPs, but for none of them: the host's, with its later fragments. */
static inline int steer_host(struct packet *p, struct scratch *s)
{
	int verdict = vip_owned(p, VERDICT_PASS_VIP_OTHER);

	if (verdict == VERDICT_PASS_VIP_OTHER && p->fragment == FRAGMENT_FIRST && config.fragments)
		fragment_leave(p, s);
	return verdict;
}

/* VIP -> backend. */
static inline int steer_vip(struct packet *p, struct scratch *s)
{
	const struct vip_record *vip = vip_lookup(p);

	if (!vip)
		return steer_host(p, s);
	if (!vip->slots_count)
		return VERDICT_DROP_NO_SLOT;
	if (p->fragment == FRAGMENT_FIRST && !config.fragments)
		return VERDICT_DROP_FRAGMENT;
	steer_place(p, vip, s);
	if (p->backend == ID_NONE)
		return p->dead ? reset_dead(p) : p->full ? VERDICT_DROP_FULL : VERDICT_DROP_NO_BACKEND;
	if (p->fragment == FRAGMENT_FIRST)
		fragment_leave(p, s);
	return ON;
}

/* A later fragment has no ports, and its outer header no entropy of them. */
static inline int steer_fragment(struct packet *p, struct scratch *s)
{
	int verdict = vip_owned(p, ON);

	if (verdict == ON)
		verdict = fragment_follow(p, s);
	p->t->sport = p->t->dport = 0;
	p->hash = flow_hash(p->t, config.seed);
	return verdict;
}

/* From the frame to its verdict; who is counted is in @p and @s. */
static inline int steer_packet(struct packet *p, struct scratch *s)
{
	int verdict;

	if ((verdict = parse_link(p)) != ON || (verdict = parse_addresses(p)) != ON || (verdict = vip_filter(p)) != ON)
		return verdict;
	if ((verdict = parse_network(p)) != ON || (verdict = parse_transport(p)) != ON)
		return vip_owned(p, verdict);
	if (p->fragment == FRAGMENT_LATER)
		verdict = steer_fragment(p, s);
	else if (p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP || (verdict = icmp_enter(p)) == ON)
		verdict = steer_vip(p, s);
	return verdict == ON ? forward(p, homes_record(p->backend), p->hash) : verdict;
}

SEC("xdp.frags")
int steer(struct xdp_md *ctx)
{
	struct packet p = {.ctx = ctx, .vip = ID_NONE, .backend = ID_NONE};
	struct scratch *s = homes_scratch();
	__u32 verdict, action;

	if (!s)
		return XDP_ABORTED;
	if (config.trace.sample) {
		s->where = (struct where){0};
		s->tuple = (struct flow_tuple){0};
	}
	p.t = &s->tuple;
	p.ifindex = ctx->ingress_ifindex;
	parse_start(&p);
	verdict = steer_packet(&p, s);
	action = steer_action[verdict & (STEER_VERDICTS - 1)];
	count(&p, verdict);
	trace(&p, &s->where, verdict, action);
	return action;
}

/* Tells user space jiffies, from which the ticks of cells are cut. */
SEC("syscall")
int clock(__u64 *ret_jiffies)
{
	*ret_jiffies = bpf_jiffies64();
	return 0;
}
