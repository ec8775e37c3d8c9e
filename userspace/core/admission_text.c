// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Admission as lines of a file, invitations as a word. Not here: what follows from them (admission.c).
 */
#include <endian.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/admission.h"

/* --- a file --- */

static void roster_write(const char *word, const struct roster *r, struct buf *out)
{
	char key[ROSTER_KEY_TEXT_BYTES];

	for (size_t i = 0; i < r->count; i++) {
		const struct roster_node *n = &r->node[i];

		buf_printf(out, "%s %s %u %u %s%s%s\n", word, roster_key_format(&n->key, key), n->roles, n->stake,
			   n->name, n->site[0] ? " " : "", n->site);
	}
}

void admission_write(const struct admission *a, struct buf *out)
{
	char key[ROSTER_KEY_TEXT_BYTES], at[ENDPOINT_TEXT_BYTES], secret[2 * INVITATION_BYTES + 1] = "";

	if (a->sponsor.known) {
		if (a->sponsor.waits)
			sodium_bin2hex(secret, sizeof(secret), a->sponsor.secret, sizeof(a->sponsor.secret));
		buf_printf(out, "sponsor %s %s%s%s\n", roster_key_format(&a->sponsor.key, key),
			   endpoint_format(&a->sponsor.at, at), secret[0] ? " " : "", secret);
		sodium_memzero(secret, sizeof(secret));
	}
	roster_write("own", &a->own, out);
	roster_write("admitted", &a->admitted, out);
	for (size_t i = 0; i < a->forgotten_count; i++)
		buf_printf(out, "forgotten %016llx %llu %s\n", (unsigned long long)a->forgotten[i].id,
			   (unsigned long long)a->forgotten[i].date_ms, a->forgotten[i].name);
}

static int secret_read(const char *text, struct sponsor *s)
{
	size_t len;

	if (!text)
		return 0;
	if (sodium_hex2bin(s->secret, sizeof(s->secret), text, strlen(text), NULL, &len, NULL) ||
	    len != sizeof(s->secret))
		return -EINVAL;
	s->waits = true;
	return 0;
}

#define LINE_WORDS 6

static int line_read(struct admission *a, const char *const word[LINE_WORDS], size_t words)
{
	struct roster_node node = {0};
	struct fact_forgotten f = {0};

	if (words >= 3 && !strcmp(word[0], "sponsor")) {
		a->sponsor.known = true;
		return roster_key_parse(word[1], &a->sponsor.key) || endpoint_parse(word[2], &a->sponsor.at)
			       ? -EINVAL
			       : secret_read(words > 3 ? word[3] : NULL, &a->sponsor);
	}
	if (words == 4 && !strcmp(word[0], "forgotten")) {
		f.id = strtoull(word[1], NULL, 16);
		f.date_ms = strtoull(word[2], NULL, 10);
		snprintf(f.name, sizeof(f.name), "%s", word[3]);
		return admission_forget(a, &f) == -ENOSPC ? -EINVAL : 0;
	}
	if (words < 5 || roster_key_parse(word[1], &node.key))
		return -EINVAL;
	node.roles = (__u32)strtoul(word[2], NULL, 10);
	node.stake = (__u32)strtoul(word[3], NULL, 10);
	snprintf(node.name, sizeof(node.name), "%s", word[4]);
	snprintf(node.site, sizeof(node.site), "%s", words > 5 ? word[5] : "");
	if (strcmp(word[0], "own") != 0 && strcmp(word[0], "admitted") != 0)
		return -EINVAL;
	return roster_add(*word[0] == 'o' ? &a->own : &a->admitted, &node, NULL);
}

int admission_read(struct admission *a, const char *text)
{
	char *copy = strdup(text), *rest = copy, *line, *w;
	int rc = copy ? 0 : -ENOMEM;

	while (!rc && rest && (line = strsep(&rest, "\n"))) {
		const char *word[LINE_WORDS] = {0};
		size_t words = 0;

		while (words < LINE_WORDS && (w = strsep(&line, " ")))
			word[words++] = w;
		if (words > 1 || word[0][0])
			rc = line_read(a, word, words);
	}
	free(copy);
	if (rc)
		admission_free(a);
	return rc;
}

/* --- invitations --- */

#define INVITATION_PREFIX "starling-invitation:"

struct invitation_wire {
	__u8 version; /* 1 */
	__u8 key[ROSTER_KEY_BYTES];
	__u8 addr[16];
	__u8 port[2]; /* network order */
	__u8 until[8];
	__u8 secret[INVITATION_BYTES];
};
_Static_assert(sizeof(struct invitation_wire) == 91, "bytes only");

const char *invitation_format(const struct invitation *i, char text[INVITATION_TEXT_BYTES])
{
	struct invitation_wire wire = {.version = 1};
	__le64 until = htole64(i->until_s);
	size_t prefix = strlen(INVITATION_PREFIX);

	_Static_assert(sizeof(INVITATION_PREFIX) + (sizeof(wire) + 2) / 3 * 4 <= INVITATION_TEXT_BYTES, "fits");
	memcpy(wire.key, i->key.byte, sizeof(wire.key));
	memcpy(wire.addr, i->at.addr.byte, sizeof(wire.addr));
	memcpy(wire.port, &i->at.port, sizeof(wire.port));
	memcpy(wire.until, &until, sizeof(wire.until));
	memcpy(wire.secret, i->secret, sizeof(wire.secret));
	snprintf(text, INVITATION_TEXT_BYTES, "%s", INVITATION_PREFIX);
	sodium_bin2base64(text + prefix, INVITATION_TEXT_BYTES - prefix, (const __u8 *)&wire, sizeof(wire),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(&wire, sizeof(wire));
	return text;
}

int invitation_parse(const char *text, struct invitation *ret)
{
	size_t prefix = strlen(INVITATION_PREFIX), len;
	struct invitation_wire wire;
	__le64 until;

	text += strspn(text, " \t\r\n");
	if (strncmp(text, INVITATION_PREFIX, prefix) != 0 ||
	    sodium_base642bin((__u8 *)&wire, sizeof(wire), text + prefix, strcspn(text + prefix, " \t\r\n"), NULL, &len,
			      NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) ||
	    len != sizeof(wire) || wire.version != 1)
		return -EINVAL;
	text += strcspn(text, " \t\r\n");
	if (text[strspn(text, " \t\r\n")])
		return -EINVAL;
	*ret = (struct invitation){0};
	memcpy(ret->key.byte, wire.key, sizeof(wire.key));
	memcpy(ret->at.addr.byte, wire.addr, sizeof(wire.addr));
	memcpy(&ret->at.port, wire.port, sizeof(wire.port));
	memcpy(&until, wire.until, sizeof(until));
	memcpy(ret->secret, wire.secret, sizeof(wire.secret));
	ret->until_s = le64toh(until);
	sodium_memzero(&wire, sizeof(wire));
	return ret->at.port && addr_is_unicast(&ret->at.addr) ? 0 : -EINVAL;
}
