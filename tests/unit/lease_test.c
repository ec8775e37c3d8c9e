// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Leases: who may take one, for how long, with which number. Not here: that two never have one (tests/sim/lease_test).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/lease.h"

#define TTL_MS 10000

/* The register, and two nodes that follow it. */
struct world {
	struct intent is;
	__u64 version;
	struct mono now;
	struct leases one, two;
};

static struct world world_new(void)
{
	struct world w;

	memset(&w, 0, sizeof(w));
	w.version = 40;
	w.now.ns = 5000000000;
	w.one.node = 1;
	w.two.node = 2;
	return w;
}

static void passes(struct world *w, __u64 ms)
{
	w->now.ns += ms * 1000000;
}

static void decided(struct world *w)
{
	w->version++;
	lease_follow(&w->one, &w->is, w->now);
	lease_follow(&w->two, &w->is, w->now);
}

/* Return: the number, or -errno; what came of it is known to both at once. */
static int takes(struct world *w, struct leases *l, const char *name, __u32 ttl_ms)
{
	struct mono asked = w->now;
	int rc;

	lease_ask(l, name, ttl_ms, asked);
	rc = lease_take(l, name, ttl_ms, w->version + 1, w->now, &w->is);
	if (rc)
		return rc;
	decided(w);
	return (int)lease_granted(l, &w->is, name, asked, w->now);
}

static int drops(struct world *w, struct leases *l, const char *name)
{
	int rc;

	lease_ask(l, name, 0, w->now);
	rc = lease_drop(l, name, &w->is);
	if (!rc)
		decided(w);
	return rc;
}

static bool has(const struct world *w, const struct leases *l, const char *name)
{
	size_t k = lease_find(&w->is, name);

	return k < INTENT_LEASES && lease_held(l, k, w->now);
}

static void one_has_it_at_a_time(void **state)
{
	struct world w = world_new();

	(void)state;
	assert_int_equal(takes(&w, &w.one, "cron", TTL_MS), 41);
	assert_true(has(&w, &w.one, "cron"));
	assert_false(has(&w, &w.two, "cron"));
	assert_int_equal(takes(&w, &w.two, "cron", TTL_MS), -EEXIST);
	assert_int_equal(takes(&w, &w.two, "other", TTL_MS), 42);
	assert_int_equal(drops(&w, &w.two, "cron"), -EEXIST);
	assert_true(has(&w, &w.one, "cron"));
}

static void its_holder_counts_less_of_its_time_than_others(void **state)
{
	struct world w = world_new();

	(void)state;
	takes(&w, &w.one, "cron", TTL_MS);
	assert_int_equal(lease_left_ms(&w.one, 0, w.now), 9500);
	assert_int_equal(lease_left_ms(&w.two, 0, w.now), 10000);
	passes(&w, 9499);
	assert_true(has(&w, &w.one, "cron"));
	passes(&w, 1);
	assert_false(has(&w, &w.one, "cron"));
	assert_int_equal(lease_left_ms(&w.one, 0, w.now), 0);
	passes(&w, 499);
	assert_int_equal(takes(&w, &w.two, "cron", TTL_MS), -EEXIST);
	passes(&w, 1);
	assert_int_equal(takes(&w, &w.two, "cron", TTL_MS), 42);
	assert_true(has(&w, &w.two, "cron"));
	assert_false(has(&w, &w.one, "cron"));
}

static void its_time_is_counted_from_before_it_was_asked_for(void **state)
{
	struct world w = world_new();
	struct mono asked = w.now;

	(void)state;
	lease_ask(&w.one, "cron", TTL_MS, asked);
	passes(&w, 3000);
	assert_int_equal(lease_take(&w.one, "cron", TTL_MS, w.version + 1, w.now, &w.is), 0);
	decided(&w);
	assert_int_equal(lease_granted(&w.one, &w.is, "cron", asked, w.now), 41);
	assert_int_equal(lease_left_ms(&w.one, 0, w.now), 6500);
	assert_int_equal(lease_left_ms(&w.two, 0, w.now), 10000);
}

static void who_goes_on_keeps_its_number(void **state)
{
	struct world w = world_new();

	(void)state;
	takes(&w, &w.one, "cron", TTL_MS);
	passes(&w, 9000);
	assert_int_equal(takes(&w, &w.one, "cron", TTL_MS), 41);
	assert_int_equal(w.is.lease[0].renewed, 2);
	passes(&w, 9000);
	assert_true(has(&w, &w.one, "cron"));
	assert_int_equal(takes(&w, &w.two, "cron", TTL_MS), -EEXIST);
	passes(&w, 500);
	assert_int_equal(takes(&w, &w.one, "cron", TTL_MS), 43);
}

static void a_start_ends_what_was_had(void **state)
{
	struct world w = world_new();
	struct leases again = {.node = 1};

	(void)state;
	takes(&w, &w.one, "cron", TTL_MS);
	w.one = again;
	lease_follow(&w.one, &w.is, w.now);
	assert_false(has(&w, &w.one, "cron"));
	assert_int_equal(takes(&w, &w.two, "cron", TTL_MS), -EEXIST);
	assert_int_equal(takes(&w, &w.one, "cron", TTL_MS), 42);
	w.two = (struct leases){.node = 2}; /* it has seen nothing for how long */
	passes(&w, 60000);
	lease_follow(&w.two, &w.is, w.now);
	assert_int_equal(takes(&w, &w.two, "cron", TTL_MS), -EEXIST);
	passes(&w, TTL_MS);
	assert_int_equal(takes(&w, &w.two, "cron", TTL_MS), 43);
}

static void what_is_given_back_may_be_taken_at_once(void **state)
{
	struct world w = world_new();
	struct intent none = {0};

	(void)state;
	takes(&w, &w.one, "cron", TTL_MS);
	assert_int_equal(drops(&w, &w.one, "cron"), 0);
	assert_false(has(&w, &w.one, "cron"));
	assert_memory_equal(&w.is, &none, sizeof(none));
	assert_int_equal(drops(&w, &w.one, "cron"), -ENOENT);
	assert_int_equal(takes(&w, &w.two, "cron", TTL_MS), 43);
}

static void what_was_asked_for_counts_before_it_is_answered(void **state)
{
	struct world w = world_new();

	(void)state;
	takes(&w, &w.one, "cron", 60000);
	lease_ask(&w.one, "cron", 1000, w.now); /* this may be decided, and nobody say so */
	passes(&w, 949);
	assert_true(has(&w, &w.one, "cron"));
	passes(&w, 1);
	assert_false(has(&w, &w.one, "cron"));
	takes(&w, &w.one, "cron", 60000);
	lease_ask(&w.one, "cron", 0, w.now);
	assert_false(has(&w, &w.one, "cron"));
}

static void an_answer_that_comes_too_late_gives_nothing(void **state)
{
	struct world w = world_new();
	struct mono asked = w.now;

	(void)state;
	lease_take(&w.one, "cron", TTL_MS, 41, w.now, &w.is);
	decided(&w);
	passes(&w, TTL_MS);
	assert_int_equal(takes(&w, &w.two, "cron", TTL_MS), 42);
	assert_int_equal(lease_granted(&w.one, &w.is, "cron", asked, w.now), 0);
	assert_false(has(&w, &w.one, "cron"));
}

static void a_place_is_used_again_when_its_lease_is_over(void **state)
{
	static const char *const name[] = {"a", "b", "c"};
	struct world w = world_new();

	(void)state;
	for (size_t i = 0; i < LEASE_OTHERS; i++) {
		assert_int_equal(takes(&w, &w.one, name[i], TTL_MS + 1000 * (__u32)i), 41 + i);
		assert_int_equal(lease_find(&w.is, name[i]), i);
	}
	assert_int_equal(takes(&w, &w.two, "e", TTL_MS), -ENOSPC);
	assert_int_equal(takes(&w, &w.one, "e", TTL_MS), -ENOSPC);
	passes(&w, TTL_MS);
	assert_int_equal(takes(&w, &w.two, "e", TTL_MS), 44);
	assert_int_equal(lease_find(&w.is, "e"), 0);
	assert_int_equal(lease_find(&w.is, "a"), INTENT_LEASES);
	assert_true(has(&w, &w.one, "c"));
	assert_int_equal(takes(&w, &w.one, "a", TTL_MS), -ENOSPC);
	passes(&w, 1000);
	assert_int_equal(takes(&w, &w.one, "a", TTL_MS), 45);
}

static void a_place_is_kept_for_hooks(void **state)
{
	static const char *const name[] = {"a", "b", "c", "d"};
	struct world w = world_new();

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(takes(&w, &w.one, name[i], TTL_MS), i < LEASE_OTHERS ? 41 + (int)i : -ENOSPC);
	assert_int_equal(takes(&w, &w.two, LEASE_RESTART, TTL_MS), 44);
	assert_int_equal(takes(&w, &w.one, LEASE_RESTART, TTL_MS), -EEXIST);
	passes(&w, TTL_MS);
	assert_int_equal(takes(&w, &w.one, LEASE_RESTART, TTL_MS), 45);
}

static void a_value_that_was_not_followed_says_nothing_of_time(void **state)
{
	struct world w = world_new();

	(void)state;
	takes(&w, &w.one, "cron", TTL_MS);
	passes(&w, TTL_MS);
	w.is.lease[0].renewed++; /* the other node has not heard of it */
	assert_int_equal(lease_take(&w.two, "cron", TTL_MS, 99, w.now, &w.is), -EEXIST);
	lease_follow(&w.two, &w.is, w.now);
	passes(&w, TTL_MS);
	assert_int_equal(lease_take(&w.two, "cron", TTL_MS, 99, w.now, &w.is), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_has_it_at_a_time),
		cmocka_unit_test(its_holder_counts_less_of_its_time_than_others),
		cmocka_unit_test(its_time_is_counted_from_before_it_was_asked_for),
		cmocka_unit_test(who_goes_on_keeps_its_number),
		cmocka_unit_test(a_start_ends_what_was_had),
		cmocka_unit_test(what_is_given_back_may_be_taken_at_once),
		cmocka_unit_test(what_was_asked_for_counts_before_it_is_answered),
		cmocka_unit_test(an_answer_that_comes_too_late_gives_nothing),
		cmocka_unit_test(a_place_is_used_again_when_its_lease_is_over),
		cmocka_unit_test(a_place_is_kept_for_hooks),
		cmocka_unit_test(a_value_that_was_not_followed_says_nothing_of_time),
	};

	return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
