// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Generations on disk: state files named by their number, holding one line of JSON and then
 * the configuration. Not here: applying them.
 */
#include "daemon/history.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "io/state_file.h"

#define HISTORY_NAME_BYTES 16 /* "0000000042.conf" and NUL */

struct history {
	char dir[PATH_MAX];
	struct generation all[HISTORY_KEEP + 1]; /* by number */
	size_t count;
	bool found; /* files of generations at the start, whole or not */
};

static int path_format(const struct history *h, __u32 number, char path[PATH_MAX])
{
	return (size_t)snprintf(path, PATH_MAX, "%.4000s/%010u.conf", h->dir, number) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

void history_digest(const char *text, size_t len, char digest[HISTORY_DIGEST_BYTES])
{
	unsigned char sum[crypto_generichash_BYTES_MIN];

	crypto_generichash(sum, sizeof(sum), (const unsigned char *)text, len, NULL, 0);
	sodium_bin2hex(digest, HISTORY_DIGEST_BYTES, sum, (HISTORY_DIGEST_BYTES - 1) / 2);
}

static void text_copy(char *to, size_t room, const json_t *from)
{
	const char *text = json_string_value(from);

	snprintf(to, room, "%s", text ? text : "");
}

/* The first line of a file. Return: 0, or -EBADMSG. */
static int head_parse(const char *text, size_t len, struct generation *ret, size_t *ret_head_len)
{
	const char *newline = memchr(text, '\n', len);
	struct generation g = {0};
	json_t *json;

	json = newline ? json_loadb(text, (size_t)(newline - text), JSON_REJECT_DUPLICATES, NULL) : NULL;
	if (!json_is_object(json)) {
		json_decref(json);
		return -EBADMSG;
	}
	g.number = (__u32)json_integer_value(json_object_get(json, "generation"));
	g.time_ms = (__u64)json_integer_value(json_object_get(json, "time_ms"));
	g.changes = (size_t)json_integer_value(json_object_get(json, "changes"));
	text_copy(g.by, sizeof(g.by), json_object_get(json, "by"));
	text_copy(g.command, sizeof(g.command), json_object_get(json, "command"));
	json_decref(json);
	*ret_head_len = (size_t)(newline - text) + 1;
	history_digest(newline + 1, len - *ret_head_len, g.digest);
	*ret = g;
	return 0;
}

static int generation_read(const struct history *h, __u32 number, struct generation *ret, char **ret_text,
			   size_t *ret_len, struct err *err)
{
	char path[PATH_MAX], *text = NULL;
	size_t len = 0, head_len = 0;
	int rc = path_format(h, number, path);

	rc = rc ? rc : state_file_read(path, &text, &len, err);
	if (rc == -ENOENT)
		return err_set(err, ENOENT, "generation %u is not kept any more", number);
	if (rc)
		return rc;
	rc = head_parse(text, len, ret, &head_len);
	if (rc || ret->number != number) {
		free(text);
		return err_set(err, EBADMSG, "%s is no generation %u", path, number);
	}
	memmove(text, text + head_len, len - head_len + 1);
	*ret_text = text;
	*ret_len = len - head_len;
	return 0;
}

/* The oldest makes room; but of those that changed no line, as hourly reputations do, half of all may be kept. */
static size_t spare_find(const struct history *h)
{
	size_t first = 0, idle = 0;

	for (size_t i = h->count - 1; i--;)
		if (!h->all[i].changes) {
			idle++;
			first = i;
		}
	return idle > HISTORY_KEEP / 2 ? first : 0;
}

/* A failure leaves the file: it only takes room. */
static void spare_drop(struct history *h)
{
	size_t at = spare_find(h);
	char path[PATH_MAX];

	if (!path_format(h, h->all[at].number, path))
		unlink(path);
	memmove(h->all + at, h->all + at + 1, (--h->count - at) * sizeof(h->all[0]));
}

static int number_compare(const void *a, const void *b)
{
	const __u32 *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Numbers of the files in the directory, in order. */
static int numbers_list(const char *dir, __u32 **ret, size_t *ret_count, struct err *err)
{
	__u32 *numbers = NULL, *more, number;
	DIR *d = opendir(dir);
	struct dirent *entry;
	size_t count = 0;
	char name[HISTORY_NAME_BYTES];

	if (!d)
		return err_set(err, errno, "cannot read %s: %s", dir, strerror(errno));
	while ((entry = readdir(d))) {
		number = (__u32)strtoul(entry->d_name, NULL, 10);
		snprintf(name, sizeof(name), "%010u.conf", number);
		if (!number || strcmp(name, entry->d_name))
			continue;
		more = reallocarray(numbers, count + 1, sizeof(*numbers));
		if (!more) {
			free(numbers);
			closedir(d);
			return err_set(err, ENOMEM, "no memory for the history");
		}
		numbers = more;
		numbers[count++] = number;
	}
	closedir(d);
	if (count)
		qsort(numbers, count, sizeof(*numbers), number_compare);
	*ret = numbers;
	*ret_count = count;
	return 0;
}

int history_open(const char *dir, history_note_fn *note, struct history **ret, struct err *err)
{
	struct history *h = calloc(1, sizeof(*h));
	__u32 *numbers = NULL;
	size_t i, count = 0, len;
	struct err why = {0};
	char *text;
	int rc;

	if (!h)
		return err_set(err, ENOMEM, "no memory for the history");
	snprintf(h->dir, sizeof(h->dir), "%s", dir);
	rc = state_dir_make(dir, err);
	if (!rc)
		rc = numbers_list(dir, &numbers, &count, err);
	if (rc)
		goto out;
	h->found = count != 0;
	for (i = 0; i < count; i++) {
		if (h->count == HISTORY_KEEP)
			spare_drop(h);
		text = NULL;
		if (generation_read(h, numbers[i], &h->all[h->count], &text, &len, &why))
			note(why.text);
		else
			h->count++;
		free(text);
	}
	*ret = h;
	h = NULL;
out:
	free(numbers);
	history_close(h);
	return rc;
}

size_t history_count(const struct history *h)
{
	return h->count;
}

bool history_found(const struct history *h)
{
	return h->found;
}

const struct generation *history_at(const struct history *h, size_t i)
{
	return &h->all[i];
}

const struct generation *history_last(const struct history *h)
{
	return h->count ? &h->all[h->count - 1] : NULL;
}

const struct generation *history_find(const struct history *h, __u32 number)
{
	size_t i;

	for (i = 0; i < h->count; i++)
		if (h->all[i].number == number)
			return &h->all[i];
	return NULL;
}

int history_text(const struct history *h, __u32 number, char **ret_text, size_t *ret_len, struct err *err)
{
	struct generation unused;

	return generation_read(h, number, &unused, ret_text, ret_len, err);
}

static int head_format(const struct generation *g, struct buf *out)
{
	json_t *json = json_pack("{s:I,s:I,s:I,s:s,s:s}", "generation", (json_int_t)g->number, "time_ms",
				 (json_int_t)g->time_ms, "changes", (json_int_t)g->changes, "by", g->by, "command",
				 g->command);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (!text)
		return -ENOMEM;
	buf_puts(out, text);
	buf_putc(out, '\n');
	free(text);
	return buf_error(out);
}

/* Where a generation of this number is, or will be; makes room for one more. */
static struct generation *place_make(struct history *h, __u32 number)
{
	size_t i = h->count;

	while (i && h->all[i - 1].number >= number)
		i--;
	if (i < h->count && h->all[i].number == number)
		return &h->all[i];
	memmove(h->all + i + 1, h->all + i, (h->count - i) * sizeof(h->all[0]));
	h->count++;
	return &h->all[i];
}

static int put(struct history *h, const struct generation *g, const char *text, size_t len, bool durable,
	       struct err *err)
{
	struct generation made = *g;
	struct buf body = BUF_INIT;
	char path[PATH_MAX];
	int rc = path_format(h, g->number, path);

	history_digest(text, len, made.digest);
	if (!rc)
		rc = head_format(&made, &body);
	buf_add(&body, text, len);
	if (!rc)
		rc = buf_error(&body);
	if (rc)
		err_set(err, -rc, "cannot keep generation %u: %s", g->number, strerror(-rc));
	else if (durable)
		rc = state_file_write(path, body.text, body.len, err);
	else
		rc = state_file_write_quick(path, body.text, body.len, err);
	buf_free(&body);
	if (rc)
		return rc;
	*place_make(h, g->number) = made;
	if (h->count > HISTORY_KEEP)
		spare_drop(h);
	return 0;
}

int history_put(struct history *h, const struct generation *g, const char *text, size_t len, struct err *err)
{
	return put(h, g, text, len, true, err);
}

int history_add(struct history *h, const char *by, const char *command, size_t changes, const char *text, size_t len,
		bool durable, struct err *err)
{
	struct generation g = {
		.number = h->count ? h->all[h->count - 1].number + 1 : 1, .time_ms = wall_ms(), .changes = changes};

	utf8_cut(g.by, sizeof(g.by), by);
	utf8_cut(g.command, sizeof(g.command), command);
	return put(h, &g, text, len, durable, err);
}

void history_rows(const struct history *h, __u32 running, struct table *t)
{
	for (size_t i = 0; i < h->count; i++) {
		const struct generation *g = &h->all[i];
		size_t row = table_row(t);

		table_set_u64(t, row, FIELD_HISTORY_generation, g->number);
		table_set_bool(t, row, FIELD_HISTORY_running, g->number == running);
		table_set_time(t, row, FIELD_HISTORY_time, g->time_ms);
		table_set_text(t, row, FIELD_HISTORY_by, g->by);
		table_set_text(t, row, FIELD_HISTORY_command, g->command);
		table_set_u64(t, row, FIELD_HISTORY_changes, g->changes);
		table_set_text(t, row, FIELD_HISTORY_digest, g->digest);
	}
}

void history_close(struct history *h)
{
	free(h);
}
