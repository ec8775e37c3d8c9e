// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Whether this whole balancer drains, kept over restarts: what routes to it asks /readyz, others are told in its page.
 * Not here: backends that drain (plane_override.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/peers_state.h"
#include "daemon/stream.h"
#include "io/state_file.h"

#define DRAIN_FILE "draining"

int peers_drain_load(struct peers *p, struct err *err)
{
	char path[PATH_MAX], *text = NULL;
	size_t len;
	int rc = daemon_path(path, p->d->state_dir, DRAIN_FILE, err);

	if (!rc)
		rc = state_file_read(path, &text, &len, err);
	if (!rc)
		snprintf(p->draining, sizeof(p->draining), "%s", text);
	free(text);
	if (rc == -EBADMSG) { /* it was there: rather no new connections than some by mistake */
		log_warning("node: %s; this balancer drains", err->text);
		snprintf(p->draining, sizeof(p->draining), "the file that said why was torn");
	}
	return rc == -ENOENT || rc == -EBADMSG ? 0 : rc;
}

static int drain_save(const char *path, const char *reason, struct err *err)
{
	if (reason)
		return state_file_write(path, reason, strlen(reason), err);
	if (unlink(path) && errno != ENOENT)
		return err_set(err, errno, "cannot remove %s: %s", path, strerror(errno));
	return 0;
}

int peers_drain(struct peers *p, const char *reason, struct err *err)
{
	const char *before, *after = reason ? "draining" : "enabled";
	char path[PATH_MAX];
	int rc = daemon_path(path, p->d->state_dir, DRAIN_FILE, err);

	if (!rc)
		rc = drain_save(path, reason, err);
	if (rc)
		return rc;
	pthread_mutex_lock(&p->lock);
	before = p->draining[0] ? "draining" : "enabled";
	snprintf(p->draining, sizeof(p->draining), "%s", reason ? reason : "");
	peers_publish(p);
	loop_post(p->d->loop, peers_urgent, p);
	pthread_mutex_unlock(&p->lock);
	if (strcmp(before, after) != 0) {
		log_notice("node %s: %s -> %s%s%s kind=member object=%s before=%s after=%s", p->d->node, before, after,
			   reason ? ": " : "", reason ? reason : "", p->d->node, before, after);
		stream_event(p->d, &(struct plane_event){"member", p->d->node, before, after, reason ? reason : ""});
	}
	return 0;
}

bool peers_draining(struct peers *p, char reason[PEERS_REASON_BYTES])
{
	pthread_mutex_lock(&p->lock);
	memcpy(reason, p->draining, PEERS_REASON_BYTES);
	pthread_mutex_unlock(&p->lock);
	return reason[0] != '\0';
}
