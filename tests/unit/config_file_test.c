// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Configuration files against golden ones: tests/config/bad/NAME.conf must give NAME.err,
 * good/NAME.conf must export as NAME.export. GOLDEN_WRITE=1 writes them anew, to be read in
 * the diff. Not here: single commands (command_test).
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/config_file.h"

#define GOLDEN "tests/config/"
/* public keys of RFC 8032 section 7.1, tests 1 and 2 */
#define KEY_A  "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define KEY_B  "ed25519:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="

static char *file_read(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "rb");
	struct buf b = BUF_INIT;
	char chunk[4096];
	size_t got;

	if (!f)
		fail_msg("%s is missing (tests run from the top of the tree)", path);
	while ((got = fread(chunk, 1, sizeof(chunk), f)))
		buf_add(&b, chunk, got);
	fclose(f);
	return buf_take(&b, ret_len);
}

static void golden_compare(const char *path, const char *text)
{
	char *wanted;
	FILE *f;

	if (getenv("GOLDEN_WRITE")) {
		f = fopen(path, "wb");
		assert_non_null(f);
		fputs(text, f);
		fclose(f);
		return;
	}
	wanted = file_read(path, NULL);
	if (strcmp(wanted, text) != 0)
		fail_msg("%s differs. Wanted:\n%s\nGot:\n%s", path, wanted, text);
	free(wanted);
}

/* Calls @fn with "DIR/NAME" for every NAME.conf; there must be some. */
static void each_config(const char *dir, void (*fn)(const char *stem))
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	size_t count = 0;
	char stem[512];
	char *dot;

	assert_non_null(d);
	while ((entry = readdir(d))) {
		dot = strrchr(entry->d_name, '.');
		if (!dot || strcmp(dot, ".conf") != 0)
			continue;
		snprintf(stem, sizeof(stem), "%s/%.*s", dir, (int)(dot - entry->d_name), entry->d_name);
		fn(stem);
		count++;
	}
	closedir(d);
	assert_true(count >= 4);
}

static struct config *parse(const char *text, size_t len)
{
	struct err_list errors = {0};
	struct buf out = BUF_INIT;
	struct config *c = NULL;

	if (config_read(text, len, "test.conf", NULL, &c, &errors)) {
		err_list_print(&errors, &out);
		fail_msg("%s", buf_text(&out));
	}
	err_list_free(&errors);
	return c;
}

static void bad_one(const char *stem)
{
	char path[600], *text;
	struct err_list errors = {0};
	struct buf out = BUF_INIT;
	struct config *c = NULL;
	size_t len;

	snprintf(path, sizeof(path), "%s.conf", stem);
	text = file_read(path, &len);
	assert_int_equal(config_read(text, len, strrchr(path, '/') + 1, NULL, &c, &errors), -EINVAL);
	assert_null(c);
	err_list_print(&errors, &out);
	snprintf(path, sizeof(path), "%s.err", stem);
	golden_compare(path, buf_text(&out));
	err_list_free(&errors);
	buf_free(&out);
	free(text);
}

static void good_one(const char *stem)
{
	struct buf first = BUF_INIT, second = BUF_INIT, diff = BUF_INIT;
	struct config *c, *again;
	char path[600], *text;
	size_t len;

	snprintf(path, sizeof(path), "%s.conf", stem);
	text = file_read(path, &len);
	c = parse(text, len);
	config_export(c, &first);
	snprintf(path, sizeof(path), "%s.export", stem);
	golden_compare(path, buf_text(&first));
	again = parse(buf_text(&first), first.len);
	config_export(again, &second);
	assert_string_equal(buf_text(&first), buf_text(&second));
	assert_int_equal(config_diff(c, again, &diff), 0);
	config_free(c);
	config_free(again);
	buf_free(&first);
	buf_free(&second);
	free(text);
}

static void errors_say_where_and_what(void **state)
{
	(void)state;
	each_config(GOLDEN "bad", bad_one);
}

static void export_load_export_gives_the_same_bytes(void **state)
{
	(void)state;
	each_config(GOLDEN "good", good_one);
}

static void a_diff_names_each_object_that_differs_and_no_other(void **state)
{
	static const char before[] =
		"log level debug\niface attach eth0\niface attach eth1\n"
		"vip add a tcp/203.0.113.1:80\nbackend add a 10.0.0.1:80\nbackend add a 10.0.0.2:80\n"
		"vip add b tcp/203.0.113.2:80\nbackend add b 10.0.0.1:80\n"
		"vip add d tcp/203.0.113.4:80\nbackend add d 10.0.0.1:80\n"
		"vip add e tcp/203.0.113.5:80\nbackend add e 10.0.0.1:80\nbackend add e 10.0.0.2:80\n"
		"roster add lb1 " KEY_A "\nroster add lb2 " KEY_B " site fra\n";
	static const char after[] = "node set name lb1\niface attach eth0\niface attach eth1 mode native\n"
				    "vip add a tcp/203.0.113.1:80 restart revive\nbackend add a 10.0.0.2:80 weight "
				    "3\nbackend add a 10.0.0.3:80\n"
				    "vip add c tcp/203.0.113.3:80\nbackend add c 10.0.0.1:80\n"
				    "vip add d tcp/203.0.113.4:80 scheduler rr\nbackend add d 10.0.0.1:80 maxconn 9\n"
				    "vip add e tcp/203.0.113.5:80 sorry 10.0.0.1:80\nbackend add e 10.0.0.2:80 tier 2\n"
				    "roster add lb0 " KEY_A "\nroster add lb2 " KEY_B " site ams\n";
	struct config *a = parse(before, strlen(before)), *b = parse(after, strlen(after));
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(config_diff(a, b, &out), 19);
	assert_string_equal(buf_text(&out), "+ node set name lb1\n"
					    "- log level debug\n"
					    "~ iface attach eth1 mode native\n"
					    "+ roster add lb0 " KEY_A "\n"
					    "- roster add lb1 " KEY_A "\n"
					    "~ roster add lb2 " KEY_B " site ams\n"
					    "~ vip add a tcp/203.0.113.1:80 restart revive\n"
					    "- backend add a 10.0.0.1:80\n"
					    "~ backend add a 10.0.0.2:80 weight 3\n"
					    "+ backend add a 10.0.0.3:80\n"
					    "- vip add b tcp/203.0.113.2:80\n"
					    "- backend add b 10.0.0.1:80\n"
					    "+ vip add c tcp/203.0.113.3:80\n"
					    "+ backend add c 10.0.0.1:80\n"
					    "~ vip add d tcp/203.0.113.4:80 scheduler rr\n"
					    "~ backend add d 10.0.0.1:80 maxconn 9\n"
					    "~ vip add e tcp/203.0.113.5:80 sorry 10.0.0.1:80\n"
					    "- backend add e 10.0.0.1:80\n"
					    "~ backend add e 10.0.0.2:80 tier 2\n");
	buf_free(&out);
	config_free(a);
	config_free(b);
}

static void command_run(struct config *c, const char *line, int wanted, const char *text)
{
	const char *words[16];
	char copy[256];
	size_t count = 0;
	struct command command;
	struct err err = {0};
	char *word;

	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok(copy, " "); word; word = strtok(NULL, " "))
		words[count++] = word;
	if (command_parse(words, count, &command, NULL, &err))
		fail_msg("%s: %s", line, err.text);
	assert_int_equal(config_command(c, &command, &err), wanted);
	if (text)
		assert_string_equal(err.text, text);
}

static void commands_change_a_configuration_or_say_why_not(void **state)
{
	static const char before[] = "vip add web tcp/203.0.113.1:80\nbackend add web 10.0.0.1:80\n";
	struct config *c = parse(before, strlen(before));
	struct buf out = BUF_INIT;

	(void)state;
	command_run(c, "vip add web tcp/203.0.113.2:80", -EEXIST, "VIP web exists already");
	command_run(c, "vip delete wbe", -ENOENT, "there is no VIP \"wbe\"; did you mean \"web\"?");
	command_run(c, "backend add web 10.0.0.1:80", -EEXIST, "VIP web has the backend 10.0.0.1:80 already");
	command_run(c, "backend set web 10.0.0.2:80 weight 1", -ENOENT, "VIP web has no backend 10.0.0.2:80");
	command_run(c, "backend delete web 10.0.0.2:80", -ENOENT, "VIP web has no backend 10.0.0.2:80");
	command_run(c, "vip address web delete tcp/203.0.113.1:80", -EINVAL,
		    "tcp/203.0.113.1:80 is the only address of VIP web: delete the VIP instead");
	command_run(c, "vip address web add tcp/203.0.113.1:80", -EEXIST,
		    "VIP web has the address tcp/203.0.113.1:80 already");
	command_run(c, "roster delete lb1", -ENOENT, "there is no node lb1 in the roster");
	command_run(c, "iface detach eth0", -ENOENT, "eth0 is not attached");
	command_run(c, "vip show", -EINVAL, "\"vip show\" does not change the configuration");
	command_run(c, "backend drain 10.0.0.1", -EINVAL, "\"backend drain\" does not change the configuration");
	config_export(c, &out);
	assert_string_equal(buf_text(&out), before);
	command_run(c, "vip address web add udp/203.0.113.1:80", 0, NULL);
	command_run(c, "vip address web delete tcp/203.0.113.1:80", 0, NULL);
	command_run(c, "vip set web scheduler lc idle 3 slots 2039 drain-timeout 5 panic 50 eject 30", 0, NULL);
	command_run(c, "vip set web passive eject", 0, NULL);
	command_run(c, "vip set web slow-start 2m exponential", 0, NULL);
	command_run(c, "vip set web slow-start 2m recovery manual damp 90 dead reset", 0, NULL);
	command_run(c, "vip set web exponential", -EINVAL, "exponential needs slow-start D: it says how that is done");
	command_run(c, "backend add web 10.0.0.0:80 weight 7", 0, NULL);
	command_run(c, "backend add web 10.0.0.2:80 tier 3", 0, NULL);
	command_run(c, "backend set web 10.0.0.2:80 tier 2 maxconn 9", 0, NULL);
	command_run(c, "backend set web 10.0.0.2:80 maxconn 50", 0, NULL);
	command_run(c, "backend add web 10.0.0.3:80 maxconn 7", 0, NULL);
	command_run(c, "backend set web 10.0.0.3:80 maxconn 0", 0, NULL);
	command_run(c, "vip set web sorry 10.0.0.2:80", -EEXIST,
		    "10.0.0.2:80 is a backend of VIP web: the sorry backend has to be another");
	command_run(c, "vip set web sorry 10.0.0.8:80", 0, NULL);
	command_run(c, "vip set web sorry none", 0, NULL);
	command_run(c, "backend add web 10.0.0.8:80", 0, NULL);
	command_run(c, "backend delete web 10.0.0.8:80", 0, NULL);
	command_run(c, "vip set web sorry 10.0.0.8:80", 0, NULL);
	command_run(c, "vip set web sorry 10.0.0.9:80", 0, NULL);
	command_run(c, "backend add web 10.0.0.9:80", -EEXIST,
		    "10.0.0.9:80 is the sorry backend of VIP web: vip set web sorry changes it");
	command_run(c, "backend set web 10.0.0.9:80 weight 2", -EEXIST,
		    "10.0.0.9:80 is the sorry backend of VIP web: vip set web sorry changes it");
	command_run(c, "backend delete web 10.0.0.9:80", -EEXIST,
		    "10.0.0.9:80 is the sorry backend of VIP web: vip set web sorry changes it");
	command_run(c, "backend delete web 10.0.0.8:80", -ENOENT, "VIP web has no backend 10.0.0.8:80");
	command_run(c, "backend set web 10.0.0.1:80 weight 0", 0, NULL);
	command_run(c, "vip set web restart none", 0, NULL);
	command_run(c, "vip set web restart revive", 0, NULL);
	command_run(c, "vip add gone tcp/203.0.113.9:80", 0, NULL);
	command_run(c, "vip del gone", 0, NULL);
	command_run(c, "iface attach eth0 mode native", 0, NULL);
	command_run(c, "node set name lb1 address [2001:db8::1]:700", 0, NULL);
	command_run(c, "node set device eth1", 0, NULL);
	command_run(c, "node set region eu", 0, NULL);
	command_run(c, "roster add lb2 " KEY_A " role voter", 0, NULL);
	command_run(c, "roster add lb1 " KEY_B " stake 2", 0, NULL);
	command_run(c, "roster delete lb1", 0, NULL);
	command_run(c, "roster add lb1 " KEY_B " site fra", 0, NULL);
	command_run(c, "roster add lb2 " KEY_B, -EEXIST, "node lb2 is in the roster already");
	command_run(c, "roster add lb3 " KEY_B, -EINVAL, "node lb3: its key is that of lb1 already");
	command_run(c, "roster add lb3 " KEY_B " reputation 500", -EINVAL,
		    "a reputation is earned: `starling roster weigh` has the flock agree on it");
	command_run(c, "listen http [::1]:9000", 0, NULL);
	command_run(c, "log level error", 0, NULL);
	buf_clear(&out);
	config_export(c, &out);
	assert_string_equal(
		buf_text(&out),
		"node set name lb1 address [2001:db8::1]:700 device eth1 region eu\n"
		"listen http [::1]:9000\n"
		"log level error\n"
		"iface attach eth0 mode native\n"
		"roster add lb1 " KEY_B " site fra\n"
		"roster add lb2 " KEY_A " role voter\n"
		"\n"
		"vip add web udp/203.0.113.1:80 scheduler lc slots 2039 idle 3s drain-timeout 5s "
		"slow-start 2m recovery manual damp 90s panic 50 eject 30 sorry 10.0.0.9:80 dead reset passive eject "
		"restart revive\n"
		"backend add web 10.0.0.0:80 weight 7\n"
		"backend add web 10.0.0.1:80 weight 0\n"
		"backend add web 10.0.0.2:80 tier 2 maxconn 50\n"
		"backend add web 10.0.0.3:80\n");
	buf_free(&out);
	config_free(c);
}

static void only_what_is_agreed_has_reputations(void **state)
{
	static const char lines[] = "roster add lb1 " KEY_A " stake 2 reputation 250\nroster add lb2 " KEY_B "\n";
	struct err_list errors = {0};
	struct buf out = BUF_INIT;
	struct config *c = NULL, *plain;

	(void)state;
	assert_int_equal(config_read(lines, strlen(lines), "x", NULL, &c, &errors), -EINVAL);
	assert_string_equal(errors.err[0].text, "a reputation is earned: leave it out");
	assert_int_equal(errors.err[0].column, strstr(lines, "reputation") - lines + 1);
	err_list_free(&errors);
	assert_int_equal(config_read_agreed(lines, strlen(lines), "x", NULL, &c, &errors), 0);
	assert_int_equal(roster_reputation(&c->roster.node[0]), 250);
	assert_int_equal(roster_reputation(&c->roster.node[1]), 1000);
	config_export_agreed(c, &out);
	assert_string_equal(buf_text(&out), lines);
	buf_clear(&out);
	config_export(c, &out);
	assert_null(strstr(buf_text(&out), "reputation"));
	assert_int_equal(config_read(buf_text(&out), out.len, "x", NULL, &plain, &errors), 0);
	buf_clear(&out);
	assert_int_equal(config_diff(c, plain, &out), 0);
	config_free(c);
	config_free(plain);
	buf_free(&out);
}

static void a_reputation_is_one_of_few_numbers(void **state)
{
	static const struct {
		const char *words, *why;
	} row[] = {
		{"reputation 249", "reputation must be 250 to 1000, not \"249\""},
		{"reputation 1001", "reputation must be 250 to 1000, not \"1001\""},
		{"reputation 0", "reputation must be 250 to 1000, not \"0\""},
		{"reputation -1", "reputation"},
		{"reputation 275", "reputation must be a multiple of 50"},
		{"reputation 300 reputation 350", "reputation"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct err_list errors = {0};
		char line[160];
		struct config *c;

		snprintf(line, sizeof(line), "roster add lb1 " KEY_A " %s\n", row[i].words);
		assert_int_equal(config_read_agreed(line, strlen(line), "x", NULL, &c, &errors), -EINVAL);
		if (!strstr(errors.err[0].text, row[i].why))
			fail_msg("%s: %s", row[i].words, errors.err[0].text);
		err_list_free(&errors);
	}
}

static void many_errors_are_counted_not_kept(void **state)
{
	struct err_list errors = {0};
	struct buf text = BUF_INIT;
	struct config *c = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < 5000; i++)
		buf_puts(&text, "vip add a tcp/203.0.113.1:80\n");
	assert_int_equal(config_parse(buf_text(&text), text.len, "x", &c, &errors), -EINVAL);
	assert_int_equal(errors.count, ERR_LIST_MAX);
	assert_int_equal(errors.more, 4999 - ERR_LIST_MAX);
	assert_non_null(strstr(errors.err[0].text, ": line 1"));
	err_list_free(&errors);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_say_where_and_what),
		cmocka_unit_test(export_load_export_gives_the_same_bytes),
		cmocka_unit_test(a_diff_names_each_object_that_differs_and_no_other),
		cmocka_unit_test(commands_change_a_configuration_or_say_why_not),
		cmocka_unit_test(only_what_is_agreed_has_reputations),
		cmocka_unit_test(a_reputation_is_one_of_few_numbers),
		cmocka_unit_test(many_errors_are_counted_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
