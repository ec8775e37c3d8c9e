// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pages over HTTP, each rendered as a job of the plane; and moving the server to another
 * address, on a worker thread because closing it waits. Not here: HTTP, metrics' text.
 */
#include "daemon/pages.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/health.h"
#include "daemon/peers.h"
#include "daemon/process.h"
#include "io/http.h"

#define PAGES_PLAIN	"text/plain; charset=utf-8"
#define PAGES_SILENT_MS 2000 /* the loop turns ten times a second */
#define PAGES_READY	"/readyz"
#define PAGES_RETRY_MS	2000 /* until listening is tried again */
#define PAGES_TRIES	5    /* of reserving an address that this daemon itself may be about to leave */
#define PAGES_TRY_MS	20   /* between them */

struct pages {
	struct daemon *d;
	uv_timer_t retry;
	struct endpoint next; /* where it shall listen */
	int next_fd;	      /* the socket for it; -1: to be made */
	bool moving;	      /* the worker has the members below */
	int fd;		      /* what next_fd was */
	bool told;	      /* that it cannot listen there */
	struct http *http;    /* NULL while it cannot listen */
	struct endpoint at;   /* where it listens, or failed to */
};

struct page {
	struct daemon *d;
	struct http_request *request;
	bool metrics, openmetrics;
	struct mono start;
	struct page_tables tables;
	char vip[STARLING_NAME_BYTES]; /* of readyz; "": all */
};

static void text_reply(struct http_request *request, unsigned int status, const char *text)
{
	char *copy = strdup(text);

	http_reply(request, status, PAGES_PLAIN, copy, strlen(text));
}

static int table_fill(struct daemon *d, struct plane *p, enum table_kind kind, struct table *t, struct err *err)
{
	switch (kind) {
	case KIND_VIP:
		return plane_show_vips(p, NULL, t, err);
	case KIND_BACKEND:
		return plane_show_backends(p, NULL, t, err);
	case KIND_IFACE:
		return plane_show_ifaces(p, t, err);
	case KIND_DROP:
		return plane_show_drops(p, t, err);
	case KIND_MAP:
		return plane_show_maps(p, t, err);
	case KIND_STATUS:
		return status_fill(d, p, t, err);
	case KIND_NODE:
		return peers_show(d->peers, t);
	case KIND_GOSSIP:
		return peers_gossip(d->peers, t);
	case KIND_PROBES:
		health_probes(d->health, t);
		return 0;
	case KIND_DAEMON:
		process_fill(d, t);
		return 0;
	default:
		version_fill(d, t);
		return 0;
	}
}

int pages_tables(struct daemon *d, struct plane *p, struct page_tables *ret, struct err *err)
{
	static const enum table_kind kinds[] = {KIND_VIP,    KIND_BACKEND, KIND_IFACE,	KIND_DROP,
						KIND_MAP,    KIND_STATUS,  KIND_NODE,	KIND_GOSSIP,
						KIND_PROBES, KIND_DAEMON,  KIND_VERSION};
	int rc = 0;

	_Static_assert(sizeof(kinds) / sizeof(kinds[0]) <= sizeof(ret->table) / sizeof(ret->table[0]), "room");
	ret->count = 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !rc; i++) {
		struct table *t;

		if (kinds[i] == KIND_BACKEND && d->options.no_backend_metrics)
			continue;
		t = table_new(kinds[i]);
		if (t)
			ret->table[ret->count++] = t;
		rc = t ? table_fill(d, p, kinds[i], t, err) : -ENOMEM;
		if (!rc)
			rc = table_error(t);
	}
	if (rc)
		page_tables_free(ret);
	return rc;
}

void page_tables_free(struct page_tables *tables)
{
	for (size_t i = 0; i < tables->count; i++)
		table_free(tables->table[i]);
	tables->count = 0;
}

/* On the scribe's thread. */
static void metrics_write(void *arg)
{
	struct page *page = arg;
	struct buf out = BUF_INIT;
	size_t len;
	char *text;

	for (size_t i = 0; i < page->tables.count; i++)
		table_metrics(page->tables.table[i], page->openmetrics, &out);
	table_metrics_end(page->openmetrics, &out);
	page_tables_free(&page->tables);
	page->d->scrape_ns = mono_now().ns - page->start.ns;
	text = buf_take(&out, &len);
	http_reply(page->request, 200, table_metrics_type(page->openmetrics), text, len);
	free(page);
}

static void metrics_reply(struct plane *p, struct page *page)
{
	struct err err = {0};

	page->start = mono_now();
	if (!pages_tables(page->d, p, &page->tables, &err)) {
		if (workers_post(page->d->scribe, metrics_write, page))
			metrics_write(page);
		return;
	}
	text_reply(page->request, 500, err.text[0] ? err.text : "no memory\n");
	free(page);
}

static void ready_reply(struct plane *p, struct page *page)
{
	char why[128] = "", reason[PEERS_REASON_BYTES];
	struct buf out = BUF_INIT;
	unsigned int status = 200;
	size_t len;
	char *text;

	if (page->d->stopping) {
		status = 503;
		buf_puts(&out, "stopping\n");
	} else if (peers_draining(page->d->peers, reason)) {
		status = 503;
		buf_printf(&out, "draining: %s\n", reason);
	} else if (plane_ready(p, page->vip[0] ? page->vip : NULL, why) &&
		   health_known(page->d->health, p, page->vip[0] ? page->vip : NULL, why)) {
		buf_puts(&out, "ready\n");
	} else {
		status = page->vip[0] && !config_vip(plane_config(p), page->vip) ? 404 : 503;
		buf_printf(&out, "%s\n", why);
	}
	text = buf_take(&out, &len);
	http_reply(page->request, status, PAGES_PLAIN, text, len);
}

static void page_render(struct plane *p, void *arg)
{
	struct page *page = arg;

	if (p && page->metrics) {
		metrics_reply(p, page);
		return;
	}
	if (p)
		ready_reply(p, page);
	else
		text_reply(page->request, 503, "stopping\n");
	free(page);
}

/* On the server's thread. d->plane is there as long as the server is. */
static void page_post(struct daemon *d, struct http_request *request, bool metrics, bool openmetrics, const char *vip)
{
	struct page *page = calloc(1, sizeof(*page));

	if (!page) {
		text_reply(request, 503, "no memory\n");
		return;
	}
	page->d = d;
	page->request = request;
	page->metrics = metrics;
	page->openmetrics = openmetrics;
	snprintf(page->vip, sizeof(page->vip), "%s", vip);
	if (plane_post(d->plane, metrics ? PLANE_SHOW : PLANE_URGENT, page_render, page)) {
		free(page);
		text_reply(request, 503, "stopping\n");
	}
}

static void on_get(void *arg, struct http_request *request, const char *path, const char *accept)
{
	struct daemon *d = arg;
	const char *vip = strncmp(path, PAGES_READY "/", strlen(PAGES_READY "/")) ? "" : path + strlen(PAGES_READY "/");

	if (!strcmp(path, "/metrics"))
		page_post(d, request, true, strstr(accept, "application/openmetrics-text") != NULL, "");
	else if (!strcmp(path, PAGES_READY))
		page_post(d, request, false, false, "");
	else if (vip[0] && strlen(vip) < STARLING_NAME_BYTES)
		page_post(d, request, false, false, vip);
	else if (!strcmp(path, "/healthz") && loop_silent_ms(d->loop) < PAGES_SILENT_MS)
		text_reply(request, 200, "ok\n");
	else if (!strcmp(path, "/healthz"))
		text_reply(request, 503, "the event loop is stuck\n");
	else
		text_reply(request, 404, "there are /metrics, /healthz, /readyz and /readyz/VIP\n");
}

/* Close and open, wherever we may block. */
static void server_move(struct pages *pages)
{
	struct http_hooks hooks = {.arg = pages->d, .get = on_get};
	char text[ENDPOINT_TEXT_BYTES];
	struct err err = {0};
	int fd = pages->fd;

	http_close(pages->http);
	pages->http = NULL;
	endpoint_format(&pages->at, text);
	if (fd < 0)
		fd = http_listen(&pages->at, &err);
	if (fd >= 0 && !http_open(fd, &hooks, &pages->http, &err))
		log_info("http: listening http=%s", text);
	else if (!pages->told)
		log_error("http: %s; metrics and health are not served until that works http=%s", err.text, text);
	pages->told = !pages->http;
	pages->d->http_failed = pages->told;
}

static void move_maybe(struct pages *pages);

static void on_move(void *arg)
{
	server_move(arg);
}

static void on_retry(uv_timer_t *retry)
{
	move_maybe(retry->data);
}

static void on_moved(void *arg)
{
	struct pages *pages = arg;

	pages->moving = false;
	if (pages->http || endpoint_compare(&pages->at, &pages->next))
		move_maybe(pages);
	else
		uv_timer_start(&pages->retry, on_retry, PAGES_RETRY_MS, 0);
}

static void move_maybe(struct pages *pages)
{
	struct daemon *d = pages->d;

	if (pages->moving || d->stopping)
		return;
	if (!endpoint_compare(&pages->at, &pages->next) && pages->http)
		return;
	pages->told &= !endpoint_compare(&pages->at, &pages->next);
	pages->at = pages->next;
	pages->fd = pages->next_fd;
	pages->next_fd = -1;
	pages->moving = !loop_work(d->loop, on_move, on_moved, pages);
}

struct listen {
	struct daemon *d;
	struct endpoint at;
	int fd;
};

static void fd_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void on_listen(void *arg)
{
	struct listen *listen = arg;
	struct pages *pages = listen->d->pages;

	if (pages) {
		pages->next = listen->at;
		fd_close(pages->next_fd);
		pages->next_fd = listen->fd;
		move_maybe(pages);
	} else {
		fd_close(listen->fd);
	}
	free(listen);
}

/* Where it is served with this line of the configuration. */
static struct endpoint address_of(const struct daemon *d, const struct endpoint *configured)
{
	struct endpoint at = *configured;

	if (d->options.http.port) {
		at = d->options.http;
	} else if (!configured->port) {
		addr_parse("127.0.0.1", &at.addr);
		at.port = htons(OPTIONS_HTTP_PORT);
	}
	at.proto = 0;
	return at;
}

static bool address_any(const struct addr *a)
{
	static const struct addr any4 = {{[10] = 0xff, [11] = 0xff}}, any6 = {{0}};

	return addr_equal(a, &any4) || addr_equal(a, &any6);
}

/* Whether one is in the way of the other: a port of all addresses, and of one. */
static bool addresses_meet(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_is_v4(&a->addr) == addr_is_v4(&b->addr) &&
	       (addr_equal(&a->addr, &b->addr) || address_any(&a->addr) || address_any(&b->addr));
}

int pages_reserve(const struct daemon *d, const struct config *runs, const struct config *wanted, int *ret_fd,
		  struct err *err)
{
	struct endpoint is = address_of(d, &runs->listen_http), at = address_of(d, &wanted->listen_http);
	const struct timespec pause = {.tv_nsec = PAGES_TRY_MS * 1000000};
	int fd = -EADDRINUSE;

	*ret_fd = -1;
	if (!endpoint_compare(&is, &at))
		return 0;
	for (int i = 0; i < PAGES_TRIES && fd == -EADDRINUSE; i++) {
		if (i)
			nanosleep(&pause, NULL);
		fd = http_listen(&at, err);
	}
	if (fd >= 0)
		*ret_fd = fd;
	/* What is in the way is this daemon itself: it makes the socket when it has left. */
	return fd >= 0 || (fd == -EADDRINUSE && addresses_meet(&is, &at)) ? 0 : fd;
}

void pages_listen(struct daemon *d, const struct endpoint *configured, int fd)
{
	struct listen *listen = malloc(sizeof(*listen));

	if (listen)
		*listen = (struct listen){.d = d, .at = address_of(d, configured), .fd = fd};
	if (listen && !loop_post(d->loop, on_listen, listen))
		return;
	free(listen);
	fd_close(fd);
}

int pages_open(struct daemon *d, struct pages **ret, struct err *err)
{
	struct pages *pages = calloc(1, sizeof(*pages));

	if (!pages)
		return err_set(err, ENOMEM, "no memory for the pages");
	pages->d = d;
	pages->fd = pages->next_fd = -1;
	uv_timer_init(loop_uv(d->loop), &pages->retry);
	pages->retry.data = pages;
	*ret = pages;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void pages_close(struct pages *pages)
{
	if (!pages)
		return;
	while (pages->moving)
		uv_run(loop_uv(pages->d->loop), UV_RUN_ONCE);
	http_close(pages->http);
	fd_close(pages->next_fd);
	uv_close((uv_handle_t *)&pages->retry, on_closed);
}
