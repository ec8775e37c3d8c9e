// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The flow hash: every part of it that something depends on is even, for inputs as poor as real ones,
 * and every bit of the input reaches every bit of the output. Seeds are fixed: no flakes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "starling/hash.h"

#define BINS   1021 /* a slot count; prime, so that no power of two hides in it */
#define TUPLES (1u << 18)
#define LOG2   19

static __u64 rng_next(__u64 *state)
{
	__u64 z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static void seed_fill(__u32 seed[16], __u64 from)
{
	for (int i = 0; i < 16; i++)
		seed[i] = (__u32)rng_next(&from);
}

/* Inputs of little entropy, by number. */
enum shape { V4_PORTS, V4_ADDRESSES, V4_BOTH, V4_STRIDE, V6_PORTS, V6_ADDRESSES, V6_PREFIXES, SOURCE_ONLY, SHAPES };

static void tuple_make(struct flow_tuple *t, enum shape shape, __u32 n)
{
	memset(t, 0, sizeof(*t));
	t->proto = 6;
	t->dport = __builtin_bswap16(443);
	t->sport = __builtin_bswap16((__u16)40000);
	if (shape <= V4_STRIDE) {
		t->saddr[2] = t->daddr[2] = __builtin_bswap32(0xffff);
		t->saddr[3] = __builtin_bswap32(0xc6336400);
		t->daddr[3] = __builtin_bswap32(0xcb00710a);
	} else {
		t->saddr[0] = t->daddr[0] = __builtin_bswap32(0x20010db8);
		t->daddr[3] = __builtin_bswap32(0x10);
	}
	switch (shape) {
	case V4_PORTS:
	case V6_PORTS:
		t->sport = __builtin_bswap16((__u16)n);
		t->saddr[3] += __builtin_bswap32(n >> 16);
		break;
	case V4_ADDRESSES:
	case V6_ADDRESSES:
		t->saddr[3] = __builtin_bswap32(0x0a000000 + n);
		break;
	case V4_BOTH:
		t->saddr[3] = __builtin_bswap32(0x0a000000 + n / 512);
		t->sport = __builtin_bswap16((__u16)(32768 + n % 512));
		break;
	case V4_STRIDE:
		t->saddr[3] = __builtin_bswap32(n << 12);
		break;
	case V6_PREFIXES:
		t->saddr[1] = __builtin_bswap32(n << 8);
		t->saddr[3] = __builtin_bswap32(1);
		break;
	case SOURCE_ONLY:
		memset(t->daddr, 0, sizeof(t->daddr));
		t->sport = 0;
		t->dport = 3;
		t->saddr[3] = __builtin_bswap32(n);
		break;
	case SHAPES:
		break;
	}
}

/* How far the bins are from even, in standard deviations of chi-square. */
static double uneven(const __u32 *bins)
{
	double chi = 0, mean = (double)TUPLES / BINS;

	for (int i = 0; i < BINS; i++)
		chi += (bins[i] - mean) * (bins[i] - mean) / mean;
	return fabs(chi - (BINS - 1)) / sqrt(2.0 * (BINS - 1));
}

static void set_tag_slot_and_port_are_even_for_poor_inputs(void **state)
{
	static __u32 slots[BINS], sets[BINS], tags[BINS], tails[BINS];
	struct flow_tuple t;
	__u32 seed[16];

	(void)state;
	for (__u64 key = 1; key <= 4; key++)
		for (int shape = 0; shape < SHAPES; shape++) {
			seed_fill(seed, key * 77);
			memset(slots, 0, sizeof(slots));
			memset(sets, 0, sizeof(sets));
			memset(tags, 0, sizeof(tags));
			memset(tails, 0, sizeof(tails));
			for (__u32 n = 0; n < TUPLES; n++) {
				__u64 h;

				tuple_make(&t, (enum shape)shape, n);
				h = flow_hash(&t, seed);
				slots[hash_slot(h, BINS)]++;
				sets[hash_set(h, LOG2) % BINS]++;
				tags[hash_tag(h, LOG2) % BINS]++;
				tails[(h & 0x1fffff) % BINS]++;
			}
			assert_true(uneven(slots) < 5);
			assert_true(uneven(sets) < 5);
			assert_true(uneven(tags) < 5);
			assert_true(uneven(tails) < 5);
		}
}

static int compare(const void *a, const void *b)
{
	const __u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* A cell knows its flow by set and tag, 43 bits here: 2^18 flows have 2^35 pairs, so 1 collision in 256 tries. */
static void flows_hardly_ever_share_set_and_tag(void **state)
{
	static __u64 keys[TUPLES];
	__u32 seed[16], collisions = 0;
	struct flow_tuple t;

	(void)state;
	for (int shape = 0; shape < SHAPES; shape++) {
		seed_fill(seed, (__u64)shape * 131 + 5);
		for (__u32 n = 0; n < TUPLES; n++) {
			__u64 h;

			tuple_make(&t, (enum shape)shape, n);
			h = flow_hash(&t, seed);
			keys[n] = (__u64)hash_set(h, LOG2) << 24 | hash_tag(h, LOG2);
		}
		qsort(keys, TUPLES, sizeof(*keys), compare);
		for (__u32 n = 1; n < TUPLES; n++)
			collisions += keys[n] == keys[n - 1];
	}
	assert_true(collisions <= 2);
}

static void every_input_bit_flips_every_output_bit_half_of_the_time(void **state)
{
	enum { BITS = sizeof(struct flow_tuple) * 8, ROUNDS = 4000 };
	static __u32 flips[BITS][64];
	__u32 seed[16];
	__u64 rng = 42;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct flow_tuple t;
		__u64 h;

		seed_fill(seed, rng_next(&rng));
		tuple_make(&t, (enum shape)(round % SHAPES), (__u32)rng_next(&rng) % TUPLES);
		h = flow_hash(&t, seed);
		for (int bit = 0; bit < BITS; bit++) {
			__u64 diff;

			((__u8 *)&t)[bit / 8] ^= (__u8)(1 << bit % 8);
			diff = h ^ flow_hash(&t, seed);
			((__u8 *)&t)[bit / 8] ^= (__u8)(1 << bit % 8);
			for (int out = 0; out < 64; out++)
				flips[bit][out] += diff >> out & 1;
		}
	}
	/* Six standard deviations: 20,480 pairs are looked at. */
	for (int bit = 0; bit < BITS; bit++)
		for (int out = 0; out < 64; out++)
			assert_in_range(flips[bit][out], ROUNDS / 2 - 190, ROUNDS / 2 + 190);
}

static void another_seed_is_another_hash(void **state)
{
	__u32 a[16], b[16], same = 0;
	struct flow_tuple t;

	(void)state;
	for (int word = 0; word < 12; word++) {
		seed_fill(a, 9);
		memcpy(b, a, sizeof(b));
		b[word] ^= 1;
		for (__u32 n = 0; n < 1024; n++) {
			tuple_make(&t, V6_PORTS, n);
			same += hash_slot(flow_hash(&t, a), BINS) == hash_slot(flow_hash(&t, b), BINS);
		}
	}
	/* 12 times 1024 / 1021 by chance. */
	assert_in_range(same, 1, 36);
}

static void a_cell_names_its_slot(void **state)
{
	static const __u32 counts[] = {1021, 2039, 16381, 65537, 1048573};
	__u64 rng = 7;

	(void)state;
	for (__u32 log2 = 8; log2 <= 24; log2++)
		for (__u32 n = 0; n < 20000; n++) {
			__u64 h = rng_next(&rng), back;

			back = hash_of_cell(hash_set(h, log2), hash_tag(h, log2), log2);
			assert_int_equal(hash_slot(back, counts[n % 5]), hash_slot(h, counts[n % 5]));
		}
}

static void no_flow_has_the_tag_of_a_free_cell(void **state)
{
	(void)state;
	assert_int_equal(hash_tag(0, 18), 1);
	assert_int_equal(hash_tag(0x05fa0000000983d4ULL, 18), 1);
	assert_int_equal(hash_tag(~0ULL, 18), 0xffffff);
	assert_int_equal(hash_tag(5ULL << 22, 18), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_tag_slot_and_port_are_even_for_poor_inputs),
		cmocka_unit_test(flows_hardly_ever_share_set_and_tag),
		cmocka_unit_test(every_input_bit_flips_every_output_bit_half_of_the_time),
		cmocka_unit_test(another_seed_is_another_hash),
		cmocka_unit_test(a_cell_names_its_slot),
		cmocka_unit_test(no_flow_has_the_tag_of_a_free_cell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
