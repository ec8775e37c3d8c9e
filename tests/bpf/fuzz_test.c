// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * steer against the oracle: good packets, each of their prefixes, each of their header bytes spoilt, and random
 * ones, over tables in every state. Same verdict, same backend, same cells, same bytes. SEED= replays a run,
 * PACKETS= makes it longer. Not here: the oracle's own view of things (oracle.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness.h"
#include "oracle.h"
#include "starling/cell.h"

#define FUZZ_VIPS     8
#define FUZZ_BACKENDS 64
#define FUZZ_SLOTS    61
#define FUZZ_LIMIT    60 /* connections */
#define FUZZ_PACKETS  600000
#define DEVICE_KNOWN  7
#define DEVICE_OTHER  9

struct fuzz {
	struct harness *h;
	struct oracle oracle;
	__u64 rng;
	__u64 seed;
	__u64 packets, seen[VERDICT_COUNT];
	__u64 connections[FUZZ_VIPS], overflows[FUZZ_VIPS], refused[FUZZ_VIPS];
	__u64 repeats[FUZZ_BACKENDS], resets[FUZZ_BACKENDS];
	__u32 now;
	struct oracle_result want;
	struct harness_result got;
};

static const char *const fuzz_v4[] = {"203.0.113.10", "203.0.113.11", "203.0.113.12", "203.0.113.13"};
static const char *const fuzz_v6[] = {"2001:db8:113::10", "2001:db8:113::11", "2001:db8:113::12", "2001:db8:113::13"};

static __u32 rnd(struct fuzz *f, __u32 below)
{
	/* xorshift64* (Vigna 2014) */
	f->rng ^= f->rng >> 12;
	f->rng ^= f->rng << 25;
	f->rng ^= f->rng >> 27;
	return (__u32)((f->rng * 0x2545f4914f6cdd1dull >> 32) * below >> 32);
}

static void backend_random(struct fuzz *f, __u32 id)
{
	struct addr a = packet_addr(rnd(f, 2) ? "10.0.0.0" : "2001:db8:2::");
	static const __u32 device[] = {1, 1, 1, DEVICE_KNOWN, DEVICE_OTHER};
	struct backend_record r;
	__u32 dice = rnd(f, 20);

	a.byte[15] = (__u8)id;
	r = harness_backend_record(&a, rnd(f, 3), device[rnd(f, 5)]);
	if (rnd(f, 2))
		r.flags |= BACKEND_GUE_CSUM;
	if (!rnd(f, 12))
		r.flags &= (__u8)~BACKEND_RESOLVED;
	if (!rnd(f, 6))
		r.mtu = (__u16)(300 + rnd(f, 300));
	else if (rnd(f, 2))
		r.mtu = 9600;
	harness_backend_set(f->h, id, &r,
			    dice < 15	? BACKEND_UP
			    : dice < 17 ? BACKEND_DRAINING
			    : dice < 19 ? BACKEND_DOWN
					: BACKEND_UNUSED,
			    1 + rnd(f, 100), id % FUZZ_VIPS);
	f->h->limits[id].most = rnd(f, 2) ? 1 + rnd(f, FUZZ_LIMIT) : 0;
	f->h->loads[id].peers = rnd(f, FUZZ_LIMIT / 2);
}

static __u32 home_random(struct fuzz *f, __u32 vip)
{
	if (!rnd(f, 30))
		return ID_NONE;
	/* Now and then another VIP's backend, or none that exists: neither may get a packet. */
	if (!rnd(f, 40))
		return rnd(f, 2 * FUZZ_BACKENDS);
	return vip + rnd(f, FUZZ_BACKENDS / FUZZ_VIPS) * FUZZ_VIPS;
}

static void slot_random(struct fuzz *f, __u32 vip, __u32 slot)
{
	__u32 state = rnd(f, 40) ? SLOT_PLAIN + rnd(f, 3) : SLOT_EMPTY;

	harness_slot_set(f->h, vip * FUZZ_SLOTS + slot,
			 slot_make(state, home_random(f, vip), home_random(f, vip),
				   rnd(f, 8) ? home_random(f, vip) : SLOT_PREV_TABLE));
}

/* Every way to choose; 0, 1 and 6 reset the dead, 1, 2 and 7 heed limits, 4 has no slots, 5 is out of service, 6 hashes
 * the source, 7 is being resized. */
static void vip_random(struct fuzz *f, __u32 id)
{
	struct vip_record r = {.slots_base = id * FUZZ_SLOTS,
			       .slots_count = id == 4 ? 0 : FUZZ_SLOTS,
			       .idle_ticks = 3516,
			       .steer_by = (__u8)(id % 3)};

	if (id == 6)
		r.flags = VIP_HASH_SOURCE | VIP_DEAD_RESET | VIP_NOTES;
	if (id == 0)
		r.flags = VIP_NOTES;
	if (id == 7 || id == 3) {
		r.flags = id == 3 ? VIP_NO_CELLS : 0;
		r.prev_base = FUZZ_SLOTS;
		r.prev_count = 31;
	}
	if (id < 2)
		r.flags |= VIP_DEAD_RESET;
	if (id == 1 || id == 2 || id == 7)
		r.flags |= VIP_LIMITS;
	harness_vip_set(f->h, id, &r, id != 5);
}

static void tables_random(struct fuzz *f)
{
	__u32 i, slot;

	for (i = 0; i < FUZZ_BACKENDS; i++)
		backend_random(f, i);
	for (i = 0; i < FUZZ_VIPS; i++)
		for (slot = 0; slot < FUZZ_SLOTS; slot++)
			slot_random(f, i, slot);
}

static int fuzz_setup(void **state)
{
	struct steer_config config = harness_config(7, 28, 8);
	struct harness_options o = {.flow_sets_log2 = 8, .config = &config};
	struct fuzz *f = calloc(1, sizeof(*f));
	__u32 i;

	if (!f || harness_open(&o, &f->h))
		return -1;
	f->oracle.h = f->h;
	f->oracle.devmap[0] = DEVICE_KNOWN;
	if (harness_devmap_add(f->h, DEVICE_KNOWN))
		return -1;
	for (i = 0; i < FUZZ_VIPS; i++) {
		struct addr v4 = packet_addr(fuzz_v4[i / 2]), v6 = packet_addr(fuzz_v6[i / 2]);
		__u16 port = i & 1 ? 443 : 80;

		vip_random(f, i);
		if (oracle_key_add(&f->oracle, &v4, port, IPPROTO_TCP, i) ||
		    oracle_key_add(&f->oracle, &v4, port, IPPROTO_UDP, i) ||
		    oracle_key_add(&f->oracle, &v6, port, IPPROTO_TCP, i) ||
		    oracle_key_add(&f->oracle, &v6, port, IPPROTO_UDP, i))
			return -1;
	}
	f->now = harness_tick(f->h);
	*state = f;
	return 0;
}

static int fuzz_teardown(void **state)
{
	struct fuzz *f = *state;

	if (f)
		harness_close(f->h);
	free(f);
	return 0;
}

static void seed_set(struct fuzz *f, const char *what)
{
	const char *text = getenv("SEED");

	f->seed = text ? strtoull(text, NULL, 0) : (__u64)time(NULL);
	f->rng = f->seed * 0x9e3779b97f4a7c15ull + 1;
	print_message("%s: SEED=%llu\n", what, f->seed);
	memset(f->h->flows, 0, sizeof(struct flow_set) * f->h->sets_max);
	memset(f->h->loads, 0, sizeof(struct backend_load) * f->h->backends_max);
	tables_random(f);
}

static void dump(const char *what, const __u8 *byte, size_t len)
{
	size_t i;

	printf("%s (%zu):", what, len);
	for (i = 0; i < len && i < 256; i++)
		printf("%s%02x", i % 32 ? "" : "\n\t", byte[i]);
	printf("\n");
}

static void differ(struct fuzz *f, const struct packet *p, const char *why, int verdict)
{
	printf("SEED=%llu, packet %llu: %s: verdict %s, wanted %s; action %u; vip %u, backend %u\n", f->seed,
	       f->packets, why, verdict < 0 ? "none or several" : harness_verdict_name[verdict],
	       harness_verdict_name[f->want.verdict], f->got.action, f->want.vip, f->want.backend);
	dump("in", p->byte, p->len);
	dump("out", f->got.byte, f->got.len);
	if (f->want.exact)
		dump("wanted", f->want.byte, f->want.len);
	fail();
}

static __u32 action_of(int verdict)
{
	static const __u32 action[VERDICT_COUNT] = {
#define FUZZ_ACTION(name, act, label, help) XDP_##act,
		STARLING_VERDICTS(FUZZ_ACTION)
#undef FUZZ_ACTION
	};

	return action[verdict];
}

#define UNTENDED 7 /* of the VIPs with limits the one that the controller has left alone for long */

static void vips_tend(struct fuzz *f)
{
	f->h->vips[1].tended = f->h->vips[2].tended = f->now;
	f->h->vips[UNTENDED].tended = (f->now - 1000) & TICK_MASK;
}

/* By what is seen from outside: a SYN that begins a connection goes to nobody who has as many as it may. */
static void check_limit(struct fuzz *f, const struct packet *p, const struct backend_load *before)
{
	__u32 id = f->want.backend, most = id == ID_NONE ? 0 : f->h->limits[id].most;

	if (!most || !f->want.fresh || f->want.vip == UNTENDED || f->want.kind != PACKET_SYN ||
	    !(f->h->vips[f->want.vip].copy[VIP_WORD_SELECT(f->h->vips[f->want.vip].word)].flags & VIP_LIMITS))
		return;
	if (before[id].open + before[id].half + before[id].peers >= most)
		differ(f, p, "one more than it may have", f->want.verdict);
}

/* One packet through both. */
static void compare(struct fuzz *f, const struct packet *p)
{
	struct backend_load before[FUZZ_BACKENDS];
	struct fragment_note note;
	int verdict;

	if (p->len < 14)
		return; /* the kernel makes no such frame */
	f->packets++;
	memcpy(before, f->h->loads, sizeof(before));
	vips_tend(f);
	oracle_steer(&f->oracle, p->byte, p->len, f->now, &f->want);
	verdict = harness_verdict(f->h, p, &f->got);
	/* The limit on errors sent is the program's alone to know. */
	if (verdict == VERDICT_DROP_TOO_BIG && f->want.verdict == VERDICT_TX_TOO_BIG)
		f->want.verdict = verdict;
	if (verdict == VERDICT_DROP_DEAD && f->want.verdict == VERDICT_TX_RESET)
		f->want.verdict = verdict;
	if (verdict != f->want.verdict || f->got.action != action_of(f->want.verdict))
		differ(f, p, "verdict", verdict);
	f->seen[verdict]++;
	if (f->want.exact && action_of(verdict) != XDP_DROP &&
	    (f->got.len != f->want.len || memcmp(f->got.byte, f->want.byte, f->want.len)))
		differ(f, p, "bytes", verdict);
	if (f->want.cell && memcmp(&f->h->flows[f->want.set_index], &f->want.set, sizeof(f->want.set)))
		differ(f, p, "cells", verdict);
	if (f->want.noted && (bpf_map_lookup_elem(f->h->fragments_fd, &f->want.note_key, &note) ||
			      memcmp(&note, &f->want.note, sizeof(note))))
		differ(f, p, "note of a fragment", verdict);
	check_limit(f, p, before);
	if (f->want.vip != ID_NONE) {
		f->refused[f->want.vip] += verdict == VERDICT_DROP_FULL;
		f->connections[f->want.vip] += f->want.fresh;
		f->overflows[f->want.vip] += f->want.overflow;
	}
	if (verdict == VERDICT_TX || verdict == VERDICT_REDIRECT) {
		f->repeats[f->want.backend] += f->want.sign == SIGN_REPEAT;
		f->resets[f->want.backend] += f->want.sign == SIGN_RESET;
	}
}

/* Loads are what the cells say, and VIPs have counted what the oracle has. */
static void check_sums(struct fuzz *f)
{
	struct backend_load sum[FUZZ_BACKENDS] = {0};
	__u32 i, way;

	for (i = 0; i < f->h->sets_max; i++)
		for (way = 0; way < FLOW_WAYS; way++) {
			__u64 load = cell_load(f->h->flows[i].cell[way]);
			__u32 id = cell_backend(f->h->flows[i].cell[way]);

			if (!load)
				continue;
			assert_in_range(id, 0, FUZZ_BACKENDS - 1);
			sum[id].open += (__u32)load;
			sum[id].half += (__u32)(load >> 32);
		}
	for (i = 0; i < FUZZ_BACKENDS; i++) {
		assert_int_equal(f->h->loads[i].open, sum[i].open);
		assert_int_equal(f->h->loads[i].half, sum[i].half);
		assert_int_equal(f->h->signs[i].repeats, f->repeats[i]);
		assert_int_equal(f->h->signs[i].resets, f->resets[i]);
	}
	for (i = 0; i < FUZZ_VIPS; i++) {
		struct vip_count c = harness_vip_count(f->h, i);

		assert_int_equal(c.connections, f->connections[i]);
		assert_int_equal(c.overflows, f->overflows[i]);
		assert_int_equal(harness_refused(f->h, i), f->refused[i]);
	}
}

static void addresses_random(struct fuzz *f, struct packet_spec *s)
{
	bool v6 = rnd(f, 2), ours = rnd(f, 10);

	s->src = packet_addr(v6 ? "2001:db8:100::10" : "198.51.100.10");
	s->src.byte[15] = (__u8)(s->src.byte[15] + rnd(f, 8));
	s->sport = (__u16)(40000 + rnd(f, 200));
	s->dst = packet_addr(v6 ? (ours ? fuzz_v6[rnd(f, 4)] : "2001:db8:2::11")
				: (ours ? fuzz_v4[rnd(f, 4)] : "192.0.2.11"));
	s->dport = rnd(f, 12) ? (rnd(f, 2) ? 80 : 443) : (__u16)rnd(f, 65536);
}

/* Byte values that lengths, offsets and type fields trip over. */
static __u8 spoilt(__u32 nth, __u8 was)
{
	static const __u8 value[] = {0, 1, 4, 5, 6, 0x0f, 0x40, 0x45, 0x4f, 0x60, 0x7f, 0x80, 0xff, 17, 58, 44};

	return nth < sizeof(value) ? value[nth] : (__u8)(was ^ 1u << (nth - sizeof(value)));
}

#define SPOILT 24

static void packet_mutate(struct fuzz *f, struct packet *p)
{
	__u32 n = rnd(f, 4), head = p->payload < p->len ? (__u32)p->payload + 8 : (__u32)p->len, at;

	while (n--) {
		at = 12 + rnd(f, head);
		if (at < p->len)
			p->byte[at] = rnd(f, 2) ? (__u8)rnd(f, 256) : spoilt(rnd(f, SPOILT), p->byte[at]);
	}
	if (!rnd(f, 3))
		p->len = rnd(f, (__u32)p->len + 1);
	else if (!rnd(f, 6))
		p->len += rnd(f, 40); /* bytes behind the packet, as Ethernet's padding */
}

static void spec_random(struct fuzz *f, struct packet_spec *s)
{
	static const __u8 flags[] = {TCP_SYN, TCP_SYN,		 TCP_ACK, TCP_ACK,	     TCP_ACK, TCP_FIN | TCP_ACK,
				     TCP_RST, TCP_SYN | TCP_ACK, 0,	  TCP_SYN | TCP_FIN, 0xff};
	static const __u8 exts[] = {0, 43, 51, 60};
	__u32 i;

	memset(s, 0, sizeof(*s));
	addresses_random(f, s);
	s->proto = rnd(f, 3) ? IPPROTO_TCP : rnd(f, 8) ? IPPROTO_UDP : (__u8)rnd(f, 256);
	s->tcp_flags = flags[rnd(f, sizeof(flags))];
	s->tos = (__u8)(rnd(f, 4) ? 0 : rnd(f, 256));
	s->ttl = (__u8)(rnd(f, 8) ? 64 : rnd(f, 3));
	s->no_df = !rnd(f, 4);
	s->vlans = rnd(f, 3) ? 0 : rnd(f, 4);
	for (i = 0; i < s->vlans; i++)
		s->vlan[i] = (__u16)rnd(f, 65536);
	s->vlan_proto = rnd(f, 3) ? 0 : 0x88a8;
	s->ip_options_bytes = rnd(f, 6) ? 0 : 4 * rnd(f, 11);
	s->exts = rnd(f, 4) ? 0 : rnd(f, PACKET_EXTENSIONS);
	for (i = 0; i < s->exts; i++)
		s->ext[i] = exts[rnd(f, sizeof(exts))];
	s->payload_bytes = rnd(f, 4)	? rnd(f, 64)
			   : rnd(f, 16) ? rnd(f, 1500)
					: rnd(f, 9000); /* jumbo: several buffers */
	if (!rnd(f, 12)) {
		s->more = rnd(f, 2);
		s->frag_offset = (__u16)(8 * (rnd(f, 2) ? 0 : rnd(f, 100)));
		s->frag_id = 1 + rnd(f, 50);
	}
	if (!rnd(f, 16)) {
		s->proto = addr_is_v4(&s->dst) ? IPPROTO_ICMP : IPPROTO_ICMPV6;
		s->icmp_type = (__u8)(rnd(f, 2) ? (addr_is_v4(&s->dst) ? 8 : 128) : rnd(f, 256));
	}
}

/* An error about a packet that the flow of @s was answered with, quoted whole or in part. */
static void error_random(struct fuzz *f, struct packet_spec *s, struct packet *p)
{
	static const __u8 v4[] = {3, 11, 12, 4, 5}, v6[] = {1, 2, 3, 4, 5};
	struct packet_spec quoted = *s;
	struct packet about;

	quoted.src = s->dst;
	quoted.dst = s->src;
	quoted.sport = s->dport;
	quoted.dport = s->sport;
	quoted.vlans = 0;
	packet_build(&quoted, &about);
	if (!rnd(f, 3))
		packet_mutate(f, &about);
	s->src = packet_addr(addr_is_v4(&s->dst) ? "198.51.100.1" : "2001:db8:100::1");
	s->icmp_type = addr_is_v4(&s->dst) ? v4[rnd(f, 5)] : v6[rnd(f, 5)];
	s->icmp_code = (__u8)rnd(f, 6);
	s->icmp_word = rnd(f, 3000);
	s->exts = s->frag_offset = 0;
	s->more = false;
	s->frag_id = 0;
	if (about.len > about.l3)
		packet_icmp_error(s, &about, rnd(f, 3) ? 28 + rnd(f, 80) : 548, p);
}

static void tables_step(struct fuzz *f)
{
	__u32 i;

	backend_random(f, rnd(f, FUZZ_BACKENDS));
	for (i = 0; i < 8; i++)
		slot_random(f, rnd(f, FUZZ_VIPS), rnd(f, FUZZ_SLOTS));
	harness_age(f->h, rnd(f, 3) ? rnd(f, 4) : rnd(f, 400));
}

/* What a base packet is; the list is walked with both IP versions. */
static bool base_packet(struct fuzz *f, __u32 nth, struct packet *p)
{
	struct packet_spec s = packet_tcp(nth & 1 ? "2001:db8:100::10" : "198.51.100.10", 40000,
					  nth & 1 ? fuzz_v6[0] : fuzz_v4[0], 80, TCP_SYN);

	(void)f;
	switch (nth / 2) {
	case 0:
		break;
	case 1:
		s.tcp_flags = TCP_ACK;
		s.payload_bytes = 8;
		break;
	case 2:
		s.proto = IPPROTO_UDP;
		break;
	case 3:
		s.vlans = 1;
		break;
	case 4:
		s.vlans = 2;
		s.vlan_proto = 0x88a8;
		break;
	case 5:
		s.vlans = 3;
		break;
	case 6:
		s.ip_options_bytes = 40;
		s.exts = 3;
		s.ext[0] = 0;
		s.ext[1] = 43;
		s.ext[2] = 51;
		break;
	case 7:
		s.exts = STARLING_IPV6_EXTENSIONS;
		memset(s.ext, 60, sizeof(s.ext));
		s.proto = IPPROTO_UDP;
		break;
	case 8:
		s.exts = STARLING_IPV6_EXTENSIONS + 1;
		memset(s.ext, 60, sizeof(s.ext));
		break;
	case 9:
		s.more = true;
		s.frag_id = 77;
		s.payload_bytes = 16;
		break;
	case 10:
		s.frag_offset = 64;
		s.frag_id = 77;
		s.payload_bytes = 16;
		break;
	case 11:
		s.proto = nth & 1 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		s.icmp_type = nth & 1 ? 128 : 8;
		break;
	case 12:
		s.dst = packet_addr(nth & 1 ? "2001:db8:2::11" : "192.0.2.11");
		break;
	case 13:
		s.dport = 8080;
		break;
	default:
		return false;
	}
	packet_build(&s, p);
	return true;
}

static void every_prefix_and_every_spoilt_header_byte_is_judged_as_the_oracle_does(void **state)
{
	struct fuzz *f = *state;
	struct packet base, p;
	__u32 nth, i;
	size_t at;

	seed_set(f, "spoilt");
	for (nth = 0; base_packet(f, nth, &base); nth++) {
		for (at = 14; at <= base.len; at++) {
			p = base;
			p.len = at;
			compare(f, &p);
		}
		for (at = 12; at < base.len; at++)
			for (i = 0; i < SPOILT; i++) {
				p = base;
				p.byte[at] = spoilt(i, p.byte[at]);
				compare(f, &p);
			}
		tables_step(f);
	}
	check_sums(f);
}

static void random_packets_are_judged_as_the_oracle_does(void **state)
{
	struct fuzz *f = *state;
	const char *text = getenv("PACKETS");
	__u32 packets = text ? (__u32)strtoul(text, NULL, 0) : FUZZ_PACKETS, i;
	struct packet_spec s;
	struct packet p;

	seed_set(f, "random");
	for (i = 0; i < packets; i++) {
		spec_random(f, &s);
		memset(&p, 0, 128);
		packet_build(&s, &p);
		if (!rnd(f, 8))
			error_random(f, &s, &p);
		if (rnd(f, 2))
			packet_mutate(f, &p);
		compare(f, &p);
		if (!(i % 16))
			tables_step(f);
		if (!(i % 4096))
			check_sums(f);
	}
	check_sums(f);
}

/* What no packet can lead to while the kernel is whole. */
static bool verdict_is_out_of_reach(int verdict)
{
	return verdict == VERDICT_DROP_HEADROOM || verdict == VERDICT_DROP_INTERNAL;
}

/* Last: every verdict that a packet can have has been seen, and every sign, so that the comparison has met them all. */
static void every_verdict_was_met(void **state)
{
	struct fuzz *f = *state;
	__u64 repeats = 0, resets = 0;
	int i;

	for (i = 0; i < FUZZ_BACKENDS; i++) {
		repeats += f->repeats[i];
		resets += f->resets[i];
	}
	print_message("%16s %llu\n%16s %llu\n", "repeated SYNs", repeats, "resets", resets);
	assert_true(repeats && resets);
	for (i = 0; i < VERDICT_COUNT; i++)
		print_message("%16s %llu\n", harness_verdict_name[i], f->seen[i]);
	for (i = 0; i < VERDICT_COUNT; i++) {
		if (!f->seen[i] && !verdict_is_out_of_reach(i))
			fail_msg("%s was never met", harness_verdict_name[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_prefix_and_every_spoilt_header_byte_is_judged_as_the_oracle_does),
		cmocka_unit_test(random_packets_are_judged_as_the_oracle_does),
		cmocka_unit_test(every_verdict_was_met),
	};

	return cmocka_run_group_tests(tests, fuzz_setup, fuzz_teardown);
}
