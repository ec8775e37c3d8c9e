// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Text of the control socket's requests and errors. Not here: sockets, commands.
 */
#include "core/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "starling/limits.h"

static const struct {
	const char *name;
	int status;
} faults[FAULT_COUNT] = {
#define REQUEST_FAULT_ROW(id, label, exit_status) {label, exit_status},
	REQUEST_FAULTS(REQUEST_FAULT_ROW)
#undef REQUEST_FAULT_ROW
};

const char *request_fault_name(enum request_fault fault)
{
	return fault < FAULT_COUNT ? faults[fault].name : "failed";
}

int request_fault_status(enum request_fault fault)
{
	return fault < FAULT_COUNT ? faults[fault].status : 1;
}

enum request_fault request_fault_find(const char *name)
{
	size_t i;

	for (i = 0; name && i < FAULT_COUNT; i++)
		if (!strcmp(faults[i].name, name))
			return (enum request_fault)i;
	return FAULT_FAILED;
}

/* A word may hold anything that a shell can pass, but no control characters: they would end up in logs. */
static bool word_is_clean(const json_t *word)
{
	const unsigned char *c = (const unsigned char *)json_string_value(word);

	if (json_string_length(word) >= STARLING_LINE_BYTES || strlen((const char *)c) != json_string_length(word))
		return false;
	for (; *c; c++)
		if (*c < ' ' || *c == 0x7f)
			return false;
	return true;
}

static int words_take(const json_t *list, struct request *request, struct err *err)
{
	size_t i, count = json_array_size(list);

	if (!json_is_array(list) || !count)
		return err_set(err, EINVAL, "a request needs \"words\": a list of the command's words");
	if (count > STARLING_WORDS)
		return err_set(err, EINVAL, "a command has at most %d words, not %zu", STARLING_WORDS, count);
	free(request->words); /* of none: members are not repeated */
	request->words = calloc(count, sizeof(*request->words));
	if (!request->words)
		return err_set(err, ENOMEM, "no memory for the request");
	for (i = 0; i < count; i++) {
		const json_t *word = json_array_get(list, i);

		if (!json_is_string(word) || !word_is_clean(word))
			return err_set(err, EINVAL, "word %zu of the request is no text without control characters",
				       i + 1);
		request->words[i] = json_string_value(word);
	}
	request->word_count = count;
	return 0;
}

/* @value: a text without NULs inside, or null. */
static int text_take(const char *key, const json_t *value, const char **ret_text, size_t *ret_len, struct err *err)
{
	if (json_is_null(value))
		return 0;
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
		return err_set(err, EINVAL, "\"%s\" of the request is no text", key);
	*ret_text = json_string_value(value);
	*ret_len = json_string_length(value);
	return 0;
}

static int members_take(struct request *request, struct err *err)
{
	const char *key;
	json_t *value;
	size_t unused;
	int rc;

	json_object_foreach(request->json, key, value)
	{
		rc = 0;
		if (!strcmp(key, "words"))
			rc = words_take(value, request, err);
		else if (!strcmp(key, "text"))
			rc = text_take(key, value, &request->text, &request->text_len, err);
		else if (!strcmp(key, "file"))
			rc = text_take(key, value, &request->file, &unused, err);
		else if (!strcmp(key, "dry_run") && json_is_boolean(value))
			request->dry_run = json_is_true(value);
		else if (!strcmp(key, "force") && json_is_boolean(value))
			request->force = json_is_true(value);
		else
			rc = err_set(err, EINVAL, "a request has no member \"%.64s\" of this type", key);
		if (rc)
			return rc;
	}
	return request->words ? 0 : words_take(NULL, request, err);
}

int request_parse(const char *line, size_t len, struct request *ret, struct err *err)
{
	struct request request = {0};
	json_error_t json_error;
	int rc;

	request.json = json_loadb(line, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &json_error);
	if (!request.json) {
		rc = err_set(err, EINVAL, "the request is no JSON: %s", json_error.text);
		if (err)
			err->column = json_error.column;
		return rc;
	}
	if (!json_is_object(request.json))
		rc = err_set(err, EINVAL, "the request is no JSON object");
	else
		rc = members_take(&request, err);
	if (rc) {
		request_free(&request);
		return rc;
	}
	*ret = request;
	return 0;
}

void request_free(struct request *request)
{
	if (!request)
		return;
	json_decref(request->json);
	free(request->words);
	memset(request, 0, sizeof(*request));
}

/* Append @json and a newline; takes the reference. */
static int line_add(json_t *json, struct buf *out)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (!text) {
		out->failed = true;
		return -ENOMEM;
	}
	buf_puts(out, text);
	buf_putc(out, '\n');
	free(text);
	return buf_error(out);
}

int request_format(const char *const *words, size_t word_count, unsigned int flags, const char *text, const char *file,
		   struct buf *out)
{
	json_t *json = json_object(), *list = json_array();
	int bad = 0;
	size_t i;

	for (i = 0; i < word_count; i++)
		bad |= json_array_append_new(list, json_string(words[i]));
	bad |= json_object_set_new(json, "words", list);
	if (flags & REQUEST_DRY_RUN)
		bad |= json_object_set_new(json, "dry_run", json_true());
	if (flags & REQUEST_FORCE)
		bad |= json_object_set_new(json, "force", json_true());
	if (text)
		bad |= json_object_set_new(json, "text", json_string(text));
	if (file)
		bad |= json_object_set_new(json, "file", json_string(file));
	if (bad) {
		json_decref(json);
		return -EINVAL;
	}
	return line_add(json, out);
}

/* Words of an error may quote what an operator typed: what is no UTF-8 becomes '?'. */
static json_t *text_json(const char *text)
{
	char clean[ERR_TEXT_BYTES];
	json_t *json = json_string(text);
	size_t i;

	if (json)
		return json;
	for (i = 0; i < sizeof(clean) - 1 && text[i]; i++)
		clean[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	clean[i] = '\0';
	return json_string(clean);
}

json_t *request_error_json(enum request_fault fault, const struct err *err)
{
	json_t *json = json_object();
	int bad = 0;

	bad |= json_object_set_new(json, "code", json_string(request_fault_name(fault)));
	bad |= json_object_set_new(json, "message", text_json(err->text));
	bad |= json_object_set_new(json, "file", err->file[0] ? text_json(err->file) : json_null());
	bad |= json_object_set_new(json, "line", err->line ? json_integer(err->line) : json_null());
	bad |= json_object_set_new(json, "column", err->column ? json_integer(err->column) : json_null());
	if (err->source[0])
		bad |= json_object_set_new(json, "source", text_json(err->source));
	if (!bad)
		return json;
	json_decref(json);
	return NULL;
}

void request_error_answer(enum request_fault fault, const struct err *err, struct buf *out)
{
	json_t *json = json_object();

	json_object_set_new(json, "error", request_error_json(fault, err));
	line_add(json, out);
}

void request_message_answer(const char *message, struct buf *out)
{
	json_t *json = json_object();

	json_object_set_new(json, "message", text_json(message));
	line_add(json, out);
}
