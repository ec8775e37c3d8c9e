// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Metrics: every family of the catalog, in both text formats, follows the rules that promtool
 * and the OpenMetrics specification have. Not here: values (the daemon), HTTP.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/table.h"

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && !strcmp(text + len - end_len, end);
}

static void every_family_has_one_kind_and_keeps_to_the_naming_rules(void **state)
{
	int f, i;

	(void)state;
	for (f = FAMILY_NONE + 1; f < FAMILY_COUNT; f++) {
		const struct family *family = catalog_family((enum metric_family)f);
		int kind = -1;

		for (i = 0; i < FIELD_COUNT; i++) {
			const struct field *field = catalog_field((enum field_id)i);

			if ((int)field->family != f)
				continue;
			assert_true(kind < 0 || kind == (int)field->kind);
			kind = (int)field->kind;
			if (family->type != METRIC_INFO)
				assert_true(field->type != TYPE_TEXT && field->type != TYPE_LIST);
		}
		assert_true(kind >= 0);
		assert_true(!strncmp(family->name, "starling_", 9) || !strncmp(family->name, "process_", 8));
		assert_int_equal(ends_with(family->name, "_total"), family->type == METRIC_COUNTER);
		assert_int_equal(ends_with(family->name, "_info"), family->type == METRIC_INFO);
		assert_false(ends_with(family->name, "_count") || ends_with(family->name, "_sum") ||
			     ends_with(family->name, "_bucket"));
		assert_true(ends_with(family->help, "."));
		assert_null(strpbrk(family->help, "\\\"\n"));
	}
}

static void labels_of_families_are_fields_of_their_kind(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < FIELD_COUNT; i++) {
		const struct field *field = catalog_field((enum field_id)i);
		const char *at = catalog_family(field->family)->labels;

		while (*at) {
			size_t name_len = strcspn(at, "="), key_len = strcspn(at + name_len + 1, ",");
			char key[64];

			snprintf(key, sizeof(key), "%.*s", (int)key_len, at + name_len + 1);
			assert_int_not_equal(catalog_field_find(field->kind, key), FIELD_COUNT);
			at += name_len + 1 + key_len;
			at += *at == ',';
		}
		if (*field->metric_label)
			assert_non_null(strchr(field->metric_label, '='));
	}
}

static struct table *vips(void)
{
	static const char *const addresses[] = {"tcp/203.0.113.10:443", "udp/[2001:db8::10]:53"};
	struct table *t = table_new(KIND_VIP);
	size_t row = table_row(t);

	table_set_text(t, row, FIELD_VIP_name, "web");
	table_set_list(t, row, FIELD_VIP_addresses, addresses, 2);
	table_set_bool(t, row, FIELD_VIP_available, true);
	table_set_u64(t, row, FIELD_VIP_packets, 18446744073709551615ULL);
	table_set_u64(t, row, FIELD_VIP_backends_up, 3);
	table_set_u64(t, row, FIELD_VIP_backends_down, 0);
	row = table_row(t);
	table_set_text(t, row, FIELD_VIP_name, "a\"b\\c\nd");
	table_set_u64(t, row, FIELD_VIP_packets, 7);
	table_set_u64(t, row, FIELD_VIP_backends_up, 1);
	return t;
}

static void prometheus_text_groups_samples_by_family_and_escapes(void **state)
{
	struct table *t = vips();
	struct buf out = BUF_INIT;

	(void)state;
	table_metrics(t, false, &out);
	table_metrics_end(false, &out);
	assert_string_equal(buf_text(&out),
			    "# HELP starling_vip_info Addresses of a VIP.\n"
			    "# TYPE starling_vip_info gauge\n"
			    "starling_vip_info{vip=\"web\",address=\"203.0.113.10\",port=\"443\",proto=\"tcp\"} 1\n"
			    "starling_vip_info{vip=\"web\",address=\"2001:db8::10\",port=\"53\",proto=\"udp\"} 1\n"
			    "# HELP starling_vip_available Whether a VIP has a backend that takes new connections.\n"
			    "# TYPE starling_vip_available gauge\n"
			    "starling_vip_available{vip=\"web\"} 1\n"
			    "# HELP starling_vip_packets_total Packets steered to the backends of a VIP.\n"
			    "# TYPE starling_vip_packets_total counter\n"
			    "starling_vip_packets_total{vip=\"web\"} 18446744073709551615\n"
			    "starling_vip_packets_total{vip=\"a\\\"b\\\\c\\nd\"} 7\n"
			    "# HELP starling_vip_backends Backends of a VIP by state.\n"
			    "# TYPE starling_vip_backends gauge\n"
			    "starling_vip_backends{vip=\"web\",state=\"up\"} 3\n"
			    "starling_vip_backends{vip=\"web\",state=\"down\"} 0\n"
			    "starling_vip_backends{vip=\"a\\\"b\\\\c\\nd\",state=\"up\"} 1\n");
	buf_free(&out);
	table_free(t);
}

static void openmetrics_names_families_without_suffix_and_ends(void **state)
{
	struct table *t = vips();
	struct buf out = BUF_INIT;

	(void)state;
	table_metrics(t, true, &out);
	table_metrics_end(true, &out);
	assert_non_null(strstr(buf_text(&out), "# TYPE starling_vip info\nstarling_vip_info{vip=\"web\","));
	assert_non_null(strstr(buf_text(&out),
			       "# TYPE starling_vip_packets counter\nstarling_vip_packets_total{vip=\"web\"} "));
	assert_non_null(strstr(buf_text(&out), "# HELP starling_vip_packets Packets "));
	assert_true(ends_with(buf_text(&out), "\n# EOF\n"));
	assert_non_null(strstr(table_metrics_type(true), "openmetrics"));
	buf_free(&out);
	table_free(t);
}

static void times_are_seconds_and_info_comes_from_texts(void **state)
{
	struct table *version = table_new(KIND_VERSION), *status = table_new(KIND_STATUS);
	struct buf out = BUF_INIT;

	(void)state;
	table_row(version);
	table_set_text(version, 0, FIELD_VERSION_version, "0.2");
	table_set_text(version, 0, FIELD_VERSION_commit, "abc");
	table_set_u64(version, 0, FIELD_VERSION_abi, 1);
	table_row(status);
	table_set_time(status, 0, FIELD_STATUS_applied, 1795367582250);
	table_set_u64(status, 0, FIELD_STATUS_cells_open, 12);
	table_metrics(version, false, &out);
	table_metrics(status, false, &out);
	assert_non_null(strstr(buf_text(&out), "starling_build_info{version=\"0.2\",commit=\"abc\",abi=\"1\"} 1\n"));
	assert_non_null(strstr(buf_text(&out), "_success_timestamp_seconds 1795367582.250\n"));
	assert_non_null(strstr(buf_text(&out), "starling_flow_cells{state=\"open\"} 12\n"));
	buf_free(&out);
	table_free(version);
	table_free(status);
}

static void samples_as_rows_are_those_of_the_text(void **state)
{
	struct table *t = vips(), *metrics = table_new(KIND_METRIC), *some = table_new(KIND_METRIC);
	const char *const *labels;
	size_t count = 0;
	double value = 0;

	(void)state;
	assert_int_equal(table_samples(t, NULL, metrics), 0);
	assert_int_equal(table_rows(metrics), 8);
	assert_int_equal(table_samples(t, "vip_backends", some), 0);
	assert_int_equal(table_samples(t, "starling_vip_avail", some), 0);
	assert_int_equal(table_samples(t, "nothing", some), 0);
	assert_int_equal(table_rows(some), 4);
	assert_string_equal(table_get_text(some, 0, FIELD_METRIC_name), "starling_vip_backends");
	labels = table_get_list(some, 0, FIELD_METRIC_labels, &count);
	assert_int_equal(count, 2);
	assert_string_equal(labels[1], "state=up");
	assert_true(table_get_f64(some, 0, FIELD_METRIC_value, &value));
	assert_true(value == 3);
	table_free(t);
	table_free(metrics);
	table_free(some);
}

static void a_histogram_has_buckets_a_sum_and_a_count(void **state)
{
	static const char wanted[] = "# TYPE starling_health_check_duration_seconds histogram\n"
				     "starling_health_check_duration_seconds_bucket{le=\"0.001\"} 2\n"
				     "starling_health_check_duration_seconds_bucket{le=\"+Inf\"} 3\n"
				     "starling_health_check_duration_seconds_sum 0.75\n"
				     "starling_health_check_duration_seconds_count 3\n";
	struct table *t = table_new(KIND_PROBES);
	size_t row = table_row(t), i;

	(void)state;
	table_set_u64(t, row, FIELD_PROBES_took_1ms, 2);
	table_set_u64(t, row, FIELD_PROBES_took_all, 3);
	table_set_f64(t, row, FIELD_PROBES_took_sum, 0.75);
	table_set_u64(t, row, FIELD_PROBES_took_count, 3);
	for (i = 0; i < 2; i++) {
		struct buf out = BUF_INIT;

		table_metrics(t, i, &out);
		assert_non_null(strstr(buf_text(&out), wanted));
		buf_free(&out);
	}
	table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_family_has_one_kind_and_keeps_to_the_naming_rules),
		cmocka_unit_test(labels_of_families_are_fields_of_their_kind),
		cmocka_unit_test(prometheus_text_groups_samples_by_family_and_escapes),
		cmocka_unit_test(openmetrics_names_families_without_suffix_and_ends),
		cmocka_unit_test(times_are_seconds_and_info_comes_from_texts),
		cmocka_unit_test(samples_as_rows_are_those_of_the_text),
		cmocka_unit_test(a_histogram_has_buckets_a_sum_and_a_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
