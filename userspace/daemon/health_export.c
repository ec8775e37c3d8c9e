// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A verdict as a file that proves it to anybody: a configuration of what it is about, and its certificate in a comment.
 * Not here: what a certificate is (core/verdict_vote.h), and whether it is right (core/verdict_rule.h).
 *
 * Who verifies it needs the file alone, and has to know the roster by its digest: whoever can write a roster can sign
 * for it.
 */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/rfc3339.h"
#include "core/config_file.h"
#include "core/config_lines.h"
#include "core/tiers.h"
#include "daemon/health_state.h"

#define MARK   "# certificate " /* begins the line that has it */
#define BASE64 sodium_base64_VARIANT_ORIGINAL

/* --- export --- */

/* The certificate and its roster. Return: bytes, or -errno. */
static int certificate_take(struct health *h, const struct endpoint *at, const struct check_config *check,
			    __u8 bytes[VERDICT_CERTIFICATE_BYTES], struct roster *ret_roster)
{
	const struct health_target *t;
	struct verdict_view view;
	int len = -ENODATA;

	*ret_roster = (struct roster){0};
	pthread_mutex_lock(&h->lock);
	t = health_set_find(&h->set, at, check);
	if (t && !verdict_view(h->verdict, t->id, &view) && view.source == VERDICT_BY_CERTIFIED)
		len = verdict_export(h->verdict, t->id, bytes);
	if (len > 0 && roster_copy(ret_roster, &h->roster))
		len = -ENOMEM;
	pthread_mutex_unlock(&h->lock);
	return len;
}

static void export_print(const struct vip_config *vip, const struct endpoint *at, const struct roster *roster,
			 const __u8 *bytes, size_t len, struct buf *text)
{
	char base64[sodium_base64_ENCODED_LEN(VERDICT_CERTIFICATE_BYTES, BASE64)];

	config_export_seats(roster, text);
	config_export_vip(vip, text);
	config_export_health(vip, text);
	config_export_backend(vip, &(struct backend_config){.at = *at, .weight = 1, .tier = TIER_DEFAULT}, text);
	buf_printf(text, MARK "%s\n", sodium_bin2base64(base64, sizeof(base64), bytes, len, BASE64));
}

int health_export(struct health *h, const struct plane *p, const char *vip, const struct endpoint *at, struct buf *text,
		  struct err *err)
{
	const struct vip_config *v = config_vip(plane_config(p), vip);
	__u8 bytes[VERDICT_CERTIFICATE_BYTES];
	char name[ENDPOINT_TEXT_BYTES];
	struct roster roster;
	int len;

	if (!v)
		return config_vip_none(plane_config(p), vip, err);
	if (!vip_backend(v, at))
		return err_set(err, ENOENT, "VIP %s has no backend %s", vip, endpoint_format(at, name));
	if (!v->check)
		return err_set(err, ENODATA, "VIP %s is not checked: `health set %s KIND`", vip, vip);
	len = certificate_take(h, at, v->check, bytes, &roster);
	if (len == -ENODATA)
		return err_set(err, ENODATA, "no votes of the present roster decide about %s: see `health show vip %s`",
			       endpoint_format(at, name), vip);
	if (len > 0)
		export_print(v, at, &roster, bytes, (size_t)len, text);
	roster_free(&roster);
	return len < 0 ? len : buf_error(text);
}

/* --- verify --- */

/* Return: bytes, or -EINVAL. */
static int certificate_find(const char *text, size_t len, __u8 ret[VERDICT_CERTIFICATE_BYTES], struct err *err)
{
	const char *at = memmem(text, len, MARK, strlen(MARK)), *end;
	size_t bytes;

	if (!at)
		return err_set(err, EINVAL, "there is no line \"" MARK "...\": this is not from `health export`");
	at += strlen(MARK);
	end = memchr(at, '\n', len - (size_t)(at - text));
	if (sodium_base642bin(ret, VERDICT_CERTIFICATE_BYTES, at, end ? (size_t)(end - at) : len - (size_t)(at - text),
			      NULL, &bytes, NULL, BASE64))
		return err_set(err, EINVAL, "the certificate is not Base64, or too long");
	return (int)bytes;
}

/* What the file says that it is about. */
static int subject_find(const struct config *c, const struct vip_config **ret_vip, struct err *err)
{
	if (c->vip_count != 1 || c->vip[0].backend_count != 1 || !c->vip[0].check)
		return err_set(err, EINVAL, "not one VIP with one backend and its check");
	*ret_vip = &c->vip[0];
	return 0;
}

static int subject_check(const struct verdict_certificate *c, const struct vip_config *vip,
			 const struct signing *signing, struct err *err)
{
	const struct check_config *check = vip->check;
	char at[ENDPOINT_TEXT_BYTES];
	int rc;
	__u64 id = health_target_id(check, &vip->backend[0].at, signing, &rc);

	if (rc)
		return rc;
	if (id != c->target)
		return err_set(err, EINVAL, "the certificate is about another backend than %s, or another check",
			       endpoint_format(&vip->backend[0].at, at));
	if (c->rule.mode != (enum verdict_mode)(check->mode - 1) || c->rule.liars != (check->observers > 4 ? 2u : 1u))
		return err_set(err, EINVAL, "the certificate was made by another rule than this check's");
	if (check->scope == CHECK_SCOPE_FLOCK && c->rule.site[0])
		return err_set(err, EINVAL, "the certificate is by the nodes of a site, and this check asks all");
	return 0;
}

static void votes_print(const struct verdict_certificate *c, const struct config *wanted, struct buf *says)
{
	char date[RFC3339_TEXT_BYTES], epoch[ROSTER_EPOCH_TEXT_BYTES], at[ENDPOINT_TEXT_BYTES];

	buf_printf(says, "%s is %s, as %zu votes say:", endpoint_format(&wanted->vip[0].backend[0].at, at),
		   verdict_state_word(c->state), c->votes);
	for (size_t i = 0; i < c->votes; i++) {
		const struct roster_node *node = roster_find_id(&wanted->roster, c->vote[i].voter);

		buf_printf(says, "%s %s (%s)", i ? "," : "", node ? node->name : "?",
			   rfc3339_format(c->vote[i].date_ms, date));
	}
	buf_printf(says, "; if the roster of that time is the one with digest %s",
		   roster_epoch_format(&c->epoch, epoch));
}

int health_verify(const struct config *wanted, const char *text, size_t len, const struct signing *signing,
		  struct buf *says, struct err *err)
{
	__u8 bytes[VERDICT_CERTIFICATE_BYTES];
	struct verdict_certificate *c;
	const struct vip_config *vip = NULL;
	int rc = certificate_find(text, len, bytes, err), found = rc;

	if (rc >= 0)
		rc = subject_find(wanted, &vip, err);
	if (rc)
		return rc;
	c = malloc(sizeof(*c));
	if (!c)
		return -ENOMEM;
	rc = verdict_verify(bytes, (size_t)found, &wanted->roster, signing, c, err);
	if (!rc)
		rc = subject_check(c, vip, signing, err);
	if (!rc)
		votes_print(c, wanted, says);
	free(c);
	return rc;
}
