// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Whether a certificate holds, from its bytes and the roster alone. Not here: how one comes about (verdict.c).
 */
#include <errno.h>
#include <string.h>

#include "core/verdict_rule.h"

enum reason {
#define REASON_ENUM(id, code, text) REASON_##id,
	STARLING_VERDICT_REASONS(REASON_ENUM)
#undef REASON_ENUM
};

static int reason_set(struct err *err, enum reason reason)
{
	static const struct {
		int code;
		const char *text;
	} row[] = {
#define REASON_ROW(id, number, sentence) [REASON_##id] = {(number), (sentence)},
		STARLING_VERDICT_REASONS(REASON_ROW)
#undef REASON_ROW
	};

	return err_set(err, row[reason].code, "%s", row[reason].text);
}

/* What a certificate is looked at with. */
struct look {
	const struct verdict_certificate *c;
	const struct roster *roster;
	const struct signing *signing;
	struct verdict_seats seats;
	const struct verdict_rule *rule;
};

/* Whether a voter may say that: only of a vote for down, in mode proof, is anybody else asked. */
static bool is_asked(const struct look *l, const struct verdict_vote *v)
{
	if (v->about)
		return l->rule->mode == VERDICT_MODE_PROOF && l->c->state == VERDICT_DOWN;
	return verdict_seat_of(&l->seats, v->voter) >= 0;
}

static int vote_check(const struct look *l, size_t i, struct err *err)
{
	const struct verdict_vote *v = &l->c->vote[i];
	const struct roster_node *node = roster_find_id(l->roster, v->voter);

	if (!node || !is_asked(l, v))
		return reason_set(err, REASON_STRANGER);
	for (size_t k = 0; k < i; k++)
		if (l->c->vote[k].voter == v->voter && l->c->vote[k].about == v->about)
			return reason_set(err, REASON_TWICE);
	if (v->state != l->c->state || v->target != l->c->target)
		return reason_set(err, REASON_OTHER);
	return verdict_vote_verify(v, &node->key, l->signing) ? 0 : reason_set(err, REASON_FORGED);
}

/* Of a vote: whether those who were drawn by it have signed that they saw the same. */
static bool is_witnessed(const struct look *l, const struct verdict_vote *vote)
{
	__u64 hash = verdict_vote_hash(vote, l->signing), witness[VERDICT_WITNESSES];
	size_t i, k, seen = 0, count = verdict_witnesses_draw(l->roster, l->rule, &l->seats, hash, witness);

	for (i = 0; i < count; i++)
		for (k = 0; k < l->c->votes; k++)
			seen += l->c->vote[k].about == hash && l->c->vote[k].voter == witness[i];
	return seen == count;
}

static bool counts(const struct look *l, const struct verdict_vote *vote)
{
	if (vote->about)
		return false;
	return l->rule->mode != VERDICT_MODE_PROOF || vote->state != VERDICT_DOWN || is_witnessed(l, vote);
}

int verdict_certificate_verify(const struct verdict_certificate *c, const struct roster *roster,
			       const struct verdict_rule *rule, const struct signing *signing, struct err *err)
{
	struct look l = {.c = c, .roster = roster, .signing = signing, .rule = rule ? rule : &c->rule};
	enum verdict_state state[VERDICT_SEATS] = {0};
	struct roster_epoch epoch;
	size_t i;
	int rc;

	if (roster_digest(roster, &epoch))
		return reason_set(err, REASON_MEMORY);
	if (memcmp(&epoch, &c->epoch, sizeof(epoch)) != 0)
		return reason_set(err, REASON_EPOCH);
	verdict_seats_draw(roster, l.rule, c->target, &l.seats);
	for (i = 0; i < c->votes; i++) {
		rc = vote_check(&l, i, err);
		if (rc)
			return rc;
	}
	for (i = 0; i < c->votes; i++)
		if (counts(&l, &c->vote[i]))
			state[verdict_seat_of(&l.seats, c->vote[i].voter)] = c->state;
	return verdict_decide(&l.seats, l.rule->mode, state) == c->state ? 0 : reason_set(err, REASON_FEW);
}

int verdict_verify(const void *bytes, size_t len, const struct roster *roster, const struct signing *signing,
		   struct verdict_certificate *ret, struct err *err)
{
	struct verdict_certificate c;
	int rc;

	if (verdict_certificate_decode(bytes, len, &c))
		return reason_set(err, REASON_MALFORMED);
	rc = verdict_certificate_verify(&c, roster, NULL, signing, err);
	if (!rc && ret)
		*ret = c;
	return rc;
}

void verdict_certificate_cut(struct verdict_certificate *c, const struct verdict_seats *seats)
{
	enum verdict_state state[VERDICT_SEATS] = {0};
	int seat[VERDICT_VOTES];
	size_t i;

	if (c->rule.mode == VERDICT_MODE_PROOF && c->state == VERDICT_DOWN)
		return;
	for (i = 0; i < c->votes; i++) {
		seat[i] = c->vote[i].about ? -1 : verdict_seat_of(seats, c->vote[i].voter);
		if (seat[i] >= 0)
			state[seat[i]] = c->state;
	}
	for (i = c->votes; i--;) {
		if (seat[i] >= 0) {
			state[seat[i]] = VERDICT_NONE;
			if (verdict_decide(seats, c->rule.mode, state) != c->state) {
				state[seat[i]] = c->state;
				continue;
			}
		}
		c->vote[i] = c->vote[--c->votes];
	}
}
