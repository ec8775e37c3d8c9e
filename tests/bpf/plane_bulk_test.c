// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * 512 VIPs of 64 backends: applied, applied again, adopted, changed, deleted. Prints times and memory,
 * judges none of them. Not here: packets (plane_test.c).
 */
#include <malloc.h>
#include <sys/resource.h>

#include "plane_world.h"

#define VIPS	 512
#define BACKENDS 64

static double since(struct mono from)
{
	return mono_seconds(from, mono_now()) * 1000;
}

static long resident_kb(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size, pages = 0;

	if (f && fscanf(f, "%ld %ld", &size, &pages) != 2)
		pages = 0;
	if (f)
		fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* All VIPs have the same 64 hosts as backends, as in life. */
static void vips_want(struct world *w)
{
	for (__u32 n = 0; n < VIPS; n++) {
		struct vip_config v;

		vip_defaults(&v);
		v.scheduler = n % 2 ? SCHEDULER_WLC : SCHEDULER_MH;
		v.idle_ms = 60000;
		snprintf(v.name, sizeof(v.name), "v%u", n);
		v.key[0] = world_key(n, IPPROTO_TCP);
		v.key[1] = world_key(n, IPPROTO_UDP);
		v.key_count = 2;
		for (__u32 i = 0; i < BACKENDS; i++) {
			struct backend_config b = {.at = world_backend(1, i), .weight = 10, .tier = TIER_DEFAULT};

			assert_int_equal(vip_backend_add(&v, &b), 0);
		}
		assert_int_equal(config_vip_add(w->wanted, &v), 0);
	}
}

static void many_vips_are_applied_unchanged_adopted_changed_and_deleted(void **state)
{
	struct harness_options o = {.vips = VIPS,
				    .backends = STARLING_BACKENDS_DEFAULT,
				    .slots = STARLING_SLOTS_DEFAULT,
				    .flow_sets_log2 = 19};
	struct world *w = world_new(&o);
	struct plane_change c;
	struct err err = {0};
	struct mono start;
	__u64 *slots;

	(void)state;
	vips_want(w);
	start = mono_now();
	if (world_try(w, &c, &err))
		fail_msg("%s", err.text);
	print_message("first apply %.0f ms", since(start));
	assert_int_equal(c.vips_added, VIPS);
	assert_int_equal(w->watched_count, BACKENDS);
	start = mono_now();
	world_resolve(w);
	print_message(", next hops of all %.0f ms\n", since(start));
	plane_tick(w->p);
	slots = malloc(w->dp.h->slots_max * sizeof(*slots));
	memcpy(slots, w->dp.h->slots, w->dp.h->slots_max * sizeof(*slots));

	start = mono_now();
	assert_int_equal(world_try(w, &c, &err), 0);
	print_message("unchanged apply %.1f ms\n", since(start));
	assert_int_equal(c.vips_unchanged, VIPS);
	assert_memory_equal(slots, w->dp.h->slots, w->dp.h->slots_max * sizeof(*slots));

	start = mono_now();
	plane_tick(w->p);
	print_message("tick, no flows %.1f ms, resident %ld KiB (with all maps)\n", since(start), resident_kb());

	start = mono_now();
	world_restart(w);
	print_message("adoption %.0f ms\n", since(start));
	assert_int_equal(world_try(w, &c, &err), 0);
	assert_int_equal(c.vips_unchanged, VIPS);
	assert_memory_equal(slots, w->dp.h->slots, w->dp.h->slots_max * sizeof(*slots));

	start = mono_now();
	for (__u32 n = 0; n < VIPS; n++) {
		struct override over = {.at = world_backend(1, 5), .state = OVERRIDE_DISABLE, .by = "test"};

		snprintf(over.vip, sizeof(over.vip), "v%u", n);
		assert_int_equal(plane_override(w->p, &over, &err), 0);
	}
	print_message("one host disabled in %u VIPs %.0f ms\n", VIPS, since(start));
	free(slots);

	config_free(w->wanted);
	w->wanted = config_new();
	start = mono_now();
	assert_int_equal(world_try(w, &c, &err), 0);
	print_message("all of them deleted %.0f ms\n", since(start));
	assert_int_equal(c.vips_deleted, VIPS);
	assert_int_equal(w->watched_count, 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_vips_are_applied_unchanged_adopted_changed_and_deleted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
