// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A model of the packet path: see oracle.h. Slow and plain on purpose.
 */
#include "oracle.h"

#include <bpf/bpf.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "frame.h"
#include "starling/cell.h"

struct view {
	const struct harness *h;
	struct oracle_result *ret; /* where writes go */
};

static inline __u64 view_slot(const struct view *v, __u32 index)
{
	return index < v->h->slots_max ? v->h->slots[index] : 0;
}

static inline __u64 view_backend(const struct view *v, __u32 id)
{
	return id < v->h->backends_max ? v->h->backends[id].word : 0;
}

static inline __u32 view_score(const struct view *v, __u32 id, __u32 by)
{
	const struct backend_load *l = &v->h->loads[id];

	if (id >= v->h->backends_max)
		return 0;
	return by == STEER_GIVEN ? l->given : l->open + l->half + l->peers;
}

static inline __u32 view_limit(const struct view *v, __u32 id)
{
	return id < v->h->backends_max ? v->h->limits[id].most : 0;
}

static inline __u32 view_untended(const struct view *v, __u32 vip)
{
	return tick_since(harness_tick(v->h), v->h->vips[vip].tended);
}

static inline __u64 *view_set(const struct view *v, __u32 set)
{
	return set < v->h->sets_max ? v->h->flows[set].cell : NULL;
}

static inline const volatile struct steer_config *view_config(const struct view *v)
{
	return &v->h->config;
}

static inline int view_swap(const struct view *v, __u32 set, __u32 way, __u64 old, __u64 new)
{
	v->ret->cell = true;
	v->ret->set_index = set;
	v->ret->set = v->h->flows[set];
	if (v->ret->set.cell[way] != old)
		return 0;
	v->ret->set.cell[way] = new;
	return 1;
}

static inline void view_touch(const struct view *v, __u32 set, __u32 way, __u16 seen)
{
	__u64 c = v->h->flows[set].cell[way];

	view_swap(v, set, way, c, (c & ~0xffffull) | seen);
}

/* What loads must be is checked against the cells, as a whole. */
static inline void view_account(const struct view *v, __u32 backend, __u64 delta)
{
	(void)v;
	(void)backend;
	(void)delta;
}

static inline void view_given(const struct view *v, __u32 backend)
{
	(void)v;
	(void)backend;
}

#include "starling/settle.h"

static void put16(__u8 *at, size_t v)
{
	at[0] = (__u8)(v >> 8);
	at[1] = (__u8)v;
}

static const struct oracle_key *key_find(const struct oracle *o, const struct addr *a, __u32 port, __u32 proto)
{
	size_t i;

	for (i = 0; i < o->keys; i++)
		if (addr_equal(&o->key[i].addr, a) && o->key[i].port == port && o->key[i].proto == proto)
			return &o->key[i];
	return NULL;
}

int oracle_key_add(struct oracle *o, const struct addr *a, __u16 port, __u8 proto, __u32 vip)
{
	int r = harness_key_add(o->h, a, port, proto, vip);

	if (r || o->keys + 2 > ORACLE_KEYS)
		return r ? r : -1;
	o->key[o->keys++] = (struct oracle_key){*a, port, proto, vip};
	if (!key_find(o, a, 0, 0))
		o->key[o->keys++] = (struct oracle_key){*a, 0, 0, vip};
	return 0;
}

/* The flow as hash.h defines it. */
static struct flow flow_of(const struct oracle *o, const struct frame *f, const struct vip_record *vip, __u32 id,
			   __u32 now)
{
	struct flow_tuple t = {.sport = htons(f->sport), .dport = htons(f->dport), .proto = f->proto};
	struct flow flow = {.vip = id, .kind = f->kind, .now = now & 0xffff};

	memcpy(t.saddr, f->src.byte, 16);
	memcpy(t.daddr, f->dst.byte, 16);
	if (vip->flags & VIP_HASH_SOURCE) {
		memset(t.daddr, 0, 16);
		t.sport = 0;
		t.dport = (__be16)id;
		t.proto = 0;
		if (f->kind == PACKET_FIN || f->kind == PACKET_RST)
			flow.kind = PACKET_OTHER;
	}
	flow.hash = flow_hash(&t, o->h->config.seed);
	return flow;
}

/* Outer headers of ipip and gue, in front of the packet that starts at the frame's link. */
static size_t write_outer(const struct frame *f, const struct backend_record *be, __u64 hash, __u8 *to)
{
	bool gue = be->forward == FORWARD_GUE, v4 = be->flags & BACKEND_V4;
	size_t head = v4 ? 20 : 40, extra = gue ? 12 : 0;
	__u8 inner = f->v4 ? IPPROTO_IPIP : IPPROTO_IPV6, *udp = to + head;

	memset(to, 0, head + extra);
	if (v4) {
		__u16 sum;

		to[0] = 0x45;
		to[1] = f->tos;
		put16(to + 2, f->ip_len + head + extra);
		to[6] = 0x40;
		to[8] = 64;
		to[9] = gue ? IPPROTO_UDP : inner;
		memcpy(to + 12, be->src + 12, 4);
		memcpy(to + 16, be->addr + 12, 4);
		sum = packet_fold(packet_sum(0, to, 20));
		memcpy(to + 10, &sum, 2);
	} else {
		to[0] = (__u8)(0x60 | f->tos >> 4);
		to[1] = (__u8)(f->tos << 4 | (hash >> 16 & 15));
		put16(to + 2, hash & 0xffff);
		put16(to + 4, f->ip_len + extra);
		to[6] = gue ? IPPROTO_UDP : inner;
		to[7] = 64;
		memcpy(to + 8, be->src, 16);
		memcpy(to + 24, be->addr, 16);
	}
	if (gue) {
		put16(udp, 0xc000 | (hash & 0x3fff));
		memcpy(udp + 2, &be->gue_port, 2);
		put16(udp + 4, f->ip_len + 12);
		udp[9] = inner;
	}
	return head + extra;
}

/* A hop less to live; RFC 1141 for the checksum, so that a wrong one stays wrong. */
static int age_hop(const struct frame *f, __u8 *ip)
{
	__u8 *ttl = ip + (f->v4 ? 8 : 7);
	__u32 sum;

	if (*ttl <= 1)
		return VERDICT_DROP_TTL;
	--*ttl;
	if (f->v4) {
		sum = be16(ip + 10) + 0x100;
		put16(ip + 10, (sum + (sum >= 0xffff)) & 0xffff);
	}
	return CARRY_ON;
}

/* RFC 8200 section 8.1: the outer UDP checksum, where the backend wants one. */
static void sum_outer(__u8 *ip)
{
	size_t len = be16(ip + 4);
	__u16 sum = packet_fold(packet_sum((__u32)(IPPROTO_UDP + len), ip + 8, 32 + len));

	if (!sum)
		sum = 0xffff;
	memcpy(ip + 46, &sum, 2);
}

/* RFC 1122 section 3.2.2: an address of one host. */
static bool one_host(const struct frame *f)
{
	const __u8 *a = f->src.byte;
	static const __u8 none[12];

	if (f->v4)
		return a[12] != 0 && a[12] != 127 && a[12] < 224;
	return a[0] != 0xff && memcmp(a, none, 12);
}

static void swap_link(const struct frame *f, __u8 *to)
{
	memcpy(to, f->byte + 6, 6);
	memcpy(to + 6, f->byte, 6);
	memcpy(to + 12, f->byte + 12, f->link - 12);
}

/* RFC 1191 with RFC 1812 section 4.3.2.3 for the length; RFC 8201 with RFC 4443 section 2.4 (c). */
static int too_big(const struct frame *f, __u32 mtu, struct oracle_result *ret)
{
	size_t most = f->v4 ? 548 : 1232, quoted = f->ip_len < most ? f->ip_len : most, head = f->v4 ? 20 : 40;
	__u8 *ip = ret->byte + f->link, *icmp = ip + head;
	__u16 sum;

	if (f->error || !f->df || f->later || !one_host(f))
		return VERDICT_DROP_TOO_BIG;
	swap_link(f, ret->byte);
	memset(ip, 0, head + 8);
	memcpy(icmp + 8, f->byte + f->link, quoted);
	icmp[0] = f->v4 ? 3 : 2;
	icmp[1] = f->v4 ? 4 : 0;
	put16(icmp + 6, mtu);
	if (f->v4) {
		ip[0] = 0x45;
		ip[1] = 0xc0;
		put16(ip + 2, 28 + quoted);
		ip[6] = 0x40;
		ip[8] = 64;
		ip[9] = IPPROTO_ICMP;
		memcpy(ip + 12, f->dst.byte + 12, 4);
		memcpy(ip + 16, f->src.byte + 12, 4);
		sum = packet_fold(packet_sum(0, ip, 20));
		memcpy(ip + 10, &sum, 2);
		sum = packet_fold(packet_sum(0, icmp, 8 + quoted));
	} else {
		ip[0] = 0x60;
		put16(ip + 4, 8 + quoted);
		ip[6] = IPPROTO_ICMPV6;
		ip[7] = 64;
		memcpy(ip + 8, f->dst.byte, 16);
		memcpy(ip + 24, f->src.byte, 16);
		sum = packet_fold(packet_sum((__u32)(IPPROTO_ICMPV6 + 8 + quoted), ip + 8, 32 + 8 + quoted));
	}
	memcpy(icmp + 2, &sum, 2);
	ret->len = f->link + head + 8 + quoted;
	ret->exact = true;
	return VERDICT_TX_TOO_BIG;
}

/* RFC 1624, equation 3. */
static void sum_replace(__u8 *at, __u32 was, __u32 is)
{
	__u32 sum = (~be16(at) & 0xffff) + (~was & 0xffff) + is;

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put16(at, ~sum & 0xffff);
}

static int echo(const struct frame *f, struct oracle_result *ret)
{
	__u8 *ip = ret->byte + f->link, *icmp = ret->byte + f->l4;

	if (!one_host(f))
		return VERDICT_DROP_ICMP;
	memcpy(ret->byte, f->byte, f->len);
	swap_link(f, ret->byte);
	ret->len = f->len;
	ret->exact = true;
	icmp[0] = f->v4 ? 0 : 129;
	sum_replace(icmp + 2, be16(f->byte + f->l4), be16(icmp));
	if (f->v4) {
		ip[8] = 64;
		sum_replace(ip + 10, be16(f->byte + f->link + 8), be16(ip + 8));
		memcpy(ip + 12, f->dst.byte + 12, 4);
		memcpy(ip + 16, f->src.byte + 12, 4);
	} else {
		ip[7] = 64;
		memcpy(ip + 8, f->dst.byte, 16);
		memcpy(ip + 24, f->src.byte, 16);
	}
	return VERDICT_TX_ECHO;
}

/* RFC 9293 section 3.10.7.1, "If the state is CLOSED". */
static int reset(const struct frame *f, struct oracle_result *ret)
{
	const __u8 *was = f->byte + f->l4;
	size_t head = f->v4 ? 20 : 40, segment = f->link + f->ip_len - f->l4 - (size_t)(was[12] >> 4) * 4;
	__u8 *ip = ret->byte + f->link, *tcp = ip + head;
	__u16 sum;

	if (f->error || f->first || !one_host(f) || was[13] & TCP_RST)
		return VERDICT_DROP_DEAD;
	swap_link(f, ret->byte);
	memset(ip, 0, head + 20);
	memcpy(tcp, was + 2, 2);
	memcpy(tcp + 2, was, 2);
	tcp[12] = 0x50;
	tcp[13] = TCP_RST;
	if (was[13] & TCP_ACK) {
		memcpy(tcp + 4, was + 8, 4);
	} else {
		__u32 next = (__u32)(be16(was + 4) << 16 | be16(was + 6)) + (__u32)segment + (was[13] & TCP_FIN);

		tcp[13] |= TCP_ACK;
		put16(tcp + 8, next >> 16);
		put16(tcp + 10, next & 0xffff);
	}
	if (f->v4) {
		ip[0] = 0x45;
		put16(ip + 2, 40);
		ip[6] = 0x40;
		ip[8] = 64;
		ip[9] = IPPROTO_TCP;
		memcpy(ip + 12, f->dst.byte + 12, 4);
		memcpy(ip + 16, f->src.byte + 12, 4);
		sum = packet_fold(packet_sum(0, ip, 20));
		memcpy(ip + 10, &sum, 2);
		sum = packet_fold(packet_sum(IPPROTO_TCP + 20, ip + 12, 28));
	} else {
		ip[0] = 0x60;
		put16(ip + 4, 20);
		ip[6] = IPPROTO_TCP;
		ip[7] = 64;
		memcpy(ip + 8, f->dst.byte, 16);
		memcpy(ip + 24, f->src.byte, 16);
		sum = packet_fold(packet_sum(IPPROTO_TCP + 20, ip + 8, 52));
	}
	memcpy(tcp + 16, &sum, 2);
	ret->len = f->link + head + 20;
	ret->exact = true;
	return VERDICT_TX_RESET;
}

static bool redirects(const struct oracle *o, __u32 ifindex)
{
	size_t i;

	for (i = 0; i < sizeof(o->devmap) / sizeof(*o->devmap); i++)
		if (o->devmap[i] && o->devmap[i] == ifindex)
			return true;
	return false;
}

static int forward(const struct oracle *o, const struct frame *f, const struct backend_record *be, __u64 hash,
		   struct oracle_result *ret)
{
	bool same = be->ifindex == 1, v4 = be->forward == FORWARD_DR ? f->v4 : !!(be->flags & BACKEND_V4);
	size_t grow = be->forward == FORWARD_DR ? 0 : (v4 ? 20 : 40) + (be->forward == FORWARD_GUE ? 12 : 0);
	size_t link = same ? f->link : 14;
	int verdict;

	if (!(be->flags & BACKEND_RESOLVED))
		return VERDICT_DROP_UNRESOLVED;
	if (f->ip_len + grow > be->mtu)
		return too_big(f, be->mtu - (__u32)grow, ret);
	memcpy(ret->byte, be->dmac, 6);
	memcpy(ret->byte + 6, be->smac, 6);
	if (link > 14)
		memcpy(ret->byte + 12, f->byte + 12, link - 14);
	put16(ret->byte + link - 2, v4 ? ETH_P_IP : ETH_P_IPV6);
	if (grow)
		write_outer(f, be, hash, ret->byte + link);
	memcpy(ret->byte + link + grow, f->byte + f->link, f->len - f->link);
	ret->len = link + grow + f->len - f->link;
	ret->exact = true;
	if (!v4 && be->forward == FORWARD_GUE && be->flags & BACKEND_GUE_CSUM)
		sum_outer(ret->byte + link);
	if (!grow) {
		verdict = age_hop(f, ret->byte + link);
		if (verdict != CARRY_ON)
			return verdict;
	}
	return same ? VERDICT_TX : redirects(o, be->ifindex) ? VERDICT_REDIRECT : VERDICT_DROP_REDIRECT;
}

static void note_key(const struct frame *f, struct fragment_key *key)
{
	memset(key, 0, sizeof(*key));
	memcpy(key->saddr, f->src.byte, 16);
	memcpy(key->daddr, f->dst.byte, 16);
	key->id = f->frag_id;
	key->proto = f->v4 ? f->proto : 0;
}

static void note_leave(const struct frame *f, __u32 vip, __u32 backend, __u32 now, struct oracle_result *ret)
{
	ret->noted = true;
	note_key(f, &ret->note_key);
	ret->note = (struct fragment_note){.backend = (__u16)backend, .vip = (__u16)vip, .tick = (__u16)now};
	ret->note.seal = fragment_seal(&ret->note_key, ret->note.backend, ret->note.vip, ret->note.tick);
}

/* The notes of a VIP whose connections have no cells of their own. */
static __u8 sign_noted(struct oracle *o, const struct frame *f, const struct flow *flow, __u32 now)
{
	__u32 ports = (__u32)htons(f->dport) << 16 | htons(f->sport), number;
	bool reset = f->kind == PACKET_RST;
	__u64 what, was, *at;

	memcpy(&number, f->byte + f->l4 + 4, sizeof(number));
	what = note_hash(reset ? ~flow->hash : flow->hash, ports, reset ? 0 : number);
	at = &o->note[what >> (64 - NOTES_LOG2)];
	was = *at;
	*at = what << 16 | (now & 0xffff);
	if (was >> 16 != (*at >> 16) || cell_age(was, now) > o->h->config.half_ticks)
		return reset ? SIGN_RESET : SIGN_NONE;
	return reset ? SIGN_NONE : SIGN_REPEAT;
}

static int steer_flow(struct oracle *o, struct frame *f, __u32 now, struct oracle_result *ret)
{
	const struct oracle_key *k = key_find(o, &f->dst, f->dport, f->proto);
	const struct vip_entry *e = k ? &o->h->vips[k->vip] : NULL;
	const struct view view = {o->h, ret};
	const struct vip_record *vip;
	const struct backend_entry *be;
	struct where w = {0};
	struct flow flow;

	if (!k || k->vip >= o->h->vips_max || !VIP_WORD_STATE(e->word)) {
		if (f->first)
			note_leave(f, ID_NONE, ID_NONE, now, ret);
		return VERDICT_PASS_VIP_OTHER;
	}
	ret->vip = k->vip;
	vip = &e->copy[VIP_WORD_SELECT(e->word)];
	if (!vip->slots_count)
		return VERDICT_DROP_NO_SLOT;
	flow = flow_of(o, f, vip, k->vip, now);
	ret->kind = (__u8)flow.kind;
	if (f->error) {
		where_to(&view, vip, &flow, &w);
		w.full = 0;
	} else {
		settle(&view, vip, &flow, &w);
		ret->fresh = w.fresh;
		ret->overflow = w.overflow;
		ret->sign = w.sign;
		if (vip->flags & VIP_NOTES && (f->kind == PACKET_SYN || f->kind == PACKET_RST))
			ret->sign = sign_noted(o, f, &flow, now);
	}
	ret->backend = w.backend;
	if (w.backend == ID_NONE)
		return w.dead ? reset(f, ret) : w.full ? VERDICT_DROP_FULL : VERDICT_DROP_NO_BACKEND;
	if (f->first)
		note_leave(f, k->vip, w.backend, now, ret);
	be = &o->h->backends[w.backend];
	return forward(o, f, &be->copy[BACKEND_WORD_SELECT(be->word)], flow.hash, ret);
}

/* A later fragment goes where the first one's note says, which the program's own map holds. */
static int steer_fragment(struct oracle *o, const struct frame *f, __u32 now, struct oracle_result *ret)
{
	struct flow_tuple t = {.proto = f->proto};
	const struct view view = {o->h, ret};
	const struct backend_entry *be;
	struct fragment_note note;
	struct fragment_key key;

	note_key(f, &key);
	if (bpf_map_lookup_elem(o->h->fragments_fd, &key, &note) ||
	    ((now - note.tick) & 0xffff) > o->h->config.half_ticks)
		return f->proto == IPPROTO_TCP || f->proto == IPPROTO_UDP ? VERDICT_DROP_FRAGMENT
									  : VERDICT_PASS_VIP_OTHER;
	if (note.backend == ID_NONE)
		return VERDICT_PASS_VIP_OTHER;
	ret->vip = note.vip;
	ret->backend = note.backend;
	if (!where_usable(&view, note.vip, note.backend, WHERE_OLD_FLOW))
		return VERDICT_DROP_NO_BACKEND;
	memcpy(t.saddr, f->src.byte, 16);
	memcpy(t.daddr, f->dst.byte, 16);
	be = &o->h->backends[note.backend];
	return forward(o, f, &be->copy[BACKEND_WORD_SELECT(be->word)], flow_hash(&t, o->h->config.seed), ret);
}

/* The flow of the packet that an error quotes, as its client's packets name it; the quote must be from the VIP. */
static int read_quote(struct frame *f)
{
	struct frame q = {.byte = f->byte, .len = f->len, .link = f->l4 + 8, .v4 = f->v4};

	if (q.len < q.link + (q.v4 ? 20 : 40))
		return VERDICT_DROP_ICMP;
	frame_addresses(&q);
	if (q.v4) {
		const __u8 *ip = q.byte + q.link;

		if (ip[0] >> 4 != 4 || (ip[0] & 15) < 5 || be16(ip + 6) & 0x1fff)
			return VERDICT_DROP_ICMP;
		q.proto = ip[9];
		q.l4 = q.link + (size_t)(ip[0] & 15) * 4;
	} else if (frame_ipv6(&q) != CARRY_ON || q.later) {
		return VERDICT_DROP_ICMP;
	}
	if ((q.proto != IPPROTO_TCP && q.proto != IPPROTO_UDP) || q.len < q.l4 + 8 || !addr_equal(&q.src, &f->dst))
		return VERDICT_DROP_ICMP;
	f->src = q.dst;
	f->sport = (__u16)be16(q.byte + q.l4 + 2);
	f->dport = (__u16)be16(q.byte + q.l4);
	f->proto = q.proto;
	f->kind = q.proto == IPPROTO_UDP ? PACKET_UDP : PACKET_OTHER;
	f->error = true;
	return CARRY_ON;
}

static int steer_icmp(struct frame *f, struct oracle_result *ret)
{
	const __u8 *icmp = f->byte + f->l4;

	if (f->first || f->proto != (f->v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return VERDICT_PASS_VIP_OTHER;
	if (f->link + f->ip_len < f->l4 + 8)
		return VERDICT_DROP_TRUNCATED;
	if (icmp[0] == (f->v4 ? 8 : 128) && !icmp[1])
		return echo(f, ret);
	if (f->v4 ? icmp[0] == 3 || icmp[0] == 11 || icmp[0] == 12 : icmp[0] >= 1 && icmp[0] <= 4)
		return read_quote(f);
	return VERDICT_PASS_VIP_OTHER;
}

static int steer_frame(struct oracle *o, struct frame *f, __u32 now, struct oracle_result *ret)
{
	int verdict;

	if (!frame_link(f) || !frame_addresses(f) || !key_find(o, &f->dst, 0, 0))
		return VERDICT_PASS_OTHER;
	verdict = frame_network(f);
	if (verdict == CARRY_ON)
		verdict = frame_transport(f);
	if (verdict == CARRY_ON && !f->later && f->proto != IPPROTO_TCP && f->proto != IPPROTO_UDP)
		verdict = steer_icmp(f, ret);
	if (verdict != CARRY_ON)
		return verdict;
	return f->later ? steer_fragment(o, f, now, ret) : steer_flow(o, f, now, ret);
}

void oracle_steer(struct oracle *o, const __u8 *byte, size_t len, __u32 now, struct oracle_result *ret)
{
	struct frame f = {.byte = byte, .len = len};

	memset(ret, 0, offsetof(struct oracle_result, byte));
	ret->vip = ret->backend = ID_NONE;
	ret->verdict = steer_frame(o, &f, now, ret);
	if (ret->verdict == VERDICT_PASS_OTHER || ret->verdict == VERDICT_PASS_VIP_OTHER) {
		memcpy(ret->byte, byte, len);
		ret->len = len;
		ret->exact = true;
	}
}
