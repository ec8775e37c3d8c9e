/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Verdicts: which backends are down, by the word of several observers instead of one. One node's part of it. Pure:
 * time, results of probes, votes and a random seed come in; probes, votes and changes are taken out. Not here: probing,
 * how votes travel, what a VIP does about it (verdict_serve.h).
 *
 * A few nodes of the roster observe each target (verdict_rule.h). Each probes it (verdict_watch.h) and says what it
 * finds by a vote that stands until it casts another, so nothing is sent while nothing changes. Votes that meet the
 * rule make a certificate, and that holds until votes make the opposite one. Nobody proposes or counts for others:
 * whoever has heard the same votes holds the same verdict, and can show it to somebody who has not.
 *
 *  - Who hears that a peer calls a target down probes it at once, so the first to notice makes all fast.
 *  - An observer whose own way is bad must not judge. If more than half of its targets fail (twice in a row, as a lost
 *    probe is no sign), and of those more than f others, so one at least that does not lie, say up, it abstains instead
 *    of calling them down, until a quarter or less do. It hurries what fails: when a rack really dies its observers all
 *    abstain soon, so that not so many say up; then all of them vote. With less than VERDICT_DOUBT_TARGETS there is no
 *    telling.
 *  - Two different votes with one number prove that their voter equivocates; its votes count no more while it is in
 *    the roster, and the proof is passed on, whatever the epoch of its votes.
 *  - A roster has an epoch, which stands in every vote. With another one every observer votes anew, and the
 *    certificate of the epoch before holds until then. Votes of a roster that is not known yet are refused: after
 *    verdict_roster() and verdict_targets() what came before has to be shown again.
 *  - While fewer observers live and judge than a quorum needs, by its own opinion, a node goes by its own probes: it
 *    is never worse off than with a lone checker.
 *  - Who was away may have missed votes between two certificates, and cannot know from those that stand what holds.
 *    So an observer that holds a certificate which they have not proven for VERDICT_SHOW_MS shows it (verdict_shown()),
 *    until they do, and others take it (verdict_certificate()). Of two opposite ones, the one holds in which most of
 *    those voters that are in both have the later number; then the one of which more votes still stand; then down.
 *  - Votes are judged: at each verdict, after the time that an honest observer needs to see the same, those that say
 *    so stood with it, those that have said the opposite for as long stood against it, and again every VERDICT_JUDGE_MS
 *    while they do, as long as votes that stand prove that verdict and no fewer judge than it takes. So did one whose
 * voter lives and equivocates, or that turns to the opposite again and again. Who abstains, is silent, or is held dead,
 * is not judged. See reputation.h for what that is good for.
 *  - Once one is down, by votes or by own probes alone, all that fail here are hurried. Changes come out together:
 *    VERDICT_SETTLE_MS after the first; VERDICT_FILTER_MS if something is called down by more than f, but not yet by
 *    enough; VERDICT_MANY_MS while hurried probes of others fail. Where there are several, or were just before, they
 *    come out once none has joined them for VERDICT_FILTER_MS, and VERDICT_MANY_MS after the first at most. So the
 *    death of many is one change of homes, or a few, to whoever heeds what was told.
 *
 * Costs: a vote's signature is verified when it would change something. Those on 1,000 targets that fail at once are
 * 4,000, so take no more than VERDICT_TURN between two turns of a loop.
 */
#ifndef STARLING_CORE_VERDICT_H
#define STARLING_CORE_VERDICT_H

#include "core/reputation.h"
#include "core/verdict_rule.h"
#include "core/verdict_watch.h"

#define VERDICT_DOUBT_TARGETS 3	     /* observed, at least, to doubt oneself */
#define VERDICT_DOUBT_PART    2	     /* more than one of so many fails: doubt begins */
#define VERDICT_DOUBT_END     4	     /* and ends with no more than one of so many */
#define VERDICT_TURN	      64     /* votes that are cast anew in one step */
#define VERDICT_SETTLE_MS     20     /* a change waits so long for others */
#define VERDICT_FILTER_MS     200    /* and so long if some are about to be decided */
#define VERDICT_MANY_MS	      1000   /* or likely to follow */
#define VERDICT_GRACE	      2	     /* intervals beyond `fall`, after which an observer should have voted */
#define VERDICT_OWN	      2	     /* intervals after which own probes that say down are gone by */
#define VERDICT_RENEW	      2	     /* intervals after which a vote without its witnesses gets others */
#define VERDICT_JUDGE_MS      300000 /* after which a vote that stands against what holds is judged again */
#define VERDICT_JUDGE_TURNS   3	     /* to what does not hold, while that holds, are a fault as well */
#define VERDICT_SHOW_MS	      2000   /* votes that change after each other make no certificate worth showing */
#define VERDICT_SHOWN_BYTES   PAGE_VALUE_BYTES

struct verdict_config {
	struct verdict_self {
		__u64 id; /* of this node; 0: it votes nowhere */
		__u32 incarnation;
		__u64 boot; /* with it, numbers of own votes */
	} self;
	__u64 seed;		       /* of random numbers */
	const struct signing *signing; /* borrowed */
};

struct verdict_target {
	__u64 id; /* of what is checked and how */
	struct verdict_pace pace;
	struct verdict_rule rule;
	bool down;  /* of a new one: it was, before this began */
	bool blind; /* this node may not probe it */
};

/* OUTCOME(ID, "label", "what became of a vote, a certificate or a proof") */
#define STARLING_VERDICT_OUTCOMES(OUTCOME)                                                                             \
	OUTCOME(NEW, "new", "it counts")                                                                               \
	OUTCOME(KNOWN, "known", "is here already")                                                                     \
	OUTCOME(OLDER, "older", "a later one of this voter, or of these, is here")                                     \
	OUTCOME(EQUIVOCATION, "equivocation", "proves that its voter says two things at once")                         \
	OUTCOME(CAUGHT, "caught", "its voter was caught at that, and counts no more")                                  \
	OUTCOME(MALFORMED, "malformed", "makes no sense")                                                              \
	OUTCOME(TARGET, "target", "on nothing that is checked here")                                                   \
	OUTCOME(EPOCH, "epoch", "of another roster")                                                                   \
	OUTCOME(STRANGER, "stranger", "by somebody who does not observe the target")                                   \
	OUTCOME(FORGED, "forged", "its signature is not its voter's")                                                  \
	OUTCOME(FEW, "few", "too few votes for a certificate")                                                         \
	OUTCOME(MEMORY, "memory", "no memory for it")

enum verdict_outcome {
#define VERDICT_OUTCOME_ENUM(id, label, help) VERDICT_OUTCOME_##id,
	STARLING_VERDICT_OUTCOMES(VERDICT_OUTCOME_ENUM)
#undef VERDICT_OUTCOME_ENUM
		VERDICT_OUTCOMES
};

enum verdict_act {
	VERDICT_PROBE,	/* @target, with @number; its result is due */
	VERDICT_VOTE,	/* an own vote, for all nodes: @bytes. The target's other observers want it at once */
	VERDICT_CHANGE, /* @target is @state now, by @source, or @own_down is other; those of one @event at once */
	VERDICT_PROOF,	/* of equivocation, for all nodes: @bytes */
	VERDICT_SHOW,	/* of @target verdict_shown() is something else, for all nodes */
};

struct verdict_action {
	enum verdict_act act;
	__u64 target;
	__u32 number;
	enum verdict_state state;
	enum verdict_source source;
	bool own_down; /* own probes have said down for `fall` + VERDICT_OWN intervals, though it is up */
	__u64 event;
	__u64 voter; /* of PROOF */
	size_t len;
	__u8 bytes[VERDICT_PROOF_BYTES];
};

/* What is held of one target, for `health show`. */
struct verdict_view {
	enum verdict_state state;
	enum verdict_source source;
	struct mono since;
	bool own_down;
	struct verdict_told {
		enum verdict_state state;
		enum verdict_source source;
		bool own_down;
	} told; /* by the last VERDICT_CHANGE: who heeds it changes all of one event at once */
	struct verdict_seats seats;
	struct verdict_view_vote {
		bool voted, caught, live, witnessed;
		bool able; /* it lives and judges: enough of them make a verdict */
		enum verdict_state state;
		enum verdict_evidence evidence;
		__u64 date_ms;
	} vote[VERDICT_SEATS];
	size_t down, up; /* votes that count */
	bool watched;	 /* by this node's own probes */
	bool awaited;	 /* observers that have not voted yet count as able to */
	struct verdict_watch watch;
};

struct verdict;

/* Return: NULL without memory. There are no nodes and no targets at first. */
struct verdict *verdict_new(const struct verdict_config *config);
void verdict_free(struct verdict *v);

/* Another life of this node, or another node: it votes anew, by this one. */
void verdict_self(struct verdict *v, struct mono now, const struct verdict_self *self);

/**
 * verdict_roster() - who counts
 *
 * Return: 0, or -ENOMEM with nothing changed. All nodes are held live until verdict_live() says otherwise.
 */
int verdict_roster(struct verdict *v, struct mono now, const struct roster *roster);

/**
 * verdict_targets() - what is checked
 * @target:	copied; sorted by id, none twice
 *
 * What is held of those that stay is kept, also where their pace or rule is another one.
 * Return: 0, or -ENOMEM with nothing changed.
 */
int verdict_targets(struct verdict *v, struct mono now, const struct verdict_target *target, size_t count);

/* The date that votes bear from now on: Unix time. */
void verdict_date(struct verdict *v, __u64 date_ms);

/* A node of the roster answers and is fit to judge, in this node's opinion, or is not. */
void verdict_live(struct verdict *v, struct mono now, __u64 id, bool live);

/* This node has lost its gateway or most of its peers, or has them again. */
void verdict_unfit(struct verdict *v, bool unfit);

/* A probe's result. */
void verdict_probed(struct verdict *v, struct mono now, __u64 target, __u32 number, enum verdict_evidence evidence);

/* Clients' connections to it fail more often than to others: as if a peer called it down. No more where it is not
 * watched. */
void verdict_hint(struct verdict *v, struct mono now, __u64 target);

/* A vote came, of any bytes. */
enum verdict_outcome verdict_vote(struct verdict *v, struct mono now, const void *bytes, size_t len);
enum verdict_outcome verdict_certificate(struct verdict *v, struct mono now, const void *bytes, size_t len);
enum verdict_outcome verdict_proof(struct verdict *v, struct mono now, const void *bytes, size_t len);

/* Do what is due. To be called at verdict_due(), which may have become earlier after every call. */
void verdict_step(struct verdict *v, struct mono now);
struct mono verdict_due(const struct verdict *v); /* UINT64_MAX ns: never */

/* The next thing to be done. Return: whether there was one; @ret is untouched if not. */
bool verdict_take(struct verdict *v, struct verdict_action *ret);

/* Return: 0, or -ENOENT. */
int verdict_view(const struct verdict *v, __u64 target, struct verdict_view *ret);

/**
 * verdict_export() - the certificate that holds, to be shown to anybody
 * @ret:	VERDICT_CERTIFICATE_BYTES
 *
 * Return: bytes, -ENOENT (no such target), -ENODATA (there is none).
 */
int verdict_export(const struct verdict *v, __u64 target, __u8 ret[VERDICT_CERTIFICATE_BYTES]);

/**
 * verdict_shown() - the same of its fewest votes, if it is to be shown to all
 * @ret:	one entry of a page
 *
 * Return: bytes; -ENOENT; -ENODATA: votes that stand prove what holds, or others observe the target; -EMSGSIZE: it has
 * witnesses' votes, for which there is no room.
 */
int verdict_shown(const struct verdict *v, __u64 target, __u8 ret[VERDICT_SHOWN_BYTES]);

/* What votes were worth since this was asked last, by voters; who does not fit comes next. Return: how many. */
size_t verdict_judged(struct verdict *v, struct reputation_seen *ret, size_t room);

bool verdict_doubts(const struct verdict *v); /* whether this node abstains where it would call down */
__u64 verdict_count(const struct verdict *v, enum verdict_outcome outcome);
const char *verdict_outcome_label(enum verdict_outcome outcome);

#endif
