// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Configurations as values, and what no single line can know. Not here: text (config_file_test).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/model.h"

static struct endpoint at(const char *text)
{
	struct endpoint e = {0};

	assert_int_equal(endpoint_parse(text, &e), 0);
	return e;
}

static void vip_put(struct config *c, const char *name, const char *key, size_t backends)
{
	struct vip_config vip;
	char text[64];
	size_t i;

	vip_defaults(&vip);
	snprintf(vip.name, sizeof(vip.name), "%s", name);
	vip.key[vip.key_count++] = at(key);
	for (i = 0; i < backends; i++) {
		/* Spread, so that insertion is not always at the end. */
		size_t n = i * 7919 % backends;
		struct backend_config b = {.weight = 1, .tier = 1};

		snprintf(text, sizeof(text), "10.0.%zu.%zu:80", n / 250, n % 250 + 1);
		b.at = at(text);
		assert_int_equal(vip_backend_add(&vip, &b), 0);
	}
	assert_int_equal(config_vip_add(c, &vip), 0);
	assert_null(vip.backend);
}

static void objects_are_kept_in_order_and_found(void **state)
{
	struct config *c = config_new();
	struct endpoint where = at("10.0.1.5:80");
	struct vip_config *vip;
	char name[16], key[32];
	size_t i;

	(void)state;
	for (i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "v%03zu", i * 77 % 200);
		snprintf(key, sizeof(key), "tcp/203.0.113.1:%zu", i + 1);
		vip_put(c, name, key, 1);
	}
	vip_put(c, "web", "tcp/203.0.113.1:443", 997);
	assert_int_equal(c->vip_count, 201);
	for (i = 1; i < c->vip_count; i++)
		assert_true(strcmp(c->vip[i - 1].name, c->vip[i].name) < 0);
	vip = config_vip(c, "web");
	assert_non_null(vip);
	for (i = 1; i < vip->backend_count; i++)
		assert_true(endpoint_compare(&vip->backend[i - 1].at, &vip->backend[i].at) < 0);
	assert_non_null(vip_backend(vip, &where));
	assert_int_equal(vip_backend_add(vip, vip_backend(vip, &where)), -EEXIST);
	assert_int_equal(vip_backend_delete(vip, &where), 0);
	assert_int_equal(vip_backend_delete(vip, &where), -ENOENT);
	assert_null(vip_backend(vip, &where));
	assert_int_equal(config_vip_delete(c, "v100"), 0);
	assert_int_equal(config_vip_delete(c, "v100"), -ENOENT);
	assert_non_null(config_vip(c, "v101"));
	config_free(c);
}

static void a_copy_shares_nothing_with_its_original(void **state)
{
	struct config *c = config_new(), *copy;
	struct iface_config iface = {.name = "eth0"};
	struct endpoint first = at("10.0.0.1:80");
	struct backend_config more = {.at = at("10.9.9.9:80"), .tier = 1};

	(void)state;
	vip_put(c, "web", "tcp/203.0.113.1:443", 5);
	assert_int_equal(config_iface_add(c, &iface), 0);
	assert_int_equal(config_iface_add(c, &iface), -EEXIST);
	copy = config_copy(c);
	assert_non_null(copy);
	vip_backend(config_vip(copy, "web"), &first)->weight = 9;
	assert_int_equal(vip_backend_add(config_vip(copy, "web"), &more), 0);
	vip_put(copy, "other", "tcp/203.0.113.2:443", 0);
	assert_int_equal(config_iface_delete(copy, "eth0"), 0);
	assert_int_equal(vip_backend(config_vip(c, "web"), &first)->weight, 1);
	assert_int_equal(config_vip(c, "web")->backend_count, 5);
	assert_int_equal(c->vip_count, 1);
	assert_int_equal(c->iface_count, 1);
	config_free(c);
	config_free(copy);
	config_free(NULL);
}

static void slots_are_the_smallest_prime_with_a_hundred_a_backend(void **state)
{
	static const struct {
		size_t backends;
		__u32 slots;
	} cases[] = {{0, 1021},	   {10, 1021},	 {11, 2039},	{20, 2039},	{21, 4093},	 {40, 4093},
		     {41, 8191},   {81, 8191},	 {82, 16381},	{163, 16381},	{164, 32749},	 {327, 32749},
		     {328, 65537}, {655, 65537}, {656, 131071}, {1310, 131071}, {1311, 1048573}, {65000, 1048573}};
	struct config *c = config_new();
	struct vip_config *vip;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(vip_slots_default(cases[i].backends), cases[i].slots);
		assert_true(vip_slots_allowed(cases[i].slots));
	}
	assert_false(vip_slots_allowed(0));
	assert_false(vip_slots_allowed(1000));
	vip_put(c, "web", "tcp/203.0.113.1:443", 100);
	vip = config_vip(c, "web");
	assert_int_equal(vip_slots(vip), 16381);
	for (i = 0; i < 50; i++)
		vip->backend[2 * i].tier = 2;
	assert_int_equal(vip_slots(vip), 8191); /* of a tier */
	vip->slots = 1021;
	assert_int_equal(vip_slots(vip), 1021);
	config_free(c);
}

static void the_sorry_backend_is_not_probed(void **state)
{
	struct check_config tcp = {.kind = CHECK_TCP, .interval_ms = 1000};
	struct endpoint sorry = at("10.9.9.9:80");
	struct config *c = config_new();
	struct config_target *all;
	size_t count;

	(void)state;
	vip_put(c, "web", "tcp/203.0.113.1:443", 3);
	assert_int_equal(vip_check_set(config_vip(c, "web"), &tcp), 0);
	assert_int_equal(vip_sorry_set(config_vip(c, "web"), &sorry), 0);
	assert_int_equal(config_vip(c, "web")->backend_count, 4);
	assert_int_equal(config_targets(c, &all, &count), 0);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++)
		assert_int_not_equal(endpoint_compare(&all[i].at, &sorry), 0);
	free(all);
	config_free(c);
}

static void check(const struct config *c, const struct config_limits *limits, int wanted, const char *text)
{
	struct err err = {0};
	int r = config_check(c, limits, &err);

	if (r != wanted || (text && strcmp(err.text, text) != 0))
		fail_msg("%d, not %d: %s", r, wanted, err.text);
}

static void what_does_not_fit_is_refused_with_what_to_do(void **state)
{
	struct config *c = config_new();

	(void)state;
	vip_put(c, "a", "tcp/203.0.113.1:80", 3);
	vip_put(c, "b", "tcp/203.0.113.2:80", 4);
	check(c, NULL, 0, NULL);
	check(c, &(struct config_limits){2, 7, 2042}, 0, NULL);
	check(c, &(struct config_limits){1, 7, 2042}, -ENOSPC, "2 VIPs, but room for 1: start starlingd with --vips 2");
	check(c, &(struct config_limits){2, 6, 2042}, -ENOSPC,
	      "7 backends, but room for 6: start starlingd with --backends 7");
	check(c, &(struct config_limits){2, 7, 2041}, -ENOSPC,
	      "2042 slots, but room for 2041: start starlingd with --slots 2042");
	config_free(c);
}

static void every_backend_with_a_weight_needs_a_slot(void **state)
{
	struct config *c = config_new();
	struct vip_config *vip;

	(void)state;
	vip_put(c, "a", "tcp/203.0.113.1:80", 1022);
	vip = config_vip(c, "a");
	check(c, NULL, 0, NULL);
	vip->slots = 1021;
	check(c, NULL, -EINVAL, "VIP a: 1022 backends need more slots than 1021: each takes one at least");
	vip->backend[500].weight = 0;
	check(c, NULL, 0, NULL);
	config_free(c);
}

static void a_key_belongs_to_one_vip_and_no_backend(void **state)
{
	struct config *c = config_new();
	struct vip_config *vip;

	(void)state;
	vip_put(c, "a", "tcp/203.0.113.1:80", 1);
	vip_put(c, "b", "tcp/203.0.113.1:443", 0);
	check(c, NULL, 0, NULL);
	vip = config_vip(c, "b");
	vip->key[vip->key_count++] = at("udp/203.0.113.1:80");
	check(c, NULL, 0, NULL);
	vip->key[vip->key_count++] = at("tcp/203.0.113.1:80");
	check(c, NULL, -EINVAL, "VIP b: tcp/203.0.113.1:80 belongs to VIP a already");
	vip->key_count--;
	config_vip(c, "a")->backend[0].at = at("203.0.113.1:9000");
	check(c, NULL, -EINVAL, NULL);
	config_free(c);
}

static void idle_0_is_for_udp_without_counts(void **state)
{
	struct config *c = config_new();
	struct vip_config *vip;

	(void)state;
	vip_put(c, "a", "udp/203.0.113.1:80", 1);
	vip = config_vip(c, "a");
	vip->idle_ms = 0;
	check(c, NULL, 0, NULL);
	vip->key[vip->key_count++] = at("tcp/203.0.113.1:80");
	check(c, NULL, -EINVAL, NULL);
	vip->key_count--;
	vip->scheduler = SCHEDULER_LC;
	check(c, NULL, -EINVAL, NULL);
	config_free(c);
}

static void more_devices_than_fit_are_refused(void **state)
{
	struct config *c = config_new();
	struct iface_config iface = {0};
	int i;

	(void)state;
	for (i = 0; i < STARLING_DEVICES; i++) {
		snprintf(iface.name, sizeof(iface.name), "d%d", i * 37 % STARLING_DEVICES);
		assert_int_equal(config_iface_add(c, &iface), 0);
	}
	check(c, NULL, 0, NULL);
	snprintf(iface.name, sizeof(iface.name), "one-more");
	assert_int_equal(config_iface_add(c, &iface), 0);
	check(c, NULL, -ENOSPC, NULL);
	config_free(c);
}

/* A check of every backend of a VIP. */
static void vip_check(struct config *c, const char *vip, __u32 kind, __u32 interval_ms)
{
	struct check_config check = {.kind = kind, .interval_ms = interval_ms};
	struct err err;

	assert_int_equal(check_config_complete(&check, &err), 0);
	assert_int_equal(vip_check_set(config_vip(c, vip), &check), 0);
}

static void probes_of_one_target_count_once(void **state)
{
	struct config *c = config_new(), *copy;

	(void)state;
	vip_put(c, "a", "tcp/203.0.113.1:80", 10);
	vip_put(c, "b", "tcp/203.0.113.2:80", 20);
	vip_put(c, "c", "tcp/203.0.113.3:80", 10);
	assert_true(config_probes(c) == 0);
	vip_check(c, "a", CHECK_TCP, 500);
	assert_true(config_probes(c) == 20);
	vip_check(c, "b", CHECK_TCP, 500); /* ten of them are those of a */
	assert_true(config_probes(c) == 40);
	vip_check(c, "c", CHECK_TCP, 1000); /* another interval is another check */
	assert_true(config_probes(c) == 50);
	copy = config_copy(c);
	config_vip_delete(c, "b");
	config_free(c);
	assert_true(config_probes(copy) == 50);
	config_free(copy);
}

/* Each address of a VIP's is reached or not, whatever other VIPs the backend has. */
static void through_tunnels_each_vip_has_targets_of_its_own(void **state)
{
	struct check_config direct = {.kind = CHECK_TCP, .interval_ms = 1000},
			    tunnel = {.kind = CHECK_TCP, .interval_ms = 1000, .via = CHECK_VIA_TUNNEL}, aimed;
	struct config *c = config_new();
	struct err err = {0};

	(void)state;
	vip_put(c, "a", "tcp/203.0.113.1:80", 10);
	vip_put(c, "b", "tcp/203.0.113.2:80", 10);
	vip_put(c, "u", "udp/203.0.113.3:53", 10);
	for (size_t i = 0; i < 2; i++) {
		aimed = direct;
		assert_int_equal(vip_check_aim(&c->vip[i], &aimed, &err), 0);
		assert_int_equal(vip_check_set(&c->vip[i], &aimed), 0);
	}
	assert_true(config_probes(c) == 10);
	for (size_t i = 0; i < 2; i++) {
		aimed = tunnel;
		assert_int_equal(vip_check_aim(&c->vip[i], &aimed, &err), 0);
		assert_int_equal(vip_check_set(&c->vip[i], &aimed), 0);
	}
	assert_true(config_probes(c) == 20);
	assert_int_equal(c->vip[1].check->to.port, htons(80));
	assert_true(check_config_same(c->vip[0].check, c->vip[1].check));
	assert_int_equal(vip_check_aim(&c->vip[2], &aimed, &err), -EINVAL);
	aimed.port = 8080;
	assert_int_equal(vip_check_aim(&c->vip[2], &aimed, &err), 0);
	assert_int_equal(aimed.to.port, htons(8080));
	config_free(c);
}

static void more_probes_than_half_a_core_makes_are_refused(void **state)
{
	struct config *c = config_new();
	struct err err = {0};

	(void)state;
	vip_put(c, "few", "tcp/203.0.113.1:80", 10);
	vip_put(c, "many", "tcp/203.0.113.2:80", 200);
	vip_put(c, "more", "tcp/203.0.113.3:80", 400);
	vip_check(c, "few", CHECK_TCP, 500);
	vip_check(c, "many", CHECK_HTTPS, 1000);
	assert_int_equal(config_check(c, NULL, &err), 0);
	vip_check(c, "more", CHECK_HTTPS, 1100);
	assert_int_equal(config_check(c, NULL, &err), -ENOSPC);
	assert_string_equal(err.text,
			    "584 probes a second would take 113 % of a core, more than the 50 % that they may: "
			    "give longer intervals to more (73 %), many (40 %), few (0 %)");
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_kept_in_order_and_found),
		cmocka_unit_test(a_copy_shares_nothing_with_its_original),
		cmocka_unit_test(slots_are_the_smallest_prime_with_a_hundred_a_backend),
		cmocka_unit_test(the_sorry_backend_is_not_probed),
		cmocka_unit_test(what_does_not_fit_is_refused_with_what_to_do),
		cmocka_unit_test(every_backend_with_a_weight_needs_a_slot),
		cmocka_unit_test(a_key_belongs_to_one_vip_and_no_backend),
		cmocka_unit_test(idle_0_is_for_udp_without_counts),
		cmocka_unit_test(more_devices_than_fit_are_refused),
		cmocka_unit_test(probes_of_one_target_count_once),
		cmocka_unit_test(through_tunnels_each_vip_has_targets_of_its_own),
		cmocka_unit_test(more_probes_than_half_a_core_makes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
