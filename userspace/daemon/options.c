// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The arguments of starlingd, as one table. Not here: what they do.
 */
#include "daemon/options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "starling/limits.h"

enum value_kind { VALUE_FLAG, VALUE_STRING, VALUE_ENDPOINT, VALUE_U32, VALUE_SETS };

/* OPTION(short or number, "long", kind, member, least, most, "METAVAR", "help") */
#define OPTIONS(OPTION)                                                                                                \
	OPTION('f', "file", STRING, file, 0, 0, "FILE", "configuration; without it the last one applied is used")      \
	OPTION('t', "test", FLAG, check, 0, 0, "", "only say whether FILE is right; exit status 4 if not")             \
	OPTION('d', "debug", FLAG, debug, 0, 0, "", "log more")                                                        \
	OPTION('h', "help", FLAG, help, 0, 0, "", "show this")                                                         \
	OPTION('V', "version", FLAG, version, 0, 0, "", "show the version")                                            \
	OPTION(256, "node", STRING, node, 0, 0, "NAME", "name of this balancer; default: FILE's, else the host's")     \
	OPTION(257, "bpf-dir", STRING, bpf_dir, 0, 0, "DIR", "parent of the pins; default " OPTIONS_BPF_DIR)           \
	OPTION(258, "run-dir", STRING, run_dir, 0, 0, "DIR", "parent of sockets and lock; default " OPTIONS_RUN_DIR)   \
	OPTION(259, "state-dir", STRING, state_dir, 0, 0, "DIR", "parent of what is kept; default " OPTIONS_STATE_DIR) \
	OPTION(268, "checks-dir", STRING, checks_dir, 0, 0, "DIR",                                                     \
	       "files that health checks may run; default " OPTIONS_CHECKS_DIR)                                        \
	OPTION(269, "hooks-dir", STRING, hooks_dir, 0, 0, "DIR",                                                       \
	       "files that may begin backends again; default " OPTIONS_HOOKS_DIR)                                      \
	OPTION(260, "http", ENDPOINT, http, 0, 0, "ADDR:PORT", "where metrics and health are served")                  \
	OPTION(261, "vips", U32, limits.vips, 1, STARLING_VIPS_MAX, "N", "room for VIPs")                              \
	OPTION(262, "backends", U32, limits.backends, 1, STARLING_BACKENDS_MAX, "N", "room for backends")              \
	OPTION(263, "slots", U32, limits.slots, 1021, 1u << 28, "N", "room for slots of all VIPs")                     \
	OPTION(264, "flow-sets", SETS, flow_sets_log2, STARLING_FLOW_SETS_MIN, STARLING_FLOW_SETS_MAX, "N",            \
	       "sets of 4 flow cells; a power of two")                                                                 \
	OPTION(266, "no-backend-metrics", FLAG, no_backend_metrics, 0, 0, "",                                          \
	       "leave single backends out of the metrics")                                                             \
	OPTION(267, "no-dataplane", FLAG, no_dataplane, 0, 0, "",                                                      \
	       "be a witness: a node of the flock that takes no packets; needs no privilege")                          \
	OPTION(265, "remove", FLAG, remove, 0, 0, "", "detach from all devices and remove the data plane, then exit")

static const struct row {
	int letter;
	const char *name;
	enum value_kind kind;
	size_t offset;
	__u32 least, most;
} rows[] = {
#define OPTIONS_ROW(letter, name, kind, member, least, most, metavar, help)                                            \
	{letter, name, VALUE_##kind, offsetof(struct options, member), least, most},
	OPTIONS(OPTIONS_ROW)
#undef OPTIONS_ROW
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const char usage[] = "usage: starlingd [OPTIONS]\n"
			    "Load balancer daemon: loads the XDP program, applies a configuration, serves `starling`.\n"
#define OPTIONS_HELP(letter, name, kind, member, least, most, metavar, help) "  --" name " " metavar "\n\t" help "\n"
	OPTIONS(OPTIONS_HELP)
#undef OPTIONS_HELP
		"-f, -t, -d, -h and -V are short for file, test, debug, help and version.\n"
		"Sizes count when the tables are made; tables that exist keep theirs. Stopping leaves traffic "
		"flowing.\n"
		"Signals: HUP reads FILE again, TERM stops.\n";

const char *options_usage(void)
{
	return usage;
}

static int number_parse(const struct row *row, const char *text, __u32 *ret, struct err *err)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || end == text || *text < '0' || *text > '9' || value < row->least || value > row->most)
		return err_set(err, EINVAL, "--%s must be %u to %u, not \"%s\"", row->name, row->least, row->most,
			       text);
	*ret = (__u32)value;
	return 0;
}

static int sets_parse(const struct row *row, const char *text, __u32 *ret_log2, struct err *err)
{
	__u32 sets;
	int rc = number_parse(row, text, &sets, err);

	if (rc)
		return rc;
	if (sets & (sets - 1))
		return err_set(err, EINVAL, "--%s must be a power of two, not %u", row->name, sets);
	*ret_log2 = (__u32)__builtin_ctz(sets);
	return 0;
}

static int value_set(const struct row *row, const char *text, struct options *o, struct err *err)
{
	void *at = (char *)o + row->offset;

	switch (row->kind) {
	case VALUE_FLAG:
		*(bool *)at = true;
		return 0;
	case VALUE_STRING:
		if (!*text)
			return err_set(err, EINVAL, "--%s is empty", row->name);
		*(const char **)at = text;
		return 0;
	case VALUE_ENDPOINT:
		if (endpoint_parse(text, at) || ((struct endpoint *)at)->proto)
			return err_set(err, EINVAL, "--%s must be ADDR:PORT, not \"%s\"", row->name, text);
		return 0;
	case VALUE_U32:
		return number_parse(row, text, at, err);
	case VALUE_SETS:
		return sets_parse(row, text, at, err);
	}
	return -EINVAL;
}

/* The name becomes part of paths. */
static int node_check(const char *name, struct err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (strlen(name) < STARLING_NAME_BYTES && name[0] != '.' && strspn(name, allowed) == strlen(name))
		return 0;
	return err_set(err, EINVAL, "--node must be up to %d letters, digits, '.', '_' or '-', not \"%s\"",
		       STARLING_NAME_BYTES - 1, name);
}

int options_parse(int argc, char **argv, struct options *ret, struct err *err)
{
	struct options o = {.bpf_dir = OPTIONS_BPF_DIR,
			    .run_dir = OPTIONS_RUN_DIR,
			    .state_dir = OPTIONS_STATE_DIR,
			    .checks_dir = OPTIONS_CHECKS_DIR,
			    .hooks_dir = OPTIONS_HOOKS_DIR};
	struct option longs[ROWS + 1] = {0};
	const struct row *row;
	int letter, rc;
	size_t i;

	for (i = 0; i < ROWS; i++)
		longs[i] = (struct option){.name = rows[i].name,
					   .has_arg = rows[i].kind == VALUE_FLAG ? no_argument : required_argument,
					   .val = rows[i].letter};
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":f:tdhV", longs, NULL)) != -1) {
		if (letter == ':')
			return err_set(err, EINVAL, "%s needs a value", argv[optind - 1]);
		for (row = rows; row < rows + ROWS && row->letter != letter; row++)
			;
		if (row == rows + ROWS)
			return err_set(err, EINVAL, "there is no option \"%s\"", argv[optind - 1]);
		rc = value_set(row, optarg, &o, err);
		if (rc)
			return rc;
	}
	if (optind < argc)
		return err_set(err, EINVAL, "starlingd takes options only, not \"%s\"", argv[optind]);
	if (o.check && !o.file)
		return err_set(err, EINVAL, "-t needs -f FILE");
	if (o.remove && o.no_dataplane)
		return err_set(err, EINVAL, "--no-dataplane has no data plane to --remove");
	rc = o.node ? node_check(o.node, err) : 0;
	if (!rc)
		*ret = o;
	return rc;
}
