// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Own and shared lines put together, two changes made one, and what a tree says otherwise than another. Not here: trees
 * as such (intent_test.c).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/config_merge.h"
#include "intent_forge.h"

#define OTHER "vip add other tcp/192.0.2.9:80\nbackend add other 10.0.0.9:80\n"
#define HEAVY                                                                                                          \
	"vip add web tcp/192.0.2.1:80,tcp/192.0.2.1:443 scheduler wrr\n"                                               \
	"backend add web 10.0.0.1:80 weight 30\nbackend add web 10.0.0.2:80\n"
#define CHECK "health set web http path /a\n"
#define OWN   "node set name lb1 site fra\niface attach eth0\n"

static void assert_text(const struct config *c, const char *wanted)
{
	struct config *w = forge_parse(wanted);
	struct buf a = BUF_INIT, b = BUF_INIT;

	config_export(c, &a);
	config_export(w, &b);
	assert_string_equal(buf_text(&a), buf_text(&b));
	config_free(w);
	buf_free(&a);
	buf_free(&b);
}

static void own_lines_stay_and_shared_ones_come(void **state)
{
	struct config *own = forge_parse(OWN ROSTER WEB), *shared = forge_parse("node set name lb2\n" DNS), *c;

	(void)state;
	c = config_compose(own, shared);
	assert_text(c, OWN DNS);
	assert_true(config_shared_same(c, shared));
	assert_false(config_shared_same(c, own));
	config_free(own);
	config_free(shared);
	config_free(c);
}

/* @merged NULL: both changed @conflict. */
static void merges(const char *base, const char *mine, const char *theirs, const char *merged, const char *conflict)
{
	struct config *b = forge_parse(base), *m = forge_parse(mine), *t = forge_parse(theirs), *c = NULL;
	char name[STARLING_NAME_BYTES] = "";

	assert_int_equal(config_merge(b, m, t, &c, name), merged ? 0 : -ESTALE);
	if (merged)
		assert_text(c, merged);
	else
		assert_string_equal(name, conflict);
	config_free(b);
	config_free(m);
	config_free(t);
	config_free(c);
}

static void changes_of_different_vips_are_both_made(void **state)
{
	(void)state;
	merges(WEB DNS, HEAVY DNS, WEB, HEAVY, NULL);
	merges(WEB, WEB OTHER, WEB DNS, WEB OTHER DNS, NULL);
	merges(WEB DNS, DNS, WEB DNS OTHER, DNS OTHER, NULL);
	merges(WEB, ROSTER WEB, HEAVY, ROSTER HEAVY, NULL);
	merges(WEB DNS, WEB CHECK DNS, WEB, WEB CHECK, NULL);
	merges(WEB CHECK DNS, WEB DNS, WEB CHECK DNS OTHER, WEB DNS OTHER, NULL);
}

static void the_same_change_twice_is_one(void **state)
{
	(void)state;
	merges(WEB, HEAVY, HEAVY, HEAVY, NULL);
	merges(WEB DNS, WEB, WEB, WEB, NULL);
	merges(WEB, ROSTER WEB, ROSTER WEB, ROSTER WEB, NULL);
}

static void two_changes_of_one_vip_are_a_conflict(void **state)
{
	(void)state;
	merges(WEB, HEAVY, DNS, NULL, "web");
	merges(WEB, WEB CHECK, HEAVY, NULL, "web");
	merges(WEB, "", HEAVY, NULL, "web");
	merges(ROSTER, "roster add a ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n", "", NULL, "the roster");
}

static void on_gone(void *arg, const char *vip)
{
	buf_printf(arg, "%s,", vip);
}

/* @lines and @gone: what @after says otherwise than @before. */
static void changed(const char *before, const char *after, const char *lines, const char *gone)
{
	struct buf text = BUF_INIT, names = BUF_INIT;
	struct object_name known;
	struct err err = {0};
	struct config *c;
	struct forge f;

	forge_of(&f, before);
	known = f.root;
	c = forge_parse(after);
	forge_build(&f, c);
	assert_int_equal(intent_changed(&f.objects, &f.root, &known, &text, on_gone, &names, &err), 0);
	config_free(c);
	c = forge_parse(buf_text(&text));
	assert_text(c, lines);
	assert_string_equal(buf_text(&names), gone);
	config_free(c);
	buf_free(&text);
	buf_free(&names);
	objects_free(&f.objects);
}

static void of_two_trees_only_what_differs_is_read(void **state)
{
	(void)state;
	changed(ROSTER WEB DNS, ROSTER WEB DNS, "", "");
	changed(ROSTER WEB DNS, ROSTER HEAVY DNS, HEAVY, "");
	changed(ROSTER WEB DNS, ROSTER WEB OTHER, OTHER, "dns,");
	changed(ROSTER WEB DNS, ROSTER WEB CHECK DNS, WEB CHECK, "");
	changed(ROSTER WEB CHECK DNS, ROSTER WEB DNS, WEB, "");
	changed(ROSTER WEB, WEB, "", ",");
	changed(WEB, ROSTER, ROSTER, ",web,");
}

/* No word needs a later level yet: what does is shown by tests/net/upgrade.sh. */
static void what_there_is_is_of_the_first_level(void **state)
{
	struct config *from = forge_parse(WEB), *to = forge_parse(OWN ROSTER HEAVY OTHER);
	struct buf word = BUF_INIT;

	(void)state;
	assert_int_equal(config_level(from, to, &word), 1);
	assert_int_equal(config_level(to, from, &word), 1);
	assert_int_equal(word.len, 0);
	buf_free(&word);
	config_free(from);
	config_free(to);
}

static void every_shared_line_counts_and_no_own_one(void **state)
{
	static const char *const other[] = {ROSTER WEB CHECK "vip add more tcp/192.0.2.9:1\n", ROSTER HEAVY CHECK,
					    ROSTER WEB, ROSTER WEB "health set web http path /b\n", WEB CHECK};
	struct config *is = forge_parse(ROSTER WEB CHECK), *own = forge_parse(OWN ROSTER WEB CHECK), *c;

	(void)state;
	assert_true(config_shared_same(is, own));
	for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++) {
		c = forge_parse(other[i]);
		if (config_shared_same(is, c))
			fail_msg("the same: %s", other[i]);
		config_free(c);
	}
	config_free(is);
	config_free(own);
}

static void reputations_and_other_changes_are_both_made(void **state)
{
	struct config *base = forge_parse(ROSTER WEB), *mine = forge_parse(ROSTER HEAVY),
		      *theirs = forge_parse(ROSTER WEB), *both = NULL;
	char conflict[STARLING_NAME_BYTES] = "";

	(void)state;
	roster_reputation_set(&theirs->roster.node[0], 500);
	assert_int_equal(config_merge(base, mine, theirs, &both, conflict), 0);
	assert_int_equal(roster_reputation(&both->roster.node[0]), 500);
	assert_false(config_part_differs(both, mine, "web"));
	config_free(both);
	assert_int_equal(config_merge(base, theirs, mine, &both, conflict), 0);
	assert_int_equal(roster_reputation(&both->roster.node[0]), 500);
	assert_false(config_part_differs(both, mine, "web"));
	assert_true(config_shared_same(base, theirs)); /* no file tells them apart */
	config_free(base);
	config_free(mine);
	config_free(theirs);
	config_free(both);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_lines_stay_and_shared_ones_come),
		cmocka_unit_test(changes_of_different_vips_are_both_made),
		cmocka_unit_test(the_same_change_twice_is_one),
		cmocka_unit_test(two_changes_of_one_vip_are_a_conflict),
		cmocka_unit_test(every_shared_line_counts_and_no_own_one),
		cmocka_unit_test(reputations_and_other_changes_are_both_made),
		cmocka_unit_test(of_two_trees_only_what_differs_is_read),
		cmocka_unit_test(what_there_is_is_of_the_first_level),
	};

	return cmocka_run_group_tests_name("config_merge", tests, NULL, NULL);
}
