// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the table of commands says about itself: synopsis, help, completion, near words.
 * Not here: parsing (command.c).
 */
#include <errno.h>
#include <string.h>

#include "core/command_table.h"

#define NEAR_WORD_BYTES 32 /* longer words are nobody's mistyped ones */

void command_name(enum command_id id, struct buf *out)
{
	const struct command_info *info = command_info(id);

	buf_puts(out, info->object);
	if (*info->verb)
		buf_printf(out, " %s", info->verb);
}

void command_synopsis(enum command_id id, struct buf *out)
{
	const struct command_row *row = command_row(id);
	size_t i;

	command_name(id, out);
	for (i = 0; row->argument[i] != ARGUMENT_END; i++) {
		const struct argument *a = argument_info((enum argument_id)(row->argument[i] & ARGUMENT_ID));

		if (a->by == BY_KEYWORD)
			buf_printf(out, " [%s%s%s]", a->word, *a->metavar ? " " : "", a->metavar);
		else if (row->argument[i] & ARGUMENT_OPTIONAL)
			buf_printf(out, " [%s]", a->metavar);
		else
			buf_printf(out, " %s", a->metavar);
	}
}

static argument_set arguments_of(const struct command_row *row)
{
	argument_set set = 0;
	size_t i;

	for (i = 0; row->argument[i] != ARGUMENT_END; i++)
		set |= ARGUMENT_BIT(row->argument[i] & ARGUMENT_ID);
	return set;
}

/* What the words behind commands mean. */
static void arguments_help(argument_set used, struct buf *out)
{
	bool durations = false;
	int id;

	for (id = 0; id < ARGUMENT_COUNT; id++) {
		const struct argument *a = argument_info((enum argument_id)id);

		if (!(used & ARGUMENT_BIT(id)) || !*a->help)
			continue;
		durations |= !strcmp(a->metavar, "D");
		buf_printf(out, "  %s%s%s\n\t%s\n", a->word, *a->metavar ? " " : "", a->metavar, a->help);
	}
	if (durations)
		buf_puts(out, "  D\n\ta number with ms, s, m, h or d; without one of them seconds\n");
}

int command_help(const char *object, struct buf *out)
{
	argument_set used = 0;
	int i;

	if (object && !command_object_known(object))
		return -ENOENT;
	for (i = 0; i < COMMAND_COUNT; i++) {
		const struct command_info *info = command_info((enum command_id)i);

		if (object && strcmp(info->object, object) != 0)
			continue;
		command_synopsis((enum command_id)i, out);
		buf_printf(out, "\n\t%s\n", info->help);
		used |= arguments_of(command_row((enum command_id)i));
	}
	arguments_help(used, out);
	return 0;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Letters to insert, delete, replace, or swap with their neighbour: optimal string alignment. */
static size_t word_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[3][NEAR_WORD_BYTES + 1], i, j;

	for (j = 0; j <= b_len; j++)
		row[0][j] = j;
	for (i = 1; i <= a_len; i++) {
		size_t *now = row[i % 3];
		const size_t *before = row[(i + 2) % 3], *two_before = row[(i + 1) % 3];

		now[0] = i;
		for (j = 1; j <= b_len; j++) {
			now[j] = smallest(before[j] + 1, now[j - 1] + 1, before[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    two_before[j - 2] + 1 < now[j])
				now[j] = two_before[j - 2] + 1;
		}
	}
	return row[a_len % 3][b_len];
}

const char *command_nearest(const char *word, const char *const *candidates)
{
	size_t len = strlen(word), best = NEAR_WORD_BYTES, i;
	const char *near = NULL;

	if (len < 2 || len > NEAR_WORD_BYTES)
		return NULL;
	for (i = 0; candidates[i]; i++) {
		size_t candidate_len = strlen(candidates[i]), distance;

		if (candidate_len > NEAR_WORD_BYTES)
			continue;
		distance = word_distance(word, len, candidates[i], candidate_len);
		/* One letter in three may be wrong; the beginning of a word is as good as one wrong letter. */
		if (len < candidate_len && !strncmp(word, candidates[i], len))
			distance = 1;
		if (distance <= (len + 2) / 3 && distance < candidate_len && distance < best) {
			best = distance;
			near = candidates[i];
		}
	}
	return near;
}

/* Words that may come as the value of an argument. */
static void values_complete(enum argument_id id, struct buf *out)
{
	const char *const *words = argument_words(id);
	size_t i;

	for (i = 0; words && words[i]; i++)
		buf_printf(out, "%s\n", words[i]);
}

static void verbs_complete(const char *object, struct buf *out)
{
	int i;

	for (i = 0; i < COMMAND_COUNT; i++) {
		const struct command_info *info = command_info((enum command_id)i);

		if (!strcmp(info->object, object) && *info->verb)
			buf_printf(out, "%s\n", info->verb);
	}
}

static void objects_complete(struct buf *out)
{
	int i;

	for (i = 0; i < COMMAND_COUNT; i++)
		if (!i ||
		    strcmp(command_info((enum command_id)i)->object, command_info((enum command_id)(i - 1))->object))
			buf_printf(out, "%s\n", command_info((enum command_id)i)->object);
}

/* Behind object and verb: the value of the keyword before it, else the position's words, else keywords not yet used. */
static void arguments_complete(enum command_id command, const struct command_row *row, const char *const *words,
			       size_t count, struct buf *out)
{
	struct command said = {.id = command};
	size_t positions = 0, i, j;
	const struct argument *a;

	for (i = 0; row->argument[i] != ARGUMENT_END; i++) {
		enum argument_id id = (enum argument_id)(row->argument[i] & ARGUMENT_ID);

		if (!argument_applies(id, &said))
			continue;
		a = argument_info(id);
		if (a->by == BY_POSITION) {
			if (positions == count || (argument_repeats(id) && positions <= count))
				values_complete(id, out);
			if (positions == count &&
			    (said.id == COMMAND_HEALTH_SET || !(row->argument[i] & ARGUMENT_OPTIONAL)))
				return;
			if (id == ARG_CHECK_KIND)
				argument_parse(id, words[positions], &said, NULL); /* the rest depends on it */
			positions++;
			continue;
		}
		if (count && !strcmp(words[count - 1], a->word) && !argument_is_flag(id)) {
			buf_clear(out);
			values_complete(id, out);
			return;
		}
		for (j = 0; j < count; j++)
			if (!strcmp(words[j], a->word))
				break;
		if (j == count)
			buf_printf(out, "%s\n", a->word);
	}
}

void command_complete(const char *const *words, size_t count, struct buf *out)
{
	const struct command_info *info;
	struct buf found = BUF_INIT;
	size_t used;
	int i;

	if (!count) {
		objects_complete(out);
		return;
	}
	if (count == 1 && command_object_known(words[0]))
		verbs_complete(words[0], out);
	for (i = 0; i < COMMAND_COUNT; i++) {
		info = command_info((enum command_id)i);
		used = *info->verb ? 2 : 1;
		if (count < used || strcmp(info->object, words[0]) != 0 ||
		    (*info->verb && strcmp(info->verb, command_alias(words[1])) != 0))
			continue;
		arguments_complete((enum command_id)i, command_row((enum command_id)i), words + used, count - used,
				   &found);
		if (i == COMMAND_HELP)
			objects_complete(&found);
	}
	buf_puts(out, buf_text(&found));
	out->failed |= found.failed;
	buf_free(&found);
}
