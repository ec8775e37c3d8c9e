#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Five balancers that draw observers by reputation. One cannot reach a backend that all others find well, so its votes
# stand against what holds: each counts it, the flock agrees on what that makes of its reputation, and nothing but the
# next such agreement changes it. Not here: how votes are judged, and liars for hours (tests/sim/reputation_test.c).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/flock.sh"
. "$TOP/tests/lib/agree.sh"

{
	for n in 0 1 2; do
		vip_lines "web$n" "1$n" mh ipip 4 4
		echo "health set web$n tcp interval 2${n}0ms timeout 100ms rise 2 fall 2 mode reputation"
	done
} >"$TMP/config"
lab_begin --balancers 5 --backends 4 --config "$TMP/config"
flock_begin 5

rosters() { # KEY: of lb1 .. lb5, as each balancer has it: once if they have the same
	for n in "${FLOCK[@]}"; do
		at "$n" -j roster show | jq -r "[.[].$1] | join(\" \")"
	done | sort -u
}

reputation_is() { # N REPUTATION: of lb5
	[ "$(at "$1" -j roster show | jq '.[] | select(.name == "lb5").reputation')" = "$2" ]
}

reputations_are() { # REPUTATION: of lb5, everywhere
	for n in "${FLOCK[@]}"; do reputation_is "$n" "$1" || return 1; done
}

all_certified() { # N OF
	all_say "all([.[] | select(.verdict == \"up\" and .by == \"certified\")] | length == 12)" health show
}

observed() { # BACKEND: by how many VIPs' checks lb5 observes it
	at 1 -j health show | jq "[.[] | select(.backend == \"$(be "$1")\" and (.votes | contains(\"lb5 \")))] | length"
}

refused "without voters nobody agrees on reputations" "no voters" at 1 roster weigh
check "the flock agrees on what it runs" at 1 config voters lb1 lb2 lb3
check "all know it" wait_for 5 all_run 1
check "all are up, by votes" wait_for 20 all_certified
equal "nobody has lied" "1000 1000 1000 1000 1000" "$(rosters reputation)"
check "so there is nothing to agree on" at 1 roster weigh
equal "nor was anything" 1 "$(generation 1)"
check "a weight is changed" at 1 backend set web0 "$(be 1)" weight 77

# --- one that finds down what all others find well: the backend that most of its votes are about
blind() {
	local b
	b=$(for n in 1 2 3 4; do echo "$(observed "$n") $n"; done | sort -n | tail -n 1 | cut -d ' ' -f 2)
	note "lb5 votes on backend $b for $(observed "$b") VIPs"
	on lb5 nft -f - <<-END
		table inet blind { chain out { type filter hook output priority 0; ip daddr $(be "$b" | cut -d : -f 1) tcp dport 80 drop; }; }
	END
}
counted() { # N: it would have lb5's be another one
	at "$1" -j -n roster weigh | jq -e '.[] | select(.name == "lb5")'
}
blind
check "another one sees that its votes stand against what holds" wait_for 30 counted 2
on lb5 nft delete table inet blind
check "and has the flock agree on what that makes of it" at 2 roster weigh
equal "one generation later" 3 "$(generation 2)"
is=$(at 2 -j roster show | jq '.[] | select(.name == "lb5").reputation')
note "lb5's reputation is $is"
check "which is less" test "$is" -lt 1000
check "all have the same" wait_for 5 reputations_are "$is"
equal "of the others, the full one" "1000 1000 1000 1000 $is" "$(rosters reputation)"
equal "and the same roster" 1 "$(rosters epoch | wc -l)"
check "all are up, by votes of that roster" wait_for 20 all_certified
refused "the next time is in an hour" "once an hour at most" at 3 roster weigh
equal "the metric says it" "$is" "$(metric 4 'gossip_reputation.*"lb5"')"
equal "and the history, and who did it" "root@lb2 roster weigh: 1000 -> $is by generation 3" \
	"$(at 4 -j roster history lb5 | jq -r '.[-1] | "\(.by) \(.command): \(.reputation_before) -> \(.reputation) by generation \(.generation)"')"
check "and the audit log" bash -c "'$LAB' exec lb4 starling node audit show | grep -q 'the reputation of lb5 is $is by generation 3, before 1000'"

# --- what leaves it as it is
lb config export >"$TMP/file"
check "a file says nothing of it" bash -c "! grep '^roster.*reputation' '$TMP/file'"
equal "nor differs by it" "" "$(lb config diff "$TMP/file")"
weight() { at "$1" config export | grep -c "^backend add web0 .* weight 77"; }
check "a rollback goes to the lines before, past the agreement" at 3 config rollback
check "by all" wait_for 5 all_run 4
equal "which are others" 0 "$(weight 1)"
check "and leaves it" reputations_are "$is"
check "so does a file" at 1 config apply "$TMP/file"
check "by all" wait_for 5 all_run 5
equal "with its lines" 1 "$(weight 2)"
check "which leaves it as well" reputations_are "$is"
sed "s/^\(roster add lb5 .*\)/\1 reputation 1000/" "$TMP/file" >"$TMP/other"
refused "no file gives it" "a reputation is earned" at 1 config apply "$TMP/other"

# --- a restart, of all and of one without its file
at 5 health export web0 "$(be 1)" >"$TMP/certificate"
check "a certificate has it" grep -q "^roster add lb5 .* reputation $is$" "$TMP/certificate"
check "and can be verified by that" at 1 health verify "$TMP/certificate"
grep "^roster add" "$TMP/certificate" | sed 's/ reputation.*//' >"$TMP/full"
sed 's/ reputation [0-9]*$//' "$TMP/certificate" >"$TMP/other"
refused "but not by another one" "another roster" at 1 health verify "$TMP/other"
kill -9 "$(daemon_pid lb4)"
"$LAB" up >/dev/null
check "after a restart it is the same" wait_for 10 reputation_is 4 "$is"
check "and what was counted is, from the audit log" wait_for 10 bash -c \
	"'$LAB' exec lb2 starling node audit show | grep -q 'votes judged: .*lb5 [0-9a-f]* 0/'"
