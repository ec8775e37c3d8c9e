# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A lab whose balancers are one flock. Source after lab.sh. Not here: what is shown with it.

# shellcheck disable=SC2034 # for the tests
STATE=/run/starling-lab/$STARLING_LAB/state

at() { # N WORDS...: `starling` of a balancer
	local n=$1
	shift
	on "lb$n" starling "$@"
}

node_value() { # VIEWER NODE KEY
	at "$1" -j node show | jq -r "[.. | objects | select(.name? == \"lb$2\")][0].$3"
}

state_is() { # VIEWER NODE STATE
	[ "$(node_value "$1" "$2" state)" = "$3" ]
}

metric() { # N REGEX: sum of the lines that have it
	on "lb$1" curl -s http://127.0.0.1:9427/metrics | awk -v r="$2" '$0 ~ r && !/^#/ { n += $2 } END { print n + 0 }'
}

all_alive() {
	# shellcheck disable=SC2016 # jq's variable
	all_say 'all([.. | objects | select(.state? == "alive")] | length == $flock)' node show
}

all_same() { # nobody's tables are others' than lb1's, nor lb1's than anybody's
	all_say 'all([.. | objects | .config? // empty] | unique == ["same"])' node show
}

# The lab with balancers that look for each other by these words of `node set`; those of before are made anew.
balancers_begin() { # N WORDS...
	local lab=/run/starling-lab/$STARLING_LAB
	mkdir -p "$lab"
	rm -f "$lab"/lb*/ready "$lab/roster"
	echo "${*:2}" >"$lab/node"
	lab_begin --balancers "$1" --backends 2 --config "$TMP/config"
}

# lb1 to lbN find each other: keys of the first, a roster on each, which is all that it takes.
declare -a FLOCK
flock_begin() { # N
	local n
	mapfile -t FLOCK < <(seq "$1")
	at 1 node init >/dev/null
	for n in "${FLOCK[@]}"; do
		echo "roster add lb$n $(node_value "$n" "$n" key) site lab"
	done >"$TMP/roster"
	cp "$TMP/roster" "/run/starling-lab/$STARLING_LAB/roster"
	# On a busy machine one may not have answered in time: then those behind it have not been given theirs.
	"$LAB" up >/dev/null || { note "the roster is given again"; "$LAB" up >/dev/null; }
	check "$1 balancers find each other" wait_for 20 all_alive
	check "and run the same" wait_for 10 all_same
}

since() { # NANOSECONDS: milliseconds
	echo $((($(date +%s%N) - $1) / 1000000))
}

# Datagrams of the flock from one balancer to another are lost; `hears` undoes it. Connections are not touched.
deaf() { # N TO_WHOM...
	local n=$1 who
	shift
	for who; do
		on "lb$n" nft -f - <<-END
			table inet deaf$who {
				chain in { type filter hook input priority 0; ip saddr 192.0.2.$((10 + who)) udp dport 9428 drop; };
			}
		END
	done
}

hears() { # N WHOM...
	local n=$1 who
	shift
	for who; do on "lb$n" nft delete table inet "deaf$who"; done
}

halves() { # deaf|hears: between 1, 2 and 3, 4
	local n
	for n in 1 2; do $1 $n 3 4; done
	for n in 3 4; do $1 $n 1 2; done
}
