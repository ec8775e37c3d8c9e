// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Agreed configurations on the disk. Not here: running them (agree_follow.c), the history's files (history.c).
 *
 * What is kept of a generation is one file: the root's text, then the configuration that its tree says. Objects are
 * made anew from it at the start.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/agree_state.h"
#include "io/state_file.h"

#define SIGNATURE "\nsignature "

/* The root's text, then the configuration's. */
static int tree_text(struct agree *a, const struct object_name *name, struct buf *out, struct err *err)
{
	const struct object *o;
	int rc = -ENOENT;

	pthread_mutex_lock(&a->lock);
	o = objects_find(&a->objects, name);
	if (o) {
		buf_add(out, o->text, o->len);
		rc = intent_read(&a->objects, name, out, err);
	}
	pthread_mutex_unlock(&a->lock);
	return rc ? rc : buf_error(out);
}

void agree_keep(struct agree *a, const struct object_name *name, const struct intent_root *root, size_t changes)
{
	struct generation g = {.number = root->generation, .time_ms = root->time_ms, .changes = changes};
	struct buf text = BUF_INIT;
	struct err err = {0};
	int rc = tree_text(a, name, &text, &err);

	snprintf(g.by, sizeof(g.by), "%.*s", (int)sizeof(g.by) - 1, root->by);
	snprintf(g.command, sizeof(g.command), "%.*s", (int)sizeof(g.command) - 1, root->command);
	pthread_mutex_lock(&a->keeping);
	if (!rc)
		rc = history_put(a->history, &g, buf_text(&text), text.len, &err);
	pthread_mutex_unlock(&a->keeping);
	buf_free(&text);
	if (!rc)
		return;
	a->d->store_errors++;
	log_error("config: generation %u runs, but is not kept: %s", root->generation, err.text);
}

int agree_stage(struct agree *a, const struct object_name *root, struct err *err)
{
	struct buf text = BUF_INIT;
	char path[PATH_MAX];
	int rc = tree_text(a, root, &text, err);

	if (!rc)
		rc = daemon_path(path, a->d->state_dir, "agreed.next", err);
	pthread_mutex_lock(&a->keeping); /* one's own change and another's question may come at once */
	if (!rc)
		rc = state_file_write(path, buf_text(&text), text.len, err);
	pthread_mutex_unlock(&a->keeping);
	buf_free(&text);
	if (rc)
		return rc;
	pthread_mutex_lock(&a->lock);
	a->staged = *root;
	pthread_mutex_unlock(&a->lock);
	return 0;
}

/* Its names are made of the text; who signed it does not matter here. */
static int no_sign(void *arg, const void *bytes, size_t len, __u8 ret[SIGNATURE_BYTES])
{
	(void)arg;
	(void)bytes;
	(void)len;
	memset(ret, 0, SIGNATURE_BYTES);
	return 0;
}

const char *agree_kept_config(const char *text)
{
	const char *end = strstr(text, SIGNATURE);

	end = end ? strchr(end + 1, '\n') : NULL;
	return end ? end + 1 : NULL;
}

/* What was kept becomes objects again. Return: 0, or -errno with @err; @ret_root: its root's name. */
static int text_load(struct agree *a, char *text, size_t len, struct object_name *ret_root, struct err *err)
{
	struct signing unsigned_ = a->signing;
	struct intent_root root = {.level = INTENT_LEVEL, .table = INTENT_TABLE, .generation = 1};
	struct object_name unused;
	struct config *c = NULL;
	const char *lines = agree_kept_config(text);
	size_t head;
	int rc;

	if (!lines)
		return err_set(err, EBADMSG, "what is kept has no root");
	head = (size_t)(lines - text);
	unsigned_.sign = no_sign;
	rc = agree_parse(a, text + head, len - head, &c, err);
	pthread_mutex_lock(&a->lock);
	if (!rc)
		rc = objects_add(&a->objects, &a->signing, text, head, ret_root);
	if (!rc)
		rc = intent_build(c, &root, &unsigned_, &a->objects, &unused, err);
	pthread_mutex_unlock(&a->lock);
	config_free(c);
	return rc;
}

int agree_kept_load(struct agree *a, __u32 number, struct object_name *ret_root, struct err *err)
{
	char *text = NULL;
	size_t len = 0;
	int rc;

	pthread_mutex_lock(&a->keeping);
	rc = history_text(a->history, number, &text, &len, err);
	pthread_mutex_unlock(&a->keeping);
	if (!rc)
		rc = text_load(a, text, len, ret_root, err);
	free(text);
	return rc;
}

/* What was asked about last: it may have been decided, and be nowhere else. */
void agree_staged_load(struct agree *a)
{
	char path[PATH_MAX], *text = NULL;
	struct err err = {0};
	size_t len = 0;

	if (!daemon_path(path, a->d->state_dir, "agreed.next", &err) && !state_file_read(path, &text, &len, &err) &&
	    text_load(a, text, len, &a->staged, &err))
		log_info("config: what was asked about last is not kept whole: %s", err.text);
	free(text);
}
