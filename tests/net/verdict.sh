#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Four balancers say together which backends are down, and fewer of them do as well: each way to fail takes one out on
# every living balancer, and no healthy one is ever ejected. Not here: each kind of probe, and a balancer alone
# (health.sh); liars and loss (tests/sim/verdict_test).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/agent.sh"
. "$TOP/tests/lib/flock.sh"
. "$TOP/tests/lib/agree.sh"

{
	vip_lines web 10 mh ipip 4 4
	echo "health set web http path /name interval 500ms timeout 300ms rise 2 fall 2"
} >"$TMP/config"
lab_begin --balancers 4 --backends 4 --config "$TMP/config"
flock_begin 4
RUN=/run/starling-lab/$STARLING_LAB

health_of() { # N BACKEND KEY
	at "$1" -j health show vip web | jq -r ".[] | select(.backend == \"$(be "$2")\") | .$3"
}

# Whether all living balancers hold a backend for that, by that.
held() { # BACKEND VERDICT BY
	all_say "all([.[] | select(.backend == \"$(be "$1")\")][0] | .verdict == \"$2\" and .by == \"$3\")" health show vip web
}

all_up() { # BY
	all_say "all([.[] | select(.verdict == \"up\" and .by == \"$1\")] | length == 4)" health show vip web
}

slow() { # BACKEND RATE: nginx's words; answers take so many bytes a second
	sed -i "s/limit_rate .*;/limit_rate $2;/" "$RUN/$1/nginx.conf"
	kill -HUP "$(cut -d ' ' -f 1 "$RUN/$1/nginx.pid")"
}

watch_events() { # N...: until their daemons end
	local n
	for n; do
		"$LAB" exec "lb$n" starling -j event watch backend >>"$TMP/events$n" 2>/dev/null &
		cleanup "kill $!"
	done
}

# When the living balancers took backend B out, after a moment: the first and the last of those that did since.
down_after() { # NANOSECONDS BACKEND
	local n
	for n in "${FLOCK[@]}"; do
		jq -r "select(.object == \"web $(be "$2")\" and .after == \"down\") | .time" "$TMP/events$n"
	done | while read -r when; do echo $((($(date -d "$when" +%s%N) - $1) / 1000000)); done |
		sed '/^-/d' | sort -n | sed -n '1p; $p' | xargs
}

# A backend goes on all living balancers, by the word BY, and comes back.
leaves() { # NAME B BY BREAK REPAIR
	local name="${#FLOCK[@]} balancers: $1" b=$2 by=$3 began
	load_begin "event" -c 8 "$(vip4 10)"
	sleep 0.3
	began=$(date +%s%N)
	eval "$4"
	if ! wait_for 20 held "$b" down "$by"; then
		not_ok "$name: it leaves everywhere" "$(for n in "${FLOCK[@]}"; do at "$n" health show vip web; done)"
		exit 1
	fi
	ok "$name: it leaves everywhere"
	note "after $(down_after "$began" "$b") ms"
	sleep 1
	load_end "event"
	none_fails "$name: no request fails any more" 300 "$(vip4 10)"
	eval "$5"
	check "$name: it comes back" wait_for 20 all_up "$by"
}

link_down() { # BY
	leaves "link down" 3 "$1" "on router ip link set be3 down" "on router ip link set be3 up"
}

no_answer() { # BY
	leaves "accepts, never answers" 2 "$1" "signal STOP be2" "signal CONT be2"
}

too_slow() { # BY
	leaves "answers too late" 2 "$1" "slow be2 20" "slow be2 '\$rate'"
}

check "all are up, by votes" wait_for 20 all_up certified
watch_events 1 2 3 4
equal "four observe, one of whom may lie" "4 3 1" \
	"$(health_of 1 1 observers) $(health_of 1 1 quorum) $(health_of 1 1 liars)"
leaves "kill -9" 2 certified "signal KILL be2" "'$LAB' up >/dev/null"
link_down certified
leaves "black hole" 4 certified "'$LAB' fault be4 cut in; '$LAB' fault be4 cut out" "'$LAB' fault be4 clear"
no_answer certified
too_slow certified

# --- a verdict is shown to somebody who was not there
at 2 health export web "$(be 1)" >"$TMP/certificate"
check "a certificate is exported" grep -q '^# certificate ' "$TMP/certificate"
verify() { # FILE: by a balancer of nothing
	"$O/starling" -s "$TMP/run/judge/control.sock" health verify "$1"
}
mkdir -p "$TMP/judge"
unshare -n "$O/starlingd" --no-dataplane --node judge --run-dir "$TMP/run" --state-dir "$TMP/judge" \
	--bpf-dir "$TMP/bpf" 2>"$TMP/judge.log" &
cleanup "kill $!"
check "somebody is there to judge" wait_for 10 test -S "$TMP/run/judge/control.sock"
check "who verifies it by its file alone" verify "$TMP/certificate"
note "$(verify "$TMP/certificate")"
sed "s/$(be 1)/$(be 2)/" "$TMP/certificate" >"$TMP/other"
refused "what is about another backend" "another backend" verify "$TMP/other"
sed 's/fall 2/fall 1/' "$TMP/certificate" >"$TMP/other"
refused "another check" "another check" verify "$TMP/other"
sed '/lb1/s/site lab/site rack/' "$TMP/certificate" >"$TMP/other"
refused "another roster" "another roster" verify "$TMP/other"
sed '/certificate/s/.$//; /certificate/s/AAA/BBB/' "$TMP/certificate" >"$TMP/other"
refused "other bytes" "certificate" verify "$TMP/other"
grep -v certificate "$TMP/certificate" >"$TMP/other"
refused "none" "there is no line" verify "$TMP/other"

# --- one that flaps for less than it takes stays: twice it fails for somebody, of three times that it takes
checked() { # WORDS...: on all, and they vote
	local n
	for n in 1 2 3 4; do at "$n" health set web http path /name timeout 300ms rise 2 "$@" >/dev/null; done
	check "by checks with $*" wait_for 20 all_up certified
}
failed() { # probes of it, by all
	local n
	for n in 1 2 3 4; do health_of "$n" 3 failures; done | jq -s add
}
more_failed() { [ "$(failed)" -gt "$failures" ]; }
checked interval 2s fall 3
ejected=$(grep -hF "$(be 3)" "$TMP"/events? | grep -c '"after":"down"')
for _ in 1 2; do
	failures=$(failed)
	signal STOP be3
	check "one that flaps fails probes" wait_for 10 more_failed
	signal CONT be3
done
sleep 1
equal "one that flaps for less than fall probes stays" "$ejected" \
	"$(grep -hF "$(be 3)" "$TMP"/events? | grep -c '"after":"down"')"
checked interval 500ms fall 2

# --- with recovery hybrid one word lets it in again, everywhere; with damp as well
out_and_back() { # BACKEND STATE: afterwards
	signal STOP "be$1"
	check "it is out" wait_for 20 shown_all web "$1" state down
	signal CONT "be$1"
	check "and $2 when it is well" wait_for 20 shown_all web "$1" state "$2"
}
for n in 1 2 3 4; do at "$n" vip set web recovery hybrid damp 1m >/dev/null; done
out_and_back 4 held
check "one balancer lets it in by itself" at 3 backend readmit web "$(be 4)" local
sleep 2
equal "the others do not" "held held" "$(for n in 2 4; do at "$n" -j backend show vip web |
	jq -r ".[] | select(.backend == \"$(be 4)\") | .state"; done | xargs)"
check "it is readmitted on one of those" at 2 backend readmit web "$(be 4)"
check "by all" wait_for 10 shown_all web 4 state up
for n in 1 2 3 4; do at "$n" vip set web recovery auto >/dev/null; done
out_and_back 3 up
out_and_back 3 up
out_and_back 3 held
note "$(at 2 health show vip web | grep -F "$(be 3)")"
check "who went out three times waits, as health show says" grep -qE "$(be 3) .*it flaps: it waits [0-9]+ s more" \
	<(at 4 health show vip web)
check "it is readmitted" at 1 backend readmit web "$(be 3)"
check "by all" wait_for 10 shown_all web 3 state up
for n in 1 2 3 4; do at "$n" vip set web damp 0 >/dev/null; done

# --- an agent's word is that of its observers
of_agent() { # N KEY
	at "$1" -j backend show vip web | jq -r ".[] | select(.backend == \"$(be 1)\") | .$2"
}
halved() {
	local n
	for n in "${FLOCK[@]}"; do
		[ "$(of_agent "$n" agent_percent)" = 50 ] && [ "$(of_agent "$n" 'share < 0.18')" = true ] || return 1
	done
}
agent_begin be1 "up ready 100%"
check_was=$(at 1 config export | grep '^health set web')
for n in 1 2 3 4; do at "$n" health set web agent port 9000 interval 300ms timeout 300ms fall 1 rise 1 >/dev/null; done
check "an agent is asked: it is up" wait_for 20 shown_all web 1 state up
check "and by votes" wait_for 20 held 1 up certified
agent_word "50%"
check "it wants half of its weight: it has a smaller share everywhere" wait_for 20 halved
equal "the same on all" 1 "$(for n in 1 2 3 4; do of_agent "$n" share; done | sort -u | wc -l)"
note "of four it has $(of_agent 1 share): $(at 2 health show vip web | grep -F "$(be 1)")"
"$LAB" exec lb1 nft -f - <<-END
	table inet off { chain out { type filter hook output priority 0; tcp dport 9000 drop; }; }
END
failures=$(health_of 1 1 failures)
unheard() { [ "$(health_of 1 1 failures)" -gt $((failures + 3)) ]; }
check "one balancer does not reach it" wait_for 10 unheard
check "which changes nothing" halved
agent_word "drain"
check "it drains everywhere, by the others' word" wait_for 20 shown_all web 1 state draining
"$LAB" exec lb1 nft delete table inet off
agent_word "ready 100%"
check "and serves again" wait_for 20 shown_all web 1 state up
for n in 1 2 3 4; do echo "$check_was" | xargs "$LAB" exec "lb$n" starling >/dev/null; done
kill -KILL "$AGENT"
check "the check is as it was" wait_for 20 all_up certified

# --- two balancers disagree
blind() { # N...: probes of be3 do not reach it
	local n
	for n; do
		"$LAB" exec "lb$n" nft -f - <<-END
			table inet off {
				chain out { type filter hook output priority 0; ip daddr 192.0.2.103 tcp dport 80 drop; };
			}
		END
	done
}
sees() { # N...
	local n
	for n; do "$LAB" exec "lb$n" nft delete table inet off; done
}
blind 1
disagree() {
	[[ $(health_of 1 3 votes) == *"lb1 down"* && $(health_of 2 3 votes) == *"lb1 down"* ]]
}
check "one that does not reach a backend says so to all" wait_for 10 disagree
check "it stays, by the others' word" held 3 up certified
note "$(at 2 health show vip web | grep -F "$(be 3)")"
avoided() { [ "$(at 1 -j backend show vip web | jq -r ".[] | select(.backend == \"$(be 3)\") | .state")" = avoided ]; }
check "who does not reach it avoids it" wait_for 10 avoided
equal "and nobody else" up "$(at 2 -j backend show vip web | jq -r ".[] | select(.backend == \"$(be 3)\") | .state")"
none_fails "no request fails" 300 "$(vip4 10)"
sees 1
check "and it serves there again" wait_for 10 all_up certified
avoided_not() { ! avoided; }
check "which its state says" wait_for 10 avoided_not

# --- one begins anew while as many say up as down: what holds is what the flock held before
signal STOP be3
check "a backend is down" wait_for 20 held 3 down certified
blind 3 4
signal CONT be3
split() { # as balancer N has it
	[ "$(health_of "$1" 3 votes | grep -o ' up' | wc -l) $(health_of "$1" 3 votes | grep -o ' down' | wc -l)" = "2 2" ]
}
check "two of four say that it is back, and two that it is not" wait_for 20 split 2
check "it is down" held 3 down certified
kill -9 "$(daemon_pid lb1)"
rm -r "/sys/fs/bpf/starling-lab/$STARLING_LAB/lb1"
"$LAB" up >/dev/null
watch_events 1
check "who begins anew, and remembers nothing, holds it down as well" wait_for 20 held 3 down certified
check "by the flock's certificate, not by votes" wait_for 20 split 1
note "$(at 1 health show vip web | grep -F "$(be 3)")"
sees 3 4
check "it comes back" wait_for 20 all_up certified

# --- a partition of the flock: each half takes out what it finds dead, and they are one again
halves deaf
alone() { state_is 1 3 dead && state_is 3 1 dead && state_is 2 4 dead && state_is 4 2 dead; }
check "the flock is in two halves" wait_for 20 alone
signal STOP be4
check "both take out a dead one, by themselves" wait_for 20 held 4 down local
halves hears
check "and agree on that after the heal" wait_for 20 held 4 down certified
signal CONT be4
check "it comes back to all" wait_for 20 all_up certified

# --- fewer balancers live than vote, and the routers know
lose() { # N
	mapfile -t FLOCK < <(printf '%s\n' "${FLOCK[@]}" | grep -vx "$1")
	# shellcheck disable=SC2046 # a list
	routes $(printf '1%s\n' "${FLOCK[@]}")
	kill -9 "$(daemon_pid "lb$1")"
	check "lb$1 is dead" wait_for 20 state_is 1 "$1" dead
}

hook() { # NAME, for all that live
	local n
	install -m 755 /dev/stdin "$RUN/hooks/$1" <<<"#!/bin/sh
echo $1 >>$RUN/ran"
	for n in "${FLOCK[@]}"; do at "$n" vip set web restart "$1" >/dev/null && at "$n" node set hooks on >/dev/null; done
}
install -m 666 /dev/null "$RUN/ran"
hook voted
lose 4
link_down certified
check "what votes say is down has its hook run" grep -qx voted "$RUN/ran"
lose 3
check "two of four are too few for votes" wait_for 20 all_up local
hook alone
no_answer local
lose 2
link_down local
equal "what one finds by itself has not" "" "$(grep -x alone "$RUN/ran")"
at 1 vip set web restart none >/dev/null

# --- rosters of three, of two and of one
"$LAB" up >/dev/null
FLOCK=(1 2 3 4)
check "all live again" wait_for 20 all_alive
watch_events
for left in 3 2 1; do
	for n in "${FLOCK[@]}"; do at "$n" roster delete "lb$((left + 1))" >/dev/null; done
	mapfile -t FLOCK < <(seq $left)
	# shellcheck disable=SC2046 # a list
	routes $(seq 11 $((10 + left)))
	check "$left of $left: all are up, by votes" wait_for 20 all_up certified
	counted() { [ "$(health_of 1 1 observers) $(health_of 1 1 quorum) $(health_of 1 1 liars)" = "$left $((left / 2 + 1)) 0" ]; }
	check "$left of $left: so many observe, a majority decides, and none may lie" wait_for 10 counted
	no_answer certified
	too_slow certified
done
for n in 1 2 3 4; do check "lb$n told of those that were broken" grep -qF "$(be 2)" "$TMP/events$n"; done
equal "no healthy backend was ever ejected" "" "$(grep -hF "$(be 1)" "$TMP"/events? | grep '"after":"down"')"
