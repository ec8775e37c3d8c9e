// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a host and a device offer, found without changing anything. Not here: what is done
 * about it.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/magic.h>
#include <linux/membarrier.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "io/dataplane_private.h"

#define PROBE_OUTER_BYTES 56  /* largest outer header: IPv6, UDP, GUE and room for an option of it */
#define PROBE_KERNEL	  601 /* 100 * major + minor */

static void probe_add(struct dataplane_probe *p, const char *name, enum feature_state state, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void probe_add(struct dataplane_probe *p, const char *name, enum feature_state state, const char *fmt, ...)
{
	struct dataplane_feature *f;
	va_list ap;

	if (p->count == DATAPLANE_FEATURES_MAX)
		return;
	f = &p->feature[p->count++];
	f->name = name;
	f->state = state;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

/* First line of a file; "" if it cannot be read. */
static void probe_read(const char *path, char *text, size_t bytes)
{
	FILE *file = fopen(path, "re");

	text[0] = '\0';
	if (file && fgets(text, (int)bytes, file))
		text[strcspn(text, "\n")] = '\0';
	if (file)
		fclose(file);
}

void dataplane_capabilities(char missing[64])
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct cap[2] = {{0}, {0}};
	static const struct {
		int bit;
		bool admin; /* CAP_SYS_ADMIN does as well */
		const char *name;
	} need[] = {
		{CAP_BPF, true, "CAP_BPF"},
		{CAP_PERFMON, true, "CAP_PERFMON"},
		{CAP_NET_ADMIN, false, "CAP_NET_ADMIN"},
	};
	bool admin;
	size_t i;

	missing[0] = '\0';
	if (syscall(SYS_capget, &head, cap))
		return;
	admin = cap[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN);
	for (i = 0; i < sizeof(need) / sizeof(need[0]); i++) {
		if (cap[CAP_TO_INDEX(need[i].bit)].effective & CAP_TO_MASK(need[i].bit) || (need[i].admin && admin))
			continue;
		strcat(missing, missing[0] ? ", " : "");
		strcat(missing, need[i].name);
	}
}

static void probe_host(struct dataplane_probe *p)
{
	unsigned int major = 0, minor = 0;
	struct statfs fs;
	struct utsname host;
	char text[96];
	long commands;

	uname(&host);
	sscanf(host.release, "%u.%u", &major, &minor);
	if (major * 100 + minor >= PROBE_KERNEL)
		probe_add(p, "kernel", FEATURE_OK, "Linux %.60s", host.release);
	else
		probe_add(p, "kernel", FEATURE_NOTE,
			  "Linux %.60s is older than 6.1, the oldest that starling is tested on", host.release);
	dataplane_capabilities(text);
	if (text[0])
		probe_add(p, "capabilities", FEATURE_MISSING, "this process lacks %s: run as root", text);
	else
		probe_add(p, "capabilities", FEATURE_OK, "CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN");
	if (statfs("/sys/fs/bpf", &fs) || fs.f_type != BPF_FS_MAGIC)
		probe_add(p, "bpffs", FEATURE_MISSING, "none on /sys/fs/bpf: `mount -t bpf bpf /sys/fs/bpf`");
	else
		probe_add(p, "bpffs", FEATURE_OK, "mounted on /sys/fs/bpf");
	probe_read("/proc/sys/net/core/bpf_jit_enable", text, sizeof(text));
	if (!strcmp(text, "0"))
		probe_add(p, "jit", FEATURE_NOTE,
			  "off, so programs are interpreted, ten times slower: `sysctl net.core.bpf_jit_enable=1`");
	else
		probe_add(p, "jit", FEATURE_OK, "%s", text[0] ? "on" : "state not readable here");
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		probe_add(p, "btf", FEATURE_OK, "the kernel has none; starling's programs do not need it");
	else
		probe_add(p, "btf", FEATURE_OK, "the kernel's types are known");
	commands = syscall(__NR_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
	probe_add(p, "membarrier", FEATURE_OK, "%s",
		  commands > 0 && commands & MEMBARRIER_CMD_GLOBAL
			  ? "global: grace periods are waited for with it"
			  : "not global (nohz_full): grace periods are waited for through a map of maps");
}

/* Drivers of Linux 6.1 with native XDP: the kernel has no question for it before 6.3. */
static bool probe_driver_native(const char *driver)
{
	static const char *const native[] = {
		"atlantic",  "bnxt_en", "bonding",    "cpsw",  "dpaa2-eth", "ena",	 "fsl_dpa",
		"fsl_enetc", "gve",	"hv_netvsc",  "i40e",  "iavf",	    "ice",	 "igb",
		"igc",	     "ixgbe",	"ixgbevf",    "mana",  "mlx4_en",   "mlx5_core", "mtk_soc_eth",
		"mvneta",    "mvpp2",	"nfp",	      "nicvf", "qede",	    "sfc",	 "stmmac",
		"tun",	     "veth",	"virtio_net", "vif",   "netdevsim", "st_gmac",	 "lan966x-switch",
	};
	size_t i;

	for (i = 0; i < sizeof(native) / sizeof(native[0]); i++)
		if (!strcmp(driver, native[i]))
			return true;
	return false;
}

/* An ethtool flag; -1: not known. */
static int probe_ethtool(int fd, const char *device, __u32 command)
{
	struct ethtool_value value = {.cmd = command};
	struct ifreq ifr = {0};

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", device);
	ifr.ifr_data = (char *)&value;
	return ioctl(fd, SIOCETHTOOL, &ifr) ? -1 : (int)value.data;
}

static bool probe_native(__u32 ifindex, const char *driver)
{
	__u64 features = 0;

	return dataplane_features(ifindex, &features) ? probe_driver_native(driver) : features & DATAPLANE_NATIVE;
}

static void probe_driver(struct dataplane_probe *p, int fd, const char *device, __u32 ifindex)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq ifr = {0};
	int flags;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", device);
	ifr.ifr_data = (char *)&info;
	if (ioctl(fd, SIOCETHTOOL, &ifr)) {
		probe_add(p, "xdp-native", FEATURE_NOTE, "%s does not name its driver; generic mode works, slower",
			  device);
	} else if (probe_native(ifindex, info.driver)) {
		probe_add(p, "xdp-native", FEATURE_OK, "driver %s has native XDP", info.driver);
		if (!strcmp(info.driver, "virtio_net"))
			probe_add(p, "virtio", FEATURE_NOTE,
				  "native XDP needs guest_tso4, guest_tso6, guest_ecn, guest_ufo and guest_csum off in "
				  "the "
				  "hypervisor, and better a queue pair a CPU more");
		if (!strcmp(info.driver, "veth"))
			probe_add(
				p, "veth", FEATURE_NOTE,
				"what is sent back leaves only if the peer has an XDP program too, or is in GRO mode");
	} else {
		probe_add(p, "xdp-native", FEATURE_NOTE,
			  "driver %s is not known to have native XDP: auto tries it, then takes generic mode, slower",
			  info.driver);
	}
	flags = probe_ethtool(fd, device, ETHTOOL_GFLAGS);
	if (flags > 0 && flags & ETH_FLAG_LRO)
		probe_add(p, "lro", FEATURE_NOTE,
			  "large receive offload is on, which XDP cannot take: `ethtool -K %s lro off`", device);
	if (flags > 0 && flags & ETH_FLAG_RXVLAN)
		probe_add(p, "rxvlan", FEATURE_NOTE,
			  "the device strips VLAN tags before XDP sees them; with tagged traffic: `ethtool -K %s "
			  "rxvlan off`",
			  device);
}

/* Of a device that packets leave by, though another one has taken them. */
static void probe_redirect(struct dataplane_probe *p, __u32 ifindex)
{
	int takes = dataplane_takes_redirects(ifindex);

	if (takes > 0)
		probe_add(p, "xdp-redirect", FEATURE_OK,
			  "it sends what is taken from another device for backends here");
	else if (takes < 0)
		probe_add(p, "xdp-redirect", FEATURE_OK, "not known: Linux tells it from 6.3 on");
	else
		probe_add(p, "xdp-redirect", FEATURE_NOTE,
			  "packets taken from another device for backends behind this one would be lost: attach this "
			  "one too, or give a veth's peer an XDP program");
}

static void probe_other(struct dataplane_probe *p, __u32 ifindex)
{
	struct dataplane_other other;

	if (dataplane_other_program(ifindex, &other) <= 0)
		probe_add(p, "xdp-free", FEATURE_OK, "no XDP program is attached");
	else if (!strcmp(other.name, "steer"))
		probe_add(p, "xdp-free", FEATURE_OK, "starling is attached (program %u, %s)", other.id, other.mode);
	else
		probe_add(p, "xdp-free", FEATURE_MISSING,
			  "another XDP program is attached: \"%s\" (id %u, %s); stop its owner", other.name, other.id,
			  other.mode);
}

static void probe_mtu(struct dataplane_probe *p, int fd, const char *device)
{
	struct ifreq ifr = {0};

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", device);
	if (ioctl(fd, SIOCGIFMTU, &ifr))
		return;
	if (ifr.ifr_mtu >= 1500 + PROBE_OUTER_BYTES)
		probe_add(p, "mtu", FEATURE_OK, "%d: room for outer headers on packets of 1500", ifr.ifr_mtu);
	else
		probe_add(
			p, "mtu", FEATURE_NOTE,
			"%d: packets over %d get \"too big\" from ipip and gue (dr is not affected); on the way to the "
			"backends %d would avoid it",
			ifr.ifr_mtu, ifr.ifr_mtu - PROBE_OUTER_BYTES, 1500 + PROBE_OUTER_BYTES);
}

static void probe_rp_filter(struct dataplane_probe *p, const char *device)
{
	char path[96], text[16];
	int all, own;

	probe_read("/proc/sys/net/ipv4/conf/all/rp_filter", text, sizeof(text));
	all = atoi(text);
	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/rp_filter", device);
	probe_read(path, text, sizeof(text));
	own = atoi(text);
	if ((all > own ? all : own) == 1)
		probe_add(
			p, "rp-filter", FEATURE_NOTE,
			"strict: XDP passes by it, but a host that also decapsulates drops inner packets: 2 is loose");
	else
		probe_add(p, "rp-filter", FEATURE_OK, "%s", own || all ? "loose" : "off");
}

int dataplane_probe(const char *device, struct dataplane_probe *ret, struct err *err)
{
	struct ifreq ifr = {0};
	__u32 ifindex = 0;
	int fd;

	if (device) {
		ifindex = if_nametoindex(device);
		if (!ifindex)
			return err_set(err, ENODEV, "there is no device %.32s", device);
	}
	memset(ret, 0, sizeof(*ret));
	probe_host(ret);
	if (!device)
		return 0;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, errno, "cannot open a socket: %s", strerror(errno));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", device);
	if (!ioctl(fd, SIOCGIFFLAGS, &ifr))
		probe_add(ret, "device", ifr.ifr_flags & IFF_RUNNING ? FEATURE_OK : FEATURE_NOTE, "%s is %s", device,
			  !(ifr.ifr_flags & IFF_UP)	   ? "down"
			  : !(ifr.ifr_flags & IFF_RUNNING) ? "up, without carrier"
							   : "up");
	probe_driver(ret, fd, device, ifindex);
	probe_redirect(ret, ifindex);
	probe_other(ret, ifindex);
	probe_mtu(ret, fd, device);
	probe_rp_filter(ret, device);
	close(fd);
	return 0;
}
