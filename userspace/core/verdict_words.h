/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a vote on a target can say, what was seen, how votes can be counted, and by whose word a state is held. Not
 * here: votes (verdict_vote.h).
 */
#ifndef STARLING_CORE_VERDICT_WORDS_H
#define STARLING_CORE_VERDICT_WORDS_H

/* STATE(ID, "word", "what it says"). On the wire by their order. */
#define STARLING_VERDICT_STATES(STATE)                                                                                 \
	STATE(NONE, "unknown", "nothing was found out yet")                                                            \
	STATE(UP, "up", "it answers as it should")                                                                     \
	STATE(DOWN, "down", "it does not")                                                                             \
	STATE(ABSTAIN, "abstains", "it seems down, but so does too much of what others reach")

enum verdict_state {
#define VERDICT_STATE_ENUM(id, word, help) VERDICT_##id,
	STARLING_VERDICT_STATES(VERDICT_STATE_ENUM)
#undef VERDICT_STATE_ENUM
		VERDICT_STATE_COUNT
};

/* EVIDENCE(ID, "word", "what was seen"). On the wire by their order. */
#define STARLING_VERDICT_EVIDENCES(EVIDENCE)                                                                           \
	EVIDENCE(GOOD, "good", "the answer that is wanted")                                                            \
	EVIDENCE(TIMEOUT, "timeout", "no answer in time")                                                              \
	EVIDENCE(REFUSED, "refused", "the connection was refused or reset")                                            \
	EVIDENCE(UNREACHABLE, "unreachable", "the network says that there is no way")                                  \
	EVIDENCE(ANSWER, "answer", "another answer than is wanted")                                                    \
	EVIDENCE(PASSIVE, "passive", "clients' connections fail")

enum verdict_evidence {
#define VERDICT_EVIDENCE_ENUM(id, word, help) VERDICT_##id,
	STARLING_VERDICT_EVIDENCES(VERDICT_EVIDENCE_ENUM)
#undef VERDICT_EVIDENCE_ENUM
		VERDICT_EVIDENCE_COUNT
};

/* SOURCE(ID, "word", "why a state is held") */
#define STARLING_VERDICT_SOURCES(SOURCE)                                                                               \
	SOURCE(NOTHING, "none", "nothing was found out yet")                                                           \
	SOURCE(CERTIFIED, "certified", "observers' votes")                                                             \
	SOURCE(FORMER, "former", "votes of the roster before, until there are new ones")                               \
	SOURCE(LOCAL, "local", "its own probes: too few observers live")

enum verdict_source {
#define VERDICT_SOURCE_ENUM(id, word, help) VERDICT_BY_##id,
	STARLING_VERDICT_SOURCES(VERDICT_SOURCE_ENUM)
#undef VERDICT_SOURCE_ENUM
};

/* MODE(ID, "word", "what is wanted"). On the wire by their order. */
#define STARLING_VERDICT_MODES(MODE)                                                                                   \
	MODE(ANY, "any", "one that says down; up by a majority, of which nobody says down")                            \
	MODE(MAJORITY, "majority", "more than half of the observers")                                                  \
	MODE(VOTE, "vote", "2f + 1 of 3f + 1")                                                                         \
	MODE(STAKE, "stake", "as vote; observers are drawn by their stakes, and over two thirds of these agree")       \
	MODE(PROOF, "proof", "as vote; a down counts once two others have seen it")                                    \
	MODE(REPUTATION, "reputation", "as stake, by reputations")                                                     \
	MODE(HYBRID, "hybrid", "as stake, by stakes times reputations")

enum verdict_mode {
#define VERDICT_MODE_ENUM(id, word, help) VERDICT_MODE_##id,
	STARLING_VERDICT_MODES(VERDICT_MODE_ENUM)
#undef VERDICT_MODE_ENUM
		VERDICT_MODE_COUNT
};

const char *verdict_state_word(enum verdict_state state);

#endif
