// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The catalog's lists as arrays. Not here: the lists (catalog_list.h), rendering (table).
 */
#include "core/catalog.h"

#include <string.h>

static const struct field fields[FIELD_COUNT] = {
#define CATALOG_FIELD(kind_, key_, type_, unit_, place_, label_, family_, metric_label_, help_)                        \
	[FIELD_##kind_##_##key_] = {                                                                                   \
		.key = #key_,                                                                                          \
		.kind = KIND_##kind_,                                                                                  \
		.type = TYPE_##type_,                                                                                  \
		.unit = UNIT_##unit_,                                                                                  \
		.place = PLACE_##place_,                                                                               \
		.label = label_,                                                                                       \
		.family = family_,                                                                                     \
		.metric_label = metric_label_,                                                                         \
		.help = help_,                                                                                         \
	},
	STARLING_FIELDS(CATALOG_FIELD)
#undef CATALOG_FIELD
};

/* First and last field of each kind: the lists of the kinds follow one another in STARLING_FIELDS. */
enum {
#define CATALOG_ONE(...)		     +1
#define CATALOG_RANGE(id, name, style, help) FIRST_##id, LAST_##id = FIRST_##id - 1 STARLING_FIELDS_##id(CATALOG_ONE),
	STARLING_KINDS(CATALOG_RANGE)
#undef CATALOG_RANGE
#undef CATALOG_ONE
		FIELD_TOTAL
};
_Static_assert((int)FIELD_TOTAL == (int)FIELD_COUNT, "every kind's list is in STARLING_FIELDS");
#define CATALOG_IN_RANGE(kind, key, ...)                                                                               \
	_Static_assert((int)FIELD_##kind##_##key >= (int)FIRST_##kind &&                                               \
			       (int)FIELD_##kind##_##key <= (int)LAST_##kind,                                          \
		       "STARLING_FIELDS has the order of STARLING_KINDS");
STARLING_FIELDS(CATALOG_IN_RANGE)
#undef CATALOG_IN_RANGE

static const struct kind kinds[KIND_COUNT] = {
#define CATALOG_KIND(id, name_, style_, help_)                                                                         \
	[KIND_##id] = {                                                                                                \
		.name = name_,                                                                                         \
		.style = STYLE_##style_,                                                                               \
		.help = help_,                                                                                         \
		.first = (enum field_id)FIRST_##id,                                                                    \
		.count = LAST_##id - FIRST_##id + 1,                                                                   \
	},
	STARLING_KINDS(CATALOG_KIND)
#undef CATALOG_KIND
};

static const struct family families[FAMILY_COUNT] = {[FAMILY_NONE] = {"", METRIC_GAUGE, "", ""},
#define CATALOG_FAMILY(name_, type_, labels_, help_)                                                                   \
	[FAMILY_##name_] = {.name = #name_, .type = METRIC_##type_, .labels = labels_, .help = help_},
						     STARLING_FAMILIES(CATALOG_FAMILY)
#undef CATALOG_FAMILY
};

const struct field *catalog_field(enum field_id id)
{
	return &fields[id];
}

const struct kind *catalog_kind(enum table_kind kind)
{
	return &kinds[kind];
}

const struct family *catalog_family(enum metric_family family)
{
	return &families[family];
}

enum field_id catalog_field_find(enum table_kind kind, const char *key)
{
	const struct kind *k = &kinds[kind];
	size_t i;

	for (i = 0; i < k->count; i++)
		if (!strcmp(fields[(size_t)k->first + i].key, key))
			return (enum field_id)((size_t)k->first + i);
	return FIELD_COUNT;
}

enum table_kind catalog_kind_find(const char *name)
{
	int i;

	for (i = 0; i < KIND_COUNT; i++)
		if (!strcmp(kinds[i].name, name))
			break;
	return (enum table_kind)i;
}
