// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What becomes of a VIP's backends. A backend is a letter: see letters. Not here: verdicts (verdict_test.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/verdict_serve.h"

#define BACKENDS 16

/* Of a text, the backends; ejections begin in the order of the text. */
static const struct {
	char letter;
	struct verdict_serve_in in;
} letters[] = {
	{'u', {.weight = 1, .state = VERDICT_UP, .source = VERDICT_BY_CERTIFIED}},
	{'?', {.weight = 1}},
	{'0', {.weight = 0, .state = VERDICT_UP, .source = VERDICT_BY_CERTIFIED}},
	{'c', {.weight = 1, .state = VERDICT_DOWN, .source = VERDICT_BY_CERTIFIED}},
	{'f', {.weight = 1, .state = VERDICT_DOWN, .source = VERDICT_BY_FORMER}},
	{'l', {.weight = 1, .state = VERDICT_DOWN, .source = VERDICT_BY_LOCAL}},
	{'p', {.weight = 1, .state = VERDICT_UP, .source = VERDICT_BY_CERTIFIED, .passive = true}},
	{'a', {.weight = 1, .state = VERDICT_UP, .source = VERDICT_BY_CERTIFIED, .own_down = true}},
	{'b', {.weight = 1, .state = VERDICT_UP, .source = VERDICT_BY_CERTIFIED, .passive = true, .own_down = true}},
	{'d', {.weight = 1, .hand = VERDICT_HAND_DRAIN, .state = VERDICT_DOWN, .source = VERDICT_BY_CERTIFIED}},
	{'x', {.weight = 1, .hand = VERDICT_HAND_DISABLE, .state = VERDICT_UP, .source = VERDICT_BY_CERTIFIED}},
	{'F', {.weight = 1, .state = VERDICT_UP, .source = VERDICT_BY_CERTIFIED, .full = true}},
	{'o', {.weight = 1, .hand = VERDICT_HAND_OUT, .state = VERDICT_UP, .source = VERDICT_BY_CERTIFIED}},
};

static struct verdict_serve_in in_of(char letter, size_t i)
{
	for (size_t k = 0; k < sizeof(letters) / sizeof(*letters); k++) {
		struct verdict_serve_in in = letters[k].in;

		in.since.ns = 100 + i;
		if (letters[k].letter == letter)
			return in;
	}
	fail_msg("no such letter: %c", letter);
	return (struct verdict_serve_in){0};
}

/* Of each backend: S(erves), A(voided), s(tands by), D(rains), - out. A blank before a letter: from here the next tier.
 */
static struct verdict_serve_vip served(struct verdict_serve_policy policy, const char *backends, const char *wanted)
{
	static const char word[] = {[VERDICT_SERVE] = 'S',
				    [VERDICT_AVOID] = 'A',
				    [VERDICT_STANDBY] = 's',
				    [VERDICT_DRAIN] = 'D',
				    [VERDICT_OUT] = '-'};
	struct verdict_serve_in in[BACKENDS] = {0};
	struct verdict_serve_out out[BACKENDS];
	struct verdict_serve_vip vip;
	char text[BACKENDS + 1] = {0};
	size_t count = 0;
	__u32 tier = 1;

	for (; *backends; backends++) {
		tier += *backends == ' ';
		if (*backends == ' ')
			continue;
		in[count] = in_of(*backends, count);
		in[count++].tier = tier;
	}
	assert_int_equal(verdict_serve(&policy, in, count, out, &vip), 0);
	for (size_t i = 0; i < count; i++)
		text[i] = word[out[i].service];
	assert_string_equal(text, wanted);
	return vip;
}

static const struct verdict_serve_policy plain = {.eject_percent = 100};

static void the_first_that_applies_is_what_happens(void **state)
{
	struct verdict_serve_vip vip;

	(void)state;
	vip = served(plain, "u?cflpdxo", "SS---DD--");
	assert_int_equal(vip.panic, VERDICT_PANIC_NONE);
	assert_int_equal(vip.serving, 2);
}

static void a_third_is_avoided_at_most(void **state)
{
	struct verdict_serve_vip vip;

	(void)state;
	vip = served(plain, "auu", "ASS");
	assert_false(vip.suspects_itself);
	vip = served(plain, "aauu", "SSSS");
	assert_true(vip.suspects_itself);
	served(plain, "aauuuu", "AASSSS");
	served(plain, "au", "SS");
}

/* Observers say that it serves, and who else would? */
static void the_last_that_are_left_are_not_avoided(void **state)
{
	(void)state;
	assert_true(served(plain, "acc", "S--").suspects_itself);
	assert_true(served(plain, "ac0", "S-S").suspects_itself);
	assert_true(served(plain, "adx", "SD-").suspects_itself);
	assert_false(served(plain, "acu", "A-S").suspects_itself);
}

static void avoiding_is_not_for_what_is_out(void **state)
{
	(void)state;
	served(plain, "acuuuu", "A-SSSS");
	served(plain, "apuuuu", "ADSSSS");
}

/* Those who have been out longest stay out. */
static void local_and_passive_ejections_have_a_limit(void **state)
{
	struct verdict_serve_policy half = {.eject_percent = 50}, tenth = {.eject_percent = 10},
				    none = {.eject_percent = 0};
	struct verdict_serve_vip vip;

	(void)state;
	vip = served(half, "lplpuu", "-D-SSS");
	assert_int_equal(vip.limited, 1);
	served(half, "cclpuu", "---DSS"); /* certified ones are not counted */
	served(half, "ccccuu", "----SS");
	served(tenth, "lpuu", "-SSS"); /* one at least */
	vip = served(none, "lpuu", "SSSS");
	assert_int_equal(vip.limited, 2);
}

static void panic_keeps_what_is_not_certified(void **state)
{
	struct verdict_serve_policy panics = {.eject_percent = 100, .panic_percent = 50};
	struct verdict_serve_vip vip;

	(void)state;
	vip = served(panics, "lluu", "--SS");
	assert_int_equal(vip.panic, VERDICT_PANIC_NONE);
	vip = served(panics, "lpluu", "SSSSS");
	assert_int_equal(vip.panic, VERDICT_PANIC_KEPT);
	served(panics, "llcuu", "SS-SS");
	vip = served(panics, "cccuu", "---SS");
	assert_int_equal(vip.panic, VERDICT_PANIC_NONE);
	served(panics, "lxxxuu", "----SS"); /* of those that nobody put aside */
}

static void who_is_up_again_first_ends_no_panic(void **state)
{
	struct verdict_serve_policy panics = {.eject_percent = 100, .panic_percent = 50, .panics = true};

	(void)state;
	assert_false(served(panics, "lllu", "SSSS").held);
	assert_true(served(panics, "lluu", "SSSS").held);
	assert_true(served(panics, "clluuu", "-SSSSS").held);
	assert_false(served(panics, "uuuu", "SSSS").held);
	assert_int_equal(served(panics, "cuuu", "-SSS").panic, VERDICT_PANIC_NONE);
}

static void when_nothing_is_left_the_sorry_backend_serves_or_all(void **state)
{
	struct verdict_serve_policy sorry = {.eject_percent = 100, .sorry = true};
	struct verdict_serve_vip vip;

	(void)state;
	vip = served(sorry, "clx", "---");
	assert_int_equal(vip.panic, VERDICT_PANIC_SORRY);
	assert_int_equal(vip.serving, 0);
	vip = served(plain, "clxo", "SS-S");
	assert_int_equal(vip.panic, VERDICT_PANIC_ALL);
	assert_int_equal(vip.serving, 3);
	vip = served(plain, "dcx", "SS-");
	assert_int_equal(vip.panic, VERDICT_PANIC_ALL);
	vip = served(plain, "c0", "SS"); /* of weight 0 nothing is left */
	assert_int_equal(vip.panic, VERDICT_PANIC_ALL);
	vip = served(plain, "xx", "--");
	assert_int_equal(vip.serving, 0);
	assert_int_equal(vip.panic, VERDICT_PANIC_NONE);
	assert_int_equal(served(plain, "ddx", "DD-").panic, VERDICT_PANIC_NONE); /* it is meant so */
	assert_int_equal(served(plain, "d0", "DS").panic, VERDICT_PANIC_NONE);
	assert_int_equal(served(plain, "dox", "SS-").panic, VERDICT_PANIC_ALL);
	assert_int_equal(served(sorry, "dd", "DD").panic, VERDICT_PANIC_SORRY);
	vip = served(plain, "", "");
	assert_int_equal(vip.serving, 0);
}

/* The probes' own network is cut: nothing at all is ejected. */
static void with_panic_a_cut_of_the_probes_ejects_nothing(void **state)
{
	struct verdict_serve_policy panics = {.eject_percent = 100, .panic_percent = 50};

	(void)state;
	assert_int_equal(served(panics, "llllll", "SSSSSS").panic, VERDICT_PANIC_KEPT);
	assert_int_equal(served(panics, "cccccc", "SSSSSS").panic, VERDICT_PANIC_ALL);
}

static void the_lowest_tier_with_a_usable_one_serves(void **state)
{
	struct verdict_serve_policy panics = {.eject_percent = 100, .panic_percent = 60};

	(void)state;
	assert_int_equal(served(plain, "uu uu u", "SSsss").tier, 1);
	assert_int_equal(served(plain, "cu uu u", "-Ssss").tier, 1);
	assert_int_equal(served(plain, "cc uc u", "--S-s").tier, 2);
	assert_int_equal(served(plain, "dx cc u", "D---S").tier, 3);
	assert_int_equal(served(plain, "00 u0", "SSSS").tier, 2); /* of weight 0 nobody serves */
	assert_int_equal(served(plain, "ud0 d0", "SDSDs").tier, 1);
	assert_int_equal(served(plain, "?a u?", "SAss").tier, 1);
	served(plain, "u auu", "SAss"); /* who is avoided is avoided */
	assert_int_equal(served(plain, "a uu", "ASS").tier, 2);
	assert_int_equal(served(panics, "ll uuu", "--SSS").tier, 2);
}

static void while_all_of_a_tier_are_full_the_next_one_serves(void **state)
{
	struct verdict_serve_policy third = {.eject_percent = 30};
	struct verdict_serve_vip vip;

	(void)state;
	vip = served(plain, "FF uu u", "ssSSs");
	assert_int_equal(vip.tier, 2);
	assert_true(vip.full);
	vip = served(plain, "Fu uu", "SSss"); /* it is full alone */
	assert_int_equal(vip.tier, 1);
	assert_false(vip.full);
	assert_int_equal(served(plain, "FF Fl u", "sss-S").tier, 3);
	assert_int_equal(served(plain, "F0ca u", "sS-AS").tier, 2);
	vip = served(plain, "FF F", "SSs"); /* there is nobody else */
	assert_int_equal(vip.tier, 1);
	assert_false(vip.full);
	assert_int_equal(vip.panic, VERDICT_PANIC_NONE);
	assert_int_equal(served(third, "llF", "-SS").tier, 1); /* who fails is not better for having room */
}

static void nobody_with_room_is_avoided_while_all_others_are_full(void **state)
{
	(void)state;
	assert_true(served(plain, "FFa", "SSS").suspects_itself);
	served(plain, "FF a", "ssS");
	served(plain, "FFFua", "SSSSA");
	served(plain, "FF0a", "SSSS");
}

static void while_all_are_full_the_sorry_backend_serves(void **state)
{
	struct verdict_serve_policy sorry = {.eject_percent = 100, .sorry = true},
				    third = {.eject_percent = 30, .sorry = true};
	struct verdict_serve_vip vip = served(sorry, "FF F0", "ssss");

	(void)state;
	assert_int_equal(vip.panic, VERDICT_PANIC_SORRY);
	assert_true(vip.full);
	assert_int_equal(vip.tier, 0);
	vip = served(sorry, "FF uF", "ssSS");
	assert_int_equal(vip.panic, VERDICT_PANIC_NONE);
	assert_int_equal(vip.tier, 2);
	vip = served(sorry, "ccc", "---");
	assert_int_equal(vip.panic, VERDICT_PANIC_SORRY);
	assert_false(vip.full);
	vip = served(third, "F ll", "s-s"); /* one that is kept, and gets nothing, is no reason to do without it */
	assert_int_equal(vip.panic, VERDICT_PANIC_SORRY);
	assert_true(vip.full);
	assert_int_equal(vip.tier, 0);
}

static void who_is_kept_by_a_bound_holds_no_tier_up(void **state)
{
	struct verdict_serve_policy panics = {.eject_percent = 100, .panic_percent = 60}, third = {.eject_percent = 30};
	struct verdict_serve_vip vip;

	(void)state;
	vip = served(third, "ll uu", "-sSS");
	assert_int_equal(vip.tier, 2);
	assert_int_equal(vip.limited, 0);
	assert_int_equal(vip.serving, 2);
	vip = served(third, "llu uu", "-SSss"); /* with one of its own tier it serves */
	assert_int_equal(vip.tier, 1);
	assert_int_equal(vip.limited, 1);
	assert_int_equal(served(third, "pp uu u", "DsSSs").tier, 2);
	vip = served(panics, "lll uu", "sssSS"); /* two of five would be left */
	assert_int_equal(vip.tier, 2);
	assert_int_equal(vip.panic, VERDICT_PANIC_KEPT);
	assert_int_equal(served(panics, "ll ll", "SSss").tier, 1); /* there is nobody else */
	assert_int_equal(served(panics, "ll l? uu", "ssSSss").tier, 2);
}

/* Observers say up, its clients and own probes do not: then it is avoided, if that is not too many. */
static void the_limit_keeps_nobody_whom_own_probes_find_down(void **state)
{
	struct verdict_serve_policy none = {.eject_percent = 0};

	(void)state;
	assert_int_equal(served(none, "buu", "ASS").limited, 0);
	assert_true(served(none, "bbuu", "SSSS").suspects_itself);
	served(plain, "bbuu", "DDSS");
}

static void when_nothing_is_left_all_tiers_serve(void **state)
{
	struct verdict_serve_policy sorry = {.eject_percent = 100, .sorry = true};

	(void)state;
	assert_int_equal(served(plain, "cx lc", "S-SS").tier, 0);
	assert_int_equal(served(sorry, "cx lc", "----").panic, VERDICT_PANIC_SORRY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_that_applies_is_what_happens),
		cmocka_unit_test(a_third_is_avoided_at_most),
		cmocka_unit_test(the_last_that_are_left_are_not_avoided),
		cmocka_unit_test(avoiding_is_not_for_what_is_out),
		cmocka_unit_test(local_and_passive_ejections_have_a_limit),
		cmocka_unit_test(panic_keeps_what_is_not_certified),
		cmocka_unit_test(who_is_up_again_first_ends_no_panic),
		cmocka_unit_test(when_nothing_is_left_the_sorry_backend_serves_or_all),
		cmocka_unit_test(the_lowest_tier_with_a_usable_one_serves),
		cmocka_unit_test(while_all_of_a_tier_are_full_the_next_one_serves),
		cmocka_unit_test(nobody_with_room_is_avoided_while_all_others_are_full),
		cmocka_unit_test(while_all_are_full_the_sorry_backend_serves),
		cmocka_unit_test(who_is_kept_by_a_bound_holds_no_tier_up),
		cmocka_unit_test(the_limit_keeps_nobody_whom_own_probes_find_down),
		cmocka_unit_test(when_nothing_is_left_all_tiers_serve),
		cmocka_unit_test(with_panic_a_cut_of_the_probes_ejects_nothing),
	};

	return cmocka_run_group_tests_name("verdict_serve", tests, NULL, NULL);
}
