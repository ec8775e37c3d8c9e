// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What an audit log says of many changes at once in one line. Not here: who notes them (daemon/health.c), lines
 * (audit_test).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/audit.h"
#include "core/audit_rest.h"
#include "signer.h"

#define CHANGES 240

static void hash_make(__u32 number, __u8 ret[HASH_BYTES])
{
	struct signer s;

	signer_ideal(&s, 1);
	s.signing.hash(s.signing.arg, &number, sizeof(number), ret);
}

/* Of changes @from.., each up if it is a fourth, in steps of @step modulo CHANGES; owned by the caller. */
static char *line_of(__u32 from, __u32 step, __u32 forged)
{
	struct audit_rest *rest = calloc(1, sizeof(*rest));
	struct buf text = BUF_INIT;
	__u8 hash[HASH_BYTES];
	struct signer s;

	assert_non_null(rest);
	signer_real(&s, 1);
	for (__u32 i = 0; i < CHANGES; i++) {
		__u32 number = (from + i * step) % CHANGES;

		hash_make(number == forged ? CHANGES + number : number, hash);
		assert_false(audit_rest_add(rest, number % 4 == 0, hash));
	}
	assert_true(audit_rest_take(rest, &s.signing, &text));
	assert_false(audit_rest_take(rest, &s.signing, &text));
	free(rest);
	return buf_take(&text, NULL);
}

static void a_line_for_many_binds_each_certificate_in_whatever_order_they_came(void **state)
{
	char *one = line_of(0, 1, CHANGES), *other = line_of(17, 7, CHANGES), *forged = line_of(0, 1, 93);
	static const char counts[] = "and by votes 180 more are down, 60 up: certificates ";

	(void)state;
	assert_string_equal(one, other);
	assert_memory_equal(one, counts, strlen(counts));
	assert_memory_equal(forged, counts, strlen(counts));
	assert_string_not_equal(one, forged);
	free(one);
	free(other);
	free(forged);
}

/* The definition, done by hand. */
static void its_hash_is_that_of_the_certificates_hashes(void **state)
{
	struct audit_rest *rest = calloc(1, sizeof(*rest));
	__u8 both[2][HASH_BYTES], all[HASH_BYTES];
	struct buf text = BUF_INIT, wanted = BUF_INIT;
	struct signer s;

	(void)state;
	assert_non_null(rest);
	signer_real(&s, 1);
	memset(both[0], 0x11, HASH_BYTES);
	memset(both[1], 0xee, HASH_BYTES);
	s.signing.hash(s.signing.arg, both, sizeof(both), all);
	audit_rest_add(rest, false, both[1]);
	audit_rest_add(rest, false, both[0]);
	buf_puts(&wanted, "and by votes 2 more are down, 0 up: certificates ");
	audit_hash_format(all, &wanted);
	assert_true(audit_rest_take(rest, &s.signing, &text));
	assert_string_equal(buf_text(&text), buf_text(&wanted));
	buf_free(&text);
	buf_free(&wanted);
	free(rest);
}

static void the_last_one_that_has_room_says_so(void **state)
{
	struct audit_rest *rest = calloc(1, sizeof(*rest));
	struct buf text = BUF_INIT;
	__u8 hash[HASH_BYTES];
	struct signer s;

	(void)state;
	assert_non_null(rest);
	signer_ideal(&s, 1);
	for (__u32 i = 1; i <= AUDIT_REST_MAX; i++) {
		hash_make(i, hash);
		assert_int_equal(audit_rest_add(rest, true, hash), i == AUDIT_REST_MAX);
	}
	assert_true(audit_rest_take(rest, &s.signing, &text));
	assert_non_null(strstr(buf_text(&text), "0 more are down, 1024 up"));
	buf_free(&text);
	free(rest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_for_many_binds_each_certificate_in_whatever_order_they_came),
		cmocka_unit_test(its_hash_is_that_of_the_certificates_hashes),
		cmocka_unit_test(the_last_one_that_has_room_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
