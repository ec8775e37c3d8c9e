// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Probes, and hooks, that run a file: root's own, from one local directory each, as nobody, in a process group that is
 * killed at the end. Not here: whether this node may (node set exec, hooks).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/probe.h"

#define NOBODY	     65534 /* Debian's policy section 9.2.2 */
#define VARIABLE_MAX 96
#define KILLED_MAX   3	/* processes of one target that do not end, as what waits for a disk does not: then no more */
#define KILLED_ALL   64 /* and of all targets together; of hooks likewise, apart from checks */

/* Root's, and nobody else writes it: what the configuration names can only be what root put there. */
static int file_trust(const char *path, mode_t type, struct err *err)
{
	struct stat st;

	if (lstat(path, &st))
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	if ((st.st_mode & S_IFMT) != type)
		return err_set(err, EPERM, "%s is no %s", path, type == S_IFDIR ? "directory" : "file");
	if (st.st_uid)
		return err_set(err, EPERM, "%s is not root's", path);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(err, EPERM, "%s may be written by others", path);
	if (type == S_IFREG && !(st.st_mode & S_IXOTH))
		return err_set(err, EPERM, "%s may not be run by nobody", path);
	return 0;
}

/* --- processes that were killed, and are there still --- */

static void killed_add(struct probe *p)
{
	p->here = &p->env->killed;
	p->next = p->env->killed;
	if (p->next)
		p->next->here = &p->next;
	p->env->killed = p;
}

static void killed_drop(struct probe *p)
{
	*p->here = p->next;
	if (p->next)
		p->next->here = p->here;
}

/* Return: whether so many are left that another one would only join them; that says nothing of the target. */
static bool killed_pile(struct probe *p)
{
	unsigned int same = 0, all = 0;

	for (const struct probe *k = p->env->killed; k; k = k->next) {
		if (k->hook != p->hook)
			continue;
		all++;
		same += !strcmp(k->file, p->check->name) && !endpoint_compare(&k->at, &p->at);
	}
	if (same >= KILLED_MAX)
		probe_end(p, CHECK_LOCAL, "%u earlier runs of %.40s were killed and have not ended", same,
			  p->check->name);
	else if (all >= KILLED_ALL)
		probe_end(p, CHECK_LOCAL, "%u earlier runs of %s were killed and have not ended", all,
			  p->hook ? "hooks" : "checks");
	return p->ended;
}

/* --- one that runs --- */

/* The first line of what it says is kept; the rest is read and forgotten. */
static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *ret)
{
	struct probe *p = handle->data;

	(void)wanted;
	*ret = p->said_len < sizeof(p->said) - 1
		       ? uv_buf_init(p->said + p->said_len, (unsigned int)(sizeof(p->said) - 1 - p->said_len))
		       : uv_buf_init(p->scrap, sizeof(p->scrap));
}

static void on_said(uv_stream_t *stream, ssize_t n, const uv_buf_t *room)
{
	struct probe *p = stream->data;

	if (n < 0)
		uv_read_stop(stream);
	else if (room->base != p->scrap)
		p->said_len += (size_t)n;
}

static const char *said_text(struct probe *p)
{
	p->said[p->said_len] = '\0';
	p->said[strcspn(p->said, "\r\n")] = '\0';
	for (char *c = p->said; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return p->said;
}

static void on_exit_status(uv_process_t *process, int64_t status, int sig)
{
	struct probe *p = process->data;
	const char *said, *colon;

	p->exited = true;
	if (p->ended) {
		killed_drop(p);
		uv_close((uv_handle_t *)process, probe_closed);
		return;
	}
	/* what it said may be in the pipe still */
	if (!uv_is_closing((uv_handle_t *)&p->pipe) && p->said_len < sizeof(p->said) - 1) {
		int fd = -1;
		ssize_t n;

		uv_fileno((uv_handle_t *)&p->pipe, &fd);
		n = read(fd, p->said + p->said_len, sizeof(p->said) - 1 - p->said_len);
		p->said_len += n > 0 ? (size_t)n : 0;
	}
	said = said_text(p);
	colon = *said ? ": " : "";
	if (sig)
		probe_end(p, CHECK_EXIT, "signal %d%s%.70s", sig, colon, said);
	else
		probe_end(p, status ? CHECK_EXIT : CHECK_FINE, "exit %lld%s%.70s", (long long)status, colon, said);
}

static int process_start(struct probe *p, char *path)
{
	char address[VARIABLE_MAX], port[VARIABLE_MAX], vip[VARIABLE_MAX], text[ADDR_TEXT_BYTES];
	char *args[] = {path, NULL};
	char *env[] = {(char[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, address, port, *p->vip ? vip : NULL, NULL};
	uv_stdio_container_t stdio[3] = {
		{.flags = UV_IGNORE},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&p->pipe},
		{.flags = UV_IGNORE}};
	uv_process_options_t options = {.exit_cb = on_exit_status,
					.file = path,
					.args = args,
					.env = env,
					.cwd = "/",
					.stdio = stdio,
					.stdio_count = 3,
					.uid = NOBODY,
					.gid = NOBODY,
					.flags = UV_PROCESS_SETUID | UV_PROCESS_SETGID | UV_PROCESS_DETACHED};
	int rc;

	snprintf(address, sizeof(address), "STARLING_ADDRESS=%s", addr_format(&p->at.addr, text));
	snprintf(port, sizeof(port), "STARLING_PORT=%u", (unsigned int)__builtin_bswap16(p->at.port));
	snprintf(vip, sizeof(vip), "STARLING_VIP=%s", p->vip);
	rc = uv_pipe_init(p->env->uv, &p->pipe, 0);
	if (rc)
		return rc;
	p->pipe.data = p->process.data = p;
	p->handles++;
	rc = uv_spawn(p->env->uv, &p->process, &options);
	p->handles++; /* also one that did not start has to be closed */
	snprintf(p->file, sizeof(p->file), "%s", p->check->name);
	p->runs = true;
	p->exited = rc;
	return rc ? rc : uv_read_start((uv_stream_t *)&p->pipe, on_room, on_said);
}

void probe_exec_begin(struct probe *p)
{
	bool hook = *p->vip;
	const char *dir = hook ? p->env->dirs.hooks : p->env->dirs.checks;
	char path[PATH_MAX];
	struct err err = {0};
	int rc;

	p->hook = hook;
	p->connected = true; /* for words: there is nothing to connect to */
	if (!(hook ? p->env->restarts : p->env->exec)) {
		probe_end(p, CHECK_LOCAL,
			  hook ? "hooks are off here: node set hooks on" : "exec is off here: node set exec on");
		return;
	}
	if (killed_pile(p))
		return;
	snprintf(path, sizeof(path), "%.3800s/%s", dir, p->check->name);
	rc = file_trust(dir, S_IFDIR, &err);
	if (!rc)
		rc = file_trust(path, S_IFREG, &err);
	if (rc) {
		probe_end(p, CHECK_LOCAL, "%.90s", err.text);
		return;
	}
	rc = process_start(p, path);
	if (rc)
		probe_end(p, CHECK_LOCAL, "%s does not start: %s", p->check->name, uv_strerror(rc));
}

/* At the end of the daemon nobody waits for them but init. */
void probe_exec_close(struct probe_env *env)
{
	struct probe *p;

	while ((p = env->killed)) {
		killed_drop(p);
		uv_close((uv_handle_t *)&p->process, probe_closed);
	}
}

void probe_exec_stop(struct probe *p)
{
	if (!p->runs)
		return;
	if (p->process.pid > 0)
		kill(-p->process.pid, SIGKILL); /* and what it has forked, unless that went its own way */
	uv_close((uv_handle_t *)&p->pipe, probe_closed);
	if (p->exited)
		uv_close((uv_handle_t *)&p->process, probe_closed);
	else /* when it does, or nobody would wait for it */
		killed_add(p);
}
