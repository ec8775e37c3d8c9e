// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Small changes of a tree that ride on a question: what they bring, what does not fit, what bytes from outside do. Not
 * here: trees (intent_test).
 */
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <zlib.h>

#include "core/intent_delta.h"
#include "intent_forge.h"

#define ROOM	 1024 /* as in a question */
#define VIPS	 512
#define BACKENDS 64

/* What the asker has, both trees, and what the asked one has, the former. */
struct desk {
	struct forge asker, asked;
	struct object_name former;
	__u8 delta[ROOM];
	size_t len;
};

static void desk_open(struct desk *d, const char *from, const char *to)
{
	struct config *c;

	forge_of(&d->asker, from);
	forge_of(&d->asked, from);
	d->former = d->asker.root;
	assert_true(object_name_is(&d->former, &d->asked.root));
	d->asker.says.generation++;
	d->asker.says.previous = d->former;
	c = forge_parse(to);
	forge_build(&d->asker, c);
	config_free(c);
	d->len = intent_delta_write(&d->asker.objects, &d->asker.root, &d->former, d->delta, sizeof(d->delta));
}

static void desk_close(struct desk *d)
{
	objects_free(&d->asker.objects);
	objects_free(&d->asked.objects);
}

static int take(struct desk *d, const void *bytes, size_t len)
{
	return intent_delta_read(&d->asked.objects, &d->asked.node.signing, bytes, len);
}

/* Whether the asked one has all that the asker's root names. */
static bool is_whole(const struct desk *d)
{
	struct object_name lacking;

	return !intent_lacking(&d->asked.objects, &d->asker.root, &lacking, 1);
}

static void whatever_changes_the_other_has_the_tree_afterwards(void **state)
{
	static const char *const trees[] = {
		WEB, ROSTER WEB, DNS WEB, ROSTER DNS, WEB "backend add web 10.0.0.3:80 weight 7\n", ROSTER,
	};
	struct desk d;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		for (size_t k = 0; k < 6; k++) {
			desk_open(&d, trees[i], trees[k]);
			assert_true(d.len > 0);
			assert_false(is_whole(&d));
			assert_int_equal(take(&d, d.delta, d.len), 0);
			assert_true(is_whole(&d));
			desk_close(&d);
		}
}

static void many_write(struct buf *out, unsigned int weight)
{
	for (int v = 0; v < VIPS; v++) {
		buf_printf(out, "vip add v%d tcp/192.0.%d.%d:80 scheduler wlc\n", v, v / 250, 1 + v % 250);
		for (int b = 0; b < BACKENDS; b++)
			buf_printf(out, "backend add v%d 10.%d.%d.%d:80 weight %u\n", v, v / 200, v % 200, b + 1,
				   v == 7 && b == 30 ? weight : 10);
	}
}

static void one_weight_of_many_is_a_few_hundred_bytes(void **state)
{
	struct buf from = BUF_INIT, to = BUF_INIT;
	struct desk d;

	(void)state;
	many_write(&from, 10);
	many_write(&to, 11);
	desk_open(&d, buf_text(&from), buf_text(&to));
	print_message("# %zu bytes\n", d.len);
	assert_in_range(d.len, 1, 700);
	assert_int_equal(take(&d, d.delta, d.len), 0);
	assert_true(is_whole(&d));
	desk_close(&d);
	buf_free(&from);
	buf_free(&to);
}

static void what_does_not_fit_or_is_not_here_is_not_written(void **state)
{
	struct object_name none = {{1}};
	__u8 bytes[ROOM];
	struct desk d;

	(void)state;
	desk_open(&d, WEB, WEB "backend add web 10.0.0.3:80 weight 7\n");
	for (size_t room = 0; room < d.len; room++)
		assert_int_equal(intent_delta_write(&d.asker.objects, &d.asker.root, &d.former, bytes, room), 0);
	assert_int_equal(intent_delta_write(&d.asker.objects, &d.asker.root, &d.former, bytes, d.len), d.len);
	assert_int_equal(intent_delta_write(&d.asker.objects, &d.asker.root, &none, bytes, ROOM), 0);
	assert_int_equal(intent_delta_write(&d.asked.objects, &d.asker.root, &d.former, bytes, ROOM), 0);
	desk_close(&d);
}

static void who_has_another_tree_is_told_so(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, WEB, WEB "backend add web 10.0.0.3:80 weight 7\n");
	objects_free(&d.asked.objects);
	assert_int_equal(take(&d, d.delta, d.len), -ENOENT);
	assert_int_equal(d.asked.objects.count, 0);
	desk_close(&d);
}

static void what_is_cut_off_is_not_whole(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, ROSTER WEB, ROSTER WEB DNS);
	for (size_t i = 0; i < d.len; i++) {
		take(&d, d.delta, i);
		assert_false(is_whole(&d));
	}
	assert_int_equal(take(&d, d.delta, d.len), 0);
	assert_true(is_whole(&d));
	desk_close(&d);
}

/* At worst there are objects more, which nobody names: each has the name of its text. */
static void bytes_of_any_kind_make_no_false_object(void **state)
{
	struct object_name name;
	__u8 bytes[ROOM];
	struct desk d;
	size_t i;

	(void)state;
	desk_open(&d, ROSTER WEB, ROSTER WEB DNS);
	for (i = 0; i < 8 * d.len; i++) {
		memcpy(bytes, d.delta, d.len);
		bytes[i / 8] ^= (__u8)(1 << i % 8);
		take(&d, bytes, d.len);
	}
	for (i = 0; i < d.asked.objects.count; i++) {
		const struct object *o = &d.asked.objects.object[i];

		d.asked.node.signing.hash(d.asked.node.signing.arg, o->text, o->len, name.byte);
		assert_true(object_name_is(&name, &o->name));
	}
	desk_close(&d);
}

/* An item with @text zeros in it that says @len. */
static size_t bomb_write(__u8 *ret, size_t text, size_t len)
{
	struct intent_delta_item item = {.len = htole32((__u32)len)};
	uLongf bytes = ROOM - sizeof(item);
	__u8 *zeros = calloc(text, 1);

	assert_non_null(zeros);
	assert_int_equal(compress2(ret + sizeof(item), &bytes, zeros, text, Z_BEST_COMPRESSION), Z_OK);
	free(zeros);
	item.bytes = htole16((__u16)bytes);
	memcpy(ret, &item, sizeof(item));
	return sizeof(item) + bytes;
}

static void a_bomb_is_not_inflated(void **state)
{
	__u8 bytes[2 * ROOM];
	struct desk d;
	size_t len;

	(void)state;
	desk_open(&d, WEB, WEB);
	len = bomb_write(bytes, INTENT_DELTA_BYTES, INTENT_DELTA_BYTES);
	assert_int_equal(take(&d, bytes, len), 0);
	len += bomb_write(bytes + len, 1, 1);
	assert_int_equal(take(&d, bytes, len), -EMSGSIZE);
	len = bomb_write(bytes, INTENT_DELTA_BYTES + 1, INTENT_DELTA_BYTES + 1);
	assert_int_equal(take(&d, bytes, len), -EMSGSIZE);
	len = bomb_write(bytes, 1000, 999);
	assert_int_equal(take(&d, bytes, len), -EBADMSG);
	len = bomb_write(bytes, 1000, 1001);
	assert_int_equal(take(&d, bytes, len), -EBADMSG);
	len = bomb_write(bytes, 1, 0);
	assert_int_equal(take(&d, bytes, len), -EBADMSG);
	desk_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_changes_the_other_has_the_tree_afterwards),
		cmocka_unit_test(one_weight_of_many_is_a_few_hundred_bytes),
		cmocka_unit_test(what_does_not_fit_or_is_not_here_is_not_written),
		cmocka_unit_test(who_has_another_tree_is_told_so),
		cmocka_unit_test(what_is_cut_off_is_not_whole),
		cmocka_unit_test(bytes_of_any_kind_make_no_false_object),
		cmocka_unit_test(a_bomb_is_not_inflated),
	};

	return cmocka_run_group_tests_name("intent_delta", tests, NULL, NULL);
}
