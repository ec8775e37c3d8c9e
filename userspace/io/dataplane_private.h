/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the files of io/dataplane share: the object and the steps of opening it. Not here:
 * anything for others (dataplane.h).
 */
#ifndef STARLING_IO_DATAPLANE_PRIVATE_H
#define STARLING_IO_DATAPLANE_PRIVATE_H

#include <stddef.h>

#include "io/dataplane.h"

#define DATAPLANE_PATH_BYTES 256 /* of a pin */
#define DATAPLANE_NOTES	     16	 /* kept until they are read; more are dropped */
#define DATAPLANE_NOTE_BYTES 256
#define DATAPLANE_LOG_BYTES                                                                                            \
	8192 /* of libbpf's words the last ones are kept: the verifier's reason stands at the end                      \
	      */

/*
 * ROW(name, member, bytes of an entry of a table, or 0): every pinned map, in the order of being made; abi says that
 * all are there. A table is a map of one element (dataplane_tables.h).
 */
#define DATAPLANE_MAPS(ROW)                                                                                            \
	ROW(ABI, abi, 0)                                                                                               \
	ROW(FILTER, filter, sizeof(struct vip_filter))                                                                 \
	ROW(KEYS, keys, sizeof(struct key_entry))                                                                      \
	ROW(VIPS, vips, sizeof(struct vip_entry))                                                                      \
	ROW(BACKENDS, backends, sizeof(struct backend_entry))                                                          \
	ROW(SLOTS, slots, sizeof(__u64))                                                                               \
	ROW(FLOWS, flows, sizeof(struct flow_set))                                                                     \
	ROW(LOADS, loads, sizeof(struct backend_load))                                                                 \
	ROW(SIGNS, signs, sizeof(struct backend_signs))                                                                \
	ROW(LIMITS, limits, sizeof(struct backend_limit))                                                              \
	ROW(NOTES, notes, sizeof(__u64))                                                                               \
	ROW(OVERFLOWS, overflows, 0)                                                                                   \
	ROW(FRAGMENTS, fragments, 0)                                                                                   \
	ROW(DEVMAP, devmap, 0)                                                                                         \
	ROW(COUNT_VIPS, count_vips, 0)                                                                                 \
	ROW(COUNT_REFUSED, count_refused, 0)                                                                           \
	ROW(COUNT_BACKENDS, count_backends, 0)                                                                         \
	ROW(COUNT_DEVICES, count_devices, 0)                                                                           \
	ROW(EVENTS, events, 0)

enum dataplane_map_id {
#define DATAPLANE_MAP_ENUM(name, member, bytes) DATAPLANE_MAP_##name,
	DATAPLANE_MAPS(DATAPLANE_MAP_ENUM)
#undef DATAPLANE_MAP_ENUM
		DATAPLANE_MAP_COUNT
};

struct dataplane_map {
	int fd;	       /* borrowed from the skeleton; -1: none */
	__u32 entries; /* wanted, then actual */
	__u32 type, key_bytes;
	__u32 value_bytes; /* of one entry, of one CPU */
	bool mapable;
	void *memory; /* mapped; NULL: not mapable */
	size_t memory_bytes;
};

struct steer_bpf;
struct tunnel_bpf;

/* One set of loaded programs. */
struct dataplane_object {
	struct steer_bpf *skel; /* NULL: not loaded */
	int steer_fd;
};

struct dataplane_link {
	__u32 ifindex;
	int fd;
	enum xdp_mode mode;
	bool frags;
};

struct dataplane_clock {
	int fd; /* program that returns jiffies; -1: none */
	__u32 hz;
	__u32 shift;
};

struct ring_buffer;

struct dataplane {
	char pin_dir[DATAPLANE_PATH_BYTES - 32];
	struct config_limits limits;
	__u32 flow_sets_log2;
	struct dataplane_info info;
	struct steer_config config;
	bool memory_only;
	bool adopted;
	bool made; /* maps of this directory are this object's to remove if opening fails */
	__u32 load_ms;
	struct dataplane_clock clock;
	struct dataplane_object frags; /* the programs */
	struct dataplane_object flat;  /* the same without frames of several buffers, for drivers that refuse those */
	struct tunnel_bpf *tunnel;     /* of probes; NULL: nobody wants it */
	struct dataplane_map map[DATAPLANE_MAP_COUNT];
	struct dataplane_link link[STARLING_DEVICES];
	size_t link_count;
	int grace_fd, grace_inner_fd; /* map of maps for kernels without membarrier; -1: not made */
	int cpus;
	void *sums; /* room for one batch of per-CPU values */
	struct ring_buffer *ring;
	void (*event_fn)(void *arg, const struct trace_event *event);
	void *event_arg;
	char note[DATAPLANE_NOTES][DATAPLANE_NOTE_BYTES];
	size_t note_first, note_count;
};

void dataplane_note_add(struct dataplane *dp, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *dataplane_map_name(enum dataplane_map_id id);
__u32 dataplane_map_entry_bytes(enum dataplane_map_id id); /* of a table; 0: no table */
int dataplane_pin_path(const struct dataplane *dp, const char *name, char path[DATAPLANE_PATH_BYTES]);

/* dataplane_pins.c: the directory and what stands in it. */
int dataplane_pins_prepare(struct dataplane *dp, struct err *err);		 /* makes the directory on a bpffs */
int dataplane_pins_adopt(struct dataplane *dp, struct err *err);		 /* sets adopted, info and the maps */
int dataplane_map_describe(struct dataplane_map *map, enum dataplane_map_id id); /* what the kernel says of its fd */
int dataplane_pins_remove(struct dataplane *dp); /* unpins all maps, removes the directory */

/* dataplane_load.c: libbpf's object. */
int dataplane_object_load(struct dataplane *dp, const struct steer_config *config, bool frags,
			  struct dataplane_object *ret, struct err *err);
void dataplane_object_free(struct dataplane_object *object);
int dataplane_maps_bind(struct dataplane *dp, struct err *err); /* fds and memory, from the loaded object */
void dataplane_maps_unbind(struct dataplane *dp);

/* dataplane_log.c: libbpf's words of this thread, between begin and end. */
struct dataplane_log {
	size_t used;
	char text[DATAPLANE_LOG_BYTES];
};
void dataplane_log_begin(struct dataplane_log *log);
void dataplane_log_end(void);
/* The line that says why, out of the last log: the kernel's message, or the verifier's last words; "" if none. */
void dataplane_log_reason(const struct dataplane_log *log, char *text, size_t bytes);

/* dataplane_memory.c; tables' sizes are set */
int dataplane_memory_open(struct dataplane *dp, struct err *err);
void dataplane_memory_clock(struct dataplane_clock *clock);

/* dataplane_clock.c */
void dataplane_clock_scale(struct dataplane_clock *clock); /* sets shift, by hz */
int dataplane_clock_open(struct dataplane_clock *clock, struct err *err);
void dataplane_clock_close(struct dataplane_clock *clock);
__u32 dataplane_clock_hz_measured(const struct dataplane_clock *clock);	    /* takes 200 ms; 0 on failure */
__u16 dataplane_clock_ticks(const struct dataplane_clock *clock, __u32 ms); /* rounded up */

int dataplane_grace_by_map(struct dataplane *dp);

/* dataplane_links.c */
int dataplane_links_adopt(struct dataplane *dp, struct err *err); /* takes pinned links over, gives them the program */
void dataplane_links_close(struct dataplane *dp);
int dataplane_links_remove(struct dataplane *dp);
/* Gives the programs to all links, or leaves all as they were. @flat: used for links that take no frags, may be empty.
 */
int dataplane_links_replace(struct dataplane *dp, const struct dataplane_object *frags,
			    const struct dataplane_object *flat, struct err *err);
struct dataplane_other {
	__u32 id;
	char name[16];
	const char *mode; /* "native", "generic", "offloaded" */
	__u32 link_id;	  /* 0: attached by netlink */
};
int dataplane_other_program(__u32 ifindex, struct dataplane_other *ret); /* 1 and @ret filled, 0: none, -errno */

/* dataplane_tunnel.c: on one device. */
int dataplane_tunnel_attach(const struct dataplane *dp, __u32 ifindex); /* it is loaded */
void dataplane_tunnel_detach(__u32 ifindex);				/* if it is there */
void dataplane_tunnel_free(struct dataplane *dp);

/* dataplane_count.c */
int dataplane_events_open(struct dataplane *dp, struct err *err);
void dataplane_events_close(struct dataplane *dp);

/* dataplane_features.c: enum netdev_xdp_act of a driver. -EOPNOTSUPP: the kernel does not tell. */
#define DATAPLANE_NATIVE   0x1 /* has native XDP */
#define DATAPLANE_NDO_XMIT 0x4 /* sends what is redirected to it */
int dataplane_features(__u32 ifindex, __u64 *ret);

/* dataplane_probe.c: names of capabilities that are missing, "" if none. */
void dataplane_capabilities(char missing[64]);

#endif
