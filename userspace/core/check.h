/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What results of probes say of one target, and when the next probe is due. Pure. Not here: probes
 * (io/prober.h), answers (check_answer.h), what a verdict does (the daemon's health).
 *
 * A target is up until `fall` failures in a row say otherwise, and down until `rise` successes do. Before "down" the
 * probe is repeated three times, a tenth of the interval apart, and one success ends the doubt: on a path that loses
 * 10 % each way 5 of a thousand probes in a row of 3 fail by chance, and with the repeats 5 of a hundred thousand.
 * The repeats do not wait for each other, so they cost a silent target 0.3 intervals and one timeout.
 *
 * Probes of one target may overlap, and their results come in any order: each has the round in which it was begun.
 * A round ends with a burst's begin and with its end, and what comes of an ended one is not counted.
 */
#ifndef STARLING_CORE_CHECK_H
#define STARLING_CORE_CHECK_H

#include "base/clock.h"
#include "core/check_config.h"

#define CHECK_REPEATS	    3
#define CHECK_REPEAT_MIN_MS 50

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

enum check_verdict { CHECK_UNKNOWN, CHECK_UP, CHECK_DOWN };

const char *check_verdict_word(enum check_verdict verdict); /* "unknown", "up", "down" */

/* What one result counts for. */
enum check_outcome { OUTCOME_NOTHING, OUTCOME_GOOD, OUTCOME_BAD };

struct check {
	enum check_verdict verdict;
	__u32 row;	 /* results in a row that speak against the verdict */
	__u32 repeats;	 /* of a burst: yet to be begun */
	__u32 awaited;	 /* of a burst: begun, without a result */
	__u32 round;	 /* what is begun now belongs to */
	struct mono due; /* of the next probe */
};

/**
 * check_start() - a target is new
 * @verdict:	what is known of it from before
 * @random:	any number: the first probe comes somewhere in the first interval, or 3 s if that is longer
 */
void check_start(struct check *c, const struct check_config *rules, enum check_verdict verdict, struct mono now,
		 __u64 random);

/**
 * check_probe() - a probe is begun, since it was due
 * @random:	any number: an interval is up to a tenth shorter, so that targets do not march in step
 *
 * Return: the round, to go with its result.
 */
__u32 check_probe(struct check *c, const struct check_config *rules, struct mono now, __u64 random);

/**
 * check_result() - a probe has ended
 * @round:	as check_probe() gave it
 *
 * Return: whether the verdict has changed.
 */
bool check_result(struct check *c, const struct check_config *rules, __u32 round, enum check_outcome outcome,
		  struct mono now);

#endif
