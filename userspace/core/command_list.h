/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The rows of the grammar: nothing but lists, for command.h and command.c. To add a command
 * add a COMMAND row, and ARGUMENT rows for words it brings. Not here: types, code.
 */
#ifndef STARLING_CORE_COMMAND_LIST_H
#define STARLING_CORE_COMMAND_LIST_H

/* clang-format off */

/*
 * ARGUMENT(ID, KEYWORD, "keyword", "METAVAR", kind, member of struct command, min, max, "help")
 * ARGUMENT(ID, POSITION, "noun", ..., ""): known by its position, the noun is for errors. Kinds: argument.c, argument_check.c.
 */
#define STARLING_ARGUMENTS(ARGUMENT) \
	ARGUMENT(NAME,          POSITION, "VIP",           "VIP",                       NAME,      vip,              0, 0, "") \
	ARGUMENT(KEYS,          POSITION, "address",       "PROTO/ADDR:PORT[,...]",     KEYS,      key,              0, 0, "") \
	ARGUMENT(CHANGE,        POSITION, "what to do",    "add|delete",                CHANGE,    change,           0, 0, "") \
	ARGUMENT(KEY,           POSITION, "address",       "PROTO/ADDR:PORT",           KEY,       key,              0, 0, "") \
	ARGUMENT(BACKEND,       POSITION, "backend",       "ADDR:PORT",                 ENDPOINT,  at,               1, 0, "") \
	ARGUMENT(BACKENDS,      POSITION, "backend",       "ADDR[:PORT]",               ADDRESS,   at,               0, 0, "") \
	ARGUMENT(PROTO,         POSITION, "protocol",      "tcp|udp",                   PROTO,     proto,            0, 0, "") \
	ARGUMENT(SOURCE,        POSITION, "source",        "SRC:PORT",                  ENDPOINT,  at,               0, 0, "") \
	ARGUMENT(DESTINATION,   POSITION, "destination",   "DST:PORT",                  ENDPOINT,  to,               0, 0, "") \
	ARGUMENT(DEVICE,        POSITION, "device",        "DEV",                       DEVICE,    device,           0, 0, "") \
	ARGUMENT(LISTEN,        POSITION, "address",       "ADDR:PORT",                 ENDPOINT,  at,               0, 0, "") \
	ARGUMENT(LEVEL,         POSITION, "level",         "error|warning|info|debug",  LEVEL,     level,            0, 0, "") \
	ARGUMENT(FILE,          POSITION, "file",          "FILE",                      TEXT,      file,             1, 4095, "") \
	ARGUMENT(GENERATION,    POSITION, "generation",    "GENERATION",                NUMBER,    generation,       0, 4294967295, "") \
	ARGUMENT(PREFIX,        POSITION, "prefix",        "PREFIX",                    TEXT,      prefix,           1, 255, "") \
	ARGUMENT(EVENTS,        POSITION, "kind",          "KIND...",                   EVENTS,    events,           0, 0, "") \
	ARGUMENT(NODE,          POSITION, "node",          "NAME",                      NAME,      node,             0, 0, "") \
	ARGUMENT(PUBLIC_KEY,    POSITION, "key",           "KEY",                       PUBLIC,    public_key,       0, 0, "") \
	ARGUMENT(KEY_CHANGE,    POSITION, "what to do",    "show|add|use|remove",       KEY_CHANGE, key_change,      0, 0, "") \
	ARGUMENT(KEY_ID,        POSITION, "key",           "KEY",                       FINGERPRINT, key_id,         0, 0, "") \
	ARGUMENT(NODE_AT,       POSITION, "address",       "{ - | ADDR[:PORT] }",       JOIN,      at,               0, 0, "") \
	ARGUMENT(VOTERS,        POSITION, "voter",         "NODE...",                   NODES,     voter,            0, 0, "") \
	ARGUMENT(INTENT_LEVEL,  POSITION, "level",         "N",                         NUMBER,    intent_level,     1, 4294967295, "") \
	ARGUMENT(LEASE_CHANGE,  POSITION, "what to do",    "show|take|drop",            LEASE_CHANGE, lease_change,  0, 0, "") \
	ARGUMENT(LEASE,         POSITION, "lease",         "LEASE",                     LEASE,     lease,            0, 0, "") \
	ARGUMENT(AUDIT_CHANGE,  POSITION, "what to do",    "show|verify|accept|held",   AUDIT_CHANGE, audit_change,  0, 0, "") \
	ARGUMENT(TOPIC,         POSITION, "object",        "OBJECT",                    TEXT,      topic,            1, 255, "") \
	ARGUMENT(CHECK_KIND,    POSITION, "kind",          "tcp|talk|http|https|udp|icmp|dns|agent|exec", CHECK_KIND, check.kind, 0, 0, "") \
	ARGUMENT(CHECK_NAME,    POSITION, "name",          "NAME",                      CHECK_NAME, check.name,      0, 0, "") \
	ARGUMENT(DNS_TYPE,      POSITION, "type",          "A|AAAA|CNAME|MX|NS|PTR|SOA|SRV|TXT", DNS_TYPE, check.dns_type, 0, 0, "") \
	ARGUMENT(SCHEDULER,     KEYWORD,  "scheduler",     "mh|rr|wrr|lc|wlc",          SCHEDULER, scheduler,        0, 0, \
		"mh: by a hash (Maglev), the default; rr, wrr: in turn; lc, wlc: fewest open connections; rr and lc ignore weights") \
	ARGUMENT(FORWARD,       KEYWORD,  "forward",       "dr|ipip|gue",               FORWARD,   forward,          0, 0, \
		"ipip (the default) or gue: in a tunnel; dr: by MAC address, to neighbours on the link") \
	ARGUMENT(SLOTS,         KEYWORD,  "slots",         "N",                         SLOTS,     slots,            0, 0, \
		"size of the table, a prime from 1021 to 1048573; by default 100 a backend") \
	ARGUMENT(HASH,          KEYWORD,  "hash",          "5tuple|source",             HASH,      hash,             0, 0, \
		"what makes a flow: 5tuple (the default), or source: a client stays with its backend") \
	ARGUMENT(IDLE,          KEYWORD,  "idle",          "D",                         DURATION,  idle_ms,          0, STARLING_IDLE_MAX_MS, \
		"life of a flow without packets, by default 15m; 0 for UDP with mh: flows are not kept") \
	ARGUMENT(DRAIN_TIMEOUT, KEYWORD,  "drain-timeout", "D",                         DURATION,  drain_timeout_ms, 0, STARLING_DRAIN_MAX_MS, \
		"when a drain that names no timeout ends disabled; by default never") \
	ARGUMENT(SLOW_START,    KEYWORD,  "slow-start",    "D",                         DURATION,  slow_start_ms,    0, STARLING_SLOW_START_MAX_MS, \
		"a backend that comes back, or is new, has a tenth of its weight at first, and all of it after D; by default at once") \
	ARGUMENT(EXPONENTIAL,   KEYWORD,  "exponential",   "",                          FLAG,      given,            0, 0, \
		"slow-start: the weight grows by a factor a step, not by an amount") \
	ARGUMENT(RECOVERY,      KEYWORD,  "recovery",      "auto|hybrid|manual",        RECOVERY,  recovery,         0, 0, \
		"auto, the default: checks take backends out, and bring them back; hybrid: back by backend readmit alone; manual: neither without an operator") \
	ARGUMENT(DAMP,          KEYWORD,  "damp",          "D",                         DURATION,  damp_ms,          0, STARLING_DAMP_MAX_MS, \
		"a backend whose checks take it out three times within half of D waits before it is let back in, longer each time, for 3 times D at most; by default not") \
	ARGUMENT(PANIC,         KEYWORD,  "panic",         "PCT",                       NUMBER,    panic_percent,    0, 100, \
		"who fails by this balancer's checks alone serves on while less than PCT percent would be left; by default 0: unless nobody would") \
	ARGUMENT(EJECT,         KEYWORD,  "eject",         "PCT",                       NUMBER,    eject_percent,    1, 100, \
		"percent of the backends, but one at least, that may be out by this balancer's checks alone; by default 100") \
	ARGUMENT(SORRY,         KEYWORD,  "sorry",         "ADDR:PORT|none",            ENDPOINT_OR_NONE, sorry,     1, 0, \
		"serves while no backend is usable, and is not checked; none, the default: then checks are not heeded") \
	ARGUMENT(DEAD,          KEYWORD,  "dead",          "rehome|reset",              DEAD,      dead,             0, 0, \
		"TCP connections of a backend that is down: rehome, the default: others get their packets; reset: clients are told at once") \
	ARGUMENT(PASSIVE,       KEYWORD,  "passive",       "suspect|off|eject",         PASSIVE,   passive,          0, 0, \
		"suspect, the default: a backend whose clients fail more often than others' is probed at once; eject: and gets no new flows for a time") \
	ARGUMENT(RESTART,       KEYWORD,  "restart",       "NAME|none",                 HOOK,      restart,          0, 0, \
		"a file of the hooks' directory that begins a backend again which is down: one balancer runs it, of those with node set hooks on; by default none") \
	ARGUMENT(EVERY_SLOT,    KEYWORD,  "slots",         "",                          FLAG,      given,            0, 0, \
		"slot by slot") \
	ARGUMENT(WEIGHT,        KEYWORD,  "weight",        "N",                         NUMBER,    weight,           0, 65535, \
		"part of the new connections, against the others'; by default 1; 0: none") \
	ARGUMENT(TIER,          KEYWORD,  "tier",          "N",                         NUMBER,    tier,             1, STARLING_TIERS, \
		"backends of the lowest tier with a usable one serve, others stand by; 1 to 15, by default 1") \
	ARGUMENT(MAXCONN,       KEYWORD,  "maxconn",       "N",                         NUMBER,    maxconn,          0, 4294967295, \
		"takes no new connections while it has N, over all balancers of a site; by default 0: any number; not with mh, which keeps no count") \
	ARGUMENT(OF_VIP,        KEYWORD,  "vip",           "VIP",                       NAME,      vip,              0, 0, \
		"of this VIP alone") \
	ARGUMENT(OF_BACKEND,    KEYWORD,  "backend",       "ADDR[:PORT]",               ADDRESS,   at,               0, 0, \
		"of this backend alone") \
	ARGUMENT(CLIENT,        KEYWORD,  "client",        "ADDR",                      HOST,      client,           0, 0, \
		"of this client alone") \
	ARGUMENT(LIMIT,         KEYWORD,  "limit",         "N",                         NUMBER,    limit,            1, 4294967295, \
		"at most so many, by default 1000") \
	ARGUMENT(DROPS,         KEYWORD,  "drops",         "",                          FLAG,      given,            0, 0, \
		"dropped packets alone") \
	ARGUMENT(SAMPLE,        KEYWORD,  "sample",        "N",                         NUMBER,    sample,           1, 4294967295, \
		"look at one packet in N; by default 100, of one client or of drops 1") \
	ARGUMENT(COUNT,         KEYWORD,  "count",         "N",                         NUMBER,    count,            1, 4294967295, \
		"end after so many") \
	ARGUMENT(TIMEOUT,       KEYWORD,  "timeout",       "D",                         DURATION,  timeout_ms,       0, STARLING_DRAIN_MAX_MS, \
		"when it ends disabled; by default the drain-timeout of the VIP") \
	ARGUMENT(REASON,        KEYWORD,  "reason",        "TEXT",                      TEXT,      reason,           1, 95, \
		"shown beside it") \
	ARGUMENT(LOCAL,         KEYWORD,  "local",         "",                          FLAG,      given,            0, 0, \
		"here alone, while the flock cannot agree; it becomes the flock's word when it can, unless that is another by then, or others are its admins") \
	ARGUMENT(HERE,          KEYWORD,  "local",         "",                          FLAG,      given,            0, 0, \
		"by this balancer alone") \
	ARGUMENT(MODE,          KEYWORD,  "mode",          "auto|native|generic",       MODE,      mode,             0, 0, \
		"auto (the default): native if the driver has it, else generic") \
	ARGUMENT(NODE_NAME,     KEYWORD,  "name",          "NAME",                      NAME,      node,             0, 0, \
		"by default the host's name") \
	ARGUMENT(NODE_ADDRESS,  KEYWORD,  "address",       "ADDR[:PORT]",               ADDRESS,   at,               0, 0, \
		"its own, towards other balancers") \
	ARGUMENT(NODE_DEVICE,   KEYWORD,  "device",        "DEV",                       DEVICE,    device,           0, 0, \
		"its own, towards other balancers") \
	ARGUMENT(NODE_PEERS,    KEYWORD,  "peers",         "ADDR|HOST[:PORT][,...]",    PLACES,    place,            0, 0, \
		"where other balancers may be found; one of them that answers is enough; names are looked up again and again") \
	ARGUMENT(NODE_ADMISSION, KEYWORD, "admission",     "listed|vouched|open",       ADMISSION, admission,        0, 0, \
		"who is let in: the roster's nodes, the default; whom they vouch for as well; whoever has a key of the flock") \
	ARGUMENT(NODE_TOPOLOGY, KEYWORD,  "topology",      "mesh|hierarchy",            TOPOLOGY,  topology,         0, 0, \
		"mesh, the default: all watch all; hierarchy: within sites, and two of each site the others'; the same on all") \
	ARGUMENT(NODE_URGENT,   KEYWORD,  "urgent",        "off|multicast",             URGENT,    urgent,           0, 0, \
		"multicast: a drain is told to the link of the device at once, beside the usual way; by default off") \
	ARGUMENT(TTL,           KEYWORD,  "ttl",           "D",                         DURATION,  ttl_ms,           1000, STARLING_INVITE_MAX_MS, \
		"how long it may be used: an invitation by default 1h, a lease 1m") \
	ARGUMENT(NODE_BEACONS,  KEYWORD,  "beacons",       "off|multicast|broadcast|both", BEACONS, beacons,         0, 0, \
		"how to look for other balancers on the link of the device; by default off") \
	ARGUMENT(NODE_EXEC,     KEYWORD,  "exec",          "off|on",                    SWITCH,    exec,             0, 0, \
		"on: checks of kind exec run here, files of a local directory; by default off") \
	ARGUMENT(NODE_HOOKS,    KEYWORD,  "hooks",         "off|on",                    SWITCH,    hooks,            0, 0, \
		"on: what restart names may run here, files of another local directory; by default off") \
	ARGUMENT(CHECK_PORT,    KEYWORD,  "port",          "N",                         NUMBER,    check.port,       1, 65535, \
		"that is probed; by default the backend's") \
	ARGUMENT(SEND,          KEYWORD,  "send",          "STR",                       STRING,    check.send,       1, 255, \
		"what is said first; \\n, \\r, \\t and \\xHH mean a byte, \\\\ a backslash; in a file within quotes, each backslash twice") \
	ARGUMENT(EXPECT,        KEYWORD,  "expect",        "STR",                       STRING,    check.expect,     1, 255, \
		"what the answer has in it") \
	ARGUMENT(HTTP_PATH,     KEYWORD,  "path",          "P",                         HTTP_PATH, check.path,       1, 255, \
		"what is asked for, by default /") \
	ARGUMENT(HTTP_HOST,     KEYWORD,  "host",          "H",                         HOSTNAME,  check.host,       1, 255, \
		"the Host header, by default the name of sni, else the backend's address") \
	ARGUMENT(HTTP_STATUS,   KEYWORD,  "status",        "A-B,...",                   STATUS,    check.status,     0, 0, \
		"codes that are good, by default 200-299; redirections are not followed") \
	ARGUMENT(HTTP_BODY,     KEYWORD,  "body",          "STR",                       STRING,    check.body,       1, 255, \
		"what the first 64 kB of the body have in them") \
	ARGUMENT(SNI,           KEYWORD,  "sni",           "N",                         HOSTNAME,  check.sni,        1, 253, \
		"name that TLS asks for, by default the host") \
	ARGUMENT(VERIFY,        KEYWORD,  "verify",        "off|on",                    SWITCH,    check.verify,     0, 0, \
		"on: the certificate has to be right, for that name; by default off") \
	ARGUMENT(HTTP2,         KEYWORD,  "http2",         "",                          FLAG,      given,            0, 0, \
		"HTTP/2, and nothing else will do") \
	ARGUMENT(INTERVAL,      KEYWORD,  "interval",      "D",                         DURATION,  check.interval_ms, 100, 3600000, \
		"from one probe of a backend to the next, by default 2s") \
	ARGUMENT(CHECK_TIMEOUT, KEYWORD,  "timeout",       "D",                         DURATION,  check.timeout_ms, 10, 60000, \
		"of one probe, not over the interval; by default 1s") \
	ARGUMENT(RISE,          KEYWORD,  "rise",          "N",                         NUMBER,    check.rise,       1, 100, \
		"successes in a row that bring a backend back, by default 2") \
	ARGUMENT(FALL,          KEYWORD,  "fall",          "N",                         NUMBER,    check.fall,       1, 100, \
		"failures in a row that take it out, by default 3; three quick ones more confirm it") \
	ARGUMENT(OBSERVERS,     KEYWORD,  "observers",     "4|7",                       OBSERVERS, check.observers,  0, 0, \
		"balancers that probe a backend and vote, where there are so many: one of 4 may lie, the default, or two of 7") \
	ARGUMENT(VERDICT_MODE,  KEYWORD,  "mode",          "any|majority|vote|stake|proof|reputation|hybrid", VERDICT_MODE, check.mode, 0, 0, \
		"how votes are counted: vote, the default: 2f + 1 of 3f + 1; of less than 4, majority: more than half; stake, reputation, hybrid (both): observers are drawn by these") \
	ARGUMENT(SCOPE,         KEYWORD,  "scope",         "site|flock",                SCOPE,     check.scope,      0, 0, \
		"whose votes count: of balancers at the own site, the default, or of all") \
	ARGUMENT(VIA,           KEYWORD,  "via",           "direct|tunnel",             VIA,       check.via,        0, 0, \
		"tunnel: probes go to an address of the VIP, the way that clients' packets go; by default to the backend's own") \
	ARGUMENT(SITE,          KEYWORD,  "site",          "S",                         NAME,      site,             0, 0, \
		"a label: the place it stands in") \
	ARGUMENT(REGION,        KEYWORD,  "region",        "R",                         NAME,      region,           0, 0, \
		"a label: the part of the world that its site is in") \
	ARGUMENT(ROLES,         KEYWORD,  "role",          "observer,voter,admin,witness", ROLES,  roles,            0, 0, \
		"what it is there for; by default observer") \
	ARGUMENT(STAKE,         KEYWORD,  "stake",         "N",                         NUMBER,    stake,            1, 65535, \
		"its weight where the nodes vote by weight; by default 1") \
	ARGUMENT(REPUTATION,    KEYWORD,  "reputation",    "N",                         NUMBER,    reputation,       250, 1000, \
		"per mille that its votes have earned: in what the flock has agreed on and in certificates, not for operators") \
	ARGUMENT(RESET_STATE,   KEYWORD,  "reset-state",   "",                          FLAG,      given,            0, 0, \
		"undo drains and disables as well") \
	ARGUMENT(CONFIRM,       KEYWORD,  "confirm",       "D",                         DURATION,  confirm_ms,       5000, STARLING_CONFIRM_MAX_MS, \
		"where the flock agrees: it is taken back unless `config confirm` follows in time") \
	ARGUMENT(WAVE,          KEYWORD,  "wave",          "node|site|all",             WAVE,      wave,             0, 0, \
		"where the flock agrees: these first, then others, while each finds itself as well as before; else it is taken back") \
	ARGUMENT(DESPITE,       KEYWORD,  "despite",       "NODE",                      NAME,      node,             0, 0, \
		"where the flock agrees: though this node does not say that it can run it") \
	ARGUMENT(REPLACE,       KEYWORD,  "replace",       "",                          FLAG,      given,            0, 0, \
		"give up the own VIPs for those that the flock has agreed on")

/*
 * NEEDS(level, ARGUMENT, "value"): what a flock may agree on only from that level on (core/intent.h): a keyword,
 * whatever its value, if that is ""; or a value of it. All others are of level 1.
 */
#define STARLING_LEVELS(NEEDS)

/* Of a VIP: in `vip add` and in `vip set`. */
#define STARLING_VIP_OPTIONS \
	ARG_SCHEDULER, ARG_FORWARD, ARG_SLOTS, ARG_HASH, ARG_IDLE, ARG_DRAIN_TIMEOUT, ARG_SLOW_START, ARG_EXPONENTIAL, \
	ARG_RECOVERY, ARG_DAMP, ARG_PANIC, ARG_EJECT, ARG_SORRY, ARG_DEAD, ARG_PASSIVE, ARG_RESTART

/*
 * COMMAND(ID, "object", "verb", place in a file, flags, "help", arguments...)
 * Arguments by position first, OPTIONAL() ones may be absent; then those with a keyword, all optional,
 * in any order.
 */
#define STARLING_COMMANDS(COMMAND) \
	COMMAND(VIP_ADD, "vip", "add", IN_FILE, COMMAND_SHARED | COMMAND_MUTATES | COMMAND_CONFIG, \
		"make a virtual service", ARG_NAME, ARG_KEYS, STARLING_VIP_OPTIONS) \
	COMMAND(VIP_SET, "vip", "set", IN_OWN_LINE, COMMAND_SHARED | COMMAND_MUTATES | COMMAND_CONFIG, \
		"change options of a virtual service", ARG_NAME, STARLING_VIP_OPTIONS) \
	COMMAND(VIP_DELETE, "vip", "delete", IN_ABSENCE, COMMAND_SHARED | COMMAND_MUTATES | COMMAND_CONFIG, \
		"delete a virtual service and its backends", ARG_NAME) \
	COMMAND(VIP_SHOW, "vip", "show", IN_NO_FILE, COMMAND_LOCAL, \
		"show one virtual service, or all", OPTIONAL(ARG_NAME)) \
	COMMAND(VIP_TABLE, "vip", "table", IN_NO_FILE, COMMAND_LOCAL, \
		"show what part of the slots each backend has, or every slot", ARG_NAME, ARG_EVERY_SLOT) \
	COMMAND(VIP_ADDRESS, "vip", "address", IN_FILE, COMMAND_SHARED | COMMAND_MUTATES | COMMAND_CONFIG, \
		"add or delete an address of a virtual service", ARG_NAME, ARG_CHANGE, ARG_KEY) \
	COMMAND(BACKEND_ADD, "backend", "add", IN_FILE, COMMAND_SHARED | COMMAND_MUTATES | COMMAND_CONFIG, \
		"give a virtual service a backend", ARG_NAME, ARG_BACKEND, ARG_WEIGHT, ARG_TIER, ARG_MAXCONN) \
	COMMAND(BACKEND_SET, "backend", "set", IN_OWN_LINE, COMMAND_SHARED | COMMAND_MUTATES | COMMAND_CONFIG, \
		"change options of a backend", ARG_NAME, ARG_BACKEND, ARG_WEIGHT, ARG_TIER, ARG_MAXCONN) \
	COMMAND(BACKEND_DELETE, "backend", "delete", IN_ABSENCE, COMMAND_SHARED | COMMAND_MUTATES | COMMAND_CONFIG, \
		"take a backend away at once: its connections break", ARG_NAME, ARG_BACKEND) \
	COMMAND(BACKEND_SHOW, "backend", "show", IN_NO_FILE, COMMAND_LOCAL, \
		"show backends", ARG_OF_VIP) \
	COMMAND(BACKEND_DRAIN, "backend", "drain", IN_OPERATION, COMMAND_SHARED | COMMAND_MUTATES | COMMAND_OVERRIDE, \
		"give a backend no new connections; without VIP wherever it serves", \
		OPTIONAL(ARG_NAME), ARG_BACKENDS, ARG_TIMEOUT, ARG_REASON, ARG_LOCAL) \
	COMMAND(BACKEND_DISABLE, "backend", "disable", IN_OPERATION, COMMAND_SHARED | COMMAND_MUTATES | COMMAND_OVERRIDE, \
		"give a backend nothing at all; without VIP wherever it serves", \
		OPTIONAL(ARG_NAME), ARG_BACKENDS, ARG_REASON, ARG_LOCAL) \
	COMMAND(BACKEND_ENABLE, "backend", "enable", IN_OPERATION, COMMAND_SHARED | COMMAND_MUTATES | COMMAND_OVERRIDE, \
		"undo drain and disable; without VIP wherever it serves", OPTIONAL(ARG_NAME), ARG_BACKENDS, ARG_LOCAL) \
	COMMAND(BACKEND_READMIT, "backend", "readmit", IN_NO_FILE, COMMAND_LOCAL | COMMAND_MUTATES, \
		"have a backend serve again that recovery or damp holds, by all balancers of the flock", \
		ARG_NAME, ARG_BACKENDS, ARG_HERE) \
	COMMAND(HEALTH_SET, "health", "set", IN_FILE, COMMAND_SHARED | COMMAND_MUTATES | COMMAND_CONFIG, \
		"check the backends of a virtual service; dns has NAME and TYPE, exec has NAME", \
		ARG_NAME, ARG_CHECK_KIND, OPTIONAL(ARG_CHECK_NAME), OPTIONAL(ARG_DNS_TYPE), \
		ARG_SEND, ARG_EXPECT, ARG_HTTP_PATH, ARG_HTTP_HOST, ARG_HTTP_STATUS, ARG_HTTP_BODY, ARG_SNI, ARG_VERIFY, \
		ARG_HTTP2, ARG_CHECK_PORT, ARG_VIA, ARG_INTERVAL, ARG_CHECK_TIMEOUT, ARG_RISE, ARG_FALL, \
		ARG_OBSERVERS, ARG_VERDICT_MODE, ARG_SCOPE) \
	COMMAND(HEALTH_DELETE, "health", "delete", IN_ABSENCE, COMMAND_SHARED | COMMAND_MUTATES | COMMAND_CONFIG, \
		"check them no more: all count as up", ARG_NAME) \
	COMMAND(HEALTH_SHOW, "health", "show", IN_NO_FILE, COMMAND_LOCAL, \
		"show what checks say of backends, and since when", ARG_OF_VIP) \
	COMMAND(HEALTH_PROBE, "health", "probe", IN_NO_FILE, COMMAND_LOCAL | COMMAND_MUTATES, \
		"probe a backend now, and say what came; counts for nothing", ARG_NAME, ARG_BACKEND) \
	COMMAND(HEALTH_EXPORT, "health", "export", IN_NO_FILE, COMMAND_LOCAL, \
		"print the certificate of a verdict, which shows it to anybody", ARG_NAME, ARG_BACKEND) \
	COMMAND(HEALTH_VERIFY, "health", "verify", IN_NO_FILE, COMMAND_LOCAL | COMMAND_FILE, \
		"say what such a certificate proves, by the roster that is in its file", ARG_FILE) \
	COMMAND(FLOW_LOOKUP, "flow", "lookup", IN_NO_FILE, COMMAND_LOCAL, \
		"say where the packets of a flow go, and why", ARG_PROTO, ARG_SOURCE, ARG_DESTINATION) \
	COMMAND(FLOW_SHOW, "flow", "show", IN_NO_FILE, COMMAND_LOCAL, \
		"show flows that have a cell", ARG_OF_VIP, ARG_OF_BACKEND, ARG_CLIENT, ARG_LIMIT) \
	COMMAND(FLOW_TRACE, "flow", "trace", IN_NO_FILE, COMMAND_LOCAL | COMMAND_STREAMS, \
		"watch sampled packets", ARG_OF_VIP, ARG_CLIENT, ARG_DROPS, ARG_SAMPLE, ARG_COUNT) \
	COMMAND(IFACE_ATTACH, "iface", "attach", IN_FILE, COMMAND_LOCAL | COMMAND_MUTATES | COMMAND_CONFIG, \
		"take packets from a device", ARG_DEVICE, ARG_MODE) \
	COMMAND(IFACE_DETACH, "iface", "detach", IN_ABSENCE, COMMAND_LOCAL | COMMAND_MUTATES | COMMAND_CONFIG, \
		"leave a device's packets to the host: stops balancing there", ARG_DEVICE) \
	COMMAND(IFACE_SHOW, "iface", "show", IN_NO_FILE, COMMAND_LOCAL, \
		"show devices") \
	COMMAND(NODE_SET, "node", "set", IN_FILE, COMMAND_LOCAL | COMMAND_MUTATES | COMMAND_CONFIG, \
		"say who this balancer is", ARG_NODE_NAME, ARG_NODE_ADDRESS, ARG_NODE_DEVICE, ARG_NODE_PEERS, \
		ARG_NODE_BEACONS, ARG_NODE_ADMISSION, ARG_NODE_TOPOLOGY, ARG_NODE_URGENT, ARG_NODE_EXEC, \
		ARG_NODE_HOOKS, ARG_SITE, ARG_REGION) \
	COMMAND(NODE_INIT, "node", "init", IN_NO_FILE, COMMAND_LOCAL | COMMAND_MUTATES, \
		"make the keys of a new flock, of which this balancer is the first") \
	COMMAND(NODE_JOIN, "node", "join", IN_NO_FILE, COMMAND_LOCAL | COMMAND_MUTATES, \
		"join a flock: by an invitation from standard input, or where this balancer is in the rosters by asking a node", \
		ARG_NODE_AT, ARG_REPLACE) \
	COMMAND(NODE_INVITE, "node", "invite", IN_NO_FILE, COMMAND_LOCAL | COMMAND_MUTATES, \
		"vouch for the node that joins with the invitation which this prints, once", ARG_TTL) \
	COMMAND(NODE_FORGET, "node", "forget", IN_NO_FILE, COMMAND_LOCAL | COMMAND_MUTATES, \
		"expel a node for good: nobody hears it, and the flock's keys are changed", ARG_NODE) \
	COMMAND(NODE_KEY, "node", "key", IN_NO_FILE, COMMAND_LOCAL | COMMAND_MUTATES, \
		"show the keys of the flock, or add one, use one, remove one: everywhere", \
		ARG_KEY_CHANGE, OPTIONAL(ARG_KEY_ID)) \
	COMMAND(NODE_LEASE, "node", "lease", IN_NO_FILE, COMMAND_LOCAL | COMMAND_MUTATES, \
		"show leases; take one, or take it again in time, which prints its number unless another node has it; drop it", \
		ARG_LEASE_CHANGE, OPTIONAL(ARG_LEASE), ARG_TTL) \
	COMMAND(NODE_AUDIT, "node", "audit", IN_NO_FILE, COMMAND_LOCAL | COMMAND_MUTATES, \
		"show the audit log of this balancer, or of another one; verify it; accept what was noticed of it; show what is held here of its end", \
		ARG_AUDIT_CHANGE, OPTIONAL(ARG_NODE), ARG_LIMIT) \
	COMMAND(NODE_REKEY, "node", "rekey", IN_NO_FILE, COMMAND_LOCAL | COMMAND_MUTATES, \
		"become another node: a new identity in place of one that was copied, or seen by others") \
	COMMAND(NODE_DRAIN, "node", "drain", IN_NO_FILE, COMMAND_LOCAL | COMMAND_MUTATES, \
		"say that this balancer should get no new connections: /readyz is false, the others are told", ARG_REASON) \
	COMMAND(NODE_ENABLE, "node", "enable", IN_NO_FILE, COMMAND_LOCAL | COMMAND_MUTATES, \
		"undo it") \
	COMMAND(NODE_LEAVE, "node", "leave", IN_NO_FILE, COMMAND_LOCAL | COMMAND_MUTATES, \
		"tell the others that this balancer goes; it forwards on") \
	COMMAND(NODE_SHOW, "node", "show", IN_NO_FILE, COMMAND_LOCAL, \
		"show the balancers of the flock, as this one sees them") \
	COMMAND(ROSTER_ADD, "roster", "add", IN_FILE, COMMAND_SHARED | COMMAND_MUTATES | COMMAND_CONFIG, \
		"count a balancer, or a witness, in", ARG_NODE, ARG_PUBLIC_KEY, ARG_SITE, ARG_ROLES, ARG_STAKE, \
		ARG_REPUTATION) \
	COMMAND(ROSTER_DELETE, "roster", "delete", IN_ABSENCE, COMMAND_SHARED | COMMAND_MUTATES | COMMAND_CONFIG, \
		"count it out", ARG_NODE) \
	COMMAND(ROSTER_SHOW, "roster", "show", IN_NO_FILE, COMMAND_LOCAL, \
		"show who counts, whether it answers or not") \
	COMMAND(ROSTER_WEIGH, "roster", "weigh", IN_NO_FILE, COMMAND_SHARED | COMMAND_MUTATES, \
		"have the flock agree now on the reputations that this balancer has counted, not at the next hour") \
	COMMAND(ROSTER_HISTORY, "roster", "history", IN_NO_FILE, COMMAND_LOCAL, \
		"show how stakes and reputations came to be what they are, of all or of a node", OPTIONAL(ARG_NODE)) \
	COMMAND(LISTEN_HTTP, "listen", "http", IN_FILE, COMMAND_LOCAL | COMMAND_MUTATES | COMMAND_CONFIG, \
		"serve metrics and health of this balancer at an address", ARG_LISTEN) \
	COMMAND(LOG_LEVEL, "log", "level", IN_FILE, COMMAND_LOCAL | COMMAND_MUTATES | COMMAND_CONFIG, \
		"log what is at least this important", ARG_LEVEL) \
	COMMAND(CONFIG_SHOW, "config", "show", IN_NO_FILE, COMMAND_LOCAL, \
		"print what runs") \
	COMMAND(CONFIG_CHECK, "config", "check", IN_NO_FILE, COMMAND_LOCAL | COMMAND_FILE, \
		"say what is wrong with a configuration", OPTIONAL(ARG_FILE)) \
	COMMAND(CONFIG_DIFF, "config", "diff", IN_NO_FILE, COMMAND_LOCAL | COMMAND_FILE, \
		"say what applying a configuration would touch, and what would come of it", OPTIONAL(ARG_FILE)) \
	COMMAND(CONFIG_APPLY, "config", "apply", IN_NO_FILE, COMMAND_SHARED | COMMAND_MUTATES | COMMAND_FILE, \
		"make what runs what a configuration says", OPTIONAL(ARG_FILE), ARG_RESET_STATE, ARG_CONFIRM, ARG_WAVE, \
		ARG_DESPITE) \
	COMMAND(CONFIG_CONFIRM, "config", "confirm", IN_NO_FILE, COMMAND_SHARED | COMMAND_MUTATES, \
		"keep what was applied with `confirm`: what this balancer knows to wait, or a generation", \
		OPTIONAL(ARG_GENERATION)) \
	COMMAND(CONFIG_VOTERS, "config", "voters", IN_NO_FILE, COMMAND_SHARED | COMMAND_MUTATES, \
		"have the flock agree on one configuration, or change which 1, 3, 5 or 7 nodes keep it", ARG_VOTERS) \
	COMMAND(CONFIG_LEVEL, "config", "level", IN_NO_FILE, COMMAND_SHARED | COMMAND_MUTATES, \
		"show which level of configurations each node understands, or have the flock agree on a later one", \
		OPTIONAL(ARG_INTENT_LEVEL)) \
	COMMAND(CONFIG_TAKEOVER, "config", "takeover", IN_NO_FILE, COMMAND_SHARED | COMMAND_MUTATES, \
		"go on from what this node knows where most voters are lost for good") \
	COMMAND(CONFIG_ROLLBACK, "config", "rollback", IN_NO_FILE, COMMAND_SHARED | COMMAND_MUTATES, \
		"apply an earlier configuration, the last one or that of a generation", OPTIONAL(ARG_GENERATION)) \
	COMMAND(CONFIG_HISTORY, "config", "history", IN_NO_FILE, COMMAND_LOCAL, \
		"show configurations that were applied") \
	COMMAND(CONFIG_EXPORT, "config", "export", IN_NO_FILE, COMMAND_LOCAL, \
		"print a file that rebuilds what runs") \
	COMMAND(METRIC_SHOW, "metric", "show", IN_NO_FILE, COMMAND_LOCAL, \
		"show metrics, all or those with a prefix", OPTIONAL(ARG_PREFIX)) \
	COMMAND(EVENT_WATCH, "event", "watch", IN_NO_FILE, COMMAND_LOCAL | COMMAND_STREAMS, \
		"watch changes: backend, vip, iface, config, drop, member, restart", OPTIONAL(ARG_EVENTS)) \
	COMMAND(DROP_SHOW, "drop", "show", IN_NO_FILE, COMMAND_LOCAL, \
		"show dropped packets by reason") \
	COMMAND(FEATURE_PROBE, "feature", "probe", IN_NO_FILE, COMMAND_LOCAL, \
		"say what the host, or a device, lacks", OPTIONAL(ARG_DEVICE)) \
	COMMAND(STATUS, "status", "", IN_NO_FILE, COMMAND_LOCAL, \
		"show how this balancer is; exit status 5 if degraded") \
	COMMAND(TOP, "top", "", IN_NO_FILE, COMMAND_LOCAL, \
		"watch the busiest backends") \
	COMMAND(VERSION, "version", "", IN_NO_FILE, COMMAND_LOCAL | COMMAND_CLIENT, \
		"show versions") \
	COMMAND(HELP, "help", "", IN_NO_FILE, COMMAND_LOCAL | COMMAND_CLIENT, \
		"show this, or what can be said of an object", OPTIONAL(ARG_TOPIC)) \
	COMMAND(BATCH, "batch", "file", IN_NO_FILE, COMMAND_LOCAL | COMMAND_CLIENT, \
		"run the commands of a file in order, up to the first error", ARG_FILE)

/* clang-format on */

#endif
