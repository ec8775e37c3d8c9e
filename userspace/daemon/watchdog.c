// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * systemd's watchdog: a ping through the plane and back, a word only when it came back. Not
 * here: sd_notify.
 */
#include "daemon/watchdog.h"

#include <errno.h>
#include <stdlib.h>

#include "io/notify.h"

struct watchdog {
	struct daemon *d;
	uv_timer_t timer;
	bool waiting; /* a ping is on its way */
};

static void on_pong(void *arg)
{
	struct watchdog *w = arg;

	w->waiting = false;
	notify_send("WATCHDOG=1");
}

/* On the plane's thread, between the steps of whatever long work it has. */
static void on_ping(struct plane *p, void *arg)
{
	struct watchdog *w = arg;

	if (p)
		loop_post(w->d->loop, on_pong, w);
}

static void on_timer(uv_timer_t *timer)
{
	struct watchdog *w = timer->data;

	if (!w->waiting && w->d->plane)
		w->waiting = !plane_post(w->d->plane, PLANE_URGENT, on_ping, w);
}

int watchdog_open(struct daemon *d, struct watchdog **ret, struct err *err)
{
	__u64 within_ms = notify_watchdog_ms();
	struct watchdog *w = calloc(1, sizeof(*w));

	if (!w)
		return err_set(err, ENOMEM, "no memory for the watchdog");
	w->d = d;
	uv_timer_init(loop_uv(d->loop), &w->timer);
	w->timer.data = w;
	if (within_ms)
		uv_timer_start(&w->timer, on_timer, 0, within_ms / 3 + 1);
	*ret = w;
	return 0;
}

void watchdog_stop(struct watchdog *w)
{
	if (w)
		uv_close((uv_handle_t *)&w->timer, NULL);
}

void watchdog_close(struct watchdog *w)
{
	free(w);
}
