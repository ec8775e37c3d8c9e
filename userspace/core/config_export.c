// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Configurations as text: one canonical line an object, made by the grammar's own writers.
 * Not here: reading (config_file.c).
 */
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "core/config_file.h"
#include "core/config_lines.h"
#include "core/tiers.h"
#include "starling/dataplane.h"

static void line(const struct command *command, struct buf *out)
{
	command_format(command, out);
	buf_putc(out, '\n');
}

static argument_set given(enum argument_id id, bool is)
{
	return is ? ARGUMENT_BIT(id) : 0;
}

bool config_has_node(const struct config *c)
{
	static const struct endpoint none;

	return *c->node_name || *c->node_device || *c->node_site || *c->node_region || c->node_peer_count ||
	       c->node_beacons || c->node_admission || c->node_topology || c->node_urgent || c->node_exec ||
	       c->node_hooks || memcmp(&c->node_address, &none, sizeof(none)) != 0;
}

void config_export_node(const struct config *c, struct buf *out)
{
	static const struct endpoint none;
	struct command command = {.id = COMMAND_NODE_SET, .at = c->node_address};

	memcpy(command.node, c->node_name, sizeof(command.node));
	memcpy(command.device, c->node_device, sizeof(command.device));
	memcpy(command.place, c->node_peers, sizeof(command.place));
	command.place_count = c->node_peer_count;
	command.beacons = c->node_beacons;
	command.admission = c->node_admission;
	command.topology = c->node_topology;
	command.urgent = c->node_urgent;
	command.exec = c->node_exec;
	command.hooks = c->node_hooks;
	memcpy(command.site, c->node_site, sizeof(command.site));
	memcpy(command.region, c->node_region, sizeof(command.region));
	command.given = given(ARG_NODE_NAME, *c->node_name) | given(ARG_NODE_DEVICE, *c->node_device) |
			given(ARG_NODE_PEERS, c->node_peer_count) | given(ARG_NODE_BEACONS, c->node_beacons) |
			given(ARG_NODE_ADMISSION, c->node_admission) | given(ARG_NODE_TOPOLOGY, c->node_topology) |
			given(ARG_NODE_URGENT, c->node_urgent) | given(ARG_NODE_EXEC, c->node_exec) |
			given(ARG_NODE_HOOKS, c->node_hooks) | given(ARG_SITE, *c->node_site) |
			given(ARG_REGION, *c->node_region) |
			given(ARG_NODE_ADDRESS, memcmp(&c->node_address, &none, sizeof(none)) != 0);
	line(&command, out);
}

void config_export_listen(const struct config *c, struct buf *out)
{
	line(&(struct command){.id = COMMAND_LISTEN_HTTP, .at = c->listen_http, .given = given(ARG_LISTEN, true)}, out);
}

void config_export_log(const struct config *c, struct buf *out)
{
	line(&(struct command){.id = COMMAND_LOG_LEVEL, .level = (__u32)c->log_level, .given = given(ARG_LEVEL, true)},
	     out);
}

void config_export_iface(const struct iface_config *iface, struct buf *out)
{
	struct command command = {.id = COMMAND_IFACE_ATTACH, .mode = iface->mode};

	memcpy(command.device, iface->name, sizeof(command.device));
	command.given = given(ARG_DEVICE, true) | given(ARG_MODE, iface->mode != XDP_MODE_AUTO);
	line(&command, out);
}

static void roster_line(const struct roster_node *node, bool agreed, struct buf *out)
{
	struct command command = {.id = COMMAND_ROSTER_ADD, .public_key = node->key};

	memcpy(command.node, node->name, sizeof(command.node));
	memcpy(command.site, node->site, sizeof(command.site));
	command.roles = node->roles;
	command.stake = node->stake;
	command.reputation = node->reputation;
	command.given = given(ARG_NODE, true) | given(ARG_PUBLIC_KEY, true) | given(ARG_SITE, *node->site) |
			given(ARG_ROLES, node->roles != ROSTER_ROLES_DEFAULT) |
			given(ARG_STAKE, node->stake != ROSTER_STAKE_DEFAULT) |
			given(ARG_REPUTATION, agreed && node->reputation);
	line(&command, out);
}

void config_export_roster(const struct roster_node *node, struct buf *out)
{
	roster_line(node, false, out);
}

void config_export_seats(const struct roster *roster, struct buf *out)
{
	for (size_t i = 0; i < roster->count; i++)
		roster_line(&roster->node[i], true, out);
}

void config_export_vip(const struct vip_config *vip, struct buf *out)
{
	struct command command = {.id = COMMAND_VIP_ADD, .key_count = vip->key_count};
	const struct backend_config *sorry = vip_sorry(vip);

	memcpy(command.vip, vip->name, sizeof(command.vip));
	memcpy(command.key, vip->key, sizeof(command.key));
	command.scheduler = vip->scheduler;
	command.forward = (__u32)vip->forward;
	command.slots = vip->slots;
	command.hash = vip->hash_source ? HASH_SOURCE : HASH_5TUPLE;
	command.idle_ms = vip->idle_ms;
	command.drain_timeout_ms = vip->drain_timeout_ms;
	command.slow_start_ms = vip->slow_start_ms;
	command.recovery = vip->recovery;
	command.dead = vip->dead;
	command.passive = vip->passive;
	command.damp_ms = vip->damp_ms;
	command.panic_percent = vip->panic_percent;
	command.eject_percent = vip->eject_percent;
	memcpy(command.restart, vip->restart, sizeof(command.restart));
	command.given =
		given(ARG_NAME, true) | given(ARG_KEYS, true) | given(ARG_SCHEDULER, vip->scheduler != SCHEDULER_MH) |
		given(ARG_FORWARD, vip->forward != FORWARD_IPIP) | given(ARG_SLOTS, vip->slots) |
		given(ARG_HASH, vip->hash_source) | given(ARG_IDLE, vip->idle_ms != STARLING_IDLE_DEFAULT_MS) |
		given(ARG_DRAIN_TIMEOUT, vip->drain_timeout_ms) | given(ARG_SLOW_START, vip->slow_start_ms) |
		given(ARG_EXPONENTIAL, vip->slow_start_exponential) |
		given(ARG_RECOVERY, vip->recovery != RECOVERY_AUTO) | given(ARG_DAMP, vip->damp_ms) |
		given(ARG_PANIC, vip->panic_percent) | given(ARG_EJECT, vip->eject_percent != STARLING_EJECT_DEFAULT) |
		given(ARG_SORRY, sorry) | given(ARG_DEAD, vip->dead != DEAD_REHOME) |
		given(ARG_PASSIVE, vip->passive != PASSIVE_SUSPECT) | given(ARG_RESTART, *vip->restart);
	if (sorry)
		command.sorry = sorry->at;
	line(&command, out);
}

void config_export_check(const char *vip, const struct check_config *c, struct buf *out)
{
	struct command command = {.id = COMMAND_HEALTH_SET, .check = *c};

	snprintf(command.vip, sizeof(command.vip), "%s", vip);
	command.given =
		given(ARG_NAME, true) | given(ARG_CHECK_KIND, true) | given(ARG_CHECK_NAME, *c->name) |
		given(ARG_DNS_TYPE, c->dns_type) | given(ARG_SEND, *c->send) | given(ARG_EXPECT, *c->expect) |
		given(ARG_HTTP_PATH, *c->path) | given(ARG_HTTP_HOST, *c->host) |
		given(ARG_HTTP_STATUS, c->status_count) | given(ARG_HTTP_BODY, *c->body) | given(ARG_SNI, *c->sni) |
		given(ARG_VERIFY, c->verify) | given(ARG_HTTP2, c->http2) | given(ARG_CHECK_PORT, c->port) |
		given(ARG_VIA, c->via) | given(ARG_INTERVAL, c->interval_ms != CHECK_INTERVAL_DEFAULT_MS) |
		given(ARG_CHECK_TIMEOUT, c->timeout_ms != check_timeout_default(c->interval_ms)) |
		given(ARG_RISE, c->rise != CHECK_RISE_DEFAULT) | given(ARG_FALL, c->fall != CHECK_FALL_DEFAULT) |
		given(ARG_OBSERVERS, c->observers != CHECK_OBSERVERS_DEFAULT) |
		given(ARG_VERDICT_MODE, c->mode != check_mode_numbers[VERDICT_MODE_VOTE]) |
		given(ARG_SCOPE, c->scope != CHECK_SCOPE_SITE);
	line(&command, out);
}

void config_export_health(const struct vip_config *vip, struct buf *out)
{
	if (vip->check)
		config_export_check(vip->name, vip->check, out);
}

void config_export_backend(const struct vip_config *vip, const struct backend_config *b, struct buf *out)
{
	struct command command = {
		.id = COMMAND_BACKEND_ADD, .at = b->at, .weight = b->weight, .tier = b->tier, .maxconn = b->maxconn};

	memcpy(command.vip, vip->name, sizeof(command.vip));
	command.given = given(ARG_NAME, true) | given(ARG_BACKEND, true) | given(ARG_WEIGHT, b->weight != 1) |
			given(ARG_TIER, b->tier != TIER_DEFAULT) | given(ARG_MAXCONN, b->maxconn);
	line(&command, out);
}

void config_export_backends(const struct vip_config *vip, struct buf *out)
{
	for (size_t i = 0; i < vip->backend_count; i++)
		if (vip->backend[i].tier != STARLING_TIER_SORRY)
			config_export_backend(vip, &vip->backend[i], out);
}

void config_export_own(const struct config *c, struct buf *out)
{
	size_t i;

	if (config_has_node(c))
		config_export_node(c, out);
	if (c->listen_http.port)
		config_export_listen(c, out);
	if (c->log_level != LOG_INFO)
		config_export_log(c, out);
	for (i = 0; i < c->iface_count; i++)
		config_export_iface(&c->iface[i], out);
}

static void vips(const struct config *c, struct buf *out)
{
	for (size_t i = 0; i < c->vip_count; i++) {
		if (out->len)
			buf_putc(out, '\n');
		config_export_vip(&c->vip[i], out);
		config_export_health(&c->vip[i], out);
		config_export_backends(&c->vip[i], out);
	}
}

void config_export(const struct config *c, struct buf *out)
{
	config_export_own(c, out);
	for (size_t i = 0; i < c->roster.count; i++)
		config_export_roster(&c->roster.node[i], out);
	vips(c, out);
}

void config_export_agreed(const struct config *c, struct buf *out)
{
	config_export_own(c, out);
	config_export_seats(&c->roster, out);
	vips(c, out);
}
