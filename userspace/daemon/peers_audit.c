// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Ends of audit logs, between pages of the flock and the log. Not here: what they say (core/audit_tail.h), the log
 * (audit.c).
 *
 * A page of an end is no page of its boot: it outlives the node that it is of, with whoever has it, on disk too. So a
 * node that begins hears its own last one from others, and tells no other before they had time for that.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/audit.h"
#include "daemon/peers_state.h"

#define AUDIT_WAIT_MS	3000  /* others that are live say in that time what they hold: repair takes a second */
#define AUDIT_TELL_MS	5000  /* no more often: all have each end verified */
#define AUDIT_PUT	64    /* pages at once, as each is verified: 5 ms */
#define AUDIT_LONELY_MS 10000 /* nobody is there: a chain may begin, though none may be told yet */

static void page_put(void *arg, const void *page, size_t len)
{
	struct page_store *store = arg;

	page_store_put(store, page, len, NULL); /* of whom the roster does not have, nobody wants it */
}

void peers_audit_begin(struct peers *p)
{
	p->audit_began = mono_now();
	p->audit_company = p->audit_told = (struct mono){0};
	p->audit_put = 0;
}

void peers_audit_put(struct peers *p)
{
	if (p->audit_put != AUDIT_PAGES_ALL)
		p->audit_put = audit_pages(p->d->audit, p->audit_put, AUDIT_PUT, page_put, flock_pages(p->flock));
}

void peers_audit_step(struct peers *p, struct mono now, size_t live)
{
	if (!live)
		p->audit_company = (struct mono){0};
	else if (!p->audit_company.ns)
		p->audit_company = now;
	if (live && mono_ms(p->audit_company, now) >= AUDIT_WAIT_MS)
		audit_settle(p->d->audit);
	else if (mono_ms(p->audit_began, now) >= AUDIT_LONELY_MS)
		audit_begin(p->d->audit);
	audit_date(p->d->audit, flock_date(p->flock));
	audit_tick(p->d->audit);
}

void peers_audit_publish(struct peers *p)
{
	struct page_draft draft = {0};
	struct mono now = mono_now();
	struct audit_told told;

	if (p->audit_told.ns && mono_ms(p->audit_told, now) < AUDIT_TELL_MS)
		return;
	if (!audit_tell(p->d->audit, &told) || audit_told_encode(&told, &draft))
		return;
	p->audit_told = now;
	peers_page_publish(p, PAGE_KIND_AUDIT, 0, &draft);
}

void peers_audit_page(struct peers *p, const struct page *page)
{
	const struct roster_node *node = roster_find_id(&p->roster, page->origin);

	if (page->origin == p->identity.id)
		audit_heard_own(p->d->audit, page);
	else if (node)
		audit_hear(p->d->audit, page, node->name, &p->roster);
}

void peers_audit_problems(struct peers *p, void (*tell)(void *arg, const char *text), void *arg)
{
	char text[ERR_TEXT_BYTES + 64], why[ERR_TEXT_BYTES];
	struct audit_held held;
	bool self;

	if (audit_trouble(p->d->audit, why)) {
		snprintf(text, sizeof(text), "the audit log is not kept: %s", why);
		tell(arg, text);
	}
	for (size_t i = 0; i < p->roster.count; i++) {
		const struct roster_node *node = &p->roster.node[i];

		self = node->id == p->identity.id;
		if (audit_look(p->d->audit, node->id, self, &held) || held.state == AUDIT_WHOLE)
			continue;
		snprintf(text, sizeof(text),
			 "the audit log of node %s is %s: entry %llu was held %s; `starling node audit accept %s`",
			 node->name, audit_state_word(held.state), (unsigned long long)held.lost.sequence,
			 self ? "by others" : "here", node->name);
		tell(arg, text);
	}
}

void peers_audit_row(const struct peers *p, __u64 node, bool self, struct table *t, size_t row)
{
	struct audit_held held;

	if (audit_look(p->d->audit, node, self, &held))
		return;
	table_set_u64(t, row, FIELD_NODE_audit_entry, held.told.tail.sequence);
	table_set_text(t, row, FIELD_NODE_audit_state, audit_state_word(held.state));
	if (held.state != AUDIT_WHOLE)
		table_set_text(t, row, FIELD_NODE_audit, audit_state_word(held.state));
}

void peers_audit_tally(const struct peers *p, __u64 ret[AUDIT_STATES])
{
	struct audit_held held;

	for (size_t i = 0; i < p->roster.count; i++)
		if (!audit_look(p->d->audit, p->roster.node[i].id, p->roster.node[i].id == p->identity.id, &held))
			ret[held.state]++;
}

/* --- commands --- */

int peers_audit_find(struct peers *p, const char *name, __u64 *ret_id, struct roster_key *ret_key, bool *ret_self,
		     struct err *err)
{
	const struct roster_node *node;
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	node = roster_find(&p->roster, name);
	if (!node && strcmp(name, p->d->node) != 0) {
		rc = err_set(err, ENOENT, "no node %s: see `starling roster show`", name);
	} else {
		*ret_id = node ? node->id : p->identity.id;
		*ret_key = node ? node->key : p->identity.key;
		*ret_self = *ret_id == p->identity.id;
	}
	pthread_mutex_unlock(&p->lock);
	return rc;
}
