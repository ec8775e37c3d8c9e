// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pages by the sealed stream, where so many differ that messages would take long: a node that has just come, a flock
 * that heals. TCP, at the address and port of the gossip. Not here: the stream (io/bulk.h), when much differs
 * (core/flock.h), objects and audit logs by the same stream (peers_objects.c,
 * peers_logs.c).
 *
 *	caller	LIST ... LISTED			what it has
 *	called	PAGES ... LIST ... LISTED	what the caller lacks, and what it has itself
 *	caller	PAGES ... END
 *	called	END
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/peers_stream.h"
#include "io/sockaddr.h"

#define BULK_MS		10000  /* then a stream ends, whatever it does */
#define BULK_CONNECT_MS 1000   /* and one that is not even there yet */
#define BULK_FAILED_MS	30000  /* messages do for so long after a call that came to nothing */
#define BULK_PAUSE_MS	2000   /* from one that came to its end to the next call */
#define BULK_LISTED_MAX 262144 /* pages of a peer */

/* --- ends --- */

static void on_stream_closed(uv_handle_t *handle)
{
	struct stream *s = handle->data;
	struct bulks *b = s->bulks;

	bulk_free(s->bulk);
	free(s->theirs);
	free(s);
	if (!--b->handles)
		free(b);
}

static void stream_end(struct stream *s)
{
	struct bulks *b = s->bulks;
	bool pages;

	if (s->closing)
		return;
	s->closing = true;
	for (size_t i = 0; i < BULK_STREAMS; i++)
		if (b->stream[i] == s)
			b->stream[i] = NULL;
	if (s->log_job)
		peers_log_forget(s);
	pages = s->caller && !s->fetch && !s->log;
	if (s->fetch)
		peers_fetch_end(s);
	if (s->log)
		peers_log_end(s);
	if (s->done && pages) /* what it could not bring, messages and their budget may */
		b->after.ns = mono_now().ns + BULK_PAUSE_MS * 1000000ull;
	if (s->done && b->p)
		b->p->streams[s->caller]++;
	else if (pages)
		b->after.ns = mono_now().ns + BULK_FAILED_MS * 1000000ull;
	uv_close((uv_handle_t *)&s->tcp, on_stream_closed);
}

static void reject(struct stream *s, int why)
{
	char text[ENDPOINT_TEXT_BYTES];

	s->bulks->p->stream_rejected[why]++;
	log_debug("flock: a stream with %s is ended: %s", endpoint_format(&s->at, text),
		  why < BULK_COUNTS ? bulk_count_label((enum bulk_count)why) : "too much");
	stream_end(s);
}

/* --- frames --- */

struct written {
	uv_write_t req;
	__u8 bytes[];
};

static void on_written(uv_write_t *req, int status)
{
	(void)status; /* the reader hears of a broken connection */
	free(req->data);
}

static void on_write(void *arg, const void *bytes, size_t len)
{
	struct stream *s = arg;
	struct written *w = malloc(sizeof(*w) + len);
	uv_buf_t buf;

	if (!w)
		return; /* the next frame does not open: it ends there */
	memcpy(w->bytes, bytes, len);
	w->req.data = w;
	buf = uv_buf_init((char *)w->bytes, (unsigned int)len);
	if (uv_write(&w->req, (uv_stream_t *)&s->tcp, &buf, 1, on_written))
		free(w);
}

static int on_keys(void *arg, __u64 peer, __u32 ring, __u8 to[SEAL_KEY_BYTES], __u8 from[SEAL_KEY_BYTES])
{
	struct stream *s = arg;

	return channel_pair_keys(s->bulks->p->channel, peer, ring, to, from);
}

/* Return: 0, or -ENOMEM. */
static int list_send(struct stream *s)
{
	const struct page_store *store = flock_pages(s->bulks->p->flock);
	size_t room = page_store_pages(store), count, i, n;
	struct page_summary *list = calloc(room + 1, sizeof(*list));
	const size_t most = BULK_FRAME_BYTES / sizeof(*list);
	struct page_mask all;

	if (!list)
		return -ENOMEM;
	memset(&all, 0xff, sizeof(all));
	count = page_store_list(store, &all, list, room);
	for (i = 0; i < count; i += n) {
		n = count - i < most ? count - i : most;
		bulk_send(s->bulk, FRAME_LIST, list + i, n * sizeof(*list));
	}
	free(list);
	return bulk_send(s->bulk, FRAME_LISTED, NULL, 0);
}

static void pages_send(struct stream *s, const struct page_bytes *page, size_t count)
{
	__u8 frame[BULK_FRAME_BYTES];
	size_t len = 0, i;
	__le16 bytes;

	for (i = 0; i < count; i++) {
		if (len + sizeof(bytes) + page[i].len > sizeof(frame)) {
			bulk_send(s->bulk, FRAME_PAGES, frame, len);
			len = 0;
		}
		bytes = htole16((__u16)page[i].len);
		memcpy(frame + len, &bytes, sizeof(bytes));
		memcpy(frame + len + sizeof(bytes), page[i].bytes, page[i].len);
		len += sizeof(bytes) + page[i].len;
	}
	if (len)
		bulk_send(s->bulk, FRAME_PAGES, frame, len);
}

/* What the peer lacks of all that is here. Return: 0, or -ENOMEM. */
static int lacking_send(struct stream *s)
{
	const struct page_store *store = flock_pages(s->bulks->p->flock);
	size_t room = page_store_pages(store), count = 0;
	struct page_bytes *page = calloc(room + 1, sizeof(*page));
	struct page_mask all;
	int rc = -ENOMEM;

	memset(&all, 0xff, sizeof(all));
	if (page)
		rc = page_store_delta(store, &all, s->theirs, s->count, BULK_BYTES / 2, page, room, &count);
	if (rc >= 0)
		pages_send(s, page, count);
	free(page);
	return rc < 0 ? rc : 0;
}

static int list_take(struct stream *s, const void *bytes, size_t len)
{
	size_t more = len / sizeof(*s->theirs);
	struct page_summary *theirs;

	if (!more || len % sizeof(*theirs) || s->count + more > BULK_LISTED_MAX)
		return -EBADMSG;
	theirs = realloc(s->theirs, (s->count + more) * sizeof(*theirs));
	if (!theirs)
		return -ENOMEM;
	memcpy(theirs + s->count, bytes, len);
	s->theirs = theirs;
	s->count += more;
	return 0;
}

/* As if they had come by messages: the same checks, and news of them go round. */
static int pages_take(struct stream *s, const __u8 *bytes, size_t len)
{
	struct message m = {.kind = MESSAGE_GOSSIP};
	__le16 page;
	size_t at = 0;

	while (at < len) {
		if (len - at < sizeof(page))
			return -EBADMSG;
		memcpy(&page, bytes + at, sizeof(page));
		at += sizeof(page);
		if (!page || le16toh(page) > len - at)
			return -EBADMSG;
		m.page[m.pages++] = (struct page_bytes){bytes + at, le16toh(page)};
		at += le16toh(page);
		if (at < len && m.pages < MESSAGE_PAGES_MAX)
			continue;
		flock_receive(s->bulks->p->flock, mono_now(), &s->at, bulk_peer(s->bulk), &m);
		m.pages = 0;
	}
	return 0;
}

static int listed_take(struct stream *s)
{
	int rc;

	s->listed = true;
	rc = lacking_send(s);
	if (rc)
		return rc;
	return s->caller ? bulk_send(s->bulk, FRAME_END, NULL, 0) : list_send(s);
}

static int on_frame(void *arg, __u8 type, const void *bytes, size_t len)
{
	struct stream *s = arg;

	s->heard = true;
	s->bytes += len; /* inflated: what is cheap to send is not cheap to hear */
	if (s->done || s->bytes > BULK_BYTES)
		return -EBADMSG;
	switch (type) {
	case FRAME_LIST:
		return s->listed ? -EBADMSG : list_take(s, bytes, len);
	case FRAME_LISTED:
		return s->listed ? -EBADMSG : listed_take(s);
	case FRAME_PAGES:
		return pages_take(s, bytes, len);
	case FRAME_END:
		s->done = true;
		return s->caller ? 0 : bulk_send(s->bulk, FRAME_END, NULL, 0);
	case FRAME_WANT:
		return peers_wanted(s, bytes, len);
	case FRAME_OBJECT:
		return peers_object(s, bytes, len);
	case FRAME_LOG_WANT:
		return peers_log_wanted(s);
	case FRAME_LOG:
		return peers_log_piece(s, bytes, len);
	default:
		return 0; /* of a later version */
	}
}

static void on_ready(void *arg)
{
	struct stream *s = arg;

	if (s->fetch)
		peers_fetch_ready(s);
	else if (s->log)
		peers_log_ready(s);
	else
		list_send(s);
}

/* --- connections --- */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct stream *s = handle->data;

	(void)suggested;
	*ret = uv_buf_init((char *)s->in, sizeof(s->in));
}

static void on_bytes(uv_stream_t *tcp, ssize_t len, const uv_buf_t *buf)
{
	struct stream *s = tcp->data;
	struct peers *p = s->bulks->p;
	int why;

	if (!p) {
		stream_end(s);
		return;
	}
	pthread_mutex_lock(&p->lock);
	if (len < 0) {
		stream_end(s);
		pthread_mutex_unlock(&p->lock);
		return;
	}
	s->bytes += (size_t)len;
	why = s->bytes > BULK_BYTES ? BULK_COUNTS : bulk_receive(s->bulk, buf->base, (size_t)len);
	if (why >= 0)
		reject(s, why);
	else if (s->done && s->caller)
		stream_end(s);
	peers_step(p);
	pthread_mutex_unlock(&p->lock);
}

/* Return: 0, or an error of libuv. The handle is of @at's version, and of the device that gossip goes through. */
static int tcp_open(struct bulks *b, uv_tcp_t *tcp, const struct endpoint *at, __be16 port, void *data)
{
	struct peers *p = b->p;
	struct endpoint own = {.addr = p->settings.at.addr, .port = port};
	struct sockaddr_storage sa;
	const char *device = p->settings.device;
	uv_os_fd_t fd;
	int rc = uv_tcp_init_ex(loop_uv(p->d->loop), tcp, addr_is_v4(&at->addr) ? AF_INET : AF_INET6);

	if (rc)
		return rc;
	b->handles++;
	tcp->data = data;
	uv_tcp_nodelay(tcp, 1); /* small messages go to and fro: one that waited for an acknowledgement waited 40 ms */
	uv_fileno((uv_handle_t *)tcp, &fd);
	if (device[0] && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)))
		return -errno;
	sockaddr_make(&own, &sa);
	return uv_tcp_bind(tcp, (const struct sockaddr *)&sa, 0);
}

static struct stream *stream_new(struct bulks *b, bool caller, const struct endpoint *at)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->bulks = b;
	s->caller = caller;
	s->at = *at;
	s->since = mono_now();
	return s;
}

/* Both ends talk from now on. */
static void stream_begin(struct stream *s, __u64 peer)
{
	const struct bulk_hooks hooks = {s, on_write, on_keys, on_ready, on_frame};
	struct peers *p = s->bulks->p;

	s->bulk = bulk_new(p->identity.id, peer, p->ring.used, &hooks);
	if (!s->bulk || uv_read_start((uv_stream_t *)&s->tcp, on_room, on_bytes))
		stream_end(s);
}

static void on_called(uv_stream_t *listener, int status)
{
	struct bulks *b = listener->data;
	struct sockaddr_storage sa;
	int len = sizeof(sa);
	struct stream *s;
	size_t i = BULK_CALLS;

	if (status || !b->p)
		return;
	s = stream_new(b, false, &(struct endpoint){0});
	if (!s)
		return;
	if (uv_tcp_init(loop_uv(b->p->d->loop), &s->tcp)) {
		free(s);
		return;
	}
	b->handles++;
	s->tcp.data = s;
	while (i < BULK_STREAMS && b->stream[i])
		i++;
	if (uv_accept(listener, (uv_stream_t *)&s->tcp) || uv_tcp_getpeername(&s->tcp, (struct sockaddr *)&sa, &len)) {
		stream_end(s);
		return;
	}
	uv_tcp_nodelay(&s->tcp, 1);
	s->at = sockaddr_endpoint((const struct sockaddr *)&sa);
	pthread_mutex_lock(&b->p->lock);
	if (i == BULK_STREAMS) {
		reject(s, BULK_COUNTS);
	} else {
		b->stream[i] = s;
		stream_begin(s, 0);
	}
	pthread_mutex_unlock(&b->p->lock);
}

/* Whom a stream is to reach, until the connection stands. */
struct call {
	struct stream *s;
	__u64 peer;
};

static void on_connected(uv_connect_t *req, int status)
{
	struct call *call = req->data;
	struct stream *s = call->s;
	struct peers *p = s->bulks->p;

	if (status || !p) {
		stream_end(s);
	} else {
		pthread_mutex_lock(&p->lock);
		stream_begin(s, call->peer);
		pthread_mutex_unlock(&p->lock);
	}
	free(call);
}

int peers_call(struct bulks *b, enum bulk_call which, __u64 peer, const struct endpoint *at, struct fetch *fetch)
{
	struct call *call = calloc(1, sizeof(*call));
	struct stream *s = call ? stream_new(b, true, at) : NULL;
	struct sockaddr_storage sa;

	if (!s) {
		free(call);
		return -ENOMEM;
	}
	*call = (struct call){s, peer};
	s->connect.data = call;
	b->stream[which] = s;
	sockaddr_make(at, &sa);
	if (!tcp_open(b, &s->tcp, at, 0, s) &&
	    !uv_tcp_connect(&s->connect, &s->tcp, (const struct sockaddr *)&sa, on_connected)) {
		s->fetch = fetch;
		return 0;
	}
	free(call);
	if (s->tcp.data) {
		stream_end(s);
	} else { /* there is not even a socket */
		b->stream[which] = NULL;
		free(s);
	}
	return -EIO;
}

bool peers_bulk(void *arg, __u64 peer, const struct endpoint *at)
{
	struct peers *p = arg;
	struct bulks *b = p->bulks;

	if (!b || mono_now().ns < b->after.ns)
		return false;
	if (b->stream[BULK_PAGES])
		return true; /* one after the other */
	return !peers_call(b, BULK_PAGES, peer, at, NULL);
}

/* --- the life of it --- */

static void on_listener_closed(uv_handle_t *handle)
{
	struct bulks *b = handle->data;

	if (!--b->handles)
		free(b);
}

void peers_bulk_open(struct peers *p)
{
	struct bulks *b = calloc(1, sizeof(*b));
	char text[ENDPOINT_TEXT_BYTES];
	int rc;

	if (!b)
		return;
	b->p = p;
	rc = tcp_open(b, &b->listener, &p->settings.at, p->settings.at.port, b);
	if (!rc)
		rc = uv_listen((uv_stream_t *)&b->listener, BULK_CALLED, on_called);
	p->bulks = b;
	if (!rc)
		return;
	log_error("flock: no streams at %s, messages do: %s", endpoint_format(&p->settings.at, text), uv_strerror(rc));
	peers_bulk_close(p);
}

void peers_bulk_step(struct peers *p, struct mono now)
{
	for (size_t i = 0; p->bulks && i < BULK_STREAMS; i++) {
		struct stream *s = p->bulks->stream[i];

		if (s && mono_ms(s->since, now) >= (s->heard || (s->caller && s->bulk) ? BULK_MS : BULK_CONNECT_MS))
			reject(s, BULK_COUNTS);
	}
}

void peers_bulk_close(struct peers *p)
{
	struct bulks *b = p->bulks;

	if (!b)
		return;
	p->bulks = NULL;
	b->p = NULL;
	for (size_t i = 0; i < BULK_STREAMS; i++)
		if (b->stream[i])
			stream_end(b->stream[i]);
	if (b->listener.data)
		uv_close((uv_handle_t *)&b->listener, on_listener_closed);
	else if (!b->handles)
		free(b);
}
