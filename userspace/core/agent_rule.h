/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What backends' agents ask for, by the word of several observers: HAProxy's agent-check for a flock. Pure. Not here:
 * an agent's line (check_answer.h), up and down, which are votes (verdict.h), what becomes of a backend (the daemon's
 * plane).
 *
 * Each observer of a target tells what its agent has said to it so far: what a line does not mention stays. From these
 * reports every balancer finds the same: drain, maint or ready if as many say so as make a verdict, with the weight
 * that makes one; a percentage and a maxconn by the median of those that have one, if they are as many as a quorum. So
 * of 3f + 1 observers no f that lie can drain a backend or undo that, and the median lies between two that do not lie.
 * What is decided in neither way is as it was before.
 *
 * Reports travel in pages of PAGE_KIND_AGENTS, which their observer signs as a whole: nobody needs to prove them to
 * somebody else, as one does a verdict.
 */
#ifndef STARLING_CORE_AGENT_RULE_H
#define STARLING_CORE_AGENT_RULE_H

#include "core/check_answer.h"
#include "core/verdict_rule.h"

#define AGENT_PERCENT_ALL 100

struct agent_report {
	enum agent_admin admin; /* AGENT_UNSAID: nothing of it so far; so with the next two */
	bool has_percent, has_maxconn;
	__u32 percent; /* 0 .. AGENT_PERCENT_ALL, of the weight */
	__u32 maxconn;
};

bool agent_report_same(const struct agent_report *a, const struct agent_report *b);

/* A line more. Return: whether the report is another one. */
bool agent_report_take(struct agent_report *r, const struct agent_say *say);

/**
 * agent_decide() - what observers' reports say together
 * @report:	of each seat
 * @counts:	whether the seat's node lives and judges, and has told of it
 * @ret:	what is not decided is not said
 */
void agent_decide(const struct verdict_seats *s, enum verdict_mode mode,
		  const struct agent_report report[VERDICT_SEATS], const bool counts[VERDICT_SEATS],
		  struct agent_report *ret);

/* --- on the wire --- */

/* Entries of PAGE_KIND_AGENTS. */
enum agent_page_entry {
	AGENT_ENTRY_REPORT = 1, /* struct agent_report_wire */
};

#define AGENT_HAS_PERCENT 0x01
#define AGENT_HAS_MAXCONN 0x02

struct agent_report_wire {
	__le64 target;
	__le32 maxconn;
	__u8 admin; /* enum agent_admin */
	__u8 has;   /* AGENT_HAS_*; others are of later versions */
	__u8 percent;
	__u8 pad; /* zero */
};
_Static_assert(sizeof(struct agent_report_wire) == 16 && offsetof(struct agent_report_wire, admin) == 12,
	       "on the wire");

#define AGENT_REPORTS_PER_PAGE                                                                                         \
	(PAGE_ENTRIES_BYTES / (sizeof(struct page_entry_header) + sizeof(struct agent_report_wire)))

/* Return: 0, or -ENOSPC with nothing appended. */
int agent_report_encode(__u64 target, const struct agent_report *r, struct page_draft *draft);

/**
 * agent_report_next() - the next report of a page of PAGE_KIND_AGENTS
 * @at:		0 at first; moved on
 * @ret:	with @ret_target untouched unless one was found
 *
 * Return: 1, 0 at the end, or -EBADMSG.
 */
int agent_report_next(const struct page *page, size_t *at, __u64 *ret_target, struct agent_report *ret);

#endif
