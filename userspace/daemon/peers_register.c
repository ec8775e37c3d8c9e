// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * This node's part of the register: its store on the disk, messages, what is told to those who do not vote. Not here:
 * the protocol (core/caspaxos.h), what the value says and what follows from it (agree.c).
 *
 * The file is the truth of a voter, so it is on the disk before anything that rests on it is said. Beside it, in the
 * run directory, which no backup holds and no reboot leaves, lies its digest: a file that has it is the last one that
 * was written. Without it the file may be an older one, and the others are asked first.
 */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/caspaxos_wire.h"
#include "core/message_wire.h"
#include "daemon/agree.h"
#include "daemon/peers_state.h"
#include "io/state_file.h"

#define REGISTER_TOLD  1 /* the one entry of its page: a TOLD, of store and decided value alone */
#define STATE_BYTES    2048
#define MARK_HEX_BYTES 65

/* --- on the disk --- */

static void mark_make(const void *bytes, size_t len, char hex[MARK_HEX_BYTES])
{
	unsigned char sum[(MARK_HEX_BYTES - 1) / 2];

	crypto_generichash(sum, sizeof(sum), bytes, len, NULL, 0);
	sodium_bin2hex(hex, MARK_HEX_BYTES, sum, sizeof(sum));
}

static void mark_write(const struct peers *p, const void *bytes, size_t len)
{
	char path[PATH_MAX], hex[MARK_HEX_BYTES];
	struct err err = {0};

	mark_make(bytes, len, hex);
	if (daemon_path(path, p->d->run_dir, "register.last", &err) ||
	    state_file_write_quick(path, hex, MARK_HEX_BYTES - 1, &err))
		log_warning("register: after a restart the others will be asked: %s", err.text);
}

static bool mark_is(const struct peers *p, const void *bytes, size_t len)
{
	char path[PATH_MAX], hex[MARK_HEX_BYTES], *text = NULL;
	struct err err = {0};
	size_t text_len = 0;
	bool is;

	mark_make(bytes, len, hex);
	is = !daemon_path(path, p->d->run_dir, "register.last", &err) &&
	     !state_file_read(path, &text, &text_len, &err) && text_len == MARK_HEX_BYTES - 1 &&
	     !memcmp(text, hex, text_len);
	free(text);
	return is;
}

static int on_save(void *arg, const struct caspaxos_state *state)
{
	struct peers *p = arg;
	char path[PATH_MAX];
	__u8 bytes[STATE_BYTES];
	struct err err = {0};
	int len = caspaxos_state_encode(state, bytes, sizeof(bytes)), rc;

	if (len < 0)
		return len;
	rc = daemon_path(path, p->d->state_dir, "register", &err);
	if (!rc)
		rc = state_file_write(path, (const char *)bytes, (size_t)len, &err);
	if (!rc) {
		mark_write(p, bytes, (size_t)len);
		return 0;
	}
	p->d->store_errors++;
	if (!caspaxos_broken(p->caspaxos))
		log_error("register: this node does not vote until it can write: %s", err.text);
	return rc;
}

/* --- messages --- */

void peers_say(struct peers *p, __u64 to, enum message_kind kind, __u32 number, const void *body, size_t len)
{
	struct message m = {.kind = kind, .number = number, .body = {body, len}};
	__u8 bytes[SEAL_DATAGRAM_MAX];
	struct opinion_view view;
	int n = message_encode(&m, bytes, OPINION_MESSAGE_BYTES);

	if (n > 0 && !opinion_state(flock_opinion(p->flock), to, &view) && view.at.port)
		channel_send(p->channel, mono_now(), to, &view.at, bytes, (size_t)n);
}

static void on_send(void *arg, __u64 to, const struct caspaxos_message *m)
{
	struct peers *p = arg;
	__u8 bytes[CASPAXOS_WIRE_BYTES];
	int len = caspaxos_encode(m, bytes, sizeof(bytes));

	if (len > 0 && p->flock)
		peers_say(p, to, MESSAGE_REGISTER, 0, bytes, (size_t)len);
}

static void on_decided(void *arg, const struct caspaxos_value *value)
{
	struct peers *p = arg;

	log_debug("register: version %llu of %016llx is known", (unsigned long long)value->version,
		  (unsigned long long)value->id);
	peers_register_publish(p);
	agree_learned(p->d->agree, value);
}

void peers_register_message(struct peers *p, __u64 sender, const struct message *m)
{
	struct caspaxos_message r;

	if (!caspaxos_decode(m->body.bytes, m->body.len, &r))
		caspaxos_receive(p->caspaxos, mono_now(), sender, &r);
}

/* --- pages --- */

void peers_register_publish(struct peers *p)
{
	struct caspaxos_message m = {.kind = CASPAXOS_TOLD, .store = caspaxos_store(p->caspaxos)};
	struct page_draft draft = {0};
	__u8 bytes[CASPAXOS_WIRE_BYTES];
	int len;

	if (!p->flock)
		return;
	m.decided = *caspaxos_value(p->caspaxos);
	m.id = m.decided.id;
	m.version = m.decided.version;
	len = caspaxos_encode(&m, bytes, sizeof(bytes));
	if (len > 0 && !page_entry_add(&draft, REGISTER_TOLD, bytes, (size_t)len))
		peers_page_publish(p, PAGE_KIND_REGISTER, 0, &draft);
}

static int page_read(const struct page *page, struct caspaxos_message *ret)
{
	struct page_entry entry;
	size_t at = 0;

	while (page_entry_next(page, &at, &entry))
		if (entry.type == REGISTER_TOLD)
			return caspaxos_decode(entry.value, entry.len, ret);
	return -ENOENT;
}

void peers_register_page(struct peers *p, const struct page *page)
{
	struct caspaxos_message m;

	if (!page_read(page, &m) && m.decided.version)
		caspaxos_learn(p->caspaxos, mono_now(), &m.decided);
}

int peers_register_told(struct peers *p, __u64 node, struct caspaxos_message *ret)
{
	struct page page;
	size_t next = 0;

	while (p->flock && page_store_next(flock_pages(p->flock), node, &next, &page))
		if (page.kind == PAGE_KIND_REGISTER)
			return page_read(&page, ret);
	return -ENOENT;
}

/* --- its life --- */

/* Return: 0, or why there is none that can be used; @ret_sure: it is the last one that was written. */
static int state_read(struct peers *p, struct caspaxos_state *ret, bool *ret_sure, struct err *err)
{
	char path[PATH_MAX], *text = NULL;
	size_t len = 0;
	int rc = daemon_path(path, p->d->state_dir, "register", err);

	if (!rc)
		rc = state_file_read(path, &text, &len, err);
	if (!rc && caspaxos_state_decode(text, len, ret))
		rc = err_set(err, EBADMSG, "%s is no store of a register", path);
	*ret_sure = !rc && mark_is(p, text, len);
	free(text);
	return rc;
}

int peers_register_load(struct peers *p, struct err *err)
{
	struct caspaxos_config config = {.id = p->identity.id, .hooks = {p, on_send, on_save, on_decided}};
	struct caspaxos_state state = {0};
	bool sure;
	int rc = state_read(p, &state, &sure, err);

	if (rc && rc != -ENOENT && rc != -EBADMSG)
		return rc;
	if (rc == -EBADMSG)
		log_error("register: %s: this node is no voter with the new store", err->text);
	if (!rc && !sure)
		log_notice("register: its store may be an older one: the others are asked before this node votes");
	if (rc) {
		randombytes_buf(&state.store, sizeof(state.store));
		state.store |= 1;
		sure = true;
	}
	randombytes_buf(&config.seed, sizeof(config.seed));
	p->caspaxos = caspaxos_new(&config, &state, sure);
	if (!p->caspaxos)
		return err_set(err, ENOMEM, "no memory for the register");
	if (rc) /* its store is told before it is asked anything: it has to last */
		on_save(p, &state);
	return 0;
}

void peers_register_value(struct peers *p, struct caspaxos_value *ret)
{
	pthread_mutex_lock(&p->lock);
	*ret = *caspaxos_value(p->caspaxos);
	pthread_mutex_unlock(&p->lock);
}

/* --- proposals, from any thread --- */

struct proposal {
	struct peers *p;
	struct caspaxos_change change;
	__u32 wait_ms;
};

static void proposal_run(void *arg)
{
	struct proposal *r = arg;
	struct peers *p = r->p;
	int rc = -ESHUTDOWN;

	pthread_mutex_lock(&p->lock);
	if (p->d->peers)
		rc = caspaxos_propose(p->caspaxos, mono_now(), &r->change, r->wait_ms);
	if (rc)
		r->change.done(r->change.arg, CASPAXOS_FAILED, rc, caspaxos_value(p->caspaxos));
	if (p->flock)
		peers_step(p);
	pthread_mutex_unlock(&p->lock);
	free(r);
}

int peers_register_propose(struct peers *p, const struct caspaxos_change *change, __u32 wait_ms)
{
	struct proposal *r = malloc(sizeof(*r));

	if (!r)
		return -ENOMEM;
	*r = (struct proposal){p, *change, wait_ms};
	if (!loop_post(p->d->loop, proposal_run, r))
		return 0;
	free(r);
	return -ENOMEM;
}

int peers_register_begin(struct peers *p, const struct caspaxos_value *value)
{
	int rc;

	pthread_mutex_lock(&p->lock);
	rc = caspaxos_begin(p->caspaxos, value);
	pthread_mutex_unlock(&p->lock);
	return rc;
}

int peers_register_store(struct peers *p, const char *name, __u64 *ret_node, __u64 *ret_store)
{
	const struct roster_node *node;
	struct caspaxos_message m;
	int rc = -ENOENT;

	pthread_mutex_lock(&p->lock);
	node = roster_find(&p->roster, name);
	if (node)
		rc = node->id == p->identity.id || !peers_register_told(p, node->id, &m) ? 0 : -EAGAIN;
	if (!rc) {
		*ret_node = node->id;
		*ret_store = node->id == p->identity.id ? caspaxos_store(p->caspaxos) : m.store;
	}
	pthread_mutex_unlock(&p->lock);
	return rc;
}

bool peers_register_answers(struct peers *p, __u64 id, const struct voter *voter)
{
	struct caspaxos_message m;
	bool is = voter->node == p->identity.id || peers_answers(p, voter->node);

	pthread_mutex_lock(&p->lock);
	if (voter->node == p->identity.id)
		is = caspaxos_store(p->caspaxos) == voter->store;
	else if (is && !peers_register_told(p, voter->node, &m))
		is = m.store == voter->store && (!id || !m.decided.version || m.decided.id == id);
	pthread_mutex_unlock(&p->lock);
	return is;
}

/* Another register that a live node tells of; NULL: nobody does. */
static const struct roster_node *other_find(struct peers *p, struct caspaxos_message *ret)
{
	const struct caspaxos_value *v = caspaxos_value(p->caspaxos);
	struct endpoint at;

	for (size_t i = 0; p->flock && i < p->roster.count; i++) {
		const struct roster_node *node = &p->roster.node[i];

		if (peers_live(p, node, &at) && !peers_register_told(p, node->id, ret) && ret->decided.version &&
		    ret->decided.id != v->id && caspaxos_value_check(&ret->decided))
			return node;
	}
	return NULL;
}

bool peers_register_none(struct peers *p)
{
	struct caspaxos_message m;
	struct endpoint at;
	bool none = false;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; p->flock && i < p->roster.count && !none; i++)
		none = peers_live(p, &p->roster.node[i], &at) && !peers_register_told(p, p->roster.node[i].id, &m) &&
		       !m.decided.version;
	pthread_mutex_unlock(&p->lock);
	return none;
}

int peers_register_other(struct peers *p, struct caspaxos_value *ret)
{
	struct caspaxos_message m;
	int rc = -ENOENT;

	pthread_mutex_lock(&p->lock);
	if (other_find(p, &m)) {
		*ret = m.decided;
		rc = 0;
	}
	pthread_mutex_unlock(&p->lock);
	return rc;
}

/* The first voter whose store is not the one that was named; under the lock. NULL: none is known. */
static const struct roster_node *renewed_find(struct peers *p)
{
	const struct caspaxos_value *v = caspaxos_value(p->caspaxos);
	struct caspaxos_message m;

	for (__u32 i = 0; i < v->voters; i++) {
		const struct roster_node *node = roster_find_id(&p->roster, v->voter[i].node);

		if (!node)
			continue;
		m.store = caspaxos_store(p->caspaxos);
		if (node->id != p->identity.id && peers_register_told(p, node->id, &m))
			continue;
		if (m.store != v->voter[i].store)
			return node;
	}
	return NULL;
}

void peers_register_problems(struct peers *p, void (*tell)(void *arg, const char *text), void *arg)
{
	const struct roster_node *other, *renewed;
	char text[160] = "", new_store[160] = "";
	struct caspaxos_message m;
	bool recovering, broken;

	pthread_mutex_lock(&p->lock);
	recovering = caspaxos_recovering(p->caspaxos);
	broken = caspaxos_broken(p->caspaxos);
	other = other_find(p, &m);
	if (other)
		snprintf(text, sizeof(text),
			 "register: %s has another one: `config takeover` on one side follows the other", other->name);
	renewed = renewed_find(p);
	if (renewed)
		snprintf(new_store, sizeof(new_store),
			 "register: %s does not vote, its store is a new one: `config voters` names it again",
			 renewed->name);
	pthread_mutex_unlock(&p->lock);
	if (recovering)
		tell(arg,
		     "register: this voter asks the others whether its store is an older one, and does not vote yet");
	if (broken)
		tell(arg, "register: this voter does not vote: its store cannot be written");
	if (text[0])
		tell(arg, text);
	if (new_store[0])
		tell(arg, new_store);
}

/* --- others --- */

struct saying {
	struct peers *p;
	__u64 to;
	__u32 kind;
	__u32 number;
	size_t len;
	__u8 body[];
};

static void say_run(void *arg)
{
	struct saying *s = arg;
	struct peers *p = s->p;

	pthread_mutex_lock(&p->lock);
	if (p->flock) {
		peers_say(p, s->to, (enum message_kind)s->kind, s->number, s->body, s->len);
		gossip_flush(p->gossip);
	}
	pthread_mutex_unlock(&p->lock);
	free(s);
}

int peers_tell(struct peers *p, __u64 to, __u32 kind, __u32 number, const void *body, size_t len)
{
	struct saying *s = malloc(sizeof(*s) + len);

	if (!s)
		return -ENOMEM;
	*s = (struct saying){p, to, kind, number, len};
	memcpy(s->body, body, len);
	if (!loop_post(p->d->loop, say_run, s))
		return 0;
	free(s);
	return -ENOMEM;
}

size_t peers_others(struct peers *p, __u64 *ret_id, size_t room)
{
	struct endpoint at;
	size_t count = 0;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; p->flock && i < p->roster.count && count < room; i++)
		if (peers_live(p, &p->roster.node[i], &at))
			ret_id[count++] = p->roster.node[i].id;
	pthread_mutex_unlock(&p->lock);
	return count;
}

static enum member_state state_of(struct peers *p, __u64 node)
{
	struct opinion_view view;
	enum member_state state = MEMBER_LEFT;

	pthread_mutex_lock(&p->lock);
	if (p->flock && !opinion_state(flock_opinion(p->flock), node, &view))
		state = view.state;
	pthread_mutex_unlock(&p->lock);
	return state;
}

bool peers_answers(struct peers *p, __u64 node)
{
	enum member_state state = state_of(p, node);

	return state == MEMBER_ALIVE || state == MEMBER_UNFIT;
}

bool peers_gone(struct peers *p, __u64 node)
{
	enum member_state state = state_of(p, node);

	return state == MEMBER_DEAD || state == MEMBER_LEFT;
}

const char *peers_name(struct peers *p, __u64 node, char text[STARLING_NAME_BYTES])
{
	const struct roster_node *found;

	pthread_mutex_lock(&p->lock);
	found = roster_find_id(&p->roster, node);
	if (found)
		memcpy(text, found->name, STARLING_NAME_BYTES);
	else
		roster_id_format(node, text);
	pthread_mutex_unlock(&p->lock);
	return text;
}

const char *peers_site(struct peers *p, __u64 node, char text[STARLING_NAME_BYTES])
{
	const struct roster_node *found;

	pthread_mutex_lock(&p->lock);
	found = roster_find_id(&p->roster, node);
	snprintf(text, STARLING_NAME_BYTES, "%s", found ? found->site : "");
	pthread_mutex_unlock(&p->lock);
	return text;
}

__s64 peers_clock_offset_ms(struct peers *p, __u64 node)
{
	struct opinion_view view;

	return p->flock && !opinion_state(flock_opinion(p->flock), node, &view) ? view.offset_us / 1000 : 0;
}

__u64 peers_self(struct peers *p)
{
	__u64 id;

	pthread_mutex_lock(&p->lock);
	id = p->identity.id;
	pthread_mutex_unlock(&p->lock);
	return id;
}

struct signing peers_signing(struct peers *p)
{
	return p->signing;
}
