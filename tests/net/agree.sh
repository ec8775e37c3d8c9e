#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Three balancers that agree on one configuration, under a load: changes on each, at the same time, refused, taken back,
# with voters cut off and with daemons killed. Not here: the protocol under faults (tests/sim/register_test.c), voters
# lost for good (takeover.sh).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/flock.sh"
. "$TOP/tests/lib/agree.sh"

{
	vip_lines web 10 wlc ipip 4 2
	vip_lines maglev 11 mh dr 4 2
} >"$TMP/config"

# --- one truth
agree_begin 2
refused "two voters" "an even number" at 1 config voters lb1 lb2
began=$(date +%s%N)
check "a weight is changed on one" at 2 backend set web "$(be 1)" weight 7
note "$(since "$began") ms until the command was done"
check "and on all" wait_for 5 weight_all web 1 7
note "$(since "$began") ms until all ran it, asking included"
check "a VIP is added on another" at 3 vip add more tcp/203.0.113.12:80 scheduler rr
check "and a backend of it on the third" at 1 backend add more "$(be 2)"
check "all have both" wait_for 5 all_run 4
equal "the history says who, and by which command" "root@lb3 vip add more tcp/203.0.113.12:80 scheduler rr" \
	"$(at 2 -j config history | jq -r '[.. | objects | select(.generation? == 3)][0] | .by + " " + .command')"

# --- files
lb config export >"$TMP/file"
sed 's/weight 7/weight 9/' "$TMP/file" >"$TMP/changed"
check "a file is applied" at 1 config apply "$TMP/changed"
check "by all" wait_for 5 weight_all web 1 9
check "and the same file again changes nothing" at 1 config apply "$TMP/changed"
equal "nor makes a generation" 5 "$(generation 1)"
check "a rollback is agreed on as well" at 3 config rollback 4
check "by all, too" wait_for 5 weight_all web 1 7
refused "what cannot be" "belongs to VIP web already" at 2 vip add bad tcp/203.0.113.10:80
refused "reputations that no check heeds" "no check is of mode" at 2 roster weigh
refused "no backend left" "--force" at 2 backend set more "$(be 2)" weight 0
refused "nor by its deletion" "--force" at 3 backend delete more "$(be 2)"
at 1 config export | sed "/^backend add more /d" >"$TMP/without"
refused "nor by a file" "--force" at 1 config apply "$TMP/without"
equal "a dry run says that it has to be forced" "--force" \
	"$(at 1 -j -n config apply "$TMP/without" | jq -r '[.[] | select(.object == "effect" and .name == "more")][0].needs')"
equal "and what a weight moves, at least" true \
	"$(at 2 -j -n backend set web "$(be 1)" weight 30 | jq '[.[] | select(.object == "effect")][0] | .moved >= .least and .least > 0')"
equal "and nothing is changed by any of it" 6 "$(generation 2)"
check "with --force it is done" at 2 --force backend set more "$(be 2)" weight 0
check "by all" wait_for 5 all_run 7

check "a backend is put aside by hand" at 1 backend drain web "$(be 2)"
check "an applied file leaves it so" at 1 config apply "$TMP/changed"
aside() { [ "$(backend_value web "$(be 2)" state)" = "$1" ]; }
check "as it was" aside draining
check "unless it is told to undo that" at 1 config apply "$TMP/changed" reset-state
check "as it does" wait_for 5 aside up
check "back to what was agreed before" at 3 --force config rollback 7
check "by all" wait_for 5 weight_all web 1 7

# --- a file that says otherwise
conf=/run/starling-lab/$STARLING_LAB/lb2/starling.conf
cp "$conf" "$TMP/conf"
{
	sed 's/weight 10/weight 77/' "$TMP/conf"
	echo log level debug
} >"$conf"
kill -HUP "$(daemon_pid lb2)"
differs() { at 2 -j status | grep -q "shared lines are not those"; }
check "at SIGHUP a file with other shared lines is told of" wait_for 5 differs
check "in the log too" grep -q "file's shared lines are not those that the flock has agreed on: they are not applied" \
	"/run/starling-lab/$STARLING_LAB/lb2/starlingd.log"
own() { at 2 config export | grep -qx "log level debug"; }
check "its own lines are applied" wait_for 5 own
check "and no others" weight_all web 1 7
at 2 config export >"$conf"
kill -HUP "$(daemon_pid lb2)"
alike() { ! differs; }
check "with the same shared lines there is nothing to tell" wait_for 5 alike
cp "$TMP/conf" "$conf"

# --- a small change rides on the question
"$LAB" exec lb3 nft -f - <<-'END'
	table inet streamless {
		chain in { type filter hook input priority 0; tcp dport 9428 drop; tcp sport 9428 drop; };
	}
END
check "a weight is changed where one can fetch nothing" at 1 backend set maglev "$(be 1)" weight 12
check "by all" wait_for 5 weight_all maglev 1 12
"$LAB" exec lb3 nft delete table inet streamless

# --- one that cannot say: neither what rides on the question reaches it, nor a stream
"$LAB" exec lb3 nft -f - <<-'END'
	table inet streamless {
		chain in { type filter hook input priority 0; tcp dport 9428 drop; tcp sport 9428 drop; udp dport 9428 udp length > 300 drop; };
	}
END
sed 's/weight 7/weight 8/' "$TMP/file" >"$TMP/despite"
refused "who answers, but cannot say whether it could run it" "despite lb3" at 1 config apply "$TMP/despite"
check "nothing is changed by that" weight_all web 1 7
check "despite that one it is agreed on" at 1 config apply "$TMP/despite" despite lb3
check "and runs" wait_for 5 weight_is 1 web 1 8
"$LAB" exec lb3 nft delete table inet streamless
check "the other follows when it can" wait_for 20 weight_all web 1 8

# --- put aside
check "a drain on one is by all" at 2 backend drain maglev "$(be 2)" reason "new disk"
check "all of them" wait_for 5 shown_all maglev 2 state draining
equal "and says who and why" "root@lb2 new disk" "$(shown 1 maglev 2 by) $(shown 1 maglev 2 reason)"
refused "the last one" "--force" at 3 backend disable maglev "$(be 1)"
refused "by itself alone, while all can agree" "leave \"local\" out" at 3 backend enable maglev "$(be 2)" local
check "a change of it leaves that as it is" at 3 backend set maglev "$(be 2)" weight 33
check "on all" wait_for 5 weight_all maglev 2 33
check "so does a rollback" at 1 config rollback
check "on all" wait_for 5 weight_all maglev 2 10
equal "it is put aside still" draining "$(shown 3 maglev 2 state)"
lb config export >"$TMP/same"
check "and a file" at 1 config apply "$TMP/same"
equal "that changes nothing" draining "$(shown 3 maglev 2 state)"
check "but not with reset-state" at 1 config apply "$TMP/same" reset-state
check "all of them" wait_for 5 shown_all maglev 2 state up

# --- two operators at once
at_once() { # VIP I WEIGHT VIP I WEIGHT: on lb1 and on lb2; sets which of the two was made
	before=$(generation 1)
	at 1 backend set "$1" "$(be "$2")" weight "$3" >"$TMP/one" 2>&1 &
	local one=$!
	at 2 backend set "$4" "$(be "$5")" weight "$6" >"$TMP/two" 2>&1 &
	local two=$!
	wait $one && won1=1 || won1=0
	wait $two && won2=1 || won2=0
}
at_once web 1 21 web 1 22
if [ $((won1 + won2)) = 2 ]; then # one after the other, as they may also be
	note "both came in turn"
	equal "two changes of one VIP in turn are two generations" $((before + 2)) "$(generation 1)"
else
	equal "of two changes of one VIP at once one wins" 1 $((won1 + won2))
	check "and the other is told what was changed" grep -q "web was changed meanwhile by generation" "$TMP/one" "$TMP/two"
fi
at_once web 2 31 maglev 2 32
equal "of two VIPs both changes are made" "1 1" "$won1 $won2"
[ "$won1$won2" = 11 ] || cat "$TMP/one" "$TMP/two"
both() { weight_all web 2 31 && weight_all maglev 2 32; }
check "on all" wait_for 5 both
equal "in two generations" $((before + 2)) "$(generation 1)"

# --- unless it is confirmed
check "a change is made that has to be confirmed" at 1 config apply "$TMP/changed" confirm 6s
check "all run it" wait_for 5 weight_all web 1 9
check "metrics tell of it" test "$(metric 3 '^starling_config_proposed_deadline_seconds' | cut -d . -f 1)" -gt 0
refused "another one meanwhile" "waits to be confirmed" at 2 backend set web "$(be 1)" weight 5
waiting=$(generation 2)
refused "to confirm another one than waits" "generation $waiting waits to be confirmed, not $((waiting - 1))" \
	at 3 config confirm $((waiting - 1))
equal "elsewhere it is confirmed, and named" "generation $waiting is confirmed" "$(at 2 config confirm)"
refused "to confirm what does not wait" "generation $waiting does not wait" at 3 config confirm "$waiting"
sleep 7
check "and stays" weight_all web 1 9
check "one more is made" at 1 backend set web "$(be 1)" weight 13
sed 's/weight 9/weight 14/' "$TMP/changed" >"$TMP/again"
check "and one to be confirmed, whose operator's host is cut off then" at 1 config apply "$TMP/again" confirm 6s
check "all run that" wait_for 5 weight_all web 1 14
sever 1
check "each takes it back by itself" wait_for 10 weight_all web 1 13
refused "to confirm it then" "too late" at 2 config confirm
refused "as a trial does" "too late" at 2 -n config confirm
equal "which is signed as nobody's deed" starlingd@lb2 \
	"$(at 2 -j node audit show | jq -r '[.[] | select(.what | test("runs again, made by root@lb1"))][-1].by')"
mend 1
check "all are alive again" wait_for 20 all_alive
check "one more, and one of the others is cut off" at 1 config apply "$TMP/again" confirm 6s
check "all run that" wait_for 5 weight_all web 1 14
sever 3
check "it is confirmed without it" at 2 config confirm
check "it takes it back alone" wait_for 10 weight_is 3 web 1 13
equal "the others run it" "14 14" "$(shown 1 web 1 weight) $(shown 2 web 1 weight)"
mend 3
check "and goes forward again, when it learns of it" wait_for 20 weight_all web 1 14
check "all are alive again" wait_for 20 all_alive

# --- voters cut off
sever 3
began=$(date +%s%N)
check "with one of three voters cut off changes go on" at 1 backend set web "$(be 1)" weight 41
note "$(since "$began") ms after the cut"
refused "on the other side" "too few voters" at 3 backend set web "$(be 1)" weight 42
sever 2
refused "with two of three cut off" "too few voters" at 1 backend set web "$(be 1)" weight 43
refused "what waits is not known without them" "too few voters" at 1 config confirm
refused "nor a drain by all" "\"local\"" at 1 backend drain web "$(be 2)"
check "but one by this balancer alone" at 1 backend drain web "$(be 2)" local reason disk
equal "which is at it" draining "$(shown 1 web 2 state)"
equal "and at no other" up "$(shown 2 web 2 state)"
quorumless() { at 1 -j status | grep -q "register without quorum"; }
check "status says so" wait_for 5 quorumless
equal "and metrics do" 0 "$(metric 1 '^starling_config_quorum')"
mend 3
mend 2
check "after the heal all run the last change" wait_for 20 weight_all web 1 41
check "and make the next" at 3 backend set web "$(be 1)" weight 44
check "all of them" wait_for 5 weight_all web 1 44
check "what one put aside alone is all the flock's word now" wait_for 10 shown_all web 2 state draining
equal "with the name of who said it" "root@lb1 disk" "$(shown 3 web 2 by) $(shown 3 web 2 reason)"
check "who enables it, does so for all" at 2 backend enable web "$(be 2)"
check "all of them" wait_for 5 shown_all web 2 state up

# --- restarts
pid=$(daemon_pid lb2)
kill -9 "$pid"
check "with one of three killed changes go on" at 1 backend set web "$(be 1)" weight 51
"$LAB" up >/dev/null
check "the one that is back runs them" wait_for 10 weight_is 2 web 1 51
check "and says that its file is another" differs
for n in "${FLOCK[@]}"; do
	kill -9 "$(daemon_pid "lb$n")"
	rm "/run/starling-lab/$STARLING_LAB/run/lb$n/register.last" # as after a power cut: files may be older ones
done
"$LAB" up >/dev/null
check "all restarted at once run it" wait_for 10 weight_all web 1 51
check "and change it" wait_for 10 at 2 backend set web "$(be 1)" weight 52
check "on all" wait_for 5 weight_all web 1 52

served_end
