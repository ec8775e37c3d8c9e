// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Configurations as values: building, copying, finding. Not here: checking the whole
 * (model_check.c), text (config_file).
 */
#include "core/model.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/array.h"
#include "starling/dataplane.h"

#define CHOICE_WORD(name, word) [name] = (word),
static const char *const schedulers[] = {STARLING_SCHEDULERS(CHOICE_WORD) NULL};
static const char *const forwards[] = {STARLING_FORWARDS(CHOICE_WORD) NULL};
static const char *const xdp_modes[] = {STARLING_XDP_MODES(CHOICE_WORD) NULL};
static const char *const admissions[] = {STARLING_ADMISSIONS(CHOICE_WORD) NULL};
static const char *const topologies[] = {STARLING_TOPOLOGIES(CHOICE_WORD) NULL};
static const char *const urgents[] = {STARLING_URGENTS(CHOICE_WORD) NULL};
static const char *const waves[] = {STARLING_WAVES(CHOICE_WORD) NULL};
static const char *const recoveries[] = {STARLING_RECOVERIES(CHOICE_WORD) NULL};
static const char *const deads[] = {STARLING_DEADS(CHOICE_WORD) NULL};
static const char *const passives[] = {STARLING_PASSIVES(CHOICE_WORD) NULL};
static const char *const beacons[] = {STARLING_BEACONS(CHOICE_WORD) NULL};
#undef CHOICE_WORD

static const char *choice_word(const char *const *words, size_t count, int choice)
{
	return choice >= 0 && (size_t)choice < count ? words[choice] : "?";
}

const char *scheduler_word(int scheduler)
{
	return choice_word(schedulers, sizeof(schedulers) / sizeof(*schedulers) - 1, scheduler);
}

const char *forward_word(int forward)
{
	return choice_word(forwards, sizeof(forwards) / sizeof(*forwards) - 1, forward);
}

const char *xdp_mode_word(int mode)
{
	return choice_word(xdp_modes, sizeof(xdp_modes) / sizeof(*xdp_modes) - 1, mode);
}

const char *const *scheduler_words(void)
{
	return schedulers;
}

const char *const *forward_words(void)
{
	return forwards;
}

const char *const *xdp_mode_words(void)
{
	return xdp_modes;
}

const char *const *admission_words(void)
{
	return admissions;
}

const char *const *topology_words(void)
{
	return topologies;
}

const char *const *wave_words(void)
{
	return waves;
}

const char *const *urgent_words(void)
{
	return urgents;
}

const char *const *recovery_words(void)
{
	return recoveries;
}

const char *const *dead_words(void)
{
	return deads;
}

const char *const *passive_words(void)
{
	return passives;
}

const char *const *beacons_words(void)
{
	return beacons;
}

struct config *config_new(void)
{
	struct config *c = calloc(1, sizeof(*c));

	if (c)
		c->log_level = LOG_INFO;
	return c;
}

void config_free(struct config *c)
{
	size_t i;

	if (!c)
		return;
	for (i = 0; i < c->vip_count; i++)
		vip_free(&c->vip[i]);
	free(c->vip);
	free(c->iface);
	free(c->aside);
	roster_free(&c->roster);
	free(c);
}

struct config *config_copy(const struct config *c)
{
	struct config *copy = malloc(sizeof(*copy));
	size_t i;

	if (!copy)
		return NULL;
	*copy = *c;
	copy->vip = NULL;
	copy->vip_count = 0;
	copy->iface = NULL;
	copy->aside = NULL;
	if (roster_copy(&copy->roster, &c->roster) ||
	    array_copy(&copy->aside, c->aside, c->asides, sizeof(*c->aside)) ||
	    array_copy(&copy->iface, c->iface, c->iface_count, sizeof(*c->iface)) ||
	    array_copy(&copy->vip, c->vip, c->vip_count, sizeof(*c->vip)))
		goto fail;
	for (i = 0; i < c->vip_count; i++) {
		if (vip_copy(&copy->vip[i], &c->vip[i]))
			goto fail;
		copy->vip_count = i + 1;
	}
	return copy;
fail:
	config_free(copy);
	return NULL;
}

void vip_defaults(struct vip_config *vip)
{
	memset(vip, 0, sizeof(*vip));
	vip->scheduler = SCHEDULER_MH;
	vip->forward = FORWARD_IPIP;
	vip->idle_ms = STARLING_IDLE_DEFAULT_MS;
	vip->eject_percent = STARLING_EJECT_DEFAULT;
}

static int vip_order(const void *name, const void *vip)
{
	return strcmp(name, ((const struct vip_config *)vip)->name);
}

static int backend_order(const void *at, const void *backend)
{
	return endpoint_compare(at, &((const struct backend_config *)backend)->at);
}

static int iface_order(const void *name, const void *iface)
{
	return strcmp(name, ((const struct iface_config *)iface)->name);
}

/* Where a name is, or would have to be inserted; true if it is there. */
static bool vip_place(const struct config *c, const char *name, size_t *ret_at)
{
	return array_find(c->vip, c->vip_count, sizeof(*c->vip), name, vip_order, ret_at);
}

static bool backend_place(const struct vip_config *vip, const struct endpoint *at, size_t *ret_at)
{
	return array_find(vip->backend, vip->backend_count, sizeof(*vip->backend), at, backend_order, ret_at);
}

static bool iface_place(const struct config *c, const char *name, size_t *ret_at)
{
	return array_find(c->iface, c->iface_count, sizeof(*c->iface), name, iface_order, ret_at);
}

struct vip_config *config_vip(const struct config *c, const char *name)
{
	size_t at;

	return vip_place(c, name, &at) ? &c->vip[at] : NULL;
}

struct backend_config *vip_backend(const struct vip_config *vip, const struct endpoint *at)
{
	size_t place;

	return backend_place(vip, at, &place) ? &vip->backend[place] : NULL;
}

struct iface_config *config_iface(const struct config *c, const char *name)
{
	size_t at;

	return iface_place(c, name, &at) ? &c->iface[at] : NULL;
}

int config_vip_add(struct config *c, struct vip_config *vip)
{
	size_t at;
	int r;

	if (vip_place(c, vip->name, &at))
		return -EEXIST;
	vip->turn = c->turns + 1;
	r = array_insert(&c->vip, &c->vip_count, sizeof(*vip), at, vip);
	if (!r) {
		c->turns++;
		vip->check = NULL;
		vip->backend = NULL;
		vip->backend_count = 0;
	}
	return r;
}

int config_vip_delete(struct config *c, const char *name)
{
	size_t at;

	if (!vip_place(c, name, &at))
		return -ENOENT;
	vip_free(&c->vip[at]);
	array_delete(c->vip, &c->vip_count, sizeof(*c->vip), at);
	return 0;
}

void vip_free(struct vip_config *vip)
{
	free(vip->check);
	free(vip->backend);
	vip->check = NULL;
	vip->backend = NULL;
	vip->backend_count = 0;
}

int vip_copy(struct vip_config *to, const struct vip_config *from)
{
	*to = *from;
	to->check = NULL;
	to->backend = NULL;
	if (!array_copy(&to->backend, from->backend, from->backend_count, sizeof(*from->backend)) &&
	    !vip_check_set(to, from->check))
		return 0;
	vip_free(to);
	return -ENOMEM;
}

int vip_check_set(struct vip_config *vip, const struct check_config *check)
{
	struct check_config *copy = NULL;

	if (check) {
		copy = malloc(sizeof(*copy));
		if (!copy)
			return -ENOMEM;
		*copy = *check;
	}
	free(vip->check);
	vip->check = copy;
	return 0;
}

/* Its first address of the transport that the check speaks; with a port of the check's own any will do. */
int vip_check_aim(const struct vip_config *vip, struct check_config *check, struct err *err)
{
	__u8 proto = check->kind == CHECK_UDP || check->kind == CHECK_DNS ? IPPROTO_UDP : IPPROTO_TCP;
	size_t i = 0;

	check->to = (struct endpoint){0};
	if (check->via != CHECK_VIA_TUNNEL)
		return 0;
	while (i < vip->key_count && vip->key[i].proto != proto)
		i++;
	if (i == vip->key_count && !check->port)
		return err_set(err, EINVAL,
			       "VIP %s has no %s address that %s could be asked at through the tunnel: "
			       "give a port",
			       vip->name, proto == IPPROTO_UDP ? "UDP" : "TCP", check_kind_words()[check->kind]);
	check->to = vip->key[i < vip->key_count ? i : 0];
	check->to.proto = 0;
	if (check->port)
		check->to.port = htons((__u16)check->port);
	return 0;
}

int vip_backend_add(struct vip_config *vip, const struct backend_config *b)
{
	size_t at;

	if (backend_place(vip, &b->at, &at))
		return -EEXIST;
	return array_insert(&vip->backend, &vip->backend_count, sizeof(*b), at, b);
}

int vip_backend_delete(struct vip_config *vip, const struct endpoint *at)
{
	size_t place;

	if (!backend_place(vip, at, &place))
		return -ENOENT;
	array_delete(vip->backend, &vip->backend_count, sizeof(*vip->backend), place);
	return 0;
}

const struct backend_config *vip_sorry(const struct vip_config *vip)
{
	for (size_t i = 0; i < vip->backend_count; i++)
		if (vip->backend[i].tier == STARLING_TIER_SORRY)
			return &vip->backend[i];
	return NULL;
}

int vip_sorry_set(struct vip_config *vip, const struct endpoint *at)
{
	const struct backend_config *was = vip_sorry(vip);
	int rc = 0;

	if (was && at && !endpoint_compare(&was->at, at))
		return 0;
	if (at)
		rc = vip_backend_add(vip,
				     &(struct backend_config){.at = *at, .weight = 1, .tier = STARLING_TIER_SORRY});
	if (rc)
		return rc;
	for (size_t i = 0; i < vip->backend_count; i++) {
		const struct backend_config *b = &vip->backend[i];

		if (b->tier == STARLING_TIER_SORRY && !(at && !endpoint_compare(&b->at, at)))
			array_delete(vip->backend, &vip->backend_count, sizeof(*b), i--);
	}
	return 0;
}

int config_iface_add(struct config *c, const struct iface_config *iface)
{
	size_t at;

	if (iface_place(c, iface->name, &at))
		return -EEXIST;
	return array_insert(&c->iface, &c->iface_count, sizeof(*iface), at, iface);
}

int config_iface_delete(struct config *c, const char *name)
{
	size_t at;

	if (!iface_place(c, name, &at))
		return -ENOENT;
	array_delete(c->iface, &c->iface_count, sizeof(*c->iface), at);
	return 0;
}
