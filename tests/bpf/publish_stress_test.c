// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Readers never see a torn or foreign record: two writers change backends, slots and whole VIPs without a pause
 * while packets run on both CPUs, and every output must come from one generation of one backend of the right VIP.
 * Then the same with each publishing rule broken, which must be noticed. Not here: what else a packet may meet.
 * alone: readers and writers have to meet, on both CPUs
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/key_table.h"
#include "harness.h"
#include "starling/cell.h"
#include "starling/hash.h"

#define STRESS_WRITERS	 2
#define STRESS_VIPS	 8 /* of a writer */
#define STRESS_BACKENDS	 4 /* of a VIP */
#define STRESS_SLOTS	 31
#define STRESS_ALL	 (STRESS_WRITERS * STRESS_VIPS)
#define STRESS_READERS	 2
#define STRESS_PACKETS	 1500000 /* of a reader, when all rules are kept; PACKETS= changes it */
#define STRESS_CAUGHT_MS 30000	 /* a broken rule must show by then */

enum stress_break {
	BREAK_NOTHING,
	BREAK_COPY,  /* the copy in use is written */
	BREAK_GRACE, /* the copy just retired is rewritten at once */
	BREAK_REUSE, /* an id goes to another VIP at once */
};

/* What a reader may see of one address; written by its writer. */
struct stress_address {
	__u32 low, high; /* generations that may be visible */
	__u32 out;	 /* even: in service; odd: not, or changing */
	struct addr addr;
};

struct stress {
	struct harness *h;
	enum stress_break broken;
	struct stress_address address[STRESS_ALL];
	int stop;
	__u64 packets, changes, sent, faults;
	__u32 packets_wanted; /* of a reader; 0: until a fault or the time is over */
	struct timespec end;
	pthread_mutex_t say;
	char fault[256]; /* the first */
};

struct stress_writer {
	struct stress *s;
	__u32 nth;
	__u32 id_of[STRESS_VIPS]; /* VIP id (and with it backend ids and region) by address */
	__u32 gen[STRESS_VIPS];
	unsigned int rng;
};

/* A record whose every field tells whose it is. */
static struct backend_record record_make(__u32 address, __u32 nth, __u32 gen)
{
	__u8 who = (__u8)(address << 4 | nth), hi = (__u8)(gen >> 8), lo = (__u8)gen;
	struct backend_record r = {
		.addr = {[10] = 0xff, [11] = 0xff, [12] = 10, who, hi, lo},
		.src = {[10] = 0xff, [11] = 0xff, [12] = 11, who, hi, lo},
		.dmac = {2, who, hi, lo, 2, who},
		.smac = {6, who, hi, lo, 6, who},
		.ifindex = 1,
		.mtu = 1500,
		.forward = gen & 1 ? FORWARD_GUE : FORWARD_IPIP,
		.flags = BACKEND_RESOLVED | BACKEND_V4,
		.gue_port = htons(6080),
	};

	return r;
}

static void fault_say(struct stress *s, const char *what, __u32 address, const __u8 *b, size_t len)
{
	size_t i, n;

	pthread_mutex_lock(&s->say);
	if (!s->faults++) {
		n = (size_t)snprintf(s->fault, sizeof(s->fault), "%s, address %u (generations %u to %u):", what,
				     address, s->address[address].low, s->address[address].high);
		for (i = 0; i < len && i < 38; i++)
			n += (size_t)snprintf(s->fault + n, sizeof(s->fault) - n, " %02x", b[i]);
	}
	pthread_mutex_unlock(&s->say);
}

/* What came out, against what its own outer destination says it is. */
static void output_check(struct stress *s, __u32 address, __u32 low, __u32 high, const __u8 *b, __u32 len)
{
	const __u8 *ip = b + 14, *who = ip + 17;
	__u32 gen = (__u32)who[1] << 8 | who[2], gue = gen & 1 ? 12 : 0;

	if (who[0] >> 4 != address || ip[16] != 10)
		fault_say(s, "foreign", address, b, len);
	else if (ip[12] != 11 || memcmp(ip + 13, who, 3) || b[0] != 2 || memcmp(b + 1, who, 3) || b[4] != 2 ||
		 b[5] != who[0] || b[6] != 6 || memcmp(b + 7, who, 3) || b[10] != 6 || b[11] != who[0] ||
		 ip[9] != (gue ? IPPROTO_UDP : IPPROTO_IPIP) || len != 86 + 20 + gue)
		fault_say(s, "torn", address, b, len);
	else if (high - low <= UINT16_MAX && (__u16)(gen - low) > high - low) /* else a record does not tell */
		fault_say(s, "stale", address, b, len);
}

static bool stress_over(struct stress *s, __u32 done)
{
	struct timespec now;

	if (s->packets_wanted)
		return done >= s->packets_wanted;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return __atomic_load_n(&s->faults, __ATOMIC_RELAXED) || now.tv_sec > s->end.tv_sec;
}

struct stress_reader {
	struct stress *s;
	__u32 cpu;
};

/* With a broken rule those that the writers hammer. */
static __u32 reader_address(const struct stress *s, unsigned int *rng)
{
	__u32 a = (__u32)rand_r(rng) % STRESS_ALL;

	if (s->broken == BREAK_NOTHING)
		return a;
	return a / STRESS_VIPS * STRESS_VIPS + (s->broken == BREAK_REUSE ? a % 2 : 0);
}

static void *reader_run(void *arg)
{
	struct stress_reader *me = arg;
	struct stress *s = me->s;
	unsigned int rng = 17 + me->cpu;
	__u32 done = 0, sent = 0;
	struct packet p;
	__u8 out[256];
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(me->cpu, &cpu);
	pthread_setaffinity_np(pthread_self(), sizeof(cpu), &cpu);
	while (!stress_over(s, done)) {
		__u32 a = reader_address(s, &rng), low, high, before;
		struct packet_spec spec = {.src = packet_addr("198.51.100.10"),
					   .dst = s->address[a].addr,
					   .sport = (__u16)rand_r(&rng),
					   .dport = 80,
					   .proto = IPPROTO_TCP,
					   .tcp_flags = rand_r(&rng) % 2 ? TCP_SYN : TCP_ACK,
					   .payload_bytes = 32};
		LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = p.byte, .data_size_in = 86, .data_out = out,
			    .data_size_out = sizeof(out), .repeat = 1);

		packet_build(&spec, &p);
		before = __atomic_load_n(&s->address[a].out, __ATOMIC_ACQUIRE);
		low = __atomic_load_n(&s->address[a].low, __ATOMIC_ACQUIRE);
		if (bpf_prog_test_run_opts(s->h->steer_fd, &o))
			abort();
		high = __atomic_load_n(&s->address[a].high, __ATOMIC_ACQUIRE);
		if (o.retval == XDP_TX) {
			output_check(s, a, low, high, out, o.data_size_out);
			sent++;
		} else if (!(before & 1) && before == __atomic_load_n(&s->address[a].out, __ATOMIC_ACQUIRE)) {
			fault_say(s, "not sent though in service", a, out, o.data_size_out);
		}
		done++;
	}
	__atomic_fetch_add(&s->packets, done, __ATOMIC_RELAXED);
	__atomic_fetch_add(&s->sent, sent, __ATOMIC_RELAXED);
	return NULL;
}

/* Words only change hands here, so that a broken rule breaks nothing else. */
static void backend_write(struct stress *s, __u32 id, const struct backend_record *r, __u32 vip)
{
	struct backend_entry *e = &s->h->backends[id];

	if (s->broken == BREAK_COPY && BACKEND_WORD_STATE(e->word) == BACKEND_UP)
		e->copy[BACKEND_WORD_SELECT(e->word)] = *r;
	else
		harness_backend_set(s->h, id, r, BACKEND_UP, 1, vip);
}

static void slots_write(struct stress_writer *w, __u32 id)
{
	__u32 i;

	for (i = 0; i < STRESS_SLOTS; i++) {
		__u32 home = (__u32)rand_r(&w->rng) % STRESS_BACKENDS;

		harness_slot_set(w->s->h, id * STRESS_SLOTS + i,
				 slot_make(SLOT_PLAIN, id * STRESS_BACKENDS + home,
					   id * STRESS_BACKENDS + (home + 1) % STRESS_BACKENDS, ID_NONE));
	}
}

/* The next generation of a VIP in service: all its backends' records and slots. */
static void vip_change(struct stress_writer *w, __u32 n)
{
	__u32 a = w->nth * STRESS_VIPS + n, id = w->id_of[n], gen = ++w->gen[n], k;

	__atomic_store_n(&w->s->address[a].high, gen, __ATOMIC_RELEASE);
	for (k = 0; k < STRESS_BACKENDS; k++) {
		struct backend_record r = record_make(a, k, gen);

		backend_write(w->s, id * STRESS_BACKENDS + k, &r, id);
	}
	slots_write(w, id);
	__atomic_fetch_add(&w->s->changes, 1, __ATOMIC_RELAXED);
}

static void vip_put(struct stress_writer *w, __u32 n)
{
	__u32 a = w->nth * STRESS_VIPS + n, id = w->id_of[n];
	struct vip_record r = {.slots_base = id * STRESS_SLOTS,
			       .slots_count = STRESS_SLOTS,
			       .idle_ticks = 3516,
			       .steer_by = a & 1 ? STEER_OPEN : STEER_HOME};

	vip_change(w, n);
	harness_vip_set(w->s->h, id, &r, 1);
	if (harness_key_add(w->s->h, &w->s->address[a].addr, 80, IPPROTO_TCP, id))
		abort();
}

static void vip_take(struct stress_writer *w, __u32 n)
{
	__u32 a = w->nth * STRESS_VIPS + n, id = w->id_of[n];
	const struct addr *addr = &w->s->address[a].addr;

	__atomic_fetch_add(&w->s->address[a].out, 1, __ATOMIC_RELEASE);
	harness_key_delete(w->s->h, addr, 80, IPPROTO_TCP);
	harness_key_delete(w->s->h, addr, 0, 0);
	__atomic_store_n(&w->s->h->vips[id].word, w->s->h->vips[id].word & ~0xff00ull, __ATOMIC_RELEASE);
}

/* No cell may name a backend whose id changes hands. */
static void cells_clear(struct stress_writer *w, __u32 id)
{
	struct harness *h = w->s->h;
	size_t i, way;

	for (i = 0; i < h->sets_max; i++)
		for (way = 0; way < FLOW_WAYS; way++) {
			__u64 c = h->flows[i].cell[way];

			if (cell_state(c) != CELL_FREE && cell_backend(c) / STRESS_BACKENDS == id)
				__atomic_compare_exchange_n(&h->flows[i].cell[way], &c, 0, false, __ATOMIC_SEQ_CST,
							    __ATOMIC_SEQ_CST);
		}
}

/* Half of the VIPs go; their ids, backends and regions come back under other addresses. */
static void vips_replace(struct stress_writer *w)
{
	struct stress *s = w->s;
	__u32 first = (__u32)rand_r(&w->rng) % STRESS_VIPS, i, n, m, id, bit;

	for (i = 0; i < STRESS_VIPS / 2; i++)
		vip_take(w, (first + i) % STRESS_VIPS);
	harness_grace();
	for (i = 0; i < STRESS_VIPS / 2; i++) {
		n = (first + i) % STRESS_VIPS;
		bit = key_table_filter_bit(s->address[w->nth * STRESS_VIPS + n].addr.byte);
		__atomic_fetch_and(&s->h->filter->bits[bit / 64], ~(1ull << bit % 64), __ATOMIC_RELEASE);
		cells_clear(w, w->id_of[n]);
	}
	for (i = 0; i < STRESS_VIPS / 2; i++) {
		n = (first + i) % STRESS_VIPS;
		m = (first + (__u32)rand_r(&w->rng) % (STRESS_VIPS / 2)) % STRESS_VIPS;
		id = w->id_of[n];
		w->id_of[n] = w->id_of[m];
		w->id_of[m] = id;
	}
	for (i = 0; i < STRESS_VIPS / 2; i++) {
		n = (first + i) % STRESS_VIPS;
		__atomic_store_n(&s->address[w->nth * STRESS_VIPS + n].low, w->gen[n] + 1, __ATOMIC_RELEASE);
		vip_put(w, n);
		__atomic_fetch_add(&s->address[w->nth * STRESS_VIPS + n].out, 1, __ATOMIC_RELEASE);
	}
}

/* As fast as it goes, one record: what a packet reads slowly is rewritten twice under it. */
static void record_hammer(struct stress_writer *w)
{
	__u32 a = w->nth * STRESS_VIPS, i;

	for (i = 0; i < 10000; i++) {
		struct backend_record r = record_make(a, 0, ++w->gen[0]);

		__atomic_store_n(&w->s->address[a].high, w->gen[0], __ATOMIC_RELEASE);
		backend_write(w->s, w->id_of[0] * STRESS_BACKENDS, &r, w->id_of[0]);
	}
	__atomic_fetch_add(&w->s->changes, i, __ATOMIC_RELAXED);
}

/* One id, home of all flows of two VIPs, is now one's and now the other's. While it is the other's they go nowhere. */
static void id_hammer(struct stress_writer *w)
{
	__u32 a = w->nth * STRESS_VIPS, id = w->id_of[0] * STRESS_BACKENDS, i, n;

	for (n = 0; n < 2; n++) {
		__atomic_fetch_or(&w->s->address[a + n].out, 1, __ATOMIC_RELEASE);
		for (i = 0; i < STRESS_SLOTS; i++)
			harness_slot_set(w->s->h, w->id_of[n] * STRESS_SLOTS + i,
					 slot_make(SLOT_PLAIN, id, id, ID_NONE));
	}
	for (i = 0; i < 10000; i++) {
		struct backend_record r = record_make(a + i % 2, 0, ++w->gen[i % 2]);

		__atomic_store_n(&w->s->address[a + i % 2].high, w->gen[i % 2], __ATOMIC_RELEASE);
		backend_write(w->s, id, &r, w->id_of[i % 2]);
	}
	__atomic_fetch_add(&w->s->changes, i, __ATOMIC_RELAXED);
}

static void *writer_run(void *arg)
{
	struct stress_writer *w = arg;
	struct stress *s = w->s;
	__u32 n, round;

	for (round = 0; !__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE); round++) {
		if (s->broken == BREAK_REUSE) {
			id_hammer(w);
			continue;
		}
		if (s->broken != BREAK_NOTHING) {
			record_hammer(w);
			continue;
		}
		if (round % 4 == 3) {
			vips_replace(w);
		} else {
			for (n = 0; n < STRESS_VIPS; n++)
				vip_change(w, n);
		}
		harness_grace();
		for (n = 0; n < STRESS_VIPS; n++)
			__atomic_store_n(&s->address[w->nth * STRESS_VIPS + n].low, w->gen[n], __ATOMIC_RELEASE);
	}
	return NULL;
}

static void writer_start(struct stress_writer *w, struct stress *s, __u32 nth)
{
	__u32 n;

	*w = (struct stress_writer){.s = s, .nth = nth, .rng = nth + 1};
	for (n = 0; n < STRESS_VIPS; n++) {
		w->id_of[n] = nth * STRESS_VIPS + n;
		vip_put(w, n);
		s->address[nth * STRESS_VIPS + n].low = 1;
	}
}

static void stress_run(struct stress *s, enum stress_break broken, __u32 packets)
{
	struct stress_reader reader[STRESS_READERS];
	struct stress_writer writer[STRESS_WRITERS];
	pthread_t thread[STRESS_READERS + STRESS_WRITERS];
	__u32 i;

	memset(s->address, 0, sizeof(s->address));
	s->broken = broken;
	s->packets_wanted = packets;
	s->packets = s->sent = s->changes = s->faults = 0;
	s->stop = 0;
	clock_gettime(CLOCK_MONOTONIC, &s->end);
	s->end.tv_sec += STRESS_CAUGHT_MS / 1000;
	harness_reset(s->h);
	for (i = 0; i < STRESS_ALL; i++) {
		s->address[i].addr = packet_addr("203.0.113.10");
		s->address[i].addr.byte[15] = (__u8)(10 + i);
	}
	for (i = 0; i < STRESS_WRITERS; i++)
		writer_start(&writer[i], s, i);
	for (i = 0; i < STRESS_READERS; i++) {
		reader[i] = (struct stress_reader){s, i % s->h->cpus};
		assert_int_equal(pthread_create(&thread[i], NULL, reader_run, &reader[i]), 0);
	}
	for (i = 0; i < STRESS_WRITERS; i++)
		assert_int_equal(pthread_create(&thread[STRESS_READERS + i], NULL, writer_run, &writer[i]), 0);
	for (i = 0; i < STRESS_READERS; i++)
		pthread_join(thread[i], NULL);
	__atomic_store_n(&s->stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < STRESS_WRITERS; i++)
		pthread_join(thread[STRESS_READERS + i], NULL);
	print_message("%llu packets, %llu sent, %llu VIPs changed, %llu faults%s%s\n", s->packets, s->sent, s->changes,
		      s->faults, s->faults ? ": " : "", s->faults ? s->fault : "");
}

static void no_packet_is_torn_foreign_or_stale_while_everything_is_rewritten(void **state)
{
	const char *text = getenv("PACKETS");
	struct stress *s = *state;

	stress_run(s, BREAK_NOTHING, text ? (__u32)strtoul(text, NULL, 0) : STRESS_PACKETS);
	assert_int_equal(s->faults, 0);
	assert_true(s->sent > s->packets / 2);
	assert_true(s->changes > 100);
}

static void writing_the_copy_in_use_is_noticed(void **state)
{
	struct stress *s = *state;

	stress_run(s, BREAK_COPY, 0);
	assert_true(s->faults);
}

static void rewriting_a_copy_without_a_grace_period_is_noticed(void **state)
{
	struct stress *s = *state;

	stress_run(s, BREAK_GRACE, 0);
	assert_true(s->faults);
}

static void reusing_ids_without_a_grace_period_is_noticed(void **state)
{
	struct stress *s = *state;

	stress_run(s, BREAK_REUSE, 0);
	assert_true(s->faults);
}

static int stress_setup(void **state)
{
	struct harness_options o = {.flow_sets_log2 = 10, .no_poison = true};
	struct stress *s = calloc(1, sizeof(*s));

	if (!s || harness_open(&o, &s->h))
		return -1;
	pthread_mutex_init(&s->say, NULL);
	*state = s;
	return 0;
}

static int stress_teardown(void **state)
{
	struct stress *s = *state;

	if (s)
		harness_close(s->h);
	free(s);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_packet_is_torn_foreign_or_stale_while_everything_is_rewritten),
		cmocka_unit_test(writing_the_copy_in_use_is_noticed),
		cmocka_unit_test(rewriting_a_copy_without_a_grace_period_is_noticed),
		cmocka_unit_test(reusing_ids_without_a_grace_period_is_noticed),
	};

	return cmocka_run_group_tests(tests, stress_setup, stress_teardown);
}
