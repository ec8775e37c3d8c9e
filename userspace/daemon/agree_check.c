// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Whether the others could run a configuration: a question before it is proposed, and the answer to one. Not here: what
 * follows from answers (agree_change.c).
 *
 *	CHECK	number, root's name, a delta	the asker has its objects; few that are new are with it: intent_delta.h
 *	RUN	number, root's name		see agree_wave.c
 *	CHECKED	number, 1 or 0, why not; CHECKED_UNLIKE for 0: it could, but has seen nothing of the kind
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/intent_delta.h"
#include "core/message.h"
#include "daemon/agree_state.h"
#include "daemon/apply.h"

#define CHECKED_UNLIKE 2 /* so many may say that, of reputations */

#define ASK_MS	      4000 /* for all answers: a large configuration has to be fetched */
#define ASK_REPEAT_MS 500
#define ASK_PLAIN_MS  100  /* until it is asked without what older versions drop */
#define ASK_BYTES     1024 /* of a question: it has to fit a datagram */
#define ASK_LEAST_MS  300  /* before one that seems to be cut off is not waited for */

/* --- this node's answer --- */

struct try_job {
	struct agree *a;
	const struct config *shared;
	bool careful;
};

static int try_run(struct plane *p, void *arg, struct err *err)
{
	struct try_job *j = arg;
	struct config *wanted = config_compose(plane_config(p), j->shared);
	struct apply_how how = {.by = "", .command = "", .dry_run = true, .careful = j->careful};

	return wanted ? apply_config(j->a->d, p, wanted, &how, NULL, NULL, err)
		      : err_set(err, ENOMEM, "no memory for it");
}

int agree_try(struct agree *a, const struct config *shared, bool careful, struct err *err)
{
	struct try_job job = {.a = a, .shared = shared, .careful = careful};

	return agree_plane(a, PLANE_NORMAL, try_run, &job, err);
}

/* Of the first generation. A node that the flock has not agreed with yet may have shared lines of its own: nobody
 * overwrites those unasked. Of a later one it may not have heard yet, and it need not run it (agree_join_check()). */
static int own_run(struct plane *p, void *arg, struct err *err)
{
	const struct config *shared = arg;

	if (!plane_config(p)->vip_count || config_shared_same(plane_config(p), shared))
		return 0;
	return err_set(err, EEXIST, "it runs other shared lines of its own: `starling config diff` there");
}

static int own_lines_check(struct agree *a, struct config *shared, struct err *err)
{
	return agree_on(a) ? 0 : agree_plane(a, PLANE_URGENT, own_run, shared, err);
}

struct check {
	struct agree *a;
	__u64 sender;
	__u32 number;
	struct object_name root;
	size_t len; /* of what came with the question */
	__u8 delta[];
};

/* What is missing afterwards is fetched. */
static void delta_take(const struct check *c)
{
	int rc;

	pthread_mutex_lock(&c->a->lock);
	rc = intent_delta_read(&c->a->objects, &c->a->signing, c->delta, c->len);
	pthread_mutex_unlock(&c->a->lock);
	if (rc)
		log_debug("config: what came with a question is of no use here: %s", strerror(-rc));
}

/* Of reputations, what they are changed from has to run here: else one that lags would refuse all that others do. */
static int weigh_check(struct agree *a, const struct intent_root *root, const struct roster *is,
		       const struct roster *wanted, struct err *err)
{
	bool runs;

	pthread_mutex_lock(&a->lock);
	runs = object_name_is(&root->previous, &a->running);
	pthread_mutex_unlock(&a->lock);
	return runs ? agree_weigh_check(a, is, wanted, err) : 0;
}

/* Return: 0; -EAGAIN: it did not come, which is no answer; else why not, with @err; -EDOM: nothing but that here the
 * like was not seen. */
static int check(struct check *c, struct err *err)
{
	struct intent_root root;
	struct roster roster = {0};
	struct config *shared = NULL;
	struct err unkept = {0};
	int rc;

	pthread_mutex_lock(&c->a->applying);
	delta_take(c);
	rc = agree_fetch(c->a, c->sender, &c->root, ASK_MS) ? -EAGAIN : 0;
	if (!rc)
		rc = peers_roster_copy(c->a->d->peers, &roster);
	if (!rc)
		rc = agree_read(c->a, &c->root, &roster, &root, &shared, err);
	if (!rc && root.generation == 1)
		rc = own_lines_check(c->a, shared, err);
	if (!rc)
		rc = agree_try(c->a, shared, false, err);
	if (!rc && weigh_check(c->a, &root, &roster, &shared->roster, err))
		rc = -EDOM;
	roster_free(&roster);
	/* The asker has it on its disk: that there is no room on this one is nothing against it. */
	if (!rc && agree_stage(c->a, &c->root, &unkept)) {
		c->a->d->store_errors++;
		log_error("config: what was asked about is not kept: %s", unkept.text);
	}
	agree_objects_trim(c->a);
	pthread_mutex_unlock(&c->a->applying);
	config_free(shared);
	return rc;
}

static void check_forget(struct agree *a, __u64 sender)
{
	size_t i = 0;

	pthread_mutex_lock(&a->lock);
	while (i < a->checks && a->check[i] != sender)
		i++;
	if (i < a->checks)
		a->check[i] = a->check[--a->checks];
	pthread_mutex_unlock(&a->lock);
}

static void check_run(void *arg)
{
	struct check *c = arg;
	struct err err = {0};
	__u8 body[AGREE_WORDS_BYTES] = {1};
	size_t len = 1;
	int rc = check(c, &err);

	if (rc) {
		body[0] = rc == -EDOM ? CHECKED_UNLIKE : 0;
		len += (size_t)snprintf((char *)body + 1, sizeof(body) - 1, "%.*s", AGREE_WORDS_BYTES - 2, err.text);
		log_info("config: a proposal cannot run here: %s", err.text);
	}
	if (rc != -EAGAIN)
		peers_tell(c->a->d->peers, c->sender, MESSAGE_CHECKED, c->number, body, len);
	check_forget(c->a, c->sender);
	free(c);
}

/* One of each sender's waits: one that is asked again while it is looked at is that one. */
static bool check_note(struct agree *a, __u64 sender)
{
	for (size_t i = 0; i < a->checks; i++)
		if (a->check[i] == sender)
			return false;
	if (a->stopping || a->checks == AGREE_CHECKS)
		return false;
	a->check[a->checks++] = sender;
	return true;
}

static void check_take(struct agree *a, __u64 sender, __u32 number, const struct object_name *root, const __u8 *delta,
		       size_t len)
{
	struct check *c = malloc(sizeof(*c) + len);

	if (!c)
		return;
	*c = (struct check){.a = a, .sender = sender, .number = number, .root = *root, .len = len};
	memcpy(c->delta, delta, len);
	pthread_mutex_lock(&a->lock);
	if (!check_note(a, sender)) {
		free(c);
	} else if (workers_post(a->follows, check_run, c)) {
		a->checks--;
		free(c);
	}
	pthread_mutex_unlock(&a->lock);
}

/* --- others' answers --- */

void agree_answered(struct agree *a, __u64 node, __u32 number, const __u8 *body, size_t len)
{
	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->answers && number == a->question && len; i++) {
		struct agree_answer *w = &a->answer[i];

		if (w->node != node || w->came)
			continue;
		w->came = true;
		w->ready = body[0] == 1;
		w->unlike = body[0] == CHECKED_UNLIKE;
		snprintf(w->why, sizeof(w->why), "%.*s", (int)(len - 1), (const char *)body + 1);
		for (char *c = w->why; *c; c++)
			*c = (char)((unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c);
		pthread_cond_broadcast(&a->changed);
	}
	pthread_mutex_unlock(&a->lock);
}

void agree_message(struct agree *a, __u64 sender, const struct message *m)
{
	struct object_name root;

	if (!a)
		return;
	if (m->kind == MESSAGE_CHECKED) {
		agree_answered(a, sender, m->number, m->body.bytes, m->body.len);
		return;
	}
	if (m->body.len < sizeof(root))
		return;
	memcpy(&root, m->body.bytes, sizeof(root));
	if (m->kind == MESSAGE_CHECK)
		check_take(a, sender, m->number, &root, m->body.bytes + sizeof(root), m->body.len - sizeof(root));
	else if (m->body.len == sizeof(root))
		agree_gate_take(a, sender, m->number, &root);
}

/* Those that have not answered; by their places in a->answer. Of one that refuses: -EINVAL. */
static int answers_look(struct agree *a, __u32 kind, size_t no, struct agree_nodes *ret_missing, struct err *err)
{
	char why[AGREE_WORDS_BYTES] = "", name[STARLING_NAME_BYTES];
	__u64 refusing = 0;
	size_t refuse = 0;
	bool unlike = false;

	ret_missing->count = 0;
	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->answers; i++) {
		const struct agree_answer *w = &a->answer[i];

		if (!w->came)
			ret_missing->id[ret_missing->count++] = w->node;
		else if (!w->ready && (!w->unlike || refuse++ >= no)) {
			refusing = w->node;
			unlike = w->unlike;
			memcpy(why, w->why, sizeof(why));
		}
	}
	pthread_mutex_unlock(&a->lock);
	if (!refusing)
		return 0;
	return err_set(err, EINVAL, "%s%s: %s", peers_name(a->d->peers, refusing, name),
		       kind != MESSAGE_CHECK ? ""
		       : unlike		     ? " has not seen the like"
					     : " could not run it",
		       why);
}

/* Who runs something may be suspected for a moment: it is waited for until it is gone. */
static bool all_cut_off(struct agree *a, __u32 kind, const struct agree_nodes *missing)
{
	struct peers *peers = a->d->peers;

	for (size_t i = 0; i < missing->count; i++)
		if (kind == MESSAGE_RUN ? !peers_gone(peers, missing->id[i]) : peers_answers(peers, missing->id[i]))
			return false;
	return true;
}

struct question {
	__u32 kind, number;
	struct object_name root;
	size_t len; /* of what goes with it */
	__u8 delta[ASK_BYTES];
};

static void ask(struct agree *a, const struct question *q, const struct agree_nodes *whom)
{
	__u64 self = peers_self(a->d->peers);
	__u8 body[sizeof(q->root) + sizeof(q->delta)];

	memcpy(body, &q->root, sizeof(q->root));
	memcpy(body + sizeof(q->root), q->delta, q->len);
	for (size_t i = 0; i < whom->count; i++) {
		if (whom->id[i] == self)
			agree_gate_take(a, self, q->number, &q->root);
		else
			peers_tell(a->d->peers, whom->id[i], q->kind, q->number, body, sizeof(q->root) + q->len);
	}
}

/* Others most likely run what runs here. */
static void delta_make(struct agree *a, struct question *q)
{
	if (q->kind != MESSAGE_CHECK)
		return;
	pthread_mutex_lock(&a->lock);
	q->len = intent_delta_write(&a->objects, &q->root, &a->running, q->delta, sizeof(q->delta));
	pthread_mutex_unlock(&a->lock);
}

static __u32 question_begin(struct agree *a, const struct agree_nodes *whom)
{
	__u32 number;

	pthread_mutex_lock(&a->lock);
	number = ++a->question;
	memset(a->answer, 0, STARLING_ROSTER_NODES * sizeof(*a->answer));
	a->answers = whom->count;
	for (size_t i = 0; i < whom->count; i++)
		a->answer[i].node = whom->id[i];
	pthread_mutex_unlock(&a->lock);
	return number;
}

int agree_question(struct agree *a, __u32 kind, const struct object_name *root, const struct agree_nodes *whom,
		   __u32 wait_ms, size_t no, int (*own)(void *arg, struct err *err), void *arg,
		   struct agree_nodes *ret_silent, struct err *err)
{
	struct question q = {.kind = kind, .number = question_begin(a, whom), .root = *root};
	struct mono began = mono_now(), asked = began, now;
	__u32 repeat_ms;
	bool go_on;
	int rc;

	delta_make(a, &q);
	ask(a, &q, whom);
	repeat_ms = q.len ? ASK_PLAIN_MS : ASK_REPEAT_MS;
	q.len = 0; /* who does not answer may be of a version that knows of none */
	rc = own ? own(arg, err) : 0;
	if (rc)
		return rc;
	do {
		rc = answers_look(a, kind, no, ret_silent, err);
		now = mono_now();
		if (rc || !ret_silent->count || mono_ms(began, now) >= wait_ms ||
		    (mono_ms(began, now) >= ASK_LEAST_MS && all_cut_off(a, kind, ret_silent)))
			break;
		if (mono_ms(asked, now) >= repeat_ms) {
			ask(a, &q, ret_silent);
			asked = now;
			repeat_ms = ASK_REPEAT_MS;
		}
		pthread_mutex_lock(&a->lock);
		agree_wait(a, mono_after(now, 20));
		go_on = !a->stopping;
		pthread_mutex_unlock(&a->lock);
	} while (go_on);
	return rc;
}

struct own_try {
	struct agree *a;
	const struct object_name *root;
	const struct config *shared;
	bool careful;
};

static int own_try(void *arg, struct err *err)
{
	const struct own_try *t = arg;
	int rc = agree_try(t->a, t->shared, t->careful, err);

	return rc ? rc : agree_stage(t->a, t->root, err);
}

int agree_ask(struct agree *a, const struct object_name *root, const struct config *shared, bool careful, size_t no,
	      struct agree_nodes *ret_silent, struct err *err)
{
	struct own_try own = {a, root, shared, careful};
	struct agree_nodes others;

	others.count = peers_others(a->d->peers, others.id, STARLING_ROSTER_NODES);
	return agree_question(a, MESSAGE_CHECK, root, &others, ASK_MS, no, own_try, &own, ret_silent, err);
}
