// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Secrets at rest: made, read again, torn, lost. Not here: what is sealed with them (channel_test.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/secrets.h"
#include "scratch.h"

#define PATH_BYTES 64

static int setup(void **state)
{
	char *dir = calloc(1, PATH_BYTES);

	assert_true(sodium_init() >= 0);
	assert_non_null(dir);
	scratch_make(dir, PATH_BYTES);
	*state = dir;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void identity_is_made_once_and_for_its_user_alone(void **state)
{
	struct identity a, b;
	struct err err = {0};
	char path[PATH_BYTES];
	struct stat st;
	bool made;

	assert_int_equal(identity_open(*state, &a, &made, &err), 0);
	assert_true(made);
	snprintf(path, sizeof(path), "%s/identity", (char *)*state);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(identity_open(*state, &b, &made, &err), 0);
	assert_false(made);
	assert_memory_equal(&a, &b, sizeof(a));
}

static void torn_identity_is_not_replaced_by_another(void **state)
{
	struct identity a;
	struct err err = {0};
	char path[PATH_BYTES];
	bool made;

	assert_int_equal(identity_open(*state, &a, &made, &err), 0);
	snprintf(path, sizeof(path), "%s/identity", (char *)*state);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(identity_open(*state, &a, &made, &err), -EBADMSG);
	assert_int_equal(identity_open(*state, &a, &made, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "identity.corrupt"));
	snprintf(path, sizeof(path), "%s/identity.corrupt", (char *)*state);
	unlink(path);
	assert_int_equal(identity_open(*state, &a, &made, &err), 0);
	assert_true(made);
}

static void identity_signs_what_others_verify(void **state)
{
	struct identity a;
	struct err err = {0};
	struct signing signing;
	__u8 signature[SIGNATURE_BYTES];
	bool made;

	assert_int_equal(identity_open(*state, &a, &made, &err), 0);
	signing = identity_signing(&a);
	assert_int_equal(signing.sign(signing.arg, "text", 4, signature), 0);
	assert_true(signing.verify(signing.arg, &a.key, "text", 4, signature));
	assert_false(signing.verify(signing.arg, &a.key, "test", 4, signature));
}

static void ring_is_kept_with_the_key_in_use(void **state)
{
	struct ring a = {0}, b;
	struct err err = {0};
	__u32 first, second;

	assert_int_equal(ring_load(*state, &b, &err), 0);
	assert_int_equal(b.count, 0);
	first = ring_make(&a);
	second = ring_make(&a);
	assert_int_equal(a.used, first);
	assert_int_equal(ring_use(&a, second), 0);
	assert_int_equal(ring_use(&a, first ^ 1), -ENOENT);
	assert_int_equal(ring_save(*state, &a, &err), 0);
	assert_int_equal(ring_load(*state, &b, &err), 0);
	assert_int_equal(b.count, 2);
	assert_int_equal(b.used, second);
	assert_memory_equal(ring_find(&b, first)->byte, ring_find(&a, first)->byte, RING_KEY_BYTES);
}

static void ring_holds_so_many_keys(void **state)
{
	struct ring a = {0}, b;
	struct err err = {0};

	for (size_t i = 0; i < RING_KEYS; i++)
		assert_int_not_equal(ring_make(&a), 0);
	assert_int_equal(ring_make(&a), 0);
	assert_int_equal(ring_save(*state, &a, &err), 0);
	assert_int_equal(ring_load(*state, &b, &err), 0);
	assert_int_equal(b.count, RING_KEYS);
}

static void signed_ring_is_kept_and_says_who_signed_it(void **state)
{
	struct ring a = {0}, b, c;
	struct identity author, other;
	struct err err = {0};
	__u8 bytes[RING_BYTES];
	bool made;

	assert_int_equal(identity_open(*state, &author, &made, &err), 0);
	other = author;
	crypto_sign_keypair(other.key.byte, other.secret);
	ring_make(&a);
	assert_int_equal(ring_sign(&a, &author), 0);
	assert_int_equal(a.number, 1);
	assert_int_equal(ring_save(*state, &a, &err), 0);
	assert_int_equal(ring_load(*state, &b, &err), 0);
	assert_int_equal(ring_compare(&a, &b), 0);
	assert_true(ring_signed(&b, &author.key));
	assert_false(ring_signed(&b, &other.key));
	ring_encode(&a, bytes);
	assert_int_equal(ring_decode(bytes, &c), 0);
	assert_memory_equal(&a, &c, sizeof(a));
	b.key[0].byte[0] ^= 1;
	assert_false(ring_signed(&b, &author.key));
	b = a;
	b.number++;
	assert_false(ring_signed(&b, &author.key));
	assert_true(ring_compare(&a, &b) < 0 && ring_compare(&b, &a) > 0);
	b.number = UINT64_MAX;
	assert_int_equal(ring_sign(&b, &author), -EOVERFLOW);
}

static void bytes_that_are_no_ring_are_refused(void **state)
{
	struct ring a = {0}, ret = {.number = 5};
	__u8 good[RING_BYTES], bad[RING_BYTES];

	(void)state;
	ring_make(&a);
	ring_encode(&a, good);
	for (size_t i = 16; i < 24; i++) { /* the key in use, and how many there are */
		memcpy(bad, good, sizeof(bad));
		bad[i] ^= 0x40;
		assert_int_equal(ring_decode(bad, &ret), -EBADMSG);
	}
	memcpy(bad, good, sizeof(bad));
	bad[24 + RING_KEY_BYTES] = 1; /* of a key that is not there */
	assert_int_equal(ring_decode(bad, &ret), -EBADMSG);
	assert_int_equal(ret.number, 5);
}

static void credential_comes_before_the_file(void **state)
{
	static const char text[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", bad[] = "AAAA\n";
	struct ring ring = {0};
	struct err err = {0};
	char path[PATH_BYTES];
	int fd;

	ring_make(&ring);
	assert_int_equal(ring_save(*state, &ring, &err), 0);
	snprintf(path, sizeof(path), "%s/starling.ring", (char *)*state);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	setenv("CREDENTIALS_DIRECTORY", *state, 1);
	assert_int_equal(ring_load(*state, &ring, &err), 0);
	assert_int_equal(ring.count, 1);
	assert_int_equal(ring.used, ring_key_id((const __u8[RING_KEY_BYTES]){0}));
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, bad, sizeof(bad) - 1, 0), sizeof(bad) - 1);
	assert_int_equal(ring_load(*state, &ring, &err), -EBADMSG);
	unsetenv("CREDENTIALS_DIRECTORY");
	close(fd);
}

static void seed_is_kept(void **state)
{
	__u32 a[SEED_WORDS], b[SEED_WORDS];
	struct err err = {0};

	randombytes_buf(a, sizeof(a));
	assert_int_equal(seed_load(*state, b, &err), -ENOENT);
	assert_int_equal(seed_save(*state, a, &err), 0);
	assert_int_equal(seed_load(*state, b, &err), 0);
	assert_memory_equal(a, b, sizeof(a));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(identity_is_made_once_and_for_its_user_alone),
		TEST(torn_identity_is_not_replaced_by_another),
		TEST(identity_signs_what_others_verify),
		TEST(ring_is_kept_with_the_key_in_use),
		TEST(ring_holds_so_many_keys),
		TEST(signed_ring_is_kept_and_says_who_signed_it),
		TEST(bytes_that_are_no_ring_are_refused),
		TEST(credential_comes_before_the_file),
		TEST(seed_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
