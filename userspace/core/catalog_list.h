/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The rows of the catalog: nothing but lists, for catalog.h and catalog.c. To show a new
 * value add a FIELD row, and a FAMILY row if it is to be scraped. Not here: types, code.
 */
#ifndef STARLING_CORE_CATALOG_LIST_H
#define STARLING_CORE_CATALOG_LIST_H

#include "core/catalog_flock_list.h"

/* clang-format off */

/* KIND(ID, "name in JSON", style, "what a row is") */
#define STARLING_KINDS(KIND) \
	KIND(VIP,     "vip",     RECORD,   "a virtual service")                                    \
	KIND(BACKEND, "backend", LIST,     "a backend of a VIP")                                   \
	KIND(HEALTH,  "health",  LIST,     "what checks say of a backend")                         \
	KIND(PROBES,  "probes",  RECORD,   "probes of all backends together")                      \
	KIND(SHARE,   "table",   LIST,     "what part of a VIP's slots has a backend as home 0")   \
	KIND(SLOT,    "slot",    LIST,     "a slot of a VIP")                                      \
	KIND(FLOW,    "flow",    LIST,     "a flow that has a cell")                               \
	KIND(LOOKUP,  "lookup",  SENTENCE, "where the packets of a flow go")                       \
	KIND(TRACE,   "trace",   LIST,     "a sampled packet")                                     \
	KIND(IFACE,   "iface",   LIST,     "a device packets are taken from")                      \
	KIND(NODE,    "node",    LIST,     "a balancer of the flock")                              \
	KIND(GOSSIP,  "gossip",  RECORD,   "what balancers say to each other")                     \
	KIND(ROSTER,  "roster",  LIST,     "a node that counts")                                   \
	KIND(WEIGHT,  "weight",  LIST,     "a change of what a node's votes weigh")                \
	KIND(KEY,     "key",     LIST,     "a key that the flock's messages are sealed with")      \
	KIND(LEASE,   "lease",   LIST,     "a right that one node has at a time")                  \
	KIND(AUDIT,   "audit",   LIST,     "a line of the audit log")                              \
	KIND(TAIL,    "tail",    LIST,     "what is held of a node's audit log")                   \
	KIND(DROP,    "drop",    LIST,     "packets dropped on a device for one reason")           \
	KIND(STATUS,  "status",  RECORD,   "the balancer as a whole")                              \
	KIND(DAEMON,  "daemon",  RECORD,   "the daemon's process")                                 \
	KIND(MAP,     "map",     LIST,     "a BPF map")                                            \
	KIND(METRIC,  "metric",  LIST,     "a sample of a metric")                                 \
	KIND(FEATURE, "feature", LIST,     "what the host has or lacks")                           \
	KIND(HISTORY, "history", LIST,     "a configuration that was applied")                     \
	KIND(LEVEL,   "level",   LIST,     "which configurations a node understands")               \
	KIND(EVENT,   "event",   LIST,     "a change of state")                                    \
	KIND(CHANGE,  "change",  LIST,     "what applying a configuration touches")                \
	KIND(VERSION, "version", RECORD,   "what runs")

/* FAMILY(name, type, "label=key of the field it comes from,...", "help") */
#define STARLING_FAMILIES(FAMILY) \
	FAMILY(starling_vip_info, INFO, "vip=name", "Addresses of a VIP.") \
	FAMILY(starling_vip_available, GAUGE, "vip=name", "Whether a VIP has a backend that takes new connections.") \
	FAMILY(starling_vip_packets_total, COUNTER, "vip=name", "Packets steered to the backends of a VIP.") \
	FAMILY(starling_vip_bytes_total, COUNTER, "vip=name", "Bytes of IP packets steered to the backends of a VIP.") \
	FAMILY(starling_vip_connections_total, COUNTER, "vip=name", "New connections of a VIP.") \
	FAMILY(starling_vip_active_connections, GAUGE, "vip=name", "Open connections of a VIP; absent for mh, which keeps no count.") \
	FAMILY(starling_vip_overflow_total, COUNTER, "vip=name", "Flows of a VIP for which no cell could be had.") \
	FAMILY(starling_vip_refused_total, COUNTER, "vip=name", "New connections of a VIP that were dropped, as the backends that could have them were full.") \
	FAMILY(starling_vip_backends, GAUGE, "vip=name", "Backends of a VIP by state.") \
	FAMILY(starling_vip_table_builds_total, COUNTER, "vip=name", "Times the slot table of a VIP was built anew.") \
	FAMILY(starling_vip_table_slots_moved_total, COUNTER, "vip=name", "Slots of a VIP that changed their home.") \
	FAMILY(starling_backend_up, GAUGE, "vip=vip,backend=backend", "Whether a backend takes new connections.") \
	FAMILY(starling_backend_weight, GAUGE, "vip=vip,backend=backend", "Configured weight of a backend.") \
	FAMILY(starling_backend_maxconn, GAUGE, "vip=vip,backend=backend", "Connections that a backend may have over all balancers of a site; absent where it may have any number.") \
	FAMILY(starling_backend_full, GAUGE, "vip=vip,backend=backend", "Whether a backend has as many connections as it may, or had a moment ago; absent likewise.") \
	FAMILY(starling_backend_packets_total, COUNTER, "vip=vip,backend=backend", "Packets steered to a backend.") \
	FAMILY(starling_backend_bytes_total, COUNTER, "vip=vip,backend=backend", "Bytes of IP packets steered to a backend.") \
	FAMILY(starling_backend_connections_total, COUNTER, "vip=vip,backend=backend", "New connections given to a backend.") \
	FAMILY(starling_backend_syn_repeats_total, COUNTER, "vip=vip,backend=backend", "SYNs to a backend that came again.") \
	FAMILY(starling_backend_resets_total, COUNTER, "vip=vip,backend=backend", "Connections to a backend that the client reset.") \
	FAMILY(starling_backend_active_connections, GAUGE, "vip=vip,backend=backend", "Open connections of a backend; absent for mh, which keeps no count.") \
	FAMILY(starling_backend_transitions_total, COUNTER, "vip=vip,backend=backend", "Changes of a backend's state.") \
	FAMILY(starling_backend_last_transition_timestamp_seconds, GAUGE, "vip=vip,backend=backend", "When a backend's state last changed.") \
	FAMILY(starling_health_checks_total, COUNTER, "", "Probes of backends that ended.") \
	FAMILY(starling_health_check_failures_total, COUNTER, "", "Probes of backends that failed, by reason.") \
	FAMILY(starling_health_check_duration_seconds, HISTOGRAM, "", "From the beginning of a probe to its good end.") \
	FAMILY(starling_health_votes_total, COUNTER, "", "Others' votes on backends that count.") \
	FAMILY(starling_health_votes_rejected_total, COUNTER, "", "Others' votes on backends that do not count, by reason.") \
	FAMILY(starling_health_verdict_disagreements_total, COUNTER, "", "Times that own probes said down for long where votes said up.") \
	FAMILY(starling_health_unquorate_backends, GAUGE, "", "Addresses checked of which votes of the present roster say nothing.") \
	FAMILY(starling_health_local_backends, GAUGE, "", "Of them, those held up or down by own probes alone.") \
	FAMILY(starling_health_restarts_total, COUNTER, "", "Hooks that ended, by what came of them.") \
	FAMILY(starling_xdp_packets_total, COUNTER, "device=device", "Packets seen on a device by XDP action.") \
	FAMILY(starling_xdp_drops_total, COUNTER, "device=device,reason=reason", "Packets dropped on a device by reason.") \
	FAMILY(starling_xdp_attached, GAUGE, "device=device,mode=mode", "Whether the program is attached to a device, and how.") \
	FAMILY(starling_flow_cells, GAUGE, "", "Cells of the flow table by state.") \
	FAMILY(starling_bpf_map_entries, GAUGE, "map=map", "Entries in use of a BPF map.") \
	FAMILY(starling_bpf_map_max_entries, GAUGE, "map=map", "Entries a BPF map has room for.") \
	FAMILY(starling_gossip_members, GAUGE, "", "Nodes of the roster by what this one holds of them.") \
	FAMILY(starling_gossip_diverged_members, GAUGE, "", "Nodes whose digest differs from this one's.") \
	FAMILY(starling_gossip_health_score, GAUGE, "", "How much this node doubts itself: 0 well, 7 at most.") \
	FAMILY(starling_gossip_messages_sent_total, COUNTER, "", "Datagrams sent to other nodes.") \
	FAMILY(starling_gossip_messages_received_total, COUNTER, "", "Datagrams of other nodes that were heard.") \
	FAMILY(starling_gossip_messages_rejected_total, COUNTER, "", "Datagrams that were not heard, by reason.") \
	FAMILY(starling_gossip_sent_bytes_total, COUNTER, "", "Bytes sent to other nodes.") \
	FAMILY(starling_gossip_received_bytes_total, COUNTER, "", "Bytes of other nodes that were heard.") \
	FAMILY(starling_gossip_streams_total, COUNTER, "", "Exchanges of pages by a stream that came to their end.") \
	FAMILY(starling_gossip_facts_age_seconds, GAUGE, "", "How long the latest load of a backend is overdue to be told.") \
	FAMILY(starling_gossip_keys, GAUGE, "", "Keys of the flock that this node has.") \
	FAMILY(starling_gossip_identity_conflicts_total, COUNTER, "", "Times that two hosts were seen to use one identity.") \
	FAMILY(starling_gossip_probe_duration_seconds, GAUGE, "peer=name", "From the last probe of a node to its answer.") \
	FAMILY(starling_gossip_clock_offset_seconds, GAUGE, "peer=name", "Wall clock of a node less this one's.") \
	FAMILY(starling_gossip_reputation, GAUGE, "peer=name", "Reputation of a node's votes that the flock has agreed on, per mille.") \
	FAMILY(starling_audit_tails, GAUGE, "", "Nodes whose audit log's end is held, by what became of it.") \
	FAMILY(starling_config_generation, GAUGE, "", "Generation of the running configuration.") \
	FAMILY(starling_config_agreed_generation, GAUGE, "", "Generation that the flock has agreed on.") \
	FAMILY(starling_config_quorum, GAUGE, "", "Whether enough voters answer to change what is agreed.") \
	FAMILY(starling_config_proposed_deadline_seconds, GAUGE, "", "Until what waits to be confirmed is taken back; 0: nothing waits.") \
	FAMILY(starling_config_overrides, GAUGE, "", "Backends drained or disabled by hand.") \
	FAMILY(starling_config_last_reload_successful, GAUGE, "", "Whether the last configuration read was applied.") \
	FAMILY(starling_config_last_reload_success_timestamp_seconds, GAUGE, "", "When a configuration was last applied.") \
	FAMILY(starling_config_reloads_total, COUNTER, "", "Configurations applied since the daemon started.") \
	FAMILY(starling_config_reload_failures_total, COUNTER, "", "Configurations refused since the daemon started.") \
	FAMILY(starling_control_requests_total, COUNTER, "", "Requests on the control sockets.") \
	FAMILY(starling_control_request_failures_total, COUNTER, "", "Requests on the control sockets answered with an error.") \
	FAMILY(starling_loop_lag_seconds, GAUGE, "", "Longest time the event loop was late since the last scrape.") \
	FAMILY(starling_log_messages_total, COUNTER, "", "Messages logged by level.") \
	FAMILY(starling_store_errors_total, COUNTER, "", "Writes to the state directory that failed.") \
	FAMILY(starling_scrape_duration_seconds, GAUGE, "", "Time the previous scrape took to collect.") \
	FAMILY(starling_build_info, INFO, "version=version,commit=commit,abi=abi", "What was built.") \
	FAMILY(process_cpu_seconds_total, COUNTER, "", "Total user and system CPU time spent in seconds.") \
	FAMILY(process_open_fds, GAUGE, "", "Number of open file descriptors.") \
	FAMILY(process_max_fds, GAUGE, "", "Maximum number of open file descriptors.") \
	FAMILY(process_virtual_memory_bytes, GAUGE, "", "Virtual memory size in bytes.") \
	FAMILY(process_resident_memory_bytes, GAUGE, "", "Resident memory size in bytes.") \
	FAMILY(process_start_time_seconds, GAUGE, "", "Start time of the process since unix epoch in seconds.") \
	FAMILY(process_threads, GAUGE, "", "Number of OS threads in the process.")

/*
 * FIELD(KIND, key, type, unit, place, "label", family, "label=value", "help")
 * Labels of records: a word before the value, or a text with % where the value goes; one that
 * begins with a blank, comma or semicolon follows without the usual two spaces.
 */
#define STARLING_FIELDS_VIP(FIELD) \
	FIELD(VIP, id, U64, NONE, HEAD, "%:", FAMILY_NONE, "", "number in the data plane") \
	FIELD(VIP, name, TEXT, NONE, HEAD, " %", FAMILY_NONE, "", "name") \
	FIELD(VIP, addresses, LIST, ENDPOINT, HEAD, "%", FAMILY_starling_vip_info, "", "PROTO/ADDR:PORT each") \
	FIELD(VIP, scheduler, TEXT, NONE, HEAD, "scheduler", FAMILY_NONE, "", "mh, rr, wrr, lc, wlc") \
	FIELD(VIP, forward, TEXT, NONE, HEAD, "forward", FAMILY_NONE, "", "dr, ipip, gue") \
	FIELD(VIP, hash, TEXT, NONE, HEAD, "hash", FAMILY_NONE, "", "what makes a flow: 5tuple or source") \
	FIELD(VIP, available, BOOL, STATE, HEAD, "available", FAMILY_starling_vip_available, "", "a backend takes new connections") \
	FIELD(VIP, slots, U64, NONE, LINE1, "slots", FAMILY_NONE, "", "size of the table") \
	FIELD(VIP, slots_split, U64, NONE, LINE1, "split", FAMILY_NONE, "", "slots whose old flows may still be elsewhere") \
	FIELD(VIP, slots_pinned, U64, NONE, LINE1, "pinned", FAMILY_NONE, "", "slots with flows elsewhere, all of them in cells") \
	FIELD(VIP, slots_moved, U64, COUNT, LINE1, "moved", FAMILY_starling_vip_table_slots_moved_total, "", "slots that changed their home so far") \
	FIELD(VIP, build, U64, NONE, LINE1, "build", FAMILY_starling_vip_table_builds_total, "", "times the table was built") \
	FIELD(VIP, digest, TEXT, NONE, LINE1, "digest", FAMILY_NONE, "", "of the table") \
	FIELD(VIP, generation, U64, NONE, LINE1, "generation", FAMILY_NONE, "", "configuration that last changed it") \
	FIELD(VIP, backends_up, U64, NONE, LINE2, "backends % up", FAMILY_starling_vip_backends, "state=up", "backends that take new connections") \
	FIELD(VIP, backends_down, U64, NONE, LINE2, "% down", FAMILY_starling_vip_backends, "state=down", "backends that take nothing") \
	FIELD(VIP, backends_draining, U64, NONE, LINE2, "% draining", FAMILY_starling_vip_backends, "state=draining", "backends that keep the connections they have") \
	FIELD(VIP, backends_disabled, U64, NONE, LINE2, "% disabled", FAMILY_starling_vip_backends, "state=disabled", "backends put aside by hand") \
	FIELD(VIP, backends_unresolved, U64, NONE, LINE2, "% unresolved", FAMILY_starling_vip_backends, "state=unresolved", "backends whose next hop is not known") \
	FIELD(VIP, backends_avoided, U64, NONE, LINE2, "% avoided", FAMILY_starling_vip_backends, "state=avoided", "backends that this balancer alone does not reach") \
	FIELD(VIP, backends_filling, U64, NONE, LINE2, "% filling", FAMILY_starling_vip_backends, "state=filling", "backends that have a part of their weight yet") \
	FIELD(VIP, backends_held, U64, NONE, LINE2, "% held", FAMILY_starling_vip_backends, "state=held", "backends that are up again and not let in yet") \
	FIELD(VIP, backends_failing, U64, NONE, LINE2, "% failing", FAMILY_starling_vip_backends, "state=failing", "backends that fail and serve on, until an operator takes them out") \
	FIELD(VIP, backends_standby, U64, NONE, LINE2, "% standby", FAMILY_starling_vip_backends, "state=standby", "backends of higher tiers than the one that serves") \
	FIELD(VIP, backends_full, U64, NONE, LINE2, "% full", FAMILY_starling_vip_backends, "state=full", "backends that have as many connections as they may") \
	FIELD(VIP, backends_sorry, U64, NONE, LINE2, "% sorry", FAMILY_starling_vip_backends, "state=sorry", "1: the sorry backend serves") \
	FIELD(VIP, packets, U64, COUNT, LINE3, "packets", FAMILY_starling_vip_packets_total, "", "steered to backends") \
	FIELD(VIP, bytes, U64, BYTES, LINE3, "bytes", FAMILY_starling_vip_bytes_total, "", "of IP packets steered to backends") \
	FIELD(VIP, connections, U64, COUNT, LINE3, "connections", FAMILY_starling_vip_connections_total, "", "new ones so far") \
	FIELD(VIP, active, U64, COUNT, LINE3, "active", FAMILY_starling_vip_active_connections, "", "open connections; none for mh") \
	FIELD(VIP, half, U64, COUNT, LINE3, "half-open", FAMILY_NONE, "", "connections that are not confirmed yet; none for mh") \
	FIELD(VIP, overflows, U64, COUNT, LINE3, "overflow", FAMILY_starling_vip_overflow_total, "", "flows for which no cell could be had") \
	FIELD(VIP, refused, U64, COUNT, LINE3, "refused", FAMILY_starling_vip_refused_total, "", "new connections dropped, as backends were full") \
	FIELD(VIP, packets_per_second, F64, RATE, LINE4, "packets/s", FAMILY_NONE, "", "of late") \
	FIELD(VIP, bytes_per_second, F64, RATE, LINE4, "bytes/s", FAMILY_NONE, "", "of late") \
	FIELD(VIP, connections_per_second, F64, RATE, LINE4, "connections/s", FAMILY_NONE, "", "of late") \
	FIELD(VIP, idle, F64, SECONDS, LINE5, "idle", FAMILY_NONE, "", "life of a connection without packets") \
	FIELD(VIP, drain_timeout, F64, SECONDS, LINE5, "drain-timeout", FAMILY_NONE, "", "after which a draining backend is disabled") \
	FIELD(VIP, slow_start, F64, SECONDS, LINE5, "slow-start", FAMILY_NONE, "", "until a backend that comes back has its weight") \
	FIELD(VIP, slow_start_form, TEXT, NONE, LINE5, "%", FAMILY_NONE, "", "how its weight grows: linear, exponential") \
	FIELD(VIP, recovery, TEXT, NONE, LINE5, "recovery", FAMILY_NONE, "", "what checks do without an operator: auto, hybrid (take out), manual (nothing)") \
	FIELD(VIP, damp, F64, SECONDS, LINE5, "damp", FAMILY_NONE, "", "in which the penalty of backends that flap is halved") \
	FIELD(VIP, panic, U64, NONE, LINE5, "panic", FAMILY_NONE, "", "percent of the backends that are left at least, as far as it is by own checks") \
	FIELD(VIP, eject, U64, NONE, LINE5, "eject", FAMILY_NONE, "", "percent of the backends that own checks may take out") \
	FIELD(VIP, dead, TEXT, NONE, LINE5, "dead", FAMILY_NONE, "", "of TCP connections whose backend is down: reset, rehome") \
	FIELD(VIP, sorry, TEXT, NONE, LINE5, "sorry", FAMILY_NONE, "", "ADDR:PORT that serves while no backend is usable") \
	FIELD(VIP, passive, TEXT, NONE, LINE5, "passive", FAMILY_NONE, "", "of backends whose clients fail more often than others': suspect, off, eject") \
	FIELD(VIP, restart, TEXT, NONE, LINE5, "restart", FAMILY_NONE, "", "the file that begins a backend again which is down")

#define STARLING_FIELDS_BACKEND(FIELD) \
	FIELD(BACKEND, id, U64, NONE, DETAIL, "ID", FAMILY_NONE, "", "number in the data plane") \
	FIELD(BACKEND, vip, TEXT, NONE, COLUMN, "VIP", FAMILY_NONE, "", "its VIP") \
	FIELD(BACKEND, backend, TEXT, NONE, COLUMN, "BACKEND", FAMILY_NONE, "", "ADDR:PORT") \
	FIELD(BACKEND, state, TEXT, STATE, COLUMN, "STATE", FAMILY_NONE, "", "up, full, filling, standby, sorry, draining, disabled, down, held, failing, avoided, unresolved") \
	FIELD(BACKEND, up, BOOL, NONE, DETAIL, "UP", FAMILY_starling_backend_up, "", "takes new connections") \
	FIELD(BACKEND, weight, U64, NONE, COLUMN, "WEIGHT", FAMILY_starling_backend_weight, "", "configured") \
	FIELD(BACKEND, share, F64, RATIO, COLUMN, "SHARE", FAMILY_NONE, "", "of the VIP's slots") \
	FIELD(BACKEND, active, U64, COUNT, COLUMN, "ACTIVE", FAMILY_starling_backend_active_connections, "", "open connections; none for mh") \
	FIELD(BACKEND, half, U64, COUNT, DETAIL, "HALF", FAMILY_NONE, "", "connections that are not confirmed yet; none for mh") \
	FIELD(BACKEND, check, TEXT, NONE, COLUMN, "CHECK", FAMILY_NONE, "", "how it is checked, and the last result") \
	FIELD(BACKEND, since, TIME, NONE, COLUMN, "SINCE", FAMILY_starling_backend_last_transition_timestamp_seconds, "", "in this state") \
	FIELD(BACKEND, transitions, U64, COUNT, DETAIL, "TRANSITIONS", FAMILY_starling_backend_transitions_total, "", "changes of state so far") \
	FIELD(BACKEND, connections_per_second, F64, RATE, DETAIL, "CONNECTIONS/S", FAMILY_NONE, "", "of late") \
	FIELD(BACKEND, packets_per_second, F64, RATE, COLUMN, "PACKETS/S", FAMILY_NONE, "", "of late") \
	FIELD(BACKEND, bytes_per_second, F64, RATE, COLUMN, "BYTES/S", FAMILY_NONE, "", "of late") \
	FIELD(BACKEND, connections, U64, COUNT, DETAIL, "CONNECTIONS", FAMILY_starling_backend_connections_total, "", "new ones so far") \
	FIELD(BACKEND, packets, U64, COUNT, DETAIL, "PACKETS", FAMILY_starling_backend_packets_total, "", "so far") \
	FIELD(BACKEND, bytes, U64, BYTES, DETAIL, "BYTES", FAMILY_starling_backend_bytes_total, "", "of IP packets so far") \
	FIELD(BACKEND, syn_repeats, U64, COUNT, DETAIL, "REPEATED", FAMILY_starling_backend_syn_repeats_total, "", "SYNs that came again") \
	FIELD(BACKEND, resets, U64, COUNT, DETAIL, "RESETS", FAMILY_starling_backend_resets_total, "", "connections that the client reset") \
	FIELD(BACKEND, suspect, BOOL, NONE, DETAIL, "SUSPECT", FAMILY_NONE, "", "its clients fail more often than those of its peers") \
	FIELD(BACKEND, device, TEXT, NONE, DETAIL, "DEVICE", FAMILY_NONE, "", "towards it") \
	FIELD(BACKEND, source, TEXT, NONE, DETAIL, "SOURCE", FAMILY_NONE, "", "outer source address") \
	FIELD(BACKEND, mac, TEXT, NONE, DETAIL, "MAC", FAMILY_NONE, "", "of the next hop") \
	FIELD(BACKEND, mtu, U64, NONE, DETAIL, "MTU", FAMILY_NONE, "", "of the path") \
	FIELD(BACKEND, tier, U64, NONE, NOTE, "tier %", FAMILY_NONE, "", "its tier, of a VIP that has several") \
	FIELD(BACKEND, why, TEXT, NONE, NOTE, "%", FAMILY_NONE, "", "what is wrong with its next hop, or why it serves otherwise than its checks say") \
	FIELD(BACKEND, counted, U64, NONE, NOTE, "has % connections", FAMILY_NONE, "", "of one that may have so many: half-open ones and those at other balancers included") \
	FIELD(BACKEND, maxconn, U64, NONE, NOTE, " of % at most", FAMILY_starling_backend_maxconn, "", "that it may have, by its line or by its agent") \
	FIELD(BACKEND, full, BOOL, NONE, DETAIL, "FULL", FAMILY_starling_backend_full, "", "has as many as it may, or had a moment ago") \
	FIELD(BACKEND, present_weight, F64, NONE, NOTE, "weight % yet", FAMILY_NONE, "", "while it fills: what it has of its weight") \
	FIELD(BACKEND, agent_percent, U64, NONE, NOTE, "its agent asks for % percent", FAMILY_NONE, "", "of its weight") \
	FIELD(BACKEND, agent_maxconn, U64, NONE, NOTE, "its agent takes % connections", FAMILY_NONE, "", "by its agent's maxconn") \
	FIELD(BACKEND, agent_unheeded, TEXT, NONE, NOTE, ", which is not heeded: %", FAMILY_NONE, "", "why its agent's maxconn is not") \
	FIELD(BACKEND, by, TEXT, NONE, NOTE, "by %", FAMILY_NONE, "", "who put it aside") \
	FIELD(BACKEND, reason, TEXT, NONE, NOTE, ", \"%\"", FAMILY_NONE, "", "for which reason") \
	FIELD(BACKEND, until, TIME, NONE, NOTE, ", until %", FAMILY_NONE, "", "when a drain ends") \
	FIELD(BACKEND, elsewhere, LIST, NONE, NOTE, "%", FAMILY_NONE, "", "which other balancers have put it aside, each for itself")

#define STARLING_FIELDS_HEALTH(FIELD) \
	FIELD(HEALTH, vip, TEXT, NONE, COLUMN, "VIP", FAMILY_NONE, "", "its VIP") \
	FIELD(HEALTH, backend, TEXT, NONE, COLUMN, "BACKEND", FAMILY_NONE, "", "ADDR:PORT") \
	FIELD(HEALTH, verdict, TEXT, STATE, COLUMN, "VERDICT", FAMILY_NONE, "", "up, down, unknown: neither until it has failed or not") \
	FIELD(HEALTH, since, TIME, NONE, COLUMN, "SINCE", FAMILY_NONE, "", "this verdict") \
	FIELD(HEALTH, by, TEXT, NONE, COLUMN, "BY", FAMILY_NONE, "", "certified: by votes; former: by those of the roster before; local: by own probes") \
	FIELD(HEALTH, check, TEXT, NONE, COLUMN, "CHECK", FAMILY_NONE, "", "kind of the check") \
	FIELD(HEALTH, via, TEXT, NONE, DETAIL, "VIA", FAMILY_NONE, "", \
		"tunnel: the way of clients' packets, to the VIP's address; else nothing") \
	FIELD(HEALTH, port, U64, NONE, DETAIL, "PORT", FAMILY_NONE, "", "that is probed") \
	FIELD(HEALTH, interval, F64, SECONDS, COLUMN, "EVERY", FAMILY_NONE, "", "from one probe to the next") \
	FIELD(HEALTH, timeout, F64, SECONDS, DETAIL, "TIMEOUT", FAMILY_NONE, "", "of one probe") \
	FIELD(HEALTH, rise, U64, NONE, DETAIL, "RISE", FAMILY_NONE, "", "successes in a row that bring it back") \
	FIELD(HEALTH, fall, U64, NONE, DETAIL, "FALL", FAMILY_NONE, "", "failures in a row that take it out") \
	FIELD(HEALTH, checks, U64, COUNT, COLUMN, "PROBES", FAMILY_NONE, "", "since the daemon, or the check, began") \
	FIELD(HEALTH, failures, U64, COUNT, COLUMN, "FAILED", FAMILY_NONE, "", "of them") \
	FIELD(HEALTH, took, F64, SECONDS, COLUMN, "TOOK", FAMILY_NONE, "", "the last one") \
	FIELD(HEALTH, reason, TEXT, NONE, COLUMN, "LAST", FAMILY_NONE, "", "ok, or why the last one failed") \
	FIELD(HEALTH, result, TEXT, NONE, NOTE, "%", FAMILY_NONE, "", "of the last one, in words") \
	FIELD(HEALTH, quorum, U64, NONE, DETAIL, "QUORUM", FAMILY_NONE, "", "votes that make a verdict") \
	FIELD(HEALTH, observers, U64, NONE, DETAIL, "OBSERVERS", FAMILY_NONE, "", "that vote") \
	FIELD(HEALTH, liars, U64, NONE, DETAIL, "LIARS", FAMILY_NONE, "", "of them that may lie") \
	FIELD(HEALTH, votes, TEXT, NONE, NOTE, "; %", FAMILY_NONE, "", "who says what, and why") \
	FIELD(HEALTH, missing, U64, NONE, NOTE, "; % more would turn it", FAMILY_NONE, "", "votes that lack for the opposite") \
	FIELD(HEALTH, agent, TEXT, NONE, NOTE, "; agent: %", FAMILY_NONE, "", "what the observers have heard of its agent, together") \
	FIELD(HEALTH, recovery, TEXT, NONE, NOTE, "; %", FAMILY_NONE, "", "what it waits for to be let in, or taken out") \
	FIELD(HEALTH, restart, TEXT, NONE, NOTE, "; restart: %", FAMILY_NONE, "", "who begins it again, how often so far, what came of it, and when again") \
	FIELD(HEALTH, restart_by, TEXT, NONE, DETAIL, "RESTART BY", FAMILY_NONE, "", "the balancer that begins it again") \
	FIELD(HEALTH, restarts, U64, NONE, DETAIL, "RESTARTS", FAMILY_NONE, "", "by this balancer, since it was last up for ten minutes") \
	FIELD(HEALTH, restart_result, TEXT, NONE, DETAIL, "RESTARTED", FAMILY_NONE, "", "the last time: ok, failed, timeout, refused") \
	FIELD(HEALTH, repeat_rate, F64, RATIO, DETAIL, "REPEATED", FAMILY_NONE, "", "of the SYNs of late, those that came again") \
	FIELD(HEALTH, repeat_rate_peers, F64, RATIO, DETAIL, "PEERS", FAMILY_NONE, "", "the same of its peers, the median") \
	FIELD(HEALTH, reset_rate, F64, RATIO, DETAIL, "RESETS", FAMILY_NONE, "", "of the connections of late, those that the client reset") \
	FIELD(HEALTH, reset_rate_peers, F64, RATIO, DETAIL, "PEERS", FAMILY_NONE, "", "the same of its peers, the median") \
	FIELD(HEALTH, passive, TEXT, NONE, NOTE, "; %", FAMILY_NONE, "", "these rates, in words")

#define STARLING_FIELDS_PROBES(FIELD) \
	FIELD(PROBES, checks, U64, COUNT, HEAD, "probes", FAMILY_starling_health_checks_total, "", "that ended") \
	FIELD(PROBES, timeout, U64, COUNT, LINE1, "failed % timeout", FAMILY_starling_health_check_failures_total, "reason=timeout", "no answer, or no end of it, in time") \
	FIELD(PROBES, refused, U64, COUNT, LINE1, "% refused", FAMILY_starling_health_check_failures_total, "reason=refused", "nobody listens there") \
	FIELD(PROBES, unreachable, U64, COUNT, LINE1, "% unreachable", FAMILY_starling_health_check_failures_total, "reason=unreachable", "the network has no way to it") \
	FIELD(PROBES, reset, U64, COUNT, LINE1, "% reset", FAMILY_starling_health_check_failures_total, "reason=reset", "the connection was cut") \
	FIELD(PROBES, answer, U64, COUNT, LINE1, "% answer", FAMILY_starling_health_check_failures_total, "reason=answer", "not the answer that is expected") \
	FIELD(PROBES, status, U64, COUNT, LINE1, "% status", FAMILY_starling_health_check_failures_total, "reason=status", "a status that is not good") \
	FIELD(PROBES, tls, U64, COUNT, LINE1, "% tls", FAMILY_starling_health_check_failures_total, "reason=tls", "no TLS, or not the certificate") \
	FIELD(PROBES, exit, U64, COUNT, LINE1, "% exit", FAMILY_starling_health_check_failures_total, "reason=exit", "the file run said no") \
	FIELD(PROBES, said, U64, COUNT, LINE1, "% said", FAMILY_starling_health_check_failures_total, "reason=said", "the agent says that it is down") \
	FIELD(PROBES, local, U64, COUNT, LINE1, "% local", FAMILY_starling_health_check_failures_total, "reason=local", "this balancer could not probe") \
	FIELD(PROBES, took_250us, U64, COUNT, LINE2, "took % to 0.25 ms", FAMILY_starling_health_check_duration_seconds, "le=0.00025", "so long at most") \
	FIELD(PROBES, took_500us, U64, COUNT, LINE2, "% to 0.5", FAMILY_starling_health_check_duration_seconds, "le=0.0005", "so long at most") \
	FIELD(PROBES, took_1ms, U64, COUNT, LINE2, "% to 1", FAMILY_starling_health_check_duration_seconds, "le=0.001", "so long at most") \
	FIELD(PROBES, took_2500us, U64, COUNT, LINE2, "% to 2.5", FAMILY_starling_health_check_duration_seconds, "le=0.0025", "so long at most") \
	FIELD(PROBES, took_5ms, U64, COUNT, LINE2, "% to 5", FAMILY_starling_health_check_duration_seconds, "le=0.005", "so long at most") \
	FIELD(PROBES, took_10ms, U64, COUNT, LINE2, "% to 10", FAMILY_starling_health_check_duration_seconds, "le=0.01", "so long at most") \
	FIELD(PROBES, took_25ms, U64, COUNT, LINE2, "% to 25", FAMILY_starling_health_check_duration_seconds, "le=0.025", "so long at most") \
	FIELD(PROBES, took_50ms, U64, COUNT, LINE2, "% to 50", FAMILY_starling_health_check_duration_seconds, "le=0.05", "so long at most") \
	FIELD(PROBES, took_100ms, U64, COUNT, LINE2, "% to 100", FAMILY_starling_health_check_duration_seconds, "le=0.1", "so long at most") \
	FIELD(PROBES, took_250ms, U64, COUNT, LINE2, "% to 250", FAMILY_starling_health_check_duration_seconds, "le=0.25", "so long at most") \
	FIELD(PROBES, took_500ms, U64, COUNT, LINE2, "% to 500", FAMILY_starling_health_check_duration_seconds, "le=0.5", "so long at most") \
	FIELD(PROBES, took_1s, U64, COUNT, LINE2, "% to 1000", FAMILY_starling_health_check_duration_seconds, "le=1", "so long at most") \
	FIELD(PROBES, took_all, U64, COUNT, LINE2, "% in all", FAMILY_starling_health_check_duration_seconds, "le=+Inf", "those that were good") \
	FIELD(PROBES, took_sum, F64, SECONDS, LINE2, "together", FAMILY_starling_health_check_duration_seconds, "sum=", "all of them") \
	FIELD(PROBES, took_count, U64, COUNT, LINE2, "of %", FAMILY_starling_health_check_duration_seconds, "count=", "those that were good") \
	FIELD(PROBES, votes, U64, COUNT, LINE3, "votes %", FAMILY_starling_health_votes_total, "", "others', that count") \
	FIELD(PROBES, votes_malformed, U64, COUNT, LINE3, "% malformed", FAMILY_starling_health_votes_rejected_total, "reason=malformed", "make no sense") \
	FIELD(PROBES, votes_target, U64, COUNT, LINE3, "% target", FAMILY_starling_health_votes_rejected_total, "reason=target", "on nothing that is checked here") \
	FIELD(PROBES, votes_epoch, U64, COUNT, LINE3, "% epoch", FAMILY_starling_health_votes_rejected_total, "reason=epoch", "of another roster") \
	FIELD(PROBES, votes_stranger, U64, COUNT, LINE3, "% stranger", FAMILY_starling_health_votes_rejected_total, "reason=stranger", "by somebody who does not observe the target") \
	FIELD(PROBES, votes_forged, U64, COUNT, LINE3, "% forged", FAMILY_starling_health_votes_rejected_total, "reason=forged", "signed by another than they say") \
	FIELD(PROBES, votes_equivocation, U64, COUNT, LINE3, "% equivocation", FAMILY_starling_health_votes_rejected_total, "reason=equivocation", "their voter says two things at once") \
	FIELD(PROBES, votes_caught, U64, COUNT, LINE3, "% caught", FAMILY_starling_health_votes_rejected_total, "reason=caught", "their voter was caught at that") \
	FIELD(PROBES, disagreements, U64, COUNT, LINE4, "disagreements", FAMILY_starling_health_verdict_disagreements_total, "", "own probes said down for long where votes said up") \
	FIELD(PROBES, unquorate, U64, NONE, LINE4, "unquorate", FAMILY_starling_health_unquorate_backends, "", "addresses of which votes of the present roster say nothing") \
	FIELD(PROBES, by_itself, U64, NONE, LINE4, "local", FAMILY_starling_health_local_backends, "", "of them, those held up or down by own probes") \
	FIELD(PROBES, restarts_ok, U64, COUNT, LINE5, "restarts % ok", FAMILY_starling_health_restarts_total, "result=ok", "hooks that ended well") \
	FIELD(PROBES, restarts_failed, U64, COUNT, LINE5, "% failed", FAMILY_starling_health_restarts_total, "result=failed", "that ended otherwise") \
	FIELD(PROBES, restarts_timeout, U64, COUNT, LINE5, "% timeout", FAMILY_starling_health_restarts_total, "result=timeout", "that did not end, and were killed") \
	FIELD(PROBES, restarts_refused, U64, COUNT, LINE5, "% refused", FAMILY_starling_health_restarts_total, "result=refused", "that are not there, are not root's alone, or may not be run here")

#define STARLING_FIELDS_SHARE(FIELD) \
	FIELD(SHARE, vip, TEXT, NONE, COLUMN, "VIP", FAMILY_NONE, "", "its VIP") \
	FIELD(SHARE, backend, TEXT, NONE, COLUMN, "BACKEND", FAMILY_NONE, "", "ADDR:PORT") \
	FIELD(SHARE, slots, U64, NONE, COLUMN, "SLOTS", FAMILY_NONE, "", "whose home 0 it is") \
	FIELD(SHARE, share, F64, RATIO, COLUMN, "SHARE", FAMILY_NONE, "", "of the VIP's slots") \
	FIELD(SHARE, wanted, F64, RATIO, COLUMN, "WANTED", FAMILY_NONE, "", "its part of the weights of its tier; 0: its tier does not serve") \
	FIELD(SHARE, split, U64, NONE, COLUMN, "SPLIT", FAMILY_NONE, "", "slots whose old flows may still be elsewhere") \
	FIELD(SHARE, pinned, U64, NONE, COLUMN, "PINNED", FAMILY_NONE, "", "slots with flows elsewhere, all of them in cells")

#define STARLING_FIELDS_SLOT(FIELD) \
	FIELD(SLOT, slot, U64, NONE, COLUMN, "SLOT", FAMILY_NONE, "", "its number") \
	FIELD(SLOT, state, TEXT, STATE, COLUMN, "STATE", FAMILY_NONE, "", "empty, plain, warm (about to change), split, pinned") \
	FIELD(SLOT, home0, TEXT, NONE, COLUMN, "HOME0", FAMILY_NONE, "", "ADDR:PORT") \
	FIELD(SLOT, home1, TEXT, NONE, COLUMN, "HOME1", FAMILY_NONE, "", "ADDR:PORT") \
	FIELD(SLOT, previous, TEXT, NONE, COLUMN, "PREVIOUS", FAMILY_NONE, "", "ADDR:PORT")

#define STARLING_FIELDS_FLOW(FIELD) \
	FIELD(FLOW, vip, TEXT, NONE, COLUMN, "VIP", FAMILY_NONE, "", "its VIP") \
	FIELD(FLOW, backend, TEXT, NONE, COLUMN, "BACKEND", FAMILY_NONE, "", "ADDR:PORT") \
	FIELD(FLOW, client, TEXT, NONE, COLUMN, "CLIENT", FAMILY_NONE, "", "where it is known: cells keep no addresses") \
	FIELD(FLOW, state, TEXT, STATE, COLUMN, "STATE", FAMILY_NONE, "", "probation, half, open, closing, reset") \
	FIELD(FLOW, proto, TEXT, NONE, COLUMN, "PROTO", FAMILY_NONE, "", "tcp, udp") \
	FIELD(FLOW, age, F64, SECONDS, COLUMN, "SEEN", FAMILY_NONE, "", "since its last packet") \
	FIELD(FLOW, slot, U64, NONE, COLUMN, "SLOT", FAMILY_NONE, "", "of its VIP") \
	FIELD(FLOW, set, U64, NONE, COLUMN, "SET", FAMILY_NONE, "", "of the flow table") \
	FIELD(FLOW, way, U64, NONE, COLUMN, "WAY", FAMILY_NONE, "", "cell of the set") \
	FIELD(FLOW, tag, TEXT, NONE, COLUMN, "TAG", FAMILY_NONE, "", "bits of its hash")

#define STARLING_FIELDS_LOOKUP(FIELD) \
	FIELD(LOOKUP, vip, TEXT, NONE, HEAD, "%", FAMILY_NONE, "", "whose it is; none: the packet is left to the host") \
	FIELD(LOOKUP, backend, TEXT, NONE, HEAD, " -> %", FAMILY_NONE, "", "ADDR:PORT; none: dropped") \
	FIELD(LOOKUP, verdict, TEXT, NONE, HEAD, "verdict", FAMILY_NONE, "", "what becomes of the packet, unless it is sent") \
	FIELD(LOOKUP, cell, TEXT, NONE, LINE1, "cell", FAMILY_NONE, "", "state of its cell; none: it has no cell") \
	FIELD(LOOKUP, age, F64, SECONDS, LINE1, " %", FAMILY_NONE, "", "since its last packet") \
	FIELD(LOOKUP, slot, U64, NONE, LINE1, "; slot %", FAMILY_NONE, "", "number of its slot") \
	FIELD(LOOKUP, slot_state, TEXT, NONE, LINE1, " %", FAMILY_NONE, "", "plain, warm (about to change), split, pinned") \
	FIELD(LOOKUP, homes, LIST, NONE, LINE1, ", homes %", FAMILY_NONE, "", "home 0 and home 1") \
	FIELD(LOOKUP, previous, TEXT, NONE, LINE1, ", previous %", FAMILY_NONE, "", "home of old flows") \
	FIELD(LOOKUP, build, U64, NONE, LINE1, ", build %", FAMILY_NONE, "", "of the table") \
	FIELD(LOOKUP, forward, TEXT, NONE, LINE1, "; %", FAMILY_NONE, "", "dr, ipip, gue") \
	FIELD(LOOKUP, device, TEXT, NONE, LINE1, " via %", FAMILY_NONE, "", "towards the backend") \
	FIELD(LOOKUP, set, U64, NONE, DETAIL, "; set %", FAMILY_NONE, "", "of the flow table") \
	FIELD(LOOKUP, new_backend, TEXT, NONE, DETAIL, "; a new flow -> %", FAMILY_NONE, "", "where a SYN of it would go") \
	FIELD(LOOKUP, new_verdict, TEXT, NONE, DETAIL, "; of a new flow: %", FAMILY_NONE, "", "what would become of a SYN of it, unless it were sent")

#define STARLING_FIELDS_TRACE(FIELD) \
	FIELD(TRACE, time, TIME, NONE, COLUMN, "TIME", FAMILY_NONE, "", "when") \
	FIELD(TRACE, device, TEXT, NONE, COLUMN, "DEVICE", FAMILY_NONE, "", "it came in by") \
	FIELD(TRACE, verdict, TEXT, STATE, COLUMN, "VERDICT", FAMILY_NONE, "", "what became of it") \
	FIELD(TRACE, proto, TEXT, NONE, COLUMN, "PROTO", FAMILY_NONE, "", "tcp, udp, icmp") \
	FIELD(TRACE, source, TEXT, NONE, COLUMN, "SOURCE", FAMILY_NONE, "", "ADDR:PORT") \
	FIELD(TRACE, destination, TEXT, NONE, COLUMN, "DESTINATION", FAMILY_NONE, "", "ADDR:PORT") \
	FIELD(TRACE, vip, TEXT, NONE, COLUMN, "VIP", FAMILY_NONE, "", "whose it is") \
	FIELD(TRACE, backend, TEXT, NONE, COLUMN, "BACKEND", FAMILY_NONE, "", "it was sent to") \
	FIELD(TRACE, cell, TEXT, NONE, COLUMN, "CELL", FAMILY_NONE, "", "state of its cell before") \
	FIELD(TRACE, tcp_flags, TEXT, NONE, COLUMN, "FLAGS", FAMILY_NONE, "", "of TCP") \
	FIELD(TRACE, length, U64, NONE, COLUMN, "LENGTH", FAMILY_NONE, "", "bytes of the frame") \
	FIELD(TRACE, sample, U64, NONE, DETAIL, "SAMPLE", FAMILY_NONE, "", "it stands for so many packets")

#define STARLING_FIELDS_IFACE(FIELD) \
	FIELD(IFACE, device, TEXT, NONE, COLUMN, "DEVICE", FAMILY_NONE, "", "its name") \
	FIELD(IFACE, ifindex, U64, NONE, COLUMN, "INDEX", FAMILY_NONE, "", "its number") \
	FIELD(IFACE, attached, BOOL, STATE, COLUMN, "ATTACHED", FAMILY_starling_xdp_attached, "", "the program sees its packets") \
	FIELD(IFACE, mode, TEXT, NONE, COLUMN, "MODE", FAMILY_NONE, "", "native, generic") \
	FIELD(IFACE, wanted, TEXT, NONE, COLUMN, "WANTED", FAMILY_NONE, "", "auto, native, generic") \
	FIELD(IFACE, pass, U64, COUNT, COLUMN, "PASS", FAMILY_starling_xdp_packets_total, "action=pass", "packets left to the host") \
	FIELD(IFACE, tx, U64, COUNT, COLUMN, "TX", FAMILY_starling_xdp_packets_total, "action=tx", "packets sent back through the device") \
	FIELD(IFACE, redirect, U64, COUNT, COLUMN, "REDIRECT", FAMILY_starling_xdp_packets_total, "action=redirect", "packets sent through another device") \
	FIELD(IFACE, drop, U64, COUNT, COLUMN, "DROP", FAMILY_starling_xdp_packets_total, "action=drop", "packets dropped") \
	FIELD(IFACE, why, TEXT, NONE, NOTE, "%", FAMILY_NONE, "", "why it is not attached as wanted")

#define STARLING_FIELDS_DROP(FIELD) \
	FIELD(DROP, device, TEXT, NONE, COLUMN, "DEVICE", FAMILY_NONE, "", "its name") \
	FIELD(DROP, reason, TEXT, NONE, COLUMN, "REASON", FAMILY_NONE, "", "label of the verdict") \
	FIELD(DROP, packets, U64, COUNT, COLUMN, "PACKETS", FAMILY_starling_xdp_drops_total, "", "dropped so far") \
	FIELD(DROP, help, TEXT, NONE, NOTE, "%", FAMILY_NONE, "", "what the reason means")

#define STARLING_FIELDS_STATUS(FIELD) \
	FIELD(STATUS, node, TEXT, NONE, HEAD, "%:", FAMILY_NONE, "", "name") \
	FIELD(STATUS, state, TEXT, STATE, HEAD, " %", FAMILY_NONE, "", "ok, degraded") \
	FIELD(STATUS, version, TEXT, NONE, HEAD, "version", FAMILY_NONE, "", "of the daemon") \
	FIELD(STATUS, started, TIME, NONE, HEAD, "started", FAMILY_NONE, "", "the daemon") \
	FIELD(STATUS, problems, LIST, NONE, LINE1, "problem: %", FAMILY_NONE, "", "why it is degraded") \
	FIELD(STATUS, draining, TEXT, NONE, LINE1, "draining: %", FAMILY_NONE, "", "by hand, and why") \
	FIELD(STATUS, generation, U64, NONE, LINE2, "generation", FAMILY_starling_config_generation, "", "of the running configuration") \
	FIELD(STATUS, digest, TEXT, NONE, LINE2, "digest", FAMILY_NONE, "", "of the running configuration") \
	FIELD(STATUS, applied, TIME, NONE, LINE2, "applied", FAMILY_starling_config_last_reload_success_timestamp_seconds, "", "when") \
	FIELD(STATUS, reload_ok, BOOL, STATE, LINE2, "last-reload-ok", FAMILY_starling_config_last_reload_successful, "", "the last one read was applied") \
	FIELD(STATUS, reloads, U64, COUNT, LINE2, "reloads", FAMILY_starling_config_reloads_total, "", "configurations applied since the start") \
	FIELD(STATUS, reload_failures, U64, COUNT, LINE2, "refused", FAMILY_starling_config_reload_failures_total, "", "configurations refused since the start") \
	FIELD(STATUS, agreed, U64, NONE, LINE2, "agreed", FAMILY_starling_config_agreed_generation, "", "generation that the flock has agreed on") \
	FIELD(STATUS, quorum, BOOL, STATE, LINE2, "quorum", FAMILY_starling_config_quorum, "", "enough voters answer to change what is agreed") \
	FIELD(STATUS, deadline, F64, NONE, LINE2, "confirm-within", FAMILY_starling_config_proposed_deadline_seconds, "", "seconds until what waits to be confirmed is taken back") \
	FIELD(STATUS, overrides, U64, NONE, LINE2, "overrides", FAMILY_starling_config_overrides, "", "backends put aside by hand") \
	FIELD(STATUS, vips, U64, NONE, LINE3, "vips %", FAMILY_NONE, "", "configured") \
	FIELD(STATUS, vips_available, U64, NONE, LINE3, "% available", FAMILY_NONE, "", "VIPs that take new connections") \
	FIELD(STATUS, backends, U64, NONE, LINE3, "backends %", FAMILY_NONE, "", "configured") \
	FIELD(STATUS, backends_up, U64, NONE, LINE3, "% up", FAMILY_NONE, "", "take new connections") \
	FIELD(STATUS, devices, U64, NONE, LINE3, "devices %", FAMILY_NONE, "", "configured") \
	FIELD(STATUS, devices_attached, U64, NONE, LINE3, "% attached", FAMILY_NONE, "", "the program sees their packets") \
	FIELD(STATUS, cells, U64, COUNT, LINE4, "cells", FAMILY_NONE, "", "of the flow table") \
	FIELD(STATUS, cells_free, U64, COUNT, LINE4, "% free", FAMILY_starling_flow_cells, "state=free", "cells that hold nothing") \
	FIELD(STATUS, cells_probation, U64, COUNT, LINE4, "% probation", FAMILY_starling_flow_cells, "state=probation", "cells waiting for a second packet") \
	FIELD(STATUS, cells_half, U64, COUNT, LINE4, "% half-open", FAMILY_starling_flow_cells, "state=half", "cells that have seen a SYN") \
	FIELD(STATUS, cells_open, U64, COUNT, LINE4, "% open", FAMILY_starling_flow_cells, "state=open", "cells of open flows") \
	FIELD(STATUS, cells_closing, U64, COUNT, LINE4, "% closing", FAMILY_starling_flow_cells, "state=closing", "cells that have seen a FIN") \
	FIELD(STATUS, cells_reset, U64, COUNT, LINE4, "% reset", FAMILY_starling_flow_cells, "state=reset", "cells that have seen a RST") \
	FIELD(STATUS, packets_per_second, F64, RATE, LINE5, "packets/s", FAMILY_NONE, "", "of late, all VIPs") \
	FIELD(STATUS, bytes_per_second, F64, RATE, LINE5, "bytes/s", FAMILY_NONE, "", "of late, all VIPs") \
	FIELD(STATUS, connections_per_second, F64, RATE, LINE5, "connections/s", FAMILY_NONE, "", "of late, all VIPs") \
	FIELD(STATUS, drops_per_second, F64, RATE, LINE5, "drops/s", FAMILY_NONE, "", "of late, all devices")

#define STARLING_FIELDS_DAEMON(FIELD) \
	FIELD(DAEMON, pid, U64, NONE, HEAD, "pid", FAMILY_NONE, "", "of the daemon") \
	FIELD(DAEMON, started, TIME, NONE, HEAD, "started", FAMILY_process_start_time_seconds, "", "when") \
	FIELD(DAEMON, cpu, F64, SECONDS, LINE1, "cpu", FAMILY_process_cpu_seconds_total, "", "user and system time") \
	FIELD(DAEMON, memory, U64, BYTES, LINE1, "memory", FAMILY_process_resident_memory_bytes, "", "resident") \
	FIELD(DAEMON, virtual_memory, U64, BYTES, LINE1, "virtual", FAMILY_process_virtual_memory_bytes, "", "address space") \
	FIELD(DAEMON, open_fds, U64, NONE, LINE1, "fds", FAMILY_process_open_fds, "", "open") \
	FIELD(DAEMON, max_fds, U64, NONE, LINE1, "max-fds", FAMILY_process_max_fds, "", "allowed") \
	FIELD(DAEMON, threads, U64, NONE, LINE1, "threads", FAMILY_process_threads, "", "running") \
	FIELD(DAEMON, requests, U64, COUNT, LINE2, "requests", FAMILY_starling_control_requests_total, "", "on the control sockets") \
	FIELD(DAEMON, request_failures, U64, COUNT, LINE2, "failed", FAMILY_starling_control_request_failures_total, "", "answered with an error") \
	FIELD(DAEMON, loop_lag, F64, SECONDS, LINE2, "loop-lag", FAMILY_starling_loop_lag_seconds, "", "longest since the last scrape") \
	FIELD(DAEMON, scrape_duration, F64, SECONDS, LINE2, "scrape", FAMILY_starling_scrape_duration_seconds, "", "time the previous one took") \
	FIELD(DAEMON, store_errors, U64, COUNT, LINE2, "store-errors", FAMILY_starling_store_errors_total, "", "writes of state that failed") \
	FIELD(DAEMON, log_errors, U64, COUNT, LINE3, "logged % errors", FAMILY_starling_log_messages_total, "level=error", "messages") \
	FIELD(DAEMON, log_warnings, U64, COUNT, LINE3, "% warnings", FAMILY_starling_log_messages_total, "level=warning", "messages") \
	FIELD(DAEMON, log_infos, U64, COUNT, LINE3, "% infos", FAMILY_starling_log_messages_total, "level=info", "messages") \
	FIELD(DAEMON, log_debugs, U64, COUNT, LINE3, "% debugs", FAMILY_starling_log_messages_total, "level=debug", "messages")

#define STARLING_FIELDS_MAP(FIELD) \
	FIELD(MAP, map, TEXT, NONE, COLUMN, "MAP", FAMILY_NONE, "", "its name") \
	FIELD(MAP, entries, U64, NONE, COLUMN, "ENTRIES", FAMILY_starling_bpf_map_entries, "", "in use") \
	FIELD(MAP, max_entries, U64, NONE, COLUMN, "MAX", FAMILY_starling_bpf_map_max_entries, "", "it has room for") \
	FIELD(MAP, bytes, U64, BYTES, COLUMN, "BYTES", FAMILY_NONE, "", "of memory")

#define STARLING_FIELDS_METRIC(FIELD) \
	FIELD(METRIC, name, TEXT, NONE, COLUMN, "METRIC", FAMILY_NONE, "", "its name") \
	FIELD(METRIC, labels, LIST, NONE, COLUMN, "LABELS", FAMILY_NONE, "", "NAME=VALUE each") \
	FIELD(METRIC, value, F64, NONE, COLUMN, "VALUE", FAMILY_NONE, "", "now")

#define STARLING_FIELDS_FEATURE(FIELD) \
	FIELD(FEATURE, feature, TEXT, NONE, COLUMN, "FEATURE", FAMILY_NONE, "", "what is asked for") \
	FIELD(FEATURE, state, TEXT, STATE, COLUMN, "STATE", FAMILY_NONE, "", "ok, warning, missing") \
	FIELD(FEATURE, value, TEXT, NONE, COLUMN, "VALUE", FAMILY_NONE, "", "what was found") \
	FIELD(FEATURE, advice, TEXT, NONE, NOTE, "%", FAMILY_NONE, "", "what to do")

#define STARLING_FIELDS_HISTORY(FIELD) \
	FIELD(HISTORY, generation, U64, NONE, COLUMN, "GENERATION", FAMILY_NONE, "", "its number") \
	FIELD(HISTORY, running, BOOL, NONE, COLUMN, "RUNNING", FAMILY_NONE, "", "this one runs") \
	FIELD(HISTORY, time, TIME, NONE, COLUMN, "SINCE", FAMILY_NONE, "", "when it was applied") \
	FIELD(HISTORY, by, TEXT, NONE, COLUMN, "BY", FAMILY_NONE, "", "who applied it") \
	FIELD(HISTORY, command, TEXT, NONE, COLUMN, "COMMAND", FAMILY_NONE, "", "that made it") \
	FIELD(HISTORY, changes, U64, NONE, COLUMN, "CHANGES", FAMILY_NONE, "", "lines it touched") \
	FIELD(HISTORY, digest, TEXT, NONE, DETAIL, "DIGEST", FAMILY_NONE, "", "of its text")

#define STARLING_FIELDS_LEVEL(FIELD) \
	FIELD(LEVEL, name, TEXT, NONE, COLUMN, "NODE", FAMILY_NONE, "", "its name") \
	FIELD(LEVEL, level, U64, NONE, COLUMN, "LEVEL", FAMILY_NONE, "", "the highest that it understands; 1 if it has told nothing") \
	FIELD(LEVEL, table, U64, NONE, COLUMN, "TABLE", FAMILY_NONE, "", "likewise, how homes follow from names") \
	FIELD(LEVEL, agreed, U64, NONE, COLUMN, "AGREED", FAMILY_NONE, "", "level of what the flock has agreed on; none: nothing, or of a level that is not understood here") \
	FIELD(LEVEL, agreed_table, U64, NONE, COLUMN, "AGREED-TABLE", FAMILY_NONE, "", "and its table")

#define STARLING_FIELDS_EVENT(FIELD) \
	FIELD(EVENT, time, TIME, NONE, COLUMN, "TIME", FAMILY_NONE, "", "when") \
	FIELD(EVENT, event, TEXT, NONE, COLUMN, "EVENT", FAMILY_NONE, "", "backend, vip, iface, config, drop") \
	FIELD(EVENT, object, TEXT, NONE, COLUMN, "OBJECT", FAMILY_NONE, "", "whose state changed") \
	FIELD(EVENT, before, TEXT, STATE, COLUMN, "BEFORE", FAMILY_NONE, "", "its state before") \
	FIELD(EVENT, after, TEXT, STATE, COLUMN, "AFTER", FAMILY_NONE, "", "its state now") \
	FIELD(EVENT, why, TEXT, NONE, NOTE, "%", FAMILY_NONE, "", "in words")

#define STARLING_FIELDS_CHANGE(FIELD) \
	FIELD(CHANGE, change, TEXT, STATE, COLUMN, "CHANGE", FAMILY_NONE, "", "+ added, - removed, ~ changed; = what comes of it") \
	FIELD(CHANGE, object, TEXT, NONE, COLUMN, "OBJECT", FAMILY_NONE, "", "vip, backend, health, iface, roster, node, listen, log; effect: on a VIP's traffic") \
	FIELD(CHANGE, name, TEXT, NONE, COLUMN, "NAME", FAMILY_NONE, "", "which one") \
	FIELD(CHANGE, line, TEXT, NONE, NOTE, "%", FAMILY_NONE, "", "of the configuration, as it is to be") \
	FIELD(CHANGE, moved, U64, COUNT, NOTE, ", moves %", FAMILY_NONE, "", "slots whose home 0 would be another, or none") \
	FIELD(CHANGE, slots, U64, COUNT, NOTE, " of % slots", FAMILY_NONE, "", "of the VIP, as it is to be") \
	FIELD(CHANGE, least, U64, COUNT, NOTE, ", at least %", FAMILY_NONE, "", "slots that have to move for these shares, whatever the table") \
	FIELD(CHANGE, flows_vip, U64, COUNT, NOTE, ", ends % flows with the VIP", FAMILY_NONE, "", "open flows that would lose their VIP; absent for mh, which keeps no count") \
	FIELD(CHANGE, flows_address, U64, COUNT, NOTE, ", ends up to % flows with addresses", FAMILY_NONE, "", "open flows of a VIP of whose addresses some go; absent for mh") \
	FIELD(CHANGE, flows_backend, U64, COUNT, NOTE, ", ends % flows with backends", FAMILY_NONE, "", "open flows whose backends would go; absent for mh") \
	FIELD(CHANGE, emptied, U64, COUNT, NOTE, ", % without a slot", FAMILY_NONE, "", "backends that would get no slot, and have one or are new") \
	FIELD(CHANGE, emptied_backends, LIST, NONE, DETAIL, "EMPTIED", FAMILY_NONE, "", "which ones") \
	FIELD(CHANGE, usable, U64, COUNT, NOTE, ", % usable", FAMILY_NONE, "", "backends that would take new connections") \
	FIELD(CHANGE, needs, TEXT, NONE, NOTE, ", needs %", FAMILY_NONE, "", "--force, if it leaves the VIP nobody who takes new connections")

#define STARLING_FIELDS_VERSION(FIELD) \
	FIELD(VERSION, name, TEXT, NONE, HEAD, "%", FAMILY_NONE, "", "starling or starlingd") \
	FIELD(VERSION, version, TEXT, NONE, HEAD, " %", FAMILY_starling_build_info, "", "released") \
	FIELD(VERSION, commit, TEXT, NONE, HEAD, "commit", FAMILY_NONE, "", "built from") \
	FIELD(VERSION, abi, U64, NONE, HEAD, "abi", FAMILY_NONE, "", "of the data plane")

/* clang-format on */

/* In the order of the kinds. */
#define STARLING_FIELDS(FIELD)                                                                                         \
	STARLING_FIELDS_VIP(FIELD)                                                                                     \
	STARLING_FIELDS_BACKEND(FIELD)                                                                                 \
	STARLING_FIELDS_HEALTH(FIELD)                                                                                  \
	STARLING_FIELDS_PROBES(FIELD)                                                                                  \
	STARLING_FIELDS_SHARE(FIELD)                                                                                   \
	STARLING_FIELDS_SLOT(FIELD)                                                                                    \
	STARLING_FIELDS_FLOW(FIELD)                                                                                    \
	STARLING_FIELDS_LOOKUP(FIELD)                                                                                  \
	STARLING_FIELDS_TRACE(FIELD)                                                                                   \
	STARLING_FIELDS_IFACE(FIELD)                                                                                   \
	STARLING_FIELDS_NODE(FIELD)                                                                                    \
	STARLING_FIELDS_GOSSIP(FIELD)                                                                                  \
	STARLING_FIELDS_ROSTER(FIELD)                                                                                  \
	STARLING_FIELDS_WEIGHT(FIELD)                                                                                  \
	STARLING_FIELDS_KEY(FIELD)                                                                                     \
	STARLING_FIELDS_LEASE(FIELD)                                                                                   \
	STARLING_FIELDS_AUDIT(FIELD)                                                                                   \
	STARLING_FIELDS_TAIL(FIELD)                                                                                    \
	STARLING_FIELDS_DROP(FIELD)                                                                                    \
	STARLING_FIELDS_STATUS(FIELD)                                                                                  \
	STARLING_FIELDS_DAEMON(FIELD)                                                                                  \
	STARLING_FIELDS_MAP(FIELD)                                                                                     \
	STARLING_FIELDS_METRIC(FIELD)                                                                                  \
	STARLING_FIELDS_FEATURE(FIELD)                                                                                 \
	STARLING_FIELDS_HISTORY(FIELD)                                                                                 \
	STARLING_FIELDS_LEVEL(FIELD)                                                                                   \
	STARLING_FIELDS_EVENT(FIELD)                                                                                   \
	STARLING_FIELDS_CHANGE(FIELD)                                                                                  \
	STARLING_FIELDS_VERSION(FIELD)

#endif
