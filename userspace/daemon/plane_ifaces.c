// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Devices of the configuration: attached before anything else is applied, since that can fail;
 * detached after everything else. Not here: how (io/dataplane).
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "daemon/plane_state.h"

static const struct iface_config *iface_find(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->iface_count; i++)
		if (!strcmp(c->iface[i].name, name))
			return &c->iface[i];
	return NULL;
}

static const struct dataplane_device *device_find(const struct dataplane_device *d, size_t count, __u32 ifindex)
{
	for (size_t i = 0; i < count && i < STARLING_DEVICES; i++)
		if (d[i].ifindex == ifindex)
			return &d[i];
	return NULL;
}

static int iface_attach(struct plane *p, const struct iface_config *iface, bool dry_run, struct plane_change *change,
			struct err *err)
{
	struct dataplane_device attached[STARLING_DEVICES];
	size_t count = dataplane_attached(p->dp, attached, STARLING_DEVICES);
	__u32 ifindex = if_nametoindex(iface->name);
	const struct dataplane_device *d;
	enum xdp_mode got;
	int ret;

	if (!ifindex)
		return err_set(err, ENODEV, "there is no device \"%s\"", iface->name);
	d = device_find(attached, count, ifindex);
	if (d && (iface->mode == XDP_MODE_AUTO || iface->mode == d->mode))
		return 0;
	if (dry_run) {
		change->ifaces_attached++;
		return 0;
	}
	ret = dataplane_attach(p->dp, ifindex, iface->mode, &got, err);
	if (ret)
		return ret;
	change->ifaces_attached++;
	plane_event(p, "iface", iface->name, NULL, got == XDP_MODE_NATIVE ? "native" : "generic", "");
	return 0;
}

int plane_ifaces_attach(struct plane *p, const struct config *wanted, bool dry_run, struct plane_change *change,
			struct err *err)
{
	struct err trouble = {0};
	int ret;

	for (size_t i = 0; i < wanted->iface_count; i++) {
		const struct iface_config *old = iface_find(p->config, wanted->iface[i].name);

		ret = iface_attach(p, &wanted->iface[i], dry_run, change, &trouble);
		if (!ret)
			continue;
		/* A device that has vanished since must not stand in the way of everything else. */
		if (old && old->mode == wanted->iface[i].mode)
			continue;
		if (err)
			*err = trouble;
		return ret;
	}
	return 0;
}

static void iface_detach(struct plane *p, const struct dataplane_device *d, struct plane_change *change)
{
	struct err err = {0};

	if (dataplane_detach(p->dp, d->ifindex, &err))
		return;
	change->ifaces_detached++;
	plane_event(p, "iface", d->name, d->mode == XDP_MODE_NATIVE ? "native" : "generic", NULL, "");
}

void plane_ifaces_detach(struct plane *p, const struct config *wanted, struct plane_change *change)
{
	struct dataplane_device attached[STARLING_DEVICES];
	size_t count = dataplane_attached(p->dp, attached, STARLING_DEVICES);

	for (size_t i = 0; i < count && i < STARLING_DEVICES; i++)
		if (!iface_find(wanted, attached[i].name))
			iface_detach(p, &attached[i], change);
}

void plane_ifaces_restore(struct plane *p, const struct plane_ifaces *had, struct plane_change *change)
{
	struct dataplane_device attached[STARLING_DEVICES];
	size_t count = dataplane_attached(p->dp, attached, STARLING_DEVICES);

	for (size_t i = 0; i < count && i < STARLING_DEVICES; i++)
		if (!device_find(had->device, had->count, attached[i].ifindex))
			iface_detach(p, &attached[i], change);
}

void plane_ifaces_remember(struct plane *p, struct plane_ifaces *ret)
{
	ret->count = dataplane_attached(p->dp, ret->device, STARLING_DEVICES);
}
