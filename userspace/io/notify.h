/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Words to systemd (sd_notify(3)): a datagram to the socket that $NOTIFY_SOCKET names. Twenty
 * lines of ours instead of a library, as its manual page proposes. Not here: timers.
 */
#ifndef STARLING_IO_NOTIFY_H
#define STARLING_IO_NOTIFY_H

#include <linux/types.h>

/**
 * notify_send() - tell the service manager
 * @state:	lines such as "READY=1" or "STATUS=..."; borrowed
 *
 * Return: 0 (also if nobody wants to know), or -errno of the socket.
 */
int notify_send(const char *state);

/* Milliseconds within which systemd wants "WATCHDOG=1", 0 if it does not (WATCHDOG_USEC, WATCHDOG_PID). */
__u64 notify_watchdog_ms(void);

#endif
