// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Live frames: see live.h. Sender, driver and program share one CPU, so that the time of a frame is the sum of all of
 * it and what two programs differ in is the difference of their times. Both ends have a program (a veth flushes what
 * its peer sends by XDP_TX only then). What a frame costs is told for the frames counted at the program's input.
 */
#include "live.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define LIVE_SAMPLES 5
#define LIVE_PACKETS (1u << 16) /* of a sample: of many flows a random part */
#define LIVE_BATCH   64
#define LIVE_WAIT_US 200000 /* for the last frames to arrive */

enum live_what { LIVE_FLOOR, LIVE_MAGLEV, LIVE_ESTABLISHED, LIVE_WHATS };

static const char *const live_label[LIVE_WHATS][2] = {{"live, floor", "bpf_stats, floor"},
						      {"live, maglev", "bpf_stats, maglev"},
						      {"live, established", "bpf_stats, estab."}};
static const __u32 live_flows[] = {1, 8192, 131072, WORLD_FLOWS};
#define LIVE_FLOWS (sizeof(live_flows) / sizeof(*live_flows))

struct live {
	const struct clock *clock;
	struct world *w;
	int socket, program, stats, sink;
	__u32 ifindex; /* of the device that the program is attached to */
	__u32 next;
	__u8 frame[LIVE_BATCH][BENCH_V6_BYTES];
	double wall[LIVE_WHATS][LIVE_FLOWS][LIVE_SAMPLES], run[LIVE_WHATS][LIVE_FLOWS][LIVE_SAMPLES];
};

static int command(const char *text)
{
	int r = system(text);

	return WIFEXITED(r) && !WEXITSTATUS(r) ? 0 : -EIO;
}

static int stats_of(int fd, __u64 *ret_count, __u64 *ret_ns)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	*ret_count = info.run_cnt;
	*ret_ns = info.run_time_ns;
	return 0;
}

static int link_of(int program, const char *device)
{
	LIBBPF_OPTS(bpf_link_create_opts, o, .flags = XDP_FLAGS_DRV_MODE);
	int fd = bpf_link_create(program, (int)if_nametoindex(device), BPF_XDP, &o);

	return fd < 0 ? -errno : fd;
}

static int devices_make(struct live *l)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = 0};
	int one = 1;

	if (unshare(CLONE_NEWNET))
		return -errno;
	if (command("ip link add s0 type veth peer name g0 && ip link set s0 up && ip link set g0 up && "
		    "sysctl -qw net.ipv6.conf.s0.disable_ipv6=1 net.ipv6.conf.g0.disable_ipv6=1"))
		return -EIO;
	l->ifindex = if_nametoindex("s0");
	l->sink = link_of(bpf_program__fd(bpf_object__find_program_by_name(l->clock->object, "sink")), "g0");
	if (l->sink < 0)
		return l->sink;
	l->socket = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	to.sll_ifindex = (int)if_nametoindex("g0");
	if (l->socket < 0 || setsockopt(l->socket, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)) ||
	    bind(l->socket, (struct sockaddr *)&to, sizeof(to)))
		return -errno;
	l->stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	return l->stats < 0 ? -errno : 0;
}

/* The backends' next hop is behind the device that the packets come from, as it was for the clock. */
static void backends_move(struct live *l)
{
	for (__u32 id = 0; id < l->w->h->backends_max; id++) {
		struct backend_entry *e = &l->w->h->backends[id];

		e->copy[0].ifindex = e->copy[1].ifindex = l->ifindex;
	}
}

/* As bench.bpf.c writes them, so that the flows are the same. */
static void transport_write(__u8 *l4, __u32 n, __u8 proto, size_t bytes)
{
	__be16 port[2] = {htons((__u16)(0x4000 + (n & 15) * 97)), htons(80)}, len = htons((__u16)bytes);

	memcpy(l4, port, sizeof(port));
	if (proto == IPPROTO_UDP) {
		memcpy(l4 + 4, &len, sizeof(len));
		return;
	}
	l4[12] = 0x50;
	l4[13] = 0x10;
	memset(l4 + 14, 0xff, 2);
}

static void frame_write(__u8 *f, __u32 n, const struct bench_state *s)
{
	const __u8 ip[] = {0x45, 0, 0, BENCH_V4_BYTES - 14, 0, 1, 0x40, 0, 64, s->proto, 0, 0};
	const __u8 ip6[] = {0x60, 0, 0, 0, 0, BENCH_V6_BYTES - 54, s->proto, 64};
	const __be32 net6[] = {htonl(0x20010db8), htonl(0x01000000), 0};
	__be32 saddr = htonl((s->v6 ? 0 : 0x0a000000) + (n >> 4)), daddr = htonl(s->vip_base + (n & s->vip_mask));

	memset(f, 0, BENCH_V6_BYTES);
	memset(f, 2, 12);
	f[12] = (s->v6 ? ETH_P_IPV6 : ETH_P_IP) >> 8;
	f[13] = (s->v6 ? ETH_P_IPV6 : ETH_P_IP) & 0xff;
	if (s->v6) {
		memcpy(f + 14, ip6, sizeof(ip6));
		memcpy(f + 22, net6, sizeof(net6));
		memcpy(f + 34, &saddr, 4);
		memcpy(f + 38, s->vip_net, sizeof(s->vip_net));
		memcpy(f + 50, &daddr, 4);
		transport_write(f + 54, n, s->proto, BENCH_V6_BYTES - 54);
		return;
	}
	memcpy(f + 14, ip, sizeof(ip));
	memcpy(f + 26, &saddr, 4);
	memcpy(f + 30, &daddr, 4);
	transport_write(f + 34, n, s->proto, BENCH_V4_BYTES - 34);
}

static int frames_send(struct live *l, const struct bench_state *s, __u32 packets)
{
	struct iovec iov[LIVE_BATCH];
	struct mmsghdr msg[LIVE_BATCH];

	memset(msg, 0, sizeof(msg));
	for (int i = 0; i < LIVE_BATCH; i++) {
		iov[i] = (struct iovec){l->frame[i], l->w->v6 ? BENCH_V6_BYTES : BENCH_V4_BYTES};
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	for (; packets; packets -= LIVE_BATCH) {
		for (int i = 0; i < LIVE_BATCH; i++) {
			__u32 n = (l->next++ * 0x9e3779b1u) & s->flow_mask;

			frame_write(l->frame[i], n, s);
		}
		if (sendmmsg(l->socket, msg, LIVE_BATCH, 0) != LIVE_BATCH)
			return errno ? -errno : -EAGAIN;
	}
	return 0;
}

/* Frames of one sample, until all that are coming have come. */
static int sample(struct live *l, const struct bench_state *s, __u32 packets, double *ret_wall, double *ret_run)
{
	__u64 count0 = 0, ns0 = 0, count = 0, ns = 0,
	      tx0 = harness_device_count(l->w->h, l->ifindex).verdict[VERDICT_TX], tx;
	struct mono start = mono_now();
	int r = stats_of(l->program, &count0, &ns0);

	if (!r)
		r = frames_send(l, s, packets);
	*ret_wall = mono_seconds(start, mono_now()) * 1e9;
	if (!r)
		r = stats_of(l->program, &count, &ns);
	if (!r && count - count0 < packets) {
		usleep(LIVE_WAIT_US);
		r = stats_of(l->program, &count, &ns);
	}
	if (r)
		return r;
	tx = harness_device_count(l->w->h, l->ifindex).verdict[VERDICT_TX] - tx0;
	if (count - count0 < packets / 100 * 99 || (l->program == l->w->h->steer_fd && tx != count - count0)) {
		fprintf(stderr, "bench: of %u live frames %llu came and %llu were sent on\n", packets, count - count0,
			tx);
		return -EPROTO;
	}
	*ret_wall /= (double)(count - count0);
	*ret_run = (double)(ns - ns0) / (double)(count - count0);
	return 0;
}

static int what_sample(struct live *l, enum live_what what, size_t flows, int nth)
{
	struct bench_state s =
		world_state(l->w, what == LIVE_ESTABLISHED ? WORLD_WLC : WORLD_MH, live_flows[flows], 0x10);
	int link, r;
	double warm;

	l->program = what != LIVE_FLOOR ? l->w->h->steer_fd
					: l->clock->program_fd[l->w->v6 ? CLOCK_FLOOR_V6 : CLOCK_FLOOR_V4];
	link = link_of(l->program, "s0");
	if (link < 0)
		return link;
	r = sample(l, &s, LIVE_PACKETS / 8, &warm, &warm);
	if (!r)
		r = sample(l, &s, LIVE_PACKETS, &l->wall[what][flows][nth], &l->run[what][flows][nth]);
	close(link);
	return r;
}

static int double_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Nothing is taken off: net is what was measured, over the floor the difference of medians. */
static void rows_add(struct live *l, struct report *to, bool run)
{
	double(*all)[LIVE_FLOWS][LIVE_SAMPLES] = run ? l->run : l->wall;

	for (int what = 0; what < LIVE_WHATS; what++) {
		for (size_t f = 0; f < LIVE_FLOWS; f++) {
			double *one = all[what][f], *floor = all[LIVE_FLOOR][f];
			struct report_row row = {.what = live_label[what][run],
						 .version = l->w->v6 ? 6 : 4,
						 .proto = l->w->proto == IPPROTO_UDP ? "udp" : "tcp",
						 .vips = l->w->vips,
						 .backends = l->w->backends,
						 .flows = live_flows[f]};

			qsort(one, LIVE_SAMPLES, sizeof(*one), double_compare);
			row.raw_ns = row.net_ns = one[LIVE_SAMPLES / 2];
			row.least_ns = one[0];
			row.over_floor_ns = row.raw_ns - floor[LIVE_SAMPLES / 2];
			report_add(to, &row);
		}
	}
}

int live_measure(const struct clock *c, struct world *w, struct report *to)
{
	struct live *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->clock = c;
	l->w = w;
	l->socket = l->sink = l->stats = -1;
	r = devices_make(l);
	if (!r)
		backends_move(l);
	for (int nth = 0; !r && nth < LIVE_SAMPLES; nth++)
		for (size_t f = 0; !r && f < LIVE_FLOWS; f++)
			for (int what = 0; !r && what < LIVE_WHATS; what++)
				r = what_sample(l, (enum live_what)what, f, nth);
	if (r) {
		fprintf(stderr, "bench: live frames: %s\n", strerror(-r));
	} else {
		rows_add(l, to, false);
		rows_add(l, to, true);
	}
	close(l->socket);
	close(l->sink);
	close(l->stats);
	free(l);
	return r;
}
