// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tables of tiers: which one serves, and that others are no part of it. Not here: who is usable (verdict_serve_test.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/homes.h"
#include "core/mix.h"
#include "core/tiers.h"

#define SLOTS	 1021u
#define BACKENDS 8u
#define TABLES	 (1 + BACKENDS)

struct model {
	__u32 count, tables;
	__u16 table[TABLES * SLOTS];
	__u8 tier[BACKENDS];
	__u64 key[BACKENDS];
	__u32 weight[BACKENDS];
	bool usable[BACKENDS];
};

/* A backend a letter, of weight 1: its tier; all of them usable. */
static struct model *model_new(const char *tiers)
{
	struct maglev_backend b[BACKENDS];
	struct model *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->count = (__u32)strlen(tiers);
	for (__u32 i = 0; i < m->count; i++) {
		m->tier[i] = (__u8)(tiers[i] - '0');
		m->key[i] = mix64(i + 1000);
		m->weight[i] = 1;
		m->usable[i] = true;
		b[i] = (struct maglev_backend){m->key[i], 1, (__u16)i};
	}
	m->tables = tiers_tables(m->tier, m->count);
	assert_true(m->tables <= TABLES);
	assert_int_equal(tiers_build(b, m->tier, m->count, m->table, SLOTS), 0);
	return m;
}

/* Of each backend 1: usable, 0: not. */
static void use(struct model *m, const char *usable)
{
	for (__u32 i = 0; i < m->count; i++)
		m->usable[i] = usable[i] == '1';
}

static struct homes_pair home_of(const struct model *m, __u32 table, __u32 slot)
{
	struct homes h = {.table = m->table + (size_t)table * SLOTS,
			  .key = m->key,
			  .weight = m->weight,
			  .usable = m->usable,
			  .slots = SLOTS,
			  .backends = m->count};

	for (__u32 i = 0; i < m->count; i++)
		h.usable_count += m->usable[i];
	return homes_find(&h, slot);
}

static void share(const struct model *m, __u32 table, __u32 held[BACKENDS])
{
	memset(held, 0, BACKENDS * sizeof(*held));
	for (__u32 s = 0; s < SLOTS; s++)
		held[home_of(m, table, s).home0]++;
}

static void the_table_is_that_of_the_one_tier_that_is_usable(void **state)
{
	struct model *m = model_new("1131392");

	(void)state;
	assert_int_equal(m->tables, 5);
	use(m, "1101000");
	assert_int_equal(tiers_of_table(m->tier, m->count, tiers_table(m->tier, m->usable, m->count)), 1);
	use(m, "0000001");
	assert_int_equal(tiers_of_table(m->tier, m->count, tiers_table(m->tier, m->usable, m->count)), 2);
	use(m, "0010100");
	assert_int_equal(tiers_of_table(m->tier, m->count, tiers_table(m->tier, m->usable, m->count)), 3);
	use(m, "0000010");
	assert_int_equal(tiers_of_table(m->tier, m->count, tiers_table(m->tier, m->usable, m->count)), 9);
	use(m, "1111111");
	assert_int_equal(tiers_table(m->tier, m->usable, m->count), 0);
	use(m, "0000000");
	assert_int_equal(tiers_table(m->tier, m->usable, m->count), 0);
	free(m);
}

static void of_one_tier_there_is_one_table(void **state)
{
	struct model *m = model_new("222");

	(void)state;
	assert_int_equal(m->tables, 1);
	assert_int_equal(tiers_table(m->tier, m->usable, m->count), 0);
	assert_int_equal(tiers_tables(m->tier, 0), 1);
	free(m);
}

static void each_tier_has_exact_shares(void **state)
{
	struct model *m = model_new("111222");
	__u32 held[BACKENDS], by_chance = 0;

	(void)state;
	use(m, "111000");
	share(m, 0, held); /* what the walk over all would give */
	for (__u32 i = 0; i < 3; i++)
		by_chance = held[i] > by_chance ? held[i] : by_chance;
	print_message("the fullest of three: %u of %u by one table for all\n", by_chance, SLOTS);
	share(m, tiers_table(m->tier, m->usable, m->count), held);
	for (__u32 i = 0; i < 3; i++)
		assert_in_range(held[i], 340, 341);
	use(m, "000111");
	share(m, tiers_table(m->tier, m->usable, m->count), held);
	for (__u32 i = 3; i < 6; i++)
		assert_in_range(held[i], 340, 341);
	free(m);
}

static void a_tier_more_moves_no_slot_of_another(void **state)
{
	struct model *one = model_new("111"), *more = model_new("111293");
	__u32 by_chance = 0;

	(void)state;
	use(more, "111000");
	for (__u32 s = 0; s < SLOTS; s++) {
		struct homes_pair a = home_of(one, 0, s);
		struct homes_pair b = home_of(more, tiers_table(more->tier, more->usable, more->count), s);

		assert_memory_equal(&a, &b, sizeof(a));
		by_chance += home_of(more, 0, s).home0 != a.home0;
	}
	print_message("three backups for three: %u of %u slots would move by one table for all\n", by_chance, SLOTS);
	free(one);
	free(more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_that_of_the_one_tier_that_is_usable),
		cmocka_unit_test(of_one_tier_there_is_one_table),
		cmocka_unit_test(each_tier_has_exact_shares),
		cmocka_unit_test(a_tier_more_moves_no_slot_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
