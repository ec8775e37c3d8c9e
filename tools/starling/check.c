// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `config check FILE`, without a daemon. Not here: what is right (core/config_file, model).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "starling.h"
#include "starling/limits.h"

int check_run(struct run *run, const char *file)
{
	/* sizes a daemon has unless it was started with others */
	static const struct config_limits limits = {
		.vips = STARLING_VIPS_DEFAULT, .backends = STARLING_BACKENDS_DEFAULT, .slots = STARLING_SLOTS_DEFAULT};
	const char *name = strcmp(file, "-") ? file : "stdin";
	struct config *config = NULL;
	struct err_list errors = {0};
	struct err err = {0};
	char *text = NULL, message[512];
	size_t len = 0;
	int rc, status;

	if (file_read(file, &text, &len, &err))
		return render_error(run, FAULT_REFUSED, &err);
	rc = config_read(text, len, name, &limits, &config, &errors);
	free(text);
	if (rc && errors.count) {
		status = render_errors(run, &errors);
	} else if (rc) {
		err_set(&err, -rc, "%s: %s", name, strerror(-rc));
		status = render_errors(run, &(struct err_list){.err = &err, .count = 1});
	} else {
		snprintf(message, sizeof(message), "%s is right: %zu VIPs, %.4g probes a second", name,
			 config->vip_count, config_probes(config));
		status = render_text(run, "message", message);
	}
	err_list_free(&errors);
	config_free(config);
	return status;
}
