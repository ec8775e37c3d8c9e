// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Trees of objects: what is named alike, what is read, what lacks. Not here: what is refused (intent_refuse_test), any
 * bytes (intent_fuzz), the register's value (intent_value_test).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "intent_forge.h"

#define VIPS	     512
#define BACKENDS     64
#define BUILD_MAX_MS 1000 /* tens are usual; sanitizers and a busy machine take more */

/* --- building --- */

static void a_configuration_has_the_same_names_whatever_its_order(void **state)
{
	struct forge a, b;

	(void)state;
	forge_of(&a, ROSTER WEB DNS);
	forge_of(&b, "log level debug\nlisten http 127.0.0.1:9000\n" DNS
		     "backend add web 10.0.0.2:80\nbackend add web 10.0.0.1:80 weight 3\n"
		     "vip add web tcp/192.0.2.1:80,tcp/192.0.2.1:443 scheduler wrr\n"
		     "roster add b ed25519:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw= site s1 role observer\n"
		     "roster add a ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= role admin,voter stake 1\n");
	assert_true(object_name_is(&a.root, &b.root));
	assert_int_equal(a.objects.count, b.objects.count);
	assert_true(a.objects.count >= 5);
	objects_free(&a.objects);
	objects_free(&b.objects);
}

static void a_root_has_this_text(void **state)
{
	static const char wanted[] = "starling intent 1\nlevel 1\ntable 1\ngeneration 43\nnode ";
	char id[ROSTER_ID_TEXT_BYTES];
	const char *text;
	struct forge f;

	(void)state;
	forge_of(&f, ROSTER WEB);
	text = objects_find(&f.objects, &f.root)->text;
	assert_memory_equal(text, wanted, sizeof(wanted) - 1);
	text += sizeof(wanted) - 1;
	assert_memory_equal(text, roster_id_format(f.node.id, id), 16);
	text += 16;
	assert_int_equal(strncmp(text, "\nby root@lb1\ntime 1790000000000\ncommand \"vip add web\"\nrest ", 59), 0);
	text = strchr(text + 59, '\n');
	assert_int_equal(strncmp(text, "\nbucket ", 8), 0);
	text = strchr(text + 1, '\n');
	assert_int_equal(strncmp(text, "\nsignature ", 11), 0);
	assert_int_equal(strlen(text), 11 + 128 + 1);
	objects_free(&f.objects);
}

static struct config *config_big(void)
{
	struct buf text = BUF_INIT;
	struct config *c;
	int v, b;

	for (v = 0; v < VIPS; v++) {
		buf_printf(&text, "vip add service-%d tcp/192.0.%d.%d:443\n", v, v / 250, v % 250 + 1);
		for (b = 0; b < BACKENDS; b++)
			buf_printf(&text, "backend add service-%d 10.%d.%d.%d:8443 weight 10\n", v, v / 250, v % 250,
				   b + 1);
	}
	c = forge_parse(buf_text(&text));
	buf_free(&text);
	return c;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void a_changed_weight_changes_a_vip_its_bucket_and_the_root(void **state)
{
	struct config *c = config_big();
	size_t i, changed = 0, bytes = 0, all = 0;
	struct object_name lacking[8];
	struct forge before, after;
	double begin, took;

	(void)state;
	forge_open(&before);
	forge_open(&after);
	begin = now_ms();
	forge_build(&before, c);
	took = now_ms() - begin;
	c->vip[100].backend[10].weight = 11;
	forge_build(&after, c);
	config_free(c);
	for (i = 0; i < after.objects.count; i++) {
		all += after.objects.object[i].len;
		if (objects_find(&before.objects, &after.objects.object[i].name))
			continue;
		changed++;
		bytes += after.objects.object[i].len;
	}
	printf("# %zu objects of %zu bytes, built in %.1f ms; changed: %zu of %zu bytes\n", after.objects.count, all,
	       took, changed, bytes);
	assert_int_equal(after.objects.count, before.objects.count);
	assert_int_equal(changed, 3);
	assert_true(bytes < 10000);
	assert_true(took < BUILD_MAX_MS);
	begin = now_ms();
	assert_int_equal(intent_lacking(&after.objects, &after.root, lacking, 8), 0);
	printf("# nothing lacks: known in %.1f ms\n", now_ms() - begin);
	objects_free(&before.objects);
	objects_free(&after.objects);
}

static void what_is_built_of_another_tree_has_the_same_names(void **state)
{
	struct check_config check = {.kind = CHECK_TCP, .interval_ms = 2000, .timeout_ms = 1000, .rise = 2, .fall = 3};
	struct config *before = config_big(), *after = config_big();
	struct object_name root, none = {{7}};
	struct forge whole, part;
	struct err err = {0};

	(void)state;
	forge_open(&whole);
	forge_open(&part);
	forge_build(&part, before);
	after->vip[100].backend[10].weight = 11;
	after->vip[200].scheduler = SCHEDULER_WRR;
	assert_int_equal(vip_check_set(&after->vip[250], &check), 0);
	assert_int_equal(vip_backend_delete(&after->vip[300], &after->vip[300].backend[5].at), 0);
	assert_int_equal(config_vip_delete(after, after->vip[400].name), 0);
	assert_int_equal(config_vip_delete(before, before->vip[7].name), 0); /* it is new, then */
	forge_build(&whole, after);
	assert_int_equal(
		intent_rebuild(after, before, &part.root, &whole.says, &whole.node.signing, &part.objects, &root, &err),
		0);
	assert_true(object_name_is(&root, &whole.root));
	assert_int_equal(intent_lacking(&part.objects, &root, &none, 1), 0);
	assert_int_equal(intent_same(&part.objects, &root, after, &whole.node.signing), 0);
	/* a tree that is not there helps nobody, and does no harm */
	none = (struct object_name){{7}};
	assert_int_equal(
		intent_rebuild(after, before, &none, &whole.says, &whole.node.signing, &part.objects, &root, &err), 0);
	assert_true(object_name_is(&root, &whole.root));
	objects_free(&whole.objects);
	objects_free(&part.objects);
	config_free(before);
	config_free(after);
}

static void what_is_too_large_for_an_object_is_refused_by_its_name(void **state)
{
	struct vip_config vip;
	struct config *c = forge_parse("");
	struct object_name root = {{7}};
	struct err err = {0};
	struct forge f;
	__u32 i;

	(void)state;
	forge_of(&f, DNS);
	vip_defaults(&vip);
	snprintf(vip.name, sizeof(vip.name), "big");
	vip.key_count = 1;
	assert_int_equal(endpoint_parse("192.0.2.1:80", &vip.key[0]), 0);
	vip.key[0].proto = 6;
	for (i = 0; i < 40000; i++) {
		struct backend_config b = {.weight = 1, .tier = 1};
		char at[32];

		snprintf(at, sizeof(at), "10.0.%u.%u:80", i >> 8, i & 255);
		assert_int_equal(endpoint_parse(at, &b.at), 0);
		assert_int_equal(vip_backend_add(&vip, &b), 0);
	}
	assert_int_equal(config_vip_add(c, &vip), 0);
	i = (__u32)f.objects.count;
	assert_int_equal(intent_build(c, &f.says, &f.node.signing, &f.objects, &root, &err), -EMSGSIZE);
	assert_non_null(strstr(err.text, "VIP big"));
	assert_int_equal(f.objects.count, i);
	assert_int_equal(root.byte[0], 7);
	config_free(c);
	objects_free(&f.objects);
}

static void objects_have_the_name_of_their_text(void **state)
{
	struct object_name name = {{7}}, again;
	char *large = calloc(1, INTENT_OBJECT_BYTES + 1), hex[HEX_BYTES];
	struct objects o = {0};
	struct signer s;

	(void)state;
	signer_real(&s, 1);
	assert_non_null(large);
	assert_int_equal(objects_add(&o, &s.signing, large, INTENT_OBJECT_BYTES + 1, &name), -EMSGSIZE);
	assert_int_equal(objects_add(&o, &s.signing, large, 0, &name), -EMSGSIZE);
	assert_true(name.byte[0] == 7 && !o.count);
	assert_int_equal(objects_add(&o, &s.signing, "abc", 3, &name), 0);
	/* BLAKE2b-256 of "abc" */
	assert_string_equal(object_name_format(&name, hex),
			    "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
	assert_int_equal(objects_add(&o, &s.signing, "abc", 3, &again), 0);
	assert_true(object_name_is(&name, &again) && o.count == 1);
	assert_int_equal(objects_add(&o, &s.signing, large, INTENT_OBJECT_BYTES, NULL), 0);
	assert_int_equal(o.count, 2);
	assert_string_equal(objects_find(&o, &name)->text, "abc");
	name.byte[31] ^= 1;
	assert_null(objects_find(&o, &name));
	objects_free(&o);
	free(large);
}

static void control_characters_stay_within_their_line(void **state)
{
	static const char *const text[] = {
		"", "a\nlevel 2\n", "\"quoted\" \\ back", "#no comment", "\x01\x7f\r\t", "gr\xc3\xbc\xc3\x9f"};
	struct intent_root got;
	struct config *c = forge_parse(WEB);
	struct forge f;
	size_t i;

	(void)state;
	forge_open(&f);
	for (i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		memset(f.says.by, 0, sizeof(f.says.by));
		memset(f.says.command, 0, sizeof(f.says.command));
		snprintf(f.says.by, sizeof(f.says.by), "%s", text[i]);
		snprintf(f.says.command, sizeof(f.says.command), "%s", text[i]);
		forge_build(&f, c);
		assert_int_equal(intent_root_read(&f.objects, &f.root, NULL, NULL, &got, NULL), 0);
		assert_memory_equal(&got, &f.says, sizeof(got));
	}
	/* no UTF-8, cut off in a character, and without an end */
	memset(f.says.command, '\xc3', sizeof(f.says.command));
	memset(f.says.by, '"', sizeof(f.says.by));
	forge_build(&f, c);
	assert_int_equal(intent_root_read(&f.objects, &f.root, NULL, NULL, &got, NULL), 0);
	assert_int_equal(strspn(got.command, "?"), INTENT_COMMAND_BYTES - 1);
	assert_int_equal(strspn(got.by, "\""), INTENT_BY_BYTES - 1);
	assert_true(!got.command[INTENT_COMMAND_BYTES - 1] && !got.by[INTENT_BY_BYTES - 1]);
	config_free(c);
	objects_free(&f.objects);
}

/* --- reading --- */

static void reads_as_itself(const char *text)
{
	struct buf out = BUF_INIT, wanted = BUF_INIT;
	struct config *c = forge_parse(text), *again, *other;
	struct err err = {0};
	struct forge f;

	forge_open(&f);
	forge_build(&f, c);
	assert_int_equal(intent_read(&f.objects, &f.root, &out, &err), 0);
	config_export_agreed(c, &wanted);
	assert_string_equal(buf_text(&out), buf_text(&wanted));
	again = forge_parse(buf_text(&out));
	assert_int_equal(intent_same(&f.objects, &f.root, again, &f.node.signing), 0);
	other = forge_parse("vip add other tcp/192.0.2.9:1\n");
	assert_int_equal(intent_same(&f.objects, &f.root, other, &f.node.signing), -EBADMSG);
	if (again->vip_count) {
		again->vip[0].backend[0].weight++;
		assert_int_equal(intent_same(&f.objects, &f.root, again, &f.node.signing), -EBADMSG);
	}
	config_free(c);
	config_free(again);
	config_free(other);
	buf_free(&out);
	buf_free(&wanted);
	objects_free(&f.objects);
}

static void a_tree_reads_as_what_it_was_built_of(void **state)
{
	(void)state;
	reads_as_itself(ROSTER WEB DNS);
	reads_as_itself(WEB);
	reads_as_itself(ROSTER);
	reads_as_itself(
		"roster add a ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= stake 3 reputation 950\n" WEB);
	reads_as_itself("");
}

static void what_is_local_is_in_no_tree(void **state)
{
	struct buf out = BUF_INIT;
	struct config *c =
		forge_parse("node set name lb1\nlog level debug\nlisten http 127.0.0.1:9000\niface attach eth0\n" DNS);
	struct forge f;

	(void)state;
	forge_open(&f);
	forge_build(&f, c);
	assert_int_equal(intent_read(&f.objects, &f.root, &out, NULL), 0);
	assert_string_equal(buf_text(&out), DNS);
	assert_int_equal(intent_same(&f.objects, &f.root, c, &f.node.signing), 0);
	config_free(c);
	buf_free(&out);
	objects_free(&f.objects);
}

static void what_lacks_is_known_level_by_level(void **state)
{
	struct config *c = config_big();
	struct object_name lacking[1024], few[3];
	struct objects have = {0};
	size_t count, rounds = 0, total = 0, i, k;
	struct forge f;

	(void)state;
	forge_open(&f);
	forge_build(&f, c);
	config_free(c);
	while ((count = intent_lacking(&have, &f.root, lacking, 1024))) {
		assert_int_equal(intent_lacking(&have, &f.root, few, 3), count < 3 ? count : 3);
		for (i = 0; i < count; i++) {
			const struct object *object = objects_find(&f.objects, &lacking[i]);

			for (k = 0; k < i; k++)
				assert_false(object_name_is(&lacking[i], &lacking[k]));
			assert_non_null(object);
			assert_int_equal(objects_add(&have, &f.node.signing, object->text, object->len, NULL), 0);
		}
		total += count;
		assert_true(rounds++ || count == 1);
		if (rounds == 2)
			assert_int_equal(count, INTENT_BUCKETS);
	}
	assert_int_equal(rounds, 3);
	assert_int_equal(total, f.objects.count);
	assert_int_equal(have.count, f.objects.count);
	objects_free(&have);
	objects_free(&f.objects);
}

static void what_two_buckets_name_lacks_once(void **state)
{
	struct object_name lacking[8], vip, bucket, root;
	char hex[HEX_BYTES], text[256], *root_text;
	struct forge f;

	(void)state;
	forge_of(&f, "");
	memset(&vip, 0xab, sizeof(vip));
	snprintf(text, sizeof(text), "vip a %s\n", object_name_format(&vip, hex));
	bucket = forge_add(&f, text);
	object_name_format(&bucket, hex);
	snprintf(text, sizeof(text), "command \"vip add web\"\nbucket 1 %s\nbucket 2 %s\n", hex, hex);
	root_text = forge_body(&f, "command \"vip add web\"\n", text);
	root = forge_root(&f, root_text);
	free(root_text);
	assert_int_equal(intent_lacking(&f.objects, &root, lacking, 8), 1);
	assert_true(object_name_is(&lacking[0], &vip));
	/* so does a bucket that is not there, and is the rest as well */
	object_name_format(&vip, hex);
	snprintf(text, sizeof(text), "command \"vip add web\"\nrest %s\nbucket 1 %s\nbucket 2 %s\n", hex, hex, hex);
	root_text = forge_body(&f, "command \"vip add web\"\n", text);
	root = forge_root(&f, root_text);
	free(root_text);
	assert_int_equal(intent_lacking(&f.objects, &root, lacking, 8), 1);
	assert_true(object_name_is(&lacking[0], &vip));
	assert_int_equal(intent_read(&f.objects, &root, &BUF_INIT, NULL), -ENOENT);
	objects_free(&f.objects);
}

static void what_is_in_no_tree_is_dropped(void **state)
{
	struct config *web = forge_parse(ROSTER WEB), *both = forge_parse(ROSTER WEB DNS);
	struct object_name root[2], lacking[8];
	struct forge f;

	(void)state;
	forge_open(&f);
	forge_build(&f, web);
	root[0] = f.root;
	f.says.generation++;
	f.says.previous = f.root;
	forge_build(&f, both);
	root[1] = f.root;
	forge_add(&f, "stray");
	assert_int_equal(f.objects.count, 4 + 3 + 1); /* web is in both, and so is the rest */
	intent_keep(&f.objects, root, 2);
	assert_int_equal(f.objects.count, 7);
	intent_keep(&f.objects, root + 1, 1);
	assert_int_equal(f.objects.count, 6);
	assert_int_equal(intent_lacking(&f.objects, &root[1], lacking, 8), 0);
	assert_int_equal(intent_same(&f.objects, &root[1], both, &f.node.signing), 0);
	assert_int_equal(intent_same(&f.objects, &root[0], web, &f.node.signing), -EBADMSG);
	intent_keep(&f.objects, NULL, 0);
	assert_int_equal(f.objects.count, 0);
	config_free(web);
	config_free(both);
	objects_free(&f.objects);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_configuration_has_the_same_names_whatever_its_order),
		cmocka_unit_test(a_root_has_this_text),
		cmocka_unit_test(a_changed_weight_changes_a_vip_its_bucket_and_the_root),
		cmocka_unit_test(what_is_built_of_another_tree_has_the_same_names),
		cmocka_unit_test(what_is_too_large_for_an_object_is_refused_by_its_name),
		cmocka_unit_test(objects_have_the_name_of_their_text),
		cmocka_unit_test(control_characters_stay_within_their_line),
		cmocka_unit_test(a_tree_reads_as_what_it_was_built_of),
		cmocka_unit_test(what_is_local_is_in_no_tree),
		cmocka_unit_test(what_lacks_is_known_level_by_level),
		cmocka_unit_test(what_two_buckets_name_lacks_once),
		cmocka_unit_test(what_is_in_no_tree_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
