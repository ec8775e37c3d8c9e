// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The life of this node's part in a flock: from settings and secrets to a socket and a timer. Not here: facts
 * (peers_facts.c), rows (peers_show.c).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "core/message_wire.h"
#include "daemon/agree.h"
#include "daemon/audit.h"
#include "daemon/peers_state.h"
#include "daemon/stream.h"
#include "io/state_file.h"

#define STEP_LEAST_MS 1
#define STEP_MOST_MS  1000
#define KNOWN_MS      10000 /* where others are is kept so often, if it has changed */

/* --- the incarnation, kept before it is used --- */

static int incarnation_load(struct peers *p, __u32 *ret, struct err *err)
{
	char path[PATH_MAX], *text = NULL;
	size_t len;
	int rc = daemon_path(path, p->d->state_dir, "incarnation", err);

	*ret = 0;
	if (!rc)
		rc = state_file_read(path, &text, &len, err);
	if (!rc)
		*ret = (__u32)strtoul(text, NULL, 10);
	free(text);
	if (rc == -EBADMSG)
		log_warning("node: %s; its peers know the number", err->text);
	return rc == -ENOENT || rc == -EBADMSG ? 0 : rc;
}

static void incarnation_save(struct peers *p)
{
	char path[PATH_MAX], text[16];
	struct err err = {0};
	int len = snprintf(text, sizeof(text), "%u\n", p->incarnation.number);

	if (!daemon_path(path, p->d->state_dir, "incarnation", &err) &&
	    !state_file_write(path, text, (size_t)len, &err))
		return;
	p->d->store_errors++;
	log_error("node: incarnation %u is not kept: %s", p->incarnation.number, err.text);
}

/* A later life of this node has been seen elsewhere, or its place has changed: all is said anew. */
static void incarnation_use(struct peers *p)
{
	incarnation_save(p);
	p->author.last = (struct page_version){p->incarnation.number, p->incarnation.boot, p->author.last.counter};
	if (p->flock)
		opinion_incarnation(flock_opinion(p->flock), p->incarnation.number);
}

/* --- messages, under the lock --- */

static void on_datagram_out(void *arg, const struct endpoint *at, const void *bytes, size_t len)
{
	struct peers *p = arg;

	if (p->gossip)
		gossip_send(p->gossip, at, bytes, len);
}

static void on_envelope(void *arg, const struct envelope *e)
{
	struct peers *p = arg;
	__u8 bytes[SEAL_DATAGRAM_MAX];
	int len = message_encode(&e->message, bytes, OPINION_MESSAGE_BYTES);

	if (len > 0)
		channel_send(p->channel, mono_now(), e->to, &e->at, bytes, (size_t)len);
}

static int on_message(void *arg, const struct endpoint *from, __u64 sender, const void *bytes, size_t len)
{
	struct peers *p = arg;
	struct message m;

	if (message_decode(bytes, len, &m))
		return -EBADMSG;
	if (!p->flock)
		return 0;
	flock_receive(p->flock, mono_now(), from, sender, &m);
	if (m.kind == MESSAGE_REGISTER)
		peers_register_message(p, sender, &m);
	else if (m.kind == MESSAGE_CHECK || m.kind == MESSAGE_CHECKED || m.kind == MESSAGE_RUN)
		agree_message(p->d->agree, sender, &m);
	return 0;
}

/* Somebody of whom nothing was known before, say. */
static void on_proven(void *arg, __u64 sender, const struct endpoint *from)
{
	struct peers *p = arg;

	if (p->flock)
		opinion_known(flock_opinion(p->flock), sender, from);
}

static void on_cast(void *arg, const void *page, size_t len)
{
	struct peers *p = arg;

	if (p->flock)
		flock_page(p->flock, mono_now(), page, len);
}

static const char *name_of(const struct peers *p, __u64 id, char text[STARLING_NAME_BYTES])
{
	const struct roster_node *node = roster_find_id(&p->roster, id);

	if (node)
		snprintf(text, STARLING_NAME_BYTES, "%s", node->name);
	else
		roster_id_format(id, text);
	return text;
}

/* Published changes become events and lines of the log; loads of who is gone do not count. */
static void changes_tell(struct peers *p)
{
	struct opinion_change change;
	char name[STARLING_NAME_BYTES];
	bool changed = false;

	while (opinion_changed(flock_opinion(p->flock), &change)) {
		const char *before = member_state_word(change.from), *after = member_state_word(change.to);

		name_of(p, change.id, name);
		if (change.to == MEMBER_DEAD || change.to == MEMBER_LEFT)
			load_in_silence(p->load_in, change.id);
		log_notice("member %s: %s -> %s kind=member object=%s before=%s after=%s", name, before, after, name,
			   before, after);
		stream_event(p->d, &(struct plane_event){"member", name, before, after, ""});
		changed = true;
	}
	if (changed)
		peers_votes_step(p);
}

static void conflicts_count(struct peers *p, struct mono now)
{
	size_t conflicting = channel_conflicts(p->channel, now);

	if (conflicting > p->conflicting)
		p->conflicts += conflicting - p->conflicting;
	p->conflicting = conflicting;
}

static void timer_set(struct peers *p);

/* Once a second at most, whatever others say. */
static void admission_step(struct peers *p)
{
	if (!p->admission_heard)
		return;
	p->admission_heard = false;
	if (peers_roster_use(p))
		return;
	p->changed = true; /* this node is forgotten: its part ends when the loop has turned */
	loop_post(p->d->loop, peers_settings_due, p);
}

void peers_step(struct peers *p)
{
	struct mono now = mono_now();
	struct timespec wall;
	size_t live;

	clock_gettime(CLOCK_REALTIME, &wall);
	if (mono_ms(p->second, now) >= 1000) {
		p->second = now;
		load_in_age(p->load_in, now);
		conflicts_count(p, now);
		if (incarnation_step(&p->incarnation, now, channel_conflict(p->channel, p->identity.id, now))) {
			log_notice("node: incarnation %u, since an earlier life of this node was later",
				   p->incarnation.number);
			incarnation_use(p);
		}
		admission_step(p);
		peers_publish(p);
		peers_votes_step(p);
		live = peers_keys_step(p, now);
		peers_audit_step(p, now, live);
		peers_places_step(p, now, live);
		peers_bulk_step(p, now);
		peers_rejects_step(p, now);
		peers_readmits_step(p);
		agree_tick(p->d->agree);
		if (mono_ms(p->kept, now) >= KNOWN_MS) {
			p->kept = now;
			peers_known_save(p);
		}
	}
	peers_audit_put(p);
	caspaxos_step(p->caspaxos, now);
	flock_step(p->flock, now, (__u64)wall.tv_sec * 1000000 + (__u64)wall.tv_nsec / 1000);
	changes_tell(p);
	gossip_flush(p->gossip);
	timer_set(p);
}

static void on_datagram(void *arg, const struct endpoint *from, const void *bytes, size_t len, size_t left)
{
	struct peers *p = arg;

	pthread_mutex_lock(&p->lock);
	channel_receive(p->channel, mono_now(), from, bytes, len);
	if (!left && p->flock)
		peers_step(p);
	pthread_mutex_unlock(&p->lock);
}

static void on_timer(uv_timer_t *timer)
{
	struct peers *p = timer->data;

	pthread_mutex_lock(&p->lock);
	if (p->flock)
		peers_step(p);
	pthread_mutex_unlock(&p->lock);
}

static void timer_set(struct peers *p)
{
	struct mono now = mono_now(), due = flock_due(p->flock), next = caspaxos_due(p->caspaxos);
	__u64 ms;

	due = next.ns < due.ns ? next : due;
	if (p->audit_put != AUDIT_PAGES_ALL)
		due = now;
	ms = due.ns > now.ns ? (due.ns - now.ns + 999999) / 1000000 : 0;

	uv_timer_start(&p->timer, on_timer,
		       ms < STEP_LEAST_MS  ? STEP_LEAST_MS
		       : ms > STEP_MOST_MS ? STEP_MOST_MS
					   : ms,
		       0);
}

/* --- a life of this node: an identity, a boot, what it proves to others with them --- */

static int life_begin(struct peers *p, __u32 stored, struct err *err)
{
	struct channel_hooks hooks = {.arg = p,
				      .send = on_datagram_out,
				      .message = on_message,
				      .admit = peers_admitted,
				      .proven = on_proven,
				      .stranger = peers_stranger,
				      .cast = on_cast};
	struct channel *channel;
	__u64 boot;

	do
		randombytes_buf(&boot, sizeof(boot));
	while (!boot);
	channel = channel_new(&p->identity, boot, &hooks);
	if (!channel)
		return err_set(err, ENOMEM, "no memory for the flock");
	channel_free(p->channel);
	p->channel = channel;
	channel_ring(channel, &p->ring);
	channel_seed(channel, p->seed);
	p->author.id = p->identity.id;
	incarnation_begin(&p->incarnation, stored, boot);
	incarnation_save(p);
	p->author.last = (struct page_version){p->incarnation.number, boot, 0};
	audit_identity(p->d->audit, &p->identity);
	return 0;
}

/* --- taking part, on the loop's thread, under the lock --- */

static void part_end(struct peers *p)
{
	uv_timer_stop(&p->timer);
	peers_votes_end(p);
	peers_bulk_close(p);
	beacons_close(p->ears);
	p->ears = NULL;
	gossip_close(p->gossip);
	p->gossip = NULL;
	flock_free(p->flock);
	p->flock = NULL;
	p->author.store = NULL;
}

/* Without them a node has other ways to find the others. */
static void ears_open(struct peers *p)
{
	struct err err = {0};

	if (peers_ears(&p->settings) && beacons_open(p->d->loop, peers_ears(&p->settings), &p->settings.at,
						     p->settings.device, on_datagram, p, &p->ears, &err))
		log_error("flock: %s", err.text);
}

static int part_begin(struct peers *p, struct err *err)
{
	struct flock_config config = {
		.opinion = {OPINION_CONFIG}, .signing = &p->signing, .hooks = {p, on_envelope, peers_page, peers_bulk}};
	int rc;

	config.opinion.id = p->identity.id;
	config.opinion.incarnation = p->incarnation.number;
	config.opinion.at = p->settings.at;
	/* Who comes by a key alone has told no site that others could choose bridges by. */
	config.opinion.hierarchy =
		p->settings.topology == TOPOLOGY_HIERARCHY && p->settings.admission != ADMISSION_OPEN;
	randombytes_buf(&config.opinion.seed, sizeof(config.opinion.seed));
	rc = gossip_open(p->d->loop, &p->settings.at, p->settings.device, on_datagram, p, &p->gossip, err);
	if (rc)
		return rc;
	p->flock = flock_new(&config);
	if (!p->flock || flock_roster(p->flock, &p->roster)) {
		part_end(p);
		return err_set(err, ENOMEM, "no memory for the flock");
	}
	peers_known_load(p);
	peers_places_use(p);
	ears_open(p);
	peers_bulk_open(p);
	p->author.store = flock_pages(p->flock);
	peers_audit_begin(p);
	peers_quiet(p);
	peers_publish(p);
	timer_set(p);
	return 0;
}

/* Whether there is all that a part in a flock needs; if not, why. @counts: the roster has this node. */
static bool part_wanted(const struct peers *p, bool counts)
{
	if (!p->settings.at.port)
		log_debug("flock: this balancer has no address for others: it is alone");
	else if (!p->roster.count)
		log_debug("flock: the roster is empty: this balancer is alone");
	else if (admission_is_forgotten(&p->admission, p->identity.id))
		log_warning("flock: this node has been forgotten; `starling node rekey` makes it another one");
	else if (!counts)
		log_warning("flock: the roster has no line with the key of this node, see `starling -j node show`");
	else
		return true;
	return false;
}

static void renewed_use(struct peers *p)
{
	struct err err = {0};

	part_end(p);
	p->identity = *p->renewed;
	sodium_memzero(p->renewed, sizeof(*p->renewed));
	free(p->renewed);
	p->renewed = NULL;
	if (life_begin(p, 0, &err))
		log_error("node: %s", err.text); /* the old channel cannot speak for the new identity: restart */
}

/* What the settings say now becomes what is. */
static void settings_use(struct peers *p)
{
	struct err err = {0};
	bool wanted;

	if (p->renewed)
		renewed_use(p);
	peers_invitation_use(p);
	channel_open(p->channel, p->settings.admission == ADMISSION_OPEN);
	wanted = part_wanted(p, peers_roster_use(p));
	if (p->flock && (p->moved || !wanted))
		part_end(p);
	p->moved = false;
	if (p->flock)
		peers_places_use(p);
	if (!wanted)
		audit_begin(p->d->audit); /* nobody will say what he holds of the log */
	if (p->flock || !wanted)
		return;
	if (part_begin(p, &err))
		log_error("flock: %s", err.text);
	else
		log_notice("flock: taking part nodes=%zu incarnation=%u", p->roster.count, p->incarnation.number);
}

void peers_settings_due(void *arg)
{
	struct peers *p = arg;

	pthread_mutex_lock(&p->lock);
	if (p->changed && p->d->peers) {
		p->changed = false;
		settings_use(p);
	}
	pthread_mutex_unlock(&p->lock);
}

/* --- what others call --- */

static bool settings_same(const struct peers_settings *a, const struct peers_settings *b)
{
	return !endpoint_compare(&a->at, &b->at) && !strcmp(a->device, b->device) && !strcmp(a->site, b->site) &&
	       !strcmp(a->region, b->region) && a->beacons == b->beacons && a->admission == b->admission &&
	       a->topology == b->topology && a->urgent == b->urgent && a->peers == b->peers &&
	       !memcmp(a->peer, b->peer, sizeof(a->peer)) && roster_same(&a->roster, &b->roster);
}

static bool address_set(const struct endpoint *at)
{
	static const struct addr none;

	return !addr_equal(&at->addr, &none);
}

void peers_configure(struct peers *p, const struct config *config)
{
	struct peers_settings wanted = {0};

	if (address_set(&config->node_address)) {
		wanted.at = config->node_address;
		wanted.at.proto = 0;
		if (!wanted.at.port)
			wanted.at.port = htons(PEERS_PORT);
	}
	wanted.peers = config->node_peer_count;
	memcpy(wanted.peer, config->node_peers, sizeof(wanted.peer));
	wanted.beacons = config->node_beacons;
	wanted.admission = config->node_admission;
	wanted.topology = config->node_topology;
	wanted.urgent = config->node_urgent;
	wanted.hooks = config->node_hooks;
	memcpy(wanted.device, config->node_device, sizeof(wanted.device));
	memcpy(wanted.site, config->node_site, sizeof(wanted.site));
	memcpy(wanted.region, config->node_region, sizeof(wanted.region));
	if (roster_copy(&wanted.roster, &config->roster)) {
		log_error("flock: no memory for the roster");
		return;
	}
	if (!wanted.at.port)
		audit_begin(p->d->audit); /* nobody will say what he holds of the log */
	pthread_mutex_lock(&p->lock);
	p->settings.hooks = config->node_hooks; /* the next page of this node tells it */
	if (settings_same(&p->settings, &wanted)) {
		roster_free(&wanted.roster);
	} else {
		p->moved |= endpoint_compare(&p->settings.at, &wanted.at) ||
			    strcmp(p->settings.device, wanted.device) != 0 || p->settings.beacons != wanted.beacons ||
			    p->settings.topology != wanted.topology ||
			    (p->settings.admission == ADMISSION_OPEN) != (wanted.admission == ADMISSION_OPEN) ||
			    p->settings.urgent != wanted.urgent;
		if (p->flock && p->moved) { /* its new place is told by a later life */
			p->incarnation.number++;
			incarnation_use(p);
		}
		roster_free(&p->settings.roster);
		p->settings = wanted;
		p->changed = true;
		loop_post(p->d->loop, peers_settings_due, p);
	}
	pthread_mutex_unlock(&p->lock);
}

int peers_rekey(struct peers *p, char message[256], struct err *err)
{
	char key[ROSTER_KEY_TEXT_BYTES];
	struct identity *renewed = calloc(1, sizeof(*renewed));
	int rc = 0;

	if (!renewed)
		return err_set(err, ENOMEM, "no memory for an identity");
	pthread_mutex_lock(&p->lock);
	if (p->renewed)
		rc = err_set(err, EBUSY, "another identity is being made");
	else
		rc = identity_renew(p->d->state_dir, renewed, err);
	if (!rc) {
		roster_key_format(&renewed->key, key);
		log_notice("node: another identity key=%s", key);
		snprintf(message, 256, "key %s: put it in the rosters in place of the old one", key);
		p->renewed = renewed;
		p->changed = true;
		loop_post(p->d->loop, peers_settings_due, p);
	} else {
		free(renewed);
	}
	pthread_mutex_unlock(&p->lock);
	return rc;
}

int peers_leave(struct peers *p, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	if (!p->flock)
		rc = err_set(err, ENOENT, "this node has no part in a flock");
	else
		opinion_leave(flock_opinion(p->flock));
	pthread_mutex_unlock(&p->lock);
	return rc;
}

static int secrets_load(struct peers *p, __u32 *ret_stored, struct err *err)
{
	char key[ROSTER_KEY_TEXT_BYTES];
	bool made;
	int rc = identity_open(p->d->state_dir, &p->identity, &made, err);

	if (!rc)
		rc = ring_load(p->d->state_dir, &p->ring, err);
	if (!rc)
		rc = incarnation_load(p, ret_stored, err);
	if (!rc && made)
		log_notice("node: a new identity key=%s", roster_key_format(&p->identity.key, key));
	return rc;
}

int peers_open(struct daemon *d, struct peers **ret, struct err *err)
{
	struct peers *p = calloc(1, sizeof(*p));
	__u32 stored;
	int rc;

	if (!p)
		return err_set(err, ENOMEM, "no memory for the flock");
	p->d = d;
	pthread_mutex_init(&p->lock, NULL);
	uv_timer_init(loop_uv(d->loop), &p->timer);
	p->timer.data = p;
	*ret = p;
	memcpy(p->seed, dataplane_info(d->dp)->seed, sizeof(p->seed));
	p->signing = identity_signing(&p->identity);
	p->author.signing = &p->signing;
	p->load_in = load_in_new();
	rc = p->load_in ? secrets_load(p, &stored, err) : err_set(err, ENOMEM, "no memory for the flock");
	if (!rc)
		rc = peers_admission_load(p, err);
	if (!rc)
		rc = peers_drain_load(p, err);
	if (!rc)
		rc = peers_register_load(p, err);
	return rc ? rc : life_begin(p, stored, err);
}

static void on_closed(uv_handle_t *handle)
{
	struct peers *p = handle->data;

	channel_free(p->channel);
	caspaxos_free(p->caspaxos);
	load_in_free(p->load_in);
	load_out_free(&p->load_out);
	roster_free(&p->settings.roster);
	roster_free(&p->roster);
	admission_free(&p->admission);
	sodium_memzero(p->invitation, sizeof(p->invitation));
	free(p->aside);
	free(p->digest);
	buf_free(&p->known);
	pthread_mutex_destroy(&p->lock);
	free(p->renewed);
	sodium_memzero(&p->identity, sizeof(p->identity));
	sodium_memzero(&p->ring, sizeof(p->ring));
	sodium_memzero(p->seed, sizeof(p->seed));
	free(p);
}

void peers_close(struct peers *p)
{
	if (!p)
		return;
	part_end(p);
	uv_close((uv_handle_t *)&p->timer, on_closed);
}
