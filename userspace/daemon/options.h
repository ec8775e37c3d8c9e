/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The arguments of starlingd. Not here: the configuration (core/config_file).
 */
#ifndef STARLING_DAEMON_OPTIONS_H
#define STARLING_DAEMON_OPTIONS_H

#include <linux/types.h>
#include <stdbool.h>

#include "base/addr.h"
#include "base/err.h"
#include "core/model.h"

#define OPTIONS_BPF_DIR	   "/sys/fs/bpf/starling"
#define OPTIONS_RUN_DIR	   "/run/starling"
#define OPTIONS_STATE_DIR  "/var/lib/starling"
#define OPTIONS_CHECKS_DIR "/etc/starling/checks.d"
#define OPTIONS_HOOKS_DIR  "/etc/starling/hooks.d"
#define OPTIONS_HTTP_PORT  9427

struct options {
	const char *file;	/* configuration; NULL: the last one applied. All texts are argv's or static */
	const char *node;	/* NULL: the file's `node set name`, else the host's name */
	const char *checks_dir; /* files that checks of kind exec run */
	const char *hooks_dir;	/* files that begin backends again */
	const char *bpf_dir, *run_dir, *state_dir; /* parents: a directory named by the node is made in each */
	struct endpoint http;			   /* port 0: the configuration's, else localhost */
	struct config_limits limits;		   /* of maps made anew; 0: default */
	__u32 flow_sets_log2;			   /* the same; 0: default */
	bool check;				   /* only say whether the file is right */
	bool no_dataplane;			   /* a witness: in the flock, but not on packets' way */
	bool remove;				   /* detach and remove the data plane, then exit */
	bool debug;
	bool no_backend_metrics; /* too many series for the one who scrapes */
	bool help, version;
};

/**
 * options_parse() - read argv
 * @ret:	texts are borrowed from @argv
 * @err:	what is wrong
 *
 * Return: 0, or -EINVAL.
 */
int options_parse(int argc, char **argv, struct options *ret, struct err *err);

const char *options_usage(void); /* static; ends with a newline */

#endif
