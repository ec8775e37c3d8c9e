// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes at both ends of the sealed stream: in place of a hello, behind it, as a change of what was sealed, and
 * sealed by a member. Nothing that was changed is heard; what is sealed arrives as it was. Not here: connections.
 */
#include <errno.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/bulk.h"
#include "fuzz.h"

static struct end {
	struct bulk *bulk;
	__u8 out[1 << 18];
	size_t len, frames, bytes;
	__u8 last[BULK_FRAME_BYTES];
} end[2];

static __u8 secret[2][SEAL_KEY_BYTES];

static void on_write(void *arg, const void *bytes, size_t len)
{
	struct end *e = arg;

	REQUIRE(e->len + len <= sizeof(e->out));
	memcpy(e->out + e->len, bytes, len);
	e->len += len;
}

static int on_keys(void *arg, __u64 peer, __u32 ring, __u8 to[SEAL_KEY_BYTES], __u8 from[SEAL_KEY_BYTES])
{
	if (ring != 7)
		return -ENOKEY;
	if (peer != 1 && peer != 2)
		return -ENOENT;
	memcpy(to, secret[arg == &end[1]], SEAL_KEY_BYTES);
	memcpy(from, secret[arg != &end[1]], SEAL_KEY_BYTES);
	return 0;
}

static void on_ready(void *arg)
{
	(void)arg;
}

static int on_frame(void *arg, __u8 type, const void *bytes, size_t len)
{
	struct end *e = arg;

	(void)type;
	REQUIRE(len <= BULK_FRAME_BYTES);
	e->frames++;
	e->bytes = len;
	memcpy(e->last, bytes, len);
	return 0;
}

static void end_begin(size_t i)
{
	struct bulk_hooks hooks = {&end[i], on_write, on_keys, on_ready, on_frame};

	end[i].len = end[i].frames = 0;
	end[i].bulk = bulk_new(i + 1, i ? 0 : 2, 7, &hooks);
	REQUIRE(end[i].bulk);
}

static int pass(size_t from, size_t to)
{
	int why = bulk_receive(end[to].bulk, end[from].out, end[from].len);

	end[from].len = 0;
	return why;
}

static void run(const uint8_t *data, size_t len)
{
	size_t at = (size_t)data[1] << 8 | data[2], i;
	bool same = true;

	if (data[0] % 4 == 0) { /* in place of a hello */
		bulk_receive(end[data[1] % 2].bulk, data + 3, len - 3);
		REQUIRE(!end[0].frames && !end[1].frames);
		return;
	}
	REQUIRE(pass(0, 1) < 0);
	REQUIRE(pass(1, 0) < 0);
	if (data[0] % 4 == 1) { /* behind it */
		bulk_receive(end[data[1] % 2].bulk, data + 3, len - 3);
		REQUIRE(!end[0].frames && !end[1].frames);
		return;
	}
	if (len - 3 > BULK_FRAME_BYTES)
		return;
	REQUIRE(!bulk_send(end[0].bulk, 1, data + 3, len - 3));
	if (data[0] % 4 == 2) {				  /* changed */
		for (i = 0; i < len - 3 && i < 40; i++) { /* fewer than there are: none is changed twice */
			same &= !data[3 + i];
			end[0].out[(at + i) % end[0].len] ^= data[3 + i];
		}
		pass(0, 1);
		REQUIRE(same == (end[1].frames == 1));
		return;
	}
	for (i = 0; i < end[0].len; i += 1 + at % 977)
		REQUIRE(bulk_receive(end[1].bulk, end[0].out + i,
				     end[0].len - i < 1 + at % 977 ? end[0].len - i : 1 + at % 977) < 0);
	REQUIRE(end[1].frames == 1 && end[1].bytes == len - 3 && !memcmp(end[1].last, data + 3, len - 3));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len < 3)
		return 0;
	if (sodium_init() < 0)
		abort();
	randombytes_buf(secret, sizeof(secret)); /* or the fuzzer learns what is sealed with them */
	end_begin(0);
	end_begin(1);
	run(data, len);
	bulk_free(end[0].bulk);
	bulk_free(end[1].bulk);
	return 0;
}
