# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Looking at what a flock has agreed on, and cutting balancers off. Source after flock.sh. Not here: what is shown with it.

# Three balancers as a flock, with VIP web unless $TMP/config says more.
three_begin() { # BACKENDS
	[ -e "$TMP/config" ] || vip_lines web 10 wlc ipip 4 2 >"$TMP/config"
	lab_begin --balancers 3 --backends "$1" --config "$TMP/config"
	flock_begin 3
}

# The same, agreeing on what they run, under the load "served".
agree_begin() { # BACKENDS
	three_begin "$1"
	load_begin served -c 4 "$(vip4 10)"
	check "the flock agrees on what it runs" at 1 config voters lb1 lb2 lb3
	check "all know it" wait_for 5 all_run 1
}

weight_is() { # N VIP I WEIGHT: of its Ith backend
	[ "$(shown "$1" "$2" "$3" weight)" = "$4" ]
}

shown() { # N VIP I KEY: of its Ith backend
	at "$1" -j backend show vip "$2" | jq -r "[.. | objects | select(.backend? == \"$(be "$3")\")][0].$4"
}

shown_all() { # VIP I KEY VALUE
	all_say "all([.. | objects | select(.backend? == \"$(be "$2")\")][0].$3 | tostring == \"$4\")" backend show vip "$1"
}

weight_all() { # VIP I WEIGHT
	shown_all "$1" "$2" weight "$3"
}

generation() { # N: that runs there
	at "$1" -j config history | jq -r '[.. | objects | select(.running? == true)][0].generation'
}

all_run() { # GENERATION
	all_say "all([.. | objects | select(.running? == true)][0].generation == $1)" config history
}

# Nothing of the flock's goes between one balancer and the others, in either direction; `mend` undoes it.
sever() { # N
	on "lb$1" nft -f - <<-'END'
		table inet severed {
			chain in { type filter hook input priority 0; ip saddr 192.0.2.0/28 meta l4proto { tcp, udp } th dport 9428 drop; ip saddr 192.0.2.0/28 meta l4proto { tcp, udp } th sport 9428 drop; };
			chain out { type filter hook output priority 0; ip daddr 192.0.2.0/28 meta l4proto { tcp, udp } th dport 9428 drop; ip daddr 192.0.2.0/28 meta l4proto { tcp, udp } th sport 9428 drop; };
		}
	END
}

mend() { # N
	on "lb$1" nft delete table inet severed
}
