/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the files that fill rows share: names, texts. Not here: what is shown (core/catalog_list.h).
 */
#ifndef STARLING_DAEMON_PLANE_SHOW_H
#define STARLING_DAEMON_PLANE_SHOW_H

#include "daemon/plane_plan.h"
#include "daemon/plane_state.h"
#include "starling/cell.h"

struct where;

extern const char *const plane_scheduler_name[]; /* by enum scheduler */
extern const char *const plane_forward_name[];	 /* by enum forward_mode */
extern const char *const plane_cell_name[];	 /* by enum cell_state */

/* After each row: urgent jobs get their turn now and then. Pointers to backends and VIPs stay good, others may not. */
void plane_row_end(struct plane *p, const struct table *t);

/* The VIPs a show is about: all, or the one of that name. -ENOENT with @err. */
int plane_vips_named(const struct plane *p, const char *name, size_t *ret_first, size_t *ret_count, struct err *err);

const char *plane_slot_text(__u64 slot); /* its state */

#define PLANE_DIGEST_BYTES 9 /* 8 hex digits and NUL */
void plane_digest_text(__u64 digest, char text[PLANE_DIGEST_BYTES]);

/* ADDR:PORT of a backend id, or NULL if it is not in use. */
const char *plane_backend_text(const struct plane *p, __u32 id, char text[ENDPOINT_TEXT_BYTES]);

/* Hash of the flow from @src to @dst of that VIP, as steer computes it. */
__u64 plane_flow_hash(const struct plane *p, const struct plane_vip *v, const struct endpoint *src,
		      const struct endpoint *dst);

/* where_to() for a packet of that flow of the VIP, over the live maps; writes nothing. */
void plane_where(const struct plane *p, const struct plane_vip *v, __u64 hash, enum packet_kind kind,
		 struct where *ret);
bool plane_where_cell(const struct where *w); /* the flow has a cell: w->cell_old */

const struct plane_vip *plane_vip_of_key(const struct plane *p, const struct endpoint *key); /* NULL: no VIP's */

#endif
