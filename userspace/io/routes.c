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

static void want(struct routes *r, bool *flag)
{
	if (!*flag) {
		*flag = true;
		r->want_count++;
	}
}

static void done(struct routes *r, bool *flag)
{
	if (*flag) {
		*flag = false;
		r->want_count--;
	}
}

/* First index whose address is not below @addr. */
static size_t target_at(const struct routes *r, const struct addr *addr)
{
	size_t low = 0, high = r->target_count, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (addr_compare(&r->target[mid]->addr, addr) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct routes_target *target_find(const struct routes *r, const struct addr *addr)
{
	size_t at = target_at(r, addr);

	return at < r->target_count && addr_equal(&r->target[at]->addr, addr) ? r->target[at] : NULL;
}

static size_t neighbour_at(const struct routes *r, __u32 ifindex, const struct addr *addr)
{
	size_t low = 0, high = r->neighbour_count, mid;

	while (low < high) {
		const struct routes_neighbour *n;
		int order;

		mid = (low + high) / 2;
		n = r->neighbour[mid];
		order = n->ifindex != ifindex ? (n->ifindex < ifindex ? -1 : 1) : addr_compare(&n->addr, addr);
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
	struct routes_neighbour *n = at < r->neighbour_count ? r->neighbour[at] : NULL;

	return n && n->ifindex == ifindex && addr_equal(&n->addr, addr) ? n : NULL;
}

/* Makes room for one more pointer at @at of a sorted array. */
static int array_insert(void ***array, size_t *count, size_t *room, size_t at, void *item)
{
	void **more = *array;

	if (*count == *room) {
		more = realloc(more, (*room ? *room * 2 : 64) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		*array = more;
		*room = *room ? *room * 2 : 64;
	}
	memmove(more + at + 1, more + at, (*count - at) * sizeof(*more));
	more[at] = item;
	(*count)++;
	return 0;
}

static struct routes_neighbour *neighbour_take(struct routes *r, __u32 ifindex, const struct addr *addr)
{
	struct routes_neighbour *n = routes_neighbour_find(r, ifindex, addr);

	if (!n) {
		n = calloc(1, sizeof(*n));
		if (!n || array_insert((void ***)&r->neighbour, &r->neighbour_count, &r->neighbour_room,
				       neighbour_at(r, ifindex, addr), n)) {
			free(n);
			return NULL;
		}
		n->ifindex = ifindex;
		n->addr = *addr;
		want(r, &n->want_get);
		n->use_at_ms = ROUTES_USE_UNKNOWN;
	}
	n->refs++;
	return n;
}

static void neighbour_release(struct routes *r, struct routes_neighbour *n)
{
	size_t at, i;

	if (!n || --n->refs)
		return;
	at = neighbour_at(r, n->ifindex, &n->addr);
	memmove(r->neighbour + at, r->neighbour + at + 1, (r->neighbour_count - at - 1) * sizeof(*r->neighbour));
	r->neighbour_count--;
	done(r, &n->want_get);
	done(r, &n->want_use);
	for (i = 0; i < r->pending_count; i++)
		if (r->pending[i].neighbour == n)
			r->pending[i].neighbour = NULL;
	free(n);
}

int routes_target_via(struct routes *r, struct routes_target *t, __u32 ifindex, const struct addr *gateway)
{
	struct routes_neighbour *old = t->neighbour;

	t->ifindex = ifindex;
	t->neighbour = ifindex && t->type == RTN_UNICAST && gateway ? neighbour_take(r, ifindex, gateway) : NULL;
	neighbour_release(r, old);
	want(r, &t->want_judge);
	return 0;
}

void routes_neighbour_changed(struct routes *r, struct routes_neighbour *n)
{
	struct routes_target *alone = n->refs == 1 ? target_find(r, &n->addr) : NULL;
	__u64 now = uv_now(loop_uv(r->loop));
	size_t i;

	/* On a link without router each target has its own neighbour: no need to look through all. */
	if (alone && alone->neighbour == n)
		want(r, &alone->want_judge);
	else
		for (i = 0; i < r->target_count; i++)
			if (r->target[i]->neighbour == n)
				want(r, &r->target[i]->want_judge);
	if (!(n->state & (NUD_SURE | NUD_INCOMPLETE | NUD_DELAY | NUD_PROBE)) && now >= n->use_at_ms) {
		n->use_at_ms = now + ROUTES_STALE_MS;
		want(r, &n->want_use);
	}
	routes_work_soon(r, 0);
}

void routes_want_route(struct routes *r, struct routes_target *t)
{
	want(r, &t->want_route);
	routes_work_soon(r, ROUTES_SETTLE_MS);
}

void routes_want_all(struct routes *r)
{
	size_t i;

	for (i = 0; i < r->target_count; i++) {
		want(r, &r->target[i]->want_route);
		want(r, &r->target[i]->want_judge);
	}
	for (i = 0; i < r->neighbour_count; i++)
		want(r, &r->neighbour[i]->want_get);
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
	for (at = target_at(r, prefix); at < r->target_count && prefix_covers(prefix, bits, &r->target[at]->addr); at++)
		routes_want_route(r, r->target[at]);
}

static void target_tell(struct routes *r, struct routes_target *t)
{
	struct nexthop now;

	done(r, &t->want_judge);
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
	while (r->target_count)
		free(r->target[--r->target_count]);
	while (r->neighbour_count)
		free(r->neighbour[--r->neighbour_count]);
	free(r->target);
	free(r->neighbour);
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
	if (!r->pending_open && r->want_count)
		routes_work_soon(r, 0);
}

/* Packs what is wanted, the most urgent first. */
static void batch_fill(struct routes *r)
{
	size_t i;

	if (r->want_devices) {
		routes_batch_add(r, ROUTES_DEVICES, NULL, NULL);
		r->want_devices = false;
		return; /* lookups need to know the devices */
	}
	for (i = 0; i < r->neighbour_count; i++) {
		struct routes_neighbour *n = r->neighbour[i];

		if (n->want_get && !routes_batch_add(r, ROUTES_GET, NULL, n))
			return;
		done(r, &n->want_get);
		if (n->want_use && !routes_batch_add(r, ROUTES_USE, NULL, n))
			return;
		done(r, &n->want_use);
	}
	for (i = 0; i < r->target_count; i++) {
		size_t at = (r->route_from + i) % r->target_count;
		struct routes_target *t = r->target[at];

		if (!t->want_route)
			continue;
		if (!routes_batch_add(r, ROUTES_LOOKUP, t, NULL)) {
			r->route_from = at;
			return;
		}
		done(r, &t->want_route);
	}
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

static void work(struct routes *r)
{
	size_t i, judged = 0;

	for (i = 0; i < r->target_count && judged < ROUTES_SLICE; i++) {
		size_t at = (r->judge_from + i) % r->target_count;

		if (r->target[at]->want_judge) {
			target_tell(r, r->target[at]);
			judged++;
		}
	}
	r->judge_from = r->target_count ? (r->judge_from + i) % r->target_count : 0;
	if (!r->sending && !r->pending_open)
		batch_send(r);
	if (judged == ROUTES_SLICE)
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

static void tick_timer(uv_timer_t *timer)
{
	struct routes *r = timer->data;
	__u64 now = uv_now(loop_uv(r->loop));
	size_t i;

	for (i = 0; i < r->neighbour_count; i++) {
		struct routes_neighbour *n = r->neighbour[i];

		if (n->state & NUD_SURE || now < n->use_at_ms)
			continue;
		n->use_at_ms = now + ROUTES_STALE_MS;
		want(r, &n->want_get);
		want(r, &n->want_use);
	}
	if (r->pending_open && !r->sending && now - r->sent_ms > ROUTES_ANSWER_MS) {
		r->pending_open = r->pending_count = 0;
		r->want_devices = true;
		routes_want_all(r);
	}
	if (r->want_count)
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
	uv_timer_start(&r->tick_timer, tick_timer, ROUTES_TICK_MS, ROUTES_TICK_MS);
	routes_work_soon(r, 0);
	*ret = r;
	return 0;
}

int routes_add(struct routes *r, const struct addr *to)
{
	struct routes_target *t = target_find(r, to);

	if (!t) {
		t = calloc(1, sizeof(*t));
		if (!t || array_insert((void ***)&r->target, &r->target_count, &r->target_room, target_at(r, to), t)) {
			free(t);
			return -ENOMEM;
		}
		t->addr = *to;
		want(r, &t->want_route);
		routes_judge(r, t, &t->told);
		routes_work_soon(r, 0);
	}
	t->refs++;
	r->changed(r->arg, &t->addr, &t->told);
	return 0;
}

void routes_delete(struct routes *r, const struct addr *to)
{
	size_t at = target_at(r, to), i;
	struct routes_target *t = target_find(r, to);

	if (!t || --t->refs)
		return;
	memmove(r->target + at, r->target + at + 1, (r->target_count - at - 1) * sizeof(*r->target));
	r->target_count--;
	neighbour_release(r, t->neighbour);
	done(r, &t->want_route);
	done(r, &t->want_judge);
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
