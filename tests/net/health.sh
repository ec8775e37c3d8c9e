#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A lone balancer checks real servers: each way to fail ejects the one that fails and nobody else, and
# all come back. Not here: single answers (unit/prober_test), verdicts of a flock.
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/agent.sh"

FALL=2 REPEATS=3
{
	vip_lines web 10 mh ipip 4 4
	echo "health set web http path /name interval 500ms timeout 300ms rise 2 fall $FALL"
	vip_lines same 11 wlc dr 4 4
	echo "health set same http path /name interval 500ms timeout 300ms rise 2 fall $FALL"
	vip_lines other 12 wrr gue 4 4
} >"$TMP/config"
lab_begin --backends 4 --config "$TMP/config"
RUN=/run/starling-lab/$STARLING_LAB

health_value() { # VIP BACKEND KEY
	lb -j health show vip "$1" | jq -r ".[] | select(.backend == \"$2\") | .$3"
}

is() { # VIP BACKEND STATE: as `backend show` has it
	[ "$(backend_value "$1" "$2" state)" = "$3" ]
}

all_up() {
	[ "$(lb -j health show vip web | jq -r '[.[] | select(.verdict == "up")] | length')" = 4 ] &&
		[ "$(lb -j backend show vip web | jq -r '[.[] | select(.state == "up")] | length')" = 4 ]
}

page() { # PATH
	on lb1 curl -s -m 5 "http://127.0.0.1:9427$1"
}

check "with the first answers all are up" wait_for 20 all_up
ready() { [ "$(page /readyz)" = ready ]; }
check "and the balancer is ready" wait_for 5 ready
"$LAB" exec lb1 starling event watch backend >"$TMP/events" 2>/dev/null &
cleanup "kill $!"

# ejected NAME N: backend N goes; then it is repaired, by a command, and comes back
ejected() { # NAME N BREAK REPAIR
	local name=$1 at before after bound=$((FALL + REPEATS + 8)) # probes go on while it is asked
	at=$(be "$2")
	before=$(health_value web "$at" failures)
	eval "$3"
	if ! wait_for 20 is web "$at" down; then
		not_ok "$name: it is ejected" "$(lb health show vip web; lb backend show vip web)"
		return
	fi
	after=$(health_value web "$at" failures)
	check "$name: within the probes that it takes ($((after - before)))" \
		test $((after - before)) -ge $((FALL + REPEATS)) -a $((after - before)) -le $bound
	check "$name: the VIP that shares its probes has it, too" wait_for 5 is same "$at" down
	equal "$name: who is not checked stays" up "$(backend_value other "$at" state)"
	none_fails "$name: no request fails any more" 500 "$(vip4 10)" "$(vip4 11)"
	equal "$name: nothing goes to it" 0 "$(word_of "be$2" "$LAST")"
	note "$name: $(lb health show vip web | grep -F "$at")"
	eval "$4"
	check "$name: it comes back" wait_for 20 all_up
}

ejected "kill -9" 2 "signal KILL be2" "'$LAB' up"
ejected "link down" 3 "on router ip link set be3 down" "on router ip link set be3 up"
ejected "black hole" 4 "'$LAB' fault be4 cut in; '$LAB' fault be4 cut out" "'$LAB' fault be4 clear"
ejected "accepts, never answers" 2 "signal STOP be2" "signal CONT be2"

# slow, but in time; and away for less than FALL probes
check "a backend's page is slow for once" lb health set same http path /blob?rate=150000 interval 2s timeout 1500ms fall 3
check "and the other is checked at leisure" lb health set web http path /name interval 1s timeout 300ms rise 2 fall 4
check "all are up" wait_for 20 all_up
fails_more() { [ "$(health_value web "$(be 3)" failures)" -gt "$failures" ]; }
for _ in 1 2 3; do
	failures=$(health_value web "$(be 3)" failures)
	signal STOP be3
	check "it fails a probe" wait_for 5 fails_more
	signal CONT be3
	sleep 1.5
done
equal "one that flaps for less than fall probes stays" up "$(backend_value web "$(be 3)" state)"
check "a slow answer has been taken" test "$(jq -n "$(health_value same "$(be 1)" took) > 0.2")" = true
equal "one that is slow, but in time, stays" up "$(backend_value same "$(be 1)" state)"
check "those that were ejected were told of" grep -qF "$(be 2)" "$TMP/events"
equal "no healthy one was ejected" "" "$(grep -F "$(be 1)" "$TMP/events")"

check "checks are as they were" lb health set web http path /name interval 500ms timeout 300ms rise 2 fall $FALL

# what is known outlives the daemon
"$LAB" fault be2 cut in
"$LAB" fault be2 cut out
check "a backend is down" wait_for 20 is web "$(be 2)" down
kill -9 "$(daemon_pid lb1)"
sleep 0.5
"$LAB" up >/dev/null
check "after kill -9 of the daemon it is down from the start" is web "$(be 2)" down
lb backend drain web "$(be 2)" >/dev/null
equal "the operator's word has precedence" draining "$(backend_value web "$(be 2)" state)"
lb backend enable web "$(be 2)" >/dev/null
check "and is taken back" is web "$(be 2)" down
"$LAB" fault be2 clear
check "it comes back" wait_for 20 all_up

# nobody is usable: all serve
all_down() {
	[ "$(lb -j backend show vip web | jq '[.[] | select(.state == "down")] | length')" = 4 ]
}
signal STOP be1 be2 be3 be4
check "all are down" wait_for 20 all_down
equal "all are in service then" 4 "$(lb -j backend show vip web | jq '[.[] | select(.up)] | length')"
lb status >"$TMP/status" 2>&1
equal "status is degraded" 5 $?
check "and says why" grep -q 'by its checks: they are not heeded' "$TMP/status"
signal CONT be1 be2 be3 be4
check "and all come back" wait_for 20 all_up
check "status is well again" wait_for 5 lb status

# half are killed at once; the network of the probes is cut, but not that of the clients
check "half has to be left" lb vip set web panic 50
check "and probes go to a port of their own" lb health set web tcp port 443 interval 500ms timeout 300ms rise 2 fall $FALL
check "all are up" wait_for 20 all_up
signal KILL be1 be2
check "half are killed at once: they are down" wait_for 20 is web "$(be 1)" down
check "both" wait_for 20 is web "$(be 2)" down
none_fails "the other half serves" 500 "$(vip4 10)"
equal "nothing goes to the first" 0 "$(word_of be1 "$LAST")"
"$LAB" up >/dev/null
check "they come back" wait_for 20 all_up
load_begin served -c 4 "$(vip4 10)"
transitions=$(lb -j backend show vip web | jq '[.[].transitions] | add')
on lb1 nft -f - <<-END
	table inet unprobed { chain out { type filter hook output priority 0; tcp dport 443 drop; }; }
END
check "by the probes all are down, whose network is cut" wait_for 20 all_down
equal "all are in service still" 4 "$(lb -j backend show vip web | jq '[.[] | select(.up)] | length')"
lb backend show vip web >"$TMP/backends"
equal "and backend show says why, of each" 4 "$(grep -c 'would be out, but too few would be left' "$TMP/backends")"
lb status >"$TMP/status" 2>&1
equal "status is degraded by it" 5 $?
check "and says why, and of how many" grep -q 'VIP web keeps 4 of 4 backends in service .* less than 50 % would be left' "$TMP/status"
check "so does metrics, of availability" grep -qF 'starling_vip_available{vip="web"} 1' <(page /metrics)
on lb1 nft delete table inet unprobed
check "all are up again" wait_for 20 all_up
check "and status is well" wait_for 5 lb status
equal "nobody was out at any time" "$transitions" "$(lb -j backend show vip web | jq '[.[].transitions] | add')"
served_end
lb vip set web panic 0 >/dev/null
lb health set web http path /name interval 500ms timeout 300ms rise 2 fall $FALL >/dev/null
check "checks are as they were before" wait_for 20 all_up

# whoever is down is begun again, by a hook: here it asks for that, as it may do nothing itself
hook() { # NAME: what it does comes in
	cat >"$RUN/hooks/$1"
	chmod 755 "$RUN/hooks/$1"
}
"$LAB" exec lb1 starling event watch restart >"$TMP/restarts" 2>/dev/null &
cleanup "kill $!"
mkfifo -m 666 "$RUN/asked"
while read -r words; do
	echo "$words" >>"$TMP/asked"
	"$LAB" up >/dev/null
done <>"$RUN/asked" &
cleanup "kill $!"
hook revive <<-END
	#!/bin/sh
	echo "\$(id -u) \$STARLING_VIP \$STARLING_ADDRESS \$STARLING_PORT" >$RUN/asked
	sleep 16180$$ &
	echo asked for it
END
check "a VIP has a hook" lb vip set web restart revive
signal KILL be2
check "kill -9: it is down" wait_for 20 is web "$(be 2)" down
nobody() { [[ $(health_value web "$(be 2)" restart) == *"node set hooks on" ]]; }
check "where hooks are off it stays so, as health show says" wait_for 5 nobody
check "hooks are on" lb node set hooks on
check "the hook has it begun again: it comes back" wait_for 20 all_up
equal "by nobody's rights, and told what is down" "65534 web 192.0.2.102 80" "$(cat "$TMP/asked")"
check "what it had begun is gone with it" sh -c "! pgrep -f '^sleep 16180$$\$'"
check "health show says by whom, how often and what came of it" \
	grep -qE 'restart: by lb1, 1 time, [0-9]+ s ago exit 0: asked for it' <(lb health show vip web)
check "so do the events" grep -qF 'revive: exit 0: asked for it' "$TMP/restarts"
noted() { lb node audit show | grep -qF "ran the hook revive for web $(be 2): ok: exit 0"; }
check "and the audit log" wait_for 5 noted
check "and metrics" grep -qF 'starling_health_restarts_total{result="ok"} 1' <(page /metrics)
check "an operator disables one" lb backend disable web "$(be 3)"
signal KILL be3
found_down() { [ "$(health_value web "$(be 3)" verdict)" = down ]; }
check "it is killed" wait_for 20 found_down
sleep 2
equal "and stays so" 1 "$(wc -l <"$TMP/asked")"
lb backend enable web "$(be 3)" >/dev/null
check "enabled again it is begun again" wait_for 20 all_up
equal "by the hook" "65534 web 192.0.2.103 80" "$(sed -n 2p "$TMP/asked")"
lb vip set web restart none >/dev/null
hook hang <<-END
	#!/bin/sh
	sleep 27182$$ &
	wait
END
hook open </dev/null
chmod 757 "$RUN/hooks/open"
for name in hang open nothing; do
	lb vip add $name "udp/203.0.113.13:$((++port))" restart $name >/dev/null
	lb health set $name tcp interval 300ms fall 1 >/dev/null
	lb backend add $name 192.0.2.101:81 >/dev/null
done
refused_for() { # VIP WHY
	[[ $(health_value "$1" 192.0.2.101:81 'restart_result + .restart') == refused*"$2"* ]]
}
check "a hook that others may write is not run" wait_for 10 refused_for open "may be written by others"
check "nor one that is not there" wait_for 10 refused_for nothing "No such file"
for port in 82 83 84 85 86; do lb backend add hang 192.0.2.101:$port >/dev/null; done
hanging() { [ "$(pgrep -cf "^sleep 27182$$\$")" = "$1" ]; }
check "hooks hang" wait_for 10 hanging 4
sleep 1
check "four of six at most" hanging 4

# whoever comes back fills
sampled() { # STATE: be2's of VIP same by now; rows are kept
	lb -j backend show vip same | tee "$TMP/row" >>"$TMP/rows"
	[ "$(jq -r ".[] | select(.backend == \"$(be 2)\") | .state" "$TMP/row")" = "$1" ]
}
connections() {
	jq '[.[].connections] | add' "$TMP/row"
}
many_more() {
	sampled up && [ "$(connections)" -gt $((counted + 1000)) ]
}
# Of be2: its part of new connections while it had up to 3 of its weight of 10, and once it had all.
shares() {
	jq -s --arg at "$(be 2)" 'def be2: .[] | select(.backend == $at);
		def share($from; $to): (($to | be2.connections) - ($from | be2.connections)) /
			([$to[].connections] | add - ([$from[].connections] | add));
		def of($state): map(select(be2.state == $state));
		(of("filling") | map(select(be2.present_weight <= 3))) as $few | of("up") as $whole |
		share($few[0]; $few[-1]), share($whole[0]; $whole[-1])' "$TMP/rows"
}
check "a VIP starts slowly" lb vip set same slow-start 10s
signal KILL be2
check "kill -9: it is down" wait_for 20 is same "$(be 2)" down
load_begin served -c 4 "$(vip4 11)"
"$LAB" up >/dev/null
check "it comes back, and fills" wait_for 20 sampled filling
check "backend show says with which weight" grep -q 'weight [0-9.]* yet' <(lb backend show vip same)
check "then it is up" wait_for 20 sampled up
counted=$(connections)
check "for a while" wait_for 20 many_more
{ read -r few; read -r whole; } <<<"$(shares)"
note "of new connections it got $few at first, $whole at last"
check "and was not flooded at first" test "$(jq -n "$few * 2 < $whole")" = true
served_end
lb vip set same slow-start 0 >/dev/null
check "the other VIP starts at once" wait_for 20 all_up

# whoever was out waits for an operator's word
check "recovery is hybrid" lb vip set same recovery hybrid
"$LAB" fault be3 cut in
check "a backend is down" wait_for 20 is same "$(be 3)" down
"$LAB" fault be3 clear
check "its checks say up: it is held" wait_for 20 is same "$(be 3)" held
check "but up for the VIP that recovers by itself" wait_for 20 is web "$(be 3)" up
none_fails "nobody misses it" 500 "$(vip4 11)"
equal "and it gets nothing" 0 "$(word_of be3 "$LAST")"
check "-n readmits nobody" lb -n backend readmit same "$(be 3)"
equal "it is held still" held "$(backend_value same "$(be 3)" state)"
check "readmit" lb backend readmit same "$(be 3)"
check "lets it in" wait_for 5 is same "$(be 3)" up
lb backend readmit same "$(be 3)" >/dev/null 2>&1
equal "who is in is not let in again" 1 $?
check "recovery is manual" lb vip set same recovery manual
"$LAB" fault be3 cut in
check "nobody is taken out" wait_for 20 is same "$(be 3)" failing
check "but for the VIP that goes by its checks" is web "$(be 3)" down
lb status >"$TMP/status" 2>&1
equal "status is degraded by it" 5 $?
check "and says what to do" grep -q 'VIP same keeps 1 of 4 backends in service .*: backend disable takes them out' "$TMP/status"
check "so does health show" grep -q 'it fails by its checks, and serves' <(lb health show vip same)
check "the operator takes it out" lb backend disable same "$(be 3)"
none_fails "and no request fails" 300 "$(vip4 11)"
lb backend enable same "$(be 3)" >/dev/null
"$LAB" fault be3 clear
check "it is up by its checks" wait_for 20 is same "$(be 3)" up
lb vip set same recovery auto >/dev/null

# agents
agent_begin be1 "up 75%"
agent_says() { # WORDS STATE
	agent_word "$1"
	check "the agent says $1: $2" wait_for 20 is web "$(be 1)" "$2"
}
check "agents are asked" lb health set web agent port 9000 interval 300ms timeout 300ms fall 1 rise 1
agent_says "drain" draining
agent_says "up 50%" draining
heard() { [ "$(health_value web "$(be 1)" result)" = "up 50%" ]; }
check "which has been heard" wait_for 10 heard
equal "what is not mentioned stays" draining "$(backend_value web "$(be 1)" state)"
agent_says "ready" up
agent_says "maint" disabled
kill -STOP "$AGENT"
check "the check is changed, while the agent says nothing" \
	lb health set web agent port 9000 interval 300ms timeout 300ms fall 2 rise 1
sleep 1
equal "its word holds on" disabled "$(backend_value web "$(be 1)" state)"
kill -CONT "$AGENT"
check "the check is as it was" lb health set web agent port 9000 interval 300ms timeout 300ms fall 1 rise 1
agent_says "ready up" up
agent_says "down #disk" down
agent_says "up" up
equal "who has no agent stays" up "$(backend_value web "$(be 2)" state)"

# single probes of each kind
probe() { # WANTED WORDS OF THE CHECK...
	local wanted=$1 said
	shift
	lb health set web "$@" interval 1h timeout 2s >/dev/null
	said=$(lb -j health probe web "$(be 1)" | jq -r '.[0] | "\(.reason): \(.result)"')
	equal "$*: $wanted" "$wanted" "$said"
}
probe "ok: connected" tcp
probe "refused: connecting: Connection refused" tcp port 81
probe "ok: as expected" talk send 'GET /name HTTP/1.0\r\n\r\n' expect '\x62e1\n'
probe "ok: status 200" http path /name body be1
probe "status: status 404" http path /nothing
probe "ok: status 200" https port 443 path /name
probe "ok: echo" icmp
probe "ok: as expected" udp send hello expect hello port 7
probe "ok: up" agent port 9000
check "a certificate that is not right is refused" test "$(lb health set web https port 443 verify on sni lab interval 1h >/dev/null &&
	lb -j health probe web "$(be 1)" | jq -r '.[0].reason')" = tls

# files
lb health set web exec look interval 1h >/dev/null
lb status >"$TMP/status" 2>&1
check "where files are off, status says that nothing is checked" grep -q 'not checked from here: .*node set exec on' "$TMP/status"
lb node set exec on >/dev/null
cat >"$RUN/checks/look" <<'END'
#!/bin/sh
echo "$(id -u) $STARLING_ADDRESS $STARLING_PORT"
END
chmod 755 "$RUN/checks/look"
probe "ok: exit 0: 65534 192.0.2.101 80" exec look
printf '#!/bin/sh\nsleep 31415%s &\necho no; exit 3\n' $$ >"$RUN/checks/look"
probe "exit: exit 3: no" exec look
check "and what it had begun is gone" sh -c "! pgrep -f '^sleep 31415$$\$'"
chmod 777 "$RUN/checks/look"
probe "local: $RUN/checks/look may be written by others" exec look
probe "local: $RUN/checks/nothing: No such file or directory" exec nothing

had_turns() { lb -j health show vip hang | jq -e 'all(.restarts > 0)' >/dev/null; }
check "hooks that hang are ended after 30 s: all have had their turn" wait_for 40 had_turns
check "which metrics say" grep -qE 'starling_health_restarts_total\{result="timeout"\} [1-9]' <(page /metrics)
note "$(lb health show vip hang | head -n 2)"
lb vip delete hang >/dev/null

for host in lb1 be1; do
	equal "no connection waits in TIME_WAIT on $host" 0 "$(on "$host" ss -Htan state time-wait '( sport = :80 or dport = :80 )' |
		grep -c 192.0.2.11)"
done
page /metrics >"$TMP/metrics"
check "probes are counted" grep -qE '^starling_health_checks_total [1-9]' "$TMP/metrics"
check "failures by reason" grep -qE '^starling_health_check_failures_total\{reason="timeout"\} [1-9]' "$TMP/metrics"
check "and durations" grep -qE '^starling_health_check_duration_seconds_bucket\{le="\+Inf"\} [1-9]' "$TMP/metrics"
if command -v promtool >/dev/null; then
	equal "promtool finds nothing to say" "" "$(promtool check metrics <"$TMP/metrics" 2>&1)"
else
	skip "promtool finds nothing to say" "promtool is not installed"
fi
