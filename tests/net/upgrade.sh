#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A flock of three becomes one of a later version, a node at a time: a build of these sources with a field more in every
# datagram, an entry more in every node's page, and a page of a kind that the old ones do not know. Not here: packets
# over a restart (restart.sh), what a decoder makes of unknown fields in general (message_wire_test, fact_test).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/flock.sh"

NEXT=$TMP/next

behind() { # FILE REGEX: lines from the input go behind the first one that has it
	awk -v regex="$2" '
		FNR == NR { lines = lines $0 "\n"; next }
		{ print }
		!done && $0 ~ regex { printf "%s", lines; done = 1 }
		END { exit !done }' - "$NEXT/$1" >"$TMP/edited" && cat "$TMP/edited" >"$NEXT/$1"
}

# What a later version might have more
next_sources() {
	behind include/starling/wire.proto 'uint32 live = ' <<<'fixed64 next = 1000;' &&
		behind userspace/core/message_wire.c 'd.live = m->live;' <<<'d.next = 1234567890123456789;' &&
		behind userspace/core/fact.h 'define STARLING_PAGE_KINDS' <<-'END' &&
			KIND(NEXT, 0x0333 | PAGE_KIND_OF_BOOT, "of a later version") \
		END
		behind userspace/daemon/peers_facts.c 'STARLING_VERSION' <<-'END' &&
			struct page_draft next = {0};
			page_entry_add(&next, 1, "next", 4);
			peers_page_publish(p, PAGE_KIND_NEXT, 0, &next);
			page_entry_add(&draft, 0x777, "more", 4);
		END
		behind userspace/daemon/peers_facts.c 'char id.ROSTER_ID_TEXT_BYTES.;' <<-'END'
			if (page->kind == PAGE_KIND_NEXT)
				log_notice("flock: next of %s", roster_id_format(page->origin, id));
		END
}

next_build() {
	local part
	mkdir -p "$NEXT/build"
	for part in Makefile bpf include userspace tools; do cp -a "$TOP/$part" "$NEXT/" || return 1; done
	for part in "$O"/{bpf,gen,userspace,tools,starling,starlingd} "$O"/lib*.a; do
		cp -a "$part" "$NEXT/build/" || return 1
	done
	next_sources && make -s -C "$NEXT" O=build VERSION=0.2.0 -j2 build/starlingd
}

{
	vip_lines least 10 wlc ipip 4 3
	vip_lines maglev 11 mh dr 4 3
} >"$TMP/config"
lab_begin --balancers 3 --backends 3 --config "$TMP/config"
flock_begin 3
check "the next version is built" next_build

later() { # VIEWER NODE: the viewer, a later one, has the new page of the other
	grep -q "next of $(node_value "$1" "$2" id)" "/run/starling-lab/$STARLING_LAB/lb$1/starlingd.log"
}

upgrade() { # N: nobody else's daemon is touched
	local pid
	pid=$(daemon_pid "lb$1")
	kill "$pid"
	wait_for 10 bash -c "! kill -0 $pid 2>/dev/null"
	O=$NEXT/build "$LAB" up >/dev/null
	[ "$(at "$1" -j status | jq -r '[.. | .version? // empty][0]')" = 0.2.0 ]
}

pids() { # N...
	local n
	for n; do daemon_pid "lb$n"; done
}

at 2 node drain reason "before the upgrade" >/dev/null
hold_begin kept -n 300 -c 300 "$(vip4 10)"
load_begin steady -c 4 "$(vip4 11)"

others=$(pids 2 3)
check "the first one is upgraded" upgrade 1
check "and they are one flock" wait_for 20 all_alive
equal "without another's restart" "$others" "$(pids 2 3)"

# --- of two later ones that do not hear each other, each has the other's new page, by the old one
deaf 1 3
deaf 3 1
others=$(pids 1 2)
check "the last one is upgraded before the second" upgrade 3
check "an old one passes on pages of a kind that it does not know" wait_for 20 later 3 1
check "in both directions" wait_for 20 later 1 3
equal "without another's restart" "$others" "$(pids 1 2)"
equal "and finds nothing wrong with what they say" 0 "$(metric 2 'messages_rejected_total.*"(page-)?(malformed|forged|version)"')"
check "it reads what it knows of their pages" test "$(node_value 2 1 version) $(node_value 2 3 version)" = "0.2.0 0.2.0"
hears 1 3
hears 3 1
check "and they are one flock" wait_for 20 all_alive

others=$(pids 1 3)
check "the second one is upgraded" upgrade 2
check "and they are one flock" wait_for 20 all_alive
equal "without another's restart" "$others" "$(pids 1 3)"
check "and run the same" wait_for 10 all_same
equal "a drain has outlived it" '["draining"]' "$(node_value 1 2 is | jq -c .)"
load_end steady
equal "no request has failed" 0 "$(word_of failed "$SAID")"
hold_again kept >/dev/null
equal "and no connection has broken" "300 0" "$(word_of ok "$SAID") $(word_of failed "$SAID")"
