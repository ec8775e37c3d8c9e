#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Many pages at once go by the sealed stream, or where there is no way for it by messages; who is no member is not heard
# there. Not here: the stream's bytes (bulk_test, bulk_fuzz), few pages (flock.sh).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/flock.sh"

for ((i = 0; i < 500; i++)); do
	echo "vip add vip-with-a-name-of-length-$((1000 + i)) tcp/203.0.113.10:$((1000 + i)) scheduler mh"
done >"$TMP/config"
lab_begin --balancers 3 --backends 1 --config "$TMP/config"
flock_begin 3

again() { # lb3 comes back with nothing
	daemon_end lb3
	wait_for 20 state_is 1 3 dead
	"$LAB" up >/dev/null
	began=$(date +%s%N)
}
back() { wait_for 20 all_alive && wait_for 20 all_same; }
again
check "one that comes back knows all that the others say" back
note "$(since "$began") ms, asking included"
exchanged() { [ $(($(metric 3 'streams_total.*self') + $(metric 3 'streams_total.*other'))) -gt 0 ]; }
check "by a stream" wait_for 10 exchanged

# --- any bytes at the port
"$LAB" exec be1 bash -c 'head -c 4000 /dev/urandom >/dev/tcp/192.0.2.11/9428; sleep 0.5' 2>/dev/null
"$LAB" exec be1 bash -c 'for ((i = 0; i < 100; i++)); do head -c 400 /dev/urandom >/dev/udp/192.0.2.11/9428; done'
told() { grep -q "not heard.* stream-malformed=" "/run/starling-lab/$STARLING_LAB/lb1/starlingd.log"; }
malformed() { [ "$(metric 1 'rejected_total.*stream-malformed')" -gt 0 ]; }
check "bytes of no flock are counted" wait_for 10 malformed
check "and logged" wait_for 20 told
equal "with one line in ten seconds, whatever comes" true "$([ "$(grep -c "not heard" "/run/starling-lab/$STARLING_LAB/lb1/starlingd.log")" -le 3 ] && echo true)"
for ((i = 0; i < 40; i++)); do "$LAB" exec be1 bash -c 'exec 3<>/dev/tcp/192.0.2.11/9428; read -t 12 -u 3' 2>/dev/null & done
flooded() { [ "$(metric 1 'rejected_total.*stream-flood')" -ge 32 ]; }
check "more connections than are listened to are ended" wait_for 10 flooded
check "and the flock goes on" all_alive
idle() { [ "$(metric 1 'rejected_total.*stream-flood')" -ge 40 ]; }
check "as are those that say nothing" wait_for 20 idle
wait

# --- no way for it
for n in 1 2; do
	"$LAB" exec lb$n nft -f - <<-'END'
		table inet notcp {
			chain in { type filter hook input priority 0; tcp dport 9428 drop; };
			chain out { type filter hook output priority 0; tcp dport 9428 drop; };
		}
	END
done
again
check "without it, messages do" back
note "$(since "$began") ms, asking included"
equal "and no stream has come through" 0 $(($(metric 3 'streams_total.*self') + $(metric 3 'streams_total.*other')))
