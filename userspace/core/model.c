// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Configurations as values: building, copying, finding. Not here: checking the whole
 * (model_check.c), text (config_file).
 */
#include "core/model.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "starling/dataplane.h"

#define CHOICE_WORD(name, word) [name] = (word),
static const char *const schedulers[] = {STARLING_SCHEDULERS(CHOICE_WORD) NULL};
static const char *const forwards[] = {STARLING_FORWARDS(CHOICE_WORD) NULL};
static const char *const xdp_modes[] = {STARLING_XDP_MODES(CHOICE_WORD) NULL};
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

/* Memory of an array grows at powers of two, so its room follows from its count. */
static int array_grow(void **array, size_t count, size_t size)
{
	size_t bytes;
	void *grown;

	if (count & (count - 1))
		return 0;
	if (__builtin_mul_overflow(count ? count * 2 : 1, size, &bytes))
		return -ENOMEM;
	grown = realloc(*array, bytes);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	return 0;
}

/* Insert at @at; the array keeps its order. */
static int array_insert(void **array, size_t *count, size_t size, size_t at, const void *value)
{
	char *byte;

	if (array_grow(array, *count, size))
		return -ENOMEM;
	byte = *array;
	memmove(byte + (at + 1) * size, byte + at * size, (*count - at) * size);
	memcpy(byte + at * size, value, size);
	(*count)++;
	return 0;
}

static void array_delete(void *array, size_t *count, size_t size, size_t at)
{
	char *byte = array;

	(*count)--;
	memmove(byte + at * size, byte + (at + 1) * size, (*count - at) * size);
}

/* The same room as array_grow() would have given. */
static int array_copy(void **ret, const void *from, size_t count, size_t size)
{
	size_t room = 1;
	void *copy;

	*ret = NULL;
	if (!count)
		return 0;
	while (room < count)
		room *= 2;
	copy = calloc(room, size);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, from, count * size);
	*ret = copy;
	return 0;
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
		free(c->vip[i].backend);
	free(c->vip);
	free(c->iface);
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
	if (array_copy((void **)&copy->iface, c->iface, c->iface_count, sizeof(*c->iface)) ||
	    array_copy((void **)&copy->vip, c->vip, c->vip_count, sizeof(*c->vip)))
		goto fail;
	for (i = 0; i < c->vip_count; i++) {
		if (array_copy((void **)&copy->vip[i].backend, c->vip[i].backend, c->vip[i].backend_count,
			       sizeof(*c->vip[i].backend)))
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
}

/* Where a name is, or would have to be inserted; true if it is there. */
static bool vip_place(const struct config *c, const char *name, size_t *ret_at)
{
	size_t low = 0, high = c->vip_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, c->vip[middle].name);

		if (!order) {
			*ret_at = middle;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	*ret_at = low;
	return false;
}

static bool backend_place(const struct vip_config *vip, const struct endpoint *at, size_t *ret_at)
{
	size_t low = 0, high = vip->backend_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = endpoint_compare(at, &vip->backend[middle].at);

		if (!order) {
			*ret_at = middle;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	*ret_at = low;
	return false;
}

static bool iface_place(const struct config *c, const char *name, size_t *ret_at)
{
	size_t i;
	int order = -1;

	for (i = 0; i < c->iface_count; i++) {
		order = strcmp(name, c->iface[i].name);
		if (order <= 0)
			break;
	}
	*ret_at = i;
	return i < c->iface_count && !order;
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
	r = array_insert((void **)&c->vip, &c->vip_count, sizeof(*vip), at, vip);
	if (!r) {
		c->turns++;
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
	free(c->vip[at].backend);
	array_delete(c->vip, &c->vip_count, sizeof(*c->vip), at);
	return 0;
}

int vip_backend_add(struct vip_config *vip, const struct backend_config *b)
{
	size_t at;

	if (backend_place(vip, &b->at, &at))
		return -EEXIST;
	return array_insert((void **)&vip->backend, &vip->backend_count, sizeof(*b), at, b);
}

int vip_backend_delete(struct vip_config *vip, const struct endpoint *at)
{
	size_t place;

	if (!backend_place(vip, at, &place))
		return -ENOENT;
	array_delete(vip->backend, &vip->backend_count, sizeof(*vip->backend), place);
	return 0;
}

int config_iface_add(struct config *c, const struct iface_config *iface)
{
	size_t at;

	if (iface_place(c, iface->name, &at))
		return -EEXIST;
	return array_insert((void **)&c->iface, &c->iface_count, sizeof(*iface), at, iface);
}

int config_iface_delete(struct config *c, const char *name)
{
	size_t at;

	if (!iface_place(c, name, &at))
		return -ENOENT;
	array_delete(c->iface, &c->iface_count, sizeof(*c->iface), at);
	return 0;
}
