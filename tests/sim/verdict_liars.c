// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Observers that lie, see verdict_world.h. Not here: honest ones (verdict_world.c).
 */
#include "verdict_private.h"

#define TICK_MS 1000

const char *verdict_lie_text(enum verdict_lie lie)
{
	static const char *const text[] = {
#define VERDICT_LIE_TEXT(id, help) [VERDICT_LIE_##id] = (help),
		STARLING_VERDICT_LIES(VERDICT_LIE_TEXT)
#undef VERDICT_LIE_TEXT
	};

	return text[lie];
}

static struct item *lie_vote(struct verdict_world *w, size_t node, size_t target, enum verdict_state state)
{
	struct node *n = &w->node[node];
	struct verdict_vote vote = {
		.target = verdict_world_target(target),
		.voter = n->signer.id,
		.number = {1, 1000 + node, n->counter},
		.state = state,
		.evidence = state == VERDICT_UP ? VERDICT_GOOD : VERDICT_TIMEOUT,
	};
	__u8 bytes[VERDICT_VOTE_BYTES];
	int len;

	assert_int_equal(roster_digest(&w->roster, &vote.epoch), 0);
	assert_int_equal(verdict_vote_sign(&vote, &n->signer.signing), 0);
	len = verdict_vote_encode(&vote, bytes, sizeof(bytes));
	assert_true(len > 0);
	return verdict_item(ITEM_VOTE, bytes, (size_t)len);
}

/* To everybody at once, and for good. */
static void lie_tell(struct verdict_world *w, size_t node, size_t target, enum verdict_state state)
{
	struct item *item;

	w->node[node].counter++;
	item = lie_vote(w, node, target, state);
	for (size_t to = 0; to < w->options.nodes; to++)
		if (to != node)
			verdict_send(w, node, to, item);
	verdict_spread(w, node, node, item);
	verdict_item_drop(item);
}

static void lie_both(struct verdict_world *w, size_t node, size_t target)
{
	struct item *up, *down;

	w->node[node].counter++;
	up = lie_vote(w, node, target, VERDICT_UP);
	down = lie_vote(w, node, target, VERDICT_DOWN);
	for (size_t to = 0; to < w->options.nodes; to++)
		if (to != node)
			verdict_send(w, node, to, to % 2 ? up : down);
	verdict_item_drop(up);
	verdict_item_drop(down);
}

static void lie_replay(struct verdict_world *w, size_t node)
{
	struct node *n = &w->node[node];

	for (size_t i = 0; i < 8 && n->recorded_count; i++)
		verdict_send(w, node, verdict_world_draw(w, (__u32)w->options.nodes),
			     n->recorded[verdict_world_draw(w, (__u32)n->recorded_count)]);
}

static void lie_on(struct verdict_world *w, size_t node, size_t target)
{
	struct node *n = &w->node[node];
	struct verdict_seats seats;

	verdict_seats_draw(&w->roster, &w->options.rule, verdict_world_target(target), &seats);
	if (verdict_seat_of(&seats, n->signer.id) < 0)
		return;
	switch (w->options.lie) {
	case VERDICT_LIE_DOWN:
	case VERDICT_LIE_REPLAY:
		if (!n->told)
			lie_tell(w, node, target, VERDICT_DOWN);
		break;
	case VERDICT_LIE_UP:
		if (!n->told)
			lie_tell(w, node, target, VERDICT_UP);
		break;
	case VERDICT_LIE_FLAP:
		lie_tell(w, node, target, n->says_down ? VERDICT_DOWN : VERDICT_UP);
		break;
	case VERDICT_LIE_EQUIVOCATE:
		lie_both(w, node, target);
		break;
	case VERDICT_LIE_SILENT:
	case VERDICT_LIES:
		break;
	}
}

void verdict_liar_ticks(struct verdict_world *w, size_t node)
{
	struct node *n = &w->node[node];

	n->says_down = !n->says_down;
	for (size_t target = 0; target < w->options.targets; target++)
		lie_on(w, node, target);
	n->told = true;
	if (w->options.lie == VERDICT_LIE_REPLAY)
		lie_replay(w, node);
	verdict_job(w, TICK_MS * 1000, node, JOB_LIE);
}

void verdict_liar_hears(struct verdict_world *w, size_t node, struct item *item)
{
	struct node *n = &w->node[node];
	size_t at = n->recorded_count;

	if (w->options.lie != VERDICT_LIE_REPLAY || item->what != ITEM_VOTE)
		return;
	if (at == RECORDED)
		at = verdict_world_draw(w, RECORDED);
	else
		n->recorded_count++;
	verdict_item_drop(n->recorded[at]);
	n->recorded[at] = verdict_item_hold(item);
}
