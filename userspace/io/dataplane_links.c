// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Attachments of the program to devices: made, pinned, adopted, given another program. Not
 * here: what the program is.
 *
 * An attachment is a BPF link pinned as link-IFINDEX, so it outlives the daemon, and its
 * program is replaced in one step. Frames of several buffers ("frags", jumbo) are offered to
 * every driver first; one that refuses gets the program without them.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/dataplane_private.h"

#define LINK_PIN "link-"

static void link_path(const struct dataplane *dp, __u32 ifindex, char path[DATAPLANE_PATH_BYTES])
{
	char name[32];

	snprintf(name, sizeof(name), LINK_PIN "%u", ifindex);
	dataplane_pin_path(dp, name, path);
}

static const char *link_device(__u32 ifindex, char name[IF_NAMESIZE + 8])
{
	char text[IF_NAMESIZE];

	if (if_indextoname(ifindex, text))
		snprintf(name, IF_NAMESIZE + 8, "%s", text);
	else
		snprintf(name, IF_NAMESIZE + 8, "device %u", ifindex);
	return name;
}

static int link_info(int fd, struct bpf_link_info *ret)
{
	__u32 bytes = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	return bpf_obj_get_info_by_fd(fd, ret, &bytes) ? -errno : 0;
}

/* Devices that went away leave links to nothing behind. */
static void links_prune(struct dataplane *dp)
{
	char path[DATAPLANE_PATH_BYTES];
	struct bpf_link_info info;
	size_t i, kept = 0;

	for (i = 0; i < dp->link_count; i++) {
		struct dataplane_link *l = &dp->link[i];

		if (!link_info(l->fd, &info) && info.xdp.ifindex == l->ifindex) {
			dp->link[kept++] = *l;
			continue;
		}
		link_path(dp, l->ifindex, path);
		unlink(path);
		close(l->fd);
		dataplane_note_add(dp, "device %u is gone, and its attachment with it", l->ifindex);
	}
	dp->link_count = kept;
}

static struct dataplane_link *link_find(struct dataplane *dp, __u32 ifindex)
{
	size_t i;

	for (i = 0; i < dp->link_count; i++)
		if (dp->link[i].ifindex == ifindex)
			return &dp->link[i];
	return NULL;
}

/* The link that holds a program on a device; 0: none. */
static __u32 link_of_program(__u32 ifindex, __u32 program)
{
	struct bpf_link_info info;
	__u32 id = 0;
	int fd, err;

	while (!bpf_link_get_next_id(id, &id)) {
		fd = bpf_link_get_fd_by_id(id);
		if (fd < 0)
			continue;
		err = link_info(fd, &info);
		close(fd);
		if (!err && info.type == BPF_LINK_TYPE_XDP && info.xdp.ifindex == ifindex && info.prog_id == program)
			return id;
	}
	return 0;
}

int dataplane_other_program(__u32 ifindex, struct dataplane_other *ret)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	struct bpf_prog_info info = {0};
	__u32 bytes = sizeof(info);
	int fd, err = bpf_xdp_query((int)ifindex, 0, &query);

	if (err < 0)
		return err;
	memset(ret, 0, sizeof(*ret));
	ret->id = query.drv_prog_id ? query.drv_prog_id : query.skb_prog_id ? query.skb_prog_id : query.hw_prog_id;
	ret->mode = query.drv_prog_id ? "native" : query.skb_prog_id ? "generic" : "offloaded";
	if (!ret->id)
		return 0;
	strcpy(ret->name, "unknown");
	fd = bpf_prog_get_fd_by_id(ret->id);
	if (fd >= 0) {
		if (!bpf_obj_get_info_by_fd(fd, &info, &bytes) && info.name[0])
			snprintf(ret->name, sizeof(ret->name), "%s", info.name);
		close(fd);
	}
	ret->link_id = link_of_program(ifindex, ret->id);
	return 1;
}

static int link_refuse_other(__u32 ifindex, const struct dataplane_other *other, struct err *err)
{
	char name[IF_NAMESIZE + 8], how[96];

	link_device(ifindex, name);
	if (!strcmp(other->name, "xdp_dispatcher"))
		snprintf(how, sizeof(how), "`xdp-loader unload %s --all`", name);
	else if (other->link_id)
		snprintf(how, sizeof(how), "`bpftool link detach id %u`", other->link_id);
	else
		snprintf(how, sizeof(how), "`ip link set dev %s xdp%s off`", name,
			 !strcmp(other->mode, "generic") ? "generic" : "");
	return err_set(
		err, EBUSY,
		"%s has another XDP program already: \"%s\" (id %u, %s); a device takes one, so stop its owner or "
		"detach it with %s",
		name, other->name, other->id, other->mode, how);
}

/* Creates a link; on failure the driver's words, which only a request by netlink returns. */
static int link_create(int program, __u32 ifindex, __u32 flags, char why[200])
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);
	struct dataplane_log *log;
	int fd = bpf_link_create(program, (int)ifindex, BPF_XDP, &opts), failed;

	if (fd >= 0)
		return fd;
	failed = -errno;
	snprintf(why, 200, "%s", strerror(-failed));
	log = calloc(1, sizeof(*log));
	if (!log)
		return failed;
	dataplane_log_begin(log);
	if (!bpf_xdp_attach((int)ifindex, program, flags | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL))
		bpf_xdp_detach((int)ifindex, flags, NULL);
	else if (strstr(log->text, "Kernel error message: "))
		dataplane_log_reason(log, why, 200);
	dataplane_log_end();
	free(log);
	return failed;
}

/* The programs without frags, loaded when the first driver needs them. */
static int links_flat(struct dataplane *dp, struct err *err)
{
	return dp->flat.skel ? 0 : dataplane_object_load(dp, &dp->config, false, &dp->flat, err);
}

/* One mode, with frags and then without. Returns the link's fd. */
static int link_try(struct dataplane *dp, __u32 ifindex, __u32 flags, bool *ret_frags, char why[200])
{
	char name[IF_NAMESIZE + 8], first[200], second[200];
	int fd = link_create(dp->frags.steer_fd, ifindex, flags, first), flat;

	*ret_frags = true;
	if (fd >= 0)
		return fd;
	strcpy(why, first);
	if (fd == -EBUSY || fd == -ENODEV || fd == -EPERM || links_flat(dp, NULL))
		return fd;
	flat = link_create(dp->flat.steer_fd, ifindex, flags, second);
	if (flat < 0)
		return fd;
	*ret_frags = false;
	dataplane_note_add(dp, "%s takes no frames of several buffers (%s): jumbo frames stay with the host",
			   link_device(ifindex, name), first);
	return flat;
}

static int link_attach_modes(struct dataplane *dp, struct dataplane_link *l, enum xdp_mode wanted, struct err *err)
{
	char name[IF_NAMESIZE + 8], why[200] = "", generic[200] = "";
	int native = 0;

	link_device(l->ifindex, name);
	l->mode = XDP_MODE_NATIVE;
	if (wanted != XDP_MODE_GENERIC) {
		l->fd = link_try(dp, l->ifindex, XDP_FLAGS_DRV_MODE, &l->frags, why);
		if (l->fd >= 0)
			return 0;
		native = l->fd;
		if (wanted == XDP_MODE_NATIVE)
			return err_set(
				err, -native,
				"the driver of %s takes no native XDP program (%s): check MTU, offloads and queues, or "
				"attach with `mode generic`",
				name, why);
	}
	l->mode = XDP_MODE_GENERIC;
	l->fd = link_try(dp, l->ifindex, XDP_FLAGS_SKB_MODE, &l->frags, generic);
	if (l->fd < 0)
		return err_set(err, -l->fd, "the kernel attaches no XDP program to %s (%s)", name, generic);
	if (native)
		dataplane_note_add(dp,
				   "%s runs XDP in generic mode, which is slower: its driver refuses native mode (%s)",
				   name, why);
	return 0;
}

int dataplane_attach(struct dataplane *dp, __u32 ifindex, enum xdp_mode wanted, enum xdp_mode *ret_got, struct err *err)
{
	struct dataplane_link *l, link = {.ifindex = ifindex, .fd = -1};
	char name[IF_NAMESIZE + 8], path[DATAPLANE_PATH_BYTES];
	struct dataplane_other other;
	int failed;
	size_t i;

	if (dp->memory_only)
		return err_set(err, EOPNOTSUPP, "a witness (--no-dataplane) takes no packets, from no device");
	links_prune(dp);
	if (!if_indextoname(ifindex, name))
		return err_set(err, ENODEV, "there is no device with index %u", ifindex);
	l = link_find(dp, ifindex);
	if (l && (wanted == XDP_MODE_AUTO || wanted == l->mode)) {
		*ret_got = l->mode;
		return 0;
	}
	if (l)
		return err_set(err, EEXIST,
			       "%s is attached in %s mode: detach it first (its packets then go to the host)", name,
			       l->mode == XDP_MODE_NATIVE ? "native" : "generic");
	for (i = 0; i < dp->link_count; i++)
		if (dp->link[i].ifindex % STARLING_DEVICES == ifindex % STARLING_DEVICES)
			return err_set(
				err, ENOSPC,
				"%s (index %u) would share its counters with the attached device of index %u: make the "
				"device anew for another index",
				name, ifindex, dp->link[i].ifindex);
	failed = dataplane_other_program(ifindex, &other);
	if (failed > 0)
		return link_refuse_other(ifindex, &other, err);
	failed = link_attach_modes(dp, &link, wanted, err);
	if (failed)
		return failed;
	link_path(dp, ifindex, path);
	unlink(path);
	if (bpf_obj_pin(link.fd, path)) {
		failed = err_set(err, errno, "cannot pin the attachment of %s as %s: %s", name, path, strerror(errno));
		close(link.fd);
		return failed;
	}
	dp->link[dp->link_count++] = link;
	*ret_got = link.mode;
	if (dp->tunnel && dataplane_tunnel_attach(dp, ifindex))
		dataplane_note_add(dp, "%s takes no filter on its way out: probes through the tunnel are lost there",
				   name);
	return 0;
}

int dataplane_detach(struct dataplane *dp, __u32 ifindex, struct err *err)
{
	char name[IF_NAMESIZE + 8], path[DATAPLANE_PATH_BYTES];
	struct dataplane_link *l;

	links_prune(dp);
	l = link_find(dp, ifindex);
	if (!l)
		return err_set(err, ENOENT, "%s is not attached", link_device(ifindex, name));
	link_path(dp, ifindex, path);
	if (unlink(path) && errno != ENOENT)
		return err_set(err, errno, "cannot unpin %s: %s", path, strerror(errno));
	dataplane_tunnel_detach(ifindex);
	/* Even if somebody else holds the link open. */
	bpf_link_detach(l->fd);
	close(l->fd);
	*l = dp->link[--dp->link_count];
	return 0;
}

static int link_compare(const void *a, const void *b)
{
	const struct dataplane_link *l = a, *m = b;

	return (l->ifindex > m->ifindex) - (l->ifindex < m->ifindex);
}

size_t dataplane_attached(struct dataplane *dp, struct dataplane_device *ret, size_t max)
{
	size_t i;

	links_prune(dp);
	qsort(dp->link, dp->link_count, sizeof(dp->link[0]), link_compare);
	for (i = 0; i < dp->link_count && i < max; i++) {
		memset(&ret[i], 0, sizeof(ret[i]));
		ret[i].ifindex = dp->link[i].ifindex;
		ret[i].mode = dp->link[i].mode;
		ret[i].frags = dp->link[i].frags;
		if (!if_indextoname(ret[i].ifindex, ret[i].name))
			snprintf(ret[i].name, sizeof(ret[i].name), "%u", ret[i].ifindex);
	}
	return dp->link_count;
}

int dataplane_links_replace(struct dataplane *dp, const struct dataplane_object *frags,
			    const struct dataplane_object *flat, struct err *err)
{
	char name[IF_NAMESIZE + 8];
	size_t i, done;
	int failed = 0;

	links_prune(dp);
	for (done = 0; done < dp->link_count; done++) {
		const struct dataplane_link *l = &dp->link[done];

		if (bpf_link_update(l->fd, l->frags ? frags->steer_fd : flat->steer_fd, NULL)) {
			failed = err_set(err, errno, "cannot replace the program of %s: %s",
					 link_device(l->ifindex, name), strerror(errno));
			break;
		}
	}
	for (i = 0; failed && i < done; i++)
		bpf_link_update(dp->link[i].fd, dp->link[i].frags ? dp->frags.steer_fd : dp->flat.steer_fd, NULL);
	return failed;
}

/* Takes over one pinned link: 0 also when there was nothing to take. */
static int link_adopt(struct dataplane *dp, const char *pin, struct err *err)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	struct dataplane_link l = {.frags = true};
	char name[IF_NAMESIZE + 8], path[DATAPLANE_PATH_BYTES];
	struct bpf_link_info info;
	int failed;

	failed = dataplane_pin_path(dp, pin, path);
	l.fd = failed ? -1 : bpf_obj_get(path);
	if (l.fd < 0)
		return err_set(err, failed ? -failed : errno, "cannot open the pinned attachment %s/%s: %s",
			       dp->pin_dir, pin, strerror(failed ? -failed : errno));
	if (link_info(l.fd, &info) || info.type != BPF_LINK_TYPE_XDP || dp->link_count == STARLING_DEVICES) {
		close(l.fd);
		return err_set(err, EPROTO, "%s is no attachment of starling's; remove it", path);
	}
	l.ifindex = info.xdp.ifindex;
	if (!l.ifindex) {
		dataplane_note_add(dp, "the device of %s is gone, and its attachment with it", pin);
		unlink(path);
		close(l.fd);
		return 0;
	}
	failed = bpf_xdp_query((int)l.ifindex, 0, &query);
	if (failed || (query.drv_prog_id != info.prog_id && query.skb_prog_id != info.prog_id)) {
		close(l.fd);
		return err_set(
			err, EXDEV,
			"%s belongs to a device of another network namespace: start starlingd there, or remove it",
			path);
	}
	l.mode = query.skb_prog_id == info.prog_id ? XDP_MODE_GENERIC : XDP_MODE_NATIVE;
	if (bpf_link_update(l.fd, dp->frags.steer_fd, NULL)) {
		failed = errno;
		l.frags = false;
		if (links_flat(dp, err) || bpf_link_update(l.fd, dp->flat.steer_fd, NULL)) {
			close(l.fd);
			return err_set(err, failed, "cannot replace the program of %s: %s",
				       link_device(l.ifindex, name), strerror(failed));
		}
	}
	dp->link[dp->link_count++] = l;
	return 0;
}

/* Calls @fn for every pinned link. */
static int links_each(struct dataplane *dp, int (*fn)(struct dataplane *dp, const char *pin, struct err *err),
		      struct err *err)
{
	DIR *dir = opendir(dp->pin_dir);
	struct dirent *entry;
	int failed = 0;

	if (!dir)
		return errno == ENOENT ? 0 : err_set(err, errno, "cannot read %s: %s", dp->pin_dir, strerror(errno));
	while (!failed && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, LINK_PIN, sizeof(LINK_PIN) - 1))
			failed = fn(dp, entry->d_name, err);
	closedir(dir);
	return failed;
}

int dataplane_links_adopt(struct dataplane *dp, struct err *err)
{
	return links_each(dp, link_adopt, err);
}

static int link_remove(struct dataplane *dp, const char *pin, struct err *err)
{
	char path[DATAPLANE_PATH_BYTES];
	struct bpf_link_info info;
	int fd, failed = dataplane_pin_path(dp, pin, path);

	if (failed)
		return err_set(err, -failed, "%s has too long a name", pin);
	fd = bpf_obj_get(path);
	if (fd >= 0) {
		if (!link_info(fd, &info) && info.xdp.ifindex)
			dataplane_tunnel_detach(info.xdp.ifindex);
		bpf_link_detach(fd);
		close(fd);
	}
	return unlink(path) && errno != ENOENT ? err_set(err, errno, "cannot unpin %s: %s", path, strerror(errno)) : 0;
}

int dataplane_links_remove(struct dataplane *dp)
{
	dataplane_links_close(dp);
	return links_each(dp, link_remove, NULL);
}

void dataplane_links_close(struct dataplane *dp)
{
	while (dp->link_count)
		close(dp->link[--dp->link_count].fd);
}
