// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes as a message: what is one comes back from its own bytes. Not here: what nodes do with it (page_fuzz.c).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/message_wire.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static __u8 bytes[65536];
	struct message m, back;
	int n;

	if (len > sizeof(bytes) / 2 || message_decode(data, len, &m))
		return 0;
	n = message_encode(&m, bytes, sizeof(bytes));
	if (n < 0 || message_decode(bytes, (size_t)n, &back) || back.kind != m.kind || back.updates != m.updates ||
	    memcmp(back.update, m.update, m.updates * sizeof(m.update[0])) != 0 || back.pages != m.pages ||
	    back.sums != m.sums || memcmp(back.sum, m.sum, m.sums * sizeof(m.sum[0])) != 0)
		abort();
	for (size_t i = 0; i < m.pages; i++)
		if (back.page[i].len != m.page[i].len ||
		    memcmp(back.page[i].bytes, m.page[i].bytes, m.page[i].len) != 0)
			abort();
	return 0;
}
