// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A certificate in a file: what it proves, and what it does not. Not here: certificates themselves (verdict_rule_test),
 * a flock that makes one (tests/net/verdict.sh).
 */
#include <errno.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/config_file.h"
#include "daemon/health_state.h"
#include "signer.h"

#define NODES  4
#define BASE64 sodium_base64_VARIANT_ORIGINAL

struct desk {
	struct signer signer[NODES];
	struct buf lines; /* of the file, without its certificate */
	struct config *wanted;
};

static void desk_close(struct desk *d)
{
	config_free(d->wanted);
	d->wanted = NULL;
	buf_free(&d->lines);
}

/* @sites: of each node. @check: what follows `health set web`. */
static void desk_open(struct desk *d, const char *const sites[NODES], const char *check)
{
	struct err_list errors = {0};
	char key[ROSTER_KEY_TEXT_BYTES];

	memset(d, 0, sizeof(*d));
	for (__u32 i = 0; i < NODES; i++) {
		signer_real(&d->signer[i], 1 + i);
		buf_printf(&d->lines, "roster add n%u %s site %s\n", i, roster_key_format(&d->signer[i].key, key),
			   sites[i]);
	}
	buf_printf(&d->lines,
		   "vip add web tcp/203.0.113.10:80\nhealth set web %s\nbackend add web 192.0.2.101:80 weight 1\n",
		   check);
	if (config_parse_agreed(buf_text(&d->lines), d->lines.len, "file", &d->wanted, &errors))
		fail_msg("%s", errors.err[0].text);
	err_list_free(&errors);
}

/* A certificate that nodes @first and following have signed. Return: what verifying it says. */
static int verified(struct desk *d, const struct verdict_rule *rule, __u32 first, __u32 count, struct err *err)
{
	struct verdict_certificate c = {.state = VERDICT_DOWN, .rule = *rule, .votes = count};
	char base64[sodium_base64_ENCODED_LEN(VERDICT_CERTIFICATE_BYTES, BASE64)];
	__u8 bytes[VERDICT_CERTIFICATE_BYTES];
	struct buf text = BUF_INIT, says = BUF_INIT;
	int rc, len;

	c.target =
		health_target_id(d->wanted->vip[0].check, &d->wanted->vip[0].backend[0].at, &d->signer[0].signing, &rc);
	assert_int_equal(rc, 0);
	assert_int_equal(roster_digest(&d->wanted->roster, &c.epoch), 0);
	for (__u32 i = 0; i < count; i++) {
		c.vote[i] = (struct verdict_vote){.target = c.target,
						  .voter = d->signer[first + i].id,
						  .epoch = c.epoch,
						  .number = {1, 2, 3},
						  .state = VERDICT_DOWN,
						  .evidence = VERDICT_TIMEOUT};
		assert_int_equal(verdict_vote_sign(&c.vote[i], &d->signer[first + i].signing), 0);
	}
	len = verdict_certificate_encode(&c, bytes, sizeof(bytes));
	assert_true(len > 0);
	buf_printf(&text, "%s# certificate %s\n", buf_text(&d->lines),
		   sodium_bin2base64(base64, sizeof(base64), bytes, (size_t)len, BASE64));
	memset(err, 0, sizeof(*err));
	rc = health_verify(d->wanted, buf_text(&text), text.len, &d->signer[0].signing, &says, err);
	if (!rc)
		assert_non_null(strstr(buf_text(&says), "192.0.2.101:80 is down"));
	buf_free(&text);
	buf_free(&says);
	return rc;
}

static const char *const one_site[NODES] = {"a", "a", "a", "a"}, *const two_sites[NODES] = {"a", "b", "b", "b"};

static void enough_votes_prove_it_and_fewer_do_not(void **state)
{
	const struct verdict_rule rule = {VERDICT_MODE_VOTE, 1, "a"};
	struct desk d;
	struct err err;

	(void)state;
	desk_open(&d, one_site, "tcp");
	if (verified(&d, &rule, 0, 3, &err))
		fail_msg("%s", err.text);
	assert_int_equal(verified(&d, &rule, 0, 2, &err), -ENODATA);
	desk_close(&d);
}

static void another_rule_than_the_checks_proves_nothing(void **state)
{
	const struct verdict_rule any = {VERDICT_MODE_ANY, 1, "a"}, site = {VERDICT_MODE_VOTE, 1, "a"},
				  flock = {VERDICT_MODE_VOTE, 1, ""};
	struct desk d;
	struct err err;

	(void)state;
	desk_open(&d, one_site, "tcp");
	assert_int_equal(verified(&d, &any, 0, 1, &err), -EINVAL);
	assert_non_null(strstr(err.text, "another rule"));
	desk_close(&d);
	/* the only node of a site may speak for it, and for nobody else */
	desk_open(&d, two_sites, "tcp");
	assert_int_equal(verified(&d, &site, 0, 1, &err), 0);
	desk_close(&d);
	desk_open(&d, two_sites, "tcp scope flock");
	assert_int_equal(verified(&d, &site, 0, 1, &err), -EINVAL);
	assert_non_null(strstr(err.text, "nodes of a site"));
	assert_int_equal(verified(&d, &flock, 0, 3, &err), 0);
	desk_close(&d);
}

static void a_file_without_one_is_refused(void **state)
{
	static const char *const texts[] = {"", "# certificate ", "# certificate %%%\n", "# certificate AAAA"};
	struct buf says = BUF_INIT;
	struct desk d;
	struct err err;

	(void)state;
	desk_open(&d, one_site, "tcp");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		memset(&err, 0, sizeof(err));
		assert_int_not_equal(
			health_verify(d.wanted, texts[i], strlen(texts[i]), &d.signer[0].signing, &says, &err), 0);
		assert_true(err.text[0]);
	}
	buf_free(&says);
	desk_close(&d);
}

/* Nor is it the same with another address of the VIP's. */
static void a_target_through_the_tunnel_is_another_one(void **state)
{
	static const char *const sites[NODES] = {"a", "a", "a", "a"};
	static const char *const check[] = {"tcp", "tcp via tunnel", "tcp via tunnel"};
	__u64 id[3];
	int rc;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct desk d;

		desk_open(&d, sites, check[i]);
		if (i == 2)
			d.wanted->vip[0].check->to.addr.byte[15]++;
		id[i] = health_target_id(d.wanted->vip[0].check, &d.wanted->vip[0].backend[0].at, &d.signer[0].signing,
					 &rc);
		assert_int_equal(rc, 0);
		desk_close(&d);
	}
	assert_true(id[0] != id[1] && id[1] != id[2] && id[0] != id[2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enough_votes_prove_it_and_fewer_do_not),
		cmocka_unit_test(another_rule_than_the_checks_proves_nothing),
		cmocka_unit_test(a_file_without_one_is_refused),
		cmocka_unit_test(a_target_through_the_tunnel_is_another_one),
	};

	return cmocka_run_group_tests_name("health_verify", tests, NULL, NULL);
}
