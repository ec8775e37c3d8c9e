/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SplitMix64 (Steele, Lea, Flood: OOPSLA 2014), the unkeyed hash of tables, walks and digests.
 * Not here: the keyed hash of flows (include/starling/hash.h).
 */
#ifndef STARLING_CORE_MIX_H
#define STARLING_CORE_MIX_H

#include <linux/types.h>

static inline __u64 mix64(__u64 x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/* A number in 0 .. bound-1 from the top half of a hash. */
static inline __u32 mix_below(__u64 hash, __u32 bound)
{
	return (__u32)((hash >> 32) * bound >> 32);
}

/*
 * -log2(x / 2^32) for x in 1 .. 2^32-1, with 24 fractional bits: integers only, so that every
 * machine finds the same. Bit by bit: squaring the mantissa doubles its logarithm.
 */
static inline __u64 mix_minus_log2(__u32 x)
{
	__u32 whole = 31 - (__u32)__builtin_clz(x);
	__u64 mantissa = (__u64)x << (31 - whole), log = whole; /* mantissa in [2^31, 2^32): 1 to 2 */

	for (int bit = 0; bit < 24; bit++) {
		mantissa = mantissa * mantissa >> 31;
		log <<= 1;
		if (mantissa >> 32) {
			mantissa >>= 1;
			log |= 1;
		}
	}
	return (32ULL << 24) - log;
}

#endif
