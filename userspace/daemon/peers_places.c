// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Where others may be: addresses and names of the configuration, and beacons on the link. Not here: where they were
 * (peers_known.c), what follows from an answer (core/opinion.h).
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "daemon/peers_state.h"
#include "io/sockaddr.h"

#define LOOKUP_MS	30000 /* names are looked up so often */
#define LOOKUP_ALONE_MS 5000  /* and so often while nobody else is live */
#define BEACON_ALONE_MS 1000
#define BEACON_MS	10000 /* of all nodes of a link together, so each in its turn */

/* --- places --- */

static void place_add(struct peers *p, const struct endpoint *at)
{
	struct endpoint place = *at;

	if (!place.port)
		place.port = htons(PEERS_PORT);
	if (!endpoint_compare(&place, &p->settings.at))
		return;
	for (size_t i = 0; i < p->places; i++)
		if (!endpoint_compare(&p->place[i], &place))
			return;
	if (p->places == PEERS_PLACES)
		return;
	p->place[p->places++] = place;
}

static void places_try(struct peers *p)
{
	for (size_t i = 0; i < p->places; i++)
		opinion_seed(flock_opinion(p->flock), &p->place[i]);
}

/* The configured addresses. What names stand for is added behind them. */
static void places_begin(struct peers *p)
{
	p->places = 0;
	for (size_t i = 0; i < p->settings.peers; i++)
		if (!p->settings.peer[i].host[0])
			place_add(p, &p->settings.peer[i].at);
	if (p->admission.sponsor.known)
		place_add(p, &p->admission.sponsor.at);
}

void peers_places_use(struct peers *p)
{
	places_begin(p);
	places_try(p);
	p->looked_up.ns = 0;
}

/* --- names: looked up one after the other by a worker, which may take its time --- */

struct lookup {
	struct daemon *d;
	struct place name[STARLING_NODE_PEERS];
	size_t names;
	struct endpoint at[PEERS_PLACES];
	size_t count;
	char failed[PLACE_HOST_BYTES]; /* the first name that stands for nothing */
};

static void name_look_up(struct lookup *l, const struct place *name)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM}, *all, *a;
	struct endpoint at;

	if (getaddrinfo(name->host, NULL, &hints, &all)) {
		if (!l->failed[0])
			memcpy(l->failed, name->host, sizeof(l->failed));
		return;
	}
	for (a = all; a && l->count < PEERS_PLACES; a = a->ai_next) {
		at = sockaddr_endpoint(a->ai_addr);
		at.port = name->at.port;
		if (addr_is_unicast(&at.addr))
			l->at[l->count++] = at;
	}
	freeaddrinfo(all);
}

static void on_look_up(void *arg)
{
	struct lookup *l = arg;

	for (size_t i = 0; i < l->names; i++)
		name_look_up(l, &l->name[i]);
}

static void on_looked_up(void *arg)
{
	struct lookup *l = arg;
	struct peers *p = l->d->peers;

	if (p) {
		pthread_mutex_lock(&p->lock);
		p->looking_up = false;
		if (strcmp(p->unnamed, l->failed) != 0 && l->failed[0])
			log_warning("flock: %s of `peers` stands for no address; it is looked up again", l->failed);
		memcpy(p->unnamed, l->failed, sizeof(p->unnamed));
		places_begin(p);
		for (size_t i = 0; i < l->count; i++)
			place_add(p, &l->at[i]);
		if (p->flock)
			places_try(p);
		pthread_mutex_unlock(&p->lock);
	}
	free(l);
}

static void names_look_up(struct peers *p)
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (!l)
		return;
	l->d = p->d;
	for (size_t i = 0; i < p->settings.peers; i++)
		if (p->settings.peer[i].host[0])
			l->name[l->names++] = p->settings.peer[i];
	if (l->names && !loop_work(p->d->loop, on_look_up, on_looked_up, l))
		p->looking_up = true;
	else
		free(l);
}

/* --- beacons --- */

/* Who has keys says hello to the link, who has none asks for them. */
static void beacons_send(struct peers *p, struct mono now)
{
	struct endpoint to[BEACONS_MAX];
	size_t count = beacons_to(p->settings.beacons, &p->settings.at, to);

	for (size_t i = 0; i < count; i++)
		if (p->ring.count)
			channel_hello(p->channel, now, &to[i]);
		else
			channel_knock(p->channel, now, &to[i]);
}

enum beacon_kinds peers_ears(const struct peers_settings *s)
{
	if (!s->urgent)
		return s->beacons;
	return s->beacons == BEACONS_BROADCAST || s->beacons == BEACONS_BOTH ? BEACONS_BOTH : BEACONS_MULTICAST;
}

void peers_urgent(void *arg)
{
	struct endpoint to[BEACONS_MAX];
	struct peers *p = arg;
	struct page_bytes bytes;
	struct page page;
	size_t next = 0;

	pthread_mutex_lock(&p->lock);
	while (p->flock && p->settings.urgent && page_store_next(flock_pages(p->flock), p->identity.id, &next, &page))
		if (page.kind == PAGE_KIND_NODE && beacons_to(BEACONS_MULTICAST, &p->settings.at, to)) {
			bytes = page_whole(&page);
			channel_cast(p->channel, &to[0], bytes.bytes, bytes.len);
			gossip_flush(p->gossip);
		}
	pthread_mutex_unlock(&p->lock);
}

void peers_places_step(struct peers *p, struct mono now, size_t live)
{
	__u64 beacon_ms = live ? (live + 1) * BEACON_MS : BEACON_ALONE_MS;

	if (!p->looking_up &&
	    (!p->looked_up.ns || mono_ms(p->looked_up, now) >= (live ? LOOKUP_MS : LOOKUP_ALONE_MS))) {
		p->looked_up = now;
		names_look_up(p);
	}
	if (p->settings.beacons && (!p->beaconed.ns || mono_ms(p->beaconed, now) >= beacon_ms)) {
		p->beaconed = now;
		beacons_send(p, now);
	}
}
