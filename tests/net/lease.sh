#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A lease that balancers take in turn: renewed beside changes of the configuration, over when its holder is cut off or
# dead. And what one balancer does for all, without leases and with: the hook of a backend that is down. Not here: that
# two never have one (tests/sim/lease_test.c), the register (agree.sh), hooks of one balancer alone (health.sh).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/flock.sh"
. "$TOP/tests/lib/agree.sh"

{
	vip_lines web 10 wlc ipip 4 2
	echo "vip add gone tcp/203.0.113.12:80 restart note"
	echo "health set gone tcp interval 300ms fall 1"
	echo "backend add gone 192.0.2.101:81" # nobody is there
} >"$TMP/config"
three_begin 2
RUN=/run/starling-lab/$STARLING_LAB

take() { # N TTL: prints the number
	at "$1" node lease take certbot ttl "$2"
}

value() { # N KEY: of the lease
	at "$1" -j node lease show | jq -r "[.. | objects | select(.name? == \"certbot\")][0].$2"
}

# --- a hook is run by one of those that may
cat >"$RUN/hooks/note" <<END
#!/bin/sh
hostname -I | sed 's/.*192\.0\.2\.1\([123]\) .*/lb\1/' >>$RUN/ran
END
install -m 666 /dev/null "$RUN/ran"
chmod 755 "$RUN/hooks/note"
hooks() { # on|off N...
	local n
	for n in "${@:2}"; do at "$n" node set hooks "$1" >/dev/null; done
}
runner_is() { # NODE, or null: for all
	all_say "all(.[0].restart_by == $1 and .[0].verdict == \"down\" and .[0].by == \"certified\")" health show vip gone
}
runner() { at 3 -j health show vip gone | jq .[0].restart_by; }
has_run() { grep -qx "$(jq -r . <<<"$1")" "$RUN/ran"; }
check "where no balancer may run hooks nobody does" wait_for 20 runner_is null
hooks on 1 2
one_of() { runner_is "$(runner)" && ! runner_is null; }
check "two may: it is one of them, the same for all" wait_for 10 one_of
first=$(runner)
check "which runs it" wait_for 10 has_run "$first"
note "$(at 3 health show vip gone | tail -n 1)"
equal "and nobody else" "$(jq -r . <<<"$first")" "$(sort -u "$RUN/ran")"
other=$((3 - ${first//[^12]/}))
FLOCK=(3 "$other")
kill -9 "$(daemon_pid "$(jq -r . <<<"$first")")"
check "it dies: the other one takes over" wait_for 20 runner_is "\"lb$other\""
check "and runs it" wait_for 10 has_run "\"lb$other\""
"$LAB" up >/dev/null
FLOCK=(1 2 3)
check "all are alive again" wait_for 20 all_alive
hooks off 1 2
check "nobody may any more" wait_for 10 runner_is null

# --- a register
refused "without a register" "needs 3 voters" take 1 5s
check "one voter is named" at 1 config voters lb1
refused "with one voter" "needs 3 voters" take 1 5s
check "three are named" at 1 config voters lb1 lb2 lb3

# --- in turn
first=$(take 1 30s)
check "the one that takes it gets a number" test "$first" -gt 0
refused "another one" "lb1 has the lease certbot, with number $first; it ends in" take 2 30s
refused "to drop another's" "lb1 has the lease" at 2 node lease drop certbot
known() { [ "$(value 3 holder) $(value 3 held) $(value 3 fence)" = "lb1 false $first" ]; }
check "all know who has it" wait_for 5 known
equal "taken again it is the same" "$first" "$(take 1 10m)"
equal "its holder counts less of its time" true "$(jq -n "$(value 1 remaining) | . < 571 and . > 400")"
check "it is dropped" at 1 node lease drop certbot
refused "to drop none" "there is no lease" at 1 node lease drop certbot
second=$(take 2 30s)
check "another one takes it at once, with a higher number" test "$second" -gt "$first"

# --- beside changes of the configuration
renewals() {
	local n
	for n in {1..40}; do [ "$(take 2 30s)" = "$second" ] || return 1; done
}
renewals &
began=$(generation 1)
failed=0
for weight in {11..20}; do at 1 backend set web "$(be 1)" weight "$weight" >/dev/null || failed=$((failed + 1)); done
equal "changes of the configuration are made while it is renewed" 0 $failed
wait $! && kept=yes || kept=no
equal "which never fails" yes "$kept"
equal "nor fills the audit log: a line for the number it has" 1 \
	"$(at 2 -j node audit show | jq '[.[] | select(.what | startswith("node lease take certbot"))] | length')"
equal "and makes no generation" $((began + 10)) "$(generation 1)"
check "which all run" wait_for 5 weight_all web 1 20

# --- a holder that is cut off
take 2 8s >/dev/null
sever 2
waits() { take 1 3s 2>/dev/null >"$TMP/third"; }
lapsed() { [ "$(value 2 held)" = false ]; }
check "another one takes it in time" wait_for 20 waits
check "the one that was cut off knows of itself that it is over" lapsed
check "the number is higher" test "$(cat "$TMP/third")" -gt "$second"
refused "the one that is cut off" "too few voters" take 2 3s
mend 2
check "all are alive again" wait_for 20 all_alive
third=$(cat "$TMP/third")

# --- a holder that is dead
fourth=$(take 1 15s)
kill -9 "$(daemon_pid lb1)"
"$LAB" up >/dev/null
check "its holder starts again" wait_for 10 all_alive
check "and has it no longer" test "$(value 1 held)" = false
fifth() { take 3 3s >"$TMP/fifth" 2>/dev/null; }
check "another one takes it in time" wait_for 30 fifth
check "numbers rise" test "$third" -le "$fourth" -a "$fourth" -lt "$(cat "$TMP/fifth")"

# --- as many as fit
at 3 node lease drop certbot >/dev/null 2>&1
for name in a b c; do at 1 node lease take $name ttl 1m >/dev/null; done
refused "one more" "as many as fit" at 2 node lease take d ttl 1m
refused "the balancers' own" "the balancers' own" at 2 node lease take restart ttl 10m
refused "to drop the balancers' own" "the balancers' own" at 2 node lease drop restart
refused "a name that is too long" "1 to 15 letters" at 2 node lease take sixteen-letters-

# --- who has the lease for it runs the hook
: >"$RUN/ran"
install -m 755 "$RUN/hooks/note" "$RUN/hooks/again"
check "another hook" at 1 vip set gone restart again
hooks on 1 2 3
holder() { at 2 -j node lease show | jq '[.. | objects | select(.name? == "restart")][0].holder'; }
had() { runner_is "$(holder)" && has_run "$(holder)"; }
check "one takes the lease, and runs it" wait_for 20 had
first=$(holder)
equal "nobody else does" "$(jq -r . <<<"$first")" "$(sort -u "$RUN/ran")"
note "$(at 1 node lease show | grep restart)"
note "$(at "${first//[^123]/}" health show vip gone | tail -n 1)"
