// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who is in the flock beside those that the configuration lists, and who no longer is: invitations given and taken,
 * nodes let in and forgotten, and the roster that follows. Not here: the rules (core/admission.h), the flock's keys
 * (peers_keys.c).
 */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/lex.h"
#include "daemon/audit.h"
#include "daemon/peers_state.h"
#include "io/state_file.h"

#define ADMISSION_FILE "admission"

/* --- on disk --- */

int peers_admission_load(struct peers *p, struct err *err)
{
	char path[PATH_MAX], *text = NULL;
	size_t len;
	int rc = daemon_path(path, p->d->state_dir, ADMISSION_FILE, err);

	if (!rc)
		rc = state_file_read(path, &text, &len, err);
	if (!rc && admission_read(&p->admission, text))
		rc = err_set(err, EBADMSG, "%s is of another version", path);
	if (text)
		sodium_memzero(text, len);
	free(text);
	if (rc == -EBADMSG)
		log_error("flock: %s; who was let in or forgotten is learned again from the others", err->text);
	return rc == -ENOENT || rc == -EBADMSG ? 0 : rc;
}

static int admission_save(struct peers *p, struct err *err)
{
	struct buf out = BUF_INIT;
	char path[PATH_MAX];
	int rc = daemon_path(path, p->d->state_dir, ADMISSION_FILE, err);

	admission_write(&p->admission, &out);
	if (!rc && buf_error(&out))
		rc = err_set(err, ENOMEM, "no memory for %s", path);
	if (!rc)
		rc = state_file_write_secret(path, buf_text(&out), out.len, err);
	p->d->store_errors += rc != 0;
	if (out.len)
		sodium_memzero(out.text, out.len);
	buf_free(&out);
	return rc;
}

/* --- the roster --- */

static struct roster_node self_of(const struct peers *p)
{
	struct roster_node self = {.key = p->identity.key,
				   .id = p->identity.id,
				   .roles = p->d->options.no_dataplane ? ROLE_WITNESS : ROSTER_ROLES_DEFAULT,
				   .stake = ROSTER_STAKE_DEFAULT};

	memcpy(self.name, p->d->node, sizeof(self.name));
	memcpy(self.site, p->settings.site, sizeof(self.site));
	return self;
}

static void change_log(const struct peers *p, const struct roster_node *node, const char *what)
{
	char id[ROSTER_ID_TEXT_BYTES];

	log_notice("flock: node %s is %s id=%s", node->name, what, roster_id_format(node->id, id));
	audit_note(p->d->audit, NULL, "node %s is %s, id %s", node->name, what, id);
}

static void changes_log(const struct peers *p, const struct roster *next)
{
	/* The first roster has whom the disk has: they were let in before. */
	for (size_t i = 0; p->rostered && i < next->count; i++)
		if (!roster_find_id(&p->roster, next->node[i].id) &&
		    !roster_find_id(&p->settings.roster, next->node[i].id) && next->node[i].id != p->identity.id)
			change_log(p, &next->node[i], "let in");
	for (size_t i = 0; i < p->roster.count; i++)
		if (admission_is_forgotten(&p->admission, p->roster.node[i].id))
			change_log(p, &p->roster.node[i], "forgotten");
}

bool peers_roster_use(struct peers *p)
{
	struct roster_node self = self_of(p);
	struct admission_rules rules = {p->settings.admission, &p->settings.roster, &self};
	size_t admitted = p->admission.admitted.count, forgotten = p->admission.forgotten_count;
	struct roster next;
	struct err err = {0};

	if (admission_roster(&p->admission, &rules, p->flock ? flock_pages(p->flock) : NULL, &next) ||
	    channel_roster(p->channel, &next) ||
	    (p->flock && !roster_same(&p->roster, &next) && flock_roster(p->flock, &next))) {
		log_error("flock: no memory for the roster");
		roster_free(&next);
		return false;
	}
	if ((p->admission.admitted.count > admitted || p->admission.forgotten_count > forgotten) &&
	    admission_save(p, &err))
		log_error("flock: who was let in or forgotten is not kept: %s", err.text);
	changes_log(p, &next);
	roster_free(&p->roster);
	p->roster = next;
	p->rostered = true;
	p->readmits_read = 0; /* others may be admins */
	return roster_find_id(&p->roster, p->identity.id) != NULL;
}

void peers_admission_publish(struct peers *p)
{
	struct roster_node self = self_of(p);
	struct admission_rules rules = {p->settings.admission, &p->settings.roster, &self};
	struct page_draft *draft;
	size_t count;

	if (!p->flock || (!p->admission.own.count && !p->admission.forgotten_count))
		return;
	draft = calloc(ADMISSION_PAGES, sizeof(*draft));
	count = draft ? admission_pages(&p->admission, &rules, draft, ADMISSION_PAGES) : 0;
	for (size_t i = 0; i < count; i++)
		peers_page_publish(p, PAGE_KIND_ADMISSION, (__u16)i, &draft[i]);
	page_author_trim(&p->author, PAGE_KIND_ADMISSION, count);
	free(draft);
}

static bool word_counts(struct peers *p)
{
	struct roster_node self = self_of(p);
	struct admission_rules rules = {p->settings.admission, &p->settings.roster, &self};

	return admission_counts(&p->admission, &rules, p->flock ? flock_pages(p->flock) : NULL);
}

static int not_heeded(struct err *err)
{
	return err_set(
		err, EPERM,
		"the others do not heed this node there: do it on one that they list, an admin if there are some");
}

/* --- to let in --- */

/* The invitation that a claim shows; it is used up. */
static bool invitation_use(struct peers *p, const struct claim *claim)
{
	struct mono now = mono_now();

	for (size_t i = 0; i < PEERS_INVITATIONS; i++) {
		struct peers_invitation *v = &p->invitation[i];

		if (v->until.ns > now.ns && claim_right(claim, v->secret)) {
			sodium_memzero(v, sizeof(*v));
			return true;
		}
	}
	return false;
}

int peers_stranger(void *arg, const struct claim *claim)
{
	struct peers *p = arg;
	struct roster_node node = {.key = *claim->key, .roles = ROSTER_ROLES_DEFAULT, .stake = ROSTER_STAKE_DEFAULT};
	struct err err = {0};

	node.id = roster_id(&node.key);
	if (admission_is_forgotten(&p->admission, node.id) || p->settings.admission == ADMISSION_LISTED)
		return -EPERM;
	if (claim->knock ? !invitation_use(p, claim) : p->settings.admission != ADMISSION_OPEN)
		return -EPERM;
	if (!roster_find_id(&p->admission.own, node.id)) {
		if (lex_is_name(claim->name) && !roster_find(&p->admission.own, claim->name))
			memcpy(node.name, claim->name, strlen(claim->name) + 1);
		else
			roster_id_format(node.id, node.name);
		if (lex_is_name(claim->site))
			memcpy(node.site, claim->site, strlen(claim->site) + 1);
		if (roster_add(&p->admission.own, &node, &err) || admission_save(p, &err))
			log_error("flock: node %s: %s", node.name, err.text);
	}
	peers_roster_use(p);
	peers_admission_publish(p);
	return roster_find_id(&p->roster, node.id) ? 0 : -EAGAIN; /* another one has to vouch for it, too */
}

int peers_invite(struct peers *p, __u32 ttl_ms, char message[256], struct err *err)
{
	struct mono now = mono_now();
	struct invitation text = {.until_s = wall_ms() / 1000 + ttl_ms / 1000};
	struct peers_invitation *v = NULL;
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < PEERS_INVITATIONS && !v; i++)
		if (p->invitation[i].until.ns <= now.ns)
			v = &p->invitation[i];
	if (!p->flock || !p->ring.count)
		rc = err_set(err, ENOENT, "this node has no part in a flock with keys");
	else if (p->settings.admission == ADMISSION_LISTED)
		rc = err_set(err, EPERM,
			     "only the roster's nodes are let in: `node set admission vouched`, on every node");
	else if (!word_counts(p))
		rc = not_heeded(err);
	else if (!v)
		rc = err_set(err, ENOSPC, "%d invitations are open already", PEERS_INVITATIONS);
	else {
		randombytes_buf(v->secret, sizeof(v->secret));
		v->until.ns = now.ns + ttl_ms * 1000000ull;
		text.key = p->identity.key;
		text.at = p->settings.at;
		memcpy(text.secret, v->secret, sizeof(text.secret));
		invitation_format(&text, message);
		log_notice("flock: an invitation is given, for %u s", ttl_ms / 1000);
	}
	pthread_mutex_unlock(&p->lock);
	sodium_memzero(&text, sizeof(text));
	return rc;
}

/* --- to be let in --- */

void peers_invitation_use(struct peers *p)
{
	const struct sponsor *s = &p->admission.sponsor;

	channel_invitation(p->channel, s->known && s->waits ? s->secret : NULL, p->d->node, p->settings.site);
}

void peers_invitation_answered(struct peers *p)
{
	struct err err = {0};

	if (!p->admission.sponsor.waits)
		return;
	p->admission.sponsor.waits = false;
	sodium_memzero(p->admission.sponsor.secret, sizeof(p->admission.sponsor.secret));
	peers_invitation_use(p);
	if (admission_save(p, &err))
		log_error("flock: %s", err.text);
}

static int sponsor_set(struct peers *p, const struct invitation *v, struct err *err)
{
	struct sponsor before = p->admission.sponsor;
	int rc;

	p->admission.sponsor = (struct sponsor){.known = true, .key = v->key, .at = v->at, .waits = true};
	memcpy(p->admission.sponsor.secret, v->secret, sizeof(v->secret));
	rc = admission_save(p, err);
	if (rc)
		p->admission.sponsor = before;
	sodium_memzero(&before, sizeof(before));
	return rc;
}

int peers_accept(struct peers *p, const char *text, bool dry, struct err *err)
{
	struct invitation v;
	int rc = 0;

	if (invitation_parse(text, &v))
		return err_set(err, EINVAL, "standard input has no invitation: `starling node invite` prints one");
	pthread_mutex_lock(&p->lock);
	if (!p->settings.at.port)
		rc = err_set(err, ENOENT, "this balancer has no address for others: `node set address`");
	else if (roster_id(&v.key) == p->identity.id)
		rc = err_set(err, EINVAL, "this balancer itself has given the invitation");
	else if (v.until_s < wall_ms() / 1000)
		rc = err_set(err, ETIMEDOUT, "the invitation has ended");
	else if (p->ring.count && !p->admission.sponsor.known)
		rc = err_set(err, EEXIST, "this balancer is in a flock already");
	else if (!dry)
		rc = sponsor_set(p, &v, err);
	if (!rc && !dry) {
		p->changed = true;
		loop_post(p->d->loop, peers_settings_due, p);
	}
	pthread_mutex_unlock(&p->lock);
	sodium_memzero(&v, sizeof(v));
	return rc;
}

/* --- to forget --- */

static int forget(struct peers *p, const struct roster_node *node, struct err *err)
{
	struct fact_forgotten f = {.id = node->id, .date_ms = wall_ms()};
	int rc;

	memcpy(f.name, node->name, sizeof(f.name));
	rc = admission_forget(&p->admission, &f);
	if (rc)
		return err_set(err, ENOSPC, "%d nodes are forgotten already, which is as many as fit",
			       ADMISSION_FORGOTTEN);
	rc = admission_save(p, err);
	if (rc) {
		p->admission.forgotten_count--;
		return rc;
	}
	peers_roster_use(p);
	peers_admission_publish(p);
	return peers_keys_renew(p, err);
}

int peers_forget(struct peers *p, const char *name, bool dry, char message[256], struct err *err)
{
	const struct roster_node *node;
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	node = roster_find(&p->roster, name);
	if (!p->flock || !p->ring.count)
		rc = err_set(err, ENOENT, "this node has no part in a flock with keys");
	else if (!node)
		rc = err_set(err, ENOENT, "no node %s: see `starling roster show`", name);
	else if (node->id == p->identity.id)
		rc = err_set(err, EINVAL, "a node does not forget itself: `node leave`, or ask another one");
	else if (!word_counts(p))
		rc = not_heeded(err);
	else if (!dry)
		rc = forget(p, node, err);
	if (!rc)
		snprintf(message, 256,
			 "node %s is forgotten, for good, and the keys are others; if a configuration "
			 "lists it, take it out",
			 name);
	pthread_mutex_unlock(&p->lock);
	return rc;
}

int peers_roster_copy(struct peers *p, struct roster *ret)
{
	int rc;

	pthread_mutex_lock(&p->lock);
	rc = roster_copy(ret, &p->roster);
	pthread_mutex_unlock(&p->lock);
	return rc;
}
