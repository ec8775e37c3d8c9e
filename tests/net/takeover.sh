#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Two of three voters are lost for good: the third takes the register over, two hosts with empty disks take the places of
# the lost ones, and changes go on, under a load. Not here: voters that come back (agree.sh).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/flock.sh"
. "$TOP/tests/lib/agree.sh"

agree_begin 2
check "on a change" at 1 backend set web "$(be 1)" weight 31
check "all run it" wait_for 5 weight_all web 1 31
refused "a takeover while most voters answer" "no need" at 3 config takeover

# --- taken over by mistake
lost() { at 3 -j status | grep -q "register without quorum"; }
sever 3
check "one that is cut off has no quorum" wait_for 10 lost
check "it takes over" at 3 config takeover
check "and changes what it runs" wait_for 5 at 3 backend set web "$(be 1)" weight 77
mend 3
another() { at 3 -j status | grep -q "has another one"; }
check "after the heal it names the other register" wait_for 10 another
check "and follows that" at 3 config takeover
check "all run the same" wait_for 5 weight_all web 1 31
check "it votes again when it is named" wait_for 10 at 1 config voters lb1 lb2 lb3
check "and changes" wait_for 5 at 3 backend set web "$(be 1)" weight 32
check "what all run" wait_for 5 weight_all web 1 32
check "and back" at 1 backend set web "$(be 1)" weight 31

# --- two lost for good

cp "/run/starling-lab/$STARLING_LAB/roster" "$TMP/old"
for n in 1 2; do
	kill -9 "$(daemon_pid "lb$n")"
	rm -rf "$STATE/lb$n" "/run/starling-lab/$STARLING_LAB/run/lb$n"
done
check "two are lost" wait_for 10 lost
refused "a change by the third" "too few voters" at 3 backend set web "$(be 1)" weight 32
check "it takes over" at 3 config takeover
equal "with what was agreed last" 31 "$(at 3 -j backend show vip web | jq -r '[.. | objects | select(.weight?)][0].weight')"
check "and changes on" at 3 backend set web "$(be 1)" weight 33

# The new hosts make identities; the survivor counts them in, and the lost ones out.
FLOCK=(3)
"$LAB" up >/dev/null
for n in 1 2; do
	key=$(at "$n" -j node show | jq -r "[.. | objects | select(.name? == \"lb$n\")] | last | .key")
	check "the new lb$n has an identity of its own" bash -c "! grep -q '$key' '$TMP/old'"
	at 3 roster delete "lb$n" >/dev/null
	check "the survivor counts it in" at 3 roster add "lb$n" "$key" site lab
done
# Their files have VIPs of an earlier time.
for n in 1 2; do
	{
		at "$n" config export | grep -v '^roster'
		at 3 config export | grep '^roster'
	} >"$TMP/file"
	at "$n" config apply "$TMP/file" >/dev/null
done
FLOCK=(1 2 3)
check "they find the flock and its keys" wait_for 30 all_alive
apart() { at "$1" -j status | grep -q "its own VIPs are not those that the flock has agreed on (web)"; }
check "each keeps VIPs that are not the flock's, and says so" wait_for 10 apart 1
check "so does the other" wait_for 10 apart 2
refused "a join that would lose them" "agreed on (web)" at 1 node join 192.0.2.13
check "it has them still" weight_is 1 web 1 10
refused "voters by one that is apart" "another configuration" at 1 config voters lb1
check "the flock changes nevertheless" at 3 backend set web "$(be 2)" weight 11
check "with replace they are given up" at 1 node join 192.0.2.13 replace
check "and it runs what is agreed" weight_is 1 web 1 33
check "the other one makes its VIPs the flock's" at 2 backend set web "$(be 1)" weight 33
check "all of them" at 2 backend set web "$(be 2)" weight 11
says_so() { at 2 node join 192.0.2.13 | grep -q "runs generation"; }
check "and just joins" says_so
check "all run the same" wait_for 10 weight_all web 1 33
check "all three vote" wait_for 10 at 3 config voters lb1 lb2 lb3
check "one of the new ones changes" wait_for 10 at 1 backend set web "$(be 1)" weight 34
check "all run it" wait_for 5 weight_all web 1 34
kill -9 "$(daemon_pid lb3)"
check "and without the survivor changes go on" wait_for 10 at 2 backend set web "$(be 1)" weight 35

served_end
