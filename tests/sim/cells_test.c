// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * No connection breaks, and what is called active is true: the model of the cells under every kind of
 * traffic. `cells_test table` prints the long table (2 M connections a row). SEED=n replays a seed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"

/* clang-format off */
static const struct cells_scenario scenarios[] = {
	/* name                    by          be  sets flows   total    rate idle    flood       rate   change weighted udp */
	{ "wlc",                  STEER_OPEN,  10, 18, 131072, 2000000, 2000, 60000, FLOOD_NONE,     0, false, false, false },
	{ "wlc 3 backends",       STEER_OPEN,   3, 18, 131072, 2000000, 2000, 60000, FLOOD_NONE,     0, false, false, false },
	{ "wlc 100 backends",     STEER_OPEN, 100, 18, 131072, 2000000, 2000, 60000, FLOOD_NONE,     0, false, false, false },
	{ "wlc 4 cells a flow",   STEER_OPEN,  10, 17, 131072, 2000000, 2000, 60000, FLOOD_NONE,     0, false, false, false },
	{ "wlc SYN flood",        STEER_OPEN,  10, 18, 131072, 2000000, 2000, 60000, FLOOD_SYN,  20000, false, false, false },
	{ "wlc SYN flood, 4",     STEER_OPEN,  10, 17, 131072, 2000000, 2000, 60000, FLOOD_SYN,  20000, false, false, false },
	{ "wlc ACK flood",        STEER_OPEN,  10, 18, 131072, 2000000, 2000, 60000, FLOOD_ACK,  20000, false, false, false },
	{ "wlc ACK flood, 4",     STEER_OPEN,  10, 17, 131072, 2000000, 2000, 60000, FLOOD_ACK,  20000, false, false, false },
	{ "wlc UDP flood",        STEER_OPEN,  10, 18, 131072, 2000000, 2000, 60000, FLOOD_UDP,  20000, false, false, false },
	{ "wlc changes",          STEER_OPEN,  10, 18, 131072, 2000000, 2000, 60000, FLOOD_NONE,     0, true,  false, false },
	{ "wlc changes, SYN",     STEER_OPEN,  10, 18, 131072, 2000000, 2000, 60000, FLOOD_SYN,  20000, true,  false, false },
	{ "wlc changes, SYN, 4",  STEER_OPEN,  10, 17, 131072, 2000000, 2000, 60000, FLOOD_SYN,  20000, true,  false, false },
	{ "wrr",                  STEER_GIVEN, 10, 18, 131072, 2000000, 2000, 60000, FLOOD_NONE,     0, false, true,  false },
	{ "wrr SYN flood, 4",     STEER_GIVEN, 10, 17, 131072, 2000000, 2000, 60000, FLOOD_SYN,  20000, false, true,  false },
	{ "wrr changes",          STEER_GIVEN, 10, 18, 131072, 2000000, 2000, 60000, FLOOD_NONE,     0, true,  true,  false },
	{ "mh changes",           STEER_HOME,  10, 18, 131072, 2000000, 2000, 60000, FLOOD_NONE,     0, true,  false, false },
	{ "mh changes, SYN",      STEER_HOME,  10, 18, 131072, 2000000, 2000, 60000, FLOOD_SYN,  20000, true,  false, false },
	{ "mh changes, SYN, 4",   STEER_HOME,  10, 17, 131072, 2000000, 2000, 60000, FLOOD_SYN,  20000, true,  false, false },
	{ "mh changes, ACK",      STEER_HOME,  10, 18, 131072, 2000000, 2000, 60000, FLOOD_ACK,  20000, true,  false, false },
	{ "mh changes, ACK, 4",   STEER_HOME,  10, 17, 131072, 2000000, 2000, 60000, FLOOD_ACK,  20000, true,  false, false },
	{ "mh changes, UDP",      STEER_HOME,  10, 18, 131072, 2000000, 2000, 60000, FLOOD_UDP,  20000, true,  false, false },
	{ "udp wlc",              STEER_OPEN,  10, 18, 131072, 2000000, 2000, 60000, FLOOD_NONE,     0, false, false, true  },
	{ "udp wlc UDP flood",    STEER_OPEN,  10, 18, 131072, 2000000, 2000, 60000, FLOOD_UDP,  20000, false, false, true  },
	{ "udp mh changes",       STEER_HOME,  10, 18, 131072, 2000000, 2000, 60000, FLOOD_NONE,     0, true,  false, true  },
};
/* clang-format on */
#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

static void print_head(FILE *out)
{
	fprintf(out, "%-20s %8s %8s %7s %8s %9s %8s %6s %8s %7s %9s  %s\n", "SCENARIO", "FLOWS", "CONNS", "BROKEN",
		"UNSERVED", "OVERFLOWS", "ACTIVE", "END", "FULLEST", "DEV", "UNSETTLED", "SEED");
}

static void print_row(FILE *out, const struct cells_scenario *sc, const struct cells_outcome *o, unsigned long seed)
{
	fprintf(out, "%-20s %8u %8llu %7llu %8llu %9llu %7.3f%% %6u %7.2f%% %7.1f %9u  %lu\n", sc->name, sc->flows,
		(unsigned long long)o->connections, (unsigned long long)o->broken, (unsigned long long)o->unserved,
		(unsigned long long)o->overflows, o->active_error * 100, o->active_end, o->imbalance * 100,
		o->deviation, o->unsettled, seed);
	fflush(out);
}

int main(int argc, char **argv)
{
	unsigned long seed = getenv("SEED") ? strtoul(getenv("SEED"), NULL, 0) : 1;
	__u32 div = argc > 1 ? (__u32)atoi(argv[1]) : 8;

	print_head(stdout);
	for (size_t i = 0; i < SCENARIOS; i++) {
		struct cells_scenario sc = scenarios[i];
		struct cells_outcome o = {0};

		if (argc > 2 && !strstr(sc.name, argv[2]))
			continue;
		for (__u32 d = div; d > 1; d /= 2)
			sc.sets_log2--;
		sc.flows /= div;
		sc.total /= div;
		sc.rate /= div;
		sc.flood_rate /= div;
		cells_run(&sc, seed, &o);
		print_row(stdout, &sc, &o, seed);
	}
	return 0;
}
