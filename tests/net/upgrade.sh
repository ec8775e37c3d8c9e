#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A flock of three becomes one of a later version, a node at a time: a build of these sources with a field more in every
# datagram, an entry more in every node's page, a page of a kind that the old ones do not know, and a level more of
# configurations, with a keyword. Not here: packets over a restart (restart.sh), what a decoder makes of unknown fields
# in general (message_wire_test, fact_test), a table more: there is none yet.
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/flock.sh"
. "$TOP/tests/lib/agree.sh"

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

# And in what a flock agrees on: `vip ... mark N`
next_level() {
	behind userspace/core/intent.h 'define INTENT_LEVEL' <<-'END' &&
		#undef INTENT_LEVEL
		#define INTENT_LEVEL 2
	END
		behind userspace/core/command_list.h 'when a drain that names no timeout' <<-'END' &&
			ARGUMENT(MARK, KEYWORD, "mark", "N", NUMBER, limit, 0, 9, "of a later version") \
		END
		behind userspace/core/command_list.h 'define STARLING_VIP_OPTIONS' <<-'END' &&
			ARG_MARK, \
		END
		behind userspace/core/command_list.h 'define STARLING_LEVELS' <<-'END' &&
			#undef STARLING_LEVELS
			#define STARLING_LEVELS(NEEDS) NEEDS(2, MARK, "")
		END
		behind userspace/core/model.h 'bool hash_source;' <<<'__u32 mark;' &&
		behind userspace/core/config_command.c 'vip->forward = ' <<-'END' &&
			if (command_has(command, ARG_MARK))
				vip->mark = command->limit;
		END
		behind userspace/core/config_export.c 'command.forward = ' <<<'command.limit = vip->mark;' &&
		behind userspace/core/config_export.c 'given.ARG_NAME, true. . given.ARG_KEYS' <<<'given(ARG_MARK, vip->mark) |' &&
		behind userspace/core/config_diff.c 'a->drain_timeout_ms != b->drain_timeout_ms' <<-'END'
			return false;
			if (a->mark != b->mark)
		END
}

next_build() {
	local part
	mkdir -p "$NEXT/build"
	for part in Makefile bpf include userspace tools; do cp -a "$TOP/$part" "$NEXT/" || return 1; done
	for part in "$O"/{bpf,gen,userspace,tools,starling,starlingd} "$O"/lib*.a; do
		cp -a "$part" "$NEXT/build/" || return 1
	done
	next_sources && next_level && make -s -C "$NEXT" O=build VERSION=0.2.0 -j2 build/starlingd build/starling
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
	daemon_end "lb$1" TERM
	O=$NEXT/build "$LAB" up >/dev/null
	[ "$(at "$1" -j status | jq -r '[.. | .version? // empty][0]')" = 0.2.0 ]
}

next_at() { # N WORDS...: by the later version's command
	O=$NEXT/build at "$@"
}

marked() { # MARK: on all
	local n
	for n in "${FLOCK[@]}"; do [ "$(next_at "$n" config export | grep -c "^vip add least .*mark $1")" = 1 ] || return 1; done
}

level_of() { # N: as lb1 knows it
	at 1 -j config level | jq -r "[.. | objects | select(.name? == \"lb$1\")][0].level"
}

pids() { # N...
	local n
	for n; do daemon_pid "lb$n"; done
}

check "the flock agrees on what it runs" at 1 config voters lb1 lb2 lb3
equal "on the level that all have" "1 1" "$(at 1 -j config level | jq -r '[.. | .agreed? // empty] | unique | join(" ")') $(level_of 3)"
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

# --- what some do not understand is not agreed on
level_known() { [ "$(level_of 1) $(level_of 2) $(level_of 3)" = "2 1 2" ]; }
check "each tells its level" wait_for 10 level_known
refused "a keyword of the later version" "mark of vip least is of level 2, and the flock of level 1: lb2 .*no more" \
	next_at 3 vip set least mark 7
refused "the later level, while one lacks it" "lb2 .*level 2" next_at 1 config level 2
refused "by that one, too" "understands level 1 at most" at 2 config level 2
check "what all understand is agreed on meanwhile" next_at 1 backend set least "$(be 1)" weight 7
check "by all" wait_for 5 weight_all least 1 7

others=$(pids 1 3)
check "the second one is upgraded" upgrade 2
check "and they are one flock" wait_for 20 all_alive
equal "without another's restart" "$others" "$(pids 1 3)"
check "and run the same" wait_for 10 all_same
level_all() { [ "$(level_of 2)" = 2 ]; }
check "all tell the later level" wait_for 10 level_all
refused "its keyword, before that is agreed on" "config level 2.* first" next_at 3 vip set least mark 7
moves="level 2, before 1; table 1, before 1: 0 slots move"
equal "what that would move is said before" "$moves" "$(next_at 2 -n config level 2)"
said=$(next_at 2 config level 2)
check "it is agreed on, and moves as much" grep -q "is agreed on; $moves" <<<"$said"
refused "the former one" "does not leave again" next_at 2 config level 1
check "then its keyword is" next_at 3 vip set least mark 7
check "by all" wait_for 5 marked 7
equal "a drain has outlived it" '["draining"]' "$(node_value 1 2 is | jq -c .)"
load_end steady
equal "no request has failed" 0 "$(word_of failed "$SAID")"
check "of many" test "$(word_of ok "$SAID")" -gt 1000
hold_again kept >/dev/null
equal "and no connection has broken" "300 0" "$(word_of ok "$SAID") $(word_of failed "$SAID")"

# --- too late to go back
daemon_end lb3 TERM
"$LAB" up >/dev/null
check "one of the former version is there again" wait_for 10 at 3 node show
said() { at 3 -j status | grep -q "it is of level 2, and this version understands level 1 at most"; }
check "says that it cannot run what is agreed" wait_for 10 said
