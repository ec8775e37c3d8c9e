// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Options of the command line tool: those before the words. Not here: the words (core/command).
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "starling.h"

#define TIMEOUT_DEFAULT_S 60
#define SECONDS_MAX	  86400.0

#define LETTER_COLOR	  256
#define LETTER_COMPLETION 257
#define LETTER_COMPLETE	  258

/* OPTION(letter, "how it is written", "long", argument, "METAVAR", "help") */
#define OPTIONS(OPTION)                                                                                                \
	OPTION('j', "-j, --", "json", no_argument, "", "print JSON")                                                   \
	OPTION('p', "-p, --", "pretty", no_argument, "", "print JSON, indented")                                       \
	OPTION('n', "-n, --", "dry-run", no_argument, "", "say what would change, and change nothing")                 \
	OPTION('f', "-f, --", "force", no_argument, "", "though it takes every backend of a VIP out of service")       \
	OPTION('N', "-N, --", "numeric", no_argument, "", "whole numbers in base units, times instead of ages")        \
	OPTION('d', "-d, --", "details", no_argument, "", "more columns")                                              \
	OPTION('s', "-s, --", "socket", required_argument, " PATH",                                                    \
	       "of the daemon; by default $" OPTIONS_SOCKET_ENV ", else the one in /run/starling")                     \
	OPTION('w', "-w, --", "watch", required_argument, " SECS", "again and again, with this pause")                 \
	OPTION('t', "-t, --", "timeout", required_argument, " SECS",                                                   \
	       "wait so long for an answer; by default 60, 0: for ever")                                               \
	OPTION(LETTER_COLOR, "--", "color", required_argument, " auto|always|never", "by default where a terminal is") \
	OPTION(LETTER_COMPLETION, "--", "completion", required_argument, " bash", "print the shell's script")          \
	OPTION('V', "-V, --", "version", no_argument, "", "of the command and of the daemon")                          \
	OPTION('h', "-h, --", "help", no_argument, "", "show this")

static const struct option longs[] = {
#define OPTION_LONG(letter, written, name, argument, metavar, help) {name, argument, NULL, letter},
	OPTIONS(OPTION_LONG)
#undef OPTION_LONG
		{"complete", no_argument, NULL, LETTER_COMPLETE},
	{0},
};

const char *options_help(void)
{
#define OPTION_HELP(letter, written, name, argument, metavar, help) "  " written name metavar "\n\t" help "\n"
	return OPTIONS(OPTION_HELP);
#undef OPTION_HELP
}

const char *options_usage(void)
{
	return "usage: starling [OPTIONS] OBJECT { COMMAND | help }\n"
	       "       starling [OPTIONS] { status | top | version | help | batch file FILE }\n"
	       "OPTIONS := -j|--json  -p|--pretty  -n|--dry-run  -f|--force  -N|--numeric  -d|--details\n"
	       "           -s|--socket PATH  -w|--watch SECS  -t|--timeout SECS  --color auto|always|never  "
	       "--completion bash\n"
	       "           -V|--version  -h|--help\n";
}

static int seconds_parse(const char *name, const char *text, double least, double *ret, struct err *err)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !isfinite(value) || value < least || value > SECONDS_MAX)
		return err_set(err, EINVAL, "%s must be seconds, %g to %g, not \"%s\"", name, least, SECONDS_MAX, text);
	*ret = value;
	return 0;
}

static int color_parse(const char *text, enum color *ret, struct err *err)
{
	static const char *const names[] = {[COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(text, names[i])) {
			*ret = (enum color)i;
			return 0;
		}
	return err_set(err, EINVAL, "--color must be auto, always or never, not \"%s\"", text);
}

static int option_set(int letter, struct options *o, struct err *err)
{
	switch (letter) {
	case 'j':
		o->json = true;
		return 0;
	case 'p':
		o->json = o->pretty = true;
		return 0;
	case 'n':
		o->dry_run = true;
		return 0;
	case 'f':
		o->force = true;
		return 0;
	case 'N':
		o->numeric = true;
		return 0;
	case 'd':
		o->details = true;
		return 0;
	case 's':
		o->socket = optarg;
		return 0;
	case 'w':
		return seconds_parse("--watch", optarg, 0.1, &o->watch_s, err);
	case 't':
		return seconds_parse("--timeout", optarg, 0, &o->timeout_s, err);
	case LETTER_COLOR:
		return color_parse(optarg, &o->color, err);
	case LETTER_COMPLETION:
		o->completion = optarg;
		return 0;
	case LETTER_COMPLETE:
		o->complete = true;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	case 'V':
		o->version = true;
		return 0;
	}
	return err_set(err, EINVAL, "there is no such option");
}

int options_parse(int argc, char **argv, struct options *ret, struct err *err)
{
	struct options o = {.timeout_s = TIMEOUT_DEFAULT_S};
	int letter, rc = 0, at = 1;

	opterr = 0;
	while (!rc && !o.complete && (letter = getopt_long(argc, argv, "+:jpnfNds:w:t:hV", longs, NULL)) != -1) {
		if (letter == ':')
			rc = err_set(err, EINVAL, "%s needs a value", argv[optind - 1]);
		else if (letter == '?')
			rc = err_set(err, EINVAL, "there is no option \"%s\"", argv[at]);
		else
			rc = option_set(letter, &o, err);
		at = optind;
	}
	*ret = o; /* also on failure: it says how errors look */
	return rc ? rc : optind;
}
