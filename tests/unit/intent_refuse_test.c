// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Trees of objects that are refused. Not here: those that are right (intent_test), any bytes (intent_fuzz).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "intent_forge.h"

static int root_read(const struct forge *f, const struct object_name *name, const struct roster *roster,
		     struct err *err)
{
	struct intent_root got, before;
	int rc;

	memset(&got, 0x5a, sizeof(got));
	before = got;
	rc = intent_root_read(&f->objects, name, roster, &f->node.signing, &got, err);
	if (rc)
		assert_memory_equal(&got, &before, sizeof(got));
	return rc;
}

/* The former root with a replacement is refused, and says so. */
static void refused(struct forge *f, const char *from, const char *to)
{
	char *text = forge_body(f, from, to);
	struct object_name name = forge_root(f, text);
	struct err err = {0};

	if (root_read(f, &name, NULL, &err) != -EBADMSG || err.code != EBADMSG || strncmp(err.text, "root ", 5) != 0)
		fail_msg("\"%s\" for \"%s\": %s", to, from, err.text);
	free(text);
}

static void only_an_admin_of_the_roster_makes_roots(void **state)
{
	struct signer s[3];
	struct roster roster;
	struct err err = {0};
	char *text;
	struct object_name name;
	struct forge f;

	(void)state;
	forge_of(&f, WEB);
	signer_real(&s[0], 1); /* the forge's */
	signer_real(&s[1], 2);
	signer_real(&s[2], 3);
	roster = signers_roster(s, 3);
	assert_int_equal(root_read(&f, &f.root, &roster, &err), 0);
	roster.node[1].roles |= ROLE_ADMIN;
	assert_int_equal(root_read(&f, &f.root, &roster, &err), -EACCES);
	assert_non_null(strstr(err.text, "role admin"));
	roster.node[0].roles |= ROLE_ADMIN;
	assert_int_equal(root_read(&f, &f.root, &roster, &err), 0);
	roster_free(&roster);
	roster = signers_roster(s + 1, 2);
	assert_int_equal(root_read(&f, &f.root, &roster, &err), -EACCES);
	assert_non_null(strstr(err.text, "not in the roster"));
	roster_free(&roster);
	/* signed by the one, in the name of the other */
	roster = signers_roster(s, 3);
	text = forge_body(&f, "node ", "node ");
	memcpy(strstr(text, "node ") + 5, roster_id_format(s[1].id, (char[ROSTER_ID_TEXT_BYTES]){0}), 16);
	name = forge_root(&f, text);
	free(text);
	assert_int_equal(root_read(&f, &name, &roster, &err), -EACCES);
	assert_non_null(strstr(err.text, "signature"));
	assert_int_equal(root_read(&f, &name, NULL, &err), 0);
	roster_free(&roster);
	objects_free(&f.objects);
}

static void no_byte_of_a_root_can_be_changed(void **state)
{
	struct signer s;
	struct roster roster;
	struct forge f;
	size_t len, i;
	char *text;
	int rc;

	(void)state;
	forge_of(&f, WEB);
	signer_real(&s, 1);
	roster = signers_roster(&s, 1);
	len = objects_find(&f.objects, &f.root)->len;
	text = malloc(len + 1);
	assert_non_null(text);
	for (i = 0; i < len; i++) {
		struct object_name name;

		memcpy(text, objects_find(&f.objects, &f.root)->text, len + 1);
		text[i] ^= 1;
		name = forge_add(&f, text);
		rc = root_read(&f, &name, &roster, NULL);
		if (rc != -EBADMSG && rc != -EACCES)
			fail_msg("byte %zu: %d", i, rc);
	}
	/* and cut off anywhere, it is none */
	for (i = 1; i < len; i++) {
		struct object_name name;

		memcpy(text, objects_find(&f.objects, &f.root)->text, len);
		assert_int_equal(objects_add(&f.objects, &f.node.signing, text, i, &name), 0);
		assert_int_equal(root_read(&f, &name, NULL, NULL), -EBADMSG);
	}
	free(text);
	roster_free(&roster);
	objects_free(&f.objects);
}

static void what_is_no_root_is_refused(void **state)
{
	char line[128], bucket[128], text[512];
	struct object_name name = {{1}};
	struct err err = {0};
	const char *at;
	struct forge f;

	(void)state;
	forge_of(&f, ROSTER WEB);
	assert_int_equal(root_read(&f, &name, NULL, &err), -ENOENT);
	refused(&f, "starling intent 1\n", "");
	refused(&f, "intent 1", "intent 2");
	refused(&f, "level 1", "level 0");
	refused(&f, "level 1\n", "");
	refused(&f, "level 1", "level 01");
	refused(&f, "level 1", "level +1");
	refused(&f, "level 1", "level 4294967297");
	refused(&f, "table 1", "table  1");
	refused(&f, "table 1", "table 1 # one");
	refused(&f, "table 1", "table 0x1");
	refused(&f, "table 1", "table 0");
	refused(&f, "table 1\n", "");
	refused(&f, "generation 43\n", "generation 43\n\n");
	refused(&f, "generation 43\n", "generation 43\ngeneration 43\n");
	refused(&f, "generation 43\n", "generation 43\nfoo bar\n");
	refused(&f, "generation 43", "generation 043");
	refused(&f, "generation 43", "generation -43");
	refused(&f, "time 1790000000000", "time 1790000000000000000000000");
	refused(&f, "time 1790000000000", "time 1790000000000x");
	refused(&f, "by root@lb1", "by \"root@lb1\"");
	refused(&f, "by root@lb1", "by \xff");
	refused(&f, "by root@lb1\n", "");
	refused(&f, "generation 43\n",
		"generation 43\nprevious 0000000000000000000000000000000000000000000000000000000000000000\n");
	memset(text, 'x', sizeof(text));
	memcpy(text, "by ", 3);
	text[3 + INTENT_BY_BYTES] = '\0';
	refused(&f, "by root@lb1", text);
	at = strstr(objects_find(&f.objects, &f.root)->text, "bucket ");
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n") + 1, at);
	at = strrchr(line, ' ');
	snprintf(bucket, sizeof(bucket), "bucket 64%s", at);
	refused(&f, line, bucket);
	snprintf(bucket, sizeof(bucket), "bucket 4294967297%s", at);
	refused(&f, line, bucket);
	snprintf(text, sizeof(text), "bucket 60%sbucket 3%s", at, at);
	refused(&f, line, text);
	snprintf(text, sizeof(text), "bucket 3%sbucket 3%s", at, at);
	refused(&f, line, text);
	memcpy(bucket, line, sizeof(line));
	bucket[strcspn(bucket, "abcdef")] -= 'a' - 'A';
	refused(&f, line, bucket);
	memcpy(bucket, line, sizeof(line));
	memcpy(strchr(bucket, '\n') - 2, "\n", 2);
	refused(&f, line, bucket);
	objects_free(&f.objects);
}

static void another_level_is_named(void **state)
{
	struct object_name name, lacking[1];
	struct err err = {0};
	struct forge f;
	char *text;

	(void)state;
	forge_of(&f, ROSTER WEB);
	text = forge_body(&f, "level 1\n", "level 2\nwhat nobody knows yet\n");
	name = forge_root(&f, text);
	free(text);
	assert_int_equal(root_read(&f, &name, NULL, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "level 2"));
	assert_int_equal(intent_lacking(&f.objects, &name, lacking, 1), 0);
	f.says.level = 2;
	forge_build(&f, &(struct config){.log_level = 6});
	assert_int_equal(root_read(&f, &f.root, NULL, &err), -EBADMSG);
	f.says.level = INTENT_LEVEL;
	f.says.table = INTENT_TABLE + 1;
	forge_build(&f, &(struct config){.log_level = 6});
	assert_int_equal(root_read(&f, &f.root, NULL, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "table 2, and this version knows table 1"));
	objects_free(&f.objects);
}

/* A tree of one VIP in the right bucket, whatever its object says; @rest may be NULL. */
static struct object_name forge_tree(struct forge *f, const char *vip, const char *vip_text, const char *rest)
{
	struct object_name name = forge_add(f, vip_text), root;
	char hex[HEX_BYTES], bucket[128], *root_text;
	struct buf lines = BUF_INIT;
	struct config *c;
	struct forge right;
	const char *at;

	snprintf(bucket, sizeof(bucket), "vip add %s tcp/192.0.2.1:80\n", vip);
	c = forge_parse(bucket);
	forge_open(&right);
	forge_build(&right, c);
	config_free(c);
	at = strstr(objects_find(&right.objects, &right.root)->text, "bucket ");
	snprintf(bucket, sizeof(bucket), "vip %s %s\n", vip, object_name_format(&name, hex));
	name = forge_add(f, bucket);
	buf_puts(&lines, "command x\n");
	if (rest) {
		struct object_name rest_name = forge_add(f, rest);

		buf_printf(&lines, "rest %s\n", object_name_format(&rest_name, hex));
	}
	buf_printf(&lines, "bucket %d %s\n", atoi(at + 7), object_name_format(&name, hex));
	objects_free(&right.objects);
	root_text = forge_body(f, "command \"vip add web\"\n", buf_text(&lines));
	root = forge_root(f, root_text);
	free(root_text);
	buf_free(&lines);
	return root;
}

/* Where it is refused: 0: nowhere; else by intent_read(), with words; the parser; or the comparison. */
enum refusal { BY_NOBODY, BY_READ, BY_PARSE, BY_SAME };

static void tree_is_refused(const char *vip, const char *vip_text, const char *rest, enum refusal wanted)
{
	enum refusal by = BY_NOBODY;
	struct err_list errors = {0};
	struct object_name root;
	struct buf out = BUF_INIT;
	struct config *c = NULL;
	struct err err = {0};
	struct forge f;

	forge_of(&f, "");
	root = forge_tree(&f, vip, vip_text, rest);
	assert_int_equal(root_read(&f, &root, NULL, NULL), 0);
	if (intent_read(&f.objects, &root, &out, &err)) {
		by = BY_READ;
		assert_int_equal(out.len, 0);
		assert_non_null(strstr(err.text, "object "));
	} else if (config_parse_agreed(buf_text(&out), out.len, "tree", &c, &errors)) {
		by = BY_PARSE;
		assert_true(errors.count && errors.err[0].text[0]);
	} else if (intent_same(&f.objects, &root, c, &f.node.signing)) {
		by = BY_SAME;
	}
	if (by != wanted)
		fail_msg("%s: refused by %d, not %d", vip_text, by, wanted);
	config_free(c);
	err_list_free(&errors);
	buf_free(&out);
	objects_free(&f.objects);
}

static void a_vip_object_speaks_of_its_vip_alone(void **state)
{
	(void)state;
	tree_is_refused("dns", DNS, ROSTER, BY_NOBODY);
	tree_is_refused("web", DNS, NULL, BY_READ);
	tree_is_refused("dns", DNS WEB, NULL, BY_READ);
	tree_is_refused("dns", DNS "backend add web 10.0.0.1:80\n", NULL, BY_READ);
	tree_is_refused("dns", DNS "node set name x\n", NULL, BY_READ);
	tree_is_refused("dns", DNS "iface attach eth0\n", NULL, BY_READ);
	tree_is_refused("dns", DNS "listen http 0.0.0.0:80\n", NULL, BY_READ);
	tree_is_refused("dns", "node set name x\n" DNS, NULL, BY_READ);
	tree_is_refused("dns", DNS ROSTER, NULL, BY_READ);
	tree_is_refused("dns", DNS "what is this\n", NULL, BY_READ);
	tree_is_refused("dns", DNS "\n", NULL, BY_READ);
	tree_is_refused("dns", DNS "backend add dns 10.0.0.1:53", NULL, BY_READ);
	tree_is_refused("dns", DNS "backend add dns 10.0.0.1:53 \\\nnode set name x\n", NULL, BY_READ);
	tree_is_refused("dns", "backend add dns 10.0.0.1:53\n", NULL, BY_READ);
	tree_is_refused("dns", DNS "backend add dns nonsense\n", NULL, BY_PARSE);
	tree_is_refused("dns", DNS "backend add dns [2001:db8::1]:53\n", NULL, BY_PARSE);
	tree_is_refused("dns", DNS "backend add dns 10.0.0.1:53 \\\nbackend add dns 10.0.0.2:53\n", NULL, BY_PARSE);
	tree_is_refused("dns", DNS "backend add dns 10.0.0.1:53\n", NULL, BY_SAME);
	tree_is_refused("dns", "vip add dns udp/192.0.2.2:53 scheduler mh\n", NULL, BY_SAME);
	tree_is_refused("dns", DNS "backend add dns [2001:db8::2]:53 # why\n", NULL, BY_SAME);
}

#define A_WITH(words) "roster add a ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= role voter,admin " words "\n"

static void the_rest_is_a_roster_alone(void **state)
{
	(void)state;
	tree_is_refused("dns", DNS, "node set name x\n", BY_READ);
	tree_is_refused("dns", DNS, ROSTER "log level debug\n", BY_READ);
	tree_is_refused("dns", DNS, ROSTER WEB, BY_READ);
	tree_is_refused("dns", DNS, "\n", BY_READ);
	tree_is_refused("dns", DNS, "roster add a nonsense\n", BY_PARSE);
	tree_is_refused("dns", DNS, ROSTER ROSTER, BY_PARSE);
	tree_is_refused("dns", DNS, A_WITH("reputation 250"), BY_NOBODY);
	tree_is_refused("dns", DNS, A_WITH("reputation 1050"), BY_PARSE);
	tree_is_refused("dns", DNS, A_WITH("reputation 200"), BY_PARSE);
	tree_is_refused("dns", DNS, A_WITH("reputation 275"), BY_PARSE);
	tree_is_refused("dns", DNS, A_WITH("reputation 250 reputation 250"), BY_PARSE);
	tree_is_refused("dns", DNS, A_WITH("reputation 1000"), BY_SAME);
	tree_is_refused("dns", DNS, "reputation a 250\n", BY_READ);
}

static void a_bucket_has_its_own_vips_in_their_order(void **state)
{
	static const char *const bad[] = {"",
					  "vip dns ",
					  "vip dns H",
					  "vip dns H\nx",
					  "vip dns H\nvip dns H\n",
					  "vip  H\n",
					  "VIP dns H\n",
					  "vip 123 H\n", /* of the right bucket, but no name */
					  "vip dns Hx",
					  "vip dns  H\n",
					  "vip web H\n",
					  "vip dns H \n",
					  "vip abcdefghijklmnopqrstuvwxyzabcdef H\n"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct object_name name, root;
		struct buf text = BUF_INIT, out = BUF_INIT;
		char hex[HEX_BYTES], line[128], new_end[128], *root_text;
		struct err err = {0};
		const char *at;
		struct forge f;

		forge_of(&f, DNS);
		name = forge_add(&f, DNS);
		for (at = bad[i]; *at; at++)
			if (*at == 'H')
				buf_puts(&text, object_name_format(&name, hex));
			else
				buf_putc(&text, *at);
		if (!text.len)
			buf_putc(&text, '\n');
		name = forge_add(&f, buf_text(&text));
		at = strstr(objects_find(&f.objects, &f.root)->text, "bucket ");
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n") + 1, at);
		at = strrchr(line, ' ');
		snprintf(new_end, sizeof(new_end), " %s\n", object_name_format(&name, hex));
		root_text = forge_body(&f, at, new_end);
		root = forge_root(&f, root_text);
		assert_int_equal(root_read(&f, &root, NULL, NULL), 0);
		if (intent_read(&f.objects, &root, &out, &err) != -EBADMSG || !strstr(err.text, hex))
			fail_msg("%s: %s", bad[i], err.text);
		assert_int_equal(out.len, 0);
		free(root_text);
		buf_free(&text);
		buf_free(&out);
		objects_free(&f.objects);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_an_admin_of_the_roster_makes_roots),
		cmocka_unit_test(no_byte_of_a_root_can_be_changed),
		cmocka_unit_test(what_is_no_root_is_refused),
		cmocka_unit_test(another_level_is_named),
		cmocka_unit_test(a_vip_object_speaks_of_its_vip_alone),
		cmocka_unit_test(the_rest_is_a_roster_alone),
		cmocka_unit_test(a_bucket_has_its_own_vips_in_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
