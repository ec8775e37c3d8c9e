/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Keeps given / weight of a VIP's backends within reach of one another. Not here: who is chosen.
 */
#include "score.h"

static bool counts(const struct score *s)
{
	return s->usable && s->weight;
}

/* How many multiples of their weights all can give back, once one of them nears the end of 32 bits. */
static __u32 surplus(const struct score *s, size_t count)
{
	__u32 least = 0xffffffffu;
	bool high = false;

	for (size_t i = 0; i < count; i++) {
		if (!counts(&s[i]))
			continue;
		if (s[i].given / s[i].weight < least)
			least = s[i].given / s[i].weight;
		high |= s[i].given > SCORE_HIGH;
	}
	return high ? least : 0;
}

size_t score_catch_up(const struct score *s, size_t count, __s64 *ret_add)
{
	double given = 0, weight = 0, mean;
	__u32 back = surplus(s, count);
	size_t changed = 0;

	for (size_t i = 0; i < count; i++) {
		if (!counts(&s[i]))
			continue;
		given += s[i].given;
		weight += s[i].weight;
	}
	mean = weight > 0 ? given / weight : 0;
	for (size_t i = 0; i < count; i++) {
		__s64 least = (__s64)(mean * s[i].weight) - SCORE_BEHIND;

		ret_add[i] = 0;
		if (!counts(&s[i]))
			continue;
		if (s[i].given < least)
			ret_add[i] = least - s[i].given;
		ret_add[i] -= (__s64)back * s[i].weight;
		changed += ret_add[i] != 0;
	}
	return changed;
}
