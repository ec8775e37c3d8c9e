/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How a probe can end. Values. Not here: probes (io/prober.h), answers (check_answer.h), what follows from results
 * (verdict_watch.h).
 */
#ifndef STARLING_CORE_CHECK_H
#define STARLING_CORE_CHECK_H

#include "core/verdict_words.h"

/* Why a probe failed: CHECK_REASON(ENUMERATOR, "label", "help") */
#define STARLING_CHECK_REASONS(CHECK_REASON)                                                                           \
	CHECK_REASON(CHECK_FINE, "ok", "it did not fail")                                                              \
	CHECK_REASON(CHECK_TIMEOUT, "timeout", "no answer, or no end of it, in time")                                  \
	CHECK_REASON(CHECK_REFUSED, "refused", "nobody listens there")                                                 \
	CHECK_REASON(CHECK_UNREACHABLE, "unreachable", "the network has no way to it")                                 \
	CHECK_REASON(CHECK_RESET, "reset", "the connection was cut")                                                   \
	CHECK_REASON(CHECK_ANSWER, "answer", "not the answer that is expected")                                        \
	CHECK_REASON(CHECK_STATUS, "status", "a status that is not good")                                              \
	CHECK_REASON(CHECK_TLS, "tls", "no TLS, or not the certificate")                                               \
	CHECK_REASON(CHECK_EXIT, "exit", "the file run said no")                                                       \
	CHECK_REASON(CHECK_SAID, "said", "the agent says that it is down")                                             \
	CHECK_REASON(CHECK_LOCAL, "local", "this balancer could not probe; counts for nothing")

enum check_reason {
#define CHECK_REASON_ENUM(name, label, help) name,
	STARLING_CHECK_REASONS(CHECK_REASON_ENUM)
#undef CHECK_REASON_ENUM
		CHECK_REASONS
};

const char *check_reason_label(enum check_reason reason);

/* What one result counts for. */
enum check_outcome { OUTCOME_NOTHING, OUTCOME_GOOD, OUTCOME_BAD };

/* What observers' votes call it. */
enum verdict_evidence check_evidence(enum check_reason reason);

#endif
