// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Devices that backends are behind, and whether they take what XDP redirects to them: what they do not take is lost,
 * though it counts as sent. Not here: the question to the kernel (io/dataplane).
 */
#include <net/if.h>
#include <string.h>

#include "daemon/plane_state.h"

static const char outlet_why[] = "what XDP takes from another device for it is lost: attach it too, give a veth's peer "
				 "an XDP program, or attach the others with `mode generic`";

static struct plane_outlet *outlet_find(struct plane *p, __u32 ifindex)
{
	for (size_t i = 0; i < p->outlet_count; i++)
		if (p->outlet[i].ifindex == ifindex)
			return &p->outlet[i];
	return NULL;
}

void plane_outlet_use(struct plane *p, __u32 ifindex)
{
	struct plane_outlet *o = outlet_find(p, ifindex);

	if (!o && p->outlet_count < STARLING_DEVICES) {
		o = &p->outlet[p->outlet_count++];
		*o = (struct plane_outlet){.ifindex = ifindex};
	}
	if (o)
		o->used = true;
}

/* Generic mode sends through any device. */
static bool outlet_redirected(const struct dataplane_device *d, size_t count, __u32 ifindex)
{
	for (size_t i = 0; i < count && i < STARLING_DEVICES; i++)
		if (d[i].ifindex != ifindex && d[i].mode == XDP_MODE_NATIVE)
			return true;
	return false;
}

static void outlet_look(struct plane *p, struct plane_outlet *o, const struct dataplane_device *d, size_t count)
{
	static const char *const word[] = {"takes redirects", "loses redirects"};
	bool deaf = outlet_redirected(d, count, o->ifindex) && !dataplane_takes_redirects(o->ifindex);
	char name[IF_NAMESIZE];

	if (deaf != o->deaf && if_indextoname(o->ifindex, name))
		plane_event(p, "iface", name, word[o->deaf], word[deaf], deaf ? outlet_why : "");
	o->deaf = deaf;
}

void plane_outlets_tick(struct plane *p)
{
	struct dataplane_device attached[STARLING_DEVICES];
	size_t count = dataplane_attached(p->dp, attached, STARLING_DEVICES), kept = 0;

	for (size_t i = 0; i < p->outlet_count; i++) {
		if (!p->outlet[i].used)
			continue;
		outlet_look(p, &p->outlet[i], attached, count);
		p->outlet[i].used = false;
		p->outlet[kept++] = p->outlet[i];
	}
	p->outlet_count = kept;
}

const char *plane_outlet_trouble(const struct plane *p, __u32 ifindex)
{
	for (size_t i = 0; i < p->outlet_count; i++)
		if (p->outlet[i].ifindex == ifindex && p->outlet[i].deaf)
			return outlet_why;
	return NULL;
}
