// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A change that goes in waves. It is decided as a proposal that no node runs until its turn has come. The node that
 * made it tells one wave after the other to RUN it; each that is told runs it, compares itself for some seconds with
 * what it was before, and answers CHECKED. Where one finds itself worse, or falls silent, the proposal is taken back;
 * where the node that made it is lost, the deadline takes it back. Not here: decisions (agree_propose.c), questions and
 * answers (agree_check.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/message.h"
#include "daemon/agree_state.h"

#define GATE_LOOKS     5 /* after it runs */
#define GATE_LOOK_MS   1000
#define GATE_WORSE     2  /* looks in turn that find the same worse than before end it */
#define GATE_DROPS     10 /* packets a second more than twice of before */
#define WAVE_ANSWER_MS ((GATE_LOOKS + 3) * GATE_LOOK_MS + AGREE_FETCH_MS)

/* --- a node's own gate --- */

static int vip_order(const void *name, const void *vip)
{
	return strcmp(name, ((const struct plane_health_vip *)vip)->name);
}

static const struct plane_health_vip *vip_before(const struct plane_health *h, const char *name)
{
	return h->vips ? bsearch(name, h->vip, h->vips, sizeof(*h->vip), vip_order) : NULL;
}

/* Return: whether something is worse than before, and what, by its number. */
static bool is_worse(const struct plane_health *before, const struct plane_health *now, char why[AGREE_WORDS_BYTES])
{
	for (size_t i = 0; i < now->vips; i++) {
		const struct plane_health_vip *v = &now->vip[i], *was = vip_before(before, v->name);

		if (was && was->up && !v->up) {
			snprintf(why, AGREE_WORDS_BYTES, "VIP %s has no usable backend, %u before", v->name, was->up);
			return true;
		}
		if (v->lost > (was ? was->lost : 0)) {
			snprintf(why, AGREE_WORDS_BYTES, "VIP %s: %u of %u backends cannot be used, %u before", v->name,
				 v->lost, v->backends, was ? was->lost : 0);
			return true;
		}
	}
	if (now->drops_s <= before->drops_s * 2 + GATE_DROPS)
		return false;
	snprintf(why, AGREE_WORDS_BYTES, "%.0f packets a second are dropped, %.0f before", now->drops_s,
		 before->drops_s);
	return true;
}

static int health_run(struct plane *p, void *arg, struct err *err)
{
	(void)err;
	return plane_health(p, arg);
}

static void gate_answer(struct agree *a, const char *why)
{
	struct agree_gate *g = &a->gate;
	struct agree_gate said;

	pthread_mutex_lock(&a->lock);
	g->answer[0] = why ? 0 : 1;
	g->answer_len = 1;
	if (why)
		g->answer_len += (size_t)snprintf((char *)g->answer + 1, sizeof(g->answer) - 1, "%.*s",
						  AGREE_WORDS_BYTES - 2, why);
	g->on = false;
	plane_health_free(&g->before);
	said = *g;
	pthread_mutex_unlock(&a->lock);
	if (why)
		log_warning("config: a proposal makes things worse here: %s", why);
	if (said.asker == peers_self(a->d->peers))
		agree_answered(a, said.asker, said.number, said.answer, said.answer_len);
	else
		peers_tell(a->d->peers, said.asker, MESSAGE_CHECKED, said.number, said.answer, said.answer_len);
}

/* The first look is at how it was; then it is run. */
static void gate_open(struct agree *a, struct plane_health *before)
{
	struct err err = {0};
	bool runs;
	int rc;

	pthread_mutex_lock(&a->lock);
	a->gate.before = *before;
	a->told = a->gate.root;
	pthread_mutex_unlock(&a->lock);
	if (agree_apart(a)) { /* it runs VIPs of its own, and need not run these */
		gate_answer(a, NULL);
		return;
	}
	rc = agree_follow(a, &err);
	pthread_mutex_lock(&a->lock);
	runs = object_name_is(&a->running, &a->gate.root);
	pthread_mutex_unlock(&a->lock);
	if (rc || !runs)
		gate_answer(a, err.text[0] ? err.text : "it is taken back already");
}

static void gate_look(struct agree *a, struct plane_health *now)
{
	struct agree_gate *g = &a->gate;
	char why[AGREE_WORDS_BYTES];
	bool worse = is_worse(&g->before, now, why), over;

	pthread_mutex_lock(&a->lock);
	g->worse = worse ? g->worse + 1 : 0;
	over = g->worse >= GATE_WORSE || (g->looks > GATE_LOOKS && !worse);
	pthread_mutex_unlock(&a->lock);
	plane_health_free(now);
	if (over)
		gate_answer(a, worse ? why : NULL);
}

static void gate_run(void *arg)
{
	struct agree *a = arg;
	struct plane_health health = {0};
	struct err unused = {0};
	int rc = agree_plane(a, PLANE_URGENT, health_run, &health, &unused);
	unsigned int looks;

	pthread_mutex_lock(&a->lock);
	looks = a->gate.looks++;
	pthread_mutex_unlock(&a->lock);
	if (rc)
		gate_answer(a, "it cannot look at itself");
	else if (!looks)
		gate_open(a, &health);
	else
		gate_look(a, &health);
	pthread_mutex_lock(&a->lock);
	a->gate.busy = false;
	a->gate.next = mono_after(mono_now(), GATE_LOOK_MS);
	pthread_mutex_unlock(&a->lock);
}

void agree_gate_tick(struct agree *a)
{
	if (!a->gate.on || a->gate.busy || a->stopping || mono_now().ns < a->gate.next.ns)
		return;
	a->gate.busy = !workers_post(a->follows, gate_run, a);
}

/* Only who made the proposal says whose turn it is. One that is not known here yet is told of again. */
void agree_gate_take(struct agree *a, __u64 sender, __u32 number, const struct object_name *root)
{
	struct agree_gate *g = &a->gate, said;
	bool again;

	pthread_mutex_lock(&a->lock);
	again = g->asker == sender && g->number == number && object_name_is(&g->root, root);
	if (!again && !g->busy && a->intent.waved && a->intent.by == sender && object_name_is(&a->intent.root, root)) {
		plane_health_free(&g->before);
		*g = (struct agree_gate){.on = true, .asker = sender, .number = number, .root = *root};
		agree_gate_tick(a);
	}
	again = again && !g->on;
	said = *g;
	pthread_mutex_unlock(&a->lock);
	if (again) /* under the peers' lock; never of this node: its own answer needs no message */
		peers_tell(a->d->peers, sender, MESSAGE_CHECKED, number, said.answer, said.answer_len);
}

/* --- wave after wave --- */

struct wave_node {
	__u64 id;
	char name[STARLING_NAME_BYTES], site[STARLING_NAME_BYTES];
	bool own; /* this node's wave is the first: whoever made the change sees it first */
};

static int wave_order(const void *a, const void *b)
{
	const struct wave_node *x = a, *y = b;
	int order;

	if (x->own != y->own)
		return y->own - x->own;
	order = strcmp(x->site, y->site);
	return order ? order : strcmp(x->name, y->name);
}

/* All that answer, those of one wave together. Return: how many. */
static size_t waves_plan(struct agree *a, enum wave wave, struct wave_node *ret)
{
	__u64 self = peers_self(a->d->peers), id[STARLING_ROSTER_NODES];
	size_t count = peers_others(a->d->peers, id, STARLING_ROSTER_NODES - 1);
	char site[STARLING_NAME_BYTES];

	id[count++] = self;
	peers_site(a->d->peers, self, site);
	for (size_t i = 0; i < count; i++) {
		ret[i].id = id[i];
		peers_name(a->d->peers, id[i], ret[i].name);
		peers_site(a->d->peers, id[i], ret[i].site);
		ret[i].own = wave == WAVE_NODE ? id[i] == self : !strcmp(ret[i].site, site);
	}
	qsort(ret, count, sizeof(*ret), wave_order);
	return count;
}

static bool same_wave(enum wave wave, const struct wave_node *a, const struct wave_node *b)
{
	return a == b || wave == WAVE_ALL || (wave == WAVE_SITE && !strcmp(a->site, b->site));
}

static int wave_run(struct agree *a, const struct intent *want, const struct wave_node *node, size_t count,
		    struct err *err)
{
	struct agree_nodes whom = {.count = count}, silent;
	char name[STARLING_NAME_BYTES];
	int rc;

	for (size_t i = 0; i < count; i++)
		whom.id[i] = node[i].id;
	rc = agree_question(a, MESSAGE_RUN, &want->root, &whom, WAVE_ANSWER_MS, 0, NULL, NULL, &silent, err);
	if (!rc && silent.count)
		rc = err_set(err, ETIMEDOUT, "%s does not say how it goes there",
			     peers_name(a->d->peers, silent.id[0], name));
	return rc;
}

__u32 agree_waves_ms(struct agree *a, enum wave wave)
{
	struct wave_node *node = calloc(STARLING_ROSTER_NODES, sizeof(*node));
	size_t count = node ? waves_plan(a, wave, node) : 0;
	__u32 waves = 1;

	for (size_t i = 1; i < count; i++)
		waves += !same_wave(wave, &node[i - 1], &node[i]);
	free(node);
	return (waves + 1) * WAVE_ANSWER_MS;
}

static bool goes_on(struct agree *a, const struct intent *want)
{
	bool is;

	pthread_mutex_lock(&a->lock);
	is = a->intent.waved && object_name_is(&a->intent.root, &want->root) && agree_left_ms(a, &a->intent);
	pthread_mutex_unlock(&a->lock);
	return is;
}

int agree_waves(struct agree *a, const struct intent *want, enum wave wave, unsigned int *ret_waves, struct err *err)
{
	struct wave_node *node = calloc(STARLING_ROSTER_NODES, sizeof(*node));
	size_t count = node ? waves_plan(a, wave, node) : 0, first, next;
	struct err unused = {0};
	int rc = node ? 0 : -ENOMEM;

	*ret_waves = 0;
	for (first = 0; !rc && first < count; first = next) {
		for (next = first; next < count && same_wave(wave, &node[first], &node[next]); next++)
			;
		++*ret_waves;
		rc = goes_on(a, want) ? wave_run(a, want, node + first, next - first, err)
				      : err_set(err, ECANCELED, "it was taken back elsewhere");
		log_info("config: generation %u went %s in wave %u, from %s on", want->generation,
			 rc ? "wrong" : "well", *ret_waves, node[first].name);
	}
	free(node);
	if (!rc)
		return 0;
	err_prefix(err, "generation %u is taken back: wave %u", want->generation, *ret_waves);
	if (agree_take_back(a, want, &unused))
		log_warning("config: generation %u could not be taken back before its deadline: %s", want->generation,
			    unused.text);
	return -ECANCELED;
}
