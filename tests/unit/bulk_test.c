// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The sealed stream between two ends in memory: whole, in pieces, changed, cut, repeated, and as a bomb. Not here:
 * connections (tests/net/bulk.sh), any bytes (bulk_fuzz).
 */
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <zlib.h>

#include "io/bulk.h"

#define RING 77

struct end {
	struct bulk *bulk;
	__u8 out[1 << 20];
	size_t len;
	size_t readies, frames, bytes;
	__u8 type, last[BULK_FRAME_BYTES];
	int refuse;
	__u64 known; /* whom it has keys with */
	__u8 secret;
};

static struct end caller, called;

static void on_write(void *arg, const void *bytes, size_t len)
{
	struct end *e = arg;

	assert_true(e->len + len <= sizeof(e->out));
	memcpy(e->out + e->len, bytes, len);
	e->len += len;
}

static int on_keys(void *arg, __u64 peer, __u32 ring, __u8 to[SEAL_KEY_BYTES], __u8 from[SEAL_KEY_BYTES])
{
	struct end *e = arg;

	if (peer != e->known)
		return -ENOENT;
	if (ring != RING)
		return -ENOKEY;
	memset(to, e->secret + (e == &caller), SEAL_KEY_BYTES);
	memset(from, e->secret + (e != &caller), SEAL_KEY_BYTES);
	return 0;
}

static void on_ready(void *arg)
{
	((struct end *)arg)->readies++;
}

static int on_frame(void *arg, __u8 type, const void *bytes, size_t len)
{
	struct end *e = arg;

	e->frames++;
	e->type = type;
	e->bytes = len;
	memcpy(e->last, bytes, len);
	return e->refuse;
}

static void end_begin(struct end *e, __u64 self, __u64 peer)
{
	struct bulk_hooks hooks = {e, on_write, on_keys, on_ready, on_frame};

	memset(e, 0, sizeof(*e));
	e->known = self == 1 ? 2 : 1;
	e->secret = 5;
	e->bulk = bulk_new(self, peer, RING, &hooks);
	assert_non_null(e->bulk);
}

static int setup(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	end_begin(&caller, 1, 2);
	end_begin(&called, 2, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bulk_free(caller.bulk);
	bulk_free(called.bulk);
	return 0;
}

/* What one has said so far goes to the other. */
static int pass(struct end *from, struct end *to)
{
	int rc = bulk_receive(to->bulk, from->out, from->len);

	from->len = 0;
	return rc;
}

static void meet(void)
{
	assert_int_equal(pass(&caller, &called), -1);
	assert_int_equal(pass(&called, &caller), -1);
	assert_int_equal(caller.readies, 1);
	assert_int_equal(called.readies, 0);
}

static void frames_arrive_in_order_both_ways(void **state)
{
	static __u8 much[BULK_FRAME_BYTES];

	(void)state;
	assert_int_equal(bulk_send(caller.bulk, 1, "early", 5), -EINVAL);
	meet();
	assert_int_equal(bulk_send(caller.bulk, 7, "first", 5), 0);
	assert_int_equal(bulk_send(caller.bulk, 8, NULL, 0), 0);
	assert_int_equal(pass(&caller, &called), -1);
	assert_true(called.frames == 2 && called.type == 8 && !called.bytes);
	randombytes_buf(much, sizeof(much));
	assert_int_equal(bulk_send(called.bulk, 9, much, sizeof(much)), 0);
	assert_int_equal(bulk_send(called.bulk, 9, much, sizeof(much) + 1), -EINVAL);
	assert_int_equal(pass(&called, &caller), -1);
	assert_true(caller.frames == 1 && caller.bytes == sizeof(much));
	assert_memory_equal(caller.last, much, sizeof(much));
	assert_int_equal(bulk_peer(called.bulk), 1);
}

static void what_repeats_itself_is_deflated(void **state)
{
	static __u8 zeros[BULK_FRAME_BYTES];

	(void)state;
	meet();
	assert_int_equal(bulk_send(caller.bulk, 1, zeros, sizeof(zeros)), 0);
	assert_in_range(caller.len, 1, 1000);
	assert_int_equal(pass(&caller, &called), -1);
	assert_int_equal(called.bytes, sizeof(zeros));
}

static void bytes_may_come_one_by_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < caller.len; i++)
		assert_int_equal(bulk_receive(called.bulk, caller.out + i, 1), -1);
	caller.len = 0;
	for (size_t i = 0; i < called.len; i++)
		assert_int_equal(bulk_receive(caller.bulk, called.out + i, 1), -1);
	assert_int_equal(bulk_send(caller.bulk, 3, "text", 4), 0);
	for (size_t i = 0; i < caller.len; i++)
		assert_int_equal(bulk_receive(called.bulk, caller.out + i, 1), -1);
	assert_int_equal(called.frames, 1);
	assert_memory_equal(called.last, "text", 4);
}

/* Each byte of a stream in turn; nothing of it is heard behind the change. */
static void no_changed_byte_is_taken(void **state)
{
	static __u8 good[4096];
	size_t len, hello;

	meet();
	bulk_send(caller.bulk, 1, "one", 3);
	len = caller.len;
	teardown(state);
	for (size_t i = 0; i < len + BULK_HELLO_BYTES + 24; i++) {
		int why;

		setup(state);
		hello = caller.len;
		memcpy(good, caller.out, hello);
		if (i < hello) {
			good[i] ^= 1;
			why = bulk_receive(called.bulk, good, hello);
			caller.len = 0;
			if (why < 0)
				why = pass(&called, &caller); /* another random number: other keys */
			if (why < 0) {
				bulk_send(caller.bulk, 1, "one", 3);
				why = pass(&caller, &called);
			}
		} else {
			meet();
			bulk_send(caller.bulk, 1, "one", 3);
			caller.out[(i - hello) % caller.len] ^= 1;
			why = pass(&caller, &called);
		}
		assert_true(why >= 0 || called.frames == 0);
		assert_int_equal(called.frames, 0);
		teardown(state);
	}
	setup(state);
}

static void no_frame_is_taken_twice_nor_left_out(void **state)
{
	static __u8 frame[256];
	size_t len;

	meet();
	pass(&caller, &called); /* the header of secretstream */
	bulk_send(caller.bulk, 1, "x", 1);
	len = caller.len;
	memcpy(frame, caller.out, len);
	assert_int_equal(pass(&caller, &called), -1);
	assert_int_equal(bulk_receive(called.bulk, frame, len), BULK_FORGED);
	bulk_send(caller.bulk, 1, "y", 1);
	assert_int_equal(pass(&caller, &called), -1); /* nothing more is read */
	assert_int_equal(called.frames, 1);
	teardown(state);
	setup(state);
	meet();
	pass(&caller, &called);
	bulk_send(caller.bulk, 1, "x", 1);
	caller.len = 0;
	bulk_send(caller.bulk, 1, "y", 1);
	assert_int_equal(pass(&caller, &called), BULK_FORGED);
	assert_int_equal(called.frames, 0);
}

static void a_recorded_stream_is_of_no_use(void **state)
{
	static __u8 record[8192];
	size_t len = caller.len;

	memcpy(record, caller.out, len);
	meet();
	bulk_send(caller.bulk, 1, "text", 4);
	memcpy(record + len, caller.out, caller.len);
	len += caller.len;
	teardown(state);
	setup(state);
	assert_int_equal(bulk_receive(called.bulk, record, len), BULK_FORGED);
	assert_int_equal(called.frames, 0);
}

static void strangers_and_other_keys_are_told_apart(void **state)
{
	(void)state;
	called.known = 9;
	assert_int_equal(pass(&caller, &called), BULK_STRANGER);
	assert_int_equal(called.len, 0);
	teardown(state);
	setup(state);
	bulk_free(caller.bulk);
	caller.bulk = bulk_new(1, 3, RING, &(struct bulk_hooks){&caller, on_write, on_keys, on_ready, on_frame});
	assert_int_equal(bulk_receive(called.bulk, caller.out + BULK_HELLO_BYTES, BULK_HELLO_BYTES), BULK_STRANGER);
	teardown(state);
	setup(state);
	caller.out[4] ^= 1;
	assert_int_equal(pass(&caller, &called), BULK_KEY);
	teardown(state);
	setup(state);
	caller.secret = 6;
	assert_int_equal(pass(&caller, &called), -1);
	assert_int_equal(pass(&called, &caller), -1);
	bulk_send(caller.bulk, 1, "x", 1);
	assert_int_equal(pass(&caller, &called), BULK_FORGED);
}

static void what_a_peer_refuses_ends_the_stream(void **state)
{
	(void)state;
	meet();
	called.refuse = -EBADMSG;
	bulk_send(caller.bulk, 1, "x", 1);
	bulk_send(caller.bulk, 1, "y", 1);
	assert_int_equal(pass(&caller, &called), BULK_MALFORMED);
	assert_int_equal(called.frames, 1);
}

/* A member seals a frame by hand: keys of the stream as bulk.h says them. */
static void bomb_send(size_t inflated)
{
	static __u8 deflated[1 << 17], plain[2 + (1 << 16)], sealed[1 << 17];
	crypto_secretstream_xchacha20poly1305_state out;
	__u8 key[SEAL_KEY_BYTES], random[2][32], header[24];
	crypto_generichash_state hash;
	uLongf len = sizeof(deflated);
	__u8 *zeros = calloc(1, inflated);
	struct end_hello {
		__u8 head[32], random[32];
	} hello;
	__le32 le;

	assert_non_null(zeros);
	assert_int_equal(compress2(deflated, &len, zeros, inflated, 9), Z_OK);
	free(zeros);
	assert_in_range(len, 1, sizeof(plain) - 2);
	plain[0] = plain[1] = 1;
	memcpy(plain + 2, deflated, len);
	memcpy(&hello, caller.out, sizeof(hello));
	memcpy(random[0], hello.random, 32);
	assert_int_equal(pass(&caller, &called), -1);
	memcpy(&hello, called.out, sizeof(hello));
	memcpy(random[1], hello.random, 32);
	memset(key, caller.secret + 1, sizeof(key));
	crypto_generichash_init(&hash, key, sizeof(key), sizeof(key));
	crypto_generichash_update(&hash, (const __u8 *)"SST1", 4);
	crypto_generichash_update(&hash, random[0], 32);
	crypto_generichash_update(&hash, random[1], 32);
	crypto_generichash_final(&hash, key, sizeof(key));
	crypto_secretstream_xchacha20poly1305_init_push(&out, header, key);
	assert_int_equal(bulk_receive(called.bulk, header, sizeof(header)), -1);
	crypto_secretstream_xchacha20poly1305_push(&out, sealed, NULL, plain, 2 + len, NULL, 0, 0);
	le = htole32((__u32)(2 + len + 17));
	assert_int_equal(bulk_receive(called.bulk, &le, sizeof(le)), -1);
	caller.refuse = bulk_receive(called.bulk, sealed, 2 + len + 17);
}

static void a_bomb_stops_at_the_cap(void **state)
{
	(void)state;
	bomb_send(BULK_FRAME_BYTES);
	assert_int_equal(caller.refuse, -1);
	assert_int_equal(called.bytes, BULK_FRAME_BYTES);
	teardown(state);
	setup(state);
	bomb_send(32u << 20);
	assert_int_equal(caller.refuse, BULK_BOMB);
	assert_int_equal(called.frames, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_arrive_in_order_both_ways),
		TEST(what_repeats_itself_is_deflated),
		TEST(bytes_may_come_one_by_one),
		TEST(no_changed_byte_is_taken),
		TEST(no_frame_is_taken_twice_nor_left_out),
		TEST(a_recorded_stream_is_of_no_use),
		TEST(strangers_and_other_keys_are_told_apart),
		TEST(what_a_peer_refuses_ends_the_stream),
		TEST(a_bomb_stops_at_the_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
