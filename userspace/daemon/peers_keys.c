// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The flock's keys at this node: made, changed, asked for, taken. Not here: knocks and their answers as datagrams
 * (io/channel.h), keys at rest (io/secrets.h).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/audit.h"
#include "daemon/peers_state.h"

#define LONELY_MS  3000 /* nobody has answered for so long: its keys may be out of date */
#define KNOCKS_MAX 8	/* a second */
#define QUIET_MS   3000 /* who has just got keys gives them to nobody: its pages may not yet say who was expelled */

/* What others give is taken from who may change keys, and from anybody what one of those has signed. */
static bool trusted(const struct peers *p, __u64 sender, const struct ring *ring)
{
	const struct roster_node *author = roster_find_id(&p->roster, ring->author);

	return admission_allowed(&p->roster, sender) ||
	       (author && admission_allowed(&p->roster, author->id) && ring_signed(ring, &author->key));
}

/* @ring is the one from now on. Return: 0 or -errno with @err and nothing changed. */
static int ring_take(struct peers *p, const struct ring *ring, struct err *err)
{
	int rc = ring_save(p->d->state_dir, ring, err);

	if (rc)
		return rc;
	p->ring = *ring;
	channel_ring(p->channel, &p->ring);
	peers_publish(p);
	return 0;
}

/* --- the seed --- */

/* A job of the plane. */
static void seed_use(struct plane *plane, void *arg)
{
	__u32 *seed = arg;
	struct err err = {0};

	if (plane && plane_reseed(plane, seed, &err))
		log_error("flock: the data plane keeps its seed until the next start: %s", err.text);
	else if (plane)
		log_notice("dataplane: the seed of the flow hash is the flock's now");
	sodium_memzero(seed, sizeof(*seed) * SEED_WORDS);
	free(seed);
}

/* The first keys come with the seed that goes with them. Once: another seed re-homes every flow. */
static void seed_take(struct peers *p, const __u32 seed[SEED_WORDS])
{
	struct err err = {0};
	__u32 *copy;

	if (seed_save(p->d->state_dir, seed, &err))
		log_error("flock: the seed is not kept: %s", err.text);
	if (!memcmp(p->seed, seed, sizeof(p->seed)))
		return;
	memcpy(p->seed, seed, sizeof(p->seed));
	channel_seed(p->channel, p->seed);
	copy = malloc(sizeof(p->seed));
	if (!copy)
		return;
	memcpy(copy, seed, sizeof(p->seed));
	if (!p->d->plane || plane_post(p->d->plane, PLANE_URGENT, seed_use, copy))
		free(copy);
}

void peers_quiet(struct peers *p)
{
	channel_quiet(p->channel, (struct mono){mono_now().ns + QUIET_MS * 1000000ull});
}

/* --- what others answer to a knock --- */

int peers_admitted(void *arg, __u64 sender, const struct ring *ring, const __u32 seed[SEED_WORDS])
{
	struct peers *p = arg;
	char id[ROSTER_ID_TEXT_BYTES];
	struct err err = {0};
	bool first = !p->ring.count;

	if (!trusted(p, sender, ring))
		return -EPERM;
	if (!first && ring_compare(ring, &p->ring) <= 0)
		return 0;
	if (ring_take(p, ring, &err)) {
		p->d->store_errors++;
		log_error("flock: keys of node %s are not kept, so not used: %s", roster_id_format(sender, id),
			  err.text);
		return 0;
	}
	log_notice("flock: keys of node %s taken number=%llu key=%08x", roster_id_format(sender, id),
		   (unsigned long long)ring->number, ring->used);
	audit_note(p->d->audit, NULL, "keys of node %s taken, change %llu, key %08x", id,
		   (unsigned long long)ring->number, ring->used);
	peers_quiet(p);
	if (first)
		seed_take(p, seed);
	peers_invitation_answered(p);
	return 0;
}

/* --- to ask for keys --- */

/* The @i-th place where somebody may be: configured ones, then where the others were last heard. */
static bool place(const struct peers *p, size_t i, struct endpoint *ret)
{
	struct opinion_view view;

	if (i < p->places) {
		*ret = p->place[i];
	} else {
		if (opinion_state(flock_opinion(p->flock), p->roster.node[i - p->places].id, &view))
			return false;
		*ret = view.at;
	}
	return ret->port && endpoint_compare(ret, &p->settings.at);
}

static void knock_around(struct peers *p, struct mono now)
{
	size_t places = p->places + p->roster.count, knocks = 0, i;
	struct endpoint at;

	for (i = 0; i < places && knocks < KNOCKS_MAX; i++) {
		if (!place(p, p->knocked++ % places, &at))
			continue;
		channel_knock(p->channel, now, &at);
		knocks++;
	}
}

/* Whether a node tells of later keys than the own ones. */
static bool ahead(const struct peers *p, const struct fact_ring *theirs)
{
	return theirs->told &&
	       ring_compare(&(struct ring){.number = theirs->number, .author = theirs->author}, &p->ring) > 0;
}

/* The first one that tells of later keys, if any, is asked. Return: how many are live. */
static size_t later_ask(struct peers *p, struct mono now)
{
	const struct roster *roster = &p->roster;
	struct fact_node says;
	struct endpoint at;
	size_t live = 0;
	bool asked = false;

	for (size_t i = 0; i < roster->count; i++) {
		const struct roster_node *node = &roster->node[(p->knocked + i) % roster->count];

		if (!peers_live(p, node, &at))
			continue;
		live++;
		if (!asked && !peers_node_says(p, node->id, &says) && ahead(p, &says.ring)) {
			channel_knock(p->channel, now, &at);
			asked = true;
		}
	}
	p->knocked += asked;
	return live;
}

size_t peers_keys_step(struct peers *p, struct mono now)
{
	size_t live = later_ask(p, now);

	if (live || !p->company.ns)
		p->company = now;
	if (!p->ring.count || mono_ms(p->company, now) >= LONELY_MS)
		knock_around(p, now);
	return live;
}

void peers_key_problems(const struct peers *p, void (*tell)(void *arg, const char *text), void *arg)
{
	char text[STARLING_NAME_BYTES + 64];
	struct fact_node says;
	struct endpoint at;

	if (!p->ring.count)
		tell(arg, "no keys of the flock yet: none of its nodes has answered; the first one needs "
			  "`starling node init`");
	for (size_t i = 0; p->ring.count && i < p->roster.count; i++) {
		const struct roster_node *node = &p->roster.node[i];

		if (!peers_live(p, node, &at) || peers_node_says(p, node->id, &says) || !says.ring.told)
			continue;
		if (says.ring.number != p->ring.number || says.ring.author != p->ring.author) {
			snprintf(text, sizeof(text), "key rotation incomplete: node %s has other keys", node->name);
			tell(arg, text);
		}
		if (says.ring.seed != seed_fingerprint(p->seed)) {
			snprintf(text, sizeof(text), "node %s hashes flows with another seed", node->name);
			tell(arg, text);
		}
	}
}

/* --- commands --- */

int peers_init(struct peers *p, char message[256], struct err *err)
{
	struct ring ring = {0};
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	if (p->ring.count) {
		rc = err_set(err, EEXIST, "this node has keys of a flock already");
	} else {
		ring_make(&ring);
		ring_sign(&ring, &p->identity);
		rc = seed_save(p->d->state_dir, p->seed, err);
		if (!rc)
			rc = ring_take(p, &ring, err);
	}
	if (!rc)
		snprintf(message, 256, "key %08x made; the nodes of the roster that have none ask for it", ring.used);
	pthread_mutex_unlock(&p->lock);
	sodium_memzero(&ring, sizeof(ring));
	return rc;
}

static int ring_change(struct ring *ring, enum key_change change, __u32 id, struct err *err)
{
	if (change == KEY_ADD)
		return ring_make(ring) ? 0
				       : err_set(err, ENOSPC, "the flock has %d keys already: remove one", RING_KEYS);
	switch (change == KEY_USE ? ring_use(ring, id) : ring_remove(ring, id)) {
	case 0:
		return 0;
	case -EBUSY:
		return err_set(err, EBUSY, "key %08x is in use: `node key use` another one first", id);
	default:
		return err_set(err, ENOENT, "there is no key %08x", id);
	}
}

int peers_keys_renew(struct peers *p, struct err *err)
{
	struct ring ring = p->ring;
	int rc = 0;

	ring.count = 0;
	ring.used = 0;
	ring_make(&ring);
	if (ring_sign(&ring, &p->identity))
		rc = err_set(err, EOVERFLOW, "the keys have been changed too often");
	if (!rc)
		rc = ring_take(p, &ring, err);
	sodium_memzero(&ring, sizeof(ring));
	return rc;
}

int peers_key(struct peers *p, enum key_change change, __u32 id, bool dry, char message[256], struct err *err)
{
	struct ring ring;
	int rc;

	pthread_mutex_lock(&p->lock);
	ring = p->ring;
	if (!ring.count)
		rc = err_set(err, ENOENT, "this node has no keys of a flock");
	else if (p->roster.count && !admission_allowed(&p->roster, p->identity.id))
		rc = err_set(err, EPERM, "the roster names admins, and this node is none: change keys on one of them");
	else
		rc = ring_change(&ring, change, id, err);
	if (!rc && ring_sign(&ring, &p->identity))
		rc = err_set(err, EOVERFLOW, "the keys have been changed too often");
	if (!rc && !dry)
		rc = ring_take(p, &ring, err);
	if (!rc)
		snprintf(message, 256, "key %08x %s; the others fetch the change",
			 change == KEY_ADD ? ring.key[ring.count - 1].id : id,
			 change == KEY_ADD   ? "added"
			 : change == KEY_USE ? "is used"
					     : "removed");
	pthread_mutex_unlock(&p->lock);
	sodium_memzero(&ring, sizeof(ring));
	return rc;
}

int peers_join(struct peers *p, const struct endpoint *at, struct err *err)
{
	struct endpoint there = *at;
	int rc = 0;

	there.proto = 0;
	if (!there.port)
		there.port = htons(PEERS_PORT);
	pthread_mutex_lock(&p->lock);
	if (!p->flock) {
		rc = err_set(err, ENOENT,
			     "this node has no part in a flock: it needs `node set address` and a roster with it");
	} else {
		opinion_seed(flock_opinion(p->flock), &there);
		channel_knock(p->channel, mono_now(), &there);
	}
	pthread_mutex_unlock(&p->lock);
	return rc;
}

int peers_keys_show(struct peers *p, struct table *t)
{
	const struct roster_node *author;
	char id[ROSTER_ID_TEXT_BYTES];

	pthread_mutex_lock(&p->lock);
	author = roster_find_id(&p->roster, p->ring.author);
	for (size_t i = 0; i < p->ring.count; i++) {
		size_t row = table_row(t);

		table_set_textf(t, row, FIELD_KEY_id, "%08x", p->ring.key[i].id);
		table_set_text(t, row, FIELD_KEY_state, p->ring.key[i].id == p->ring.used ? "used" : "kept");
		table_set_u64(t, row, FIELD_KEY_number, p->ring.number);
		if (p->ring.number)
			table_set_text(t, row, FIELD_KEY_by,
				       author ? author->name : roster_id_format(p->ring.author, id));
	}
	pthread_mutex_unlock(&p->lock);
	return table_error(t);
}
