// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes as trees of objects, as a small change of one, and as the register's value. Signatures are always right, so
 * that nothing behind them is spared. Not here: the register, how objects travel.
 *
 * An input is cut at lines of "--": each piece is an object, the last one the root. In a piece @0 to @9 stands for the
 * name of a former piece, for no fuzzer guesses a hash; and of a piece that begins with "starling" the signature is
 * added, for none guesses 128 digits.
 */
#include <errno.h>
#include <string.h>

#include "core/aside.h"
#include "core/config_file.h"
#include "core/intent_delta.h"
#include "any_signing.h"
#include "fuzz.h"

#define PIECES	  16
#define LACK_ROOM 8

/* What is read is a configuration, or is none; and only the one whose objects these are is the same. */
static void tree_again(const struct objects *o, const struct object_name *root, const struct intent_root *says,
		       const struct buf *text)
{
	struct buf again = BUF_INIT;
	struct err_list errors = {0};
	struct config *c = NULL;
	struct objects built = {0};
	struct object_name name;
	size_t lines = asides_begin(buf_text(text), text->len);

	if (config_parse_agreed(buf_text(text), lines, "tree", &c, &errors) ||
	    asides_read(c, buf_text(text) + lines, text->len - lines, NULL))
		goto out;
	REQUIRE(!*c->node_name && !c->iface_count && !c->listen_http.port);
	if (intent_same(o, root, c, &any))
		goto out;
	REQUIRE(!intent_build(c, says, &any, &built, &name, NULL));
	REQUIRE(!intent_same(&built, &name, c, &any));
	REQUIRE(!intent_read(&built, &name, &again, NULL));
	REQUIRE(!strcmp(buf_text(&again), buf_text(text)));
out:
	config_free(c);
	err_list_free(&errors);
	objects_free(&built);
	buf_free(&again);
}

static void root_try(struct objects *o, const struct object_name *root)
{
	struct object_name lacking[LACK_ROOM];
	struct roster_node node = {.id = 1, .roles = ROLE_ADMIN};
	struct roster roster = {&node, 1};
	struct intent_root says;
	struct buf text = BUF_INIT;
	struct err err = {0};
	size_t lacks, i, k;
	int rc;

	rc = intent_root_read(o, root, NULL, &any, &says, &err);
	REQUIRE(!rc || (rc == -EBADMSG && err.code == EBADMSG && err.text[0]));
	if (!rc) {
		REQUIRE(says.level == INTENT_LEVEL && strlen(says.by) < sizeof(says.by) &&
			strlen(says.command) < sizeof(says.command));
		REQUIRE(intent_root_read(o, root, &roster, &any, &says, NULL) == (says.node == 1 ? 0 : -EACCES));
	}
	lacks = intent_lacking(o, root, lacking, LACK_ROOM);
	REQUIRE(lacks <= LACK_ROOM);
	for (i = 0; i < lacks; i++) {
		REQUIRE(!objects_find(o, &lacking[i]));
		for (k = 0; k < i; k++)
			REQUIRE(!object_name_is(&lacking[i], &lacking[k]));
	}
	rc = intent_read(o, root, &text, &err);
	REQUIRE(rc || !lacks);
	REQUIRE(rc != -ENOENT || lacks);
	if (!rc)
		tree_again(o, root, &says, &text);
	else
		REQUIRE(!text.len);
	intent_keep(o, root, 1);
	REQUIRE(intent_lacking(o, root, lacking, LACK_ROOM) == lacks);
	buf_free(&text);
}

static void value_try(const uint8_t *data, size_t len)
{
	__u8 bytes[INTENT_VALUE_BYTES];
	struct object_name root;
	struct intent i;
	__u32 generation;
	size_t k;

	if (intent_decode(data, len, &i))
		return;
	for (k = 0; k < INTENT_LEASES; k++)
		REQUIRE(strlen(i.lease[k].name) < STARLING_LEASE_BYTES);
	REQUIRE(intent_encode(&i, bytes) == len && !memcmp(bytes, data, len));
	REQUIRE(intent_wanted(&i, 0, true, &root, &generation) || (i.proposed && !i.deadline_ms));
}

static void delta_try(const uint8_t *data, size_t len)
{
	struct objects o = {0};
	int rc = intent_delta_read(&o, &any, data, len);

	REQUIRE(!rc || rc == -EBADMSG || rc == -ENOENT || rc == -EMSGSIZE);
	objects_free(&o);
}

/* A piece with names in it in place of @0 ... */
static void piece_write(const char *at, size_t len, const struct object_name *name, size_t count, struct buf *out)
{
	char hex[2 * HASH_BYTES + 1];
	bool root = len > 8 && !memcmp(at, "starling", 8);

	for (; len; at++, len--) {
		if (len > 1 && *at == '@' && at[1] >= '0' && (size_t)(at[1] - '0') < count && at[1] <= '9') {
			buf_puts(out, object_name_format(&name[at[1] - '0'], hex));
			at++;
			len--;
		} else {
			buf_putc(out, *at);
		}
	}
	if (root) {
		buf_puts(out, "signature ");
		buf_fill(out, '0', 2 * (size_t)SIGNATURE_BYTES);
		buf_putc(out, '\n');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *at = (const char *)data, *end = at + len, *cut;
	struct object_name name[PIECES];
	struct objects o = {0};
	struct buf text = BUF_INIT;
	size_t count = 0;

	value_try(data, len);
	delta_try(data, len);
	for (; at < end && count < PIECES; at = cut + 3) {
		cut = memmem(at, (size_t)(end - at), "--\n", 3);
		piece_write(at, (size_t)((cut ? cut : end) - at), name, count, &text);
		if (text.len && !objects_add(&o, &any, text.text, text.len, &name[count]))
			count++;
		buf_clear(&text);
		if (!cut)
			break;
	}
	if (count)
		root_try(&o, &name[count - 1]);
	objects_free(&o);
	buf_free(&text);
	return 0;
}
