// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Arguments that are addresses: endpoints, keys of VIPs, places, hosts. Not here: others (argument.c).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/argument.h"
#include "core/argument_kind.h"

#define ADDRESS_UNICAST 1 /* min of an endpoint: packets are sent to or taken at this address */

static int endpoint_read(const struct argument *a, const char *noun, const char *word, struct command *c,
			 struct err *err)
{
	struct endpoint at;

	if (endpoint_parse(word, &at) || at.proto)
		return argument_refuse(noun, "ADDR:PORT or [ADDR6]:PORT", word, err);
	if (a->min == ADDRESS_UNICAST && !addr_is_unicast(&at.addr))
		return argument_refuse(noun, "a unicast address", word, err);
	*(struct endpoint *)member(a, c) = at;
	return 0;
}

static int address_read(const struct argument *a, const char *noun, const char *word, struct command *c,
			struct err *err)
{
	return !place_address(word, member(a, c)) ? 0
						  : argument_refuse(noun, "ADDR, ADDR:PORT or [ADDR6]:PORT", word, err);
}

/* One more of those that are parted by commas. */
static int places_append(const char *noun, const char *word, struct command *c, struct err *err)
{
	char text[ARGUMENT_QUOTE_BYTES];
	struct place place;
	size_t i;

	if (place_parse(word, &place))
		return argument_refuse(
			noun, "unicast addresses or names, each with or without :PORT, with commas between them", word,
			err);
	for (i = 0; i < c->place_count; i++)
		if (!memcmp(&c->place[i], &place, sizeof(place)))
			return err_set(err, EINVAL, "%s is given twice", argument_quote(word, text));
	if (c->place_count == STARLING_NODE_PEERS)
		return err_set(err, EINVAL, "%s: no more than %d places", noun, STARLING_NODE_PEERS);
	c->place[c->place_count++] = place;
	return 0;
}

static void endpoint_write(const struct argument *a, const struct command *c, struct buf *out)
{
	const struct endpoint *at = member_const(a, c);
	char text[ENDPOINT_TEXT_BYTES];

	buf_puts(out, at->port ? endpoint_format(at, text) : addr_format(&at->addr, text));
}

static int endpoint_or_none_read(const struct argument *a, const char *noun, const char *word, struct command *c,
				 struct err *err)
{
	if (!strcmp(word, "none")) {
		*(struct endpoint *)member(a, c) = (struct endpoint){0};
		return 0;
	}
	return endpoint_read(a, noun, word, c, err);
}

static void endpoint_or_none_write(const struct argument *a, const struct command *c, struct buf *out)
{
	const struct endpoint *at = member_const(a, c);

	if (at->port)
		endpoint_write(a, c, out);
	else
		buf_puts(out, "none");
}

/* "-": standard input, which the command reads; or an address. */
static int join_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	if (strcmp(word, "-") != 0)
		return !place_address(word, member(a, c))
			       ? 0
			       : argument_refuse(noun, "- or ADDR, ADDR:PORT, [ADDR6]:PORT", word, err);
	c->file = word;
	return 0;
}

static void join_write(const struct argument *a, const struct command *c, struct buf *out)
{
	if (c->file)
		buf_puts(out, c->file);
	else
		endpoint_write(a, c, out);
}

static int host_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	struct addr addr;

	if (addr_parse(word, &addr))
		return argument_refuse(noun, "an IPv4 or IPv6 address", word, err);
	*(struct addr *)member(a, c) = addr;
	return 0;
}

static void host_write(const struct argument *a, const struct command *c, struct buf *out)
{
	char text[ADDR_TEXT_BYTES];

	buf_puts(out, addr_format(member_const(a, c), text));
}

/* One key behind those that are there. */
static int key_append(const char *noun, const char *word, struct command *c, struct err *err)
{
	struct endpoint key;
	char text[ARGUMENT_QUOTE_BYTES];
	size_t i;

	if (endpoint_parse(word, &key) || !key.proto)
		return argument_refuse(noun, "tcp/ADDR:PORT or udp/ADDR:PORT (IPv6: [ADDR6]:PORT)", word, err);
	if (!addr_is_unicast(&key.addr))
		return argument_refuse(noun, "a unicast address", word, err);
	for (i = 0; i < c->key_count; i++)
		if (!endpoint_compare(&c->key[i], &key))
			return err_set(err, EINVAL, "%s is given twice", argument_quote(word, text));
	if (c->key_count == STARLING_KEYS_PER_VIP)
		return err_set(err, EINVAL, "a VIP has no more than %d addresses", STARLING_KEYS_PER_VIP);
	c->key[c->key_count++] = key;
	return 0;
}

/* A list with commas, each piece to @append. */
static int pieces_read(int (*append)(const char *noun, const char *word, struct command *c, struct err *err),
		       const char *noun, const char *word, struct command *c, struct err *err)
{
	char piece[ENDPOINT_TEXT_BYTES];
	const char *at = word;
	size_t len;
	int r;

	c->key_count = 0;
	do {
		len = strcspn(at, ",");
		if (len >= sizeof(piece))
			len = sizeof(piece) - 1; /* which is no address any more */
		memcpy(piece, at, len);
		piece[len] = '\0';
		r = append(noun, piece, c, err);
		if (r)
			return r;
		at += len;
	} while (*at++ == ',');
	return 0;
}

static int key_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	(void)a;
	c->key_count = 0;
	return key_append(noun, word, c, err);
}

static int keys_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	(void)a;
	return pieces_read(key_append, noun, word, c, err);
}

static int places_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	(void)a;
	return pieces_read(places_append, noun, word, c, err);
}

static void places_write(const struct argument *a, const struct command *c, struct buf *out)
{
	char text[PLACE_TEXT_BYTES];
	size_t i;

	(void)a;
	for (i = 0; i < c->place_count; i++)
		buf_printf(out, "%s%s", i ? "," : "", place_format(&c->place[i], text));
}

static void keys_write(const struct argument *a, const struct command *c, struct buf *out)
{
	char text[ENDPOINT_TEXT_BYTES];
	size_t i;

	(void)a;
	for (i = 0; i < c->key_count; i++)
		buf_printf(out, "%s%s", i ? "," : "", endpoint_format(&c->key[i], text));
}

const struct argument_kind kind_KEYS = {keys_read, keys_write, NULL, NULL};
const struct argument_kind kind_KEY = {key_read, keys_write, NULL, NULL};
const struct argument_kind kind_ENDPOINT = {endpoint_read, endpoint_write, NULL, NULL};
const struct argument_kind kind_ENDPOINT_OR_NONE = {endpoint_or_none_read, endpoint_or_none_write, NULL, NULL};
const struct argument_kind kind_ADDRESS = {address_read, endpoint_write, NULL, NULL};
const struct argument_kind kind_PLACES = {places_read, places_write, NULL, NULL};
const struct argument_kind kind_JOIN = {join_read, join_write, NULL, NULL};
const struct argument_kind kind_HOST = {host_read, host_write, NULL, NULL};
