// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Between votes, certificates and proofs and what nanopb makes of the schema. Not here: the schema
 * (starling/wire.proto).
 */
#include <endian.h>
#include <errno.h>
#include <pb_decode.h>
#include <pb_encode.h>
#include <string.h>

#include "core/verdict_vote.h"
#include "wire.pb.h"

_Static_assert(sizeof(((starling_Certificate *)0)->vote) / sizeof(starling_Vote) == VERDICT_VOTES, "wire.options");
_Static_assert(sizeof(((starling_Certificate *)0)->site) == STARLING_NAME_BYTES, "wire.options");
_Static_assert(sizeof(((starling_Certificate *)0)->epoch.bytes) == sizeof(struct roster_epoch), "wire.options");
_Static_assert(sizeof(((starling_Vote *)0)->signature.bytes) == SIGNATURE_BYTES, "wire.options");
_Static_assert(starling_Vote_size <= VERDICT_VOTE_BYTES, "room");
_Static_assert(starling_Certificate_size <= VERDICT_CERTIFICATE_BYTES, "room");

/* @alone: no certificate around it says target and epoch. */
static starling_Vote vote_to_wire(const struct verdict_vote *v, bool alone)
{
	starling_Vote w = {
		.target = alone ? v->target : 0,
		.voter = v->voter,
		.incarnation = v->number.incarnation,
		.boot = v->number.boot,
		.counter = v->number.counter,
		.state = v->state,
		.evidence = v->evidence,
		.about = v->about,
		.date = v->date_ms,
		.signature.size = SIGNATURE_BYTES,
	};
	__le64 epoch;

	memcpy(&epoch, v->epoch.byte, sizeof(epoch));
	w.epoch = alone ? le64toh(epoch) : 0;
	memcpy(w.signature.bytes, v->signature, SIGNATURE_BYTES);
	return w;
}

static bool vote_from_wire(const starling_Vote *w, struct verdict_vote *ret)
{
	__le64 epoch = htole64(w->epoch);

	*ret = (struct verdict_vote){
		.target = w->target,
		.voter = w->voter,
		.number = {w->incarnation, w->boot, w->counter},
		.about = w->about,
		.date_ms = w->date,
		.state = w->state,
		.evidence = w->evidence,
	};
	memcpy(ret->epoch.byte, &epoch, sizeof(epoch));
	memcpy(ret->signature, w->signature.bytes, SIGNATURE_BYTES);
	return w->signature.size == SIGNATURE_BYTES && w->voter && w->incarnation && w->boot && w->counter &&
	       w->state > VERDICT_NONE && w->state < VERDICT_STATE_COUNT && w->evidence < VERDICT_EVIDENCE_COUNT;
}

int verdict_vote_encode(const struct verdict_vote *vote, void *bytes, size_t room)
{
	pb_ostream_t stream = pb_ostream_from_buffer(bytes, room);
	starling_Vote w = vote_to_wire(vote, true);

	return pb_encode(&stream, starling_Vote_fields, &w) ? (int)stream.bytes_written : -EMSGSIZE;
}

int verdict_vote_decode(const void *bytes, size_t len, struct verdict_vote *ret)
{
	pb_istream_t stream = pb_istream_from_buffer(bytes, len);
	starling_Vote w = starling_Vote_init_zero;
	struct verdict_vote vote;

	if (!pb_decode(&stream, starling_Vote_fields, &w) || !vote_from_wire(&w, &vote))
		return -EBADMSG;
	*ret = vote;
	return 0;
}

static int certificate_write(const starling_Certificate *w, void *bytes, size_t room)
{
	pb_ostream_t stream = pb_ostream_from_buffer(bytes, room);

	return pb_encode(&stream, starling_Certificate_fields, w) ? (int)stream.bytes_written : -EMSGSIZE;
}

int verdict_certificate_encode(const struct verdict_certificate *c, void *bytes, size_t room)
{
	starling_Certificate w = {
		.target = c->target,
		.epoch.size = sizeof(c->epoch),
		.state = c->state,
		.mode = c->rule.mode,
		.liars = c->rule.liars,
	};

	if (c->votes > VERDICT_VOTES)
		return -EMSGSIZE;
	memcpy(w.epoch.bytes, c->epoch.byte, sizeof(c->epoch));
	memcpy(w.site, c->rule.site, sizeof(w.site));
	for (size_t i = 0; i < c->votes; i++)
		w.vote[w.vote_count++] = vote_to_wire(&c->vote[i], false);
	return certificate_write(&w, bytes, room);
}

static int certificate_read(const void *bytes, size_t len, starling_Certificate *ret)
{
	pb_istream_t stream = pb_istream_from_buffer(bytes, len);

	return pb_decode(&stream, starling_Certificate_fields, ret) && ret->epoch.size == sizeof(struct roster_epoch)
		       ? 0
		       : -EBADMSG;
}

/* A vote in a certificate says neither target nor epoch: a vote has one text. */
static bool part_from_wire(const starling_Vote *w, __u64 target, const starling_Certificate *of,
			   struct verdict_vote *ret)
{
	if (w->target || w->epoch || !vote_from_wire(w, ret))
		return false;
	ret->target = target;
	memcpy(ret->epoch.byte, of->epoch.bytes, sizeof(ret->epoch.byte));
	return true;
}

int verdict_certificate_decode(const void *bytes, size_t len, struct verdict_certificate *ret)
{
	starling_Certificate w = starling_Certificate_init_zero;
	struct verdict_certificate c = {0};

	if (certificate_read(bytes, len, &w))
		return -EBADMSG;
	if ((w.state != VERDICT_UP && w.state != VERDICT_DOWN) || w.mode >= VERDICT_MODE_COUNT || w.liars < 1 ||
	    w.liars > 2 || !w.vote_count)
		return -EBADMSG;
	c.target = w.target;
	memcpy(c.epoch.byte, w.epoch.bytes, sizeof(c.epoch.byte));
	c.state = w.state;
	c.rule.mode = w.mode;
	c.rule.liars = w.liars;
	memcpy(c.rule.site, w.site, strlen(w.site));
	for (; c.votes < w.vote_count; c.votes++)
		if (!part_from_wire(&w.vote[c.votes], w.target, &w, &c.vote[c.votes]))
			return -EBADMSG;
	*ret = c;
	return 0;
}

/* --- proofs: a Certificate of nothing but an epoch and two votes, which say their targets --- */

int verdict_proof_encode(const struct verdict_vote vote[2], void *bytes, size_t room)
{
	starling_Certificate w = {.epoch.size = sizeof(vote->epoch)};

	memcpy(w.epoch.bytes, vote->epoch.byte, sizeof(vote->epoch));
	for (size_t i = 0; i < 2; i++) {
		w.vote[w.vote_count] = vote_to_wire(&vote[i], true);
		w.vote[w.vote_count++].epoch = 0;
	}
	return certificate_write(&w, bytes, room);
}

static bool proof_read(const void *bytes, size_t len, struct verdict_vote vote[2])
{
	starling_Certificate w = starling_Certificate_init_zero;

	if (certificate_read(bytes, len, &w) || w.state || w.vote_count != 2)
		return false;
	for (size_t i = 0; i < 2; i++) {
		__u64 target = w.vote[i].target;

		w.vote[i].target = 0;
		if (!part_from_wire(&w.vote[i], target, &w, &vote[i]))
			return false;
	}
	return vote[0].voter == vote[1].voter && !page_version_compare(&vote[0].number, &vote[1].number) &&
	       !verdict_vote_same(&vote[0], &vote[1]);
}

int verdict_proof_verify(const void *bytes, size_t len, const struct roster *roster, const struct signing *signing,
			 struct verdict_vote ret_vote[2], __u64 *ret_voter)
{
	const struct roster_node *node;
	struct verdict_vote vote[2];

	if (!proof_read(bytes, len, vote))
		return -EBADMSG;
	node = roster_find_id(roster, vote->voter);
	if (!node)
		return -ENOENT;
	for (size_t i = 0; i < 2; i++)
		if (!verdict_vote_verify(&vote[i], &node->key, signing))
			return -EACCES;
	memcpy(ret_vote, vote, sizeof(vote));
	*ret_voter = vote->voter;
	return 0;
}
