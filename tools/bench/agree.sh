#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What `make bench` shows of a flock that agrees: three balancers in the lab, 511 VIPs of 64 backends, and one of 2,
# proposed, checked, decided and run by all, then one weight of them, and the bytes that each node sends and hears for
# it. Not here: what is right (tests/net/agree.sh).
. "$(dirname "$0")/../../tests/lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/flock.sh"
. "$TOP/tests/lib/agree.sh"

RUNS=33
EVERY=1300 # ms from one change to the next, so that none shares its news with another
WINDOW=$((RUNS * EVERY + 2000))

awk 'BEGIN {
	for (v = 0; v < 511; v++) {
		printf "vip add v%d tcp/203.0.%d.%d:80 scheduler wlc forward ipip\n", v, 114 + v / 250, 1 + v % 250
		for (b = 0; b < 64; b++)
			printf "backend add v%d 10.%d.%d.%d:80 weight 10\n", v, 1 + v / 200, v % 200, b + 1
	}
}' >"$TMP/vips"
vip_lines web 10 mh ipip 4 2 >"$TMP/config"
lab_begin --balancers 3 --backends 2 --config "$TMP/config" >/dev/null
flock_begin 3 >/dev/null
at 1 config voters lb1 lb2 lb3 >/dev/null
at 1 config export >"$TMP/file"
cat "$TMP/vips" >>"$TMP/file"

applied() { # GENERATION: all run it
	until all_run "$1"; do sleep 0.02; done
}

ran_ns() { # GENERATION: when the last of them had kept it, which is after it ran
	local n kept last=0
	for n in "${FLOCK[@]}"; do
		until kept=$(stat -c %.9Y "$STATE/lb$n/agreed/$(printf %010d "$1").conf" 2>/dev/null); do sleep 0.02; done
		kept=${kept/./}
		[ "$kept" -le "$last" ] || last=$kept
	done
	echo "$last"
}

# Full pages of loads go round all the time, as many with a change as without. Nothing else of the flock is as long, and
# they are so many that two windows differ by more than a change costs: so they are counted apart.
count_bytes() { # N
	"$LAB" exec "lb$1" nft -f - <<-'END'
		table inet bytes {
			chain stream { tcp dport 9428 counter; tcp sport 9428 counter; };
			chain loads { udp dport 9428 udp length >= 1160 counter; };
			chain gossip { udp dport 9428 udp length < 1160 counter; };
			chain in { type filter hook input priority 0; jump stream; jump loads; jump gossip; };
			chain out { type filter hook output priority 0; jump stream; jump loads; jump gossip; };
		}
	END
}

wire_bytes() { # N stream|loads|gossip: sent and heard by its gossip address
	"$LAB" exec "lb$1" nft -j list chain inet bytes "$2" | jq '[.. | objects | .counter? // empty | .bytes] | add'
}

declare -A BYTES
read_bytes() { # WHEN
	local n what
	for n in 1 2 3; do
		for what in stream loads gossip; do BYTES[$1.$what.$n]=$(wire_bytes "$n" $what); done
	done
}

passed() { # FROM TO WHAT N: bytes between two readings
	echo $((${BYTES[$2.$3.$4]} - ${BYTES[$1.$3.$4]}))
}

printf '\n%-48s %10s\n' "FLOCK OF 3, 512x64, AGREED" "MS"
began=$(date +%s%N)
at 1 config apply "$TMP/file" >/dev/null
printf '%-48s %10d\n' "all of it: until the command was done" "$(since "$began")"
applied 2
printf '%-48s %10d  (at most: 5000)\n' "until all ran it, asking included" "$(since "$began")"
sleep 15 # addresses looked up, and told
for n in 1 2 3; do count_bytes "$n"; done

# Of two windows the second tells what changes add.
until_ms() { # MS since the first began
	sleep "$(awk -v end="$1" -v now="$(since "$began")" 'BEGIN { print (end > now ? (end - now) / 1000 : 0) }')"
}
direct() { # the tool without the lab's, which takes its time to enter a namespace
	"$O/starling" -s "/run/starling-lab/$STARLING_LAB/run/lb1/control.sock" "$@"
}
began=$(date +%s%N)
read_bytes start
until_ms $WINDOW
read_bytes idle
declare -a done_ms ran_ms
for ((i = 0; i < RUNS; i++)); do
	until_ms $((WINDOW + i * EVERY))
	at_ns=$(date +%s%N)
	direct backend set v7 10.1.7.1:80 weight $((11 + i)) >/dev/null || exit 1
	done_ms+=("$(since "$at_ns")")
	ran_ms+=($((($(ran_ns $((3 + i))) - at_ns) / 1000000)))
done
until_ms $((2 * WINDOW))
read_bytes busy
row() { # NAME AIM MS...
	printf '%-48s %10d  %s\n' "$1" "$(printf '%s\n' "${@:3}" | sort -n | sed -n $(((RUNS + 1) / 2))p)" "$2"
}
printf '\nOne weight, medians of %d:\n' "$RUNS"
row "until the command was done" "" "${done_ms[@]}"
row "until all ran it, and had it on the disk" "(at most: 300)" "${ran_ms[@]}"
printf '\nBytes that a node sends and hears for it: objects by the stream, and gossip\n'
for n in 1 2 3; do
	stream=$(($(passed idle busy stream "$n") / RUNS))
	gossip=$((($(passed idle busy gossip "$n") - $(passed start idle gossip "$n")) / RUNS))
	printf '%-48s %10d  (at most: 10000); %d, and %d\n' "lb$n$([ "$n" = 1 ] && echo ', where it is asked for')" \
		$((stream + gossip)) $stream $gossip
	printf '%-48s %10d  with changes: %d\n' "  beside it, of loads, in $((WINDOW / 1000)) s without" \
		"$(passed start idle loads "$n")" "$(passed idle busy loads "$n")"
done
