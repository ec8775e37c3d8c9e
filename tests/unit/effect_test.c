/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a change of a VIP is said to move. Not here: the tables themselves (maglev_test.c, homes_test.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/effect.h"
#include "core/maglev.h"
#include "core/mix.h"

#define SLOTS 1021u
#define MANY  16u

/* Backends 1 to MANY, each with a weight, or absent. */
struct side {
	__u16 table[8191];
	__u64 key[MANY];
	__u32 weight[MANY];
	bool usable[MANY];
	struct homes homes;
};

#define ABSENT 0xffffffffu

static struct side *side_new(const __u32 weight[MANY], __u32 slots)
{
	struct side *s = calloc(1, sizeof(*s));
	struct maglev_backend b[MANY];
	__u32 n = 0;

	assert_non_null(s);
	for (__u32 i = 0; i < MANY; i++) {
		if (weight[i] == ABSENT)
			continue;
		s->key[n] = mix64(i + 1);
		s->weight[n] = weight[i];
		s->usable[n] = weight[i] > 0;
		s->homes.usable_count += s->usable[n];
		b[n] = (struct maglev_backend){s->key[n], weight[i], (__u16)n};
		n++;
	}
	assert_int_equal(maglev_build(b, n, s->table, slots), 0);
	s->homes.table = s->table;
	s->homes.key = s->key;
	s->homes.weight = s->weight;
	s->homes.usable = s->usable;
	s->homes.slots = slots;
	s->homes.backends = n;
	return s;
}

static void use(struct side *s, __u32 i, bool usable)
{
	s->homes.usable_count += (__u32)usable - (__u32)s->usable[i];
	s->usable[i] = usable;
}

static struct effect compare(const struct side *before, const struct side *after, bool emptied[MANY])
{
	__u16 was[MANY];
	struct effect e;

	for (__u32 i = 0; i < after->homes.backends; i++) {
		was[i] = HOMES_NONE;
		for (__u32 j = 0; j < before->homes.backends; j++)
			if (before->key[j] == after->key[i])
				was[i] = (__u16)j;
	}
	assert_int_equal(effect_find(&before->homes, &after->homes, was, emptied, &e), 0);
	return e;
}

/* Slots that backend @key holds. */
static __u32 held(const struct side *s, __u64 key)
{
	__u32 n = 0;

	for (__u32 i = 0; i < s->homes.slots; i++) {
		__u16 home = homes_find(&s->homes, i).home0;

		n += home != HOMES_NONE && s->key[home] == key;
	}
	return n;
}

static const __u32 none[MANY] = {[0 ... MANY - 1] = ABSENT};

/* MANY weights: those given, the rest absent. */
static void weights(__u32 ret[MANY], size_t count, const __u32 *given)
{
	memcpy(ret, none, sizeof(none));
	memcpy(ret, given, count * sizeof(*given));
}

#define WEIGHTS(name, ...)                                                                                             \
	__u32 name[MANY];                                                                                              \
	weights(name, sizeof((__u32[]){__VA_ARGS__}) / sizeof(__u32), (__u32[]){__VA_ARGS__})

static void what_stays_as_it_is_moves_nothing(void **state)
{
	WEIGHTS(w, 5, 5, 10, 0);
	struct side *s = side_new(w, SLOTS);
	bool emptied[MANY];
	struct effect e = compare(s, s, emptied);

	(void)state;
	assert_int_equal(e.slots, SLOTS);
	assert_int_equal(e.moved, 0);
	assert_int_equal(e.least, 0);
	assert_int_equal(e.emptied, 0); /* the one of weight 0 had none before */
	free(s);
}

static void a_weight_moves_at_least_the_gain_in_share(void **state)
{
	WEIGHTS(from, 1, 1);
	WEIGHTS(to, 1, 3);
	struct side *before = side_new(from, SLOTS), *after = side_new(to, SLOTS);
	bool emptied[MANY];
	struct effect e = compare(before, after, emptied);

	(void)state;
	/* A half of 1,021 becomes three quarters. */
	assert_int_equal(e.least, held(after, after->key[1]) - held(before, before->key[1]));
	assert_in_range(e.least, 254, 257);
	assert_in_range(e.moved, e.least, SLOTS);
	free(before);
	free(after);
}

static void a_backend_that_goes_moves_at_least_its_slots(void **state)
{
	WEIGHTS(from, 10, 20, 30, 40);
	WEIGHTS(to, 10, 20, ABSENT, 40);
	struct side *before = side_new(from, SLOTS), *after = side_new(to, SLOTS);
	bool emptied[MANY];
	struct effect e = compare(before, after, emptied);

	(void)state;
	assert_int_equal(e.least, held(before, before->key[2]));
	assert_in_range(e.moved, e.least, SLOTS);
	free(before);
	free(after);
}

static void no_two_tables_beat_the_least(void **state)
{
	bool emptied[MANY];
	__u64 draw = 7;

	(void)state;
	for (int round = 0; round < 200; round++) {
		__u32 from[MANY], to[MANY], gains = 0;
		struct side *before, *after;
		struct effect e;

		for (__u32 i = 0; i < MANY; i++) {
			draw = mix64(draw);
			from[i] = draw % 4 ? (__u32)(draw >> 8) % 100 + 1 : ABSENT;
			to[i] = draw >> 32 & 1 ? from[i] : (__u32)(draw >> 40) % 100 + 1;
		}
		from[0] = to[1] = 50;
		before = side_new(from, SLOTS);
		after = side_new(to, SLOTS);
		e = compare(before, after, emptied);
		for (__u32 i = 0; i < after->homes.backends; i++) {
			__u32 had = held(before, after->key[i]), gets = held(after, after->key[i]);

			gains += gets > had ? gets - had : 0;
		}
		assert_int_equal(e.least, gains);
		assert_true(e.moved >= e.least);
		free(before);
		free(after);
	}
}

static void who_is_not_usable_counts_for_nobody(void **state)
{
	WEIGHTS(w, 1, 1, 1);
	struct side *before = side_new(w, SLOTS), *after = side_new(w, SLOTS);
	bool emptied[MANY];
	struct effect e;

	(void)state;
	use(before, 0, false);
	use(after, 0, false);
	e = compare(before, after, emptied);
	assert_int_equal(e.moved, 0);
	assert_int_equal(e.emptied, 0);
	use(before, 0, true); /* a failure promotes the slots of the one that fails, and no others */
	e = compare(before, after, emptied);
	assert_int_equal(e.moved, held(before, before->key[0]));
	assert_int_equal(e.least, e.moved);
	assert_int_equal(e.emptied, 1);
	assert_true(emptied[0]);
	assert_false(emptied[1]);
	free(before);
	free(after);
}

static void weight_0_empties_a_backend(void **state)
{
	WEIGHTS(from, 1, 1);
	WEIGHTS(to, 1, 0, 0);
	struct side *before = side_new(from, SLOTS), *after = side_new(to, SLOTS);
	bool emptied[MANY];
	struct effect e = compare(before, after, emptied);

	(void)state;
	assert_int_equal(e.emptied, 2); /* also the one that comes with it */
	assert_false(emptied[0]);
	assert_true(emptied[1]);
	assert_true(emptied[2]);
	free(before);
	free(after);
}

static void nobody_left_moves_all(void **state)
{
	WEIGHTS(from, 1, 1);
	WEIGHTS(to, 0, 0);
	struct side *before = side_new(from, SLOTS), *after = side_new(to, SLOTS);
	bool emptied[MANY];
	struct effect e = compare(before, after, emptied);

	(void)state;
	assert_int_equal(e.moved, SLOTS);
	assert_int_equal(e.least, SLOTS);
	free(before);
	free(after);
}

static void slots_that_were_nobodys_do_not_move(void **state)
{
	WEIGHTS(from, 0);
	WEIGHTS(to, 1, 1);
	struct side *nobody = side_new(from, SLOTS), *after = side_new(to, SLOTS);
	struct side *absent = side_new(none, 1);
	bool emptied[MANY];
	struct effect e = compare(nobody, after, emptied);

	(void)state;
	assert_int_equal(e.moved, 0);
	assert_int_equal(e.least, 0);
	absent->homes.slots = 0; /* a new VIP */
	e = compare(absent, after, emptied);
	assert_int_equal(e.slots, SLOTS);
	assert_int_equal(e.moved, 0);
	assert_int_equal(e.least, 0);
	free(nobody);
	free(absent);
	free(after);
}

static void another_number_of_slots_is_compared_by_where_flows_are(void **state)
{
	WEIGHTS(one, 1);
	WEIGHTS(w, 1, 2, 3);
	struct side *small = side_new(one, SLOTS), *large = side_new(one, 2039);
	bool emptied[MANY];
	struct effect e = compare(small, large, emptied);

	(void)state;
	assert_int_equal(e.slots, 2039);
	assert_int_equal(e.moved, 0); /* all are one backend's, before and after */
	free(small);
	free(large);
	small = side_new(w, SLOTS);
	large = side_new(w, 8191);
	e = compare(small, large, emptied);
	assert_true(e.moved >= e.least);
	assert_in_range(e.least, 0,
			16); /* the shares are the same but for rounding: 8 slots each are one of the former */
	assert_in_range(e.moved, 8191 / 4, 8191); /* but the tables are unlike: of 1:2:3 most slots meet another */
	free(small);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stays_as_it_is_moves_nothing),
		cmocka_unit_test(a_weight_moves_at_least_the_gain_in_share),
		cmocka_unit_test(a_backend_that_goes_moves_at_least_its_slots),
		cmocka_unit_test(no_two_tables_beat_the_least),
		cmocka_unit_test(who_is_not_usable_counts_for_nobody),
		cmocka_unit_test(weight_0_empties_a_backend),
		cmocka_unit_test(nobody_left_moves_all),
		cmocka_unit_test(slots_that_were_nobodys_do_not_move),
		cmocka_unit_test(another_number_of_slots_is_compared_by_where_flows_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
