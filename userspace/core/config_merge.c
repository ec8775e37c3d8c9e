// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Shared and own lines; changes merged. Not here: the objects of shared lines (intent_build.c).
 */
#include "core/config_merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/config_file.h"
#include "core/config_lines.h"

static void roster_lines(const struct config *c, struct buf *out)
{
	for (size_t i = 0; i < c->roster.count; i++)
		config_export_roster(&c->roster.node[i], out);
}

static void vip_lines(const struct vip_config *vip, struct buf *out)
{
	config_export_vip(vip, out);
	for (size_t i = 0; i < vip->backend_count; i++)
		config_export_backend(vip, &vip->backend[i], out);
}

static void part_lines(const struct config *c, const char *vip, struct buf *out)
{
	const struct vip_config *v = *vip ? config_vip(c, vip) : NULL;

	if (!*vip)
		roster_lines(c, out);
	else if (v)
		vip_lines(v, out);
}

static bool lines_same(const struct buf *a, const struct buf *b)
{
	return !buf_error(a) && !buf_error(b) && a->len == b->len && !memcmp(buf_text(a), buf_text(b), a->len);
}

bool config_part_differs(const struct config *a, const struct config *b, const char *vip)
{
	struct buf left = BUF_INIT, right = BUF_INIT;
	bool same;

	part_lines(a, vip, &left);
	part_lines(b, vip, &right);
	same = lines_same(&left, &right);
	buf_free(&left);
	buf_free(&right);
	return !same;
}

bool config_shared_same(const struct config *a, const struct config *b)
{
	struct buf left = BUF_INIT, right = BUF_INIT;
	size_t i;
	bool same;

	roster_lines(a, &left);
	roster_lines(b, &right);
	for (i = 0; i < a->vip_count; i++)
		vip_lines(&a->vip[i], &left);
	for (i = 0; i < b->vip_count; i++)
		vip_lines(&b->vip[i], &right);
	same = lines_same(&left, &right);
	buf_free(&left);
	buf_free(&right);
	return same;
}

static int vip_copy_to(struct config *to, const struct vip_config *vip)
{
	struct vip_config copy = *vip;
	int rc;

	copy.backend = calloc(vip->backend_count + 1, sizeof(*copy.backend));
	if (!copy.backend)
		return -ENOMEM;
	memcpy(copy.backend, vip->backend, vip->backend_count * sizeof(*copy.backend));
	rc = config_vip_add(to, &copy);
	if (rc)
		free(copy.backend);
	return rc;
}

static int roster_copy_to(struct config *to, const struct config *from)
{
	roster_free(&to->roster);
	return roster_copy(&to->roster, &from->roster);
}

/* The own lines alone. */
static struct config *own_copy(const struct config *c)
{
	struct config *copy = config_copy(c);

	if (!copy)
		return NULL;
	while (copy->vip_count)
		config_vip_delete(copy, copy->vip[copy->vip_count - 1].name);
	roster_free(&copy->roster);
	return copy;
}

struct config *config_compose(const struct config *own, const struct config *shared)
{
	struct config *c = own_copy(own);
	int rc = c ? roster_copy_to(c, shared) : -ENOMEM;

	for (size_t i = 0; i < shared->vip_count && !rc; i++)
		rc = vip_copy_to(c, &shared->vip[i]);
	if (rc) {
		config_free(c);
		return NULL;
	}
	c->turns = shared->turns;
	return c;
}

/* --- merging --- */

int config_part_take(struct config *to, const struct config *from, const char *name)
{
	const struct vip_config *vip = *name ? config_vip(from, name) : NULL;

	if (!*name)
		return roster_copy_to(to, from);
	config_vip_delete(to, name);
	return vip ? vip_copy_to(to, vip) : 0;
}

/* One VIP that @mine or @base has. */
static int vip_merge(const struct config *base, const struct config *mine, const struct config *theirs,
		     struct config *to, const char *name, char ret_conflict[STARLING_NAME_BYTES])
{
	if (!config_part_differs(base, mine, name))
		return 0;
	if (config_part_differs(base, theirs, name) && config_part_differs(mine, theirs, name)) {
		memcpy(ret_conflict, name, STARLING_NAME_BYTES);
		return -ESTALE;
	}
	return config_part_take(to, mine, name);
}

int config_merge(const struct config *base, const struct config *mine, const struct config *theirs, struct config **ret,
		 char ret_conflict[STARLING_NAME_BYTES])
{
	struct config *to = config_copy(theirs);
	size_t i;
	int rc = to ? 0 : -ENOMEM;

	if (!rc && config_part_differs(base, mine, "")) {
		if (config_part_differs(base, theirs, "") && config_part_differs(mine, theirs, "")) {
			strcpy(ret_conflict, "the roster");
			rc = -ESTALE;
		} else {
			rc = config_part_take(to, mine, "");
		}
	}
	for (i = 0; i < mine->vip_count && !rc; i++)
		rc = vip_merge(base, mine, theirs, to, mine->vip[i].name, ret_conflict);
	for (i = 0; i < base->vip_count && !rc; i++)
		if (!config_vip(mine, base->vip[i].name))
			rc = vip_merge(base, mine, theirs, to, base->vip[i].name, ret_conflict);
	if (rc) {
		config_free(to);
		return rc;
	}
	*ret = to;
	return 0;
}
