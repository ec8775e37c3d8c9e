// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tables: every kind goes to JSON and back, and every rendering shows the same values.
 * Not here: what the daemon puts into them.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/eyes.h"
#include "core/table.h"

#define NOW_MS 1795367582250ULL /* 2026-11-22T17:13:02.250Z */

/* A value that no other cell of the table has. */
static void cell_fill(struct table *t, size_t row, enum field_id id)
{
	unsigned int n = (unsigned int)id * 100 + (unsigned int)row + 1;
	char text[64];

	switch (catalog_field(id)->type) {
	case TYPE_U64:
		table_set_u64(t, row, id, 1000000007ULL * n);
		break;
	case TYPE_F64:
		table_set_f64(t, row, id, n + 0.125);
		break;
	case TYPE_BOOL:
		table_set_bool(t, row, id, n % 2);
		break;
	case TYPE_TEXT:
		table_set_textf(t, row, id, "text-%u", n);
		break;
	case TYPE_LIST:
		snprintf(text, sizeof(text), "tcp/[2001:db8::%u]:%u", n % 10000, n % 60000 + 1);
		table_add_list(t, row, id, text);
		table_add_list(t, row, id, "udp/192.0.2.1:53");
		break;
	case TYPE_TIME:
		table_set_time(t, row, id, NOW_MS - n * 1001ULL);
		break;
	}
}

static struct table *table_filled(enum table_kind kind, size_t rows)
{
	struct table *t = table_new(kind);
	const struct kind *k = catalog_kind(kind);
	size_t row, i;

	assert_non_null(t);
	while (rows--) {
		row = table_row(t);
		for (i = 0; i < k->count; i++)
			cell_fill(t, row, (enum field_id)(k->first + i));
	}
	assert_int_equal(table_error(t), 0);
	return t;
}

static char *plain_of(const struct table *t, struct render_options options)
{
	struct buf out = BUF_INIT;

	table_plain(t, &options, &out);
	return buf_take(&out, NULL);
}

/* What a JSON value looks like in numeric plain output. */
static void assert_value_in(const char *plain, const char *key, const json_t *value)
{
	char text[256];
	size_t i;

	if (json_is_integer(value))
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		snprintf(text, sizeof(text), "%.15g", json_real_value(value));
	else if (json_is_boolean(value))
		snprintf(text, sizeof(text), "%s", json_is_true(value) ? "yes" : "no");
	else if (json_is_string(value))
		snprintf(text, sizeof(text), "%s", json_string_value(value));
	else {
		assert_true(json_is_array(value));
		for (i = 0; i < json_array_size(value); i++)
			assert_value_in(plain, key, json_array_get(value, i));
		return;
	}
	if (!strstr(plain, text))
		fail_msg("%s: %s is not in:\n%s", key, text, plain);
}

static void plain_shows_every_value_that_json_shows(void **state)
{
	int kind;

	(void)state;
	for (kind = 0; kind < KIND_COUNT; kind++) {
		struct table *t = table_filled((enum table_kind)kind, 3);
		char *plain = plain_of(t, (struct render_options){.numeric = true, .details = true});
		json_t *json = table_json(t), *row, *value;
		const char *key;
		size_t i;

		assert_int_equal(json_array_size(json_object_get(json, "rows")), 3);
		json_array_foreach(json_object_get(json, "rows"), i, row)
		{
			assert_int_equal(json_object_size(row), catalog_kind((enum table_kind)kind)->count);
			json_object_foreach(row, key, value) assert_value_in(plain, key, value);
		}
		json_decref(json);
		free(plain);
		table_free(t);
	}
}

static void every_kind_goes_to_json_and_back_unchanged(void **state)
{
	int kind;

	(void)state;
	for (kind = 0; kind < KIND_COUNT; kind++) {
		struct table *t = table_filled((enum table_kind)kind, 2), *again = NULL;
		struct buf dumped = BUF_INIT, second = BUF_INIT;
		json_t *json = table_json(t), *parsed;
		struct err err;
		char *text;

		table_row(t); /* and one of nulls */
		table_dump(t, &dumped);
		assert_int_equal(buf_error(&dumped), 0);
		parsed = json_loads(buf_text(&dumped), 0, NULL);
		assert_non_null(parsed);
		assert_int_equal(table_parse(parsed, &again, &err), 0);
		assert_int_equal(table_rows(again), 3);
		table_dump(again, &second);
		assert_string_equal(buf_text(&dumped), buf_text(&second));
		json_decref(json);
		json = table_json(t);
		text = json_dumps(json, JSON_COMPACT | TABLE_JSON_FLAGS);
		assert_string_equal(buf_text(&dumped), text);
		free(text);
		json_decref(json);
		json_decref(parsed);
		buf_free(&dumped);
		buf_free(&second);
		table_free(again);
		table_free(t);
	}
}

static void unset_cells_are_null_in_json_and_absent_from_metrics(void **state)
{
	struct table *t = table_new(KIND_BACKEND);
	struct buf out = BUF_INIT;
	size_t row = table_row(t);
	json_t *json;

	(void)state;
	table_set_text(t, row, FIELD_BACKEND_vip, "web");
	table_set_text(t, row, FIELD_BACKEND_backend, "10.0.0.1:80");
	table_set_u64(t, row, FIELD_BACKEND_weight, 5);
	table_set_f64(t, row, FIELD_BACKEND_share, NAN);
	json = table_row_json(t, row);
	assert_true(json_is_null(json_object_get(json, "active")));
	assert_true(json_is_null(json_object_get(json, "share")));
	table_metrics(t, false, &out);
	assert_string_equal(buf_text(&out), "# HELP starling_backend_weight Configured weight of a backend.\n"
					    "# TYPE starling_backend_weight gauge\n"
					    "starling_backend_weight{vip=\"web\",backend=\"10.0.0.1:80\"} 5\n");
	json_decref(json);
	buf_free(&out);
	table_free(t);
}

static struct table *vip_example(void)
{
	static const char *const addresses[] = {"tcp/203.0.113.10:443", "tcp/[2001:db8:113::10]:443",
						"udp/203.0.113.10:443"};
	struct table *t = table_new(KIND_VIP);
	size_t row = table_row(t);

	table_set_u64(t, row, FIELD_VIP_id, 1);
	table_set_text(t, row, FIELD_VIP_name, "web");
	table_set_list(t, row, FIELD_VIP_addresses, addresses, 3);
	table_set_text(t, row, FIELD_VIP_scheduler, "wlc");
	table_set_text(t, row, FIELD_VIP_forward, "ipip");
	table_set_u64(t, row, FIELD_VIP_slots, 1021);
	table_set_u64(t, row, FIELD_VIP_build, 7);
	table_set_text(t, row, FIELD_VIP_digest, "9f2c41d0");
	table_set_u64(t, row, FIELD_VIP_generation, 42);
	table_set_u64(t, row, FIELD_VIP_backends_up, 3);
	table_set_u64(t, row, FIELD_VIP_backends_down, 1);
	table_set_u64(t, row, FIELD_VIP_backends_draining, 0);
	table_set_u64(t, row, FIELD_VIP_backends_disabled, 0);
	table_set_u64(t, row, FIELD_VIP_packets, 18400123);
	table_set_u64(t, row, FIELD_VIP_bytes, 12900000000);
	table_set_u64(t, row, FIELD_VIP_connections, 81234);
	table_set_u64(t, row, FIELD_VIP_active, 1203);
	return t;
}

static void a_record_has_a_head_line_and_indented_pairs(void **state)
{
	struct table *t = vip_example();
	char *plain = plain_of(t, (struct render_options){0});

	(void)state;
	assert_string_equal(plain, "1: web  tcp 203.0.113.10:443  tcp [2001:db8:113::10]:443  udp 203.0.113.10:443  "
				   "scheduler wlc  forward ipip\n"
				   "\tslots 1021  build 7  digest 9f2c41d0  generation 42\n"
				   "\tbackends 3 up  1 down  0 draining  0 disabled\n"
				   "\tpackets 18.4M  bytes 12.9G  connections 81234  active 1203\n");
	free(plain);
	plain = plain_of(t, (struct render_options){.numeric = true});
	assert_non_null(strstr(plain, "packets 18400123  bytes 12900000000  connections 81234"));
	free(plain);
	table_free(t);
}

static void backend_row(struct table *t, const char *at, const char *state, __u64 since_ms, double packets)
{
	size_t row = table_row(t);

	table_set_text(t, row, FIELD_BACKEND_vip, "web");
	table_set_text(t, row, FIELD_BACKEND_backend, at);
	table_set_text(t, row, FIELD_BACKEND_state, state);
	table_set_u64(t, row, FIELD_BACKEND_weight, 100);
	table_set_f64(t, row, FIELD_BACKEND_share, 1.0 / 3);
	table_set_time(t, row, FIELD_BACKEND_since, since_ms);
	table_set_f64(t, row, FIELD_BACKEND_packets_per_second, packets);
	table_set_f64(t, row, FIELD_BACKEND_bytes_per_second, packets * 735.5);
}

static void a_list_is_aligned_numbers_to_the_right_and_notes_behind(void **state)
{
	struct table *t = table_new(KIND_BACKEND);
	char *plain;

	(void)state;
	backend_row(t, "10.0.0.11:443", "up", NOW_MS - (74 * 3600 + 59) * 1000ULL, 12101);
	backend_row(t, "[2001:db8::12]:443", "draining", NOW_MS - 42000, 310);
	table_set_u64(t, 1, FIELD_BACKEND_active, 311);
	table_set_text(t, 1, FIELD_BACKEND_by, "root@lb1");
	table_set_text(t, 1, FIELD_BACKEND_reason, "disk\033[2J");
	plain = plain_of(t, (struct render_options){.now_ms = NOW_MS});
	assert_string_equal(
		plain, "VIP  BACKEND             STATE     WEIGHT  SHARE  ACTIVE  CHECK  SINCE  PACKETS/S  BYTES/S\n"
		       "web  10.0.0.11:443       up           100  33.3%       -  -      3d 2h      12.1k     8.9M\n"
		       "web  [2001:db8::12]:443  draining     100  33.3%     311  -       42 s        310     228k"
		       "  by root@lb1, \"disk?[2J\"\n");
	free(plain);
	plain = plain_of(t, (struct render_options){.now_ms = NOW_MS, .color = true, .width = 40});
	assert_non_null(strstr(plain, "\033[32mup\033[0m"));
	assert_null(strstr(plain, "WEIGHT"));
	free(plain);
	table_free(t);
}

static void a_lookup_reads_as_a_sentence(void **state)
{
	static const char *const homes[] = {"10.0.0.12:443", "10.0.0.13:443"};
	struct table *t = table_new(KIND_LOOKUP);
	size_t row = table_row(t);
	char *plain;

	(void)state;
	table_set_text(t, row, FIELD_LOOKUP_vip, "web");
	table_set_text(t, row, FIELD_LOOKUP_backend, "10.0.0.12:443");
	table_set_u64(t, row, FIELD_LOOKUP_slot, 213);
	table_set_text(t, row, FIELD_LOOKUP_slot_state, "plain");
	table_set_list(t, row, FIELD_LOOKUP_homes, homes, 2);
	table_set_u64(t, row, FIELD_LOOKUP_build, 7);
	table_set_text(t, row, FIELD_LOOKUP_forward, "ipip");
	table_set_text(t, row, FIELD_LOOKUP_device, "eth0");
	plain = plain_of(t, (struct render_options){0});
	assert_string_equal(plain, "web -> 10.0.0.12:443  (slot 213 plain, homes 10.0.0.12:443 10.0.0.13:443, "
				   "build 7; ipip via eth0)\n");
	free(plain);
	table_set_text(t, row, FIELD_LOOKUP_cell, "open");
	table_set_f64(t, row, FIELD_LOOKUP_age, 41);
	plain = plain_of(t, (struct render_options){0});
	assert_string_equal(plain, "web -> 10.0.0.12:443  (cell open 41 s; slot 213 plain, homes 10.0.0.12:443 "
				   "10.0.0.13:443, build 7; ipip via eth0)\n");
	free(plain);
	table_free(t);
}

static void a_field_of_another_kind_or_type_is_refused(void **state)
{
	struct table *t = table_new(KIND_VIP);
	size_t row = table_row(t);

	(void)state;
	assert_int_equal(table_set_u64(t, row, FIELD_VIP_id, 1), 0);
	assert_int_equal(table_set_u64(t, row, FIELD_BACKEND_weight, 1), -EINVAL);
	assert_int_equal(table_error(t), -EINVAL);
	table_free(t);
	t = table_new(KIND_VIP);
	assert_int_equal(table_set_u64(t, table_row(t), FIELD_VIP_name, 1), -EINVAL);
	table_free(t);
	t = table_new(KIND_VIP);
	assert_int_equal(table_set_u64(t, 0, FIELD_VIP_id, 1), -EINVAL);
	table_free(t);
}

static void text_that_is_no_utf8_is_replaced(void **state)
{
	struct table *t = table_new(KIND_EVENT);
	json_t *json;

	(void)state;
	table_set_text(t, table_row(t), FIELD_EVENT_why, "a\xff\xc0\x80z \xc3\xa4 \xed\xa0\x80");
	assert_string_equal(table_get_text(t, 0, FIELD_EVENT_why), "a???z \xc3\xa4 ???");
	json = table_json(t);
	assert_non_null(json);
	json_decref(json);
	table_free(t);
}

static void rows_of_a_newer_daemon_are_read_and_wrong_ones_refused(void **state)
{
	static const char *const wrong[] = {
		"[]",
		"{}",
		"{\"kind\":\"vip\"}",
		"{\"kind\":\"nonsense\",\"rows\":[]}",
		"{\"kind\":\"vip\",\"rows\":[1]}",
		"{\"kind\":\"vip\",\"rows\":[{\"id\":-1}]}",
		"{\"kind\":\"vip\",\"rows\":[{\"id\":\"1\"}]}",
		"{\"kind\":\"vip\",\"rows\":[{\"addresses\":[1]}]}",
		"{\"kind\":\"backend\",\"rows\":[{\"since\":\"2026-02-30T00:00:00.000Z\"}]}",
	};
	json_t *json = json_loads("{\"kind\":\"vip\",\"rows\":[{\"id\":4,\"color\":\"red\",\"name\":null}]}", 0, NULL);
	struct table *t = NULL;
	struct err err;
	__u64 id = 0;
	size_t i;

	(void)state;
	assert_int_equal(table_parse(json, &t, &err), 0);
	assert_true(table_get_u64(t, 0, FIELD_VIP_id, &id));
	assert_int_equal(id, 4);
	assert_null(table_get_text(t, 0, FIELD_VIP_name));
	table_free(t);
	json_decref(json);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct table *none = NULL;

		json = json_loads(wrong[i], 0, NULL);
		assert_non_null(json);
		err.text[0] = '\0';
		assert_int_equal(table_parse(json, &none, &err), -EINVAL);
		assert_true(err.text[0]);
		assert_null(none);
		json_decref(json);
	}
}

static void rows_sort_stably_with_unset_ones_last(void **state)
{
	static const double values[] = {3, 1, NAN, 2, 3};
	static const __u64 ascending[] = {1, 3, 0, 4, 2}, descending[] = {0, 4, 3, 1, 2};
	int down;

	(void)state;
	for (down = 0; down < 2; down++) {
		struct table *t = table_new(KIND_BACKEND);
		size_t i;

		for (i = 0; i < 5; i++) {
			size_t row = table_row(t);

			table_set_u64(t, row, FIELD_BACKEND_id, i);
			table_set_f64(t, row, FIELD_BACKEND_packets_per_second, values[i]);
		}
		table_sort(t, FIELD_BACKEND_packets_per_second, down);
		for (i = 0; i < 5; i++) {
			__u64 id = 99;

			assert_true(table_get_u64(t, i, FIELD_BACKEND_id, &id));
			assert_int_equal(id, down ? descending[i] : ascending[i]);
		}
		table_free(t);
	}
}

static void numbers_are_rounded_to_what_eyes_need(void **state)
{
	static const struct {
		double value;
		const char *text;
	} numbers[] = {{0, "0"},	 {9.5, "9.5"},	   {310, "310"},	{9999, "9999"},
		       {10000, "10.0k"}, {12101, "12.1k"}, {99949, "99.9k"},	{99951, "100k"},
		       {999499, "999k"}, {999500, "1.0M"}, {18400123, "18.4M"}, {12.9e9, "12.9G"},
		       {1.8e19, "18.0E"}},
	  spans[] = {{0, "0 s"},     {0.0042, "4.2 ms"}, {0.5, "500 ms"}, {1.5, "1.5 s"},    {42, "42 s"},  {60, "1 m"},
		     {90, "1m 30s"}, {3600, "1 h"},	 {7260, "2h 1m"}, {266399, "3d 1h"}, {86400, "1 d"}};
	struct buf out = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		buf_clear(&out);
		eyes_number(numbers[i].value, 10000, &out);
		assert_string_equal(buf_text(&out), numbers[i].text);
	}
	for (i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		buf_clear(&out);
		eyes_seconds(spans[i].value, &out);
		assert_string_equal(buf_text(&out), spans[i].text);
	}
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_shows_every_value_that_json_shows),
		cmocka_unit_test(every_kind_goes_to_json_and_back_unchanged),
		cmocka_unit_test(unset_cells_are_null_in_json_and_absent_from_metrics),
		cmocka_unit_test(a_record_has_a_head_line_and_indented_pairs),
		cmocka_unit_test(a_list_is_aligned_numbers_to_the_right_and_notes_behind),
		cmocka_unit_test(a_lookup_reads_as_a_sentence),
		cmocka_unit_test(a_field_of_another_kind_or_type_is_refused),
		cmocka_unit_test(text_that_is_no_utf8_is_replaced),
		cmocka_unit_test(rows_of_a_newer_daemon_are_read_and_wrong_ones_refused),
		cmocka_unit_test(rows_sort_stably_with_unset_ones_last),
		cmocka_unit_test(numbers_are_rounded_to_what_eyes_need),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
