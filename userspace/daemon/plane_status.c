// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Devices, drops, maps and the balancer as a whole as rows; readiness. Not here: VIPs
 * and backends (plane_show.c).
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "core/mix.h"
#include "core/table.h"
#include "daemon/plane_facts.h"
#include "daemon/plane_show.h"
#include "starling/cell.h"

enum action { ACTION_PASS, ACTION_TX, ACTION_REDIRECT, ACTION_DROP, ACTION_COUNT };

struct verdict_row {
	enum action action;
	const char *label, *help;
};

static const struct verdict_row verdict_row[VERDICT_COUNT] = {
#define VERDICT_ROW(name, act, text, words) [VERDICT_##name] = {ACTION_##act, text, words},
	STARLING_VERDICTS(VERDICT_ROW)
#undef VERDICT_ROW
};

static const char *mode_name(enum xdp_mode mode)
{
	switch (mode) {
	case XDP_MODE_AUTO:
		return "auto";
	case XDP_MODE_NATIVE:
		return "native";
	case XDP_MODE_GENERIC:
		return "generic";
	}
	return "";
}

static const struct iface_config *iface_of(const struct plane *p, const char *name)
{
	for (size_t i = 0; i < p->config->iface_count; i++)
		if (!strcmp(p->config->iface[i].name, name))
			return &p->config->iface[i];
	return NULL;
}

static void device_row(struct plane *p, const struct dataplane_device *d, struct table *t)
{
	const struct iface_config *wanted = iface_of(p, d->name);
	__u64 sum[ACTION_COUNT] = {0};
	struct device_count count;
	size_t row = table_row(t);

	table_set_text(t, row, FIELD_IFACE_device, d->name);
	table_set_u64(t, row, FIELD_IFACE_ifindex, d->ifindex);
	table_set_bool(t, row, FIELD_IFACE_attached, true);
	table_set_text(t, row, FIELD_IFACE_mode, mode_name(d->mode));
	if (wanted)
		table_set_text(t, row, FIELD_IFACE_wanted, mode_name(wanted->mode));
	if (dataplane_count_device(p->dp, d->ifindex, &count))
		return;
	for (int i = 0; i < VERDICT_COUNT; i++)
		sum[verdict_row[i].action] += count.verdict[i];
	table_set_u64(t, row, FIELD_IFACE_pass, sum[ACTION_PASS]);
	table_set_u64(t, row, FIELD_IFACE_tx, sum[ACTION_TX]);
	table_set_u64(t, row, FIELD_IFACE_redirect, sum[ACTION_REDIRECT]);
	table_set_u64(t, row, FIELD_IFACE_drop, sum[ACTION_DROP]);
}

static size_t devices(const struct plane *p, struct dataplane_device d[STARLING_DEVICES])
{
	size_t count = dataplane_attached(p->dp, d, STARLING_DEVICES);

	return count < STARLING_DEVICES ? count : STARLING_DEVICES;
}

/* Devices of the configuration that are not attached: gone, or never come. */
static size_t devices_missing(const struct plane *p, const struct dataplane_device *d, size_t count, struct table *t)
{
	size_t missing = 0, j;

	for (size_t i = 0; i < p->config->iface_count; i++) {
		const struct iface_config *iface = &p->config->iface[i];
		size_t row;

		for (j = 0; j < count && strcmp(d[j].name, iface->name); j++)
			;
		if (j < count)
			continue;
		missing++;
		if (!t)
			continue;
		row = table_row(t);
		table_set_text(t, row, FIELD_IFACE_device, iface->name);
		table_set_bool(t, row, FIELD_IFACE_attached, false);
		table_set_text(t, row, FIELD_IFACE_wanted, mode_name(iface->mode));
		table_set_text(t, row, FIELD_IFACE_why,
			       if_nametoindex(iface->name) ? "not attached" : "no such device");
	}
	return missing;
}

int plane_show_ifaces(struct plane *p, struct table *t, struct err *err)
{
	struct dataplane_device d[STARLING_DEVICES];
	size_t count = devices(p, d);

	(void)err;
	for (size_t i = 0; i < count; i++)
		device_row(p, &d[i], t);
	devices_missing(p, d, count, t);
	return table_error(t);
}

int plane_show_drops(struct plane *p, struct table *t, struct err *err)
{
	struct dataplane_device d[STARLING_DEVICES];
	size_t n = devices(p, d);
	struct device_count count;

	(void)err;
	for (size_t i = 0; i < n; i++) {
		if (dataplane_count_device(p->dp, d[i].ifindex, &count))
			continue;
		for (int v = 0; v < VERDICT_COUNT; v++) {
			size_t row;

			if (verdict_row[v].action != ACTION_DROP)
				continue;
			row = table_row(t);
			table_set_text(t, row, FIELD_DROP_device, d[i].name);
			table_set_text(t, row, FIELD_DROP_reason, verdict_row[v].label);
			table_set_u64(t, row, FIELD_DROP_packets, count.verdict[v]);
			table_set_text(t, row, FIELD_DROP_help, verdict_row[v].help);
		}
	}
	return table_error(t);
}

__u64 plane_drops(struct plane *p)
{
	struct dataplane_device d[STARLING_DEVICES];
	size_t n = devices(p, d);
	struct device_count count;
	__u64 sum = 0;

	for (size_t i = 0; i < n; i++) {
		if (dataplane_count_device(p->dp, d[i].ifindex, &count))
			continue;
		for (int v = 0; v < VERDICT_COUNT; v++)
			sum += verdict_row[v].action == ACTION_DROP ? count.verdict[v] : 0;
	}
	return sum;
}

static __u32 backends_up(const struct plane_vip *v)
{
	__u32 up = 0;

	for (__u32 i = 0; i < v->backend_count; i++)
		up += v->backend[i]->word_state == BACKEND_UP;
	return up;
}

static bool is_lost(const struct plane_backend *b)
{
	return b->weight && b->override == OVERRIDE_NONE && b->word_state != BACKEND_UP &&
	       b->serve.service != VERDICT_STANDBY;
}

int plane_health(const struct plane *p, struct plane_health *ret)
{
	*ret = (struct plane_health){.drops_s = p->drops_s, .vip = calloc(p->vip_count + 1, sizeof(*ret->vip))};
	if (!ret->vip)
		return -ENOMEM;
	for (size_t i = 0; i < p->vip_count; i++) {
		const struct plane_vip *v = p->vip[i];
		struct plane_health_vip *h = &ret->vip[ret->vips++];

		memcpy(h->name, v->name, sizeof(h->name));
		h->backends = v->backend_count;
		h->up = backends_up(v);
		for (__u32 b = 0; b < v->backend_count; b++)
			h->lost += is_lost(v->backend[b]);
	}
	return 0;
}

void plane_health_free(struct plane_health *h)
{
	free(h->vip);
	*h = (struct plane_health){0};
}

bool plane_ready(const struct plane *p, const char *vip, char why[128])
{
	struct dataplane_device d[STARLING_DEVICES];
	size_t first, count;
	struct err err;

	why[0] = '\0';
	if (p->held) {
		snprintf(why, 128, "no configuration has been applied yet");
		return false;
	}
	if (plane_vips_named(p, vip, &first, &count, &err)) {
		snprintf(why, 128, "%.120s", err.text);
		return false;
	}
	if (dataplane_memory_only(p->dp)) {
		snprintf(why, 128, "a witness takes no packets");
		return false;
	}
	if (!devices(p, d)) {
		snprintf(why, 128, "no device is attached");
		return false;
	}
	for (size_t i = first; i < first + count; i++) {
		if (backends_up(p->vip[i]))
			continue;
		snprintf(why, 128, "VIP %s has no usable backend", p->vip[i]->name);
		return false;
	}
	return true;
}

static void status_cells(const struct plane *p, struct table *t, size_t row)
{
	__u64 cells = (__u64)p->sets_max * FLOW_WAYS, used = 0;

	for (int i = CELL_FREE + 1; i < SWEEP_STATES; i++)
		used += p->cells[i];
	table_set_u64(t, row, FIELD_STATUS_cells, cells);
	table_set_u64(t, row, FIELD_STATUS_cells_free, cells - used);
	table_set_u64(t, row, FIELD_STATUS_cells_probation, p->cells[CELL_PROBATION]);
	table_set_u64(t, row, FIELD_STATUS_cells_half, p->cells[CELL_HALF]);
	table_set_u64(t, row, FIELD_STATUS_cells_open, p->cells[CELL_OPEN]);
	table_set_u64(t, row, FIELD_STATUS_cells_closing, p->cells[CELL_CLOSING]);
	table_set_u64(t, row, FIELD_STATUS_cells_reset, p->cells[CELL_RESET]);
}

#define STATUS_PROBLEM_VIPS 5 /* named one by one; further ones are counted */

static bool vip_unserved(const struct plane_vip *v, char words[PLANE_BOUND_BYTES])
{
	snprintf(words, PLANE_BOUND_BYTES, "has no usable backend");
	return !backends_up(v);
}

/* VIPs with one problem. Return: whether there are any. */
static bool vips_lack(const struct plane *p, struct table *t, size_t row,
		      bool (*lacks)(const struct plane_vip *v, char words[PLANE_BOUND_BYTES]))
{
	char words[PLANE_BOUND_BYTES], text[STARLING_NAME_BYTES + PLANE_BOUND_BYTES + 8];
	size_t lacking = 0;

	for (size_t i = 0; i < p->vip_count; i++) {
		if (!lacks(p->vip[i], words) || ++lacking > STATUS_PROBLEM_VIPS)
			continue;
		snprintf(text, sizeof(text), "VIP %s %s", p->vip[i]->name, words);
		table_add_list(t, row, FIELD_STATUS_problems, text);
	}
	if (lacking > STATUS_PROBLEM_VIPS) {
		snprintf(text, sizeof(text), "%zu more VIPs likewise", lacking - STATUS_PROBLEM_VIPS);
		table_add_list(t, row, FIELD_STATUS_problems, text);
	}
	return lacking;
}

static void status_problems(struct plane *p, struct table *t, size_t row, size_t attached, size_t missing)
{
	char text[128], name[IF_NAMESIZE];
	bool degraded = false;

	degraded |= vips_lack(p, t, row, vip_unserved);
	degraded |= vips_lack(p, t, row, plane_vip_panics);
	degraded |= vips_lack(p, t, row, plane_vip_suspects);
	degraded |= vips_lack(p, t, row, plane_vip_limits);
	degraded |= vips_lack(p, t, row, plane_vip_waits);
	degraded |= vips_lack(p, t, row, plane_vip_failing);
	degraded |= vips_lack(p, t, row, plane_vip_backup);
	degraded |= vips_lack(p, t, row, plane_vip_full);
	if (missing) {
		degraded = true;
		snprintf(text, sizeof(text), "%zu of %zu devices are not attached", missing, p->config->iface_count);
		table_add_list(t, row, FIELD_STATUS_problems, text);
	}
	for (size_t i = 0; i < p->outlet_count; i++) {
		if (!p->outlet[i].deaf || !if_indextoname(p->outlet[i].ifindex, name))
			continue;
		degraded = true;
		snprintf(text, sizeof(text), "packets redirected to %s are lost", name);
		table_add_list(t, row, FIELD_STATUS_problems, text);
	}
	if (p->vip_count && !attached && !missing && !dataplane_memory_only(p->dp)) {
		degraded = true;
		table_add_list(t, row, FIELD_STATUS_problems, "no device is attached");
	}
	table_set_text(t, row, FIELD_STATUS_state, degraded ? "degraded" : "ok");
}

int plane_show_status(struct plane *p, struct table *t, struct err *err)
{
	char digest[PLANE_DIGEST_BYTES];
	struct dataplane_device d[STARLING_DEVICES];
	size_t count = devices(p, d), missing = devices_missing(p, d, count, NULL), row = table_row(t);
	double packets = 0, bytes = 0, connections = 0;
	__u64 available = 0, backends = 0, up = 0;

	(void)err;
	for (size_t i = 0; i < p->vip_count; i++) {
		const struct plane_vip *v = p->vip[i];

		available += backends_up(v) > 0;
		backends += v->backend_count;
		up += backends_up(v);
		packets += v->rate.packets_s;
		bytes += v->rate.bytes_s;
		connections += v->rate.connections_s;
	}
	plane_digest_text(plane_digest(p).config, digest);
	table_set_text(t, row, FIELD_STATUS_digest, digest);
	table_set_u64(t, row, FIELD_STATUS_overrides, p->override_count + p->config->asides);
	table_set_u64(t, row, FIELD_STATUS_vips, p->vip_count);
	table_set_u64(t, row, FIELD_STATUS_vips_available, available);
	table_set_u64(t, row, FIELD_STATUS_backends, backends);
	table_set_u64(t, row, FIELD_STATUS_backends_up, up);
	table_set_u64(t, row, FIELD_STATUS_devices, count + missing);
	table_set_u64(t, row, FIELD_STATUS_devices_attached, count);
	status_cells(p, t, row);
	table_set_f64(t, row, FIELD_STATUS_packets_per_second, packets);
	table_set_f64(t, row, FIELD_STATUS_bytes_per_second, bytes);
	table_set_f64(t, row, FIELD_STATUS_connections_per_second, connections);
	table_set_f64(t, row, FIELD_STATUS_drops_per_second, p->drops_s);
	status_problems(p, t, row, count, missing);
	return table_error(t);
}

static void map_row(struct table *t, const char *name, __u64 entries, __u64 max, __u64 bytes)
{
	size_t row = table_row(t);

	table_set_text(t, row, FIELD_MAP_map, name);
	table_set_u64(t, row, FIELD_MAP_entries, entries);
	table_set_u64(t, row, FIELD_MAP_max_entries, max);
	table_set_u64(t, row, FIELD_MAP_bytes, max * bytes);
}

int plane_show_maps(struct plane *p, struct table *t, struct err *err)
{
	__u64 keys = 0, cells = 0;
	__u32 entries;

	(void)err;
	for (__u32 i = 0; i < PLANE_ADDRESS_BUCKETS; i++)
		for (const struct plane_address *a = p->address[i]; a; a = a->next)
			keys += a->users + a->set;
	for (int i = CELL_FREE + 1; i < SWEEP_STATES; i++)
		cells += p->cells[i];
	dataplane_keys(p->dp, &entries);
	map_row(t, MAP_KEYS, keys, entries, sizeof(struct key_entry));
	map_row(t, MAP_VIPS, p->vip_count, p->vips_max, sizeof(struct vip_entry));
	map_row(t, MAP_BACKENDS, p->backends_max - p->backend_ids.unused, p->backends_max,
		sizeof(struct backend_entry));
	map_row(t, MAP_SLOTS, p->slots_max - arena_unused(&p->arena), p->slots_max, sizeof(__u64));
	map_row(t, MAP_FLOWS, cells, (__u64)p->sets_max * FLOW_WAYS, sizeof(struct flow_set) / FLOW_WAYS);
	return table_error(t);
}
