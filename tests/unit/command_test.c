// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The grammar: parsing, near words, and that help, synopsis and completion come from the same
 * table. Not here: configuration files (config_file_test).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/argument.h"
#include "core/command.h"
#include "core/lex.h"
#include "core/model.h"

/* A line of words to a command; @text is kept by the caller as long as the command. */
static int parse(struct lex_line *line, const char *text, struct command *ret, size_t *ret_fault, struct err *err)
{
	struct lex lex;

	lex_begin(&lex, text, strlen(text), "");
	line->count = 0;
	assert_true(lex_next(&lex, line, err) >= 0);
	return command_parse(line->word, line->count, ret, ret_fault, err);
}

/* One line for every command, with every argument it takes. */
static const char *const complete_lines[COMMAND_COUNT] = {
	[COMMAND_VIP_ADD] = ("vip add web tcp/203.0.113.1:80,udp/[2001:db8::1]:53 scheduler rr forward gue slots 1021 "
			     "hash source idle 5s drain-timeout 1d slow-start 30s exponential recovery hybrid damp 1m "
			     "panic 50 eject 30 sorry 10.0.0.99:80 dead reset passive eject "
			     "restart revive.sh"),
	[COMMAND_VIP_SET] =
		("vip set web scheduler mh forward dr slots 1048573 hash 5tuple idle 1500ms drain-timeout 0 "
		 "slow-start 1h exponential recovery manual damp 0 panic 0 eject 100 sorry none dead rehome "
		 "passive off restart none"),
	[COMMAND_VIP_DELETE] = "vip delete web",
	[COMMAND_VIP_SHOW] = "vip show web",
	[COMMAND_VIP_TABLE] = "vip table web slots",
	[COMMAND_VIP_ADDRESS] = "vip address web delete udp/203.0.113.1:53",
	[COMMAND_BACKEND_ADD] = "backend add web 10.0.0.1:80 weight 65535 tier 15 maxconn 4294967295",
	[COMMAND_BACKEND_SET] = "backend set web [2001:db8::1]:80 weight 0 tier 1 maxconn 0",
	[COMMAND_BACKEND_DELETE] = "backend delete web 10.0.0.1:80",
	[COMMAND_BACKEND_SHOW] = "backend show vip web",
	[COMMAND_BACKEND_DRAIN] = "backend drain web 10.0.0.1:80 timeout 1h reason \"new disk\"",
	[COMMAND_BACKEND_DISABLE] = "backend disable web 2001:db8::1 reason x",
	[COMMAND_BACKEND_ENABLE] = "backend enable web 10.0.0.1 local",
	[COMMAND_BACKEND_READMIT] = "backend readmit web 10.0.0.1:80 local",
	[COMMAND_HEALTH_SET] =
		("health set web https path /healthz?x=1 host www.example.net:8443 status 200-299,304 body "
		 "ok sni www.example.net verify on http2 port 8443 via tunnel interval 5s timeout 500ms rise 3 fall "
		 "2"),
	[COMMAND_HEALTH_DELETE] = "health delete web",
	[COMMAND_HEALTH_SHOW] = "health show vip web",
	[COMMAND_HEALTH_PROBE] = "health probe web 10.0.0.1:80",
	[COMMAND_HEALTH_EXPORT] = "health export web 10.0.0.1:80",
	[COMMAND_HEALTH_VERIFY] = "health verify certificate",
	[COMMAND_FLOW_LOOKUP] = "flow lookup udp 198.51.100.7:51515 [2001:db8::1]:443",
	[COMMAND_FLOW_SHOW] = "flow show vip web backend 10.0.0.1:80 client 198.51.100.7 limit 4294967295",
	[COMMAND_FLOW_TRACE] = "flow trace vip web client 2001:db8::1 drops sample 1 count 10",
	[COMMAND_IFACE_ATTACH] = "iface attach eth0 mode generic",
	[COMMAND_IFACE_DETACH] = "iface detach eth0.5",
	[COMMAND_IFACE_SHOW] = "iface show",
	[COMMAND_NODE_SET] = ("node set name lb1 address 192.0.2.1 device eth1 "
			      "peers 192.0.2.2,[2001:db8::2]:9999,a-1.example,b.example:1 beacons both admission "
			      "vouched topology hierarchy urgent multicast exec on "
			      "hooks on site fra region eu"),
	[COMMAND_NODE_INIT] = "node init",
	[COMMAND_NODE_JOIN] = "node join 192.0.2.11:9428 replace",
	[COMMAND_NODE_INVITE] = "node invite ttl 10m",
	[COMMAND_NODE_FORGET] = "node forget lb3",
	[COMMAND_NODE_KEY] = "node key use 0123abcd",
	[COMMAND_NODE_LEASE] = "node lease take certbot ttl 1m",
	[COMMAND_NODE_AUDIT] = "node audit show lb1 limit 10",
	[COMMAND_NODE_REKEY] = "node rekey",
	[COMMAND_NODE_DRAIN] = "node drain reason disk",
	[COMMAND_NODE_ENABLE] = "node enable",
	[COMMAND_NODE_LEAVE] = "node leave",
	[COMMAND_NODE_SHOW] = "node show",
	[COMMAND_ROSTER_ADD] = ("roster add lb1 ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= site fra "
				"role observer,admin stake 3 reputation 250"),
	[COMMAND_ROSTER_DELETE] = "roster delete lb1",
	[COMMAND_ROSTER_SHOW] = "roster show",
	[COMMAND_ROSTER_WEIGH] = "roster weigh",
	[COMMAND_ROSTER_HISTORY] = "roster history lb1",
	[COMMAND_LISTEN_HTTP] = "listen http 0.0.0.0:9000",
	[COMMAND_LOG_LEVEL] = "log level debug",
	[COMMAND_CONFIG_SHOW] = "config show",
	[COMMAND_CONFIG_CHECK] = "config check a.conf",
	[COMMAND_CONFIG_DIFF] = "config diff -",
	[COMMAND_CONFIG_APPLY] = "config apply \"a file\" reset-state confirm 10m wave site despite lb3",
	[COMMAND_CONFIG_CONFIRM] = "config confirm 41",
	[COMMAND_CONFIG_VOTERS] = "config voters lb1 lb2 lb3",
	[COMMAND_CONFIG_LEVEL] = "config level 2",
	[COMMAND_CONFIG_TAKEOVER] = "config takeover",
	[COMMAND_CONFIG_ROLLBACK] = "config rollback 41",
	[COMMAND_CONFIG_HISTORY] = "config history",
	[COMMAND_CONFIG_EXPORT] = "config export",
	[COMMAND_METRIC_SHOW] = "metric show vip_",
	[COMMAND_EVENT_WATCH] = "event watch backend iface drop",
	[COMMAND_DROP_SHOW] = "drop show",
	[COMMAND_FEATURE_PROBE] = "feature probe eth0",
	[COMMAND_STATUS] = "status",
	[COMMAND_TOP] = "top",
	[COMMAND_VERSION] = "version",
	[COMMAND_HELP] = "help vip",
	[COMMAND_BATCH] = "batch file -",
};

static void every_command_parses_with_all_its_arguments_and_prints_the_same(void **state)
{
	struct lex_line *line = malloc(sizeof(*line));
	struct buf out = BUF_INIT;
	int id;

	(void)state;
	for (id = 0; id < COMMAND_COUNT; id++) {
		struct command command;
		struct err err = {0};

		assert_non_null(complete_lines[id]);
		if (parse(line, complete_lines[id], &command, NULL, &err))
			fail_msg("%s: %s", complete_lines[id], err.text);
		assert_int_equal(command.id, id);
		buf_clear(&out);
		command_format(&command, &out);
		assert_string_equal(buf_text(&out), complete_lines[id]);
	}
	buf_free(&out);
	free(line);
}

static void arguments_arrive_in_their_members(void **state)
{
	struct lex_line *line = malloc(sizeof(*line));
	struct command c;
	struct err err;

	(void)state;
	assert_int_equal(parse(line, complete_lines[COMMAND_VIP_ADD], &c, NULL, &err), 0);
	assert_string_equal(c.vip, "web");
	assert_int_equal(c.key_count, 2);
	assert_int_equal(c.key[1].proto, IPPROTO_UDP);
	assert_int_equal(ntohs(c.key[1].port), 53);
	assert_int_equal(c.scheduler, SCHEDULER_RR);
	assert_int_equal(c.hash, HASH_SOURCE);
	assert_int_equal(c.idle_ms, 5000);
	assert_int_equal(c.drain_timeout_ms, 86400000);
	assert_int_equal(c.slow_start_ms, 30000);
	assert_int_equal(c.panic_percent, 50);
	assert_int_equal(c.eject_percent, 30);
	assert_int_equal(c.passive, PASSIVE_EJECT);
	assert_string_equal(c.restart, "revive.sh");
	assert_int_equal(parse(line, complete_lines[COMMAND_FLOW_LOOKUP], &c, NULL, &err), 0);
	assert_int_equal(c.proto, IPPROTO_UDP);
	assert_int_equal(ntohs(c.at.port), 51515);
	assert_int_equal(ntohs(c.to.port), 443);
	assert_int_equal(parse(line, "event watch backend drop", &c, NULL, &err), 0);
	assert_int_equal(c.events, EVENT_BACKEND | EVENT_DROP);
	assert_int_equal(parse(line, "event watch", &c, NULL, &err), 0);
	assert_int_equal(c.events, EVENT_ALL);
	assert_int_equal(parse(line, "flow trace drops", &c, NULL, &err), 0);
	assert_true(command_has(&c, ARG_DROPS));
	assert_false(command_has(&c, ARG_COUNT));
	free(line);
}

static void optional_words_are_told_from_those_behind_them(void **state)
{
	static const struct {
		const char *text;
		bool vip, file, timeout, reset;
	} cases[] = {
		{"backend drain 10.0.0.1", false, false, false, false},
		{"backend drain 10.0.0.1 timeout 5s", false, false, true, false},
		{"backend drain web 10.0.0.1 timeout 5s", true, false, true, false},
		{"config apply", false, false, false, false},
		{"config apply reset-state", false, false, false, true},
		{"config apply x reset-state", false, true, false, true},
	};
	struct lex_line *line = malloc(sizeof(*line));
	struct command c;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(line, cases[i].text, &c, NULL, &err), 0);
		assert_int_equal(command_has(&c, ARG_NAME), cases[i].vip);
		assert_int_equal(command_has(&c, ARG_FILE), cases[i].file);
		assert_int_equal(command_has(&c, ARG_TIMEOUT), cases[i].timeout);
		assert_int_equal(command_has(&c, ARG_RESET_STATE), cases[i].reset);
	}
	free(line);
}

static void aliases_and_help_behind_an_object_are_understood(void **state)
{
	static const struct {
		const char *text;
		enum command_id id;
	} cases[] = {{"vip list", COMMAND_VIP_SHOW},	 {"vip del web", COMMAND_VIP_DELETE},
		     {"iface list", COMMAND_IFACE_SHOW}, {"vip help", COMMAND_HELP},
		     {"flow help", COMMAND_HELP},	 {"help", COMMAND_HELP}};
	struct lex_line *line = malloc(sizeof(*line));
	struct command c;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(line, cases[i].text, &c, NULL, &err), 0);
		assert_int_equal(c.id, cases[i].id);
	}
	assert_int_equal(parse(line, "flow help", &c, NULL, &err), 0);
	assert_string_equal(c.topic, "flow");
	free(line);
}

static void mistakes_are_named_with_their_place(void **state)
{
	static const struct {
		const char *text;
		size_t fault;
		const char *error;
	} cases[] = {
		{"vip shwo", 1, "vip has no command \"shwo\"; did you mean \"show\"?"},
		{"vip sho", 1, "vip has no command \"sho\"; did you mean \"show\"?"},
		{"statsu", 0, "there is no command \"statsu\"; did you mean \"status\"?"},
		{"backned show", 0, "there is no command \"backned\"; did you mean \"backend\"?"},
		{"Vip show", 0, "there is no command \"Vip\"; did you mean \"vip\"?"},
		{"vip", 1, "vip needs a command: add, set, delete, show, table, address"},
		{"vip xyzzy", 1, "vip has no command \"xyzzy\"; it has add, set, delete, show, table, address"},
		{"vip delete", 2, "vip delete needs VIP: vip delete VIP"},
		{"vip add web", 3, NULL},
		{"vip show web more", 3, "vip show takes no more words, but there is \"more\""},
		{"status now", 1, "status takes no more words, but there is \"now\""},
		{"backend show web", 2, "backend show has no option \"web\"; it has vip"},
		{"backend set web 10.0.0.1:80", 4,
		 "backend set needs an option: backend set VIP ADDR:PORT [weight N] [tier N] [maxconn N]"},
		{"vip set web", 3, NULL},
		{"node set", 2, NULL},
		{"vip set web weight 3", 3, NULL},
		{"vip set web idle", 4, "idle needs a value: D"},
		{"vip set web idle 1 idle 2", 5, "idle is given twice"},
		{"flow lookup sctp 1.2.3.4:5 1.2.3.4:6", 2, "protocol must be tcp or udp, not \"sctp\""},
		{"flow lookup tcp 1.2.3.4 1.2.3.4:6", 3, "source must be ADDR:PORT or [ADDR6]:PORT, not \"1.2.3.4\""},
		{"flow show limit 0", 3, "limit must be 1 to 4294967295, not \"0\""},
		{"backend set web 10.0.0.1:80 weight -5", 5, "weight must be 0 to 65535, not \"-5\""},
		{"backend drain web", 2, "backend must be ADDR, ADDR:PORT or [ADDR6]:PORT, not \"web\""},
		{"backend drain 10.0.0.1 locally", 3, NULL},
		{"vip set web restart ../sh", 4,
		 "restart must be the name of a file in the directory of hooks, or none, not \"../sh\""},
		{"vip set web restart /bin/sh", 4, NULL},
		{"vip set web restart .hidden", 4, NULL},
		{"vip set web restart \"revive now\"", 4, NULL},
		{"vip set web restart revive-a-backend-of-the-webservers", 4, NULL},
		{"node set hooks", 3, NULL},
		{"node set hooks yes", 3, NULL},
		{"event watch backend gossip", 3, NULL},
		{"event watch members", 2, NULL},
		{"node set peers 192.0.2.1,192.0.2.1", 3, "\"192.0.2.1\" is given twice"},
		{"node set peers 192.0.2.1,", 3, NULL},
		{"node set peers 192.0.2.1;192.0.2.2", 3, NULL},
		{"node set peers 224.0.0.1", 3, NULL},
		{"batch file", 2, NULL},
		{"config rollback first", 2, "generation must be 0 to 4294967295, not \"first\""},
		{"node set address 10.0.0.1: ", 3, NULL},
		{"health set web", 3, NULL},
		{"health set web tpc", 3,
		 "kind must be tcp, talk, http, https, udp, icmp, dns, agent or exec, not \"tpc\""},
		{"health set web tcp intervl 2s", 4,
		 "health set has no option \"intervl\"; did you mean \"interval\"?"},
		{"health set web tcp path /", 4, "a check of kind tcp has no path"},
		{"health set web icmp port 7", 4, "a check of kind icmp has no port"},
		{"health set web icmp via tunnel", 4, "a check of kind icmp has no via"},
		{"health set web exec look via tunnel", 5, "a check of kind exec has no via"},
		{"health set web tcp via tunel", 5, NULL},
		{"health set web http sni a", 4, "a check of kind http has no sni"},
		{"health set web http path x", 5, NULL},
		{"health set web http path \"/ HTTP/1.0\\x0d\\x0aX:\"", 5, NULL},
		{"health set web http host \"a b\"", 5, NULL},
		{"health set web http status 99", 5, NULL},
		{"health set web http status 299-200", 5, NULL},
		{"health set web http status 200,", 5, NULL},
		{"health set web http status 201,202,203,204,205,206,207,208,209", 5, NULL},
		{"health set web dns", 4, NULL},
		{"health set web dns example.net", 5, NULL},
		{"health set web dns example..net A", 4, "name must be a domain name, not \"example..net\""},
		{"health set web dns example.net B", 5, NULL},
		{"health set web exec ../sh", 4,
		 "name must be the name of a file in the directory of checks, not \"../sh\""},
		{"health set web exec one two", 5, NULL},
		{"health set web tcp interval 50ms", 5, NULL},
		{"health set web tcp fall 0", 5, NULL},
		{"health set web talk expect \"\\\\q\"", 5, NULL},
		{"health set web talk expect \"\\\\x0\"", 5, NULL},
		{"health set web talk expect \"a\\\\\"", 5, NULL},
		{"", 0, NULL},
	};
	struct lex_line *line = malloc(sizeof(*line));
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct command c = {.limit = 77};
		struct err err = {0};
		size_t fault = 99;

		if (!parse(line, cases[i].text, &c, &fault, &err))
			fail_msg("\"%s\" is taken", cases[i].text);
		if (cases[i].error)
			assert_string_equal(err.text, cases[i].error);
		assert_true(err.text[0]);
		if (fault != cases[i].fault)
			fail_msg("\"%s\": fault %zu, not %zu", cases[i].text, fault, cases[i].fault);
		assert_int_equal(c.limit, 77);
	}
	free(line);
}

static void choices_in_a_synopsis_are_those_that_are_taken(void **state)
{
	int id;

	(void)state;
	for (id = 0; id < ARGUMENT_COUNT; id++) {
		const char *const *words = argument_words((enum argument_id)id);
		char joined[128] = "";
		size_t i;

		if (!words || argument_repeats((enum argument_id)id))
			continue;
		for (i = 0; words[i]; i++)
			snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%s%s", i ? "|" : "",
				 words[i]);
		assert_string_equal(argument_info((enum argument_id)id)->metavar, joined);
	}
}

static void help_names_every_command_and_its_options(void **state)
{
	struct buf all = BUF_INIT, one = BUF_INIT, synopsis = BUF_INIT;
	int id;

	(void)state;
	assert_int_equal(command_help(NULL, &all), 0);
	for (id = 0; id < COMMAND_COUNT; id++) {
		buf_clear(&synopsis);
		command_synopsis((enum command_id)id, &synopsis);
		assert_non_null(strstr(buf_text(&all), buf_text(&synopsis)));
	}
	assert_int_equal(command_help("backend", &one), 0);
	assert_non_null(
		strstr(buf_text(&one), "backend drain [VIP] ADDR[:PORT] [timeout D] [reason TEXT] [local]\n\t"));
	assert_null(strstr(buf_text(&one), "vip add"));
	assert_int_equal(command_help("nothing", &one), -ENOENT);
	buf_free(&all);
	buf_free(&one);
	buf_free(&synopsis);
}

static void completion_offers_what_may_follow(void **state)
{
	static const struct {
		const char *words[6];
		size_t count;
		const char *offered;
	} cases[] = {
		{{"iface"}, 1, "attach\ndetach\nshow\n"},
		{{"iface", "attach"}, 2, ""},
		{{"iface", "attach", "eth0"}, 3, "mode\n"},
		{{"iface", "attach", "eth0", "mode"}, 4, "auto\nnative\ngeneric\n"},
		{{"iface", "attach", "eth0", "mode", "auto"}, 5, ""},
		{{"flow", "lookup"}, 2, "tcp\nudp\n"},
		{{"flow", "trace", "drops"}, 3, "vip\nclient\nsample\ncount\n"},
		{{"event", "watch", "vip"}, 3, "backend\nvip\niface\nconfig\ndrop\nmember\nrestart\n"},
		{{"health", "set", "web"}, 3, "tcp\ntalk\nhttp\nhttps\nudp\nicmp\ndns\nagent\nexec\n"},
		{{"health", "set", "web", "icmp"}, 4, "interval\ntimeout\nrise\nfall\nobservers\nmode\nscope\n"},
		{{"health", "set", "web", "tcp", "via"}, 5, "direct\ntunnel\n"},
		{{"health", "set", "web", "dns", "example.net"}, 5, "A\nAAAA\nCNAME\nMX\nNS\nPTR\nSOA\nSRV\nTXT\n"},
		{{"nothing"}, 1, ""},
	};
	struct buf out = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&out);
		command_complete(cases[i].words, cases[i].count, &out);
		assert_string_equal(buf_text(&out), cases[i].offered);
	}
	buf_clear(&out);
	command_complete(NULL, 0, &out);
	assert_non_null(strstr(buf_text(&out), "backend\nhealth\nflow\niface\n"));
	buf_free(&out);
}

static void flags_agree_with_each_other(void **state)
{
	int id;

	(void)state;
	for (id = 0; id < COMMAND_COUNT; id++) {
		const struct command_info *info = command_info((enum command_id)id);
		unsigned int reach = info->flags & (COMMAND_LOCAL | COMMAND_SHARED);

		assert_true(reach == COMMAND_LOCAL || reach == COMMAND_SHARED);
		if (info->flags & (COMMAND_CONFIG | COMMAND_OVERRIDE))
			assert_true(info->flags & COMMAND_MUTATES);
		if (info->place == IN_FILE)
			assert_true(info->flags & COMMAND_CONFIG);
		assert_int_equal(!!(info->flags & COMMAND_OVERRIDE), info->place == IN_OPERATION);
		if (!strcmp(info->verb, "show"))
			assert_false(info->flags & COMMAND_MUTATES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_parses_with_all_its_arguments_and_prints_the_same),
		cmocka_unit_test(arguments_arrive_in_their_members),
		cmocka_unit_test(optional_words_are_told_from_those_behind_them),
		cmocka_unit_test(aliases_and_help_behind_an_object_are_understood),
		cmocka_unit_test(mistakes_are_named_with_their_place),
		cmocka_unit_test(choices_in_a_synopsis_are_those_that_are_taken),
		cmocka_unit_test(help_names_every_command_and_its_options),
		cmocka_unit_test(completion_offers_what_may_follow),
		cmocka_unit_test(flags_agree_with_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
