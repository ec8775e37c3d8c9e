// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Shared and own lines; changes merged. Not here: the objects of shared lines (intent_build.c).
 */
#include "core/config_merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "core/aside.h"
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
	config_export_health(vip, out);
	config_export_backends(vip, out);
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

static void shared_note(void *arg, char change, const char *object, const char *name, const char *line)
{
	bool *differ = arg;

	(void)change;
	(void)name;
	(void)line;
	*differ |= !strcmp(object, "vip") || !strcmp(object, "health") || !strcmp(object, "backend") ||
		   !strcmp(object, "roster");
}

bool config_shared_same(const struct config *a, const struct config *b)
{
	bool differ = false;

	config_changes(a, b, shared_note, &differ);
	return !differ;
}

static int vip_copy_to(struct config *to, const struct vip_config *vip)
{
	struct vip_config copy;
	int rc = vip_copy(&copy, vip);

	if (!rc)
		rc = config_vip_add(to, &copy);
	vip_free(&copy);
	return rc;
}

static int roster_copy_to(struct config *to, const struct config *from)
{
	roster_free(&to->roster);
	return roster_copy(&to->roster, &from->roster);
}

struct config *config_compose(const struct config *own, const struct config *shared)
{
	struct config *c = config_copy(shared), said;
	struct iface_config *iface;

	if (!c || array_copy(&iface, own->iface, own->iface_count, sizeof(*iface))) {
		config_free(c);
		return NULL;
	}
	free(c->iface);
	said = *own; /* all but what is borrowed, which are the shared lines and the devices */
	said.iface = iface;
	said.roster = c->roster;
	said.vip = c->vip;
	said.vip_count = c->vip_count;
	said.aside = c->aside;
	said.asides = c->asides;
	said.turns = c->turns;
	*c = said;
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
	if (!rc)
		roster_reputations_take(&to->roster, roster_reputations_same(&base->roster, &mine->roster)
							     ? &theirs->roster
							     : &mine->roster);
	for (i = 0; i < mine->vip_count && !rc; i++)
		rc = vip_merge(base, mine, theirs, to, mine->vip[i].name, ret_conflict);
	for (i = 0; i < base->vip_count && !rc; i++)
		if (!config_vip(mine, base->vip[i].name))
			rc = vip_merge(base, mine, theirs, to, base->vip[i].name, ret_conflict);
	if (!rc)
		rc = asides_merge(base, mine, theirs, to, ret_conflict);
	if (rc) {
		config_free(to);
		return rc;
	}
	asides_prune(to);
	*ret = to;
	return 0;
}
