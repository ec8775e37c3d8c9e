// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Questions and answers of probes. Not here: what a result counts for (check.c).
 */
#include "core/check_answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define STATUS_GOOD_FIRST 200
#define STATUS_GOOD_LAST  299

bool check_status_good(const struct check_config *c, long status)
{
	if (!c->status_count)
		return status >= STATUS_GOOD_FIRST && status <= STATUS_GOOD_LAST;
	for (__u32 i = 0; i < c->status_count; i++)
		if (status >= c->status[i].first && status <= c->status[i].last)
			return true;
	return false;
}

bool check_answer_has(const void *bytes, size_t len, const char *text)
{
	__u8 wanted[CHECK_TEXT_BYTES];
	int count = check_bytes(text, wanted);

	return !count || (count > 0 && len && memmem(bytes, len, wanted, (size_t)count));
}

/* --- agents --- */

bool agent_line_ends(const char *bytes, size_t len)
{
	return memchr(bytes, '\n', len) || memchr(bytes, '\r', len);
}

static const struct {
	const char *word;
	enum agent_admin admin;
	enum agent_health health;
} agent_words[] = {
	{"ready", AGENT_READY, AGENT_SILENT}, {"drain", AGENT_DRAIN, AGENT_SILENT},
	{"maint", AGENT_MAINT, AGENT_SILENT}, {"up", AGENT_UNSAID, AGENT_UP},
	{"down", AGENT_UNSAID, AGENT_DOWN},   {"fail", AGENT_UNSAID, AGENT_DOWN},
	{"failed", AGENT_UNSAID, AGENT_DOWN}, {"stopped", AGENT_UNSAID, AGENT_DOWN},
};
#define AGENT_WORDS	(sizeof(agent_words) / sizeof(agent_words[0]))
#define AGENT_WORD_MAX	32
#define AGENT_DIGITS	9 /* a number of so many fits */
#define AGENT_SEPARATOR " \t,"

/* All digits of @text up to @end. */
static bool agent_number(const char *text, const char *end, __u32 *ret)
{
	__u32 value = 0;

	if (text == end || end - text > AGENT_DIGITS)
		return false;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (__u32)(*text - '0');
	}
	*ret = value;
	return true;
}

static bool agent_word(const char *word, struct agent_say *say)
{
	static const char maxconn[] = "maxconn:";
	const char *end = word + strlen(word);

	for (size_t i = 0; i < AGENT_WORDS; i++) {
		if (strcmp(agent_words[i].word, word) != 0)
			continue;
		if (agent_words[i].admin != AGENT_UNSAID)
			say->admin = agent_words[i].admin;
		if (agent_words[i].health != AGENT_SILENT)
			say->health = agent_words[i].health;
		return true;
	}
	if (end[-1] == '%')
		return say->has_percent = agent_number(word, end - 1, &say->percent) && say->percent <= 100;
	if (!strncmp(word, maxconn, strlen(maxconn)))
		return say->has_maxconn = agent_number(word + strlen(maxconn), end, &say->maxconn);
	return false;
}

int agent_parse(const char *bytes, size_t len, struct agent_say *ret)
{
	struct agent_say say = {0};
	char word[AGENT_WORD_MAX];
	size_t at = 0, used;

	while (at < len && bytes[at] && !strchr("\r\n", bytes[at])) {
		if (bytes[at] == '#') {
			for (used = 0, at++; at < len && used < sizeof(say.why) - 1 && bytes[at] >= ' '; at++)
				say.why[used++] = bytes[at] > '~' ? '?' : bytes[at];
			break;
		}
		for (used = 0; at < len && bytes[at] > ' ' && !strchr(AGENT_SEPARATOR "#", bytes[at]); at++) {
			if (used == sizeof(word) - 1)
				return -EBADMSG;
			word[used++] = bytes[at];
		}
		word[used] = '\0';
		if (used && !agent_word(word, &say))
			return -EBADMSG;
		if (!used && !strchr(AGENT_SEPARATOR, bytes[at]))
			return -EBADMSG;
		at += at < len && strchr(AGENT_SEPARATOR, bytes[at]) && bytes[at];
	}
	*ret = say;
	return 0;
}

/* --- DNS --- */

#define DNS_HEADER    12
#define DNS_RECORD    10 /* behind the name: type, class, TTL, length */
#define DNS_QUESTION  4	 /* behind the name: type, class */
#define DNS_CLASS_IN  1
#define DNS_RECORDS   256 /* of an answer that are looked at */
#define DNS_RESPONSE  0x8000
#define DNS_OPCODE    0x7800
#define DNS_RECURSION 0x0100
#define DNS_RCODE     0x000f

static size_t put16(__u8 *at, __u32 value)
{
	at[0] = (__u8)(value >> 8);
	at[1] = (__u8)value;
	return 2;
}

static __u32 get16(const __u8 *at)
{
	return (__u32)at[0] << 8 | at[1];
}

size_t dns_query(const struct check_config *c, __u16 id, __u8 ret[CHECK_QUERY_BYTES])
{
	const char *label = c->name;
	size_t at = DNS_HEADER, len;

	memset(ret, 0, CHECK_QUERY_BYTES);
	put16(ret, id);
	put16(ret + 2, DNS_RECURSION);
	put16(ret + 4, 1); /* one question */
	while (*label && strcmp(label, ".") != 0) {
		len = strcspn(label, ".");
		ret[at++] = (__u8)len;
		memcpy(ret + at, label, len);
		at += len;
		label += len + (label[len] == '.');
	}
	ret[at++] = 0;
	at += put16(ret + at, c->dns_type);
	at += put16(ret + at, DNS_CLASS_IN);
	return at;
}

/* Behind the name at @at; 0 if it does not end. A pointer ends it. */
static size_t name_end(const __u8 *bytes, size_t len, size_t at)
{
	while (at < len) {
		if (!bytes[at])
			return at + 1;
		if ((bytes[at] & 0xc0) == 0xc0)
			return at + 2;
		at += bytes[at] + 1u;
	}
	return 0;
}

static enum dns_answer dns_bad(char say[CHECK_SAY_BYTES], const char *what)
{
	snprintf(say, CHECK_SAY_BYTES, "%s", what);
	return DNS_BAD;
}

/* Records behind the question. */
static enum dns_answer dns_records(const struct check_config *c, const __u8 *bytes, size_t len, size_t at,
				   char say[CHECK_SAY_BYTES])
{
	__u32 records = get16(bytes + 6);

	for (__u32 i = 0; i < records && i < DNS_RECORDS; i++) {
		at = name_end(bytes, len, at);
		if (!at || at > len || len - at < DNS_RECORD || len - at - DNS_RECORD < get16(bytes + at + 8))
			return dns_bad(say, "the answer is cut off");
		if (get16(bytes + at) == c->dns_type && get16(bytes + at + 2) == DNS_CLASS_IN)
			return DNS_GOOD;
		at += DNS_RECORD + get16(bytes + at + 8);
	}
	return dns_bad(say, "no such record");
}

enum dns_answer dns_answer(const struct check_config *c, const __u8 *query, size_t query_len, const __u8 *bytes,
			   size_t len, char ret_say[CHECK_SAY_BYTES])
{
	static const char *const codes[] = {"",		"FORMERR", "SERVFAIL",
					    "NXDOMAIN", "NOTIMP",  "REFUSED"}; /* RFC 1035 section 4.1.1 */
	size_t question = query_len - DNS_HEADER;
	__u32 flags, code;

	if (len < DNS_HEADER || get16(bytes) != get16(query))
		return DNS_FOREIGN;
	flags = get16(bytes + 2);
	if (!(flags & DNS_RESPONSE) || flags & DNS_OPCODE)
		return DNS_FOREIGN;
	code = flags & DNS_RCODE;
	if (code && len == DNS_HEADER) /* some leave the question out then */
		return dns_bad(ret_say, code < sizeof(codes) / sizeof(codes[0]) ? codes[code] : "an error");
	if (get16(bytes + 4) != 1 || len < query_len)
		return DNS_FOREIGN;
	for (size_t i = 0; i < question; i++) {
		__u8 a = bytes[DNS_HEADER + i], b = query[DNS_HEADER + i];

		/* letters may come in another case; lengths are below them */
		if (a != b && !((a ^ b) == 0x20 && (a | 0x20) >= 'a' && (a | 0x20) <= 'z'))
			return DNS_FOREIGN;
	}
	if (code)
		return dns_bad(ret_say, code < sizeof(codes) / sizeof(codes[0]) ? codes[code] : "an error");
	return dns_records(c, bytes, len, query_len, ret_say);
}

/* --- ICMP --- */

#define ECHO_V4	      8
#define ECHO_REPLY_V4 0
#define ECHO_V6	      128
#define ECHO_REPLY_V6 129

/* RFC 1071 */
static __u32 sum16(const __u8 *bytes, size_t len)
{
	__u32 sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += get16(bytes + i);
	sum = (sum >> 16) + (sum & 0xffff);
	return ~(sum + (sum >> 16)) & 0xffff;
}

/* Identifier, sequence number and data are the token's. */
size_t echo_request(bool v6, __u64 token, __u8 ret[CHECK_ECHO_BYTES])
{
	memset(ret, 0, CHECK_ECHO_BYTES);
	ret[0] = v6 ? ECHO_V6 : ECHO_V4;
	memcpy(ret + 4, &token, 4);
	memcpy(ret + 8, &token, sizeof(token));
	if (!v6)
		put16(ret + 2, sum16(ret, CHECK_ECHO_BYTES));
	return CHECK_ECHO_BYTES;
}

bool echo_reply(bool v6, __u64 token, const __u8 *bytes, size_t len)
{
	size_t header = v6 || !len ? 0 : (bytes[0] & 0xfu) * 4u;

	if (len < header || len - header < CHECK_ECHO_BYTES)
		return false;
	bytes += header;
	return bytes[0] == (v6 ? ECHO_REPLY_V6 : ECHO_REPLY_V4) && !bytes[1] && !memcmp(bytes + 4, &token, 4) &&
	       !memcmp(bytes + 8, &token, sizeof(token));
}
