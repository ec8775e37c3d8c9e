// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What this node tells in pages and what it takes from others': node, digests, loads. Not here: rows (peers_show.c),
 * what the plane counts (plane_facts.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/intent.h"
#include "core/message_wire.h"
#include "daemon/health_flock.h"
#include "daemon/peers_state.h"
#include "version.h"

#define LOAD_PAGES   16	 /* of one round: 900 backends */
#define LOADS_MS     900 /* from one round to the next: a change of the configuration is none of the loads */
#define DIGEST_VIPS  8	 /* of one page: a VIP that changes has it made anew, and sent to all */
#define DIGEST_PAGES 64	 /* of these; more VIPs make longer ones */

/* --- own pages --- */

void peers_page_publish(struct peers *p, __u16 kind, __u16 index, const struct page_draft *draft)
{
	int rc = page_author_publish(&p->author, kind, index, draft);

	if (rc < 0 && rc != -ESTALE) /* a later life of this node is known: the incarnation will overtake it */
		log_warning("flock: a page of kind %u is not told: %s", kind, strerror(-rc));
}

static void node_publish(struct peers *p)
{
	struct page_draft draft = {0};
	struct fact_node node = {.level = INTENT_LEVEL, .table = INTENT_TABLE};

	memcpy(node.name, p->d->node, sizeof(node.name));
	memcpy(node.site, p->settings.site, sizeof(node.site));
	memcpy(node.region, p->settings.region, sizeof(node.region));
	node.ring = (struct fact_ring){p->ring.count > 0, p->ring.number, p->ring.author, seed_fingerprint(p->seed)};
	node.flags = (p->draining[0] ? FACT_NODE_DRAINING : 0) | (p->d->options.no_dataplane ? FACT_NODE_WITNESS : 0) |
		     (p->settings.hooks ? FACT_NODE_HOOKS : 0);
	strncpy(node.version, STARLING_VERSION, sizeof(node.version) - 1);
	if (!fact_node_encode(&node, &draft))
		peers_page_publish(p, PAGE_KIND_NODE, 0, &draft);
}

int peers_node_says(const struct peers *p, __u64 id, struct fact_node *ret)
{
	struct page page;
	size_t next = 0;

	while (page_store_next(flock_pages(p->flock), id, &next, &page))
		if (page.kind == PAGE_KIND_NODE && !fact_node_decode(&page, ret))
			return 0;
	return -ENOENT;
}

static bool node_hooks(const struct peers *p, const struct roster_node *node)
{
	struct endpoint at;
	struct fact_node says;

	if (node->id == p->identity.id)
		return p->settings.hooks;
	return peers_live(p, node, &at) && !peers_node_says(p, node->id, &says) && says.flags & FACT_NODE_HOOKS;
}

size_t peers_hooks(struct peers *p, bool site, __u64 *ret_id, size_t room)
{
	const struct roster_node *self;
	size_t count = 0;

	pthread_mutex_lock(&p->lock);
	self = p->flock ? roster_find_id(&p->roster, p->identity.id) : NULL;
	for (size_t i = 0; self && i < p->roster.count && count < room; i++) {
		const struct roster_node *node = &p->roster.node[i];

		if ((!site || !strcmp(node->site, self->site)) && node_hooks(p, node))
			ret_id[count++] = node->id;
	}
	pthread_mutex_unlock(&p->lock);
	return count;
}

size_t peers_levels(struct peers *p, struct peers_level *ret, size_t room)
{
	struct fact_node says;
	size_t i;

	pthread_mutex_lock(&p->lock);
	for (i = 0; i < p->roster.count && i < room; i++) {
		const struct roster_node *node = &p->roster.node[i];

		ret[i] = (struct peers_level){.level = 1, .table = 1};
		memcpy(ret[i].name, node->name, sizeof(ret[i].name));
		if (node->id == p->identity.id) {
			ret[i].level = INTENT_LEVEL;
			ret[i].table = INTENT_TABLE;
		} else if (p->flock && !peers_node_says(p, node->id, &says)) {
			ret[i].level = says.level;
			ret[i].table = says.table;
		}
	}
	pthread_mutex_unlock(&p->lock);
	return i;
}

static void digests_publish(struct peers *p)
{
	size_t each = p->digests / DIGEST_PAGES + 1, i = 0;
	__u16 index = 0;

	if (each < DIGEST_VIPS)
		each = DIGEST_VIPS;
	while (i < p->digests) {
		/* The digest of all changes with each of them, and has a page of its own. */
		size_t end = i + (i ? each : 1);
		struct page_draft draft = {0};

		while (i < p->digests && i < end && !fact_digest_encode(&p->digest[i], &draft))
			i++;
		peers_page_publish(p, PAGE_KIND_DIGESTS, index++, &draft);
	}
	if (p->digests)
		page_author_trim(&p->author, PAGE_KIND_DIGESTS, index);
}

void peers_publish(struct peers *p)
{
	if (!p->flock)
		return;
	node_publish(p);
	peers_admission_publish(p);
	digests_publish(p);
	peers_register_publish(p);
	peers_asides_publish(p);
	peers_readmits_publish(p);
	peers_audit_publish(p);
}

/* --- loads --- */

bool peers_live(const struct peers *p, const struct roster_node *node, struct endpoint *ret_at)
{
	struct opinion_view view;

	if (node->id == p->identity.id || opinion_state(flock_opinion(p->flock), node->id, &view) || !view.at.port)
		return false;
	*ret_at = view.at;
	return view.state == MEMBER_ALIVE || view.state == MEMBER_SUSPECT || view.state == MEMBER_UNFIT;
}

static bool same_site(const struct peers *p, const struct roster_node *node)
{
	const struct roster_node *self = roster_find_id(&p->roster, p->identity.id);

	return self && node && !strcmp(self->site, node->site);
}

/* Who counts the same connections: the live ones of the own site. */
static bool near(const struct peers *p, const struct roster_node *node, struct endpoint *ret_at)
{
	return same_site(p, node) && peers_live(p, node, ret_at);
}

static void page_send(struct peers *p, enum message_kind kind, __u64 subject, __u64 to, const struct endpoint *at,
		      struct page_bytes page)
{
	struct message m = {.kind = kind, .subject = subject, .pages = 1, .page = {page}};
	__u8 bytes[SEAL_DATAGRAM_MAX];
	int n = message_encode(&m, bytes, OPINION_MESSAGE_BYTES);

	if (n > 0)
		channel_send(p->channel, mono_now(), to, at, bytes, (size_t)n);
}

/* Where the direct path is cut a helper passes it on. */
static void load_send(struct peers *p, const __u8 *page, size_t len)
{
	const struct page_bytes one = {page, len};
	struct endpoint at;
	__u64 helper;

	for (size_t i = 0; i < p->roster.count; i++) {
		const struct roster_node *node = &p->roster.node[i];

		if (!near(p, node, &at))
			continue;
		page_send(p, MESSAGE_GOSSIP, 0, node->id, &at, one);
		helper = opinion_relay(flock_opinion(p->flock), node->id, &at);
		if (helper)
			page_send(p, MESSAGE_RELAY, node->id, helper, &at, one);
	}
}

/* Of the node as a whole. */
static void node_load(const struct peers *p, struct page_draft *ret)
{
	struct fact_node_load load = {.open = load_out_open(&p->load_out)};

	ret->len = 0;
	fact_node_load_encode(&load, ret);
}

/* What has changed goes straight to the members of the site. */
static void loads_tell(struct peers *p)
{
	struct page_draft *draft;
	__u8 bytes[PAGE_BYTES];
	struct endpoint at;
	size_t count = 0, i;
	int pages, len;

	if (mono_ms(p->loads_told, mono_now()) < LOADS_MS)
		return;
	p->loads_told = mono_now();
	for (i = 0; i < p->roster.count; i++)
		count += near(p, &p->roster.node[i], &at);
	draft = calloc(LOAD_PAGES, sizeof(*draft));
	pages = draft ? load_out_take(&p->load_out, mono_now(), count, draft, LOAD_PAGES) : 0;
	if (pages >= 0 && pages < LOAD_PAGES && mono_ms(p->node_told, mono_now()) >= FACT_LOADS_ALL_MS && draft) {
		p->node_told = mono_now();
		node_load(p, &draft[pages++]);
	}
	for (int j = 0; j < pages; j++) {
		len = page_author_sign(&p->author, PAGE_KIND_LOADS, 0, &draft[j], bytes);
		if (len > 0)
			load_send(p, bytes, (size_t)len);
	}
	free(draft);
}

static void on_told(void *arg)
{
	struct peers *p = arg;

	pthread_mutex_lock(&p->lock);
	if (p->flock && p->d->peers) {
		peers_publish(p);
		if (!p->d->options.no_dataplane)
			loads_tell(p);
		gossip_flush(p->gossip);
	}
	pthread_mutex_unlock(&p->lock);
}

static void digests_take(struct peers *p, struct plane *plane)
{
	struct fact_digest *digest;
	int count = plane_digest_facts(plane, &digest);

	if (count < 0)
		return;
	free(p->digest);
	p->digest = digest;
	p->digests = (size_t)count;
}

void peers_exchange(struct peers *p, struct plane *plane)
{
	struct fact_load *load;
	__u32 *id;
	__u64 *key;
	int count = plane_loads(plane, &load, &id), i;

	if (count < 0)
		return;
	key = calloc((size_t)count + 1, sizeof(*key));
	for (i = 0; key && i < count; i++)
		key[i] = load[i].key;
	pthread_mutex_lock(&p->lock);
	digests_take(p, plane);
	if (key && !load_in_keys(p->load_in, key, (size_t)count) && !load_out_set(&p->load_out, load, (size_t)count))
		for (i = 0; i < count; i++)
			plane_peers_open(plane, id[i], p->flock ? load_in_open(p->load_in, (size_t)i) : 0);
	if (p->flock)
		loop_post(p->d->loop, on_told, p);
	pthread_mutex_unlock(&p->lock);
	peers_readmits_tell(p, plane);
	free(load);
	free(id);
	free(key);
}

/* --- others' pages --- */

void peers_page(void *arg, enum page_outcome outcome, const struct page *page)
{
	struct peers *p = arg;
	char id[ROSTER_ID_TEXT_BYTES];

	if (outcome == PAGE_EQUIVOCATION) {
		log_warning("flock: node %s has signed two pages of one number", roster_id_format(page->origin, id));
		return;
	}
	p->admission_heard |= page->kind == PAGE_KIND_ADMISSION;
	if (page->kind == PAGE_KIND_AUDIT)
		peers_audit_page(p, page);
	if (page->origin == p->identity.id)
		incarnation_heard(&p->incarnation, &page->version);
	else if (page->kind == PAGE_KIND_REGISTER)
		peers_register_page(p, page);
	else if (page->kind == PAGE_KIND_VOTES || page->kind == PAGE_KIND_AGENTS)
		health_hear(p->d->health, page);
	else if (page->kind == PAGE_KIND_READMITS)
		peers_readmits_page(p, page);
	else if (page->kind == PAGE_KIND_LOADS && same_site(p, roster_find_id(&p->roster, page->origin)))
		load_in_page(p->load_in, page, mono_now());
}
