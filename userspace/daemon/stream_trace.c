// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Traced packets: from the ring buffer, on the loop, to the plane for names, and back to the
 * watchers. One batch is under way at a time; meanwhile the ring buffer holds the next ones,
 * and what it cannot hold is lost: a trace is a sample. Not here: how packets are sampled.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/table.h"
#include "daemon/stream.h"
#include "daemon/stream_list.h"
#include "starling/cell.h"
#include "starling/verdict.h"

#define TRACE_BATCH 256 /* events of one batch; more wait in the ring buffer or are lost */

static const struct {
	const char *label;
	bool drop;
} verdicts[VERDICT_COUNT] = {
#define PASS					false
#define TX					false
#define REDIRECT				false
#define DROP					true
#define TRACE_VERDICT(name, action, text, help) {text, action},
	STARLING_VERDICTS(TRACE_VERDICT)
#undef TRACE_VERDICT
#undef PASS
#undef TX
#undef REDIRECT
#undef DROP
};

struct trace_line {
	struct trace_event event;
	char vip[STARLING_NAME_BYTES];
	struct buf text;
};

struct batch {
	struct streams *streams;
	size_t count;
	struct trace_line line[TRACE_BATCH];
};

static const char *endpoint_text(const __u8 bytes[16], __be16 port, char text[ENDPOINT_TEXT_BYTES])
{
	struct endpoint e = {.port = port};
	char plain[ADDR_TEXT_BYTES];

	memcpy(e.addr.byte, bytes, 16);
	if (port)
		return endpoint_format(&e, text);
	snprintf(text, ENDPOINT_TEXT_BYTES, "%s", addr_format(&e.addr, plain));
	return text;
}

static const char *proto_text(__u8 proto, char text[8])
{
	switch (proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	}
	snprintf(text, 8, "%u", proto);
	return text;
}

/* As tcpdump writes them. */
static const char *flags_text(__u8 flags, char text[9])
{
	static const char letters[] = "FSRPAUEW";
	size_t i, n = 0;

	for (i = 0; i < 8; i++)
		if (flags & (1u << i))
			text[n++] = letters[i];
	text[n] = '\0';
	return text;
}

static const char *cell_text(__u8 state)
{
	switch (state) {
	case CELL_HALF:
		return "half";
	case CELL_OPEN:
		return "open";
	case CELL_CLOSING:
		return "closing";
	case CELL_PROBATION:
		return "probation";
	case CELL_RESET:
		return "reset";
	}
	return NULL;
}

static void line_render(struct plane *p, struct trace_line *line)
{
	const struct trace_event *e = &line->event;
	const struct endpoint *backend = e->backend == ID_NONE ? NULL : plane_backend_at(p, e->backend);
	char text[ENDPOINT_TEXT_BYTES], name[IF_NAMESIZE], flags[9], proto[8];
	struct table *t = table_new(KIND_TRACE);
	__u64 age_ms = mono_ms((struct mono){.ns = e->time_ns}, mono_now());
	size_t row;

	if (!t)
		return;
	snprintf(line->vip, sizeof(line->vip), "%s", e->vip == ID_NONE ? "" : plane_vip_name(p, e->vip));
	row = table_row(t);
	table_set_time(t, row, FIELD_TRACE_time, wall_ms() - age_ms);
	table_set_text(t, row, FIELD_TRACE_device, if_indextoname(e->ifindex, name));
	table_set_text(t, row, FIELD_TRACE_verdict, e->verdict < VERDICT_COUNT ? verdicts[e->verdict].label : NULL);
	table_set_text(t, row, FIELD_TRACE_proto, proto_text(e->proto, proto));
	table_set_text(t, row, FIELD_TRACE_source, endpoint_text(e->saddr, e->sport, text));
	table_set_text(t, row, FIELD_TRACE_destination, endpoint_text(e->daddr, e->dport, text));
	table_set_text(t, row, FIELD_TRACE_vip, line->vip[0] ? line->vip : NULL);
	table_set_text(t, row, FIELD_TRACE_backend, backend ? endpoint_format(backend, text) : NULL);
	table_set_text(t, row, FIELD_TRACE_cell, cell_text(e->cell_state));
	if (e->proto == IPPROTO_TCP)
		table_set_text(t, row, FIELD_TRACE_tcp_flags, flags_text(e->tcp_flags, flags));
	table_set_u64(t, row, FIELD_TRACE_length, e->len_bytes);
	table_set_u64(t, row, FIELD_TRACE_sample, e->sample);
	if (!table_error(t))
		line_finish(t, &line->text);
	table_free(t);
}

static bool line_wanted(const struct stream *stream, const struct trace_line *line)
{
	const struct trace_event *e = &line->event;

	return stream->trace && (!stream->vip[0] || !strcmp(stream->vip, line->vip)) &&
	       (!stream->has_client || !memcmp(stream->address.byte, e->saddr, 16)) &&
	       (!stream->drops || (e->verdict < VERDICT_COUNT && verdicts[e->verdict].drop));
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void on_named(void *arg)
{
	struct batch *batch = arg;
	struct streams *s = batch->streams;
	struct stream *stream, *next;
	size_t i;

	for (i = 0; i < batch->count; i++) {
		for (stream = s->first; stream; stream = next) {
			next = stream->next;
			if (batch->line[i].text.len && line_wanted(stream, &batch->line[i]))
				stream_send(s, stream, batch->line[i].text.text, batch->line[i].text.len);
		}
		buf_free(&batch->line[i].text);
	}
	free(batch);
	s->busy = false;
	if (s->poll)
		uv_poll_start(s->poll, UV_READABLE, on_poll);
}

/* On the plane's thread; without a plane nobody watches any more. */
static void batch_render(struct plane *p, void *arg)
{
	struct batch *batch = arg;
	size_t i;

	for (i = 0; p && i < batch->count; i++)
		line_render(p, &batch->line[i]);
	loop_post(batch->streams->d->loop, on_named, batch);
}

static void on_packet(void *arg, const struct trace_event *event)
{
	struct batch *batch = arg;

	if (batch->count < TRACE_BATCH)
		batch->line[batch->count++].event = *event;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct streams *s = poll->data;
	struct batch *batch;

	(void)events;
	if (status < 0 || s->busy || !s->d->plane)
		return;
	batch = calloc(1, sizeof(*batch));
	if (!batch)
		return;
	batch->streams = s;
	dataplane_events_poll(s->d->dp, on_packet, batch);
	if (!batch->count || plane_post(s->d->plane, PLANE_URGENT, batch_render, batch)) {
		free(batch);
		return;
	}
	s->busy = true;
	uv_poll_stop(poll);
}

static void filter_set(struct plane *p, void *arg)
{
	struct trace_filter *filter = arg;
	struct err err = {0};

	if (p && plane_trace(p, filter, &err))
		log_error("flow trace: %s", err.text);
	else if (p && filter->sample)
		log_info("flow trace: one packet of %u sample=%u", filter->sample, filter->sample);
	else if (p)
		log_info("flow trace: off sample=0");
	free(filter);
}

static void on_poll_closed(uv_handle_t *handle)
{
	free(handle);
}

static void poll_start(struct streams *s)
{
	s->poll = calloc(1, sizeof(*s->poll));
	if (!s->poll)
		return;
	if (uv_poll_init(loop_uv(s->d->loop), s->poll, dataplane_events_fd(s->d->dp))) {
		free(s->poll);
		s->poll = NULL;
		return;
	}
	s->poll->data = s;
	if (!s->busy)
		uv_poll_start(s->poll, UV_READABLE, on_poll);
}

void trace_stop(struct streams *s)
{
	if (!s->poll)
		return;
	uv_poll_stop(s->poll);
	uv_close((uv_handle_t *)s->poll, on_poll_closed);
	s->poll = NULL;
}

/*
 * One watcher's wish to see one client, or drops alone, goes down to the program, so that all of those packets can be
 * told. Wishes of several are met from one sample.
 */
static void filter_choose(const struct streams *s, struct trace_filter *ret)
{
	const struct stream *stream, *one = NULL;
	__u32 sample;
	size_t count = 0;

	memset(ret, 0, sizeof(*ret));
	for (stream = s->first; stream; stream = stream->next) {
		if (!stream->trace)
			continue;
		count++;
		one = stream;
		sample = stream->sample ? stream->sample : STREAM_SAMPLE_DEFAULT;
		if (!ret->sample || sample < ret->sample)
			ret->sample = sample;
	}
	if (count != 1 || (!one->has_client && !one->drops))
		return;
	ret->sample = one->sample ? one->sample : 1;
	ret->of_client = one->has_client;
	ret->drops = one->drops;
	if (one->has_client)
		memcpy(ret->client, one->address.byte, sizeof(ret->client));
}

void trace_head(struct streams *s, struct stream *stream)
{
	char line[64];
	int len = snprintf(line, sizeof(line), "{\"sample\":%u}\n", s->filter.sample);

	control_stream_line(stream->control, stream->client, line, (size_t)len);
}

void trace_update(struct streams *s)
{
	struct trace_filter filter, *copy;

	filter_choose(s, &filter);
	if (filter.sample && !s->poll)
		poll_start(s);
	if (!filter.sample)
		trace_stop(s);
	if (!memcmp(&filter, &s->filter, sizeof(filter)))
		return;
	s->filter = filter;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return;
	*copy = filter;
	if (!s->d->plane || plane_post(s->d->plane, PLANE_URGENT, filter_set, copy))
		free(copy);
}
