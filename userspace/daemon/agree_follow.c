// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * From the register's value to what runs: fetch, check, apply, keep. Not here: how a value comes to be
 * (agree_change.c), files (agree_kept.c).
 */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/aside.h"
#include "core/config_file.h"
#include "daemon/agree_state.h"
#include "daemon/apply.h"
#include "daemon/audit.h"
#include "daemon/load.h"

#define RETRY_MS 3000 /* what could not be run is tried again */
#define SOURCES	 4    /* nodes that are asked for what lacks */

/* --- fetching --- */

struct fetched {
	struct agree *a;
	__u32 number;
};

static void on_fetched(void *arg, int rc)
{
	struct fetched *f = arg;
	struct agree *a = f->a;

	pthread_mutex_lock(&a->lock);
	if (f->number == a->fetch) {
		a->fetch_done = true;
		a->fetch_rc = rc;
		pthread_cond_broadcast(&a->changed);
	}
	pthread_mutex_unlock(&a->lock);
	free(f);
}

static bool is_whole(struct agree *a, const struct object_name *root)
{
	struct object_name lacking;

	return !agree_lacking(a, root, &lacking, 1);
}

/* One call. */
static int fetch_once(struct agree *a, __u64 node, const struct object_name *root, struct mono until)
{
	struct fetched *f = malloc(sizeof(*f));
	int rc;

	if (!f)
		return -ENOMEM;
	pthread_mutex_lock(&a->lock);
	a->fetch_done = false;
	*f = (struct fetched){a, ++a->fetch};
	pthread_mutex_unlock(&a->lock);
	rc = peers_fetch(a->d->peers, node, root, on_fetched, f);
	if (rc) {
		free(f);
		return rc;
	}
	pthread_mutex_lock(&a->lock);
	while (!a->fetch_done && agree_wait(a, until))
		;
	rc = a->fetch_done ? a->fetch_rc : -ETIMEDOUT;
	a->fetch++;
	pthread_mutex_unlock(&a->lock);
	return rc;
}

/* A node has few streams for others, and one of its own: who is turned away comes again. */
int agree_fetch(struct agree *a, __u64 node, const struct object_name *root, __u32 wait_ms)
{
	struct mono until = mono_after(mono_now(), wait_ms);
	int rc = is_whole(a, root) ? 0 : -EAGAIN;
	bool more = true;

	pthread_mutex_lock(&a->fetching);
	while (rc && more) {
		rc = is_whole(a, root) ? 0 : fetch_once(a, node, root, until);
		pthread_mutex_lock(&a->lock);
		more = (rc == -EBUSY || rc == -EIO) &&
		       agree_wait(a, mono_after(mono_now(), 50 + randombytes_uniform(200))) && mono_now().ns < until.ns;
		pthread_mutex_unlock(&a->lock);
	}
	pthread_mutex_unlock(&a->fetching);
	return rc;
}

/* From who made it, then from others: from whom first is drawn, so that at last all are asked. */
int agree_tree(struct agree *a, const struct object_name *root, __u64 maker)
{
	__u64 from[STARLING_ROSTER_NODES];
	size_t count = peers_others(a->d->peers, from, STARLING_ROSTER_NODES), first, i;
	int rc = -EHOSTUNREACH;

	if (!is_whole(a, root) && maker && maker != peers_self(a->d->peers) && peers_answers(a->d->peers, maker))
		rc = agree_fetch(a, maker, root, AGREE_FETCH_MS);
	first = count ? randombytes_uniform((__u32)count) : 0;
	for (i = 0; i < count && i < SOURCES && !is_whole(a, root); i++)
		rc = agree_fetch(a, from[(first + i) % count], root, AGREE_FETCH_MS);
	return is_whole(a, root) ? 0 : rc;
}

/* --- reading --- */

static int lines_parse(struct agree *a, const char *text, size_t len, struct config **ret, struct err *err)
{
	struct err_list errors = {0};
	int rc = load_parse_agreed(text, len, "the agreed configuration", &a->d->limits, ret, &errors);

	if (rc && errors.count)
		err_set(err, -rc, "%s", errors.err[0].text);
	else if (rc)
		err_set(err, -rc, "%s", strerror(-rc));
	err_list_free(&errors);
	return rc;
}

int agree_parse(struct agree *a, const char *text, size_t len, struct config **ret, struct err *err)
{
	size_t lines = asides_begin(text, len);
	int rc = lines_parse(a, text, lines, ret, err);

	if (!rc)
		rc = asides_read(*ret, text + lines, len - lines, err);
	if (rc) {
		config_free(*ret);
		*ret = NULL;
	}
	return rc;
}

/* What was read before; under the lock. NULL: nothing of that root. */
static const struct config *read_find(const struct agree *a, const struct object_name *root)
{
	for (size_t i = 0; i < AGREE_READ; i++)
		if (a->read[i].config && object_name_is(&a->read[i].root, root))
			return a->read[i].config;
	return NULL;
}

void agree_read_keep(struct agree *a, const struct object_name *root, const struct config *c)
{
	struct config *copy = config_copy(c);

	pthread_mutex_lock(&a->lock);
	if (copy && !read_find(a, root)) {
		config_free(a->read[AGREE_READ - 1].config);
		memmove(a->read + 1, a->read, (AGREE_READ - 1) * sizeof(a->read[0]));
		a->read[0] = (struct agree_read){*root, copy};
		copy = NULL;
	}
	pthread_mutex_unlock(&a->lock);
	config_free(copy);
}

static void on_gone(void *arg, const char *vip)
{
	struct config *c = arg;

	if (*vip)
		config_vip_delete(c, vip);
	else
		roster_free(&c->roster);
}

/* A change of few objects is read by these: @c is what @known says, and becomes what @root does. */
static int tree_update(struct agree *a, const struct object_name *root, const struct object_name *known,
		       struct config *c, struct err *err)
{
	struct buf text = BUF_INIT, again = BUF_INIT;
	struct config *changed = NULL;
	size_t lines = 0;
	int rc;

	pthread_mutex_lock(&a->lock);
	rc = intent_changed(&a->objects, root, known, &text, on_gone, c, err);
	pthread_mutex_unlock(&a->lock);
	if (!rc)
		lines = asides_begin(buf_text(&text), text.len);
	if (!rc)
		rc = lines_parse(a, buf_text(&text), lines, &changed, err);
	if (!rc) {
		config_export_agreed(changed, &again);
		if (again.len != lines || memcmp(buf_text(&again), buf_text(&text), lines) != 0)
			rc = err_set(err, EBADMSG, "an object is not written as its VIP is");
	}
	for (size_t i = 0; !rc && i < changed->vip_count; i++)
		rc = config_part_take(c, changed, changed->vip[i].name);
	if (!rc && changed->roster.count)
		rc = config_part_take(c, changed, "");
	if (!rc)
		rc = asides_read(c, buf_text(&text) + lines, text.len - lines, err);
	if (!rc)
		rc = config_check(c, &a->d->limits, err);
	config_free(changed);
	buf_free(&text);
	buf_free(&again);
	return rc;
}

static int tree_read(struct agree *a, const struct object_name *root, struct config **ret, struct err *err)
{
	struct buf text = BUF_INIT;
	struct config *c = NULL;
	int rc;

	pthread_mutex_lock(&a->lock);
	rc = intent_read(&a->objects, root, &text, err);
	pthread_mutex_unlock(&a->lock);
	if (!rc)
		rc = agree_parse(a, buf_text(&text), text.len, &c, err);
	buf_free(&text);
	if (rc)
		return rc;
	pthread_mutex_lock(&a->lock);
	rc = intent_same(&a->objects, root, c, &a->signing);
	pthread_mutex_unlock(&a->lock);
	if (rc) {
		config_free(c);
		return err_set(err, -rc, "its text is not the one that its names are of");
	}
	*ret = c;
	return 0;
}

int agree_read(struct agree *a, const struct object_name *root, const struct roster *roster,
	       struct intent_root *ret_root, struct config **ret, struct err *err)
{
	struct object_name known = {0};
	struct config *c = NULL;
	const struct config *found;
	struct err unused = {0};
	bool same = false;
	int rc;

	pthread_mutex_lock(&a->lock);
	rc = intent_root_read(&a->objects, root, roster, &a->signing, ret_root, err);
	found = rc ? NULL : read_find(a, root);
	same = found != NULL;
	if (!rc && !found && a->read[0].config) {
		known = a->read[0].root;
		found = a->read[0].config;
	}
	c = found ? config_copy(found) : NULL;
	pthread_mutex_unlock(&a->lock);
	if (rc)
		return rc;
	if (c && !same && tree_update(a, root, &known, c, &unused)) {
		config_free(c); /* what is wrong, the whole will tell */
		c = NULL;
	}
	if (!c)
		rc = tree_read(a, root, &c, err);
	if (rc)
		return rc;
	if (!same)
		agree_read_keep(a, root, c);
	*ret = c;
	return 0;
}

/* Signed by one who counts here, or who counts by the tree itself: the register has decided that it counts. */
static int signed_read(struct agree *a, const struct object_name *root, struct intent_root *ret_root,
		       struct config **ret, struct err *err)
{
	struct config *c = NULL;
	struct roster roster = {0};
	int rc = peers_roster_copy(a->d->peers, &roster);

	if (!rc)
		rc = agree_read(a, root, &roster, ret_root, ret, err);
	roster_free(&roster);
	if (rc != -EACCES)
		return rc;
	rc = agree_read(a, root, NULL, ret_root, &c, err);
	if (!rc)
		rc = agree_read(a, root, &c->roster, ret_root, ret, err);
	config_free(c);
	return rc;
}

/* --- applying --- */

struct applied_job {
	struct agree *a;
	const struct config *shared;
	const struct intent_root *root;
	struct buf text;   /* of @shared */
	struct roster was; /* that ran before; owned */
	struct apply_result result;
};

static int apply_run(struct plane *p, void *arg, struct err *err)
{
	struct applied_job *j = arg;
	struct config *wanted = config_compose(plane_config(p), j->shared);
	struct apply_how how = {
		.by = j->root->by, .command = j->root->command, .whole = true, .shared = &j->text, .agreed = true};
	int rc = agree_join_check(j->a, plane_config(p), j->shared, err);

	if (!rc)
		rc = roster_copy(&j->was, &plane_config(p)->roster);

	if (rc) {
		config_free(wanted);
		return rc;
	}
	return wanted ? apply_config(j->a->d, p, wanted, &how, NULL, &j->result, err)
		      : err_set(err, ENOMEM, "no memory for the agreed configuration");
}

/* --- following --- */

static int root_run(struct agree *a, const struct object_name *name, __u32 generation, __u64 maker, struct err *err)
{
	struct applied_job job = {.a = a};
	struct intent_root root;
	struct config *shared = NULL;
	__u32 before;
	int rc = agree_tree(a, name, maker);

	if (rc)
		return err_set(err, -rc, "nobody who answers has its objects");
	rc = signed_read(a, name, &root, &shared, err);
	if (rc)
		return rc;
	job.shared = shared;
	job.root = &root;
	pthread_mutex_lock(&a->lock);
	rc = intent_read(&a->objects, name, &job.text, err);
	before = a->running_generation;
	pthread_mutex_unlock(&a->lock);
	if (!rc)
		job.text.len = asides_begin(buf_text(&job.text), job.text.len); /* what is put aside is no line */
	if (!rc)
		rc = agree_plane(a, PLANE_NORMAL, apply_run, &job, err);
	if (!rc)
		agree_weighed(a, &job.was, &shared->roster, generation);
	config_free(shared);
	roster_free(&job.was);
	buf_free(&job.text);
	if (rc)
		return rc;
	agree_keep(a, name, &root, job.result.changes);
	log_notice("config: generation %u of the flock runs by=%s", generation, root.by);
	/* It may run by a revert, which is nobody's deed, and its maker's least of all. */
	audit_note(a->d->audit, NULL, "generation %u of the flock runs%s, made by %s: %s", generation,
		   generation < before ? " again" : "", root.by, root.command);
	return 0;
}

/* What the value that is known wants. Return: whether that does not run yet. */
static bool wanted_find(struct agree *a, struct object_name *ret_root, __u32 *ret_generation, __u64 *ret_maker)
{
	bool is;

	pthread_mutex_lock(&a->lock);
	*ret_generation = 0;
	*ret_maker = a->intent.by;
	is = a->value.version && !a->stopping;
	if (is)
		agree_wanted(a, &a->intent, ret_root, ret_generation);
	is = is && !object_name_is(ret_root, &a->running);
	pthread_mutex_unlock(&a->lock);
	return is;
}

void agree_objects_trim(struct agree *a)
{
	struct object_name keep[5];

	pthread_mutex_lock(&a->lock);
	keep[0] = a->running;
	keep[1] = a->intent.root;
	keep[2] = a->intent.previous;
	keep[3] = a->asked;
	keep[4] = a->staged;
	intent_keep(&a->objects, keep, 5);
	pthread_mutex_unlock(&a->lock);
}

static void ran(struct agree *a, const struct object_name *root, __u32 generation)
{
	pthread_mutex_lock(&a->lock);
	a->running = *root;
	a->running_generation = generation;
	a->joined = true;
	a->trouble[0] = '\0';
	pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
	agree_objects_trim(a);
}

int agree_follow(struct agree *a, struct err *err)
{
	struct object_name root;
	__u32 generation;
	__u64 maker;
	int rc = 0;

	pthread_mutex_lock(&a->applying);
	a->following = false;
	while (!rc && wanted_find(a, &root, &generation, &maker)) {
		rc = root_run(a, &root, generation, maker, err);
		if (!rc)
			ran(a, &root, generation);
	}
	if (rc) {
		pthread_mutex_lock(&a->lock);
		if (strcmp(a->trouble, err->text) != 0)
			log_error("config: generation %u of the flock does not run here: %s", generation, err->text);
		snprintf(a->trouble, sizeof(a->trouble), "%.*s", AGREE_WORDS_BYTES - 1, err->text);
		a->retry = mono_after(mono_now(), RETRY_MS);
		pthread_mutex_unlock(&a->lock);
	}
	pthread_mutex_unlock(&a->applying);
	return rc;
}

/* --- the start --- */

void agree_load(struct agree *a)
{
	struct object_name root;
	struct err err = {0};
	struct intent i;

	peers_register_value(a->d->peers, &a->value);
	if (!a->value.version || intent_decode(a->value.bytes, a->value.len, &a->intent)) {
		memset(&a->value, 0, sizeof(a->value));
		return;
	}
	agree_deadline_load(a);
	i = a->intent;
	lease_follow(&a->leases, &i, mono_now());
	if (agree_kept_load(a, i.generation, &root, &err))
		log_warning("config: generation %u of the flock is to be fetched: %s", i.generation, err.text);
	if (i.previous_generation && agree_kept_load(a, i.previous_generation, &root, &err))
		log_info("config: generation %u of the flock is not kept here", i.previous_generation);
	agree_staged_load(a);
}

/* The shared lines where what is agreed is not here, or cannot be read: those that run, or at the start the latest
 * kept. */
static struct config *shared_last(struct agree *a, struct plane *p)
{
	const struct config *runs = plane_config(p);
	struct config *c = NULL;
	struct intent_root said;
	struct object_name root;
	struct err err = {0};

	if (runs->vip_count || runs->roster.count)
		return config_copy(runs);
	for (size_t i = history_count(a->history); i-- && !c;)
		if (!agree_kept_load(a, history_at(a->history, i)->number, &root, &err))
			agree_read(a, &root, NULL, &said, &c, &err);
	return c;
}

int agree_own(struct agree *a, struct plane *p, struct config **wanted)
{
	struct intent_root said;
	struct object_name root;
	struct config *shared = NULL, *composed;
	struct err err = {0};
	__u32 generation = 0;
	bool on, agreed;

	pthread_mutex_lock(&a->lock);
	on = a->value.version && a->joined;
	if (on)
		agree_wanted(a, &a->intent, &root, &generation);
	pthread_mutex_unlock(&a->lock);
	if (!on)
		return 0;
	agreed = is_whole(a, &root) && !agree_read(a, &root, NULL, &said, &shared, &err);
	if (!agreed)
		shared = shared_last(a, p);
	if (!shared) {
		log_warning("config: generation %u is agreed on and not here: the file's shared lines have to do",
			    generation);
		return 0;
	}
	composed = config_compose(*wanted, shared);
	pthread_mutex_lock(&a->lock);
	a->file_differs = (*wanted)->vip_count && !config_shared_same(*wanted, shared);
	if (a->file_differs)
		log_warning("config: the file's shared lines are not those that the flock has agreed on: they are not "
			    "applied");
	if (composed && agreed && object_name_none(&a->running)) {
		a->running = root;
		a->running_generation = generation;
	}
	pthread_mutex_unlock(&a->lock);
	config_free(shared);
	if (!composed)
		return -ENOMEM;
	config_free(*wanted);
	*wanted = composed;
	return 0;
}
