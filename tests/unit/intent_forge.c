// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A node that makes trees of objects. Not here: tests.
 */
#include "intent_forge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const struct intent_root says = {
	.level = INTENT_LEVEL,
	.table = INTENT_TABLE,
	.generation = 43,
	.node = 1,
	.by = "root@lb1",
	.time_ms = 1790000000000,
	.command = "vip add web",
};

void forge_open(struct forge *f)
{
	memset(f, 0, sizeof(*f));
	signer_real(&f->node, 1);
	f->says = says;
	f->says.node = f->node.id;
}

struct config *forge_parse(const char *text)
{
	struct err_list errors = {0};
	struct config *c = NULL;

	if (config_parse_agreed(text, strlen(text), "test", &c, &errors))
		fail_msg("%s: %s", text, errors.count ? errors.err[0].text : "no memory");
	err_list_free(&errors);
	return c;
}

void forge_build(struct forge *f, const struct config *c)
{
	assert_int_equal(intent_build(c, &f->says, &f->node.signing, &f->objects, &f->root, NULL), 0);
}

void forge_of(struct forge *f, const char *text)
{
	struct config *c = forge_parse(text);

	forge_open(f);
	forge_build(f, c);
	config_free(c);
}

struct object_name forge_add(struct forge *f, const char *text)
{
	struct object_name name;

	assert_int_equal(objects_add(&f->objects, &f->node.signing, text, strlen(text), &name), 0);
	return name;
}

struct object_name forge_root(struct forge *f, const char *body)
{
	struct buf text = BUF_INIT;
	__u8 signature[SIGNATURE_BYTES];
	struct object_name name;
	size_t i;

	assert_int_equal(f->node.signing.sign(f->node.signing.arg, body, strlen(body), signature), 0);
	buf_printf(&text, "%ssignature ", body);
	for (i = 0; i < sizeof(signature); i++)
		buf_printf(&text, "%02x", signature[i]);
	buf_putc(&text, '\n');
	name = forge_add(f, buf_text(&text));
	buf_free(&text);
	return name;
}

char *forge_body(const struct forge *f, const char *from, const char *to)
{
	const char *text = objects_find(&f->objects, &f->root)->text, *at = strstr(text, from);
	const char *end = strstr(text, "signature ");
	struct buf out = BUF_INIT;

	assert_true(at && at < end);
	buf_add(&out, text, (size_t)(at - text));
	buf_puts(&out, to);
	buf_add(&out, at + strlen(from), (size_t)(end - at) - strlen(from));
	return buf_take(&out, NULL);
}
