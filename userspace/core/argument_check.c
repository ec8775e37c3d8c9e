// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Arguments of `health set`, and which kind of check has which. Not here: other commands'
 * (argument.c), what contradicts itself (check_config.c).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/argument_kind.h"
#include "core/lex.h"

#define DNS_NAME_BYTES	253 /* as text: RFC 1035 section 3.1 less length of the first label and the root */
#define DNS_LABEL_BYTES 63

/* Arguments that not every check has; the others all do. */
#define CHECK_SPECIAL                                                                                                  \
	(ARGUMENT_BIT(ARG_CHECK_NAME) | ARGUMENT_BIT(ARG_DNS_TYPE) | ARGUMENT_BIT(ARG_SEND) |                          \
	 ARGUMENT_BIT(ARG_EXPECT) | HTTP_SPECIAL | ARGUMENT_BIT(ARG_SNI) | ARGUMENT_BIT(ARG_VERIFY) |                  \
	 ARGUMENT_BIT(ARG_CHECK_PORT) | ARGUMENT_BIT(ARG_VIA))
#define HTTP_SPECIAL                                                                                                   \
	(ARGUMENT_BIT(ARG_HTTP_PATH) | ARGUMENT_BIT(ARG_HTTP_HOST) | ARGUMENT_BIT(ARG_HTTP_STATUS) |                   \
	 ARGUMENT_BIT(ARG_HTTP_BODY) | ARGUMENT_BIT(ARG_HTTP2))

static argument_set kind_special(enum check_kind kind)
{
	argument_set set = ARGUMENT_BIT(ARG_CHECK_PORT) | ARGUMENT_BIT(ARG_VIA);

	switch (kind) {
	case CHECK_TCP:
		return set;
	case CHECK_TALK:
	case CHECK_UDP:
		return set | ARGUMENT_BIT(ARG_SEND) | ARGUMENT_BIT(ARG_EXPECT);
	case CHECK_HTTP:
		return set | HTTP_SPECIAL;
	case CHECK_HTTPS:
		return set | HTTP_SPECIAL | ARGUMENT_BIT(ARG_SNI) | ARGUMENT_BIT(ARG_VERIFY);
	case CHECK_ICMP:
		return 0;
	case CHECK_DNS:
		return set | ARGUMENT_BIT(ARG_CHECK_NAME) | ARGUMENT_BIT(ARG_DNS_TYPE);
	case CHECK_AGENT:
		return set | ARGUMENT_BIT(ARG_SEND);
	case CHECK_EXEC:
		return ARGUMENT_BIT(ARG_CHECK_PORT) | ARGUMENT_BIT(ARG_CHECK_NAME);
	case CHECK_KINDS:
		break;
	}
	return 0;
}

bool argument_applies(enum argument_id id, const struct command *c)
{
	if (c->id != COMMAND_HEALTH_SET || !(CHECK_SPECIAL & ARGUMENT_BIT(id)))
		return true;
	return kind_special((enum check_kind)c->check.kind) & ARGUMENT_BIT(id);
}

/* Into a member of CHECK_TEXT_BYTES. */
static int string_take(const struct argument *a, const char *word, struct command *c)
{
	memcpy(member(a, c), word, strlen(word) + 1);
	return 0;
}

static int string_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	__u8 bytes[CHECK_TEXT_BYTES];
	char wanted[64];

	if (strlen(word) >= a->min && strlen(word) <= a->max && check_bytes(word, bytes) >= 0)
		return string_take(a, word, c);
	snprintf(wanted, sizeof(wanted), "%llu to %llu bytes long, with \\\\ \\n \\r \\t \\xHH",
		 (unsigned long long)a->min, (unsigned long long)a->max);
	return argument_refuse(noun, wanted, word, err);
}

/* Without blanks and control characters: it becomes part of a request line. */
static bool word_visible(const char *word, size_t max)
{
	size_t len = 0;

	for (; word[len]; len++)
		if (len == max || word[len] <= ' ' || word[len] > '~')
			return false;
	return len;
}

static int path_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	if (word[0] != '/' || strchr(word, '#') || !word_visible(word, a->max))
		return argument_refuse(noun, "/ and up to 254 visible ASCII characters but #", word, err);
	return string_take(a, word, c);
}

static int hostname_read(const struct argument *a, const char *noun, const char *word, struct command *c,
			 struct err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	const char *more = a->max == DNS_NAME_BYTES ? "" : ":[]"; /* a Host header may have a port, or be an address */
	size_t len = strlen(word);

	for (size_t i = 0; i < len; i++)
		if (!strchr(allowed, word[i]) && !strchr(more, word[i]))
			return argument_refuse(noun, "the name of a host", word, err);
	if (!len || len > a->max)
		return argument_refuse(noun, "the name of a host", word, err);
	return string_take(a, word, c);
}

/* "." is the root; a dot at the end changes nothing. */
static bool dns_name(const char *word)
{
	const char *at = word;
	size_t len;

	if (!word_visible(word, DNS_NAME_BYTES))
		return false;
	while (strcmp(word, ".") != 0 && *at) {
		len = strcspn(at, ".");
		if (!len || len > DNS_LABEL_BYTES)
			return false;
		at += len;
		at += *at == '.';
	}
	return true;
}

static int name_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	if (c->check.kind == CHECK_DNS && !dns_name(word))
		return argument_refuse(noun, "a domain name", word, err);
	if (c->check.kind == CHECK_EXEC && !lex_is_name(word))
		return argument_refuse(noun, "the name of a file in the directory of checks", word, err);
	return string_take(a, word, c);
}

static int code_read(const char **at, __u16 *ret)
{
	size_t digits = strspn(*at, "0123456789");

	if (digits != 3)
		return -EINVAL;
	*ret = (__u16)(((*at)[0] - '0') * 100 + ((*at)[1] - '0') * 10 + ((*at)[2] - '0'));
	*at += digits;
	return *ret >= 100 && *ret <= 599 ? 0 : -EINVAL;
}

static int status_read(const struct argument *a, const char *noun, const char *word, struct command *c, struct err *err)
{
	struct status_range range[CHECK_STATUSES] = {{0}};
	const char *at = word;
	__u32 count = 0;

	(void)a;
	for (;;) {
		struct status_range *r = &range[count];

		if (count == CHECK_STATUSES || code_read(&at, &r->first))
			break;
		r->last = r->first;
		if (*at == '-' && (at++, code_read(&at, &r->last)))
			break;
		if (r->last < r->first)
			break;
		count++;
		if (!*at) {
			memcpy(c->check.status, range, sizeof(range));
			c->check.status_count = count;
			return 0;
		}
		if (*at++ != ',')
			break;
	}
	return argument_refuse(noun, "up to 8 codes from 100 to 599, or ranges of them, A-B, with commas between them",
			       word, err);
}

static void status_write(const struct argument *a, const struct command *c, struct buf *out)
{
	(void)a;
	for (__u32 i = 0; i < c->check.status_count; i++) {
		const struct status_range *r = &c->check.status[i];

		buf_printf(out, "%s%u", i ? "," : "", r->first);
		if (r->last != r->first)
			buf_printf(out, "-%u", r->last);
	}
}

const struct argument_kind kind_CHECK_KIND = {choice_read, choice_write, check_kind_words, NULL};
const struct argument_kind kind_CHECK_NAME = {name_read, string_write, NULL, NULL};
const struct argument_kind kind_STRING = {string_read, string_write, NULL, NULL};
const struct argument_kind kind_HTTP_PATH = {path_read, string_write, NULL, NULL};
const struct argument_kind kind_HOSTNAME = {hostname_read, string_write, NULL, NULL};
const struct argument_kind kind_STATUS = {status_read, status_write, NULL, NULL};
const struct argument_kind kind_DNS_TYPE = {choice_read, choice_write, dns_type_words, dns_type_numbers};
const struct argument_kind kind_OBSERVERS = {choice_read, choice_write, check_observers_words, check_observers_numbers};
const struct argument_kind kind_VERDICT_MODE = {choice_read, choice_write, check_mode_words, check_mode_numbers};
const struct argument_kind kind_SCOPE = {choice_read, choice_write, check_scope_words, NULL};
const struct argument_kind kind_VIA = {choice_read, choice_write, check_via_words, NULL};
