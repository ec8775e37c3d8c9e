// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is known of backends' health, as rows. Not here: where it comes from (health.c).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "daemon/health_state.h"

/* Why nobody here ever probes it. */
static const char *barred_word(const struct check_config *check)
{
	if (check->via == CHECK_VIA_TUNNEL)
		return "probes through tunnels take a data plane, and a device that is attached";
	return "files are not run on this node unless `node set exec on` allows it";
}

size_t health_row(struct table *t, const char *vip, const struct endpoint *at, const struct check_config *check,
		  const struct probe_result *r)
{
	char text[ENDPOINT_TEXT_BYTES];
	size_t row = table_row(t);

	table_set_text(t, row, FIELD_HEALTH_vip, vip);
	table_set_text(t, row, FIELD_HEALTH_backend, endpoint_format(at, text));
	table_set_text(t, row, FIELD_HEALTH_check, check_kind_words()[check->kind]);
	if (check->via == CHECK_VIA_TUNNEL)
		table_set_text(t, row, FIELD_HEALTH_via, check_via_words()[check->via]);
	table_set_u64(t, row, FIELD_HEALTH_port,
		      check->via == CHECK_VIA_TUNNEL ? ntohs(check->to.port)
		      : check->port		     ? check->port
						     : ntohs(at->port));
	table_set_f64(t, row, FIELD_HEALTH_interval, check->interval_ms / 1000.0);
	table_set_f64(t, row, FIELD_HEALTH_timeout, check->timeout_ms / 1000.0);
	table_set_u64(t, row, FIELD_HEALTH_rise, check->rise);
	table_set_u64(t, row, FIELD_HEALTH_fall, check->fall);
	if (!r)
		return row;
	table_set_f64(t, row, FIELD_HEALTH_took, r->took_us / 1e6);
	table_set_text(t, row, FIELD_HEALTH_reason, check_reason_label(r->reason));
	table_set_text(t, row, FIELD_HEALTH_result, r->say);
	return row;
}

static const char *source_word(enum verdict_source source)
{
	static const char *const word[] = {
#define VERDICT_SOURCE_WORD(id, text, help) [VERDICT_BY_##id] = (text),
		STARLING_VERDICT_SOURCES(VERDICT_SOURCE_WORD)
#undef VERDICT_SOURCE_WORD
	};

	return word[source];
}

static const char *evidence_word(enum verdict_evidence evidence)
{
	static const char *const word[] = {
#define VERDICT_EVIDENCE_WORD(id, text, help) [VERDICT_##id] = (text),
		STARLING_VERDICT_EVIDENCES(VERDICT_EVIDENCE_WORD)
#undef VERDICT_EVIDENCE_WORD
	};

	return word[evidence];
}

/* --- votes --- */

static void vote_words(const struct verdict_view_vote *vote, struct buf *out)
{
	if (vote->caught)
		buf_puts(out, "lies");
	else if (!vote->voted)
		buf_puts(out, vote->live ? "silent" : "away");
	else if (vote->state == VERDICT_DOWN)
		buf_printf(out, "down (%s)%s", evidence_word(vote->evidence), vote->live ? "" : ", away");
	else
		buf_printf(out, "%s%s", verdict_state_word(vote->state), vote->live ? "" : ", away");
}

static bool weights_differ(const struct verdict_seats *seats)
{
	for (size_t i = 1; i < seats->count; i++)
		if (seats->seat[i].weight != seats->seat[0].weight)
			return true;
	return false;
}

static void votes_row(const struct health *h, const struct verdict_view *view, struct table *t, size_t row)
{
	size_t against = view->state == VERDICT_DOWN ? view->up : view->down;
	struct buf words = {0};

	table_set_u64(t, row, FIELD_HEALTH_quorum, view->seats.quorum);
	table_set_u64(t, row, FIELD_HEALTH_observers, view->seats.count);
	table_set_u64(t, row, FIELD_HEALTH_liars, view->seats.liars);
	for (size_t i = 0; i < view->seats.count; i++) {
		const struct roster_node *node = roster_find_id(&h->roster, view->seats.seat[i].id);

		buf_printf(&words, "%s%s ", i ? ", " : "votes: ", node ? node->name : "?");
		vote_words(&view->vote[i], &words);
		if (weights_differ(&view->seats))
			buf_printf(&words, ", weighs %u", view->seats.seat[i].weight);
	}
	table_set_text(t, row, FIELD_HEALTH_votes, buf_text(&words));
	buf_free(&words);
	if (against && against < view->seats.quorum)
		table_set_u64(t, row, FIELD_HEALTH_missing, view->seats.quorum - against);
}

void health_why(const struct health_status *s, char words[128])
{
	const struct health_target *t = &s->target;
	const struct verdict_view *view = &s->view;
	char found[96] = "";

	if (t->probed)
		snprintf(found, sizeof(found), "%s %s: %.60s", check_kind_words()[t->check->kind],
			 check_reason_label(t->last.reason), t->last.say);
	if (view->source == VERDICT_BY_CERTIFIED && view->seats.count > 1)
		snprintf(words, 128, "%zu of %zu say so%s%s", view->state == VERDICT_DOWN ? view->down : view->up,
			 view->seats.count, found[0] ? "; " : "", found);
	else if (found[0])
		snprintf(words, 128, "%s%s", found, s->flock && view->source == VERDICT_BY_LOCAL ? "; by itself" : "");
	else
		snprintf(words, 128, "it was down before, and is not probed yet");
}

static void agent_row(const struct agent_report *r, struct table *t, size_t row)
{
	static const char *const admin[] = {"", "ready", "drain", "maint"};
	struct buf words = {0};

	buf_puts(&words, admin[r->admin]);
	if (r->has_percent)
		buf_printf(&words, "%s%u %%", words.len ? ", " : "", r->percent);
	if (r->has_maxconn)
		buf_printf(&words, "%smaxconn %u", words.len ? ", " : "", r->maxconn);
	if (words.len)
		table_set_text(t, row, FIELD_HEALTH_agent, buf_text(&words));
	buf_free(&words);
}

static void rate_words(const char *of, double rate, double peers, struct buf *out)
{
	if (rate < 0)
		return;
	buf_printf(out, "%s%.1f %% of its %s", buf_text(out)[0] ? ", " : "", 100 * rate, of);
	if (peers >= 0)
		buf_printf(out, " (its peers' %.1f %%)", 100 * peers);
}

/* How its clients fare. */
static void fares_row(const struct plane *p, const char *vip, const struct endpoint *at, struct table *t, size_t row)
{
	static const enum field_id rate[] = {FIELD_HEALTH_repeat_rate, FIELD_HEALTH_reset_rate},
				   peers[] = {FIELD_HEALTH_repeat_rate_peers, FIELD_HEALTH_reset_rate_peers};
	struct plane_fares fares;
	struct buf words = {0};

	if (!plane_backend_fares(p, vip, at, &fares))
		return;
	for (int s = 0; s < OUTLIER_SIGNALS; s++) {
		if (fares.rate[s] >= 0)
			table_set_f64(t, row, rate[s], fares.rate[s]);
		if (fares.peers[s] >= 0)
			table_set_f64(t, row, peers[s], fares.peers[s]);
		rate_words(outlier_signal_word((enum outlier_signal)s), fares.rate[s], fares.peers[s], &words);
	}
	if (buf_text(&words)[0])
		table_set_text(t, row, FIELD_HEALTH_passive, buf_text(&words));
	buf_free(&words);
}

static void status_row(struct health *h, const struct plane *p, const struct vip_config *vip, const struct endpoint *at,
		       struct table *t)
{
	struct health_status s = {.view.state = VERDICT_NONE};
	char words[PLANE_RECOVERY_BYTES];
	bool known = health_look(h, at, vip->check, &s);
	size_t row = health_row(t, vip->name, at, vip->check, s.target.probed ? &s.target.last : NULL);

	fares_row(p, vip->name, at, t, row);
	table_set_text(t, row, FIELD_HEALTH_verdict, verdict_state_word(s.view.state));
	if (plane_recovery(p, vip->name, at, words))
		table_set_text(t, row, FIELD_HEALTH_recovery, words);
	health_restart_row(h, vip->name, at, t, row);
	if (!known)
		return;
	table_set_time(t, row, FIELD_HEALTH_since, wall_ms() - mono_ms(s.view.since, s.now));
	table_set_text(t, row, FIELD_HEALTH_by, source_word(s.view.source));
	table_set_u64(t, row, FIELD_HEALTH_checks, s.target.checks);
	table_set_u64(t, row, FIELD_HEALTH_failures, s.target.failures);
	agent_row(&s.agent, t, row);
	if (s.target.barred)
		table_set_text(t, row, FIELD_HEALTH_result, barred_word(vip->check));
	pthread_mutex_lock(&h->lock);
	if (h->roster.count)
		votes_row(h, &s.view, t, row);
	pthread_mutex_unlock(&h->lock);
}

int health_show(struct health *h, const struct plane *p, const char *vip, struct table *t, struct err *err)
{
	const struct config *c = plane_config(p);

	if (vip && !config_vip(c, vip))
		return config_vip_none(c, vip, err);
	for (size_t i = 0; i < c->vip_count; i++) {
		const struct vip_config *v = &c->vip[i];

		if (!v->check || (vip && strcmp(vip, v->name) != 0))
			continue;
		for (size_t k = 0; k < v->backend_count; k++)
			if (v->backend[k].tier != STARLING_TIER_SORRY)
				status_row(h, p, v, &v->backend[k].at, t);
	}
	return table_error(t);
}

/* Or as much as there will be: a probe that can prove nothing may never prove more. */
static bool status_known(const struct health_status *s)
{
	return s->view.state != VERDICT_NONE || s->target.barred ||
	       (s->target.probed && s->target.last.outcome == OUTCOME_NOTHING);
}

bool health_known(struct health *h, const struct plane *p, const char *vip, char why[128])
{
	const struct config *c = plane_config(p);
	char text[ENDPOINT_TEXT_BYTES];

	for (size_t i = 0; i < c->vip_count && !h->known; i++) {
		const struct vip_config *v = &c->vip[i];

		if (!v->check || (vip && strcmp(vip, v->name) != 0))
			continue;
		for (size_t k = 0; k < v->backend_count; k++) {
			const struct endpoint *at = &v->backend[k].at;
			struct health_status s;

			if (v->backend[k].tier == STARLING_TIER_SORRY ||
			    (health_look(h, at, v->check, &s) && status_known(&s)))
				continue;
			snprintf(why, 128, "VIP %s: no verdict of backend %s yet", v->name, endpoint_format(at, text));
			return false;
		}
	}
	h->known = h->known || !vip;
	return true;
}

bool health_problem(struct health *h, const struct plane *p, char words[HEALTH_PROBLEM_BYTES])
{
	const struct config *c = plane_config(p);
	char at[ENDPOINT_TEXT_BYTES], one[HEALTH_PROBLEM_BYTES - 64] = "";
	size_t count = 0;

	for (size_t i = 0; i < c->vip_count; i++) {
		const struct vip_config *v = &c->vip[i];

		for (size_t k = 0; v->check && k < v->backend_count; k++) {
			struct health_status s;

			if (v->backend[k].tier == STARLING_TIER_SORRY ||
			    !health_look(h, &v->backend[k].at, v->check, &s) ||
			    !(s.target.barred || (s.target.probed && s.target.last.reason == CHECK_LOCAL)))
				continue;
			if (!count++)
				snprintf(one, sizeof(one), "VIP %s %s: %s", v->name,
					 endpoint_format(&v->backend[k].at, at),
					 s.target.barred ? barred_word(v->check) : s.target.last.say);
		}
	}
	if (count)
		snprintf(words, HEALTH_PROBLEM_BYTES, "%zu backend%s not checked from here: %s", count,
			 count == 1 ? " is" : "s are", one);
	return count;
}

void health_words(void *arg, const struct check_config *check, const struct endpoint *at, char words[PLANE_CHECK_BYTES])
{
	const struct daemon *d = arg;
	const char *kind = check_kind_words()[check->kind];
	const struct probe_result *last;
	struct health_status s;

	if (!d->health || !health_look(d->health, at, check, &s) || !s.target.probed) {
		snprintf(words, PLANE_CHECK_BYTES, "%s", kind);
		return;
	}
	last = &s.target.last;
	if (last->reason != CHECK_FINE)
		snprintf(words, PLANE_CHECK_BYTES, "%s %s", kind, check_reason_label(last->reason));
	else if (last->took_us < 10000)
		snprintf(words, PLANE_CHECK_BYTES, "%s %.1f ms", kind, last->took_us / 1e3);
	else
		snprintf(words, PLANE_CHECK_BYTES, "%s %.0f ms", kind, last->took_us / 1e3);
}

static void votes_fill(struct health *h, struct table *t, size_t row)
{
	static const struct {
		enum field_id field;
		enum verdict_outcome outcome;
	} counts[] = {
		{FIELD_PROBES_votes, VERDICT_OUTCOME_NEW},
		{FIELD_PROBES_votes_malformed, VERDICT_OUTCOME_MALFORMED},
		{FIELD_PROBES_votes_target, VERDICT_OUTCOME_TARGET},
		{FIELD_PROBES_votes_epoch, VERDICT_OUTCOME_EPOCH},
		{FIELD_PROBES_votes_stranger, VERDICT_OUTCOME_STRANGER},
		{FIELD_PROBES_votes_forged, VERDICT_OUTCOME_FORGED},
		{FIELD_PROBES_votes_equivocation, VERDICT_OUTCOME_EQUIVOCATION},
		{FIELD_PROBES_votes_caught, VERDICT_OUTCOME_CAUGHT},
	};
	__u64 unquorate = 0, local = 0;
	struct verdict_view view;

	pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		table_set_u64(t, row, counts[i].field, verdict_count(h->verdict, counts[i].outcome));
	for (size_t i = 0; i < h->set.count; i++) {
		if (verdict_view(h->verdict, h->set.target[i].id, &view))
			continue;
		unquorate += view.source != VERDICT_BY_CERTIFIED;
		local += view.source == VERDICT_BY_LOCAL;
	}
	table_set_u64(t, row, FIELD_PROBES_disagreements, h->disagreements);
	pthread_mutex_unlock(&h->lock);
	table_set_u64(t, row, FIELD_PROBES_unquorate, unquorate);
	table_set_u64(t, row, FIELD_PROBES_by_itself, local);
}

void health_probes(struct health *h, struct table *t)
{
	static const enum field_id reason[CHECK_REASONS] = {
		[CHECK_FINE] = FIELD_COUNT,
		[CHECK_TIMEOUT] = FIELD_PROBES_timeout,
		[CHECK_REFUSED] = FIELD_PROBES_refused,
		[CHECK_UNREACHABLE] = FIELD_PROBES_unreachable,
		[CHECK_RESET] = FIELD_PROBES_reset,
		[CHECK_ANSWER] = FIELD_PROBES_answer,
		[CHECK_STATUS] = FIELD_PROBES_status,
		[CHECK_TLS] = FIELD_PROBES_tls,
		[CHECK_EXIT] = FIELD_PROBES_exit,
		[CHECK_SAID] = FIELD_PROBES_said,
		[CHECK_LOCAL] = FIELD_PROBES_local,
	};
	static const enum field_id bucket[PROBER_BUCKETS + 1] = {
		FIELD_PROBES_took_250us, FIELD_PROBES_took_500us, FIELD_PROBES_took_1ms,   FIELD_PROBES_took_2500us,
		FIELD_PROBES_took_5ms,	 FIELD_PROBES_took_10ms,  FIELD_PROBES_took_25ms,  FIELD_PROBES_took_50ms,
		FIELD_PROBES_took_100ms, FIELD_PROBES_took_250ms, FIELD_PROBES_took_500ms, FIELD_PROBES_took_1s,
		FIELD_PROBES_took_all};
	size_t row = table_row(t);
	struct prober_count count;
	__u64 sum = 0;

	prober_count(h->prober, &count);
	table_set_u64(t, row, FIELD_PROBES_checks, count.checks);
	for (int i = CHECK_FINE + 1; i < CHECK_REASONS; i++)
		table_set_u64(t, row, reason[i], count.failures[i]);
	for (int i = 0; i <= PROBER_BUCKETS; i++) {
		sum += count.bucket[i];
		table_set_u64(t, row, bucket[i], sum);
	}
	table_set_u64(t, row, FIELD_PROBES_took_count, sum);
	table_set_f64(t, row, FIELD_PROBES_took_sum, count.took_us / 1e6);
	votes_fill(h, t, row);
	health_restart_counts(h, t, row);
}
