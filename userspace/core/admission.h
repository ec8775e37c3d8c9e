/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who counts beside those that the configuration lists, and who no longer does. The roster that a node uses is what its
 * configuration lists, with whom others vouch for, without whom the flock has forgotten. A value, and pure. Not here:
 * invitations and how they are proven (io/channel.h), the roster itself (roster.h).
 *
 * In mode `vouched` a node is admitted when enough of the listed ones vouch for it: one where fewer than four are
 * listed, else two. A node whose configuration lists nobody, since it came by an invitation, trusts who invited it and
 * whom that one lists. In mode `open` one voucher is enough, and everybody may be one. Who is admitted stays so.
 *
 * Who is forgotten is so by its key, for good, wherever it is listed: it comes back with another identity. Who may
 * change the flock's keys may forget a node: the admins of the listed nodes, or all of them if there are none.
 */
#ifndef STARLING_CORE_ADMISSION_H
#define STARLING_CORE_ADMISSION_H

#include "base/addr.h"
#include "core/fact.h"
#include "core/model.h"
#include "core/page_store.h"
#include "core/roster.h"

#define ADMISSION_FORGOTTEN 256
#define ADMISSION_PAGES	    128 /* of one node */
#define INVITATION_BYTES    32	/* of the secret */

struct admission {
	struct roster own;	/* whom this node vouches for */
	struct roster admitted; /* who was admitted, by whose word ever */
	struct fact_forgotten forgotten[ADMISSION_FORGOTTEN];
	size_t forgotten_count;
	struct sponsor {
		bool known; /* this node came by an invitation */
		struct roster_key key;
		struct endpoint at;
		bool waits; /* the invitation has still to be answered */
		__u8 secret[INVITATION_BYTES];
	} sponsor;
};

struct admission_rules {
	enum admission_mode mode;
	const struct roster *listed;	/* by the configuration */
	const struct roster_node *self; /* counts where it has a sponsor, or the mode is open; its id is set */
};

void admission_free(struct admission *a); /* empties it */

/**
 * admission_roster() - who counts now
 * @a:		who is admitted, and who is forgotten, by what the pages say, is added
 * @pages:	NULL: none
 * @ret:	owned by the caller: roster_free(); empty on failure
 *
 * Return: 0, or -ENOMEM.
 */
int admission_roster(struct admission *a, const struct admission_rules *rules, const struct page_store *pages,
		     struct roster *ret);

/* Whether @id may change keys and forget nodes, going by a roster. */
bool admission_allowed(const struct roster *roster, __u64 id);

/* Whether others heed what this node says of who is in: `node invite` and `node forget`. */
bool admission_counts(struct admission *a, const struct admission_rules *rules, const struct page_store *pages);
bool admission_is_forgotten(const struct admission *a, __u64 id);

/* Return: 0; -EEXIST, it is; -ENOSPC. */
int admission_forget(struct admission *a, const struct fact_forgotten *f);

/**
 * admission_pages() - what a node tells the others
 * @draft:	@room of them, empty
 *
 * Return: how many are used, from 0 on; what has no room is not told.
 */
size_t admission_pages(const struct admission *a, const struct admission_rules *rules, struct page_draft *draft,
		       size_t room);

/* As text for a file, a line each; the secret of an invitation is in it. Reading: 0, -EINVAL, -ENOMEM. */
void admission_write(const struct admission *a, struct buf *out);
int admission_read(struct admission *a, const char *text);

/* An invitation as text: who invites, where it is, a secret, when it ends (Unix time, s). */
#define INVITATION_TEXT_BYTES 160
struct invitation {
	struct roster_key key;
	struct endpoint at;
	__u8 secret[INVITATION_BYTES];
	__u64 until_s;
};
const char *invitation_format(const struct invitation *i, char text[INVITATION_TEXT_BYTES]);
int invitation_parse(const char *text, struct invitation *ret); /* -EINVAL; white space around it is passed over */

#endif
