// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checks as configured: words, defaults, what contradicts itself. Not here: the grammar
 * (command_list.h), the budget of a whole configuration (model_check.c).
 */
#include "core/check_config.h"

#include <errno.h>
#include <string.h>

static const char *const kinds[] = {
#define CHECK_KIND_WORD(name, word, cost_us) [name] = (word),
	STARLING_CHECK_KINDS(CHECK_KIND_WORD)
#undef CHECK_KIND_WORD
		NULL};

static const __u32 costs_us[] = {
#define CHECK_KIND_COST(name, word, cost_us) [name] = (cost_us),
	STARLING_CHECK_KINDS(CHECK_KIND_COST)
#undef CHECK_KIND_COST
};

static const char *const dns_words[] = {
#define DNS_TYPE_WORD(word, number) #word,
	STARLING_DNS_TYPES(DNS_TYPE_WORD)
#undef DNS_TYPE_WORD
		NULL};

const __u32 dns_type_numbers[] = {
#define DNS_TYPE_NUMBER(word, number) (number),
	STARLING_DNS_TYPES(DNS_TYPE_NUMBER)
#undef DNS_TYPE_NUMBER
};

static const char *const scopes[] = {
#define CHECK_SCOPE_WORD(name, word) [name] = (word),
	STARLING_CHECK_SCOPES(CHECK_SCOPE_WORD)
#undef CHECK_SCOPE_WORD
		NULL};

static const char *const vias[] = {
#define CHECK_VIA_WORD(name, word) [name] = (word),
	STARLING_CHECK_VIAS(CHECK_VIA_WORD)
#undef CHECK_VIA_WORD
		NULL};

static const char *const observers_words[] = {"4", "7", NULL};
const __u32 check_observers_numbers[] = {4, 7};

static const char *const mode_words[] = {
#define VERDICT_MODE_WORD(id, word, help) [VERDICT_MODE_##id] = (word),
	STARLING_VERDICT_MODES(VERDICT_MODE_WORD)
#undef VERDICT_MODE_WORD
		NULL};

const __u32 check_mode_numbers[] = {
#define VERDICT_MODE_NUMBER(id, word, help) 1 + VERDICT_MODE_##id,
	STARLING_VERDICT_MODES(VERDICT_MODE_NUMBER)
#undef VERDICT_MODE_NUMBER
};

_Static_assert(sizeof(struct check_config) == 14 * sizeof(__u32) + CHECK_STATUSES * sizeof(struct status_range) +
						      7 * CHECK_TEXT_BYTES + sizeof(struct endpoint),
	       "compared as bytes");

const char *const *check_kind_words(void)
{
	return kinds;
}

const char *const *dns_type_words(void)
{
	return dns_words;
}

const char *const *check_scope_words(void)
{
	return scopes;
}

const char *const *check_via_words(void)
{
	return vias;
}

const char *const *check_observers_words(void)
{
	return observers_words;
}

const char *const *check_mode_words(void)
{
	return mode_words;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* What stands behind a backslash, at *@at, which goes on to its last character. Return: the byte, or -EINVAL. */
static int escape_read(const char **at)
{
	int high, low;

	switch (**at) {
	case '\\':
		return '\\';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'x':
		high = hex_digit((*at)[1]);
		low = high < 0 ? -1 : hex_digit((*at)[2]);
		*at += 2;
		return low < 0 ? -EINVAL : high << 4 | low;
	default:
		return -EINVAL;
	}
}

int check_bytes(const char *text, __u8 ret[CHECK_TEXT_BYTES])
{
	int count = 0, byte;

	for (; *text; text++) {
		byte = (__u8)*text;
		if (byte == '\\') {
			text++;
			byte = escape_read(&text);
		}
		if (byte < 0)
			return byte;
		ret[count++] = (__u8)byte;
	}
	return count;
}

__u32 check_timeout_default(__u32 interval_ms)
{
	return interval_ms < CHECK_TIMEOUT_DEFAULT_MS ? interval_ms : CHECK_TIMEOUT_DEFAULT_MS;
}

static void or_default(__u32 *value, __u32 otherwise)
{
	if (!*value)
		*value = otherwise;
}

int check_config_complete(struct check_config *c, struct err *err)
{
	or_default(&c->interval_ms, CHECK_INTERVAL_DEFAULT_MS);
	or_default(&c->timeout_ms, check_timeout_default(c->interval_ms));
	or_default(&c->rise, CHECK_RISE_DEFAULT);
	or_default(&c->fall, CHECK_FALL_DEFAULT);
	or_default(&c->observers, CHECK_OBSERVERS_DEFAULT);
	or_default(&c->mode, check_mode_numbers[VERDICT_MODE_VOTE]);
	if (c->timeout_ms > c->interval_ms)
		return err_set(err, EINVAL, "timeout %u ms is longer than the interval, %u ms", c->timeout_ms,
			       c->interval_ms);
	if ((c->kind == CHECK_TALK || c->kind == CHECK_UDP) && !c->expect[0])
		return err_set(err, EINVAL, "%s needs expect STR: what the answer has in it", kinds[c->kind]);
	if (c->kind == CHECK_UDP && !c->send[0])
		return err_set(err, EINVAL, "udp needs send STR: nobody answers to nothing");
	return 0;
}

bool check_config_same(const struct check_config *a, const struct check_config *b)
{
	return a && b ? !memcmp(a, b, offsetof(struct check_config, to)) : a == b;
}

double check_cost(const struct check_config *c)
{
	return costs_us[c->kind] * 1000.0 / c->interval_ms;
}
