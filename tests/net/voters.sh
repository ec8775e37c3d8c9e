#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The third of three voters in trouble, under a load: it has no data plane, its disk is full or read-only, its store is
# torn or an older one. Changes go on with the other two, and nothing is lost. Not here: voters that are killed or cut
# off (agree.sh) or lost for good (takeover.sh).
. "$(dirname "$0")/../lib/mounts.sh"
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/flock.sh"
. "$TOP/tests/lib/agree.sh"

agree_begin 2

RUN=/run/starling-lab/$STARLING_LAB
DISK=$STATE/lb3 # of the third
LOG=$RUN/lb3/starlingd.log

answering() { # the three, by each; one that was killed time and again is unfit for a while
	all_say 'all([.. | objects | select(.state? == "alive" or .state? == "unfit")] | length == 3)' node show
}

begin() {
	"$LAB" up >/dev/null
	wait_for 20 answering
}

says() { # WORDS: the third's status
	at 3 -j status | grep -q "$1"
}

silent() { # WORDS
	! says "$1"
}

set_by() { # N WEIGHT
	at "$1" backend set web "$(be 1)" weight "$2"
}

# Whether the third votes: with the second cut off there is no quorum without it.
votes() { # NAME WEIGHT
	sever 2
	check "$1" wait_for 10 set_by 1 "$2"
	mend 2
	check "all run that" wait_for 20 weight_all web 1 "$2"
}

tells() { # WORDS: the first's status
	at 1 -j status | grep -q "$1"
}

votes_not() { # NAME
	sever 2
	refused "$1" voters set_by 1 99
	mend 2
	wait_for 20 answering
}

# --- a witness
daemon_end lb3 # as by a power cut
grep -v '^iface' "$RUN/lb3/starling.conf" >"$TMP/witness"
"$LAB" exec lb3 starlingd -f "$TMP/witness" --run-dir "$RUN/run" --state-dir "$RUN/state" \
	--no-dataplane >>"$LOG" 2>&1 &
witness=$!
check "a witness is in the flock" wait_for 20 answering
votes "and votes" 21
kill $witness
wait $witness
check "it is a balancer again" begin

# --- a disk that takes nothing
daemon_end lb3
cp -a "$DISK" "$TMP/disk"
mount -t tmpfs -o size=1m,mode=750 tmpfs "$DISK" && cleanup "umount '$DISK'"
cp -a "$TMP/disk/." "$DISK"
check "it has a small disk" begin
head -c 2m /dev/zero >"$DISK/filler" 2>/dev/null
check "with it full a change is made" set_by 2 31
check "and run by all" wait_for 5 weight_all web 1 31
check "it says that it does not vote" wait_for 5 says "does not vote: its store cannot be written"
check "and its log why" grep -q "does not vote until it can write: .*No space left" "$LOG"
votes_not "nor does it"
rm "$DISK/filler"
check "with room again a change is made" set_by 2 32
check "it has nothing to say any more" wait_for 5 silent "does not vote"
votes "and votes" 33

mount -o remount,ro "$DISK"
check "with it read-only a change is made" set_by 1 41
check "and run by all" wait_for 5 weight_all web 1 41
check "it says so again" wait_for 5 says "does not vote: its store cannot be written"
votes_not "and does not vote"
daemon_end lb3
mount -o remount,rw "$DISK"
check "restarted with a disk that can be written it is back" begin
check "and runs the last change" wait_for 10 weight_all web 1 41
votes "and votes" 42

# --- its store
cp "$DISK/register" "$TMP/older"
check "a change follows" set_by 1 51
check "that all run" wait_for 5 weight_all web 1 51
daemon_end lb3
cp "$TMP/older" "$DISK/register"
check "with an older store it is back" begin
votes "and votes after it has asked the others" 52
check "which its log tells" grep -q "its store may be an older one" "$LOG"
spoilt() { # TORN|CORRUPT: the store is, which is told
	check "with a $1 store it is back" begin
	check "which is set aside" mv "$DISK/register.corrupt" "$TMP/"
	check "and told of" grep -q "torn or corrupt: set aside as .*register.corrupt.*no voter with the new store" "$LOG"
	check "by the others too" wait_for 10 tells "lb3 does not vote, its store is a new one"
	: >"$LOG"
}
daemon_end lb3
truncate -s 60 "$DISK/register"
spoilt torn
votes_not "it does not vote"

# --- put aside by one alone, while it cannot be agreed on
aside_alone() { at 1 backend drain web "$(be 2)" local reason "a fan"; }
own_word() { # N WORDS: what others than N have done by themselves
	[ "$(shown "$1" web 2 'elsewhere[0]')" = "$2" ]
}
sever 2
check "without a quorum one drains by itself" wait_for 10 aside_alone
check "another that hears it shows that" wait_for 5 own_word 3 "lb1 has drained it for itself: a fan"
check "in its status, too" says "lb1 has drained $(be 2) of web for itself: a fan"
equal "and does not do it" up "$(shown 3 web 2 state)"
mend 2
check "with a quorum it is the flock's word" wait_for 20 shown_all web 2 state draining
check "and nobody's own" wait_for 5 own_word 3 null
check "it is enabled" at 2 backend enable web "$(be 2)"
check "by all" wait_for 5 shown_all web 2 state up
daemon_end lb3
printf 'X' | dd of="$DISK/register" bs=1 seek=120 conv=notrunc status=none
spoilt corrupt
check "it is named again" at 1 config voters lb1 lb2 lb3
votes "and votes" 61
daemon_end lb3
for file in "$DISK"/agreed/*.conf "$DISK/agreed.next"; do truncate -s 70 "$file"; done
check "with torn generations it is back" begin
check "runs what is agreed" wait_for 10 weight_all web 1 61
check "and has told of them" grep -q "torn or corrupt: set aside as .*agreed" "$LOG"

served_end
