// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Levels: what the flock may agree on while not all nodes are of one version. Not here: what needs which level
 * (core/command_list.h), how nodes tell theirs (peers_facts.c).
 *
 * Each root names its level, and a node runs roots of its own level and of those before. A flock stays on its level
 * until an operator says `config level N`, which is refused while a node of the roster, dead ones too, understands
 * less; only then words of that level are taken. So an upgrade can be undone until that is said.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/config_file.h"
#include "daemon/agree_state.h"

/* What all nodes of the roster understand; @names: those that lack something of @wanted, if that is given. */
static struct agree_level level_of_all(struct agree *a, const struct agree_level *wanted, struct buf *names)
{
	struct agree_level all = {INTENT_LEVEL, INTENT_TABLE};
	struct peers_level *node = calloc(STARLING_ROSTER_NODES, sizeof(*node));
	size_t count = node ? peers_levels(a->d->peers, node, STARLING_ROSTER_NODES) : 0;

	if (!node)
		all = (struct agree_level){1, 1};
	for (size_t i = 0; i < count; i++) {
		all.level = node[i].level < all.level ? node[i].level : all.level;
		all.table = node[i].table < all.table ? node[i].table : all.table;
		if (wanted && (node[i].level < wanted->level || node[i].table < wanted->table))
			buf_printf(names, "%s%s", names->len ? ", " : "", node[i].name);
	}
	free(node);
	return all;
}

struct agree_level agree_level_first(struct agree *a)
{
	return level_of_all(a, NULL, NULL);
}

int agree_level_check(struct agree *a, const struct config *from, const struct config *to, __u32 level, struct err *err)
{
	struct buf word = BUF_INIT, names = BUF_INIT;
	struct agree_level wanted = {.level = level};
	int rc = 0, needs = level < INTENT_LEVEL ? config_level(from, to, &word) : 1;

	if (needs < 0) {
		rc = needs;
	} else if ((__u32)needs > level) {
		wanted.level = (__u32)needs;
		level_of_all(a, &wanted, &names);
		if (names.len)
			rc = err_set(err, ENOTSUP,
				     "%.96s is of level %u, and the flock of level %u: %.160s understand no more",
				     buf_text(&word), wanted.level, level, buf_text(&names));
		else
			rc = err_set(err, ENOTSUP,
				     "%.96s is of level %u, and the flock of level %u: `config level %u` first",
				     buf_text(&word), wanted.level, level, wanted.level);
	}
	buf_free(&word);
	buf_free(&names);
	return rc;
}

int agree_level_raise(struct agree *a, const struct agree_level *is, __u32 level, struct agree_level *ret,
		      struct err *err)
{
	struct agree_level wanted = {level, INTENT_TABLE};
	struct buf names = BUF_INIT;
	int rc = 0;

	if (level > INTENT_LEVEL)
		return err_set(err, EINVAL, "this version understands level %u at most", INTENT_LEVEL);
	if (level < is->level)
		return err_set(err, EINVAL, "the flock is of level %u, which it does not leave again", is->level);
	level_of_all(a, &wanted, &names);
	if (names.len)
		rc = err_set(err, ENOTSUP, "%.200s do not understand level %u with table %u yet", buf_text(&names),
			     level, wanted.table);
	buf_free(&names);
	if (!rc)
		*ret = wanted;
	return rc;
}

/* Who makes another table counts here the slots whose homes are others by it. */
_Static_assert(INTENT_TABLE == 1, "no slot moves from table 1 to table 1");

void agree_level_words(const struct agree_level *from, const struct agree_level *to, char *text, size_t room)
{
	snprintf(text, room, "level %u, before %u; table %u, before %u: 0 slots move", to->level, from->level,
		 to->table, from->table);
}

int agree_levels(struct agree *a, struct table *t)
{
	struct peers_level *node = calloc(STARLING_ROSTER_NODES, sizeof(*node));
	struct intent_root said = {0};
	struct object_name root;
	__u32 generation;
	size_t count;

	if (!node)
		return -ENOMEM;
	pthread_mutex_lock(&a->lock);
	agree_wanted(a, &a->intent, &root, &generation);
	intent_root_read(&a->objects, &root, NULL, &a->signing, &said, NULL);
	pthread_mutex_unlock(&a->lock);
	count = peers_levels(a->d->peers, node, STARLING_ROSTER_NODES);
	for (size_t i = 0; i < count; i++) {
		size_t row = table_row(t);

		table_set_text(t, row, FIELD_LEVEL_name, node[i].name);
		table_set_u64(t, row, FIELD_LEVEL_level, node[i].level);
		table_set_u64(t, row, FIELD_LEVEL_table, node[i].table);
		if (!said.level)
			continue;
		table_set_u64(t, row, FIELD_LEVEL_agreed, said.level);
		table_set_u64(t, row, FIELD_LEVEL_agreed_table, said.table);
	}
	free(node);
	return table_error(t);
}
