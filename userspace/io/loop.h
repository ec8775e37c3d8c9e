/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The daemon's loop: libuv's, with a queue that other threads post to, workers for what takes
 * long, and a measure of how long it was ever away from its sockets. Not here: the plane thread
 * and its queues (daemon/plane).
 *
 * Only loop_post(), loop_lag_s() and loop_silent_ms() may be called from another thread.
 */
#ifndef STARLING_IO_LOOP_H
#define STARLING_IO_LOOP_H

#include <linux/types.h>
#include <uv.h>

#include "base/err.h"

struct loop;

/**
 * loop_open() - make a loop
 * @ret_loop:	owned by the caller: loop_close()
 * @err:	says what failed
 *
 * Return: 0, -ENOMEM, or what libuv says.
 */
int loop_open(struct loop **ret_loop, struct err *err);

uv_loop_t *loop_uv(struct loop *loop); /* borrowed */

/* Runs until loop_stop(), from a callback or a posted function. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/**
 * loop_close() - run what was posted and close the loop
 * @loop:	may be NULL
 *
 * Whoever made handles on the loop has asked for their closing before: their callbacks run here.
 */
void loop_close(struct loop *loop);

/**
 * loop_post() - have a function run on the loop's thread, after those posted earlier
 * @loop:	borrowed
 * @fn:		called once, with @arg
 * @arg:	moves into the call
 *
 * Return: 0, or -ENOMEM: then @fn will not be called and @arg stays the caller's.
 */
int loop_post(struct loop *loop, void (*fn)(void *arg), void *arg);

/**
 * loop_work() - have a function run on a worker's thread, then another one on the loop's
 * @loop:	borrowed
 * @fn:		called once, with @arg; may block
 * @done:	called once, with @arg, after @fn
 * @arg:	moves into the calls
 *
 * Work is begun in order, some at a time. Return: 0, or -ENOMEM: then neither will be called and @arg stays the
 * caller's.
 */
int loop_work(struct loop *loop, void (*fn)(void *arg), void (*done)(void *arg), void *arg);

/* Longest time between two looks at the sockets in the last half to whole minute, seconds. */
double loop_lag_s(struct loop *loop);

/* How long ago the loop last turned, milliseconds; it turns at least ten times a second. */
__u64 loop_silent_ms(struct loop *loop);

#endif
