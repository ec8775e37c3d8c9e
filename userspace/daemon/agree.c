// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The life of it, its objects, what it shows. Not here: following (agree_follow.c), commands (agree_change.c),
 * questions to others (agree_check.c).
 */
#include "daemon/agree.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/agree_state.h"

/* --- waiting --- */

bool agree_wait(struct agree *a, struct mono deadline)
{
	struct timespec until = {.tv_sec = (time_t)(deadline.ns / 1000000000),
				 .tv_nsec = (long)(deadline.ns % 1000000000)};

	if (a->stopping || mono_now().ns >= deadline.ns)
		return false;
	pthread_cond_timedwait(&a->changed, &a->lock, &until);
	return !a->stopping;
}

struct plane_call {
	struct agree *a;
	agree_plane_fn *fn;
	void *arg;
	struct err *err;
	bool done;
	int rc;
};

static void plane_call_run(struct plane *p, void *arg)
{
	struct plane_call *c = arg;

	c->rc = p ? c->fn(p, c->arg, c->err) : -ESHUTDOWN;
	pthread_mutex_lock(&c->a->lock);
	c->done = true;
	pthread_cond_broadcast(&c->a->changed);
	pthread_mutex_unlock(&c->a->lock);
}

int agree_plane(struct agree *a, enum plane_queue queue, agree_plane_fn *fn, void *arg, struct err *err)
{
	struct plane_call c = {.a = a, .fn = fn, .arg = arg, .err = err};
	struct plane *p = a->d->plane;

	if (!p || plane_post(p, queue, plane_call_run, &c))
		return -ESHUTDOWN;
	pthread_mutex_lock(&a->lock);
	while (!c.done) /* the plane runs, or drops, every job */
		pthread_cond_wait(&a->changed, &a->lock);
	pthread_mutex_unlock(&a->lock);
	return c.rc;
}

/* --- objects --- */

size_t agree_lacking(struct agree *a, const struct object_name *root, struct object_name *ret, size_t room)
{
	size_t count;

	pthread_mutex_lock(&a->lock);
	count = intent_lacking(&a->objects, root, ret, room);
	pthread_mutex_unlock(&a->lock);
	return count;
}

char *agree_object(struct agree *a, const struct object_name *name, size_t *ret_len)
{
	const struct object *o;
	char *text = NULL;

	pthread_mutex_lock(&a->lock);
	o = objects_find(&a->objects, name);
	if (o)
		text = malloc(o->len + 1);
	if (text) {
		memcpy(text, o->text, o->len + 1);
		*ret_len = o->len;
	}
	pthread_mutex_unlock(&a->lock);
	return text;
}

int agree_object_add(struct agree *a, const struct object_name *name, const char *text, size_t len)
{
	struct object_name is;
	int rc = 0;

	a->signing.hash(a->signing.arg, text, len, is.byte);
	if (!object_name_is(&is, name))
		return -EBADMSG;
	pthread_mutex_lock(&a->lock);
	rc = objects_add(&a->objects, &a->signing, text, len, NULL);
	pthread_mutex_unlock(&a->lock);
	return rc;
}

/* --- what is shown --- */

bool agree_on(const struct agree *a)
{
	struct agree *w = (struct agree *)(uintptr_t)a; /* for its lock */
	bool on;

	pthread_mutex_lock(&w->lock);
	on = a->value.version && !a->apart;
	pthread_mutex_unlock(&w->lock);
	return on;
}

bool agree_ready(struct agree *a)
{
	struct caspaxos_value v;
	bool may;

	if (!a)
		return false;
	pthread_mutex_lock(&a->lock);
	v = a->value;
	may = v.version && !a->apart && !agree_left_ms(a, &a->intent);
	pthread_mutex_unlock(&a->lock);
	return may && agree_answering(a, &v) >= caspaxos_quorum(&v);
}

int agree_history(struct agree *a, struct table *t)
{
	__u32 running;

	pthread_mutex_lock(&a->lock);
	running = a->running_generation;
	pthread_mutex_unlock(&a->lock);
	pthread_mutex_lock(&a->keeping);
	history_rows(a->history, running, t);
	pthread_mutex_unlock(&a->keeping);
	return table_error(t);
}

size_t agree_answering(struct agree *a, const struct caspaxos_value *v)
{
	size_t count = 0;

	for (__u32 i = 0; i < v->voters; i++)
		count += peers_register_answers(a->d->peers, v->id, &v->voter[i]);
	return count;
}

void agree_problems(struct agree *a, void (*tell)(void *arg, const char *text), void *arg)
{
	struct caspaxos_value v;
	char text[AGREE_WORDS_BYTES + 64];
	struct intent i;
	bool differs;
	size_t answering;
	__u64 left_ms;

	pthread_mutex_lock(&a->lock);
	v = a->value;
	i = a->intent;
	left_ms = agree_left_ms(a, &i);
	differs = a->file_differs;
	snprintf(text, sizeof(text), "%s", a->trouble);
	pthread_mutex_unlock(&a->lock);
	if (!v.version)
		return;
	if (text[0])
		tell(arg, text);
	answering = agree_answering(a, &v);
	if (answering < caspaxos_quorum(&v)) {
		snprintf(text, sizeof(text), "register without quorum: %zu of %u voters answer", answering, v.voters);
		tell(arg, text);
	}
	if (left_ms) {
		snprintf(text, sizeof(text), "generation %u %s, %llu s are left", i.generation,
			 i.waved ? "goes through its waves" : "waits to be confirmed",
			 (unsigned long long)(left_ms / 1000));
		tell(arg, text);
	}
	if (differs)
		tell(arg, "the file's shared lines are not those that the flock has agreed on");
	peers_register_problems(a->d->peers, tell, arg);
}

void agree_status(struct agree *a, struct table *t)
{
	struct caspaxos_value v;
	struct intent i;
	__u64 left_ms;

	pthread_mutex_lock(&a->lock);
	v = a->value;
	i = a->intent;
	left_ms = agree_left_ms(a, &i);
	pthread_mutex_unlock(&a->lock);
	if (!v.version)
		return;
	table_set_u64(t, 0, FIELD_STATUS_agreed, i.generation);
	table_set_bool(t, 0, FIELD_STATUS_quorum, agree_answering(a, &v) >= caspaxos_quorum(&v));
	table_set_f64(t, 0, FIELD_STATUS_deadline, (double)left_ms / 1e3);
}

/* --- events of the peers, under their lock --- */

static void follow_run(void *arg)
{
	struct agree *a = arg;
	struct err err = {0};

	agree_follow(a, &err);
}

void agree_learned(struct agree *a, const struct caspaxos_value *value)
{
	struct intent intent;
	__s64 offset_ms;

	if (!a)
		return; /* at the start: agree_load() looks */
	if (intent_decode(value->bytes, value->len, &intent)) {
		log_error("register: version %llu says nothing that is understood here",
			  (unsigned long long)value->version);
		return;
	}
	offset_ms = intent.proposed ? peers_clock_offset_ms(a->d->peers, intent.by) : 0;
	pthread_mutex_lock(&a->lock);
	a->value = *value;
	a->intent = intent;
	agree_deadline_set(a, &intent, offset_ms);
	lease_follow(&a->leases, &intent, mono_now());
	pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
	agree_tick(a);
}

void agree_tick(struct agree *a)
{
	struct object_name root;
	__u32 generation;

	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	if (a->value.version && !a->stopping && !a->following && mono_now().ns >= a->retry.ns) {
		agree_wanted(a, &a->intent, &root, &generation);
		a->following = !object_name_is(&root, &a->running);
		if (a->following && workers_post(a->follows, follow_run, a))
			a->following = false;
	}
	agree_gate_tick(a);
	agree_fold_tick(a);
	agree_weigh_tick(a);
	pthread_mutex_unlock(&a->lock);
}

/* --- life --- */

static void note_history(const char *sentence)
{
	log_error("config: %s", sentence);
}

static int locks_make(struct agree *a)
{
	pthread_condattr_t attr;

	a->answer = calloc(STARLING_ROSTER_NODES, sizeof(*a->answer));
	if (!a->answer)
		return -ENOMEM;
	pthread_mutex_init(&a->applying, NULL);
	pthread_mutex_init(&a->proposing, NULL);
	pthread_mutex_init(&a->fetching, NULL);
	pthread_mutex_init(&a->keeping, NULL);
	pthread_mutex_init(&a->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->changed, &attr);
	pthread_condattr_destroy(&attr);
	return 0;
}

int agree_open(struct daemon *d, struct agree **ret, struct err *err)
{
	struct agree *a = calloc(1, sizeof(*a));
	char path[PATH_MAX];
	int rc;

	if (!a || locks_make(a)) {
		free(a);
		return err_set(err, ENOMEM, "no memory for what is agreed");
	}
	a->d = d;
	a->signing = peers_signing(d->peers);
	a->leases.node = peers_self(d->peers);
	a->weighed = mono_now();
	randombytes_buf(&a->question, sizeof(a->question)); /* an answer to a former life's is none to this one's */
	*ret = a;
	rc = daemon_path(path, d->state_dir, "agreed", err);
	if (!rc)
		rc = history_open(path, note_history, &a->history, err);
	if (!rc) {
		a->joined = history_found(a->history);
		agree_load(a);
	}
	if (!rc)
		rc = workers_open("asks", 1, &a->asks, err);
	if (!rc)
		rc = workers_open("quick", 1, &a->quick, err);
	if (!rc)
		rc = workers_open("follows", 1, &a->follows, err);
	return rc;
}

void agree_stop(struct agree *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stopping = true;
	pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
	workers_close(a->asks);
	workers_close(a->quick);
	workers_close(a->follows);
	a->asks = a->quick = a->follows = NULL;
}

void agree_close(struct agree *a)
{
	if (!a)
		return;
	objects_free(&a->objects);
	plane_health_free(&a->gate.before);
	for (size_t i = 0; i < AGREE_READ; i++)
		config_free(a->read[i].config);
	history_close(a->history);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	pthread_mutex_destroy(&a->applying);
	pthread_mutex_destroy(&a->proposing);
	pthread_mutex_destroy(&a->fetching);
	pthread_mutex_destroy(&a->keeping);
	free(a->answer);
	free(a);
}
