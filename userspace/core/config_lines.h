/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Single lines of an exported configuration: for config_*.c and intent_build.c alone.
 */
#ifndef STARLING_CORE_CONFIG_LINES_H
#define STARLING_CORE_CONFIG_LINES_H

#include <stdbool.h>

#include "base/buf.h"
#include "core/model.h"

bool config_has_node(const struct config *c);

/* Whether two VIPs, of one name, and their backends have the same lines. */
bool config_vip_same(const struct vip_config *a, const struct vip_config *b);

/* Each appends one line with its newline; config_file.h has the others. */
void config_export_node(const struct config *c, struct buf *out);
void config_export_listen(const struct config *c, struct buf *out);
void config_export_log(const struct config *c, struct buf *out);
void config_export_iface(const struct iface_config *iface, struct buf *out);
void config_export_roster(const struct roster_node *node, struct buf *out);
void config_export_seats(const struct roster *roster, struct buf *out);	    /* all of them, with their reputations */
void config_export_backends(const struct vip_config *vip, struct buf *out); /* a line each, but of the sorry one */

#endif
