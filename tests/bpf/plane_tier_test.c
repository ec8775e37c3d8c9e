// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tiers, as packets meet them: who stands by, who takes over, and that nobody loses a connection but with the backend
 * that it is on. Not here: the rule (unit/verdict_serve_test.c), tables (unit/tiers_test.c).
 */
#include "daemon/plane_facts.h"
#include "plane_checked.h"

static void tiers_set(struct world *w, const char *tiers)
{
	for (__u32 i = 0; i < BACKENDS; i++) {
		struct endpoint at = world_backend(1, i);

		vip_backend(vip_wanted(w, 1), &at)->tier = (__u32)(tiers[i] - '0');
	}
	world_apply(w);
	world_warmed(w);
}

static void fails_over_and_returns(enum scheduler s)
{
	struct world *w = checked_world(s, 0, 100);
	char words[PLANE_BOUND_BYTES];
	static __u32 home[3 * FLOWS];

	tiers_set(w, "112233");
	words_are(w, "UUdddd");
	assert_string_equal(shown(w, 2), "standby");
	assert_non_null(strstr(told, "v1 10.1.0.3:80: up -> standby: a lower tier serves\n"));
	assert_false(plane_vip_backup(vip(w), words));
	flows_open(w, 1, 0, FLOWS, home);
	find(w, "luuuuu"); /* one of its tier is left */
	words_are(w, "-Udddd");
	find(w, "lluuuu");
	words_are(w, "--UUdd");
	assert_true(plane_vip_backup(vip(w), words));
	assert_string_equal(words, "is served by tier 2: none of a lower one is usable");
	assert_non_null(strstr(told, "v1: in service -> backup: is served by tier 2"));
	flows_open(w, 1, FLOWS, 2 * FLOWS, home);
	find(w, "llcluu");
	words_are(w, "----UU");
	find(w, "lluuuu"); /* those of the third keep what they have */
	world_warmed(w);
	words_are(w, "--UUdd");
	flows_open(w, 1, FLOWS, 2 * FLOWS, home);
	find(w, "uluuuu");
	flows_stay(w, 1, FLOWS, 2 * FLOWS, home);
	world_warmed(w);
	words_are(w, "U-dddd");
	flows_stay(w, 1, FLOWS, 2 * FLOWS, home);
	flows_open(w, 1, 2 * FLOWS, 3 * FLOWS, home);
	for (__u32 i = 2 * FLOWS; i < 3 * FLOWS; i++)
		assert_int_equal(home[i], id_of(w, 1, 0));
	world_free(w);
}

static void with_mh_the_next_tier_takes_over_and_gives_back(void **state)
{
	(void)state;
	fails_over_and_returns(SCHEDULER_MH);
}

static void with_wlc_the_next_tier_takes_over_and_gives_back(void **state)
{
	(void)state;
	fails_over_and_returns(SCHEDULER_WLC);
}

static void who_is_kept_by_eject_is_not_preferred_to_a_backup(void **state)
{
	struct world *w = checked_world(SCHEDULER_MH, 0, 20);
	char words[PLANE_BOUND_BYTES];

	(void)state;
	tiers_set(w, "112222");
	find(w, "lluuuu");
	words_are(w, "-dUUUU");
	assert_string_equal(shown(w, 1), "down"); /* as its checks say, and it has its flows */
	assert_false(plane_vip_limits(vip(w), words));
	assert_true(plane_vip_backup(vip(w), words));
	find(w, "luuuuu");
	words_are(w, "-Udddd");
	world_free(w);
}

static void drained_by_hand_a_tier_is_left_as_well(void **state)
{
	struct world *w = checked_world(SCHEDULER_WRR, 0, 100);

	(void)state;
	tiers_set(w, "122222");
	world_override(w, 1, 0, OVERRIDE_DRAIN);
	words_are(w, "dUUUUU");
	assert_string_equal(shown(w, 0), "draining");
	world_override(w, 1, 0, OVERRIDE_NONE);
	words_are(w, "Uddddd");
	world_free(w);
}

static void with_nobody_up_by_its_checks_all_tiers_serve(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);

	(void)state;
	tiers_set(w, "111222");
	find(w, "cccccc");
	words_are(w, "UUUUUU");
	find(w, "cccccu");
	words_are(w, "-----U");
	world_free(w);
}

/* The maps know the tiers: no slot moves, and nobody's state changes, while there is no configuration yet. */
static void over_a_restart_the_same_tier_serves(void **state)
{
	struct world *w = checked_world(SCHEDULER_MH, 0, 100);
	struct plane_vip *v = vip(w);
	__u64 *before = malloc(v->region.count * sizeof(*before));
	__u64 digest;

	(void)state;
	assert_non_null(before);
	tiers_set(w, "122122");
	digest = plane_digest(w->p).effective;
	memcpy(before, w->dp.h->slots + v->region.base, v->region.count * sizeof(*before));
	told[0] = '\0';
	world_restart(w);
	hooks_set(w);
	v = vip(w);
	assert_memory_equal(before, w->dp.h->slots + v->region.base, v->region.count * sizeof(*before));
	assert_true(plane_digest(w->p).effective == digest);
	world_apply(w);
	words_are(w, "UddUdd");
	assert_memory_equal(before, w->dp.h->slots + v->region.base, v->region.count * sizeof(*before));
	assert_null(strstr(told, "10.1.0"));
	free(before);
	world_free(w);
}

static void a_backup_more_moves_no_slot(void **state)
{
	struct world *w = checked_world(SCHEDULER_MH, 0, 100);
	struct endpoint at = world_backend(1, BACKENDS);
	struct plane_vip *v = vip(w);
	__u64 *before = malloc(v->region.count * sizeof(*before)), config = plane_digest(w->p).config;

	(void)state;
	assert_non_null(before);
	memcpy(before, w->dp.h->slots + v->region.base, v->region.count * sizeof(*before));
	backend_add(w, 1, BACKENDS);
	vip_backend(vip_wanted(w, 1), &at)->tier = 2;
	world_apply(w);
	world_warmed(w);
	v = vip(w);
	for (__u32 s = 0; s < v->region.count; s++)
		assert_int_equal(slot_home0(w->dp.h->slots[v->region.base + s]), slot_home0(before[s]));
	assert_true(plane_digest(w->p).config != config);
	config = plane_digest(w->p).config;
	vip_backend(vip_wanted(w, 1), &at)->tier = 3;
	world_apply(w);
	assert_true(plane_digest(w->p).config != config); /* all nodes are to have the same */
	free(before);
	world_free(w);
}

/* Index BACKENDS is the sorry backend, of a higher address. */
static void sorry_is(struct world *w, enum backend_state wanted, const char *word)
{
	const struct plane_backend *b = vip(w)->backend[BACKENDS];

	assert_int_equal(BACKEND_WORD_STATE(w->dp.h->backends[b->id].word), wanted);
	assert_string_equal(plane_backend_shown(b), word);
}

static void with_nobody_usable_the_sorry_backend_serves(void **state)
{
	struct world *w = checked_world(SCHEDULER_MH, 0, 100);
	struct endpoint at = world_backend(1, BACKENDS);
	char words[PLANE_BOUND_BYTES];
	static __u32 home[FLOWS];
	struct err err;

	(void)state;
	assert_int_equal(vip_sorry_set(vip_wanted(w, 1), &at), 0);
	world_apply(w);
	words_are(w, "UUUUUU");
	sorry_is(w, BACKEND_DRAINING, "standby");
	find(w, "cclluu");
	words_are(w, "----UU");
	sorry_is(w, BACKEND_DRAINING, "standby");
	assert_false(plane_vip_panics(vip(w), words));
	find(w, "ccllcl");
	words_are(w, "------");
	sorry_is(w, BACKEND_UP, "sorry");
	assert_true(plane_vip_panics(vip(w), words));
	assert_string_equal(words, "is served by its sorry backend: no other one is usable");
	assert_non_null(strstr(told, "v1: in service -> sorry: is served by"));
	flows_open(w, 1, 0, FLOWS, home);
	for (__u32 i = 0; i < FLOWS; i++)
		assert_int_equal(home[i], vip(w)->backend[BACKENDS]->id);
	world_restart(w);
	hooks_set(w);
	sorry_is(w, BACKEND_UP, "sorry");
	world_apply(w);
	find(w, "ccllcl");
	sorry_is(w, BACKEND_UP, "sorry");
	assert_int_equal(plane_unserved_check(w->p, w->wanted, &err), 0); /* it is so already */
	find(w, "ccuucc");
	flows_stay(w, 1, 0, FLOWS, home);
	world_warmed(w);
	words_are(w, "--UU--");
	sorry_is(w, BACKEND_DRAINING, "standby");
	flows_stay(w, 1, 0, FLOWS, home); /* until they end */
	weight_set(w, 1, 2, 0);
	weight_set(w, 1, 3, 0);
	assert_int_equal(plane_unserved_check(w->p, w->wanted, &err), -EPERM); /* to say sorry is not to serve */
	assert_int_equal(vip_sorry_set(vip_wanted(w, 1), NULL), 0);
	weight_set(w, 1, 2, 10);
	weight_set(w, 1, 3, 10);
	world_apply(w);
	words_are(w, "--UU--");
	find(w, "cccccc");
	world_warmed(w);
	words_are(w, "UUUUUU");
	world_free(w);
}

/* A backend becomes the sorry one and the other way round, with what was said of it by hand. */
static void who_becomes_the_sorry_backend_is_put_aside_no_more(void **state)
{
	struct world *w = checked_world(SCHEDULER_WLC, 0, 100);
	struct endpoint at = world_backend(1, BACKENDS - 1);
	struct backend_config b = {.at = at, .weight = 10, .tier = TIER_DEFAULT};
	size_t count;

	(void)state;
	world_override(w, 1, BACKENDS - 1, OVERRIDE_DISABLE);
	find(w, "uuuuul");
	assert_int_equal(vip_backend_delete(vip_wanted(w, 1), &at), 0);
	assert_int_equal(vip_sorry_set(vip_wanted(w, 1), &at), 0);
	world_apply(w);
	plane_overrides(w->p, &count);
	assert_int_equal(count, 0);
	assert_string_equal(shown(w, BACKENDS - 1), "standby");
	find(w, "lllllu");
	assert_string_equal(shown(w, BACKENDS - 1), "sorry");
	words_are(w, "-----U");
	assert_int_equal(vip_sorry_set(vip_wanted(w, 1), NULL), 0);
	assert_int_equal(vip_backend_add(vip_wanted(w, 1), &b), 0);
	world_apply(w);
	words_are(w, "-----U");
	assert_string_equal(shown(w, BACKENDS - 1), "up");
	find(w, "uuuuuu");
	words_are(w, "UUUUUU");
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_mh_the_next_tier_takes_over_and_gives_back),
		cmocka_unit_test(with_wlc_the_next_tier_takes_over_and_gives_back),
		cmocka_unit_test(who_is_kept_by_eject_is_not_preferred_to_a_backup),
		cmocka_unit_test(drained_by_hand_a_tier_is_left_as_well),
		cmocka_unit_test(with_nobody_up_by_its_checks_all_tiers_serve),
		cmocka_unit_test(over_a_restart_the_same_tier_serves),
		cmocka_unit_test(a_backup_more_moves_no_slot),
		cmocka_unit_test(with_nobody_usable_the_sorry_backend_serves),
		cmocka_unit_test(who_becomes_the_sorry_backend_is_put_aside_no_more),
	};

	return cmocka_run_group_tests_name("plane_tier", tests, NULL, NULL);
}
