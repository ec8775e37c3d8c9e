// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Words to commands by the table of command_list.h, and back. Not here: single arguments
 * (argument.c), help and completion (command_help.c).
 */
#include "core/command.h"

#include <errno.h>
#include <string.h>

#include "core/command_table.h"

static const struct command_row rows[COMMAND_COUNT] = {
#define OPTIONAL(argument) ((argument) | ARGUMENT_OPTIONAL)
#define COMMAND_ROW(id, object_, verb_, place_, flags_, help_, ...)                                                    \
	[COMMAND_##id] = {                                                                                             \
		.info = {.object = object_, .verb = verb_, .place = place_, .flags = flags_, .help = help_},           \
		.argument = {__VA_ARGS__ __VA_OPT__(, ) ARGUMENT_END},                                                 \
	},
	STARLING_COMMANDS(COMMAND_ROW)
#undef COMMAND_ROW
#undef OPTIONAL
};

/* Words that mean another one. */
static const struct {
	const char *alias, *word;
} aliases[] = {{"list", "show"}, {"del", "delete"}};

/* Parsing goes through the words once. */
struct parser {
	const char *const *words;
	size_t count, at;
	const struct command_row *row;
	struct command command;
	struct err *err;
};

const struct command_row *command_row(enum command_id id)
{
	return &rows[id];
}

const struct command_info *command_info(enum command_id id)
{
	return &rows[id].info;
}

bool command_mutates(const struct command *c)
{
	switch (c->id) {
	case COMMAND_NODE_KEY:
		return c->key_change != KEY_SHOW;
	case COMMAND_NODE_LEASE:
		return c->lease_change != LEASE_SHOW;
	case COMMAND_NODE_AUDIT:
		return c->audit_change == AUDIT_ACCEPT;
	case COMMAND_CONFIG_LEVEL:
		return command_has(c, ARG_INTENT_LEVEL);
	default:
		return command_info(c->id)->flags & COMMAND_MUTATES;
	}
}

bool command_has(const struct command *c, enum argument_id argument)
{
	return c->given & ARGUMENT_BIT(argument);
}

/* What is of a level above 1; the last one: of none. */
static const struct {
	__u32 level;
	enum argument_id argument;
	const char *value;
} needs[] = {
#define NEEDS_ROW(level_, id, value_) {level_, ARG_##id, value_},
	STARLING_LEVELS(NEEDS_ROW)
#undef NEEDS_ROW
		{1, ARGUMENT_COUNT, ""},
};

__u32 command_level(const struct command *c, struct buf *ret_word)
{
	struct buf value = BUF_INIT;
	__u32 level = 1;
	size_t i, of = 0;

	for (i = 0; needs[i].argument != ARGUMENT_COUNT; i++) {
		if (needs[i].level <= level || !command_has(c, needs[i].argument))
			continue;
		buf_clear(&value);
		argument_format(needs[i].argument, c, &value);
		if (*needs[i].value && strcmp(needs[i].value, buf_text(&value)) != 0)
			continue;
		level = needs[i].level;
		of = i;
	}
	buf_free(&value);
	if (level > 1)
		buf_printf(ret_word, "%s%s%s", argument_info(needs[of].argument)->word, *needs[of].value ? " " : "",
			   needs[of].value);
	return level;
}

const char *command_alias(const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (!strcmp(aliases[i].alias, word))
			return aliases[i].word;
	return word;
}

bool command_object_known(const char *object)
{
	int i;

	for (i = 0; i < COMMAND_COUNT; i++)
		if (!strcmp(rows[i].info.object, object))
			return true;
	return false;
}

/* Every object once, in the table's order, then NULL. */
static void objects_list(const char *list[COMMAND_COUNT + 1])
{
	size_t count = 0;
	int i;

	for (i = 0; i < COMMAND_COUNT; i++)
		if (!count || strcmp(list[count - 1], rows[i].info.object) != 0)
			list[count++] = rows[i].info.object;
	list[count] = NULL;
}

static void verbs_list(const char *object, const char *list[COMMAND_COUNT + 1])
{
	size_t count = 0;
	int i;

	for (i = 0; i < COMMAND_COUNT; i++)
		if (!strcmp(rows[i].info.object, object))
			list[count++] = rows[i].info.verb;
	list[count] = NULL;
}

static void words_join(const char *const *list, struct buf *out)
{
	size_t i;

	for (i = 0; list[i]; i++)
		buf_printf(out, "%s%s", i ? ", " : "", list[i]);
}

static void object_unknown(const struct parser *p)
{
	const char *list[COMMAND_COUNT + 1], *near;
	char text[ARGUMENT_QUOTE_BYTES];
	struct buf all = BUF_INIT;

	objects_list(list);
	if (!p->count) {
		words_join(list, &all);
		err_set(p->err, EINVAL, "a command is missing; it begins with one of %s", buf_text(&all));
		buf_free(&all);
		return;
	}
	argument_quote(p->words[0], text);
	if (p->count > 1 && command_find((const char *const[]){p->words[1], p->words[0]}, 2) != COMMAND_COUNT) {
		err_set(p->err, EINVAL, "the object comes before the verb: \"%s %s\"", p->words[1], p->words[0]);
		return;
	}
	near = command_nearest(p->words[0], list);
	if (near) {
		err_set(p->err, EINVAL, "there is no command %s; did you mean \"%s\"?", text, near);
		return;
	}
	words_join(list, &all);
	err_set(p->err, EINVAL, "there is no command %s; there are %s", text, buf_text(&all));
	buf_free(&all);
}

static void verb_unknown(const struct parser *p)
{
	const char *list[COMMAND_COUNT + 1], *near = NULL;
	char text[ARGUMENT_QUOTE_BYTES];
	struct buf all = BUF_INIT;

	verbs_list(p->words[0], list);
	words_join(list, &all);
	if (p->count > 1)
		near = command_nearest(p->words[1], list);
	if (p->count == 1)
		err_set(p->err, EINVAL, "%s needs a command: %s", p->words[0], buf_text(&all));
	else if (near)
		err_set(p->err, EINVAL, "%s has no command %s; did you mean \"%s\"?", p->words[0],
			argument_quote(p->words[1], text), near);
	else
		err_set(p->err, EINVAL, "%s has no command %s; it has %s", p->words[0],
			argument_quote(p->words[1], text), buf_text(&all));
	buf_free(&all);
}

enum command_id command_find(const char *const *words, size_t count)
{
	const char *verb = count > 1 ? command_alias(words[1]) : "";
	int i;

	for (i = 0; i < COMMAND_COUNT && count; i++)
		if (!strcmp(rows[i].info.object, words[0]) && (!*rows[i].info.verb || !strcmp(rows[i].info.verb, verb)))
			return (enum command_id)i;
	return COMMAND_COUNT;
}

/* Object and verb; `OBJECT help` is help about the object. */
static int row_find(struct parser *p)
{
	enum command_id id = command_find(p->words, p->count);

	if (!p->count || !command_object_known(p->words[0])) {
		object_unknown(p);
		return -EINVAL;
	}
	if (id == COMMAND_COUNT && p->count == 2 && !strcmp(p->words[1], "help")) {
		id = COMMAND_HELP;
		p->command.topic = p->words[0];
		p->command.given = ARGUMENT_BIT(ARG_TOPIC);
	}
	p->at = p->count > 1 ? 1 : p->count;
	if (id == COMMAND_COUNT) {
		verb_unknown(p);
		return -EINVAL;
	}
	p->row = &rows[id];
	p->command.id = id;
	p->at = p->command.given || *p->row->info.verb ? 2 : 1;
	return 0;
}

/* The keyword argument of this command that a word names, or ARGUMENT_COUNT. */
static enum argument_id keyword_find(const struct command_row *row, const char *word)
{
	size_t i;

	for (i = 0; row->argument[i] != ARGUMENT_END; i++) {
		enum argument_id id = (enum argument_id)(row->argument[i] & ARGUMENT_ID);

		if (argument_info(id)->by == BY_KEYWORD && !strcmp(argument_info(id)->word, word))
			return id;
	}
	return ARGUMENT_COUNT;
}

static int argument_missing(const struct parser *p, enum argument_id id)
{
	struct buf synopsis = BUF_INIT;
	int r;

	command_synopsis(p->command.id, &synopsis);
	r = err_set(p->err, EINVAL, "%s %s needs %s: %s", p->row->info.object, p->row->info.verb,
		    argument_info(id)->metavar, buf_text(&synopsis));
	buf_free(&synopsis);
	return r;
}

/*
 * Whether the next word is for an optional argument: not if it is a keyword; and if an argument
 * that must be there comes behind, not if it would do for that or no word is left for that. What only some kinds
 * of checks have has to be there for those.
 */
static bool optional_is_there(const struct parser *p, size_t argument)
{
	__u8 next = p->row->argument[argument + 1];
	enum argument_id id = (enum argument_id)(next & ARGUMENT_ID);
	struct command scratch;

	if (!argument_applies((enum argument_id)(p->row->argument[argument] & ARGUMENT_ID), &p->command))
		return false;
	if (p->command.id == COMMAND_HEALTH_SET)
		return true; /* the kind of check wants it */
	if (p->at >= p->count)
		return false;
	if (next == ARGUMENT_END || next & ARGUMENT_OPTIONAL || argument_info(id)->by != BY_POSITION)
		return keyword_find(p->row, p->words[p->at]) == ARGUMENT_COUNT;
	return p->at + 1 < p->count && keyword_find(p->row, p->words[p->at + 1]) == ARGUMENT_COUNT &&
	       argument_parse(id, p->words[p->at], &scratch, NULL);
}

static int positions_parse(struct parser *p)
{
	size_t i;
	int r;

	for (i = 0; p->row->argument[i] != ARGUMENT_END; i++) {
		enum argument_id id = (enum argument_id)(p->row->argument[i] & ARGUMENT_ID);

		if (argument_info(id)->by != BY_POSITION)
			break;
		if (p->row->argument[i] & ARGUMENT_OPTIONAL && !optional_is_there(p, i))
			continue;
		if (p->at >= p->count)
			return argument_missing(p, id);
		do {
			r = argument_parse(id, p->words[p->at], &p->command, p->err);
			if (r)
				return r;
			p->command.given |= ARGUMENT_BIT(id);
			p->at++;
		} while (argument_repeats(id) && p->at < p->count);
	}
	return 0;
}

static int keyword_unknown(const struct parser *p)
{
	const char *list[ARGUMENTS_MAX + 1], *near;
	char text[ARGUMENT_QUOTE_BYTES];
	struct buf all = BUF_INIT;
	size_t count = 0, i;
	int r;

	for (i = 0; p->row->argument[i] != ARGUMENT_END; i++) {
		const struct argument *a = argument_info((enum argument_id)(p->row->argument[i] & ARGUMENT_ID));

		if (a->by == BY_KEYWORD)
			list[count++] = a->word;
	}
	list[count] = NULL;
	command_name(p->command.id, &all);
	argument_quote(p->words[p->at], text);
	near = command_nearest(p->words[p->at], list);
	if (!count) {
		r = err_set(p->err, EINVAL, "%s takes no more words, but there is %s", buf_text(&all), text);
	} else if (near) {
		r = err_set(p->err, EINVAL, "%s has no option %s; did you mean \"%s\"?", buf_text(&all), text, near);
	} else {
		buf_printf(&all, " has no option %s; it has ", text);
		words_join(list, &all);
		r = err_set(p->err, EINVAL, "%s", buf_text(&all));
	}
	buf_free(&all);
	return r;
}

static int keywords_parse(struct parser *p)
{
	int r;

	while (p->at < p->count) {
		enum argument_id id = keyword_find(p->row, p->words[p->at]);

		if (id == ARGUMENT_COUNT)
			return keyword_unknown(p);
		if (command_has(&p->command, id))
			return err_set(p->err, EINVAL, "%s is given twice", argument_info(id)->word);
		if (!argument_applies(id, &p->command))
			return err_set(p->err, EINVAL, "a check of kind %s has no %s",
				       check_kind_words()[p->command.check.kind], argument_info(id)->word);
		p->at++;
		if (!argument_is_flag(id)) {
			if (p->at >= p->count)
				return err_set(p->err, EINVAL, "%s needs a value: %s", argument_info(id)->word,
					       argument_info(id)->metavar);
			r = argument_parse(id, p->words[p->at], &p->command, p->err);
			if (r)
				return r;
			p->at++;
		}
		p->command.given |= ARGUMENT_BIT(id);
	}
	return 0;
}

/* A `set` that sets nothing is a mistake. */
static int options_needed(const struct parser *p)
{
	struct buf synopsis = BUF_INIT;
	size_t i;
	int r;

	if (strcmp(p->row->info.verb, "set") != 0 || p->command.id == COMMAND_HEALTH_SET)
		return 0;
	for (i = 0; p->row->argument[i] != ARGUMENT_END; i++) {
		enum argument_id id = (enum argument_id)(p->row->argument[i] & ARGUMENT_ID);

		if (argument_info(id)->by == BY_KEYWORD && command_has(&p->command, id))
			return 0;
	}
	command_synopsis(p->command.id, &synopsis);
	r = err_set(p->err, EINVAL, "%s set needs an option: %s", p->row->info.object, buf_text(&synopsis));
	buf_free(&synopsis);
	return r;
}

int command_parse(const char *const *words, size_t count, struct command *ret, size_t *ret_fault, struct err *err)
{
	struct parser p = {.words = words, .count = count, .err = err};
	int r;

	p.command.events = EVENT_ALL;
	r = row_find(&p);
	if (!r)
		r = positions_parse(&p);
	if (!r)
		r = keywords_parse(&p);
	if (!r)
		r = options_needed(&p);
	if (!r)
		*ret = p.command;
	else if (ret_fault)
		*ret_fault = p.at;
	return r;
}

void command_format(const struct command *c, struct buf *out)
{
	const struct command_row *row = &rows[c->id];
	size_t i;

	command_name(c->id, out);
	for (i = 0; row->argument[i] != ARGUMENT_END; i++) {
		enum argument_id id = (enum argument_id)(row->argument[i] & ARGUMENT_ID);

		if (!command_has(c, id))
			continue;
		if (argument_info(id)->by == BY_KEYWORD) {
			buf_putc(out, ' ');
			buf_puts(out, argument_info(id)->word);
		}
		if (!argument_is_flag(id)) {
			buf_putc(out, ' ');
			argument_format(id, c, out);
		}
	}
}
