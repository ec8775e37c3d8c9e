// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reading configuration files. Not here: what a line does to a configuration
 * (config_command.c), writing (config_export.c).
 *
 * A file is read twice, so that its lines may stand in any order: first everything but what
 * belongs to a VIP, then backends and addresses. A VIP whose line is wrong gets a place all the
 * same, so that its backends' lines are not reported on top of it.
 */
#include "core/config_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/lex.h"

/* What a line declared, to name it when the same comes again. */
struct declared {
	__u64 hash;
	int line;
};

struct reader {
	struct lex lex;
	struct lex_line line;
	struct config *config;
	struct err_list *errors;
	struct declared *declared; /* owned */
	size_t declared_count, declared_room;
	size_t backends;
	bool agreed; /* it is no file, but what a flock has agreed on: with reputations */
	bool second; /* pass */
	bool no_memory;
};

static void report(struct reader *r, size_t word, struct err *err)
{
	if (err->code == ENOMEM)
		r->no_memory = true;
	lex_locate(&r->lex, &r->line.place[word], err);
	err_list_add(r->errors, err);
}

/* FNV-1a, continued. */
static __u64 hash_bytes(__u64 hash, const void *bytes, size_t len)
{
	const unsigned char *byte = bytes;

	while (len--)
		hash = (hash ^ *byte++) * 0x100000001b3ULL;
	return hash;
}

/* Over what makes the object of a line: enough to find a line again, nothing rests on it. */
static __u64 object_hash(const struct command *command)
{
	__u64 hash = hash_bytes(0xcbf29ce484222325ULL, &command->id, sizeof(command->id));

	/* With their NULs, so that names do not run into each other. */
	hash = hash_bytes(hash, command->vip, strlen(command->vip) + 1);
	if (command_has(command, ARG_NODE))
		hash = hash_bytes(hash, command->node, strlen(command->node) + 1);
	if (command_has(command, ARG_DEVICE))
		hash = hash_bytes(hash, command->device, strlen(command->device) + 1);
	if (command_has(command, ARG_BACKEND))
		hash = hash_bytes(hash, &command->at, sizeof(command->at));
	if (command_has(command, ARG_KEY))
		hash = hash_bytes(hash, &command->key[0], sizeof(command->key[0]));
	return hash;
}

static void declare(struct reader *r, const struct command *command)
{
	struct declared *grown;

	if (r->declared_count == r->declared_room) {
		r->declared_room = r->declared_room ? r->declared_room * 2 : 64;
		grown = realloc(r->declared, r->declared_room * sizeof(*grown));
		if (!grown) {
			r->no_memory = true;
			r->declared_room = r->declared_count;
			return;
		}
		r->declared = grown;
	}
	r->declared[r->declared_count++] = (struct declared){object_hash(command), r->line.place[0].line};
}

/* The line that declared the same object, 0 if none did. */
static int declared_line(const struct reader *r, const struct command *command)
{
	__u64 hash = object_hash(command);
	size_t i;

	/* Only errors that are kept need the line: more of them would make this loop quadratic. */
	for (i = 0; i < r->declared_count && r->errors->count < ERR_LIST_MAX; i++)
		if (r->declared[i].hash == hash)
			return r->declared[i].line;
	return 0;
}

/* Why a command does not stand in a file, and what to do instead. */
static void place_refuse(const struct command_info *info, struct err *err)
{
	const char *object = info->object, *verb = info->verb, *blank = *info->verb ? " " : "";

	switch (info->place) {
	case IN_FILE:
		break;
	case IN_ABSENCE:
		err_set(err, EINVAL,
			"\"%s %s\" has no place in a file: what is not in it is removed, so leave out its line", object,
			verb);
		break;
	case IN_OWN_LINE:
		err_set(err, EINVAL, "\"%s %s\" has no place in a file: write the options in the line of \"%s add\"",
			object, verb, object);
		break;
	case IN_OPERATION:
		err_set(err, EINVAL, "\"%s %s\" is operating state, not configuration: run \"starling %s %s\"", object,
			verb, object, verb);
		break;
	case IN_NO_FILE:
		err_set(err, EINVAL, "\"%s%s%s\" declares nothing: run \"starling %s%s%s\"", object, blank, verb,
			object, blank, verb);
		break;
	}
}

/* Which word an error of config_command() is about. */
static size_t fault_word(const struct command *command, int code)
{
	if (command->id == COMMAND_BACKEND_ADD && code == -EEXIST)
		return 3;
	if ((command->id == COMMAND_ROSTER_ADD || command->id == COMMAND_HEALTH_SET) && code == -EINVAL)
		return 3;
	if (command->id == COMMAND_VIP_ADDRESS && code != -ENOENT)
		return 4;
	return 2;
}

/* Of what is not refused by itself when it comes again. */
static bool declared_already(const struct reader *r, const struct command *command)
{
	const struct vip_config *vip = config_vip(r->config, command->vip);
	enum command_id id = command->id;

	if (id == COMMAND_HEALTH_SET)
		return vip && vip->check;
	return id == COMMAND_NODE_SET || id == COMMAND_LISTEN_HTTP || id == COMMAND_LOG_LEVEL;
}

/* A VIP whose line is wrong, so that its backends can be checked. */
static void vip_stand_in(struct reader *r)
{
	const char *const words[] = {"vip", "add", r->line.count > 2 ? r->line.word[2] : "", "udp/192.0.2.1:1"};
	struct command command;

	if (!command_parse(words, 4, &command, NULL, NULL))
		config_command(r->config, &command, NULL);
}

static void line_apply(struct reader *r, const struct command *command)
{
	int first = declared_already(r, command) ? declared_line(r, command) : 0, code;
	struct err err = {0};

	if (first) {
		err_set(&err, EEXIST, "there is a line with \"%s %s\" already: line %d", r->line.word[0],
			r->line.word[1], first);
		report(r, 0, &err);
		return;
	}
	code = config_command(r->config, command, &err);
	if (!code) {
		declare(r, command);
		return;
	}
	first = code == -EEXIST ? declared_line(r, command) : 0;
	if (first)
		snprintf(err.text + strlen(err.text), sizeof(err.text) - strlen(err.text), ": line %d", first);
	report(r, fault_word(command, code), &err);
}

/* Which word is a keyword; it is there. */
static size_t keyword_word(const struct reader *r, const char *keyword)
{
	size_t i = r->line.count;

	while (i > 1 && strcmp(r->line.word[i - 1], keyword) != 0)
		i--;
	return i - 1;
}

/* A line of the roster, with a reputation. */
static void reputation_apply(struct reader *r, struct command *command)
{
	struct err err = {0};
	size_t i;

	if (!r->agreed || !roster_reputation_is(command->reputation)) {
		err_set(&err, EINVAL,
			r->agreed ? "reputation must be a multiple of %u" : "a reputation is earned: leave it out",
			ROSTER_REPUTATION_STEP);
		report(r, keyword_word(r, "reputation"), &err);
		return;
	}
	command->given &= ~ARGUMENT_BIT(ARG_REPUTATION);
	line_apply(r, command);
	for (i = 0; i < r->config->roster.count; i++)
		if (!strcmp(r->config->roster.node[i].name, command->node))
			roster_reputation_set(&r->config->roster.node[i], command->reputation);
}

static bool of_vip(enum command_id id)
{
	return id == COMMAND_BACKEND_ADD || id == COMMAND_VIP_ADDRESS || id == COMMAND_HEALTH_SET;
}

static void line_parse(struct reader *r)
{
	enum command_id id = command_find(r->line.word, r->line.count);
	struct command command;
	struct err err = {0};
	size_t fault = 0;

	if (of_vip(id) != r->second)
		return;
	if (id != COMMAND_COUNT && command_info(id)->place != IN_FILE) {
		place_refuse(command_info(id), &err);
		report(r, 0, &err);
		return;
	}
	if (command_parse(r->line.word, r->line.count, &command, &fault, &err)) {
		report(r, fault, &err);
		if (id == COMMAND_VIP_ADD)
			vip_stand_in(r);
		return;
	}
	if (command.id == COMMAND_HELP || (id == COMMAND_VIP_ADDRESS && command.change)) {
		err_set(&err, EINVAL, "\"%s\" has no place in a file%s",
			id == COMMAND_VIP_ADDRESS ? "vip address delete" : "help",
			id == COMMAND_VIP_ADDRESS ? ": leave the address out of \"vip add\"" : "");
		report(r, id == COMMAND_VIP_ADDRESS ? 3 : 0, &err);
		return;
	}
	if (id == COMMAND_BACKEND_ADD && r->backends++ == STARLING_BACKENDS_MAX) {
		err_set(&err, ENOSPC, "there are more than %u backends", STARLING_BACKENDS_MAX);
		report(r, 0, &err);
		r->lex.at = r->lex.len;
		return;
	}
	if (id == COMMAND_ROSTER_ADD && command_has(&command, ARG_REPUTATION))
		reputation_apply(r, &command);
	else
		line_apply(r, &command);
}

/* Errors of the lexer are those of the first pass. */
static void pass(struct reader *r, const char *text, size_t len, const char *file, bool second)
{
	struct err err;
	int got;

	r->second = second;
	lex_begin(&r->lex, text, len, file);
	while ((got = lex_next(&r->lex, &r->line, &err)) && !r->no_memory) {
		if (got > 0)
			line_parse(r);
		else if (!second)
			err_list_add(r->errors, &err);
	}
}

static int parse(const char *text, size_t len, const char *file, bool agreed, struct config **ret,
		 struct err_list *errors)
{
	struct reader *r = calloc(1, sizeof(*r));
	struct err err;
	int code = 0;

	if (!r || !(r->config = config_new())) {
		free(r);
		return -ENOMEM;
	}
	r->errors = errors;
	r->agreed = agreed;
	if (len > STARLING_CONFIG_BYTES) {
		err_set(&err, EFBIG, "the file is larger than %u bytes", STARLING_CONFIG_BYTES);
		snprintf(err.file, sizeof(err.file), "%s", file);
		err_list_add(errors, &err);
	} else {
		pass(r, text, len, file, false);
		pass(r, text, len, file, true);
		err_list_sort(errors);
	}
	if (r->no_memory)
		code = -ENOMEM;
	else if (errors->count || errors->more)
		code = -EINVAL;
	if (code)
		config_free(r->config);
	else
		*ret = r->config;
	free(r->declared);
	free(r);
	return code;
}

int config_parse(const char *text, size_t len, const char *file, struct config **ret, struct err_list *errors)
{
	return parse(text, len, file, false, ret, errors);
}

int config_parse_agreed(const char *text, size_t len, const char *file, struct config **ret, struct err_list *errors)
{
	return parse(text, len, file, true, ret, errors);
}

/* Put an error about a VIP at the line that declares it. */
static void vip_locate(const char *text, size_t len, const char *file, const struct vip_config *vip, struct err *err)
{
	struct lex_line *line = malloc(sizeof(*line));
	struct lex lex;

	snprintf(err->file, sizeof(err->file), "%s", file);
	lex_begin(&lex, text, len, file);
	while (line && vip && lex_next(&lex, line, NULL)) {
		if (line->count > 2 && command_find(line->word, line->count) == COMMAND_VIP_ADD &&
		    !strcmp(line->word[2], vip->name)) {
			lex_locate(&lex, &line->place[2], err);
			break;
		}
	}
	free(line);
}

static int read_checked(const char *text, size_t len, const char *file, const struct config_limits *limits, bool agreed,
			struct config **ret, struct err_list *errors)
{
	const struct vip_config *vip;
	struct config *c;
	struct err err;
	int r;

	r = parse(text, len, file, agreed, &c, errors);
	if (r)
		return r;
	r = config_check_vip(c, limits, &vip, &err);
	if (r == -ENOMEM) {
		config_free(c);
		return r;
	}
	if (r) {
		vip_locate(text, len, file, vip, &err);
		err_list_add(errors, &err);
		config_free(c);
		return -EINVAL;
	}
	*ret = c;
	return 0;
}

int config_read(const char *text, size_t len, const char *file, const struct config_limits *limits, struct config **ret,
		struct err_list *errors)
{
	return read_checked(text, len, file, limits, false, ret, errors);
}

int config_read_agreed(const char *text, size_t len, const char *file, const struct config_limits *limits,
		       struct config **ret, struct err_list *errors)
{
	return read_checked(text, len, file, limits, true, ret, errors);
}
