// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Commands applied to a configuration. Not here: the grammar (command.c), files
 * (config_file.c), what the whole must satisfy (model_check.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/config_file.h"
#include "core/tiers.h"

#define WEIGHT_DEFAULT 1

static int no_memory(struct err *err)
{
	return err_set(err, ENOMEM, "no memory for the configuration");
}

int config_vip_none(const struct config *c, const char *name, struct err *err)
{
	const char **names, *near = NULL;
	size_t i;
	int r;

	names = calloc(c->vip_count + 1, sizeof(*names));
	if (names) {
		for (i = 0; i < c->vip_count; i++)
			names[i] = c->vip[i].name;
		near = command_nearest(name, names);
	}
	if (near)
		r = err_set(err, ENOENT, "there is no VIP \"%s\"; did you mean \"%s\"?", name, near);
	else
		r = err_set(err, ENOENT, "there is no VIP \"%s\"", name);
	free(names);
	return r;
}

/* The VIP that a command names, or NULL with an error. */
static struct vip_config *vip_of(const struct config *c, const struct command *command, struct err *err)
{
	struct vip_config *vip = config_vip(c, command->vip);

	if (!vip)
		config_vip_none(c, command->vip, err);
	return vip;
}

static int vip_options(struct vip_config *vip, const struct command *command, struct err *err)
{
	char text[ENDPOINT_TEXT_BYTES];
	int r;

	if (command_has(command, ARG_EXPONENTIAL) && !(command_has(command, ARG_SLOW_START) && command->slow_start_ms))
		return err_set(err, EINVAL, "exponential needs slow-start D: it says how that is done");
	if (command_has(command, ARG_SORRY)) {
		r = vip_sorry_set(vip, command->sorry.port ? &command->sorry : NULL);
		if (r == -EEXIST)
			return err_set(err, EEXIST, "%s is a backend of VIP %s: the sorry backend has to be another",
				       endpoint_format(&command->sorry, text), vip->name);
		if (r)
			return no_memory(err);
	}
	if (command_has(command, ARG_SCHEDULER))
		vip->scheduler = (enum scheduler)command->scheduler;
	if (command_has(command, ARG_FORWARD))
		vip->forward = (int)command->forward;
	if (command_has(command, ARG_SLOTS))
		vip->slots = command->slots;
	if (command_has(command, ARG_HASH))
		vip->hash_source = command->hash == HASH_SOURCE;
	if (command_has(command, ARG_IDLE))
		vip->idle_ms = command->idle_ms;
	if (command_has(command, ARG_DRAIN_TIMEOUT))
		vip->drain_timeout_ms = command->drain_timeout_ms;
	if (command_has(command, ARG_SLOW_START)) {
		vip->slow_start_ms = command->slow_start_ms;
		vip->slow_start_exponential = command_has(command, ARG_EXPONENTIAL);
	}
	if (command_has(command, ARG_RECOVERY))
		vip->recovery = (enum recovery)command->recovery;
	if (command_has(command, ARG_DEAD))
		vip->dead = (enum dead)command->dead;
	if (command_has(command, ARG_DAMP))
		vip->damp_ms = command->damp_ms;
	if (command_has(command, ARG_PANIC))
		vip->panic_percent = command->panic_percent;
	if (command_has(command, ARG_EJECT))
		vip->eject_percent = command->eject_percent;
	if (command_has(command, ARG_PASSIVE))
		vip->passive = (enum passive)command->passive;
	if (command_has(command, ARG_RESTART))
		memcpy(vip->restart, command->restart, sizeof(vip->restart));
	return 0;
}

static int vip_add(struct config *c, const struct command *command, struct err *err)
{
	struct vip_config vip;
	int r;

	vip_defaults(&vip);
	memcpy(vip.name, command->vip, sizeof(vip.name));
	memcpy(vip.key, command->key, sizeof(vip.key));
	vip.key_count = command->key_count;
	r = vip_options(&vip, command, err);
	if (r)
		return r;
	r = config_vip_add(c, &vip);
	vip_free(&vip); /* what has not moved */
	if (r == -EEXIST)
		return err_set(err, EEXIST, "VIP %s exists already", command->vip);
	return r ? no_memory(err) : 0;
}

static int vip_address(struct config *c, struct vip_config *vip, const struct command *command, struct err *err)
{
	const struct endpoint *key = &command->key[0];
	char text[ENDPOINT_TEXT_BYTES];
	size_t i;

	endpoint_format(key, text);
	for (i = 0; i < vip->key_count; i++)
		if (!endpoint_compare(&vip->key[i], key))
			break;
	if (!command->change) {
		if (i < vip->key_count)
			return err_set(err, EEXIST, "VIP %s has the address %s already", vip->name, text);
		if (vip->key_count == STARLING_KEYS_PER_VIP)
			return err_set(err, ENOSPC, "VIP %s has %d addresses, which is as many as fit", vip->name,
				       STARLING_KEYS_PER_VIP);
		vip->key[vip->key_count++] = *key;
		vip->turn = ++c->turns;
		return vip->check ? vip_check_aim(vip, vip->check, err) : 0;
	}
	if (i == vip->key_count)
		return err_set(err, ENOENT, "VIP %s has no address %s", vip->name, text);
	if (vip->key_count == 1)
		return err_set(err, EINVAL, "%s is the only address of VIP %s: delete the VIP instead", text,
			       vip->name);
	vip->key_count--;
	memmove(&vip->key[i], &vip->key[i + 1], (vip->key_count - i) * sizeof(vip->key[0]));
	memset(&vip->key[vip->key_count], 0, sizeof(vip->key[0]));
	return vip->check ? vip_check_aim(vip, vip->check, err) : 0;
}

static int health_set(struct vip_config *vip, const struct command *command, struct err *err)
{
	struct check_config check = command->check;
	int r;

	check.http2 = command_has(command, ARG_HTTP2);
	r = check_config_complete(&check, err);
	if (!r)
		r = vip_check_aim(vip, &check, err);
	if (!r && vip_check_set(vip, &check))
		r = no_memory(err);
	return r;
}

static int health_delete(struct vip_config *vip, struct err *err)
{
	if (!vip->check)
		return err_set(err, ENOENT, "VIP %s is not checked", vip->name);
	return vip_check_set(vip, NULL);
}

static bool backend_is_sorry(const struct vip_config *vip, const struct endpoint *at)
{
	const struct backend_config *sorry = vip_sorry(vip);

	return sorry && !endpoint_compare(&sorry->at, at);
}

static int sorry_named(const struct vip_config *vip, const struct command *command, struct err *err)
{
	char text[ENDPOINT_TEXT_BYTES];

	return err_set(err, EEXIST, "%s is the sorry backend of VIP %s: vip set %s sorry changes it",
		       endpoint_format(&command->at, text), vip->name, vip->name);
}

static int backend_add(struct vip_config *vip, const struct command *command, struct err *err)
{
	struct backend_config backend = {.at = command->at, .weight = WEIGHT_DEFAULT, .tier = TIER_DEFAULT};
	char text[ENDPOINT_TEXT_BYTES];
	int r;

	if (command_has(command, ARG_WEIGHT))
		backend.weight = command->weight;
	if (command_has(command, ARG_TIER))
		backend.tier = command->tier;
	if (command_has(command, ARG_MAXCONN))
		backend.maxconn = command->maxconn;
	r = vip_backend_add(vip, &backend);
	if (r == -EEXIST)
		return backend_is_sorry(vip, &command->at) ? sorry_named(vip, command, err)
							   : err_set(err, EEXIST, "VIP %s has the backend %s already",
								     vip->name, endpoint_format(&command->at, text));
	return r ? no_memory(err) : 0;
}

static int backend_none(const struct vip_config *vip, const struct command *command, struct err *err)
{
	char text[ENDPOINT_TEXT_BYTES];

	if (backend_is_sorry(vip, &command->at))
		return sorry_named(vip, command, err);
	return err_set(err, ENOENT, "VIP %s has no backend %s", vip->name, endpoint_format(&command->at, text));
}

static int backend_set(const struct vip_config *vip, const struct command *command, struct err *err)
{
	struct backend_config *backend = vip_backend(vip, &command->at);

	if (!backend || backend_is_sorry(vip, &command->at))
		return backend_none(vip, command, err);
	if (command_has(command, ARG_WEIGHT))
		backend->weight = command->weight;
	if (command_has(command, ARG_TIER))
		backend->tier = command->tier;
	if (command_has(command, ARG_MAXCONN))
		backend->maxconn = command->maxconn;
	return 0;
}

static int iface_attach(struct config *c, const struct command *command, struct err *err)
{
	struct iface_config iface = {.mode = (enum xdp_mode)command->mode};
	int r;

	memcpy(iface.name, command->device, sizeof(iface.name));
	r = config_iface_add(c, &iface);
	if (r == -EEXIST)
		return err_set(err, EEXIST, "%s is attached already", command->device);
	return r ? no_memory(err) : 0;
}

static int roster_command(struct config *c, const struct command *command, struct err *err)
{
	struct roster_node node = {
		.key = command->public_key,
		.roles = command_has(command, ARG_ROLES) ? command->roles : ROSTER_ROLES_DEFAULT,
		.stake = command_has(command, ARG_STAKE) ? command->stake : ROSTER_STAKE_DEFAULT,
	};

	if (command->id == COMMAND_ROSTER_DELETE)
		return roster_delete(&c->roster, command->node)
			       ? err_set(err, ENOENT, "there is no node %s in the roster", command->node)
			       : 0;
	if (command_has(command, ARG_REPUTATION))
		return err_set(err, EINVAL,
			       "a reputation is earned: `starling roster weigh` has the flock agree on it");
	memcpy(node.name, command->node, sizeof(node.name));
	memcpy(node.site, command->site, sizeof(node.site));
	return roster_add(&c->roster, &node, err);
}

static void node_set(struct config *c, const struct command *command)
{
	if (command_has(command, ARG_NODE_NAME))
		memcpy(c->node_name, command->node, sizeof(c->node_name));
	if (command_has(command, ARG_NODE_ADDRESS))
		c->node_address = command->at;
	if (command_has(command, ARG_NODE_DEVICE))
		memcpy(c->node_device, command->device, sizeof(c->node_device));
	if (command_has(command, ARG_NODE_PEERS)) {
		memcpy(c->node_peers, command->place, sizeof(c->node_peers));
		c->node_peer_count = command->place_count;
	}
	if (command_has(command, ARG_NODE_BEACONS))
		c->node_beacons = (enum beacon_kinds)command->beacons;
	if (command_has(command, ARG_NODE_ADMISSION))
		c->node_admission = (enum admission_mode)command->admission;
	if (command_has(command, ARG_NODE_TOPOLOGY))
		c->node_topology = (enum topology)command->topology;
	if (command_has(command, ARG_NODE_URGENT))
		c->node_urgent = (enum urgent)command->urgent;
	if (command_has(command, ARG_NODE_EXEC))
		c->node_exec = command->exec;
	if (command_has(command, ARG_NODE_HOOKS))
		c->node_hooks = command->hooks;
	if (command_has(command, ARG_SITE))
		memcpy(c->node_site, command->site, sizeof(c->node_site));
	if (command_has(command, ARG_REGION))
		memcpy(c->node_region, command->region, sizeof(c->node_region));
}

/* Commands about a VIP that must be there. */
static int vip_command(struct config *c, const struct command *command, struct err *err)
{
	struct vip_config *vip = vip_of(c, command, err);

	if (!vip)
		return -ENOENT;
	if (command->id == COMMAND_VIP_SET)
		return vip_options(vip, command, err);
	if (command->id == COMMAND_VIP_DELETE)
		return config_vip_delete(c, command->vip);
	if (command->id == COMMAND_VIP_ADDRESS)
		return vip_address(c, vip, command, err);
	if (command->id == COMMAND_HEALTH_SET)
		return health_set(vip, command, err);
	if (command->id == COMMAND_HEALTH_DELETE)
		return health_delete(vip, err);
	if (command->id == COMMAND_BACKEND_ADD)
		return backend_add(vip, command, err);
	if (command->id == COMMAND_BACKEND_SET)
		return backend_set(vip, command, err);
	if (backend_is_sorry(vip, &command->at) || vip_backend_delete(vip, &command->at))
		return backend_none(vip, command, err);
	return 0;
}

int config_command(struct config *c, const struct command *command, struct err *err)
{
	const struct command_info *info = command_info(command->id);

	if (!(info->flags & COMMAND_CONFIG))
		return err_set(err, EINVAL, "\"%s %s\" does not change the configuration", info->object, info->verb);
	if (command->id == COMMAND_VIP_ADD)
		return vip_add(c, command, err);
	if (command->id == COMMAND_IFACE_ATTACH)
		return iface_attach(c, command, err);
	if (command->id == COMMAND_IFACE_DETACH)
		return config_iface_delete(c, command->device)
			       ? err_set(err, ENOENT, "%s is not attached", command->device)
			       : 0;
	if (command->id == COMMAND_ROSTER_ADD || command->id == COMMAND_ROSTER_DELETE)
		return roster_command(c, command, err);
	if (command->id == COMMAND_NODE_SET)
		node_set(c, command);
	else if (command->id == COMMAND_LISTEN_HTTP)
		c->listen_http = command->at;
	else if (command->id == COMMAND_LOG_LEVEL)
		c->log_level = (int)command->level;
	else
		return vip_command(c, command, err);
	return 0;
}

static int named_none(const struct config *c, const struct command *command, struct err *err)
{
	char at[ENDPOINT_TEXT_BYTES];

	if (command->vip[0] && !vip_of(c, command, err))
		return -ENOENT;
	if (command->at.port)
		endpoint_format(&command->at, at);
	else
		addr_format(&command->at.addr, at);
	return err_set(err, ENOENT, "%s%s has no backend %s", command->vip[0] ? "VIP " : "no VIP", command->vip, at);
}

int config_named(const struct config *c, const struct command *command, config_named_fn *fn, void *arg, struct err *err)
{
	const struct endpoint *named = &command->at;
	size_t i, j, found = 0;
	int rc = 0;

	for (i = 0; i < c->vip_count; i++) {
		const struct vip_config *vip = &c->vip[i];

		if (command->vip[0] && strcmp(command->vip, vip->name))
			continue;
		for (j = 0; j < vip->backend_count && !rc; j++) {
			const struct endpoint *at = &vip->backend[j].at;

			if (vip->backend[j].tier == STARLING_TIER_SORRY || !addr_equal(&at->addr, &named->addr) ||
			    (named->port && named->port != at->port))
				continue;
			found++;
			rc = fn(arg, vip, at);
		}
	}
	return rc || found ? rc : named_none(c, command, err);
}
