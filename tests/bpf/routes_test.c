// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * io/routes against the running kernel, between two network namespaces of its own joined by
 * veth: every change of route, neighbour, device and address is followed. Not here: packets.
 * Needs root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include <uv.h>

#include "io/routes.h"

#define AWAIT_MS 20000 /* for a change to be seen; a failed neighbour takes 3 s to be one */

static struct {
	struct loop *loop;
	struct routes *routes;
	int here, there; /* the namespaces */
	size_t calls;	 /* of changed() */
} fixture;

static void run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void run(const char *fmt, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (system(command))
		fail_msg("failed: %s", command);
}

/* A shell command on the other side. */
static void run_there(const char *command)
{
	assert_int_equal(setns(fixture.there, CLONE_NEWNET), 0);
	if (system(command))
		fail_msg("failed there: %s", command);
	assert_int_equal(setns(fixture.here, CLONE_NEWNET), 0);
}

static void changed(void *arg, const struct addr *to, const struct nexthop *nexthop)
{
	(void)arg;
	(void)to;
	(void)nexthop;
	fixture.calls++;
}

static struct addr at(const char *text)
{
	struct addr a;

	if (addr_parse(text, &a))
		fail_msg("no address: %s", text);
	return a;
}

static void tick(uv_timer_t *timer)
{
	(void)timer;
}

/* Turns the loop until the address is resolved (why NULL), or not and its reason contains @why. */
static const struct nexthop *await(const char *to, const char *why)
{
	const struct nexthop *n = NULL;
	struct addr a = at(to);
	uv_timer_t timer;
	uint64_t end = uv_hrtime() / 1000000 + AWAIT_MS;
	bool good = false;

	uv_timer_init(loop_uv(fixture.loop), &timer);
	uv_timer_start(&timer, tick, 50, 50);
	while (!good && uv_hrtime() / 1000000 < end) {
		uv_run(loop_uv(fixture.loop), UV_RUN_ONCE);
		n = routes_find(fixture.routes, &a);
		good = n && (why ? !n->resolved && strstr(n->why, why) : n->resolved);
	}
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(loop_uv(fixture.loop), UV_RUN_NOWAIT);
	if (!good)
		fail_msg("%s: wanted %s, is %s", to, why ? why : "resolved",
			 !n	       ? "not followed"
			 : n->resolved ? "resolved"
				       : n->why);
	return n;
}

/* As await(), for a condition on a resolved next hop. */
static void await_mac(const char *to, const char *mac, __u32 mtu)
{
	const struct nexthop *n = NULL;
	uint64_t end = uv_hrtime() / 1000000 + AWAIT_MS;
	char text[18] = "";

	do {
		n = await(to, NULL);
		snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", n->dmac[0], n->dmac[1], n->dmac[2],
			 n->dmac[3], n->dmac[4], n->dmac[5]);
	} while ((strcmp(text, mac) || n->mtu != mtu) && uv_hrtime() / 1000000 < end);
	assert_string_equal(text, mac);
	assert_int_equal(n->mtu, mtu);
}

static void follow(const char *to)
{
	struct addr a = at(to);

	assert_int_equal(routes_add(fixture.routes, &a), 0);
}

static void src_is(const struct nexthop *n, const char *text)
{
	struct addr a = at(text);

	assert_memory_equal(&n->src, &a, sizeof(a));
}

static void on_link_addresses_are_resolved_for_both_versions(void **state)
{
	static const __u8 here[] = {2, 0, 0, 0, 0, 1}, there[] = {2, 0, 0, 0, 0, 2};
	const struct nexthop *n;

	(void)state;
	follow("10.9.0.2");
	follow("fd09::2");
	n = await("10.9.0.2", NULL);
	assert_memory_equal(n->dmac, there, 6);
	assert_memory_equal(n->smac, here, 6);
	assert_int_equal(n->mtu, 1500);
	assert_string_equal(n->why, "");
	assert_false(n->routed);
	src_is(n, "10.9.0.1");
	n = await("fd09::2", NULL);
	assert_false(n->routed);
	assert_memory_equal(n->dmac, there, 6);
	src_is(n, "fd09::1");
}

static void addresses_behind_a_gateway_have_its_neighbour_and_the_routes_mtu(void **state)
{
	(void)state;
	follow("10.77.0.5");
	await("10.77.0.5", "no route to 10.77.0.5");
	run("ip route add 10.77.0.0/16 via 10.9.0.2 mtu 1400");
	await_mac("10.77.0.5", "02:00:00:00:00:02", 1400);
	assert_true(await("10.77.0.5", NULL)->routed);
	run("ip route change 10.77.0.0/16 via 10.9.0.2");
	await_mac("10.77.0.5", "02:00:00:00:00:02", 1500);
	run("ip route del 10.77.0.0/16");
	await("10.77.0.5", "no route to 10.77.0.5");
	run("ip route add 10.77.0.5 via inet6 fd09::2");
	await_mac("10.77.0.5", "02:00:00:00:00:02", 1500);
	assert_true(await("10.77.0.5", NULL)->routed);
}

static void a_more_specific_route_takes_over(void **state)
{
	(void)state;
	follow("fd77::5");
	run("ip -6 route add fd77::/16 via fd09::2");
	await_mac("fd77::5", "02:00:00:00:00:02", 1500);
	assert_true(await("fd77::5", NULL)->routed);
	run_there("ip addr add fd09::3/64 dev y nodad && ip link set y address 02:00:00:00:00:02");
	run("ip -6 neigh replace fd09::3 dev x lladdr 02:00:00:00:00:33 nud permanent");
	run("ip -6 route add fd77::5/128 via fd09::3");
	await_mac("fd77::5", "02:00:00:00:00:33", 1500);
	run("ip -6 route del fd77::5/128");
	await_mac("fd77::5", "02:00:00:00:00:02", 1500);
}

static void a_neighbour_that_does_not_answer_is_named_and_found_later(void **state)
{
	(void)state;
	follow("10.9.0.44");
	await("10.9.0.44", "neighbour 10.9.0.44 on x does not answer");
	run_there("ip addr add 10.9.0.44/24 dev y");
	await("10.9.0.44", NULL);
}

static void a_neighbours_new_mac_address_is_followed(void **state)
{
	(void)state;
	follow("10.9.0.2");
	await_mac("10.9.0.2", "02:00:00:00:00:02", 1500);
	run_there("ip link set y down && ip link set y address 02:00:00:00:00:07 && ip link set y up");
	run("ip neigh flush dev x");
	await_mac("10.9.0.2", "02:00:00:00:00:07", 1500);
}

static void stale_neighbours_are_asked_about(void **state)
{
	(void)state;
	follow("10.9.0.2");
	await("10.9.0.2", NULL);
	run("ip neigh change 10.9.0.2 dev x nud stale");
	/* The entry turns reachable again only if somebody uses it. */
	for (int i = 0; i < 15; i++) {
		await("10.9.0.2", NULL);
		if (!system("ip neigh show 10.9.0.2 dev x | grep -q REACHABLE"))
			return;
		for (int j = 0; j < 20; j++) {
			await("10.9.0.2", NULL);
			usleep(50000);
		}
	}
	fail_msg("the neighbour stayed stale");
}

static void a_device_that_is_down_is_named(void **state)
{
	(void)state;
	follow("10.9.0.2");
	await("10.9.0.2", NULL);
	run_there("ip link set y down"); /* no carrier here */
	await("10.9.0.2", "x towards 10.9.0.2 is down");
	run_there("ip link set y up");
	await("10.9.0.2", NULL);
	run("ip link set x down");
	await("10.9.0.2", "no route to 10.9.0.2");
	run("ip link set x up");
	await("10.9.0.2", NULL);
}

static void the_devices_own_changes_are_followed(void **state)
{
	static const __u8 mac[] = {2, 0, 0, 0, 0, 9};
	const struct nexthop *n = NULL;

	(void)state;
	follow("10.9.0.2");
	await("10.9.0.2", NULL);
	run("ip link set x mtu 1300");
	await_mac("10.9.0.2", "02:00:00:00:00:02", 1300);
	run("ip link set x address 02:00:00:00:00:09");
	for (int i = 0; i < 100 && (!n || memcmp(n->smac, mac, 6)); i++)
		n = await("10.9.0.2", NULL);
	assert_memory_equal(n->smac, mac, 6);
}

static void a_changed_source_address_is_followed(void **state)
{
	const struct nexthop *n;
	struct addr wanted = at("10.9.0.111");

	(void)state;
	follow("10.9.0.2");
	src_is(await("10.9.0.2", NULL), "10.9.0.1");
	run("echo 1 >/proc/sys/net/ipv4/conf/x/promote_secondaries");
	run("ip addr add 10.9.0.111/24 dev x && ip addr del 10.9.0.1/24 dev x");
	n = await("10.9.0.2", NULL);
	for (int i = 0; i < 100 && memcmp(&n->src, &wanted, sizeof(wanted)); i++)
		n = await("10.9.0.2", NULL);
	src_is(n, "10.9.0.111");
}

static void own_addresses_are_refused_in_words(void **state)
{
	(void)state;
	follow("10.9.0.1");
	await("10.9.0.1", "is an address of this host");
}

static void deleted_addresses_are_reported_no_more(void **state)
{
	struct addr a = at("10.9.0.2");
	size_t calls;

	(void)state;
	follow("10.9.0.2");
	follow("10.9.0.2");
	await("10.9.0.2", NULL);
	routes_delete(fixture.routes, &a);
	assert_non_null(routes_find(fixture.routes, &a));
	routes_delete(fixture.routes, &a);
	assert_null(routes_find(fixture.routes, &a));
	follow("10.9.0.1");
	await("10.9.0.1", "is an address");
	calls = fixture.calls;
	run("ip link set x mtu 1200");
	await("10.9.0.1", "is an address");
	for (int i = 0; i < 20; i++)
		uv_run(loop_uv(fixture.loop), UV_RUN_ONCE);
	assert_int_equal(fixture.calls, calls);
}

/* Twice the buffer of the socket in changes, unread: they are lost, the state is not. */
static void lost_changes_are_made_up_for(void **state)
{
	FILE *batch;
	int i;

	(void)state;
	follow("10.88.0.5");
	await("10.88.0.5", "no route");
	batch = popen("ip -batch -", "w");
	assert_non_null(batch);
	for (i = 0; i < 12000; i++)
		fprintf(batch, "route %s 10.66.%d.0/24 via 10.9.0.2\n", i % 2 ? "del" : "add", i / 2 % 256);
	fprintf(batch, "route add 10.88.0.0/16 via 10.9.0.2\n");
	assert_int_equal(pclose(batch), 0);
	await_mac("10.88.0.5", "02:00:00:00:00:02", 1500);
}

static void many_addresses_behind_one_gateway_do_not_hold_the_loop(void **state)
{
	uint64_t begin, turn, worst = 0, now;
	char text[32];
	int i, n = 32768;
	struct addr a;

	(void)state;
	run("ip route add 10.64.0.0/10 via 10.9.0.2");
	begin = uv_hrtime();
	for (i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "10.64.%d.%d", i / 256, i % 256);
		follow(text);
	}
	now = uv_hrtime();
	print_message("adding %d addresses: %.1f ms\n", n, (double)(now - begin) / 1e6);
	await("10.64.0.0", NULL);
	for (i = 0; i < n;) {
		snprintf(text, sizeof(text), "10.64.%d.%d", i / 256, i % 256);
		a = at(text);
		if (routes_find(fixture.routes, &a)->resolved) {
			i++;
			continue;
		}
		turn = uv_hrtime();
		uv_run(loop_uv(fixture.loop), UV_RUN_NOWAIT);
		now = uv_hrtime();
		if (now - turn > worst)
			worst = now - turn;
		if (now - begin > AWAIT_MS * 1000000ULL)
			fail_msg("%s is not resolved", text);
	}
	print_message("all resolved after %.0f ms, longest turn of the loop %.1f ms\n", (double)(now - begin) / 1e6,
		      (double)worst / 1e6);
	run("ip route change 10.64.0.0/10 via 10.9.0.2 mtu 1280");
	await_mac("10.64.127.255", "02:00:00:00:00:02", 1280);
}

static int namespace_new(void)
{
	return unshare(CLONE_NEWNET) ? -1 : open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

static int fixture_open(void **state)
{
	struct err err = {0};

	(void)state;
	memset(&fixture, 0, sizeof(fixture));
	fixture.there = namespace_new();
	fixture.here = namespace_new();
	if (fixture.there < 0 || fixture.here < 0)
		return -1;
	run("ip link set lo up && ip link add x address 02:00:00:00:00:01 type veth peer name y address "
	    "02:00:00:00:00:02 netns /proc/%d/fd/%d && ip addr add 10.9.0.1/24 dev x && "
	    "ip addr add fd09::1/64 dev x nodad && ip link set x up",
	    (int)getpid(), fixture.there);
	run_there("ip link set lo up && ip addr add 10.9.0.2/24 dev y && ip addr add fd09::2/64 dev y nodad && "
		  "ip link set y up");
	if (loop_open(&fixture.loop, &err) || routes_open(fixture.loop, changed, NULL, &fixture.routes, &err))
		fail_msg("%s", err.text);
	return 0;
}

static int fixture_close(void **state)
{
	(void)state;
	routes_close(fixture.routes);
	loop_close(fixture.loop);
	close(fixture.here);
	close(fixture.there);
	return 0;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
	const struct CMUnitTest tests[] = {
		T(on_link_addresses_are_resolved_for_both_versions),
		T(addresses_behind_a_gateway_have_its_neighbour_and_the_routes_mtu),
		T(a_more_specific_route_takes_over),
		T(a_neighbour_that_does_not_answer_is_named_and_found_later),
		T(a_neighbours_new_mac_address_is_followed),
		T(stale_neighbours_are_asked_about),
		T(a_device_that_is_down_is_named),
		T(the_devices_own_changes_are_followed),
		T(a_changed_source_address_is_followed),
		T(own_addresses_are_refused_in_words),
		T(deleted_addresses_are_reported_no_more),
		T(lost_changes_are_made_up_for),
		T(many_addresses_behind_one_gateway_do_not_hold_the_loop),
	};

	if (geteuid()) {
		puts("skip routes_test: needs root");
		return 77;
	}
	return cmocka_run_group_tests_name("routes", tests, NULL, NULL);
}
