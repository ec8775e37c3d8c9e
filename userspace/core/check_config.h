/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How a VIP's backends are checked, as `health set` says it. A value: two checks make the same probes if
 * their bytes are the same. Not here: what results mean (check.h), probes (io/prober.h).
 */
#ifndef STARLING_CORE_CHECK_CONFIG_H
#define STARLING_CORE_CHECK_CONFIG_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/err.h"
#include "core/verdict_words.h"
#include "starling/limits.h"

/* CHECK_KIND(ENUMERATOR, "word", microseconds of a core that one probe is reckoned to take, for the budget) */
#define STARLING_CHECK_KINDS(CHECK_KIND)                                                                               \
	CHECK_KIND(CHECK_TCP, "tcp", 100)                                                                              \
	CHECK_KIND(CHECK_TALK, "talk", 120)                                                                            \
	CHECK_KIND(CHECK_HTTP, "http", 333)                                                                            \
	CHECK_KIND(CHECK_HTTPS, "https", 2000)                                                                         \
	CHECK_KIND(CHECK_UDP, "udp", 100)                                                                              \
	CHECK_KIND(CHECK_ICMP, "icmp", 100)                                                                            \
	CHECK_KIND(CHECK_DNS, "dns", 100)                                                                              \
	CHECK_KIND(CHECK_AGENT, "agent", 120)                                                                          \
	CHECK_KIND(CHECK_EXEC, "exec", 5000)

/* DNS_TYPE(word, number): RFC 1035 section 3.2.2, RFC 3596, RFC 2782 */
#define STARLING_DNS_TYPES(DNS_TYPE)                                                                                   \
	DNS_TYPE(A, 1)                                                                                                 \
	DNS_TYPE(AAAA, 28)                                                                                             \
	DNS_TYPE(CNAME, 5)                                                                                             \
	DNS_TYPE(MX, 15)                                                                                               \
	DNS_TYPE(NS, 2)                                                                                                \
	DNS_TYPE(PTR, 12)                                                                                              \
	DNS_TYPE(SOA, 6)                                                                                               \
	DNS_TYPE(SRV, 33)                                                                                              \
	DNS_TYPE(TXT, 16)

enum check_kind {
#define CHECK_KIND_ENUM(name, word, cost_us) name,
	STARLING_CHECK_KINDS(CHECK_KIND_ENUM)
#undef CHECK_KIND_ENUM
		CHECK_KINDS
};

/* CHECK_SCOPE(ENUMERATOR, "word") */
#define STARLING_CHECK_SCOPES(CHECK_SCOPE)                                                                             \
	CHECK_SCOPE(CHECK_SCOPE_SITE, "site")                                                                          \
	CHECK_SCOPE(CHECK_SCOPE_FLOCK, "flock")

enum check_scope {
#define CHECK_SCOPE_ENUM(name, word) name,
	STARLING_CHECK_SCOPES(CHECK_SCOPE_ENUM)
#undef CHECK_SCOPE_ENUM
		CHECK_SCOPE_COUNT
};

/* CHECK_VIA(ENUMERATOR, "word"): how a probe goes to a backend */
#define STARLING_CHECK_VIAS(CHECK_VIA)                                                                                 \
	CHECK_VIA(CHECK_VIA_DIRECT, "direct")                                                                          \
	CHECK_VIA(CHECK_VIA_TUNNEL, "tunnel")

enum check_via {
#define CHECK_VIA_ENUM(name, word) name,
	STARLING_CHECK_VIAS(CHECK_VIA_ENUM)
#undef CHECK_VIA_ENUM
		CHECK_VIA_COUNT
};

#define CHECK_TEXT_BYTES	  256 /* of each text, with its NUL */
#define CHECK_STATUSES		  8   /* ranges of HTTP status codes */
#define CHECK_INTERVAL_DEFAULT_MS 2000
#define CHECK_TIMEOUT_DEFAULT_MS  1000 /* or the interval, if that is less */
#define CHECK_RISE_DEFAULT	  2
#define CHECK_FALL_DEFAULT	  3
#define CHECK_OBSERVERS_DEFAULT	  4

struct status_range {
	__u16 first, last;
};

/* No padding, and bytes behind a text's NUL are zero. */
struct check_config {
	__u32 kind; /* enum check_kind */
	__u32 interval_ms, timeout_ms;
	__u32 rise, fall; /* results in a row that turn a verdict */
	__u32 port;	  /* host order; 0: the backend's */
	__u32 dns_type;	  /* dns: number of a type */
	__u32 verify;	  /* https: the certificate has to be right */
	__u32 http2;
	__u32 observers; /* 4 or 7, of which one or two may lie: nodes that probe a backend, where there are so many */
	__u32 mode;	 /* 1 + enum verdict_mode: how their votes are counted */
	__u32 scope;	 /* enum check_scope: whose votes */
	__u32 via;	 /* enum check_via */
	__u32 status_count;			    /* 0: 200 to 299 */
	struct status_range status[CHECK_STATUSES]; /* unused ones are zero */
	char name[CHECK_TEXT_BYTES];		    /* dns: what is asked for; exec: a file's name */
	char path[CHECK_TEXT_BYTES];		    /* "": "/"; the following "": not given */
	char host[CHECK_TEXT_BYTES];
	char body[CHECK_TEXT_BYTES];
	char sni[CHECK_TEXT_BYTES];
	char send[CHECK_TEXT_BYTES];
	char expect[CHECK_TEXT_BYTES];

	/* Not said, but follows from the VIP (vip_check_aim()): */
	struct endpoint to; /* via tunnel: where probes go, proto 0; else zero */
};

const char *const *check_kind_words(void);	/* by enum check_kind, then NULL */
const char *const *dns_type_words(void);	/* end with NULL */
extern const __u32 dns_type_numbers[];		/* the same order */
const char *const *check_scope_words(void);	/* by enum check_scope, then NULL */
const char *const *check_via_words(void);	/* by enum check_via, then NULL */
const char *const *check_observers_words(void); /* end with NULL; numbers in the same order */
extern const __u32 check_observers_numbers[];
const char *const *check_mode_words(void); /* by enum verdict_mode, then NULL */
extern const __u32 check_mode_numbers[];

/**
 * check_bytes() - what a text of send, expect or body means
 * @text:	\\ is a backslash; \n, \r, \t and \xHH, NUL too, mean a byte, for words of a command have none of those
 *
 * Return: bytes; -EINVAL: a backslash with something else behind it.
 */
int check_bytes(const char *text, __u8 ret[CHECK_TEXT_BYTES]);

__u32 check_timeout_default(__u32 interval_ms);

/**
 * check_config_complete() - fill in what was not said, and see whether it makes sense
 * @c:		what is 0 of times and counts gets its default
 * @err:	what lacks, or contradicts
 *
 * Return: 0, or -EINVAL.
 */
int check_config_complete(struct check_config *c, struct err *err);

/* Whether they say the same; both may be NULL. */
bool check_config_same(const struct check_config *a, const struct check_config *b);

/* What probing one target so takes of a core, millionths. */
double check_cost(const struct check_config *c);

#endif
