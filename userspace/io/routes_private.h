/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the files of io/routes share. Not here: anything for others (routes.h).
 *
 * One batch of requests is under way at a time: built by the loop, sent by one of its
 * workers, answered on a socket of its own. Targets and neighbours are sorted arrays of pointers, and
 * whoever something is to be done about stands in a queue: no turn of the loop looks at them all.
 */
#ifndef STARLING_IO_ROUTES_PRIVATE_H
#define STARLING_IO_ROUTES_PRIVATE_H

#include <net/if.h>
#include <sys/queue.h>

#include "io/routes.h"

#define ROUTES_BATCH	     128       /* requests sent at once */
#define ROUTES_BATCH_BYTES   16384     /* enough for them: none is over 96 */
#define ROUTES_SLICE	     256       /* targets judged in one turn of the loop */
#define ROUTES_WALK	     4096      /* targets or neighbours looked at in one turn, where all have to be */
#define ROUTES_RECEIVE_BYTES 65536     /* of one read */
#define ROUTES_READS	     16	       /* reads in one turn of the loop */
#define ROUTES_BUFFER_BYTES  (4 << 20) /* of a socket: bursts of route changes */
#define ROUTES_SETTLE_MS     20	       /* from a change to the lookups it causes: changes come in bursts */
#define ROUTES_TICK_MS	     1000      /* neighbours are looked after this often */
#define ROUTES_STALE_MS	     5000      /* between questions about a neighbour that is not known to be there */
/* Ask nothing before a neighbour's state is known: NTF_USE makes a permanent entry mortal (Linux 5.16). */
#define ROUTES_USE_UNKNOWN   (~0ULL)
#define ROUTES_ANSWER_MS     3000 /* a batch that takes longer is given up */

struct routes_neighbour {
	__u32 ifindex;
	struct addr addr;
	LIST_HEAD(, routes_target) targets; /* behind it; at least one */
	__u16 state;			    /* NUD_* */
	bool mac_valid;
	__u8 mac[6];
	int error;		 /* positive errno of the last attempt to make the kernel ask; 0: none */
	bool want_get, want_use; /* stands in the queue */
	TAILQ_ENTRY(routes_neighbour) get, use;
	__u64 use_at_ms; /* earliest next question */
};

struct routes_target {
	struct addr addr;
	size_t refs;
	struct nexthop told; /* what changed() was last called with */
	bool looked_up;
	bool want_route, want_judge; /* stands in the queue */
	TAILQ_ENTRY(routes_target) route, judge;
	int error; /* positive errno of the lookup */
	__u8 type; /* RTN_* */
	__u32 ifindex;
	__u32 mtu; /* of the route; 0: none */
	struct addr src;
	struct routes_neighbour *neighbour; /* NULL: none */
	LIST_ENTRY(routes_target) beside;   /* behind the same neighbour */
};

/*
 * Sorted pointers, and a walk round them. It misses nobody who is there all the time, and one that is asked for
 * in the middle of another goes on from there.
 */
struct routes_array {
	void **item;
	size_t count, room;
	size_t next, left; /* of the walk: whom it comes to, how many more */
};

struct routes_device {
	__u32 ifindex;
	char name[IF_NAMESIZE];
	bool up, ethernet;
	__u8 mac[6];
	__u32 mtu;
};

enum routes_kind { ROUTES_DEVICES, ROUTES_LOOKUP, ROUTES_GET, ROUTES_USE };

struct routes_pending {
	bool open;
	enum routes_kind kind;
	struct routes_target *target;	    /* NULL: deleted meanwhile */
	struct routes_neighbour *neighbour; /* NULL: deleted meanwhile */
};

struct routes {
	struct loop *loop;
	routes_changed changed;
	void *arg;
	int request_fd, notify_fd;
	uv_poll_t request_poll, notify_poll;
	uv_timer_t work_timer, tick_timer;
	int handles; /* not yet closed */
	bool sending, closing;
	bool want_devices;
	bool overrun;			/* changes were lost */
	struct routes_array targets;	/* walked to ask everything anew */
	struct routes_array neighbours; /* walked every second */
	TAILQ_HEAD(, routes_target) route, judge;
	TAILQ_HEAD(, routes_neighbour) get, use;
	struct routes_device *device; /* sorted by ifindex */
	size_t device_count;
	__u32 seq; /* of the batch's first request */
	__u64 sent_ms;
	struct routes_pending pending[ROUTES_BATCH];
	size_t pending_count, pending_open;
	size_t batch_bytes;
	int send_error;
	__u8 batch[ROUTES_BATCH_BYTES];
	__u8 received[ROUTES_RECEIVE_BYTES];
};

/* routes.c: what answers and changes mean. */
void routes_want_all(struct routes *r);	    /* everything is asked anew, soon */
bool routes_wanted(const struct routes *r); /* is there anything to ask or to judge? */
void routes_prefix_changed(struct routes *r, const struct addr *prefix, unsigned int bits);
void routes_neighbour_changed(struct routes *r, struct routes_neighbour *n); /* after its fields were set */
struct routes_neighbour *routes_neighbour_find(const struct routes *r, __u32 ifindex, const struct addr *addr);
void routes_target_via(struct routes *r, struct routes_target *t, __u32 ifindex, const struct addr *gateway);
void routes_work_soon(struct routes *r, __u64 after_ms);

/* routes_judge.c: from what is known of a target to its next hop. */
void routes_judge(const struct routes *r, const struct routes_target *t, struct nexthop *ret);
struct routes_device *routes_device_find(const struct routes *r, __u32 ifindex);

/* routes_netlink.c: messages. */
int routes_sockets_open(struct routes *r, struct err *err);
bool routes_batch_add(struct routes *r, enum routes_kind kind, struct routes_target *t, struct routes_neighbour *n);
void routes_request_read(struct routes *r);
void routes_notify_read(struct routes *r);

#endif
