// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See check.h.
 */
#include "core/check.h"

static const char *const reasons[] = {
#define CHECK_REASON_LABEL(name, label, help) [name] = (label),
	STARLING_CHECK_REASONS(CHECK_REASON_LABEL)
#undef CHECK_REASON_LABEL
};

const char *check_reason_label(enum check_reason reason)
{
	return reasons[reason];
}

enum verdict_evidence check_evidence(enum check_reason reason)
{
	switch (reason) {
	case CHECK_FINE:
		return VERDICT_GOOD;
	case CHECK_REFUSED:
	case CHECK_RESET:
		return VERDICT_REFUSED;
	case CHECK_UNREACHABLE:
		return VERDICT_UNREACHABLE;
	case CHECK_ANSWER:
	case CHECK_STATUS:
	case CHECK_TLS:
	case CHECK_EXIT:
	case CHECK_SAID:
		return VERDICT_ANSWER;
	default:
		return VERDICT_TIMEOUT;
	}
}
