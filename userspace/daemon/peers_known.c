// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Where the others were last heard, on disk, so that a node finds its flock again whatever `peers` says. It is a hint
 * and nothing more: a lost file costs nothing where one address is known otherwise. Not here: what is known while the
 * daemon runs (core/opinion.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/peers_state.h"
#include "io/state_file.h"

#define KNOWN_FILE "known"

void peers_known_load(struct peers *p)
{
	char path[PATH_MAX], *text = NULL, *rest, *line, *at;
	struct endpoint endpoint;
	struct err err = {0};
	size_t len;
	int rc = daemon_path(path, p->d->state_dir, KNOWN_FILE, &err);

	if (!rc)
		rc = state_file_read(path, &text, &len, &err);
	if (rc && rc != -ENOENT)
		log_warning("flock: where others were is not known: %s", err.text);
	for (rest = rc ? NULL : text; rest && (line = strsep(&rest, "\n"));) {
		at = strchr(line, ' ');
		if (at && !endpoint_parse(at + 1, &endpoint) && !endpoint.proto)
			opinion_known(flock_opinion(p->flock), strtoull(line, NULL, 16), &endpoint);
	}
	free(text);
}

/* A line a node: its id and its address. */
static void known_write(const struct peers *p, struct buf *out)
{
	char id[ROSTER_ID_TEXT_BYTES], at[ENDPOINT_TEXT_BYTES];
	struct opinion_view view;

	for (size_t i = 0; i < p->roster.count; i++) {
		const struct roster_node *node = &p->roster.node[i];

		if (node->id == p->identity.id || opinion_state(flock_opinion(p->flock), node->id, &view) ||
		    !view.at.port)
			continue;
		view.at.proto = 0;
		buf_printf(out, "%s %s\n", roster_id_format(node->id, id), endpoint_format(&view.at, at));
	}
}

void peers_known_save(struct peers *p)
{
	struct buf out = BUF_INIT;
	char path[PATH_MAX];
	struct err err = {0};

	known_write(p, &out);
	if (!buf_error(&out) && strcmp(buf_text(&out), buf_text(&p->known)) != 0 &&
	    !daemon_path(path, p->d->state_dir, KNOWN_FILE, &err)) {
		if (state_file_write(path, buf_text(&out), out.len, &err)) {
			p->d->store_errors++;
			log_error("flock: where others are is not kept: %s", err.text);
		}
		buf_free(&p->known);
		p->known = out; /* also what could not be written: it is tried again when it changes */
		return;
	}
	buf_free(&out);
}
