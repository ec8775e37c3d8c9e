// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The roster as a value: keys' text, ids, canonical bytes and their digest, bounds. The ids and the digest were made
 * by another implementation (Python's hashlib). Not here: its grammar (command_test, config_file_test).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/roster.h"

/* RFC 8032 section 7.1, tests 1 and 2 */
#define KEY_A "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define KEY_B "ed25519:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="
#define ID_A  0x595300fb09fbaf9bULL
#define ID_B  0x93cea03304fdb157ULL

static struct roster_node node(const char *name, const char *key)
{
	struct roster_node n = {.roles = ROSTER_ROLES_DEFAULT, .stake = ROSTER_STAKE_DEFAULT};

	snprintf(n.name, sizeof(n.name), "%s", name);
	assert_int_equal(roster_key_parse(key, &n.key), 0);
	return n;
}

static void epoch_is(const struct roster *r, const char *wanted)
{
	char text[ROSTER_EPOCH_TEXT_BYTES];
	struct roster_epoch epoch;

	assert_int_equal(roster_digest(r, &epoch), 0);
	assert_string_equal(roster_epoch_format(&epoch, text), wanted);
}

static void a_key_has_one_text(void **state)
{
	static const char *const bad[] = {
		"",
		"ed25519:",
		"ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo==",
		"ed25519 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
		"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
		"ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo",
		"ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=", /* another alphabet */
		"ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURp=", /* the same bytes, and bits that are lost */
		"ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHUR==",
		"ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURoA",
	};
	static const __u8 first[] = {0xd7, 0x5a, 0x98, 0x01}, last[] = {0x07, 0x51, 0x1a};
	char text[ROSTER_KEY_TEXT_BYTES], id[ROSTER_ID_TEXT_BYTES];
	struct roster_key key, before;
	size_t i;

	(void)state;
	assert_int_equal(roster_key_parse(KEY_A, &key), 0);
	assert_memory_equal(key.byte, first, sizeof(first));
	assert_memory_equal(key.byte + 29, last, sizeof(last));
	assert_string_equal(roster_key_format(&key, text), KEY_A);
	assert_true(roster_id(&key) == ID_A);
	assert_string_equal(roster_id_format(1, id), "0000000000000001");
	before = key;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!roster_key_parse(bad[i], &key))
			fail_msg("taken: %s", bad[i]);
	assert_memory_equal(&key, &before, sizeof(key));
}

static void the_digest_is_of_the_content_and_not_of_its_history(void **state)
{
	struct roster_node a = node("lb1", KEY_A), b = node("lb2", KEY_B);
	struct roster r = {0}, other = {0}, copy;

	(void)state;
	snprintf(a.site, sizeof(a.site), "fra");
	a.roles = ROLE_OBSERVER | ROLE_VOTER | ROLE_ADMIN;
	a.stake = 5;
	epoch_is(&r, "a50f16027651f08f0bf20c1836b7d755bc0f9fa1374281219c7cb02713262dcc");
	assert_int_equal(roster_add(&r, &b, NULL), 0);
	assert_int_equal(roster_add(&r, &a, NULL), 0);
	epoch_is(&r, "042aaefb5ee8c36fe49bfcb21cf7dab030abe2bc82cb9d3c80b00872de3a27fe");
	assert_int_equal(roster_add(&other, &a, NULL), 0);
	assert_int_equal(roster_add(&other, &b, NULL), 0);
	assert_int_equal(roster_copy(&copy, &other), 0);
	roster_free(&other);
	epoch_is(&copy, "042aaefb5ee8c36fe49bfcb21cf7dab030abe2bc82cb9d3c80b00872de3a27fe");
	assert_int_equal(roster_delete(&copy, "lb1"), 0);
	assert_int_equal(roster_delete(&copy, "lb2"), 0);
	epoch_is(&copy, "a50f16027651f08f0bf20c1836b7d755bc0f9fa1374281219c7cb02713262dcc");
	roster_free(&copy);
	roster_free(&r);
}

/* Whatever a node is made of shows in the digest, and no two parts run into each other. */
static void every_part_of_a_node_shows_in_the_digest(void **state)
{
	struct roster_node plain = node("lb1", KEY_A), other[7];
	struct roster_epoch first, second;
	struct roster r = {0};
	size_t i;

	(void)state;
	for (i = 0; i < 7; i++)
		other[i] = plain;
	snprintf(other[0].name, sizeof(other[0].name), "lb");
	snprintf(other[0].site, sizeof(other[0].site), "1");
	snprintf(other[1].site, sizeof(other[1].site), "a");
	other[2].roles = ROLE_OBSERVER | ROLE_WITNESS;
	other[3].stake = 2;
	assert_int_equal(roster_key_parse(KEY_B, &other[4].key), 0);
	snprintf(other[5].name, sizeof(other[5].name), "lb2");
	roster_reputation_set(&other[6], 950);
	assert_int_equal(roster_add(&r, &plain, NULL), 0);
	assert_int_equal(roster_digest(&r, &first), 0);
	for (i = 0; i < 7; i++) {
		roster_free(&r);
		assert_int_equal(roster_add(&r, &other[i], NULL), 0);
		assert_int_equal(roster_digest(&r, &second), 0);
		assert_memory_not_equal(&first, &second, sizeof(first));
	}
	roster_free(&r);
}

static void a_full_reputation_is_as_if_there_were_none(void **state)
{
	struct roster_node a = node("lb1", KEY_A), b = node("lb2", KEY_B);
	struct roster_epoch plain, less, full;
	struct roster r = {0}, other = {0};

	(void)state;
	assert_int_equal(roster_add(&r, &a, NULL) | roster_add(&r, &b, NULL), 0);
	assert_int_equal(roster_digest(&r, &plain), 0);
	roster_reputation_set(&r.node[1], 250);
	assert_int_equal(roster_digest(&r, &less), 0);
	assert_memory_not_equal(&plain, &less, sizeof(plain));
	assert_int_equal(roster_add(&other, &b, NULL), 0);
	assert_false(roster_reputations_same(&r, &other));
	roster_reputations_take(&other, &r);
	assert_int_equal(roster_reputation(&other.node[0]), 250);
	assert_true(roster_reputations_same(&r, &other));
	roster_reputation_set(&r.node[1], ROSTER_REPUTATION_FULL);
	assert_int_equal(roster_digest(&r, &full), 0);
	assert_memory_equal(&plain, &full, sizeof(plain));
	assert_int_equal(roster_delete(&r, "lb2"), 0);
	roster_reputations_take(&other, &r); /* who is in no other begins anew */
	assert_int_equal(roster_reputation(&other.node[0]), ROSTER_REPUTATION_FULL);
	roster_free(&r);
	roster_free(&other);
}

static void nodes_are_found_by_name_and_by_id(void **state)
{
	struct roster_node a = node("lb1", KEY_A), b = node("lb2", KEY_B);
	struct roster r = {0};
	struct err err;

	(void)state;
	assert_int_equal(roster_add(&r, &a, NULL), 0);
	assert_int_equal(roster_add(&r, &a, &err), -EEXIST);
	assert_string_equal(err.text, "node lb1 is in the roster already");
	snprintf(a.name, sizeof(a.name), "lb9");
	assert_int_equal(roster_add(&r, &a, &err), -EINVAL);
	assert_string_equal(err.text, "node lb9: its key is that of lb1 already");
	assert_int_equal(roster_add(&r, &b, NULL), 0);
	assert_true(roster_find(&r, "lb2")->id == ID_B);
	assert_string_equal(roster_find_id(&r, ID_A)->name, "lb1");
	assert_null(roster_find(&r, "lb9"));
	assert_null(roster_find_id(&r, ID_A + 1));
	assert_int_equal(roster_delete(&r, "lb9"), -ENOENT);
	assert_int_equal(roster_delete(&r, "lb1"), 0);
	assert_null(roster_find_id(&r, ID_A));
	roster_free(&r);
}

static void a_full_roster_takes_nobody(void **state)
{
	struct roster_node n = node("lb1", KEY_A);
	struct roster r = {0};
	size_t i;

	(void)state;
	for (i = 0; i <= STARLING_ROSTER_NODES; i++) {
		snprintf(n.name, sizeof(n.name), "n%zu", i);
		memcpy(n.key.byte, &i, sizeof(i));
		assert_int_equal(roster_add(&r, &n, NULL), i == STARLING_ROSTER_NODES ? -ENOSPC : 0);
	}
	assert_int_equal(r.count, STARLING_ROSTER_NODES);
	for (i = 1; i < r.count; i++)
		assert_true(strcmp(r.node[i - 1].name, r.node[i].name) < 0);
	roster_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_has_one_text),
		cmocka_unit_test(the_digest_is_of_the_content_and_not_of_its_history),
		cmocka_unit_test(every_part_of_a_node_shows_in_the_digest),
		cmocka_unit_test(a_full_reputation_is_as_if_there_were_none),
		cmocka_unit_test(nodes_are_found_by_name_and_by_id),
		cmocka_unit_test(a_full_roster_takes_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
