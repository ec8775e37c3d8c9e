/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Questions of probes, and what answers to them mean. Pure; answers are any bytes. Not here: HTTP (libcurl), sending.
 */
#ifndef STARLING_CORE_CHECK_ANSWER_H
#define STARLING_CORE_CHECK_ANSWER_H

#include "core/check_config.h"

#define CHECK_SAY_BYTES	  96	      /* what is said of a result, with its NUL */
#define CHECK_BODY_BYTES  (64u << 10) /* of an answer that are looked at */
#define CHECK_QUERY_BYTES 272	      /* a DNS query with the longest name */
#define CHECK_ECHO_BYTES  16	      /* an ICMP echo request */

bool check_status_good(const struct check_config *c, long status);

/* Whether the bytes that @text means (check_bytes()) are in an answer; those of "" are. */
bool check_answer_has(const void *bytes, size_t len, const char *text);

/* --- HAProxy's agent-check: one line --- */

enum agent_admin { AGENT_UNSAID, AGENT_READY, AGENT_DRAIN, AGENT_MAINT };
enum agent_health { AGENT_SILENT, AGENT_UP, AGENT_DOWN };

/* What is not mentioned is as before. */
struct agent_say {
	enum agent_admin admin;
	enum agent_health health;
	bool has_percent, has_maxconn;
	__u32 percent; /* 0 to 100, of the weight */
	__u32 maxconn;
	char why[CHECK_SAY_BYTES]; /* behind '#'; printable */
};

/* Whether the line is there: its end is CR or LF. */
bool agent_line_ends(const char *bytes, size_t len);

/**
 * agent_parse() - a line of an agent
 * @bytes:	up to CR, LF or @len; words are split by blanks, tabs and commas
 *
 * Return: 0, or -EBADMSG: there is a word that means nothing.
 */
int agent_parse(const char *bytes, size_t len, struct agent_say *ret);

/* --- DNS (RFC 1035) --- */

enum dns_answer { DNS_GOOD, DNS_BAD, DNS_FOREIGN };

/* A query for the check's name and type. Return: bytes. */
size_t dns_query(const struct check_config *c, __u16 id, __u8 ret[CHECK_QUERY_BYTES]);

/**
 * dns_answer() - what came for a query
 * @query:	as dns_query() made it
 * @ret_say:	of DNS_BAD: what is wrong
 *
 * Return: DNS_GOOD: a record of the type is there; DNS_BAD: it answers, and has none; DNS_FOREIGN: this is no answer
 * to the query.
 */
enum dns_answer dns_answer(const struct check_config *c, const __u8 *query, size_t query_len, const __u8 *bytes,
			   size_t len, char ret_say[CHECK_SAY_BYTES]);

/* --- ICMP (RFC 792, RFC 4443) --- */

/* An echo request; @token tells its reply from those of other requests. Return: bytes. The kernel sums up v6. */
size_t echo_request(bool v6, __u64 token, __u8 ret[CHECK_ECHO_BYTES]);

/* Whether the bytes of a raw socket, v4 ones with their IP header, are the reply to it. */
bool echo_reply(bool v6, __u64 token, const __u8 *bytes, size_t len);

#endif
