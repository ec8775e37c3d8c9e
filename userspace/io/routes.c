// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Next hops of addresses: who is followed, what is to be asked next, who is told. Not here:
 * the messages (routes_netlink.c), the verdict on one target (routes_judge.c).
 *
 * Everything that has to happen is a flag ("want") on a target or neighbour; a timer works
 * them off in slices, and a change only sets flags. So bursts collapse, and losing messages
 * (ENOBUFS) means no more than setting all flags.
 */
#include "io/routes.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/routes_private.h"

#define NUD_SURE (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE)

/* @x joins the queue @what of those about whom that is to be done, or leaves it. */
#define WANT(r, x, what)                                                                                               \
	do {                                                                                                           \
		if (!(x)->want_##what)                                                                                 \
			TAILQ_INSERT_TAIL(&(r)->what, x, what);                                                        \
		(x)->want_##what = true;                                                                               \
	} while (0)
#define DONE(r, x, what)                                                                                               \
	do {                                                                                                           \
		if ((x)->want_##what)                                                                                  \
			TAILQ_REMOVE(&(r)->what, x, what);                                                             \
		(x)->want_##what = false;                                                                              \
	} while (0)

bool routes_wanted(const struct routes *r)
{
	return !TAILQ_EMPTY(&r->get) || !TAILQ_EMPTY(&r->use) || !TAILQ_EMPTY(&r->route) || !TAILQ_EMPTY(&r->judge) ||
	       r->targets.left;
}

/* Makes room for one more pointer at @at. */
static int array_insert(struct routes_array *a, size_t at, void *item)
{
	if (a->count == a->room) {
		size_t room = a->room ? a->room * 2 : 64;
		void **more = realloc(a->item, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		a->item = more;
		a->room = room;
	}
	memmove(a->item + at + 1, a->item + at, (a->count - at) * sizeof(*a->item));
	a->item[at] = item;
	a->count++;
	a->next += at < a->next;
	a->left += a->left > 0;
	return 0;
}

static void array_delete(struct routes_array *a, size_t at)
{
	memmove(a->item + at, a->item + at + 1, (a->count - at - 1) * sizeof(*a->item));
	a->count--;
	a->next -= at < a->next;
	if (a->left > a->count)
		a->left = a->count;
}

/* The walk's next; NULL: it is over. */
static void *array_walk(struct routes_array *a)
{
	if (!a->left)
		return NULL;
	a->left--;
	if (a->next == a->count)
		a->next = 0;
	return a->item[a->next++];
}

/* First index whose address is not below @addr. */
static size_t target_at(const struct routes *r, const struct addr *addr)
{
	size_t low = 0, high = r->targets.count;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct routes_target *t = r->targets.item[mid];

		if (addr_compare(&t->addr, addr) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct routes_target *target_find(const struct routes *r, const struct addr *addr)
{
	size_t at = target_at(r, addr);
	struct routes_target *t = at < r->targets.count ? r->targets.item[at] : NULL;

	return t && addr_equal(&t->addr, addr) ? t : NULL;
}

static size_t neighbour_at(const struct routes *r, __u32 ifindex, const struct addr *addr)
{
	size_t low = 0, high = r->neighbours.count;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct routes_neighbour *n = r->neighbours.item[mid];
		int order = n->ifindex != ifindex ? (n->ifindex < ifindex ? -1 : 1) : addr_compare(&n->addr, addr);

		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct routes_neighbour *routes_neighbour_find(const struct routes *r, __u32 ifindex, const struct addr *addr)
{
	size_t at = neighbour_at(r, ifindex, addr);
	struct routes_neighbour *n = at < r->neighbours.count ? r->neighbours.item[at] : NULL;

	return n && n->ifindex == ifindex && addr_equal(&n->addr, addr) ? n : NULL;
}

static struct routes_neighbour *neighbour_take(struct routes *r, __u32 ifindex, const struct addr *addr)
{
	struct routes_neighbour *n = routes_neighbour_find(r, ifindex, addr);

	if (n)
		return n;
	n = calloc(1, sizeof(*n));
	if (!n || array_insert(&r->neighbours, neighbour_at(r, ifindex, addr), n)) {
		free(n);
		return NULL;
	}
	n->ifindex = ifindex;
	n->addr = *addr;
	LIST_INIT(&n->targets);
	WANT(r, n, get);
	n->use_at_ms = ROUTES_USE_UNKNOWN;
	return n;
}

/* Nobody is behind it any more. */
static void neighbour_drop(struct routes *r, struct routes_neighbour *n)
{
	size_t i;

	array_delete(&r->neighbours, neighbour_at(r, n->ifindex, &n->addr));
	DONE(r, n, get);
	DONE(r, n, use);
	for (i = 0; i < r->pending_count; i++)
		if (r->pending[i].neighbour == n)
			r->pending[i].neighbour = NULL;
	free(n);
}

static void target_behind(struct routes *r, struct routes_target *t, struct routes_neighbour *n)
{
	struct routes_neighbour *old = t->neighbour;

	if (old)
		LIST_REMOVE(t, beside);
	t->neighbour = n;
	if (n)
		LIST_INSERT_HEAD(&n->targets, t, beside);
	if (old && LIST_EMPTY(&old->targets))
		neighbour_drop(r, old);
}

void routes_target_via(struct routes *r, struct routes_target *t, __u32 ifindex, const struct addr *gateway)
{
	bool next_door = ifindex && t->type == RTN_UNICAST && gateway;

	t->ifindex = ifindex;
	target_behind(r, t, next_door ? neighbour_take(r, ifindex, gateway) : NULL);
	WANT(r, t, judge);
}

void routes_neighbour_changed(struct routes *r, struct routes_neighbour *n)
{
	__u64 now = uv_now(loop_uv(r->loop));
	struct routes_target *t;

	LIST_FOREACH(t, &n->targets, beside)
	WANT(r, t, judge);
	if (!(n->state & (NUD_SURE | NUD_INCOMPLETE | NUD_DELAY | NUD_PROBE)) && now >= n->use_at_ms) {
		n->use_at_ms = now + ROUTES_STALE_MS;
		WANT(r, n, use);
	}
	routes_work_soon(r, 0);
}

void routes_want_all(struct routes *r)
{
	r->targets.left = r->targets.count;
	routes_work_soon(r, ROUTES_SETTLE_MS);
}

static bool prefix_covers(const struct addr *prefix, unsigned int bits, const struct addr *a)
{
	unsigned int bytes = bits / 8, rest = bits % 8;

	return !memcmp(prefix->byte, a->byte, bytes) &&
	       (!rest || !((prefix->byte[bytes] ^ a->byte[bytes]) & (0xff00 >> rest) & 0xff));
}

void routes_prefix_changed(struct routes *r, const struct addr *prefix, unsigned int bits)
{
	size_t at;

	if (bits > 128)
		return;
	for (at = target_at(r, prefix); at < r->targets.count; at++) {
		struct routes_target *t = r->targets.item[at];

		if (!prefix_covers(prefix, bits, &t->addr))
			break;
		WANT(r, t, route);
		routes_work_soon(r, ROUTES_SETTLE_MS);
	}
}

static void target_tell(struct routes *r, struct routes_target *t)
{
	struct nexthop now;

	DONE(r, t, judge);
	routes_judge(r, t, &now);
	if (!memcmp(&now, &t->told, sizeof(now)))
		return;
	t->told = now;
	r->changed(r->arg, &t->addr, &t->told);
}

static void send_run(void *arg)
{
	struct routes *r = arg;
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	r->send_error =
		sendto(r->request_fd, r->batch, r->batch_bytes, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0
			? errno
			: 0;
}

static void close_finish(struct routes *r)
{
	if (r->handles || r->sending)
		return;
	while (r->targets.count)
		free(r->targets.item[--r->targets.count]);
	while (r->neighbours.count)
		free(r->neighbours.item[--r->neighbours.count]);
	free(r->targets.item);
	free(r->neighbours.item);
	free(r->device);
	if (r->request_fd >= 0)
		close(r->request_fd);
	if (r->notify_fd >= 0)
		close(r->notify_fd);
	free(r);
}

static void send_done(void *arg)
{
	struct routes *r = arg;

	r->sending = false;
	if (r->closing) {
		close_finish(r);
		return;
	}
	if (r->send_error) {
		r->pending_open = r->pending_count = 0;
		r->want_devices = true;
		routes_want_all(r);
	}
	if (!r->pending_open && routes_wanted(r))
		routes_work_soon(r, 0);
}

/* Packs what is wanted, the most urgent first. */
static void batch_fill(struct routes *r)
{
	struct routes_neighbour *n;
	struct routes_target *t;

	if (r->want_devices) {
		routes_batch_add(r, ROUTES_DEVICES, NULL, NULL);
		r->want_devices = false;
		return; /* lookups need to know the devices */
	}
	while ((n = TAILQ_FIRST(&r->get)) && routes_batch_add(r, ROUTES_GET, NULL, n))
		DONE(r, n, get);
	while ((n = TAILQ_FIRST(&r->use)) && routes_batch_add(r, ROUTES_USE, NULL, n))
		DONE(r, n, use);
	while ((t = TAILQ_FIRST(&r->route)) && routes_batch_add(r, ROUTES_LOOKUP, t, NULL))
		DONE(r, t, route);
}

static void batch_send(struct routes *r)
{
	r->seq += (__u32)r->pending_count;
	r->pending_count = r->batch_bytes = 0;
	batch_fill(r);
	if (!r->pending_count)
		return;
	r->sent_ms = uv_now(loop_uv(r->loop));
	r->sending = !loop_work(r->loop, send_run, send_done, r);
}

/* Every neighbour has a target, so that one walk finds all. */
static void targets_walk(struct routes *r)
{
	struct routes_target *t;
	size_t i;

	for (i = 0; i < ROUTES_WALK && (t = array_walk(&r->targets)); i++) {
		WANT(r, t, route);
		WANT(r, t, judge);
		if (t->neighbour)
			WANT(r, t->neighbour, get);
	}
}

static void work(struct routes *r)
{
	struct routes_target *t;
	size_t judged;

	targets_walk(r);
	for (judged = 0; judged < ROUTES_SLICE && (t = TAILQ_FIRST(&r->judge)); judged++)
		target_tell(r, t);
	if (!r->sending && !r->pending_open)
		batch_send(r);
	if (!TAILQ_EMPTY(&r->judge) || r->targets.left)
		routes_work_soon(r, 1);
}

static void work_timer(uv_timer_t *timer)
{
	work(timer->data);
}

void routes_work_soon(struct routes *r, __u64 after_ms)
{
	if (r->closing ||
	    (uv_is_active((uv_handle_t *)&r->work_timer) && uv_timer_get_due_in(&r->work_timer) <= after_ms))
		return;
	uv_timer_start(&r->work_timer, work_timer, after_ms, 0);
}

static void neighbours_walk(struct routes *r)
{
	__u64 now = uv_now(loop_uv(r->loop));
	struct routes_neighbour *n;
	size_t i;

	for (i = 0; i < ROUTES_WALK && (n = array_walk(&r->neighbours)); i++) {
		if (n->state & NUD_SURE || now < n->use_at_ms)
			continue;
		n->use_at_ms = now + ROUTES_STALE_MS;
		WANT(r, n, get);
		WANT(r, n, use);
	}
}

static void tick_timer(uv_timer_t *timer)
{
	struct routes *r = timer->data;
	__u64 now = uv_now(loop_uv(r->loop));

	if (!r->neighbours.left)
		r->neighbours.left = r->neighbours.count;
	neighbours_walk(r);
	uv_timer_start(timer, tick_timer, r->neighbours.left ? 1 : ROUTES_TICK_MS, 0);
	if (r->pending_open && !r->sending && now - r->sent_ms > ROUTES_ANSWER_MS) {
		r->pending_open = r->pending_count = 0;
		r->want_devices = true;
		routes_want_all(r);
	}
	if (routes_wanted(r))
		routes_work_soon(r, 0);
}

/* libuv stops a poll whose socket reports an error; an overrun is one, and reading has cleared it. */
static void poll_again(uv_poll_t *poll, uv_poll_cb callback)
{
	struct routes *r = poll->data;

	if (!r->closing)
		uv_poll_start(poll, UV_READABLE, callback);
}

static void request_poll(uv_poll_t *poll, int status, int events)
{
	(void)events;
	routes_request_read(poll->data);
	if (status < 0)
		poll_again(poll, request_poll);
}

static void notify_poll(uv_poll_t *poll, int status, int events)
{
	(void)events;
	routes_notify_read(poll->data);
	if (status < 0)
		poll_again(poll, notify_poll);
}

int routes_open(struct loop *loop, routes_changed changed, void *arg, struct routes **ret, struct err *err)
{
	struct routes *r = calloc(1, sizeof(*r));
	int failed;

	if (!r)
		return err_set(err, ENOMEM, "out of memory");
	r->loop = loop;
	r->changed = changed;
	r->arg = arg;
	r->request_fd = r->notify_fd = -1;
	TAILQ_INIT(&r->get);
	TAILQ_INIT(&r->use);
	TAILQ_INIT(&r->route);
	TAILQ_INIT(&r->judge);
	failed = routes_sockets_open(r, err);
	if (failed) {
		close_finish(r);
		return failed;
	}
	uv_poll_init(loop_uv(loop), &r->request_poll, r->request_fd);
	uv_poll_init(loop_uv(loop), &r->notify_poll, r->notify_fd);
	uv_timer_init(loop_uv(loop), &r->work_timer);
	uv_timer_init(loop_uv(loop), &r->tick_timer);
	r->request_poll.data = r->notify_poll.data = r->work_timer.data = r->tick_timer.data = r;
	r->handles = 4;
	r->want_devices = true;
	uv_poll_start(&r->request_poll, UV_READABLE, request_poll);
	uv_poll_start(&r->notify_poll, UV_READABLE, notify_poll);
	uv_timer_start(&r->tick_timer, tick_timer, ROUTES_TICK_MS, 0);
	routes_work_soon(r, 0);
	*ret = r;
	return 0;
}

int routes_add(struct routes *r, const struct addr *to)
{
	struct routes_target *t = target_find(r, to);

	if (!t) {
		t = calloc(1, sizeof(*t));
		if (!t || array_insert(&r->targets, target_at(r, to), t)) {
			free(t);
			return -ENOMEM;
		}
		t->addr = *to;
		WANT(r, t, route);
		routes_judge(r, t, &t->told);
		routes_work_soon(r, 0);
	}
	t->refs++;
	r->changed(r->arg, &t->addr, &t->told);
	return 0;
}

void routes_delete(struct routes *r, const struct addr *to)
{
	struct routes_target *t = target_find(r, to);
	size_t i;

	if (!t || --t->refs)
		return;
	array_delete(&r->targets, target_at(r, to));
	target_behind(r, t, NULL);
	DONE(r, t, route);
	DONE(r, t, judge);
	for (i = 0; i < r->pending_count; i++)
		if (r->pending[i].target == t)
			r->pending[i].target = NULL;
	free(t);
}

const struct nexthop *routes_find(const struct routes *r, const struct addr *to)
{
	const struct routes_target *t = target_find(r, to);

	return t ? &t->told : NULL;
}

static void close_handle(uv_handle_t *handle)
{
	struct routes *r = handle->data;

	r->handles--;
	close_finish(r);
}

void routes_close(struct routes *r)
{
	if (!r)
		return;
	r->closing = true;
	uv_close((uv_handle_t *)&r->request_poll, close_handle);
	uv_close((uv_handle_t *)&r->notify_poll, close_handle);
	uv_close((uv_handle_t *)&r->work_timer, close_handle);
	uv_close((uv_handle_t *)&r->tick_timer, close_handle);
}
