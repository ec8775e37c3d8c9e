/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One probe of one target: begun, and ended once by an answer, an error or its timeout. For
 * probe*.c and prober.c, on the prober's thread alone. Not here: when (prober.c), what results count for
 * (core/check.h).
 */
#ifndef STARLING_IO_PROBE_H
#define STARLING_IO_PROBE_H

#include <curl/curl.h>
#include <uv.h>

#include "base/buf.h"
#include "base/clock.h"
#include "io/prober.h"

#define PROBE_SCRATCH_BYTES CHECK_BODY_BYTES

struct probe_env;

struct probe {
	struct probe *next, **here; /* in the list of its environment */
	struct probe_env *env;
	struct endpoint at;		  /* with the check's port; via tunnel, of the VIP */
	__u32 mark;			  /* via tunnel: whose */
	const char *vip;		  /* of a hook, borrowed until the end; "": it is a probe */
	const struct check_config *check; /* borrowed until the end */
	probe_done_fn *done;
	void *arg;
	struct mono begun;
	struct probe_result result;
	bool ended;
	unsigned int handles; /* of libuv that are not closed yet */
	uv_timer_t timer;

	/* probe_socket.c */
	int fd;
	bool polled, connected;
	uv_poll_t poll;
	struct buf heard;
	__u64 token;
	__u8 query[CHECK_QUERY_BYTES];
	size_t query_len;

	/* probe_http.c */
	CURL *easy;
	struct curl_slist *connect_to, *headers;
	struct buf body;
	bool opened; /* it got a socket */
	char error[CURL_ERROR_SIZE];

	/* probe_exec.c */
	uv_process_t process;
	uv_pipe_t pipe;
	bool hook, runs, exited;
	char file[CHECK_TEXT_BYTES]; /* what runs */
	char said[CHECK_SAY_BYTES];
	size_t said_len;
	char scrap[512]; /* what it says beyond that */
};

struct probe_env {
	uv_loop_t *uv;
	struct probe *first;
	struct probe *killed;	 /* likewise: those that have ended, and their processes not yet */
	struct prober_dirs dirs; /* borrowed */
	bool exec, restarts;	 /* their files may be run */
	__u64 random;		 /* stirred with each use */
	CURLM *multi;
	uv_timer_t curl_timer;
	__u8 scratch[PROBE_SCRATCH_BYTES];
};

/* Return: 0; -ENOMEM, -EIO with @err. */
int probe_env_open(struct probe_env *env, uv_loop_t *uv, const struct prober_dirs *dirs, struct err *err);
void probe_env_close(struct probe_env *env); /* ends all probes, as CHECK_LOCAL; the loop has to turn afterwards */
__u64 probe_random(struct probe_env *env);

/**
 * probe_begin() - probe a target now
 * @at:		proto 0; copied
 * @check:	borrowed until @done was called
 * @mark:	as for prober_probe()
 * @vip:	as for prober_restart(), borrowed likewise; "": it is a probe
 * @done:	called once, perhaps before this returns
 *
 * Return: 0, or -ENOMEM: then @done is never called.
 */
int probe_begin(struct probe_env *env, const struct endpoint *at, const struct check_config *check, __u32 mark,
		const char *vip, probe_done_fn *done, void *arg);

/* For kinds of probes. Each ends the probe, with what is in @fmt as words; a second end is ignored. */
void probe_end(struct probe *p, enum check_reason reason, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void probe_end_errno(struct probe *p, int code, const char *doing); /* code: positive errno */
void probe_closed(uv_handle_t *handle); /* for uv_close() of what p->handles counts; handle->data is the probe */

/* A socket of this probe has been opened: it goes through the tunnel, if there is one. Return: 0, or -errno. */
int probe_tunnel(const struct probe *p, int fd);

void probe_socket_begin(struct probe *p);
void probe_socket_stop(struct probe *p);
int probe_http_open(struct probe_env *env, struct err *err);
void probe_http_close(struct probe_env *env);
void probe_http_begin(struct probe *p);
void probe_http_stop(struct probe *p);
void probe_exec_begin(struct probe *p);
void probe_exec_stop(struct probe *p);
void probe_exec_close(struct probe_env *env);

#endif
