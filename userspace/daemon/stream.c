// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Watchers: who they are, what they want to see, and events. Not here: traced packets
 * (stream_trace).
 */
#include "daemon/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "core/table.h"
#include "daemon/stream_list.h"

static const struct {
	const char *name;
	unsigned int bit;
} kinds[] = {{"backend", EVENT_BACKEND}, {"vip", EVENT_VIP},	   {"iface", EVENT_IFACE},    {"config", EVENT_CONFIG},
	     {"drop", EVENT_DROP},	 {"member", EVENT_MEMBER}, {"restart", EVENT_RESTART}};

static unsigned int event_bit(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return kinds[i].bit;
	return 0;
}

int streams_open(struct daemon *d, struct streams **ret, struct err *err)
{
	struct streams *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, ENOMEM, "no memory for the streams");
	s->d = d;
	*ret = s;
	return 0;
}

void streams_stop(struct streams *s)
{
	if (s)
		trace_stop(s);
}

void streams_close(struct streams *s)
{
	struct stream *stream, *next;

	if (!s)
		return;
	for (stream = s->first; stream; stream = next) {
		next = stream->next;
		free(stream);
	}
	free(s);
}

void stream_start(struct daemon *d, struct task *t)
{
	struct streams *s = d->streams;
	struct stream *stream = calloc(1, sizeof(*stream));
	const struct command *c = &t->command;
	struct control *control = d->control[t->socket];

	if (!stream || !control || !control_stream_start(control, t->peer.client)) {
		free(stream);
		return;
	}
	stream->control = control;
	stream->client = t->peer.client;
	stream->trace = c->id == COMMAND_FLOW_TRACE;
	stream->events = c->events;
	memcpy(stream->vip, c->vip, sizeof(stream->vip));
	stream->has_client = command_has(c, ARG_CLIENT);
	stream->address = c->client;
	stream->drops = command_has(c, ARG_DROPS);
	stream->sample = command_has(c, ARG_SAMPLE) ? c->sample : 0;
	stream->left = command_has(c, ARG_COUNT) ? c->count : 0;
	stream->next = s->first;
	s->first = stream;
	if (!stream->trace) {
		s->watchers++;
		return;
	}
	trace_update(s);
	trace_head(s, stream);
}

static void stream_drop(struct streams *s, struct stream *stream)
{
	struct stream **at;
	bool trace = stream->trace;

	for (at = &s->first; *at != stream; at = &(*at)->next)
		;
	*at = stream->next;
	free(stream);
	if (trace)
		trace_update(s);
	else
		s->watchers--;
}

void stream_end(void *arg, struct control *control, __u64 client)
{
	struct daemon *d = arg;
	struct streams *s = d->streams;
	struct stream *stream;

	for (stream = s ? s->first : NULL; stream; stream = stream->next)
		if (stream->control == control && stream->client == client) {
			stream_drop(s, stream);
			return;
		}
}

/* One more line for a stream that counts them; the last one ends it. */
void stream_send(struct streams *s, struct stream *stream, const char *bytes, size_t len)
{
	struct control *control = stream->control;
	__u64 client = stream->client;

	if (stream->left && !--stream->left) {
		control_stream_line(control, client, bytes, len);
		stream_drop(s, stream);
		control_stream_stop(control, client);
		return;
	}
	control_stream_line(control, client, bytes, len);
}

struct posted {
	struct streams *streams;
	unsigned int bit;
	struct buf line;
};

static void on_event(void *arg)
{
	struct posted *posted = arg;
	struct stream *stream, *next;

	for (stream = posted->streams->first; stream; stream = next) {
		next = stream->next;
		if (!stream->trace && (stream->events & posted->bit))
			stream_send(posted->streams, stream, posted->line.text, posted->line.len);
	}
	buf_free(&posted->line);
	free(posted);
}

void stream_event(struct daemon *d, const struct plane_event *event)
{
	struct streams *s = d->streams;
	struct posted *posted;
	struct table *t;
	size_t row;

	if (!s || !s->watchers)
		return;
	posted = calloc(1, sizeof(*posted));
	t = table_new(KIND_EVENT);
	if (!posted || !t)
		goto out;
	posted->streams = s;
	posted->bit = event_bit(event->kind);
	row = table_row(t);
	table_set_time(t, row, FIELD_EVENT_time, wall_ms());
	table_set_text(t, row, FIELD_EVENT_event, event->kind);
	table_set_text(t, row, FIELD_EVENT_object, event->object);
	table_set_text(t, row, FIELD_EVENT_before, event->before);
	table_set_text(t, row, FIELD_EVENT_after, event->after);
	table_set_text(t, row, FIELD_EVENT_why, event->why);
	line_finish(t, &posted->line);
	if (!table_error(t) && !buf_error(&posted->line) && !loop_post(d->loop, on_event, posted))
		posted = NULL;
out:
	if (posted)
		buf_free(&posted->line);
	free(posted);
	table_free(t);
}

void line_finish(const struct table *t, struct buf *line)
{
	table_dump(t, line);
	if (line->len && line->text[line->len - 1] != '\n')
		buf_putc(line, '\n');
}
