// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The daemon about itself. Not here: what the plane shows.
 */
#include "daemon/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/agree.h"
#include "daemon/health.h"
#include "daemon/peers.h"
#include "version.h"

#define STATUS_LINE_BYTES 256

static double seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static __u64 fds_count(void)
{
	DIR *dir = opendir("/proc/self/fd");
	__u64 count = 0;
	struct dirent *entry;

	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count - 1; /* the directory itself */
}

/* VmRSS, VmSize, Threads of /proc/self/status. */
static void status_read(struct table *t, size_t row)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[STATUS_LINE_BYTES];

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		const char *colon = strchr(line, ':');
		__u64 value = colon ? strtoull(colon + 1, NULL, 10) : 0;

		if (!strncmp(line, "VmRSS:", 6))
			table_set_u64(t, row, FIELD_DAEMON_memory, value << 10);
		else if (!strncmp(line, "VmSize:", 7))
			table_set_u64(t, row, FIELD_DAEMON_virtual_memory, value << 10);
		else if (!strncmp(line, "Threads:", 8))
			table_set_u64(t, row, FIELD_DAEMON_threads, value);
	}
	fclose(f);
}

void process_fill(struct daemon *d, struct table *t)
{
	size_t row = table_row(t);
	struct rlimit fds = {0};
	struct rusage usage;

	table_set_u64(t, row, FIELD_DAEMON_pid, (__u64)getpid());
	table_set_time(t, row, FIELD_DAEMON_started, d->started_ms);
	if (!getrusage(RUSAGE_SELF, &usage))
		table_set_f64(t, row, FIELD_DAEMON_cpu, seconds(&usage.ru_utime) + seconds(&usage.ru_stime));
	status_read(t, row);
	table_set_u64(t, row, FIELD_DAEMON_open_fds, fds_count());
	if (!getrlimit(RLIMIT_NOFILE, &fds))
		table_set_u64(t, row, FIELD_DAEMON_max_fds, fds.rlim_cur);
	table_set_u64(t, row, FIELD_DAEMON_requests, d->requests);
	table_set_u64(t, row, FIELD_DAEMON_request_failures, d->request_failures);
	table_set_f64(t, row, FIELD_DAEMON_loop_lag, loop_lag_s(d->loop));
	table_set_f64(t, row, FIELD_DAEMON_scrape_duration, (double)d->scrape_ns / 1e9);
	table_set_u64(t, row, FIELD_DAEMON_store_errors, d->store_errors);
	table_set_u64(t, row, FIELD_DAEMON_log_errors,
		      log_count(LOG_EMERG) + log_count(LOG_ALERT) + log_count(LOG_CRIT) + log_count(LOG_ERR));
	table_set_u64(t, row, FIELD_DAEMON_log_warnings, log_count(LOG_WARNING));
	table_set_u64(t, row, FIELD_DAEMON_log_infos, log_count(LOG_NOTICE) + log_count(LOG_INFO));
	table_set_u64(t, row, FIELD_DAEMON_log_debugs, log_count(LOG_DEBUG));
}

void version_fill(struct daemon *d, struct table *t)
{
	size_t row = table_row(t);

	table_set_text(t, row, FIELD_VERSION_name, "starlingd");
	table_set_text(t, row, FIELD_VERSION_version, STARLING_VERSION);
	table_set_text(t, row, FIELD_VERSION_commit, STARLING_COMMIT);
	table_set_u64(t, row, FIELD_VERSION_abi, dataplane_info(d->dp)->abi);
}

/* What only the daemon knows to be wrong. */
static void status_degrade(struct table *t, const char *problem)
{
	table_add_list(t, 0, FIELD_STATUS_problems, problem);
	table_set_text(t, 0, FIELD_STATUS_state, "degraded");
}

static void status_problem(void *arg, const char *problem)
{
	status_degrade(arg, problem);
}

int status_fill(struct daemon *d, struct plane *p, struct table *t, struct err *err)
{
	const struct generation *last = history_last(d->history);
	char words[HEALTH_PROBLEM_BYTES];
	int rc = plane_show_status(p, t, err);
	size_t row = 0;

	if (rc)
		return rc;
	table_set_text(t, row, FIELD_STATUS_node, d->node);
	table_set_text(t, row, FIELD_STATUS_version, STARLING_VERSION);
	table_set_time(t, row, FIELD_STATUS_started, d->started_ms);
	table_set_u64(t, row, FIELD_STATUS_generation, last ? last->number : 0);
	table_set_text(t, row, FIELD_STATUS_digest, last ? last->digest : NULL);
	if (d->applied_ms)
		table_set_time(t, row, FIELD_STATUS_applied, d->applied_ms);
	table_set_bool(t, row, FIELD_STATUS_reload_ok, d->reload_ok);
	table_set_u64(t, row, FIELD_STATUS_reloads, d->reloads);
	table_set_u64(t, row, FIELD_STATUS_reload_failures, d->reload_failures);
	if (!d->reload_ok)
		status_degrade(t, "the last configuration read was refused");
	if (d->store_errors)
		status_degrade(t, "the state directory cannot be written");
	if (health_problem(d->health, p, words))
		status_degrade(t, words);
	peers_problems(d->peers, t);
	agree_status(d->agree, t);
	agree_problems(d->agree, status_problem, t);
	if (d->http_failed)
		status_degrade(t, "metrics and health are not served: the log says why");
	return 0;
}
