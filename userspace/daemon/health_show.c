// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is known of backends' health, as rows. Not here: where it comes from (health.c).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "daemon/health_state.h"

#define BARRED "files are not run on this node unless `node set exec on` allows it"

size_t health_row(struct table *t, const char *vip, const struct endpoint *at, const struct check_config *check,
		  const struct probe_result *r)
{
	char text[ENDPOINT_TEXT_BYTES];
	size_t row = table_row(t);

	table_set_text(t, row, FIELD_HEALTH_vip, vip);
	table_set_text(t, row, FIELD_HEALTH_backend, endpoint_format(at, text));
	table_set_text(t, row, FIELD_HEALTH_check, check_kind_words()[check->kind]);
	table_set_u64(t, row, FIELD_HEALTH_port, check->port ? check->port : ntohs(at->port));
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

static void status_row(struct health *h, const struct vip_config *vip, const struct endpoint *at, struct table *t)
{
	struct probe_status s = {.verdict = CHECK_UNKNOWN};
	bool known = prober_look(h->prober, at, vip->check, &s);
	size_t row = health_row(t, vip->name, at, vip->check, s.probed ? &s.last : NULL);

	table_set_text(t, row, FIELD_HEALTH_verdict, check_verdict_word(s.verdict));
	if (!known)
		return;
	table_set_time(t, row, FIELD_HEALTH_since, s.since_ms);
	table_set_u64(t, row, FIELD_HEALTH_checks, s.checks);
	table_set_u64(t, row, FIELD_HEALTH_failures, s.failures);
	if (s.barred)
		table_set_text(t, row, FIELD_HEALTH_result, BARRED);
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
			status_row(h, v, &v->backend[k].at, t);
	}
	return table_error(t);
}

/* Or as much as there will be: a probe that can prove nothing may never prove more. */
static bool status_known(const struct probe_status *s)
{
	return s->verdict != CHECK_UNKNOWN || s->barred || (s->probed && s->last.outcome == OUTCOME_NOTHING);
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
			struct probe_status s;

			if (prober_look(h->prober, at, v->check, &s) && status_known(&s))
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
			struct probe_status s;

			if (!prober_look(h->prober, &v->backend[k].at, v->check, &s) ||
			    !(s.barred || (s.probed && s.last.reason == CHECK_LOCAL)))
				continue;
			if (!count++)
				snprintf(one, sizeof(one), "VIP %s %s: %s", v->name,
					 endpoint_format(&v->backend[k].at, at), s.barred ? BARRED : s.last.say);
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
	struct probe_status s;

	if (!d->health || !prober_look(d->health->prober, at, check, &s) || !s.probed)
		snprintf(words, PLANE_CHECK_BYTES, "%s", kind);
	else if (s.last.reason != CHECK_FINE)
		snprintf(words, PLANE_CHECK_BYTES, "%s %s", kind, check_reason_label(s.last.reason));
	else if (s.last.took_us < 10000)
		snprintf(words, PLANE_CHECK_BYTES, "%s %.1f ms", kind, s.last.took_us / 1e3);
	else
		snprintf(words, PLANE_CHECK_BYTES, "%s %.0f ms", kind, s.last.took_us / 1e3);
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
}
