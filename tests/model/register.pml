// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A model of the register (userspace/core/caspaxos*.c) for Spin: no version has two decided values, and each decided
 * value is made of the one before. Not here: how it is run, within what bounds (register.sh).
 *
 * Names here, and there:
 *
 *	node 0 .. 3		who may vote: 0, 1, 2 are the first voters, 3 is in reserve
 *	decided, promised,	struct caspaxos_state; accepted is the ballot, its value is what that has
 *	accepted		offered
 *	ballot 1 .. BALLOTS	struct ballot, and the proposer that has it. A proposer's next ballot is as good
 *				as another proposer's. So there are ballots alone, each begun at any time, none
 *				ever given up
 *	base, promises, best	struct proposer: base, answered, best
 *	offer, votes		of a ballot and a version: ACCEPT, which stays in the network for good; who has
 *				ACCEPTED
 *	PREPARE, VOTE, LEAD,	begin(), prepare(), promised(); accept(), accepted(); begin() with a lead;
 *	LEARN			caspaxos_learn()
 *	unsure, told, TELL	struct caspaxos: unsure, told; ASK, tell() and told()
 *
 * A value is its history in octal: 2 is version 0, and ballot b makes 8 * v + b of the value v. So all that they make
 * differs. An odd last digit names the voters 0, 1, 3; an even one 0, 1, 2. So each value may change the voters.
 *
 * Messages may be lost, late, doubled, in any order: a step below may be taken at any time after its message was sent,
 * or never. A promise may be given, and the answer lost. Not so ACCEPTED: a quorum of votes decides, whether anybody
 * hears of it or not. DECIDED comes to any node, at any time, or never; and so it may leave out versions. A crash
 * between two writes, with the file kept, is a step that is not taken, a crash of a proposer a ballot that takes no
 * more. Who loses the file has another store, which no value names: its node takes no more steps, and if it is named
 * again it is another node here.
 *
 * One of the nodes in the mask OLDER may once start again with an older file. What it had said before may be under way
 * still, and counts with whoever has it. It votes when n - q + 1 others have told it what they know. That alone is not
 * enough (TELL_ONLY):
 *
 *	- a ballot counts a vote or a promise that is forgotten, and gets what it lacks from another after that one has
 *	  told. So starts have numbers, the lives of caspaxos_life.c. A ballot says which life of the voter it knew when
 *	  it was begun; who has told a later one refuses it, and so does the voter itself.
 *	- it was a voter of a later version too, and those that were asked know that version only as accepted. So if
 *	  anything is accepted, it has recovered for this version alone, and asks again at the next one (not so: ONCE).
 *
 * Left out: bounds of rounds, disks that refuse to write, other registers, backing off, two older files, more voters
 * than three, a TOLD that is late (it has to be known from those of former starts).
 *
 * Broken, to see that it is found: NO_PROMISE, NO_CHAIN, AMNESIA, NO_RECOVERY, TELL_ONLY, ONCE. REACH: states that have
 * to be reached, as assertions that fail there.
 */
#ifndef BALLOTS
#define BALLOTS 3 /* 2 .. 4 */
#endif
#ifndef VERSIONS
#define VERSIONS 2 /* 1 or 2: a value is a byte */
#endif
#ifndef OLDER
#define OLDER 0
#endif
#ifndef REACH
#define REACH 0
#endif
#ifndef TELL_ONLY
#define NUMBER
#endif

#define FIRST	   2
#define VERSION(v) ((v) < 8 -> 0 : ((v) < 64 -> 1 : 2))
#define VOTERS(v)  (((v) & 1) -> 11 : 7)
#define BIT(node)  (1 << (node))
#define MANY(set)  ((set) & ((set) - 1)) /* two or more: of three voters a quorum, and n - q + 1 others */

#ifdef NO_CHAIN /* those that the new value names decide on it */
#define DECIDERS(value, b) VOTERS(b)
#define NAMED(node, b)	   (VOTERS(b) & BIT(node))
#else
#define DECIDERS(value, b) VOTERS(value)
#define NAMED(node, b)	   (VOTERS(decided[node]) & BIT(node))
#endif

byte decided[4] = FIRST; /* value */
byte promised[4];	 /* ballot */
byte accepted[4];	 /* ballot; 0: nothing of the version after decided */

byte base[BALLOTS + 1];	    /* value; 0: not begun */
byte promises[BALLOTS + 1]; /* nodes; 0 when it has made its offer */
byte best[BALLOTS + 1];	    /* ballot */

#define AT(b, n) ((b) * (VERSIONS + 1) + (n))
byte offer[AT(BALLOTS + 1, 0)]; /* value */
byte votes[AT(BALLOTS + 1, 0)]; /* nodes */

byte chosen[VERSIONS + 1]; /* what is decided, by version */

byte restarted; /* node + 1 that has had an older file */
byte unsure;	/* node + 1 */
byte told;	/* nodes */
bool again;	/* unsure once more at the next version */
byte seen;	/* nodes that know of the start, */
byte known;	/* and ballots that do */

/* @knows: the ballot begins after the start, and knows of it. */
#ifdef NUMBER
#define FRESH(node, b, knows) (!(seen & BIT(node)) || (known & BIT(b)) || knows)
#define SEE(node, b)	      seen = ((known & BIT(b)) -> seen | BIT(node) : seen)
#else
#define FRESH(node, b, knows) true
#define SEE(node, b)	      skip
#endif

#define MAY_VOTE(node, b, n, knows)                                                                                    \
	(VERSION(decided[node]) + 1 == (n) && NAMED(node, b) && unsure != (node) + 1 && (b) >= promised[node] &&       \
	 FRESH(node, b, knows))

/*
 * A ballot begins with its first promise, on any decided value: a proposer need not have heard of the latest. Of a
 * promise, the answer is lost; or it counts, and the first quorum ends the phase.
 */
#define CAN_PREPARE(b, n, node, knows)                                                                                 \
	chosen[(n) - 1] && (base[b] == chosen[(n) - 1] || !base[b]) &&                               \
		(!(knows) || (!base[b] && seen)) && MAY_VOTE(node, b, n, knows)
#define PREPARE(b, n, node, knows)                                                                                     \
	:: d_step { (b) > promised[node] && CAN_PREPARE(b, n, node, knows) -> promise(b, n, node, knows) }             \
	:: d_step { !offer[AT(b, n)] && !(promises[b] & BIT(node)) && CAN_PREPARE(b, n, node, knows) ->                \
		promise(b, n, node, knows);                                                                            \
		printf("and ballot %d gets it\n", b);                                                                  \
		promises[b] = promises[b] | BIT(node);                                                                 \
		best[b] = (accepted[node] > best[b] -> accepted[node] : best[b]);                                      \
		if                                                                                                     \
		:: MANY(promises[b]) ->                                                                                \
			offer[AT(b, n)] = (best[b] -> offer[AT(best[b], n)] : 8 * base[b] + (b));                      \
			promises[b] = 0;                                                                               \
			best[b] = 0                                                                                    \
		:: else                                                                                                \
		fi                                                                                                     \
	}

inline promise(b, n, node, knows)
{
	base[b] = chosen[n - 1];
	known = known | (knows << b);
#ifndef NO_PROMISE
	promised[node] = b;
#endif
	SEE(node, b);
	printf("node %d promises ballot %d for version %d, having accepted %d's\n", node, b, n, accepted[node])
}

/* A quorum of votes decides; if the voters stay the same, the ballot leads: it offers the next value at once. */
#define VOTE(b, n, node)                                                                                               \
	:: d_step { offer[AT(b, n)] && accepted[node] != (b) && MAY_VOTE(node, b, n, false) ->                         \
		promised[node] = b;                                                                                    \
		accepted[node] = b;                                                                                    \
		SEE(node, b);                                                                                          \
		printf("node %d accepts %d's %d as version %d\n", node, b, offer[AT(b, n)], n);                        \
		votes[AT(b, n)] = votes[AT(b, n)] | BIT(node);                                                         \
		if                                                                                                     \
		:: MANY(votes[AT(b, n)]) ->                                                                            \
			assert(!chosen[n] || chosen[n] == offer[AT(b, n)]);                                            \
			assert(offer[AT(b, n)] / 8 == chosen[(n) - 1]);                                                \
			chosen[n] = offer[AT(b, n)];                                                                   \
			LEAD(b, n)                                                                                     \
		:: else                                                                                                \
		fi;                                                                                                    \
		assert(!(REACH == 1 && chosen[VERSIONS] && chosen[1] & 1)); /* other voters decide */                  \
		assert(!(REACH == 2 && chosen[VERSIONS] && restarted == (node) + 1)) /* it votes again */              \
	}
#define LEAD(b, n)                                                                                                     \
	if                                                                                                             \
	:: n < VERSIONS && DECIDERS(chosen[n], b) == DECIDERS(chosen[(n) - 1], b) ->                                   \
		offer[AT(b, (n) + 1)] = 8 * chosen[n] + (b)                                                            \
	:: else                                                                                                        \
	fi

inline learn(node, value)
{
	printf("node %d learns %d\n", node, value);
	decided[node] = value;
	accepted[node] = 0;
	if
	:: unsure == node + 1 -> told = 0
	:: again && restarted == node + 1 -> again = false; unsure = node + 1
	:: else
	fi
}
#define LEARN(node, n) :: d_step { chosen[n] && VERSION(decided[node]) < (n) -> learn(node, chosen[n]) }

/* A mixture of what it ever had in its file; so among others whatever the file once was. */
#define RESTART(node)                                                                                                  \
	:: atomic { (OLDER & BIT(node)) && !restarted ->                                                               \
		restarted = node + 1;                                                                                  \
		do                                                                                                     \
		:: VERSION(decided[node]) > 0 -> decided[node] = decided[node] / 8                                     \
		:: break                                                                                               \
		od;                                                                                                    \
		do                                                                                                     \
		:: promised[node] > 0 -> promised[node]--                                                              \
		:: break                                                                                               \
		od;                                                                                                    \
		accepted[node] = (VERSION(decided[node]) < VERSIONS -> promised[node] : 0);                            \
		do                                                                                                     \
		:: !accepted[node] || (votes[AT(accepted[node], VERSION(decided[node]) + 1)] & BIT(node)) -> break     \
		:: accepted[node] > 0 -> accepted[node]--                                                              \
		od;                                                                                                    \
		printf("node %d starts: decided %d, promised %d, accepted %d's\n", node, decided[node],                \
		       promised[node], accepted[node]);                                                                \
		START(node)                                                                                            \
	}
#if defined(AMNESIA) /* the file is lost, the store's number is not */
#define START(node)                                                                                                    \
	decided[node] = FIRST; promised[node] = 0; accepted[node] = 0
#elif defined(NO_RECOVERY)
#define START(node) skip
#elif defined(NUMBER)
#define START(node) unsure = node + 1; seen = BIT(node)
#else
#define START(node) unsure = node + 1
#endif

inline tell(me, node)
{
	printf("node %d tells %d: decided %d, promised %d, accepted %d's\n", node, me, decided[node], promised[node],
	       accepted[node]);
#ifdef NUMBER
	seen = seen | BIT(node);
#endif
	if
	:: VERSION(decided[node]) > VERSION(decided[me]) -> learn(me, decided[node])
	:: else
	fi;
	if
	:: (VOTERS(decided[me]) & BIT(node)) && (VOTERS(decided[me]) & BIT(me)) ->
		promised[me] = (promised[node] > promised[me] -> promised[node] : promised[me]);
		if
		:: decided[node] == decided[me] && accepted[node] > accepted[me] -> accepted[me] = accepted[node]
		:: else
		fi;
		told = told | BIT(node);
		if
		:: MANY(told) ->
			told = 0;
			unsure = 0;
#ifndef ONCE
			again = accepted[me] != 0
#endif
		:: else
		fi
	:: else
	fi
}
#define TELL(me, node) :: d_step { unsure == me + 1 && !(told & BIT(node)) -> tell(me, node) }

#define PREPARES(b, n, knows)                                                                                          \
	PREPARE(b, n, 0, knows) PREPARE(b, n, 1, knows) PREPARE(b, n, 2, knows) PREPARE(b, n, 3, knows)
#define VOTES(b, n) VOTE(b, n, 0) VOTE(b, n, 1) VOTE(b, n, 2) VOTE(b, n, 3)
#ifdef NUMBER
#define BALLOT_FOR(b, n) PREPARES(b, n, 0) PREPARES(b, n, 1) VOTES(b, n)
#else
#define BALLOT_FOR(b, n) PREPARES(b, n, 0) VOTES(b, n)
#endif
#if VERSIONS == 2
#define BALLOT(b) BALLOT_FOR(b, 1) BALLOT_FOR(b, 2)
#define LEARN_2	  LEARN(0, 2) LEARN(1, 2) LEARN(2, 2) LEARN(3, 2)
#else
#define BALLOT(b) BALLOT_FOR(b, 1)
#define LEARN_2
#endif

active proctype network()
{
	chosen[0] = FIRST;
end:
	do
	BALLOT(1) BALLOT(2)
#if BALLOTS >= 3
	BALLOT(3)
#endif
#if BALLOTS >= 4
	BALLOT(4)
#endif
	LEARN(0, 1) LEARN(1, 1) LEARN(2, 1) LEARN(3, 1) LEARN_2
#if OLDER
	RESTART(0) RESTART(1) RESTART(2) RESTART(3)
	TELL(0, 1) TELL(0, 2) TELL(0, 3) TELL(1, 0) TELL(1, 2) TELL(1, 3)
	TELL(2, 0) TELL(2, 1) TELL(2, 3) TELL(3, 0) TELL(3, 1) TELL(3, 2)
#endif
	od
}
