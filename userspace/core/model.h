/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the operator wants (struct config) and what he has put aside by hand (struct override).
 * A config is a value: built by the parser or by a command, then never changed while shared.
 * Not here: grammar (command, lex), effect (plan), what runs (the daemon's plane).
 */
#ifndef STARLING_CORE_MODEL_H
#define STARLING_CORE_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/err.h"
#include "starling/limits.h"

enum scheduler { SCHEDULER_MH, SCHEDULER_RR, SCHEDULER_WRR, SCHEDULER_LC, SCHEDULER_WLC };
enum xdp_mode { XDP_MODE_AUTO, XDP_MODE_NATIVE, XDP_MODE_GENERIC };

struct backend_config {
	struct endpoint at; /* proto 0 */
	__u32 weight;	    /* 0..65535; default 1 */
};

struct vip_config {
	char name[STARLING_NAME_BYTES];
	struct endpoint key[STARLING_KEYS_PER_VIP]; /* proto set; in the operator's order, no duplicates */
	size_t key_count;
	enum scheduler scheduler; /* default mh */
	int forward;		  /* enum forward_mode of dataplane.h; default ipip */
	__u32 slots;		  /* 0: chosen by the number of backends */
	bool hash_source;
	__u32 idle_ms;			/* 0 only if every key is UDP */
	__u32 drain_timeout_ms;		/* 0: none */
	struct backend_config *backend; /* owned; sorted by endpoint_compare */
	size_t backend_count;
};

struct iface_config {
	char name[16]; /* IFNAMSIZ */
	enum xdp_mode mode;
};

struct config {
	char node_name[STARLING_NAME_BYTES]; /* "" if not set */
	struct endpoint node_address;	     /* port 0: none; all zero: not set */
	char node_device[16];
	struct endpoint listen_http; /* port 0: default */
	int log_level;		     /* LOG_* of syslog; default LOG_INFO */
	struct iface_config *iface;  /* owned; sorted by name */
	size_t iface_count;
	struct vip_config *vip; /* owned; sorted by name */
	size_t vip_count;
};

/* Operating state: beside the configuration, survives apply and restart. */
enum override_state { OVERRIDE_NONE, OVERRIDE_DRAIN, OVERRIDE_DISABLE };

struct override {
	char vip[STARLING_NAME_BYTES]; /* never "": a command without VIP makes one for every VIP that has the backend
					*/
	struct endpoint at;
	enum override_state state;
	char by[64];	  /* "root@lb1" */
	char reason[96];  /* "" if none */
	__u64 since_ms;	  /* Unix time */
	__u32 timeout_ms; /* drain: becomes disable after this; 0: never */
};

struct config *config_new(void); /* NULL without memory */
void config_free(struct config *c);
struct config *config_copy(const struct config *c);
struct vip_config *config_vip(const struct config *c, const char *name);		     /* NULL if none */
struct backend_config *vip_backend(const struct vip_config *vip, const struct endpoint *at); /* NULL if none */

/* Insert keeping order; the value is copied, @vip's backends move into @c. -EEXIST, -ENOMEM. */
int config_vip_add(struct config *c, struct vip_config *vip);
int config_vip_delete(struct config *c, const char *name); /* -ENOENT */
int vip_backend_add(struct vip_config *vip, const struct backend_config *b);
int vip_backend_delete(struct vip_config *vip, const struct endpoint *at);
int config_iface_add(struct config *c, const struct iface_config *iface);
int config_iface_delete(struct config *c, const char *name);

/**
 * config_check() - what no single line can know
 *
 * Keys used by two VIPs; idle 0 with a TCP key; a backend without a port or of weight over the
 * slots; more VIPs, backends or slots than @limits' maps hold.
 * Return: 0, or -EINVAL with @err.
 */
struct config_limits {
	__u32 vips, backends, slots; /* sizes of the maps */
};
int config_check(const struct config *c, const struct config_limits *limits, struct err *err);

/* Slots that a VIP of @backends backends gets when none are asked for: see limits.h. */
__u32 vip_slots_default(size_t backends);

#endif
