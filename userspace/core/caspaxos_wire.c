// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Between the register's structures and what nanopb makes of the schema. Not here: the schema (starling/wire.proto).
 */
#include "core/caspaxos_wire.h"

#include <errno.h>
#include <pb_decode.h>
#include <pb_encode.h>
#include <string.h>

#include "wire.pb.h"

_Static_assert(sizeof(((starling_Value *)0)->done) / sizeof(uint64_t) == CASPAXOS_DONES, "wire.options");
_Static_assert(sizeof(((starling_Value *)0)->voter) / sizeof(starling_Voter) == CASPAXOS_VOTERS, "wire.options");
_Static_assert(sizeof(((starling_Register *)0)->lives) / sizeof(uint64_t) == CASPAXOS_VOTERS, "wire.options");
_Static_assert(sizeof(((starling_Register *)0)->noted) / sizeof(starling_Life) == CASPAXOS_NOTED, "wire.options");
_Static_assert(sizeof(((starling_Value *)0)->bytes.bytes) == CASPAXOS_BYTES, "wire.options");

static starling_Ballot ballot_to_wire(struct ballot b)
{
	return (starling_Ballot){.round = b.round, .proposer = b.proposer};
}

static struct ballot ballot_from_wire(const starling_Ballot *b)
{
	return (struct ballot){b->round, b->proposer};
}

static bool value_to_wire(const struct caspaxos_value *v, starling_Value *ret)
{
	if (v->voters > CASPAXOS_VOTERS || v->len > CASPAXOS_BYTES)
		return false;
	ret->id = v->id;
	ret->version = v->version;
	ret->done_count = v->version ? CASPAXOS_DONES : 0;
	memcpy(ret->done, v->done, sizeof(ret->done));
	ret->voter_count = (pb_size_t)v->voters;
	for (__u32 i = 0; i < v->voters; i++)
		ret->voter[i] = (starling_Voter){.node = v->voter[i].node, .store = v->voter[i].store};
	ret->bytes.size = (pb_size_t)v->len;
	memcpy(ret->bytes.bytes, v->bytes, v->len);
	return true;
}

static void value_from_wire(const starling_Value *v, struct caspaxos_value *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->id = v->id;
	ret->version = v->version;
	memcpy(ret->done, v->done, v->done_count * sizeof(ret->done[0]));
	ret->voters = v->voter_count;
	for (__u32 i = 0; i < v->voter_count; i++)
		ret->voter[i] = (struct voter){v->voter[i].node, v->voter[i].store};
	ret->len = v->bytes.size;
	memcpy(ret->bytes, v->bytes.bytes, v->bytes.size);
}

static int write_out(const pb_msgdesc_t *fields, const void *from, void *bytes, size_t room)
{
	pb_ostream_t stream = pb_ostream_from_buffer(bytes, room);

	return pb_encode(&stream, fields, from) ? (int)stream.bytes_written : -EMSGSIZE;
}

static int register_read(const void *bytes, size_t len, starling_Register *ret)
{
	pb_istream_t stream = pb_istream_from_buffer(bytes, len);

	return pb_decode(&stream, starling_Register_fields, ret) ? 0 : -EBADMSG;
}

int caspaxos_encode(const struct caspaxos_message *m, void *bytes, size_t room)
{
	starling_Register r = starling_Register_init_zero;
	size_t i;

	r.kind = m->kind;
	r.id = m->id;
	r.store = m->store;
	r.life = m->life;
	for (i = 0; i < CASPAXOS_VOTERS; i++)
		if (m->lives[i])
			r.lives_count = (pb_size_t)(i + 1);
	memcpy(r.lives, m->lives, sizeof(r.lives));
	r.version = m->version;
	r.has_ballot = m->ballot.round;
	r.ballot = ballot_to_wire(m->ballot);
	r.has_accepted = m->accepted.round;
	r.accepted = ballot_to_wire(m->accepted);
	r.has_value = m->value.version;
	r.has_decided = m->decided.version;
	if (!value_to_wire(&m->value, &r.value) || !value_to_wire(&m->decided, &r.decided))
		return -EMSGSIZE;
	return write_out(starling_Register_fields, &r, bytes, room);
}

int caspaxos_decode(const void *bytes, size_t len, struct caspaxos_message *ret)
{
	starling_Register r = starling_Register_init_zero;

	if (register_read(bytes, len, &r) || !r.kind)
		return -EBADMSG;
	*ret = (struct caspaxos_message){.kind = r.kind,
					 .id = r.id,
					 .store = r.store,
					 .life = r.life,
					 .version = r.version,
					 .ballot = ballot_from_wire(&r.ballot),
					 .accepted = ballot_from_wire(&r.accepted)};
	memcpy(ret->lives, r.lives, r.lives_count * sizeof(ret->lives[0]));
	value_from_wire(&r.value, &ret->value);
	value_from_wire(&r.decided, &ret->decided);
	return 0;
}

int caspaxos_state_encode(const struct caspaxos_state *s, void *bytes, size_t room)
{
	starling_Register r = starling_Register_init_zero;

	r.store = s->store;
	r.life = s->life;
	r.sure = s->sure;
	for (size_t i = 0; i < CASPAXOS_NOTED; i++)
		if (s->noted[i].store)
			r.noted[r.noted_count++] = (starling_Life){s->noted[i].store, s->noted[i].life};
	r.has_ballot = r.has_accepted = r.has_value = r.has_decided = true;
	r.ballot = ballot_to_wire(s->promised);
	r.accepted = ballot_to_wire(s->ballot);
	if (!value_to_wire(&s->accepted, &r.value) || !value_to_wire(&s->decided, &r.decided))
		return -EMSGSIZE;
	return write_out(starling_Register_fields, &r, bytes, room);
}

int caspaxos_state_decode(const void *bytes, size_t len, struct caspaxos_state *ret)
{
	starling_Register r = starling_Register_init_zero;
	struct caspaxos_state s = {0};

	if (register_read(bytes, len, &r) || r.kind || !r.store)
		return -EBADMSG;
	s.store = r.store;
	s.life = r.life;
	s.sure = r.sure;
	for (size_t i = 0; i < r.noted_count; i++)
		s.noted[i] = (struct caspaxos_life){r.noted[i].store, r.noted[i].life};
	s.promised = ballot_from_wire(&r.ballot);
	s.ballot = ballot_from_wire(&r.accepted);
	value_from_wire(&r.value, &s.accepted);
	value_from_wire(&r.decided, &s.decided);
	if (s.sure > CASPAXOS_PARTLY)
		return -EBADMSG;
	if ((s.decided.version && !caspaxos_value_check(&s.decided)) ||
	    (s.ballot.round && !caspaxos_value_check(&s.accepted)))
		return -EBADMSG;
	*ret = s;
	return 0;
}

int caspaxos_value_encode(const struct caspaxos_value *v, void *bytes, size_t room)
{
	starling_Value w = starling_Value_init_zero;

	return value_to_wire(v, &w) ? write_out(starling_Value_fields, &w, bytes, room) : -EMSGSIZE;
}

int caspaxos_value_decode(const void *bytes, size_t len, struct caspaxos_value *ret)
{
	pb_istream_t stream = pb_istream_from_buffer(bytes, len);
	starling_Value w = starling_Value_init_zero;
	struct caspaxos_value v;

	if (!pb_decode(&stream, starling_Value_fields, &w))
		return -EBADMSG;
	value_from_wire(&w, &v);
	if (!caspaxos_value_check(&v))
		return -EBADMSG;
	*ret = v;
	return 0;
}
