// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Where steer sends fragments: with the first one, wherever that went. Not here: whole packets (steer_test.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <cmocka.h>

#include "steer_world.h"

static void later_fragments_follow_the_first(void **state)
{
	struct harness *h = *state;
	struct harness_result r;
	struct packet p;
	__u32 i;

	world_make(h, FORWARD_IPIP, true);
	for (i = 0; i < 40; i++) {
		bool v4 = i & 1;
		struct packet_spec s = v4 ? packet_udp("198.51.100.10", (__u16)(3000 + i), "203.0.113.10", 53)
					  : packet_udp("2001:db8:100::10", (__u16)(3000 + i), "2001:db8:113::10", 53);
		int first;

		s.payload_bytes = 800;
		s.frag_id = 100 + i;
		s.frag_offset = 808;
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_DROP_FRAGMENT);
		s.frag_offset = 0;
		s.more = true;
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
		first = backend_of(&r);
		s.frag_offset = 808;
		s.more = false;
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
		assert_int_equal(backend_of(&r), first);
	}
}

/* RFC 8200 section 4.5: of the fragments of one packet only the first one's next header counts. */
static void ipv6_fragments_belong_together_whatever_header_they_name(void **state)
{
	struct packet_spec s = packet_udp("2001:db8:100::10", 3000, "2001:db8:113::10", 53);
	__u8 part[32] = {IPPROTO_UDP, 0, 1, 4, 0, 0, 0, 0, 3000 >> 8, 3000 & 0xff, 0, 53, 0, 200};
	struct harness *h = *state;
	struct harness_result r;
	struct packet p;
	__u32 i;
	int first;

	world_make(h, FORWARD_IPIP, true);
	for (i = 0; i < 20; i++) {
		s.proto = 60;
		s.payload = part;
		s.payload_bytes = sizeof(part);
		s.frag_id = 7000 + i;
		s.frag_offset = 0;
		s.more = true;
		part[9] = (__u8)i;
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
		first = backend_of(&r);
		s.frag_offset = sizeof(part);
		s.more = false;
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
		assert_int_equal(backend_of(&r), first);
		s.proto = IPPROTO_UDP;
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
		assert_int_equal(backend_of(&r), first);
	}
}

static void fragments_of_what_is_left_to_the_host_are_left_to_it_too(void **state)
{
	struct harness *h = *state;
	struct harness_result r;
	struct packet p;
	__u32 i;

	world_make(h, FORWARD_IPIP, true);
	for (i = 0; i < 4; i++) {
		struct packet_spec s = i & 1 ? packet_udp("198.51.100.10", 3000, "203.0.113.10", 4500)
					     : packet_udp("2001:db8:100::10", 3000, "2001:db8:113::10", 4500);

		if (i & 2) {
			s.proto = i & 1 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
			s.icmp_type = i & 1 ? 8 : 128;
		}
		s.payload_bytes = 800;
		s.frag_id = 900 + i;
		s.more = true;
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_PASS_VIP_OTHER);
		s.frag_offset = 808;
		s.more = false;
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_PASS_VIP_OTHER);
		assert_memory_equal(r.byte, p.byte, p.len);
	}
}

/* An element of a hash map is another key's as soon as it is freed, even under a reader's eyes. */
static void a_note_about_another_fragment_is_not_followed(void **state)
{
	struct packet_spec s = packet_udp("198.51.100.10", 3000, "203.0.113.10", 53);
	struct harness *h = *state;
	struct fragment_key key, keys[2];
	struct fragment_note note[2];
	struct harness_result r;
	struct packet p;
	__u32 i;

	world_make(h, FORWARD_IPIP, true);
	s.payload_bytes = 800;
	s.more = true;
	for (i = 0; i < 2; i++) {
		s.frag_id = 300 + i;
		assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
	}
	assert_int_equal(bpf_map_get_next_key(h->fragments_fd, NULL, &keys[0]), 0);
	assert_int_equal(bpf_map_get_next_key(h->fragments_fd, &keys[0], &keys[1]), 0);
	assert_int_not_equal(bpf_map_get_next_key(h->fragments_fd, &keys[1], &key), 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(bpf_map_lookup_elem(h->fragments_fd, &keys[i], &note[i]), 0);
	s.frag_offset = 808;
	s.more = false;
	assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_TX);
	for (i = 0; i < 2; i++)
		assert_int_equal(bpf_map_update_elem(h->fragments_fd, &keys[i], &note[!i], BPF_ANY), 0);
	assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_DROP_FRAGMENT);
	for (i = 0; i < 2; i++) {
		note[i].backend ^= 1; /* half of one note, half of another */
		assert_int_equal(bpf_map_update_elem(h->fragments_fd, &keys[i], &note[i], BPF_ANY), 0);
	}
	assert_int_equal(verdict_of(h, &s, &p, &r), VERDICT_DROP_FRAGMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(later_fragments_follow_the_first),
		cmocka_unit_test(ipv6_fragments_belong_together_whatever_header_they_name),
		cmocka_unit_test(fragments_of_what_is_left_to_the_host_are_left_to_it_too),
		cmocka_unit_test(a_note_about_another_fragment_is_not_followed),
	};

	return cmocka_run_group_tests_name("fragments", tests, world_open, world_close);
}
