// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a flock puts aside: as a list, as a text, in a tree, and changed twice at once. Not here: what a balancer does
 * with it (tests/net/agree.sh).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/aside_page.h"
#include "core/config_merge.h"
#include "core/fact.h"
#include "intent_forge.h"

#define TWO                                                                                                            \
	"vip add a tcp/192.0.2.1:80\nbackend add a 10.0.0.1:80\nbackend add a 10.0.0.2:80\n"                           \
	"vip add b tcp/192.0.2.2:80\nbackend add b 10.0.0.1:80\n"

static struct override word(const char *vip, const char *at, enum override_state state, __u64 since_ms)
{
	struct override o = {.state = state, .since_ms = since_ms, .by = "root@lb1", .reason = "a \"disk\""};

	snprintf(o.vip, sizeof(o.vip), "%s", vip);
	assert_int_equal(endpoint_parse(at, &o.at), 0);
	return o;
}

static void set(struct config *c, const char *vip, const char *at, enum override_state state, __u64 since_ms)
{
	struct override o = word(vip, at, state, since_ms);

	assert_int_equal(aside_set(c, &o), 0);
}

static bool is(const struct config *c, const char *vip, const char *at, enum override_state state)
{
	struct override key = word(vip, at, state, 0);
	const struct override *o = aside_find(c, vip, &key.at);

	return state == OVERRIDE_NONE ? !o : o && o->state == state;
}

static void the_last_word_counts(void **state)
{
	struct config *c = forge_parse(TWO);

	(void)state;
	set(c, "b", "10.0.0.1:80", OVERRIDE_DRAIN, 1);
	set(c, "a", "10.0.0.2:80", OVERRIDE_DISABLE, 2);
	set(c, "a", "10.0.0.2:80", OVERRIDE_DRAIN, 3);
	assert_int_equal(c->asides, 2);
	assert_true(is(c, "a", "10.0.0.2:80", OVERRIDE_DRAIN) && is(c, "a", "10.0.0.1:80", OVERRIDE_NONE));
	set(c, "a", "10.0.0.2:80", OVERRIDE_NONE, 4);
	set(c, "a", "10.0.0.1:80", OVERRIDE_NONE, 4);
	assert_int_equal(c->asides, 1);
	config_vip_delete(c, "b");
	asides_prune(c);
	assert_int_equal(c->asides, 0);
	config_free(c);
}

static void its_text_reads_as_it_was(void **state)
{
	struct config *c = forge_parse(TWO), *again = forge_parse(TWO);
	struct buf text = BUF_INIT;

	(void)state;
	set(c, "b", "10.0.0.1:80", OVERRIDE_DRAIN, 1790000000000);
	c->aside[0].timeout_ms = 30000;
	set(c, "a", "10.0.0.2:80", OVERRIDE_DISABLE, 2);
	asides_write(c, &text);
	assert_string_equal(buf_text(&text),
			    "aside a 10.0.0.2:80 disable 2 0 root@lb1 \"a \\\"disk\\\"\"\n"
			    "aside b 10.0.0.1:80 drain 1790000000000 30000 root@lb1 \"a \\\"disk\\\"\"\n");
	assert_int_equal(asides_read(again, buf_text(&text), text.len, NULL), 0);
	assert_true(asides_same(c, again));
	again->aside[1].timeout_ms++;
	assert_false(asides_same(c, again));
	buf_free(&text);
	config_free(c);
	config_free(again);
}

static void what_is_no_text_of_it_is_refused(void **state)
{
	static const char *const bad[] = {
		"aside a 10.0.0.1:80 drain 1 0 root",	    /* a word less */
		"aside a 10.0.0.1:80 drain 1 0 root x y\n", /* one more */
		"aside a 10.0.0.1:80 drain 1 0 root x",	    /* no end of line */
		"aside a 10.0.0.1:80 enable 1 0 root x\n",  /* not aside */
		"aside a 10.0.0.3:80 drain 1 0 root x\n",   /* no backend */
		"aside c 10.0.0.1:80 drain 1 0 root x\n",   /* no VIP */
		"aside a 10.0.0.1:80 drain 01 0 root x\n",  /* other texts of the same */
		"aside a 10.0.0.1:80 drain 1 0 \"root\" x\n",
		"aside  a 10.0.0.1:80 drain 1 0 root x\n",
		"aside a 10.0.0.1:80 drain 1 4294967296 root x\n", /* too large */
		"aside a 10.0.0.1:80 drain 18446744073709551616 0 root x\n",
		"aside a 10.0.0.2:80 drain 1 0 root x\naside a 10.0.0.1:80 drain 1 0 root x\n", /* out of order */
		"aside a 10.0.0.1:80 drain 1 0 root x\naside a 10.0.0.1:80 drain 1 0 root x\n", /* twice */
		"backend add a 10.0.0.4:80\n",
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config *c = forge_parse(TWO);
		struct err err = {0};

		assert_int_equal(asides_read(c, bad[i], strlen(bad[i]), &err), -EBADMSG);
		assert_true(err.text[0] && !c->asides);
		config_free(c);
	}
	memset(text, 'x', sizeof(text) - 1); /* a name that is too long for its place */
	text[sizeof(text) - 1] = '\0';
	for (int place = 0; place < 2; place++) {
		struct config *c = forge_parse(TWO);
		struct buf line = BUF_INIT;
		struct err err = {0};

		buf_printf(&line, "aside a 10.0.0.1:80 drain 1 0 %s %s\n", place ? "root" : text, place ? text : "x");
		assert_int_equal(asides_read(c, buf_text(&line), line.len, &err), -EBADMSG);
		buf_free(&line);
		config_free(c);
	}
}

static void a_tree_has_it_beside_its_lines(void **state)
{
	struct config *c = forge_parse(TWO), *plain = forge_parse(TWO);
	struct object_name without, lacking;
	struct buf text = BUF_INIT;
	struct forge f;
	size_t lines;

	(void)state;
	forge_of(&f, TWO);
	without = f.root;
	set(c, "a", "10.0.0.1:80", OVERRIDE_DRAIN, 1);
	forge_build(&f, c);
	assert_false(object_name_is(&f.root, &without));
	assert_int_equal(intent_lacking(&f.objects, &f.root, &lacking, 1), 0);
	assert_int_equal(intent_read(&f.objects, &f.root, &text, NULL), 0);
	lines = asides_begin(buf_text(&text), text.len);
	assert_true(lines < text.len);
	assert_int_equal(asides_read(plain, buf_text(&text) + lines, text.len - lines, NULL), 0);
	assert_true(asides_same(c, plain));
	assert_int_equal(intent_same(&f.objects, &f.root, plain, &f.node.signing), 0);
	assert_int_equal(intent_same(&f.objects, &without, plain, &f.node.signing), -EBADMSG);
	intent_keep(&f.objects, &f.root, 1);
	assert_int_equal(intent_lacking(&f.objects, &f.root, &lacking, 1), 0);
	buf_free(&text);
	objects_free(&f.objects);
	config_free(c);
	config_free(plain);
}

static void two_changes_at_once_are_both_made_but_of_one_backend(void **state)
{
	struct config *base = forge_parse(TWO), *mine = forge_parse(TWO), *theirs = forge_parse(TWO), *merged = NULL;
	char conflict[STARLING_NAME_BYTES] = "";

	(void)state;
	set(base, "b", "10.0.0.1:80", OVERRIDE_DRAIN, 1);
	set(theirs, "b", "10.0.0.1:80", OVERRIDE_DRAIN, 1);
	set(theirs, "a", "10.0.0.1:80", OVERRIDE_DRAIN, 2); /* mine enables b's */
	assert_int_equal(config_merge(base, mine, theirs, &merged, conflict), 0);
	assert_int_equal(merged->asides, 1);
	assert_true(is(merged, "a", "10.0.0.1:80", OVERRIDE_DRAIN));
	config_free(merged);
	set(mine, "a", "10.0.0.1:80", OVERRIDE_DISABLE, 3);
	assert_int_equal(config_merge(base, mine, theirs, &merged, conflict), -ESTALE);
	assert_string_equal(conflict, "a");
	config_free(base);
	config_free(mine);
	config_free(theirs);
}

static void an_own_word_is_one_line_and_any_bytes_are_none(void **state)
{
	const enum override_state states[] = {OVERRIDE_NONE, OVERRIDE_DRAIN, OVERRIDE_DISABLE};
	struct override o, read;
	char bytes[256];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct buf line = BUF_INIT, again = BUF_INIT;

		o = word("a", "10.0.0.1:80", states[i], 1790000000000);
		override_write(&o, &line);
		assert_int_equal(override_read(buf_text(&line), line.len, &read), 0);
		assert_int_equal(override_order(&o, &read), 0);
		assert_true(read.state == o.state && read.since_ms == o.since_ms && !strcmp(read.reason, o.reason));
		for (size_t k = 0; k < line.len; k++)
			assert_int_equal(override_read(buf_text(&line), k, &read), -EBADMSG);
		for (size_t k = 0; k < 8 * line.len; k++) {
			memcpy(bytes, buf_text(&line), line.len);
			bytes[k / 8] = (char)(bytes[k / 8] ^ 1 << k % 8);
			if (override_read(bytes, line.len, &read))
				continue;
			buf_clear(&again);
			override_write(&read, &again); /* another word, then, written as it should be */
			assert_int_equal(again.len, line.len);
			assert_memory_equal(buf_text(&again), bytes, line.len);
		}
		buf_free(&line);
		buf_free(&again);
	}
}

/* A page more, with a line each of VIP a's backends 10.0.0.N. */
static void page_read(__u16 index, const char *ns, struct override **list, size_t *count)
{
	struct page page = {.kind = PAGE_KIND_ASIDES, .index = index};
	struct page_draft draft = {0};
	char at[] = "10.0.0.N:80";

	for (; *ns; ns++) {
		struct buf line = BUF_INIT;
		struct override o;

		at[7] = *ns;
		o = word("a", at, OVERRIDE_DRAIN, 1);
		override_write(&o, &line);
		assert_int_equal(page_entry_add(&draft, FACT_ASIDE, buf_text(&line), line.len), 0);
		buf_free(&line);
	}
	page.len = draft.len;
	page.entries = draft.entries;
	assert_int_equal(aside_page_read(&page, list, count), 0);
}

static void of_a_node_each_backend_is_taken_once_and_from_pages_that_are_told(void **state)
{
	struct override *list = NULL;
	size_t count = 0;

	(void)state;
	page_read(0, "112", &list, &count);
	assert_int_equal(count, 2);
	page_read(1, "2143", &list, &count);
	assert_int_equal(count, 3);
	for (size_t i = 1; i < count; i++)
		assert_true(override_order(&list[i - 1], &list[i]) < 0);
	page_read(ASIDE_PAGES, "5", &list, &count);
	assert_int_equal(count, 3);
	page_read(ASIDE_PAGES - 1, "5", &list, &count);
	assert_int_equal(count, 4);
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_word_counts),
		cmocka_unit_test(its_text_reads_as_it_was),
		cmocka_unit_test(what_is_no_text_of_it_is_refused),
		cmocka_unit_test(a_tree_has_it_beside_its_lines),
		cmocka_unit_test(two_changes_at_once_are_both_made_but_of_one_backend),
		cmocka_unit_test(an_own_word_is_one_line_and_any_bytes_are_none),
		cmocka_unit_test(of_a_node_each_backend_is_taken_once_and_from_pages_that_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
