// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * starlingd: from arguments to a running loop. Not here: what it does then (wire, task, apply).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/request.h"
#include "daemon/daemon.h"
#include "daemon/load.h"
#include "daemon/wire.h"
#include "io/secrets.h"
#include "io/state_file.h"
#include "version.h"

static void errors_print(const struct err_list *errors)
{
	struct buf out = BUF_INIT;

	err_list_print(errors, &out);
	fputs(buf_text(&out), stderr);
	fprintf(stderr, "%zu error%s; nothing was changed\n", errors->count + errors->more,
		errors->count + errors->more == 1 ? "" : "s");
	buf_free(&out);
}

/* Limits for checking a file before the maps are there. */
static void limits_default(const struct options *o, struct config_limits *ret)
{
	*ret = (struct config_limits){.vips = o->limits.vips ? o->limits.vips : STARLING_VIPS_DEFAULT,
				      .backends = o->limits.backends ? o->limits.backends : STARLING_BACKENDS_DEFAULT,
				      .slots = o->limits.slots ? o->limits.slots : STARLING_SLOTS_DEFAULT};
}

/* The file of -f, if there is one. Return: 0, or the exit status. */
static int file_load(const struct daemon *d, struct config **ret)
{
	struct err_list errors = {0};
	int rc;

	*ret = NULL;
	if (!d->options.file)
		return 0;
	rc = load_config(d->options.file, &d->limits, ret, &errors);
	if (rc && errors.count)
		errors_print(&errors);
	else if (rc)
		fprintf(stderr, "starlingd: %s: %s\n", d->options.file, strerror(-rc));
	err_list_free(&errors);
	return rc ? request_fault_status(FAULT_CONFIGURATION) : 0;
}

static int node_choose(struct daemon *d, const struct config *config, struct err *err)
{
	const char *named = config ? config->node_name : "";
	char host[256] = "";

	if (d->options.node && named[0] && strcmp(d->options.node, named))
		return err_set(err, EINVAL, "--node is %s and %s names the node %s: which one is it?", d->options.node,
			       d->options.file, named);
	gethostname(host, sizeof(host) - 1);
	host[strcspn(host, ".")] = '\0';
	snprintf(d->node, sizeof(d->node), "%s", d->options.node ? d->options.node : named[0] ? named : host);
	if (!d->node[0])
		return err_set(err, EINVAL, "this host has no name: give --node NAME");
	return 0;
}

static int dirs_make(struct daemon *d, struct err *err)
{
	int rc = daemon_path(d->bpf_dir, d->options.bpf_dir, d->node, err);

	if (!rc)
		rc = daemon_path(d->run_dir, d->options.run_dir, d->node, err);
	if (!rc)
		rc = daemon_path(d->state_dir, d->options.state_dir, d->node, err);
	if (!rc)
		rc = state_dir_make(d->run_dir, err);
	if (!rc)
		rc = state_dir_make(d->state_dir, err);
	return rc;
}

/* One daemon a node: the lock goes with the process, however it ends. */
static int lock_take(struct daemon *d, struct err *err)
{
	char path[PATH_MAX], pid[32] = "";
	ssize_t n;
	int rc = daemon_path(path, d->run_dir, "lock", err);

	if (rc)
		return rc;
	d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (d->lock_fd < 0)
		return err_set(err, errno, "cannot open the lock %s: %s", path, strerror(errno));
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB)) {
		rc = -errno;
		n = read(d->lock_fd, pid, sizeof(pid) - 1);
		pid[n > 0 ? strcspn(pid, "\n") : 0] = '\0';
		if (rc == -EWOULDBLOCK)
			return err_set(
				err, EBUSY,
				"another starlingd (pid %s) runs node %s: stop it, or give this one another --node",
				pid[0] ? pid : "unknown", d->node);
		return err_set(err, -rc, "cannot lock %s: %s", path, strerror(-rc));
	}
	n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(d->lock_fd, 0) || pwrite(d->lock_fd, pid, (size_t)n, 0) != n)
		return err_set(err, errno ? errno : EIO, "cannot write the lock %s", path);
	return 0;
}

/*
 * And one a data plane, also if the run directories differ: the directory of pins is locked too.
 * It may be yet to be made.
 */
static int pins_lock(struct daemon *d, struct err *err)
{
	if (d->pins_fd >= 0 || d->options.no_dataplane)
		return 0;
	d->pins_fd = open(d->bpf_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->pins_fd < 0)
		return errno == ENOENT ? 0
				       : err_set(err, errno, "cannot open the directory of pins %s: %s", d->bpf_dir,
						 strerror(errno));
	if (!flock(d->pins_fd, LOCK_EX | LOCK_NB))
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(err, EBUSY,
			       "another starlingd, with another --run-dir, has the data plane %s: stop it, or give "
			       "this one another --node",
			       d->bpf_dir);
	return err_set(err, errno, "cannot lock %s: %s", d->bpf_dir, strerror(errno));
}

static int dataplane_start(struct daemon *d, struct err *err)
{
	struct dataplane_options options = {.pin_dir = d->bpf_dir,
					    .limits = d->options.limits,
					    .flow_sets_log2 = d->options.flow_sets_log2,
					    .fragments = true,
					    .icmp = true,
					    .memory_only = d->options.no_dataplane};
	__u32 seed[SEED_WORDS];
	int rc = seed_load(d->state_dir, seed, err);

	if (!rc)
		options.seed = seed;
	if (rc && rc != -ENOENT)
		return rc;
	rc = pins_lock(d, err);
	if (!rc)
		rc = dataplane_open(&options, &d->dp, err);
	if (!rc && options.seed && memcmp(dataplane_info(d->dp)->seed, seed, sizeof(seed)) != 0)
		rc = dataplane_reseed(d->dp, seed, err); /* it came from the flock after the tables were made */
	sodium_memzero(seed, sizeof(seed));
	if (!rc)
		rc = pins_lock(d, err);
	if (rc)
		return rc;
	daemon_notes(d);
	dataplane_limits(d->dp, &d->limits);
	if (d->options.no_dataplane) {
		log_info("dataplane: none, this is a witness node=%s", d->node);
		return 0;
	}
	log_info("dataplane: %s node=%s load_ms=%u memory=%llu", dataplane_adopted(d->dp) ? "adopted" : "made", d->node,
		 dataplane_load_ms(d->dp), (unsigned long long)dataplane_memory(d->dp));
	return 0;
}

static int dataplane_drop(struct daemon *d, struct err *err)
{
	int rc = dataplane_start(d, err);

	if (rc)
		return rc;
	rc = dataplane_remove(d->dp);
	d->dp = NULL;
	if (rc)
		return err_set(err, -rc, "not all of the data plane could be removed: %s", strerror(-rc));
	log_notice("dataplane: removed node=%s", d->node);
	return 0;
}

static int daemon_start(struct daemon *d, const struct config *config, struct err *err)
{
	int rc = node_choose(d, config, err);

	if (!rc && !d->options.no_dataplane)
		rc = dataplane_permitted(err);
	if (!rc)
		rc = dirs_make(d, err);
	if (!rc)
		rc = lock_take(d, err);
	if (rc || d->options.remove)
		return rc ? rc : dataplane_drop(d, err);
	rc = dataplane_start(d, err);
	return rc;
}

/* A probe under way has a socket. The soft limit is low for the sake of select(), which nobody here calls. */
static void files_allow(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

int main(int argc, char **argv)
{
	struct daemon d = {.lock_fd = -1, .pins_fd = -1, .started_ms = wall_ms(), .reload_ok = true};
	struct config *config = NULL;
	struct err err = {0};

	setenv("RES_OPTIONS", "timeout:2 attempts:1", 0); /* a silent name server holds no end up for long */
	if (options_parse(argc, argv, &d.options, &err)) {
		fprintf(stderr, "starlingd: %s\nstarlingd --help shows the options\n", err.text);
		return request_fault_status(FAULT_USAGE);
	}
	if (d.options.help || d.options.version) {
		printf("%s", d.options.help ? options_usage() : "starlingd " STARLING_VERSION " " STARLING_COMMIT "\n");
		return 0;
	}
	if (sodium_init() < 0)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	files_allow();
	umask(027);
	limits_default(&d.options, &d.limits);
	d.status = file_load(&d, &config);
	if (d.status || d.options.check) {
		if (!d.status)
			printf("%s is right\n", d.options.file);
		config_free(config);
		return d.status;
	}
	log_open(d.options.debug ? LOG_DEBUG : config ? config->log_level : LOG_INFO);
	if (daemon_start(&d, config, &err)) {
		log_error("%s", err.text);
		d.status = 1;
		config_free(config);
	} else if (d.options.remove) {
		config_free(config);
	} else {
		wire_run(&d, config);
	}
	dataplane_close(d.dp);
	if (d.lock_fd >= 0)
		close(d.lock_fd);
	if (d.pins_fd >= 0)
		close(d.pins_fd);
	return d.status;
}
