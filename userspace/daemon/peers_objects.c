// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Objects of an agreed configuration by the sealed stream: who lacks some asks one that has them. Not here: the stream
 * (io/bulk.h), its connections (peers_bulk.c), what objects say (core/intent.h).
 *
 *	caller	WANT		names, ascending: of the root, then of what that names, and so on
 *	called	OBJECT ...	in the order asked for, in pieces; of length 0: it has none
 *	caller	END, when it lacks nothing more
 *	called	END
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agree.h"
#include "daemon/peers_stream.h"

#define WANT_MAX     (BULK_FRAME_BYTES / sizeof(struct object_name))
#define OBJECT_PIECE (BULK_FRAME_BYTES - sizeof(struct piece_wire))

/* Before each piece of an object. */
struct piece_wire {
	__le32 len; /* of the whole object */
	__le32 offset;
};

struct fetch {
	struct agree *agree;
	struct object_name root;
	struct object_name *want; /* owned; asked for and not had yet, from @at on */
	size_t wants, at;
	char *text; /* owned; of the one that comes now */
	size_t len, got;
	bool lacks; /* the called one has not all */
	bool whole;
	void (*done)(void *arg, int rc);
	void *arg;
};

static void fetch_free(struct fetch *f)
{
	free(f->want);
	free(f->text);
	free(f);
}

static int name_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct object_name));
}

/* Ask for what lacks now, or end. Return: 0, or -errno. */
static int want_send(struct stream *s)
{
	struct fetch *f = s->fetch;

	f->wants = agree_lacking(f->agree, &f->root, f->want, WANT_MAX);
	f->at = 0;
	f->whole = !f->wants;
	qsort(f->want, f->wants, sizeof(*f->want), name_order);
	if (f->whole)
		return bulk_send(s->bulk, FRAME_END, NULL, 0);
	return bulk_send(s->bulk, FRAME_WANT, f->want, f->wants * sizeof(*f->want));
}

void peers_fetch_ready(struct stream *s)
{
	want_send(s);
}

void peers_fetch_end(struct stream *s)
{
	struct fetch *f = s->fetch;

	s->fetch = NULL;
	f->done(f->arg, f->whole ? 0 : f->lacks ? -ENOENT : -EIO);
	fetch_free(f);
}

static int object_send(struct stream *s, const struct object_name *name)
{
	__u8 frame[BULK_FRAME_BYTES];
	struct piece_wire piece;
	size_t len, offset = 0, n;
	char *text = agree_object(s->bulks->p->d->agree, name, &len);
	int rc = 0;

	if (!text)
		len = 0;
	do {
		n = len - offset < OBJECT_PIECE ? len - offset : OBJECT_PIECE;
		piece = (struct piece_wire){htole32((__u32)len), htole32((__u32)offset)};
		memcpy(frame, &piece, sizeof(piece));
		if (n)
			memcpy(frame + sizeof(piece), text + offset, n);
		s->bytes += sizeof(piece) + n;
		rc = s->bytes > BULK_BYTES ? -EBADMSG : bulk_send(s->bulk, FRAME_OBJECT, frame, sizeof(piece) + n);
		offset += n;
	} while (!rc && offset < len);
	free(text);
	return rc;
}

int peers_wanted(struct stream *s, const void *bytes, size_t len)
{
	struct object_name *want;
	size_t count = len / sizeof(*want);
	int rc = 0;

	if (s->caller || !count || len % sizeof(*want))
		return -EBADMSG;
	want = malloc(len); /* the frame's bytes are gone when the first answer is made */
	if (!want)
		return -ENOMEM;
	memcpy(want, bytes, len);
	for (size_t i = 0; i < count && !rc; i++)
		rc = i && name_order(&want[i - 1], &want[i]) >= 0 ? -EBADMSG : object_send(s, &want[i]);
	free(want);
	return rc;
}

/* All of an object has come. */
static int object_take(struct stream *s)
{
	struct fetch *f = s->fetch;
	int rc = agree_object_add(f->agree, &f->want[f->at], f->text, f->len);

	free(f->text);
	f->text = NULL;
	f->got = 0;
	if (rc)
		return -EBADMSG; /* it is not what was asked for */
	return ++f->at < f->wants ? 0 : want_send(s);
}

int peers_object(struct stream *s, const void *bytes, size_t len)
{
	struct fetch *f = s->fetch;
	struct piece_wire piece;
	size_t all;

	if (!f || f->at >= f->wants || len < sizeof(piece))
		return -EBADMSG;
	memcpy(&piece, bytes, sizeof(piece));
	len -= sizeof(piece);
	all = le32toh(piece.len);
	if (!all) {
		f->lacks = true;
		return -EBADMSG; /* another one may have it */
	}
	if (le32toh(piece.offset) != f->got || all > INTENT_OBJECT_BYTES || len > all - f->got || !len ||
	    (f->text && all != f->len))
		return -EBADMSG;
	if (!f->text)
		f->text = malloc(all);
	if (!f->text)
		return -ENOMEM;
	f->len = all;
	memcpy(f->text + f->got, (const __u8 *)bytes + sizeof(piece), len);
	f->got += len;
	return f->got == all ? object_take(s) : 0;
}

/* --- from any thread --- */

struct request {
	struct peers *p;
	__u64 node;
	struct fetch *fetch;
};

static void fetch_run(void *arg)
{
	struct request *r = arg;
	struct peers *p = r->p;
	struct opinion_view view;
	int rc = -EHOSTUNREACH;

	pthread_mutex_lock(&p->lock);
	if (p->flock && p->bulks && !opinion_state(flock_opinion(p->flock), r->node, &view) && view.at.port)
		rc = p->bulks->stream[BULK_OBJECTS] ? -EBUSY
						    : peers_call(p->bulks, BULK_OBJECTS, r->node, &view.at, r->fetch);
	if (rc) {
		r->fetch->done(r->fetch->arg, rc);
		fetch_free(r->fetch);
	}
	pthread_mutex_unlock(&p->lock);
	free(r);
}

int peers_fetch(struct peers *p, __u64 node, const struct object_name *root, void (*done)(void *arg, int rc), void *arg)
{
	struct request *r = malloc(sizeof(*r));
	struct fetch *f = calloc(1, sizeof(*f));

	if (f)
		f->want = calloc(WANT_MAX, sizeof(*f->want));
	if (!r || !f || !f->want)
		goto fail;
	f->agree = p->d->agree;
	f->root = *root;
	f->done = done;
	f->arg = arg;
	*r = (struct request){p, node, f};
	if (!loop_post(p->d->loop, fetch_run, r))
		return 0;
fail:
	free(r);
	if (f)
		fetch_free(f);
	return -ENOMEM;
}
