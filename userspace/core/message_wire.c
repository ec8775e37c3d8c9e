// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Between struct message and what nanopb makes of the schema. Pages are not copied: decoded ones point into the
 * datagram. Not here: the schema (starling/wire.proto).
 */
#include "core/message_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pb_decode.h>
#include <pb_encode.h>
#include <string.h>

#include "wire.pb.h"

_Static_assert(sizeof(((starling_Datagram *)0)->update) / sizeof(starling_Update) == MESSAGE_UPDATES_MAX,
	       "wire.options");
_Static_assert(sizeof(((starling_Datagram *)0)->sum) / sizeof(uint64_t) == MESSAGE_SUMS_MAX, "wire.options");
_Static_assert(sizeof(((starling_Datagram *)0)->mask.bytes) == sizeof(struct page_mask), "wire.options");
_Static_assert(sizeof(((starling_Datagram *)0)->summaries.bytes) >= sizeof(((struct message *)0)->summary),
	       "wire.options");
_Static_assert(sizeof(((starling_Update *)0)->address.bytes) == sizeof(struct addr), "wire.options");

static bool pages_encode(pb_ostream_t *stream, const pb_field_t *field, void *const *arg)
{
	const struct message *m = *arg;

	for (size_t i = 0; i < m->pages; i++)
		if (!pb_encode_tag_for_field(stream, field) ||
		    !pb_encode_string(stream, m->page[i].bytes, m->page[i].len))
			return false;
	return true;
}

static bool body_encode(pb_ostream_t *stream, const pb_field_t *field, void *const *arg)
{
	const struct message *m = *arg;

	return !m->body.len ||
	       (pb_encode_tag_for_field(stream, field) && pb_encode_string(stream, m->body.bytes, m->body.len));
}

static void update_to_wire(const struct member_update *u, starling_Update *ret)
{
	*ret = (starling_Update){.id = u->id, .life = u->life, .accuser = u->accuser, .state = u->state};
	if (!u->at.port)
		return;
	ret->port = ntohs(u->at.port);
	ret->address.size = sizeof(u->at.addr);
	memcpy(ret->address.bytes, u->at.addr.byte, sizeof(u->at.addr));
}

int message_encode(const struct message *m, void *bytes, size_t room)
{
	pb_ostream_t stream = pb_ostream_from_buffer(bytes, room);
	starling_Datagram d = starling_Datagram_init_zero;
	struct message *pages = (struct message *)(uintptr_t)m; /* nanopb's argument is not const; it is only read */
	size_t i;

	if (m->updates > MESSAGE_UPDATES_MAX || m->pages > MESSAGE_PAGES_MAX || m->sums > MESSAGE_SUMS_MAX ||
	    m->list > MESSAGE_LIST_MAX)
		return -EMSGSIZE;
	d.kind = m->kind;
	d.number = m->number;
	d.subject = m->subject;
	d.digest = m->digest;
	d.sent_us = m->sent_us;
	d.heard_us = m->heard_us;
	d.asked_us = m->asked_us;
	d.date = m->date;
	d.live = m->live;
	d.update_count = (pb_size_t)m->updates;
	for (i = 0; i < m->updates; i++)
		update_to_wire(&m->update[i], &d.update[i]);
	d.page = (pb_callback_t){.funcs.encode = pages_encode, .arg = pages};
	d.body = (pb_callback_t){.funcs.encode = body_encode, .arg = pages};
	d.sums_first = m->sums_first;
	d.sum_count = (pb_size_t)m->sums;
	memcpy(d.sum, m->sum, m->sums * sizeof(m->sum[0]));
	if (m->kind == MESSAGE_LIST) {
		d.mask.size = sizeof(m->mask);
		memcpy(d.mask.bytes, m->mask.bit, sizeof(m->mask));
		d.summaries.size = (pb_size_t)(m->list * sizeof(m->summary[0]));
		memcpy(d.summaries.bytes, m->summary, d.summaries.size);
	}
	d.ask = m->ask;
	return pb_encode(&stream, starling_Datagram_fields, &d) ? (int)stream.bytes_written : -EMSGSIZE;
}

/* The datagram, read without copying what it is passed over. */
struct reader {
	const __u8 *at;
};

static bool reader_read(pb_istream_t *stream, pb_byte_t *buf, size_t count)
{
	struct reader *r = stream->state;

	if (buf)
		memcpy(buf, r->at, count);
	r->at += count;
	return true;
}

/* Bytes of the datagram. A number in their place comes through a stream of nanopb's own: it is nowhere in it. */
static bool bytes_borrow(pb_istream_t *stream, struct page_bytes *ret)
{
	const struct reader *r = stream->state;

	if (stream->callback != reader_read)
		return false;
	*ret = (struct page_bytes){r->at, stream->bytes_left};
	return pb_read(stream, NULL, stream->bytes_left);
}

static bool page_decode_one(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
	struct message *m = *arg;

	(void)field;
	return m->pages < MESSAGE_PAGES_MAX && bytes_borrow(stream, &m->page[m->pages++]);
}

static bool body_decode(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
	struct message *m = *arg;

	(void)field;
	return bytes_borrow(stream, &m->body);
}

/* Return: whether it makes sense. */
static bool update_from_wire(const starling_Update *u, struct member_update *ret)
{
	*ret = (struct member_update){.id = u->id, .life = u->life, .accuser = u->accuser, .state = u->state};
	if (!u->address.size && !u->port)
		return true;
	if (u->address.size != sizeof(ret->at.addr) || !u->port || u->port > 0xffff)
		return false;
	memcpy(ret->at.addr.byte, u->address.bytes, sizeof(ret->at.addr));
	ret->at.port = htons((__u16)u->port);
	return true;
}

static bool list_from_wire(const starling_Datagram *d, struct message *ret)
{
	if (d->summaries.size % sizeof(ret->summary[0]) || (d->mask.size && d->mask.size != sizeof(ret->mask)))
		return false;
	memcpy(ret->mask.bit, d->mask.bytes, d->mask.size);
	ret->list = d->summaries.size / sizeof(ret->summary[0]);
	memcpy(ret->summary, d->summaries.bytes, d->summaries.size);
	return true;
}

int message_decode(const void *bytes, size_t len, struct message *ret)
{
	struct reader reader = {bytes};
	pb_istream_t stream = {.callback = reader_read, .state = &reader, .bytes_left = len};
	starling_Datagram d = starling_Datagram_init_zero;
	size_t i;

	memset(ret, 0, sizeof(*ret));
	d.page = (pb_callback_t){.funcs.decode = page_decode_one, .arg = ret};
	d.body = (pb_callback_t){.funcs.decode = body_decode, .arg = ret};
	if (!pb_decode(&stream, starling_Datagram_fields, &d) || !d.kind || !list_from_wire(&d, ret))
		return -EBADMSG;
	ret->kind = d.kind;
	ret->number = d.number;
	ret->subject = d.subject;
	ret->digest = d.digest;
	ret->sent_us = d.sent_us;
	ret->heard_us = d.heard_us;
	ret->asked_us = d.asked_us;
	ret->date = d.date;
	ret->live = d.live;
	ret->updates = d.update_count;
	for (i = 0; i < d.update_count; i++)
		if (!update_from_wire(&d.update[i], &ret->update[i]))
			return -EBADMSG;
	ret->sums_first = d.sums_first;
	ret->sums = d.sum_count;
	memcpy(ret->sum, d.sum, d.sum_count * sizeof(ret->sum[0]));
	ret->ask = d.ask;
	return 0;
}
