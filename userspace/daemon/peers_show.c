// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The flock as rows. Not here: what the roster says alone (handlers_show.c).
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/peers_state.h"
#include "version.h"

/* What a live node's pages say that differs from the own ones. */
struct difference {
	bool told, config, effective;
};

struct differing {
	struct table *table;
	size_t row;
};

static void vip_differs(void *arg, const char *vip, enum fact_difference difference)
{
	const struct differing *d = arg;
	char text[STARLING_NAME_BYTES + 32];

	snprintf(text, sizeof(text), "%s%s", vip,
		 difference == FACT_NOT_HERE	? " (only there)"
		 : difference == FACT_NOT_THERE ? " (only here)"
		 : difference == FACT_EFFECTIVE ? " (homes)"
						: "");
	table_add_list(d->table, d->row, FIELD_NODE_differs, text);
}

/* @d: where to name the VIPs, or NULL. */
static struct difference compare(const struct peers *p, __u64 id, struct differing *d)
{
	struct fact_digest all[2];

	fact_digests_differ(flock_pages(p->flock), p->identity.id, id, d ? vip_differs : NULL, d, all);
	return (struct difference){.told = all[1].config != 0,
				   .config = all[1].config && all[0].config != all[1].config,
				   .effective = all[1].config && all[0].effective != all[1].effective};
}

static void text_set(struct table *t, size_t row, enum field_id field, const char *text)
{
	if (text[0])
		table_set_text(t, row, field, text);
}

/* What a node says of itself. */
static void node_says(const struct peers *p, __u64 id, struct table *t, size_t row)
{
	struct fact_node_load load;
	struct fact_node node;
	struct mono at;

	if (!peers_node_says(p, id, &node)) {
		if (node.flags & FACT_NODE_DRAINING)
			table_add_list(t, row, FIELD_NODE_is, "draining");
		if (node.flags & FACT_NODE_WITNESS)
			table_add_list(t, row, FIELD_NODE_is, "witness");
		text_set(t, row, FIELD_NODE_site, node.site);
		text_set(t, row, FIELD_NODE_region, node.region);
		text_set(t, row, FIELD_NODE_version, node.version);
	}
	if (!load_in_node(p->load_in, id, &load, &at))
		table_set_u64(t, row, FIELD_NODE_open, load.open);
}

static void node_opinion(const struct peers *p, const struct roster_node *node, struct table *t, size_t row)
{
	struct mono now = mono_now();
	char text[ENDPOINT_TEXT_BYTES];
	const struct roster_node *accuser;
	struct opinion_view view;
	size_t i;

	if (opinion_state(flock_opinion(p->flock), node->id, &view))
		return;
	table_set_text(t, row, FIELD_NODE_state,
		       channel_conflict(p->channel, node->id, now) ? "conflict" : member_state_word(view.state));
	if (view.bridge)
		table_add_list(t, row, FIELD_NODE_is, "bridge");
	if (view.since.ns)
		table_set_time(t, row, FIELD_NODE_since, wall_ms() - mono_ms(view.since, now));
	if (view.at.port)
		table_set_text(t, row, FIELD_NODE_address, endpoint_format(&view.at, text));
	if (view.round_us) {
		table_set_f64(t, row, FIELD_NODE_round_trip, view.round_us / 1e6);
		table_set_f64(t, row, FIELD_NODE_clock_offset, (double)view.offset_us / 1e6);
	}
	table_set_u64(t, row, FIELD_NODE_incarnation, view.life >> 32);
	for (i = 0; i < view.accusers; i++) {
		accuser = roster_find_id(&p->roster, view.accuser[i]);
		table_add_list(t, row, FIELD_NODE_accusers, accuser ? accuser->name : "?");
	}
}

/* Who was let in without a name is called as it calls itself. */
static const char *name_shown(const struct peers *p, const struct roster_node *node, struct fact_node *says)
{
	char id[ROSTER_ID_TEXT_BYTES];

	if (strcmp(node->name, roster_id_format(node->id, id)) != 0 || !p->flock ||
	    peers_node_says(p, node->id, says) || !says->name[0] || roster_find(&p->roster, says->name))
		return node->name;
	return says->name;
}

static void node_row(const struct peers *p, const struct roster_node *node, struct table *t)
{
	struct fact_node says;
	struct differing differing = {t, table_row(t)};
	size_t row = differing.row;
	struct difference d;
	char key[ROSTER_KEY_TEXT_BYTES], id[ROSTER_ID_TEXT_BYTES], at[ENDPOINT_TEXT_BYTES];
	bool self = node->id == p->identity.id;

	table_set_text(t, row, FIELD_NODE_name, name_shown(p, node, &says));
	table_set_text(t, row, FIELD_NODE_id, roster_id_format(node->id, id));
	table_set_text(t, row, FIELD_NODE_key, roster_key_format(&node->key, key));
	table_set_bool(t, row, FIELD_NODE_self, self);
	peers_audit_row(p, node->id, self, t, row);
	if (!p->flock) {
		if (self)
			table_set_text(t, row, FIELD_NODE_state, "alone");
		if (self && p->draining[0])
			table_add_list(t, row, FIELD_NODE_is, "draining");
		return;
	}
	node_says(p, node->id, t, row);
	node_opinion(p, node, t, row);
	table_set_u64(t, row, FIELD_NODE_reputation, roster_reputation(node));
	if (self) {
		table_set_text(t, row, FIELD_NODE_state,
			       channel_conflict(p->channel, node->id, mono_now()) ? "conflict" : "alive");
		table_set_text(t, row, FIELD_NODE_address, endpoint_format(&p->settings.at, at));
		table_set_u64(t, row, FIELD_NODE_incarnation, p->incarnation.number);
		table_set_u64(t, row, FIELD_NODE_open, load_out_open(&p->load_out));
		table_set_time(t, row, FIELD_NODE_since, p->d->started_ms);
		return;
	}
	d = compare(p, node->id, &differing);
	if (!d.told)
		return;
	table_set_text(t, row, FIELD_NODE_config, d.config ? "differs" : "same");
	table_set_text(t, row, FIELD_NODE_effective, d.effective ? "differs" : "same");
}

int peers_show(struct peers *p, struct table *t)
{
	struct roster_node self = {.key = p->identity.key, .id = p->identity.id};
	size_t i;

	pthread_mutex_lock(&p->lock);
	for (i = 0; i < p->roster.count; i++)
		node_row(p, &p->roster.node[i], t);
	if (!roster_find_id(&p->roster, self.id)) {
		memcpy(self.name, p->d->node, sizeof(self.name));
		node_row(p, &self, t);
	}
	pthread_mutex_unlock(&p->lock);
	return table_error(t);
}

/* States of the roster's nodes, and how many of the live ones differ. */
struct tally {
	__u64 state[MEMBER_LEFT + 1];
	__u64 config, effective;
};

static struct tally tally(const struct peers *p)
{
	struct tally sum = {{0}, 0, 0};
	struct opinion_view view;
	struct difference d;
	struct endpoint at;
	size_t i;

	for (i = 0; i < p->roster.count; i++) {
		const struct roster_node *node = &p->roster.node[i];

		if (node->id == p->identity.id) {
			sum.state[MEMBER_ALIVE]++;
			continue;
		}
		if (opinion_state(flock_opinion(p->flock), node->id, &view))
			continue;
		sum.state[view.state]++;
		if (!peers_live(p, node, &at))
			continue;
		d = compare(p, node->id, NULL);
		sum.config += d.config;
		sum.effective += d.effective;
	}
	return sum;
}

/* What the flock has heard and not believed. */
static void disbelieved(const struct flock *f, const struct opinion *o, struct table *t, size_t row)
{
	table_set_u64(t, row, FIELD_GOSSIP_rejected_page_malformed, f ? flock_count(f, PAGE_MALFORMED) : 0);
	table_set_u64(t, row, FIELD_GOSSIP_rejected_page_stranger, f ? flock_count(f, PAGE_STRANGER) : 0);
	table_set_u64(t, row, FIELD_GOSSIP_rejected_page_forged, f ? flock_count(f, PAGE_FORGED) : 0);
	table_set_u64(t, row, FIELD_GOSSIP_rejected_page_full, f ? flock_count(f, PAGE_FULL) : 0);
	table_set_u64(t, row, FIELD_GOSSIP_rejected_equivocation, f ? flock_count(f, PAGE_EQUIVOCATION) : 0);
	table_set_u64(t, row, FIELD_GOSSIP_rejected_accusation, f ? opinion_count(o, OPINION_BRAKED) : 0);
	table_set_u64(t, row, FIELD_GOSSIP_rejected_update, f ? opinion_count(o, OPINION_MALFORMED) : 0);
	table_set_u64(t, row, FIELD_GOSSIP_rejected_skewed, f ? flock_skewed(f) : 0);
}

int peers_gossip(struct peers *p, struct table *t)
{
	size_t row = table_row(t), i;
	struct channel_status status;
	struct tally sum = {{0}, 0, 0};
	struct mono now = mono_now();
	__u64 audit[AUDIT_STATES] = {0};

	pthread_mutex_lock(&p->lock);
	peers_audit_tally(p, audit);
	_Static_assert(FIELD_GOSSIP_audit_cut - FIELD_GOSSIP_audit_whole + 1 == AUDIT_STATES,
		       "a field each, in the order of audit_tail.h");
	for (i = 0; i < AUDIT_STATES; i++)
		table_set_u64(t, row, (enum field_id)(FIELD_GOSSIP_audit_whole + i), audit[i]);
	if (p->flock)
		sum = tally(p);
	channel_status(p->channel, &status);
	table_set_u64(t, row, FIELD_GOSSIP_members_alive, sum.state[MEMBER_ALIVE]);
	table_set_u64(t, row, FIELD_GOSSIP_members_suspect, sum.state[MEMBER_SUSPECT]);
	table_set_u64(t, row, FIELD_GOSSIP_members_unfit, sum.state[MEMBER_UNFIT]);
	table_set_u64(t, row, FIELD_GOSSIP_members_dead, sum.state[MEMBER_DEAD]);
	table_set_u64(t, row, FIELD_GOSSIP_members_left, sum.state[MEMBER_LEFT]);
	table_set_u64(t, row, FIELD_GOSSIP_diverged_config, sum.config);
	table_set_u64(t, row, FIELD_GOSSIP_diverged_effective, sum.effective);
	table_set_u64(t, row, FIELD_GOSSIP_health, p->flock ? opinion_health(flock_opinion(p->flock)) : 0);
	table_set_u64(t, row, FIELD_GOSSIP_sent, status.sent);
	table_set_u64(t, row, FIELD_GOSSIP_sent_bytes, status.sent_bytes);
	table_set_u64(t, row, FIELD_GOSSIP_received, status.received);
	table_set_u64(t, row, FIELD_GOSSIP_received_bytes, status.received_bytes);
	table_set_f64(t, row, FIELD_GOSSIP_facts_age, (double)load_out_late_ms(&p->load_out, now) / 1e3);
	table_set_u64(t, row, FIELD_GOSSIP_keys_used, p->ring.used != 0);
	table_set_u64(t, row, FIELD_GOSSIP_keys_kept, p->ring.count - (p->ring.used != 0));
	table_set_u64(t, row, FIELD_GOSSIP_conflicts, p->conflicts);
	_Static_assert(FIELD_GOSSIP_rejected_unreadable - FIELD_GOSSIP_rejected_malformed + 1 == CHANNEL_COUNTS,
		       "a field each, in the order of channel.h");
	for (i = 0; i < CHANNEL_COUNTS; i++)
		table_set_u64(t, row, (enum field_id)(FIELD_GOSSIP_rejected_malformed + i), status.rejected[i]);
	table_set_u64(t, row, FIELD_GOSSIP_streams_called, p->streams[0]);
	table_set_u64(t, row, FIELD_GOSSIP_streams_caller, p->streams[1]);
	_Static_assert(FIELD_GOSSIP_rejected_stream_flood - FIELD_GOSSIP_rejected_stream_malformed == BULK_COUNTS,
		       "a field each, in the order of bulk.h");
	for (i = 0; i <= BULK_COUNTS; i++)
		table_set_u64(t, row, (enum field_id)(FIELD_GOSSIP_rejected_stream_malformed + i),
			      p->stream_rejected[i]);
	disbelieved(p->flock, p->flock ? flock_opinion(p->flock) : NULL, t, row);
	pthread_mutex_unlock(&p->lock);
	return table_error(t);
}

static void problem(void *arg, const char *text)
{
	struct table *t = arg;

	table_add_list(t, 0, FIELD_STATUS_problems, text);
	table_set_text(t, 0, FIELD_STATUS_state, "degraded");
}

void peers_problems(struct peers *p, struct table *t)
{
	char text[STARLING_NAME_BYTES + 64];
	struct endpoint at;
	size_t i;

	pthread_mutex_lock(&p->lock);
	text_set(t, 0, FIELD_STATUS_draining, p->draining);
	if (p->flock) {
		peers_key_problems(p, problem, t);
		peers_asides_problems(p, problem, t);
	}
	peers_audit_problems(p, problem, t);
	for (i = 0; p->flock && i < p->roster.count; i++) {
		const struct roster_node *node = &p->roster.node[i];

		if (channel_conflict(p->channel, node->id, mono_now())) {
			snprintf(text, sizeof(text), "two hosts use the identity of node %s", node->name);
			problem(t, text);
		}
		if (peers_live(p, node, &at) && compare(p, node->id, NULL).config) {
			snprintf(text, sizeof(text), "node %s runs another configuration", node->name);
			problem(t, text);
		}
	}
	pthread_mutex_unlock(&p->lock);
}
