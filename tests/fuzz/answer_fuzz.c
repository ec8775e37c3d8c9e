// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes as what comes back to a probe: an agent's line, a DNS answer, an ICMP packet. Not here:
 * HTTP, which is libcurl's.
 */
#include <string.h>

#include "core/check_answer.h"
#include "fuzz.h"

static void agent_try(const char *bytes, size_t len)
{
	struct agent_say say;

	agent_line_ends(bytes, len);
	if (agent_parse(bytes, len, &say))
		return;
	REQUIRE(say.percent <= 100 && strlen(say.why) < sizeof(say.why));
	for (const char *c = say.why; *c; c++)
		REQUIRE(*c >= ' ' && *c <= '~');
}

/* The bytes as they are, and behind the question that they would have to begin with. */
static void dns_try(const uint8_t *data, size_t len)
{
	static const struct check_config check = {.kind = CHECK_DNS, .dns_type = 1, .name = "a.example.net"};
	__u8 query[CHECK_QUERY_BYTES], bytes[CHECK_QUERY_BYTES + 512];
	size_t query_len = dns_query(&check, 0x6162, query), more = len < 512 ? len : 512;
	char say[CHECK_SAY_BYTES] = "";

	REQUIRE(dns_answer(&check, query, query_len, data, len, say) != DNS_BAD || say[0]);
	memcpy(bytes, query, query_len);
	bytes[2] = 0x80;
	if (more) {
		bytes[3] = data[0] & 0x0f;
		bytes[7] = data[more - 1];
		memcpy(bytes + query_len, data, more);
	}
	say[0] = '\0';
	REQUIRE(dns_answer(&check, query, query_len, bytes, query_len + more, say) != DNS_BAD || say[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	agent_try((const char *)data, len);
	dns_try(data, len);
	echo_reply(false, 0x6162636465666768, data, len);
	echo_reply(true, 0x6162636465666768, data, len);
	return 0;
}
