// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "core/place.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int place_address(const char *word, struct endpoint *ret)
{
	char inner[ADDR_TEXT_BYTES];
	struct endpoint at = {0};
	size_t len = strlen(word);
	bool is;

	if (len > 2 && len - 2 < sizeof(inner) && word[0] == '[' && word[len - 1] == ']') {
		memcpy(inner, word + 1, len - 2);
		inner[len - 2] = '\0';
		is = !addr_parse(inner, &at.addr) && !addr_is_v4(&at.addr);
	} else {
		is = !addr_parse(word, &at.addr) || (!endpoint_parse(word, &at) && !at.proto);
	}
	if (!is)
		return -EINVAL;
	*ret = at;
	return 0;
}

/* Return: the number, or 0. */
static unsigned int port_parse(const char *text)
{
	unsigned int port = 0;

	if (*text == '0' || strlen(text) > 5)
		return 0;
	for (; *text >= '0' && *text <= '9'; text++)
		port = port * 10 + (unsigned int)(*text - '0');
	return *text || port > 0xffff ? 0 : port;
}

static bool alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_host(const char *text)
{
	bool numeric = true;
	size_t label = 0;
	const char *s;

	for (s = text; *s; s++) {
		if (*s == '.') {
			if (!label || !alphanumeric(s[-1]))
				return false;
			label = 0;
			numeric = true;
			continue;
		}
		if (!(alphanumeric(*s) || (*s == '-' && label)) || ++label > 63)
			return false;
		numeric &= *s >= '0' && *s <= '9';
	}
	return label && alphanumeric(s[-1]) && !numeric && s - text < PLACE_HOST_BYTES;
}

int place_parse(const char *word, struct place *ret)
{
	struct place place = {0};
	const char *colon = strchr(word, ':');
	size_t len = colon ? (size_t)(colon - word) : strlen(word);
	unsigned int port;

	if (!place_address(word, &place.at)) {
		if (!addr_is_unicast(&place.at.addr))
			return -EINVAL;
		*ret = place;
		return 0;
	}
	if (len >= sizeof(place.host))
		return -EINVAL;
	memcpy(place.host, word, len);
	port = colon ? port_parse(colon + 1) : 0;
	if (!is_host(place.host) || (colon && !port))
		return -EINVAL;
	place.at.port = htons((__u16)port);
	*ret = place;
	return 0;
}

const char *place_format(const struct place *place, char text[PLACE_TEXT_BYTES])
{
	if (!place->host[0])
		return place->at.port ? endpoint_format(&place->at, text) : addr_format(&place->at.addr, text);
	if (place->at.port)
		snprintf(text, PLACE_TEXT_BYTES, "%s:%u", place->host, ntohs(place->at.port));
	else
		snprintf(text, PLACE_TEXT_BYTES, "%s", place->host);
	return text;
}
