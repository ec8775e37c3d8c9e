// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The steer program in a test: see harness.h. Speaks libbpf directly, so that a fault in
 * io/dataplane does not hide one in the program.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/key_table.h"
#include "io/dataplane_tables.h"
#include "starling/cell.h"
#include "starling/hash.h"

#define POISON_BYTES	 64 /* more than the longest outer header (IPv6, UDP: 48) */
#define POISON_BYTES_OLD 32 /* all the metadata that kernels before 6.7 take */

const char *const harness_verdict_name[VERDICT_COUNT] = {
#define HARNESS_NAME(name, action, label, help) #name,
	STARLING_VERDICTS(HARNESS_NAME)
#undef HARNESS_NAME
};

static int print_nothing(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	(void)fmt;
	(void)args;
	return 0;
}

__attribute__((format(printf, 2, 0))) static int print_all(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_DEBUG ? 0 : vfprintf(stderr, fmt, args);
}

struct steer_config harness_config(__u32 seed, __u32 tick_shift, __u32 flow_sets_log2)
{
	struct steer_config c = {
		.flow_sets_log2 = flow_sets_log2,
		.tick_shift = tick_shift,
		.half_ticks = 20,
		.half_evict_ticks = 4,
		.closing_ticks = 235,
		.closing_evict_ticks = 59,
		.reset_ticks = 8,
		.probation_ticks = 4,
		.tended_ticks = 40,
		.fragments = 1,
		.icmp = 1,
	};
	__u32 i;

	for (i = 0; i < 16; i++)
		c.seed[i] = (seed + 1) * 0x9e3779b1u ^ (i + 1) * 0x85ebca6bu;
	return c;
}

/* The value of a global in a read-only section, found by its name in the BTF. */
static int rodata_set(struct bpf_object *o, const char *name, const void *value, size_t size)
{
	const struct btf *btf = bpf_object__btf(o);
	struct bpf_map *map = bpf_object__find_map_by_name(o, ".rodata");
	const struct btf_type *sec;
	size_t room;
	const char *base;
	char *copy;
	int id, i, r = -ENOENT;

	if (!btf || !map)
		return -ENOENT;
	base = bpf_map__initial_value(map, &room);
	id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	if (!base || id < 0)
		return -ENOENT;
	copy = malloc(room);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, base, room);
	sec = btf__type_by_id(btf, (__u32)id);
	for (i = 0; r && i < btf_vlen(sec); i++) {
		const struct btf_var_secinfo *v = &btf_var_secinfos(sec)[i];
		const char *var = btf__name_by_offset(btf, btf__type_by_id(btf, v->type)->name_off);

		if (strcmp(var, name) || v->size != size || v->offset + size > room)
			continue;
		memcpy(copy + v->offset, value, size);
		r = bpf_map__set_initial_value(map, copy, room);
	}
	free(copy);
	return r;
}

static int table_resize(struct bpf_object *o, const char *name, size_t bytes)
{
	struct bpf_map *m = bpf_object__find_map_by_name(o, name);

	return m ? bpf_map__set_value_size(m, (__u32)bytes) : -ENOENT;
}

static int map_resize(struct bpf_object *o, const char *name, __u32 entries)
{
	struct bpf_map *m = bpf_object__find_map_by_name(o, name);

	return m ? bpf_map__set_max_entries(m, entries) : -ENOENT;
}

static int map_fd(struct bpf_object *o, const char *name)
{
	struct bpf_map *m = bpf_object__find_map_by_name(o, name);

	return m ? bpf_map__fd(m) : -ENOENT;
}

static void *map_memory(struct harness *h, const char *name, int nth, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (bytes + page - 1) / page * page;
	void *at;

	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd(h->object, name), 0);
	if (at == MAP_FAILED) {
		fprintf(stderr, "harness: cannot map %s: %s\n", name, strerror(errno));
		return NULL;
	}
	h->mapped[nth] = size;
	return at;
}

/* A program that tells the tick, of which the 32 bits of its return value hold enough. */
static int clock_load(__u32 tick_shift)
{
	struct bpf_insn insn[] = {
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_jiffies64},
		{.code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = BPF_REG_0, .imm = (__s32)tick_shift},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "tick", "GPL", insn, 3, NULL);
}

static const char *object_path(const struct harness_options *o, char *text, size_t size)
{
	const char *dir = getenv("O"), *path = getenv("STEER_OBJECT");

	if (o->object || path)
		return o->object ? o->object : path;
	snprintf(text, size, "%s/bpf/steer.bpf.o", dir ? dir : "build");
	return text;
}

static void sizes_set(struct harness *h, const struct harness_options *o)
{
	__u32 log2 = o->flow_sets_log2 ? o->flow_sets_log2 : 12;

	h->vips_max = o->vips ? o->vips : 64;
	h->backends_max = o->backends ? o->backends : 1024;
	h->slots_max = o->slots ? o->slots : 1 << 18;
	h->sets_max = 1u << log2;
	h->config = o->config ? *o->config : harness_config(1, 6, log2);
	h->config.flow_sets_log2 = log2;
	h->config.keys_log2 = (__u8)key_table_log2(h->vips_max * STARLING_KEYS_PER_VIP);
	h->config.mapped = flow_hash_mapped_part(htonl(0xffff), h->config.seed);
	h->config.vips_mask = h->vips_max - 1;
	h->config.backends_mask = h->backends_max - 1;
	h->config.slots_mask = h->slots_max - 1;
	h->config.keys_mask = (1u << h->config.keys_log2) - 1;
	h->config.flow_sets_mask = h->sets_max - 1;
}

static int object_load(struct harness *h, const struct harness_options *o)
{
	struct bpf_program *p;
	char text[256];
	int r;

	r = dataplane_tables_register();
	if (r)
		return r;
	libbpf_set_print(o->verbose || getenv("V") ? print_all : print_nothing);
	h->object = bpf_object__open_file(object_path(o, text, sizeof(text)), NULL);
	if (!h->object) {
		r = -errno;
		fprintf(stderr, "harness: cannot open %s: %s\n", object_path(o, text, sizeof(text)), strerror(-r));
		return r;
	}
	if (table_resize(h->object, MAP_VIPS, sizeof(struct vip_entry) * h->vips_max) ||
	    table_resize(h->object, MAP_BACKENDS, sizeof(struct backend_entry) * h->backends_max) ||
	    table_resize(h->object, MAP_LOADS, sizeof(struct backend_load) * h->backends_max) ||
	    table_resize(h->object, MAP_SIGNS, sizeof(struct backend_signs) * h->backends_max) ||
	    table_resize(h->object, MAP_LIMITS, sizeof(struct backend_limit) * h->backends_max) ||
	    table_resize(h->object, MAP_NOTES, sizeof(__u64) * NOTES) ||
	    table_resize(h->object, MAP_KEYS, sizeof(struct key_entry) << h->config.keys_log2) ||
	    table_resize(h->object, MAP_SLOTS, sizeof(__u64) * h->slots_max) ||
	    table_resize(h->object, MAP_FLOWS, sizeof(struct flow_set) * h->sets_max) ||
	    map_resize(h->object, MAP_COUNT_VIPS, h->vips_max) ||
	    map_resize(h->object, MAP_COUNT_REFUSED, h->vips_max) ||
	    map_resize(h->object, MAP_COUNT_BACKENDS, h->backends_max) ||
	    rodata_set(h->object, "config", &h->config, sizeof(h->config))) {
		fprintf(stderr, "harness: the object lacks a map or the rodata of dataplane.h\n");
		return -EINVAL;
	}
	r = bpf_object__load(h->object);
	if (r) {
		fprintf(stderr, "harness: cannot load steer: %s (V=1 tells more)\n", strerror(-r));
		return r;
	}
	p = bpf_object__find_program_by_name(h->object, "steer");
	h->steer_fd = p ? bpf_program__fd(p) : -1;
	return h->steer_fd < 0 ? -ENOENT : 0;
}

static int maps_open(struct harness *h)
{
	struct bpf_object *o = h->object;

	h->overflows_fd = map_fd(o, MAP_OVERFLOWS);
	h->devmap_fd = map_fd(o, MAP_DEVMAP);
	h->events_fd = map_fd(o, MAP_EVENTS);
	h->fragments_fd = map_fd(o, MAP_FRAGMENTS);
	h->count_vips_fd = map_fd(o, MAP_COUNT_VIPS);
	h->count_refused_fd = map_fd(o, MAP_COUNT_REFUSED);
	h->count_backends_fd = map_fd(o, MAP_COUNT_BACKENDS);
	h->count_devices_fd = map_fd(o, MAP_COUNT_DEVICES);
	h->filter = map_memory(h, MAP_FILTER, 0, sizeof(struct vip_filter));
	h->vips = map_memory(h, MAP_VIPS, 1, sizeof(struct vip_entry) * h->vips_max);
	h->backends = map_memory(h, MAP_BACKENDS, 2, sizeof(struct backend_entry) * h->backends_max);
	h->slots = map_memory(h, MAP_SLOTS, 3, sizeof(__u64) * h->slots_max);
	h->flows = map_memory(h, MAP_FLOWS, 4, sizeof(struct flow_set) * h->sets_max);
	h->loads = map_memory(h, MAP_LOADS, 5, sizeof(struct backend_load) * h->backends_max);
	h->keys = map_memory(h, MAP_KEYS, 6, sizeof(struct key_entry) << h->config.keys_log2);
	h->signs = map_memory(h, MAP_SIGNS, 7, sizeof(struct backend_signs) * h->backends_max);
	h->limits = map_memory(h, MAP_LIMITS, 8, sizeof(struct backend_limit) * h->backends_max);
	if (!h->keys || !h->filter || !h->vips || !h->backends || !h->slots || !h->flows || !h->loads || !h->signs ||
	    !h->limits)
		return -ENOMEM;
	return 0;
}

int harness_open(const struct harness_options *o, struct harness **ret)
{
	struct harness_options none = {0};
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);
	struct harness *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return -ENOMEM;
	if (!o)
		o = &none;
	h->steer_fd = h->clock_fd = -1;
	h->cpus = (__u32)libbpf_num_possible_cpus();
	h->poison_bytes = o->no_poison ? 0 : POISON_BYTES;
	sizes_set(h, o);
	r = object_load(h, o);
	if (!r)
		r = maps_open(h);
	if (!r)
		r = h->clock_fd = clock_load(h->config.tick_shift);
	if (r < 0) {
		harness_close(h);
		return r;
	}
	if (!bpf_obj_get_info_by_fd(h->steer_fd, &info, &size))
		h->verifier_insns = info.verified_insns;
	*ret = h;
	return 0;
}

void harness_close(struct harness *h)
{
	void *at[9];
	int i;

	if (!h)
		return;
	at[0] = h->filter;
	at[1] = h->vips;
	at[2] = h->backends;
	at[3] = h->slots;
	at[4] = h->flows;
	at[5] = h->loads;
	at[6] = h->keys;
	at[7] = h->signs;
	at[8] = h->limits;
	for (i = 0; i < 9; i++)
		if (at[i])
			munmap(at[i], h->mapped[i]);
	if (h->clock_fd >= 0)
		close(h->clock_fd);
	bpf_object__close(h->object);
	free(h);
}

static void map_empty(int fd, size_t key_bytes)
{
	__u8 key[64];

	while (key_bytes <= sizeof(key) && !bpf_map_get_next_key(fd, NULL, key))
		if (bpf_map_delete_elem(fd, key))
			break;
}

void harness_reset(struct harness *h)
{
	memset(h->keys, 0, h->mapped[6]);
	map_empty(h->fragments_fd, sizeof(struct fragment_key));
	memset(h->filter, 0, h->mapped[0]);
	memset(h->vips, 0, h->mapped[1]);
	memset(h->backends, 0, h->mapped[2]);
	memset(h->slots, 0, h->mapped[3]);
	memset(h->flows, 0, h->mapped[4]);
	memset(h->loads, 0, h->mapped[5]);
	memset(h->signs, 0, h->mapped[7]);
	memset(h->limits, 0, h->mapped[8]);
}

void harness_grace(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		abort();
}

void harness_vip_set(struct harness *h, __u32 id, const struct vip_record *r, __u32 state)
{
	struct vip_entry *e = &h->vips[id];
	__u64 word = e->word;
	__u32 idle = !VIP_WORD_SELECT(word);

	e->copy[idle] = *r;
	__atomic_store_n(&e->word, VIP_WORD(idle, state, (__u32)(word >> 32) + 1), __ATOMIC_RELEASE);
}

void harness_backend_set(struct harness *h, __u32 id, const struct backend_record *r, __u32 state, __u32 weight,
			 __u32 vip)
{
	struct backend_entry *e = &h->backends[id];
	__u64 word = e->word;
	__u32 idle = !BACKEND_WORD_SELECT(word);

	e->copy[idle] = *r;
	__atomic_store_n(&e->word, BACKEND_WORD(idle, state, weight, vip, (word >> 48) + 1), __ATOMIC_RELEASE);
}

void harness_backend_state(struct harness *h, __u32 id, __u32 state)
{
	__u64 word = h->backends[id].word;

	word = (word & ~0xff00ull) | (__u64)state << 8;
	__atomic_store_n(&h->backends[id].word, word, __ATOMIC_RELEASE);
}

void harness_slot_set(struct harness *h, __u32 index, __u64 slot)
{
	__atomic_store_n(&h->slots[index], slot, __ATOMIC_RELEASE);
}

static struct vip_key key_make(const struct addr *a, __u16 port, __u8 proto)
{
	struct vip_key k = {.port = htons(port), .proto = proto};

	memcpy(k.addr, a->byte, sizeof(k.addr));
	return k;
}

int harness_key_add(struct harness *h, const struct addr *a, __u16 port, __u8 proto, __u32 vip)
{
	struct vip_key k = key_make(a, port, proto), twin = key_make(a, 0, 0);
	__u32 bit = key_table_filter_bit(a->byte);
	int r = key_table_set(h->keys, h->config.keys_log2, &k, vip);

	__atomic_fetch_or(&h->filter->bits[bit / 64], 1ull << bit % 64, __ATOMIC_RELEASE);
	return r ? r : key_table_set(h->keys, h->config.keys_log2, &twin, vip);
}

int harness_key_delete(struct harness *h, const struct addr *a, __u16 port, __u8 proto)
{
	struct vip_key k = key_make(a, port, proto);

	return key_table_delete(h->keys, h->config.keys_log2, &k);
}

struct backend_record harness_backend_record(const struct addr *addr, __u32 forward, __u32 ifindex)
{
	struct addr src4 = packet_addr("192.0.2.11"), src6 = packet_addr("2001:db8:2::11");
	bool v4 = addr_is_v4(addr);
	struct backend_record r = {
		.dmac = {0x02, 0xbe, addr->byte[12], addr->byte[13], addr->byte[14], addr->byte[15]},
		.smac = {0x02, 0x1b, 0, 0, 0, (__u8)ifindex},
		.ifindex = ifindex,
		.mtu = 1500,
		.forward = (__u8)forward,
		.flags = (__u8)(BACKEND_RESOLVED | (v4 ? BACKEND_V4 : 0)),
		.gue_port = htons(6080),
		.port = htons(80),
	};

	memcpy(r.addr, addr->byte, 16);
	memcpy(r.src, v4 ? src4.byte : src6.byte, 16);
	return r;
}

int harness_devmap_add(struct harness *h, __u32 ifindex)
{
	__u32 lo = 1;

	return bpf_map_update_elem(h->devmap_fd, &ifindex, &lo, BPF_ANY) ? -errno : 0;
}

void harness_vip_make(struct harness *h, __u32 id, __u32 first, __u32 backends, __u32 base, __u32 count, __u32 steer_by,
		      __u32 forward)
{
	struct vip_record v = {
		.slots_base = base, .slots_count = count, .idle_ticks = 3516, .steer_by = (__u8)steer_by};
	__u32 i;

	for (i = 0; i < backends; i++) {
		struct addr a = packet_addr("10.0.0.0");
		struct backend_record r;

		a.byte[14] = (__u8)((first + i) >> 8);
		a.byte[15] = (__u8)(first + i);
		r = harness_backend_record(&a, forward, 1);
		harness_backend_set(h, first + i, &r, BACKEND_UP, 1, id);
	}
	for (i = 0; backends && i < count; i++)
		harness_slot_set(h, base + i,
				 slot_make(SLOT_PLAIN, first + i % backends,
					   backends > 1 ? first + (i + 1) % backends : ID_NONE, ID_NONE));
	snprintf(v.name, sizeof(v.name), "vip%u", id);
	harness_vip_set(h, id, &v, 1);
}

int harness_run_fd(int prog_fd, __u32 poison_bytes, const __u8 *byte, size_t len, struct harness_result *ret)
{
	__u8 in[POISON_BYTES + PACKET_BYTES];
	struct xdp_md ctx = {.data = poison_bytes, .data_end = (__u32)(poison_bytes + len)}, ctx_out;
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = in, .data_size_in = (__u32)(poison_bytes + len),
		    .data_out = ret->byte, .data_size_out = sizeof(ret->byte), .repeat = 1);

	if (len > PACKET_BYTES || poison_bytes > POISON_BYTES)
		return -EMSGSIZE;
	/* The metadata before the frame is moved down when the program grows the frame, so that it finds 0xff there. */
	memset(in, 0xff, poison_bytes);
	memcpy(in + poison_bytes, byte, len);
	if (poison_bytes) {
		o.ctx_in = &ctx;
		o.ctx_size_in = sizeof(ctx);
		o.ctx_out = &ctx_out;
		o.ctx_size_out = sizeof(ctx_out);
	}
	if (bpf_prog_test_run_opts(prog_fd, &o))
		return -errno;
	ret->action = o.retval;
	ret->len = o.data_size_out;
	if (poison_bytes) {
		ret->len -= ctx_out.data;
		memmove(ret->byte, ret->byte + ctx_out.data, ret->len);
	}
	return 0;
}

int harness_run(struct harness *h, const struct packet *p, struct harness_result *ret)
{
	int r = harness_run_fd(h->steer_fd, h->poison_bytes, p->byte, p->len, ret);

	if (r == -EINVAL && h->poison_bytes > POISON_BYTES_OLD) {
		h->poison_bytes = POISON_BYTES_OLD;
		r = harness_run_fd(h->steer_fd, h->poison_bytes, p->byte, p->len, ret);
	}
	return r;
}

__u32 harness_tick(const struct harness *h)
{
	__u8 frame[64] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = sizeof(frame), .repeat = 1);

	if (bpf_prog_test_run_opts(h->clock_fd, &o))
		abort();
	return o.retval & TICK_MASK;
}

void harness_age(struct harness *h, __u32 ticks)
{
	size_t i, way;

	for (i = 0; i < h->sets_max; i++)
		for (way = 0; way < FLOW_WAYS; way++) {
			__u64 c = h->flows[i].cell[way];

			if (cell_state(c) != CELL_FREE)
				h->flows[i].cell[way] = (c & ~0xffffull) | ((cell_seen(c) - ticks) & 0xffff);
		}
	for (i = 0; i < h->vips_max; i++)
		h->vips[i].tended = (h->vips[i].tended - ticks) & TICK_MASK;
}

static void count_sum(struct harness *h, int fd, __u32 key, __u64 *sum, size_t words)
{
	__u64 *v = calloc(h->cpus, words * 8);
	size_t cpu, i;

	if (!v || bpf_map_lookup_elem(fd, &key, v))
		abort();
	for (cpu = 0; cpu < h->cpus; cpu++)
		for (i = 0; i < words; i++)
			sum[i] += v[cpu * words + i];
	free(v);
}

struct vip_count harness_vip_count(struct harness *h, __u32 id)
{
	struct vip_count c = {0};

	count_sum(h, h->count_vips_fd, id, &c.packets, sizeof(c) / 8);
	return c;
}

__u64 harness_refused(struct harness *h, __u32 id)
{
	__u64 refused = 0;

	count_sum(h, h->count_refused_fd, id, &refused, 1);
	return refused;
}

struct backend_count harness_backend_count(struct harness *h, __u32 id)
{
	struct backend_count c = {0};

	count_sum(h, h->count_backends_fd, id, &c.packets, sizeof(c) / 8);
	return c;
}

struct device_count harness_device_count(struct harness *h, __u32 ifindex)
{
	struct device_count c = {0};

	count_sum(h, h->count_devices_fd, ifindex % STARLING_DEVICES, c.verdict, sizeof(c) / 8);
	return c;
}

__u64 harness_overflows(struct harness *h)
{
	__u64 n = 0;

	count_sum(h, h->overflows_fd, 0, &n, 1);
	return n;
}

int harness_verdict(struct harness *h, const struct packet *p, struct harness_result *ret)
{
	struct device_count before = harness_device_count(h, 1), after;
	int verdict = -1, moved = 0, i;

	if (harness_run(h, p, ret))
		return -1;
	after = harness_device_count(h, 1);
	for (i = 0; i < VERDICT_COUNT; i++) {
		__u64 by = after.verdict[i] - before.verdict[i];

		if (by) {
			verdict = i;
			moved += by == 1 ? 1 : 2;
		}
	}
	if (!moved && ret->action == XDP_PASS)
		return VERDICT_PASS_OTHER;
	return moved == 1 ? verdict : -1;
}
