/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a balancer tells of what it has put aside by itself, as it comes from another one. Not here: its lines
 * (aside.h), what is made of them (daemon/peers_asides.c).
 */
#ifndef STARLING_CORE_ASIDE_PAGE_H
#define STARLING_CORE_ASIDE_PAGE_H

#include "core/aside.h"
#include "core/page.h"

#define ASIDE_PAGES 16 /* that a node tells: some 150 backends */

/**
 * aside_page_read() - what one of a node's pages tells
 * @page:	its pages come in their order
 * @list:	owned by the caller: what those before told; gets more. Sorted by override_order(), each backend once
 *
 * Pages that nobody tells, and lines that are none or out of order, are passed over.
 * Return: 0, or -ENOMEM.
 */
int aside_page_read(const struct page *page, struct override **list, size_t *count);

#endif
