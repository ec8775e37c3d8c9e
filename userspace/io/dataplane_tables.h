/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tables of the program that it reaches by address: the loader's half of TABLE in bpf/table.h.
 * Not here: what stands in them (include/starling/dataplane.h).
 */
#ifndef STARLING_IO_DATAPLANE_TABLES_H
#define STARLING_IO_DATAPLANE_TABLES_H

/**
 * dataplane_tables_register() - from now on, programs of section xdp.frags find their tables
 *
 * Before the object is opened; again is fine; not thread-safe, as libbpf's registry is not.
 *
 * Return: 0, or -errno.
 */
int dataplane_tables_register(void);

#endif
