// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Loads steer as the daemon does: bare, with its features, and with tracing as well; prints what the verifier had to
 * do. Runs in the guest; not here: the other objects (guest/load), forwarding (guest/forward).
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <io/dataplane_tables.h>
#include <starling/dataplane.h>

/* bpftool writes it; its own warnings are not ours. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "steer.skel.h"
#pragma GCC diagnostic pop

#define LOG_BYTES (16 << 20)
#define LOG_TAIL  3000
#define LOG_ALL	  1
#define LOG_STATS 4

static int tables_size(const struct steer_bpf *skel, const struct steer_config *c)
{
	int failed = bpf_map__set_value_size(skel->maps.keys, (c->keys_mask + 1) * sizeof(struct key_entry));

	failed |= bpf_map__set_value_size(skel->maps.vips, (c->vips_mask + 1) * sizeof(struct vip_entry));
	failed |= bpf_map__set_value_size(skel->maps.backends, (c->backends_mask + 1) * sizeof(struct backend_entry));
	failed |= bpf_map__set_value_size(skel->maps.loads, (c->backends_mask + 1) * sizeof(struct backend_load));
	failed |= bpf_map__set_value_size(skel->maps.signs, (c->backends_mask + 1) * sizeof(struct backend_signs));
	failed |= bpf_map__set_value_size(skel->maps.limits, (c->backends_mask + 1) * sizeof(struct backend_limit));
	failed |= bpf_map__set_value_size(skel->maps.notes, NOTES * sizeof(__u64));
	failed |= bpf_map__set_value_size(skel->maps.slots, (c->slots_mask + 1) * sizeof(__u64));
	failed |= bpf_map__set_value_size(skel->maps.flows, (c->flow_sets_mask + 1) * sizeof(struct flow_set));
	return failed;
}

/* Load once; what the verifier says is in @log. */
static int load_once(const struct steer_config *config, __u32 level, char *log)
{
	struct steer_bpf *skel = dataplane_tables_register() ? NULL : steer_bpf__open();
	int failed;

	log[0] = '\0';
	if (!skel)
		return -1;
	skel->rodata->config = *config;
	bpf_program__set_log_level(skel->progs.steer, level);
	bpf_program__set_log_buf(skel->progs.steer, log, LOG_BYTES);
	failed = tables_size(skel, config);
	if (!failed)
		failed = steer_bpf__load(skel);
	steer_bpf__destroy(skel);
	return failed;
}

static const char *line_with(const char *log, const char *word, int *ret_len)
{
	const char *at = strstr(log, word);

	*ret_len = at ? (int)strcspn(at, "\n") : 0;
	return at ? at : "";
}

static int load_features(const struct steer_config *config, const char *kernel, char *log)
{
	int failed = load_once(config, LOG_STATS, log), stack_len, work_len;
	const char *stack = line_with(log, "stack depth", &stack_len), *work = line_with(log, "processed", &work_len);

	printf("%s steer_loads_with_fragments_%u_icmp_%u_trace_%u on %s\n", failed ? "not ok" : "ok", config->fragments,
	       config->icmp, config->trace.sample, kernel);
	printf("# %.*s, %.*s\n", stack_len, stack, work_len, work);
	if (failed) {
		size_t len;

		load_once(config, LOG_ALL, log);
		len = strlen(log);
		printf("%s\n", len > LOG_TAIL ? log + len - LOG_TAIL : log);
	}
	fflush(stdout);
	return failed;
}

int main(void)
{
	struct utsname kernel;
	unsigned int i;
	int failed = 0;
	char *log;

	if (uname(&kernel))
		return 1;
	log = malloc(LOG_BYTES);
	if (!log)
		return 1;
	for (i = 0; i < 3; i++) {
		struct steer_config config = {.flow_sets_log2 = 16,
					      .flow_sets_mask = (1 << 16) - 1,
					      .keys_log2 = 15,
					      .keys_mask = (1 << 15) - 1,
					      .vips_mask = STARLING_VIPS_DEFAULT - 1,
					      .backends_mask = STARLING_BACKENDS_DEFAULT - 1,
					      .slots_mask = STARLING_SLOTS_DEFAULT - 1,
					      .tick_shift = 1,
					      .half_ticks = 200,
					      .half_evict_ticks = 100,
					      .closing_ticks = 200,
					      .closing_evict_ticks = 100,
					      .reset_ticks = 100,
					      .probation_ticks = 100,
					      .fragments = i > 0,
					      .icmp = i > 0,
					      .trace = {.sample = i > 1 ? 100 : 0, .of_client = 1, .drops = 1}};

		failed |= !!load_features(&config, kernel.release, log);
	}
	free(log);
	return failed;
}
