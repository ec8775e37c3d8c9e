#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Every command that shows something, both ways: what plain output says, JSON says. Not here: whether
# it is true (tests/net, tests/bpf).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/daemon.sh"

conf_write
cat >>"$CONF" <<-END
	roster add lb1 ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= site fra role observer,voter
	health set dns dns example.net A interval 1h timeout 200ms
	roster add lb2 ed25519:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw= stake 2
END
daemon_must_start -f "$CONF"
starling node init >/dev/null || not_ok "keys are made"
starling backend drain web 192.0.2.102:443 reason "a disk" || not_ok "a backend is drained"

sed 's/weight 50/weight 0/' "$CONF" >"$TMP/other.conf"

# Every command of the table that answers with rows; arguments where one is needed.
SHOWS=(
	"vip show" "vip show web" "vip table web" "vip table web slots" "backend show" "backend show vip web"
	"flow show" "flow lookup tcp 198.51.100.7:51515 203.0.113.10:443" "iface show" "drop show" "roster show" "node show"
	"health show" "health show vip dns" "health probe dns 192.0.2.101:53"
	"node key show" "node lease show" "node audit show" "node audit show limit 2"
	"config history" "config level" "metric show" "metric show starling_vip_" "feature probe" "feature probe veth0" "status"
	"version" "top" "config diff $TMP/other.conf"
)
covered=$(printf '%s\n' "${SHOWS[@]}" "config show" "config export" "config check" "health export" "roster history")
table=$(starling help | awk '/^[a-z]/ { print $1, ($2 ~ /^[a-z]+$/ ? $2 : "") }' |
	grep -E ' (show|table|lookup|history|export|probe|check|diff)$|^(status|top|version) *$' | sort -u)
missed=
while read -r object verb; do
	grep -q "^$object${verb:+ $verb}" <<<"$covered" || missed+=" $object $verb,"
done <<<"$table"
equal "every show of the command table is tried here" "" "$missed"

# Every number and word of the plain output with -N is a value in JSON too. Blanks part words; the
# catalog's labels are not values.
plain_agrees() { # WORDS...
	starling -N -d "$@" >"$TMP/plain" 2>&1 || [ $? = 5 ] || return 1
	starling -j "$@" >"$TMP/json" 2>&1 || [ $? = 5 ] || return 1
	jq -e 'type == "array"' <"$TMP/json" >/dev/null || return 1
	python3 - "$TMP/plain" "$TMP/json" <<-'END'
		import json, re, sys
		plain, rows = open(sys.argv[1]).read(), json.load(open(sys.argv[2]))
		def values(v):
		    if isinstance(v, list): return [x for e in v for x in values(e)]
		    if isinstance(v, dict): return [x for e in v.values() for x in values(e)]
		    return [v]
		known = set()
		for v in values(rows):
		    if isinstance(v, bool): known |= {"yes", "no", "true", "false"}
		    elif isinstance(v, (int, float)): known.add(float(v))
		    elif v is not None: known |= set(re.split(r"[\s/]+", str(v)))
		moving = 0
		numbers = re.findall(r"(?<![\w.:\[\]/-])\d+(?:\.\d+)?(?![\w.:\]/%-])", plain)
		unknown = [n for n in numbers if float(n) not in known and n not in known]
		# what moves between two calls (rates, ages, counters of the process) may differ
		if len(unknown) > max(3, len(numbers) // 3):
		    sys.exit("plain says %s, JSON does not" % unknown[:5])
		if rows and not plain.strip():
		    sys.exit("JSON has rows, plain says nothing")
		if not rows and len(plain.splitlines()) > 1:
		    sys.exit("plain has rows, JSON has none")
	END
}

for show in "${SHOWS[@]}"; do
	# shellcheck disable=SC2086 # a list of words
	check "$show says the same in both forms" plain_agrees $show
done

# Static values agree word by word.
equal "vip show agrees on names" "$(starling -j vip show | jq -r '.[].name' | sort)" \
	"$(starling -N vip show | sed -n 's/^[0-9]*: \([a-z]*\) .*/\1/p' | sort)"
equal "backend show agrees on state and weight" \
	"$(starling -j backend show | jq -r '.[] | "\(.vip) \(.backend) \(.state) \(.weight)"' | sort)" \
	"$(starling -N backend show | awk 'NR > 1 { print $1, $2, $3, $4 }' | sort)"
equal "-p is the same JSON" "$(starling -j vip table web | jq -S .)" "$(starling -p vip table web | jq -S .)"
equal "-p is longer" 1 "$(($(starling -p vip table web | wc -l) > $(starling -j vip table web | wc -l)))"
equal "config show prints what config export prints" "$(starling config export)" "$(starling config show)"
equal "and in JSON" "$(starling config export)" "$(starling -j config export | jq -r .text)"
exits "a VIP that is not there exits 1" 1 starling vip show nobody
equal "and says not-found" not-found "$(starling -j vip show nobody | jq -r .error.code)"
exits "backends of a VIP that is not there exit 1" 1 starling backend show vip nobody
says "who drained it and why is shown" 'draining.*root@.*a disk' starling backend show vip web
equal "never a colour in a pipe" 0 "$(starling vip show | grep -c $'\033')"
equal "but always with --color always" 1 "$(starling --color always backend show | grep -c -m 1 $'\033')"
lines=$(timeout 2 starling -w 0.2 -j drop show | wc -l)
equal "-w repeats" 1 "$((lines > 3))"

# --- streams ---
timeout 20 starling -j event watch >"$TMP/events" &
watcher=$!
sleep 0.5
starling backend disable dns 192.0.2.101:53 && starling backend enable dns 192.0.2.101:53
starling backend set dns 192.0.2.101:53 weight 7
sleep 0.5
kill "$watcher"
equal "event watch tells of a backend and of the configuration, an object a line" "backend config" \
	"$(jq -r .event <"$TMP/events" | grep -v vip | sort -u | tr '\n' ' ' | sed 's/ $//')"

timeout 20 starling -j flow trace vip web sample 1 count 1 >"$TMP/trace" &
tracer=$!
sleep 1
syn_send 5
wait "$tracer"
equal "flow trace shows a packet" "web 198.51.100.7:51515" "$(jq -r '"\(.vip) \(.source)"' <"$TMP/trace" | head -1)"

equal "with what it stands for" 1 "$(jq .sample <"$TMP/trace" | head -1)"
says "a balancer alone has no votes to show" 'no votes of the present roster decide about 192.0.2.101:53: see .health show' \
	starling health export dns 192.0.2.101:53
equal "a trace of no VIP is refused" 'starling: there is no VIP "wbe"; did you mean "web"?' "$(timeout 5 starling flow trace vip wbe 2>&1)"
timeout 3 starling flow trace vip web >"$TMP/trace" 2>"$TMP/said"
says "a trace of everything says what it leaves out" 'one packet in 100 is looked at; .sample 1. looks at every one' cat "$TMP/said"
timeout 20 starling flow trace vip web client 198.51.100.7 count 5 >"$TMP/trace" 2>"$TMP/said" &
tracer=$!
sleep 1
syn_send 5
wait "$tracer"
equal "of one client every packet is shown" "5 0" "$(wc -l <"$TMP/trace") $(wc -l <"$TMP/said")"
timeout 20 starling -j flow trace vip web count 1 >"$TMP/trace" 2>"$TMP/said" &
tracer=$!
sleep 1
syn_send 2000
wait "$tracer"
equal "JSON says it in each row, and nothing else" "web 100 0" "$(jq -r '"\(.vip) \(.sample)"' <"$TMP/trace") $(wc -c <"$TMP/said")"

# --- HTTP ---
curl -s -m 5 "http://$HTTP/metrics" >"$TMP/metrics"
check "promtool has nothing to say about the metrics" bash -c "said=\$(promtool check metrics <'$TMP/metrics' 2>&1) && [ -z \"\$said\" ]"
curl -s -m 5 -H 'Accept: application/openmetrics-text; version=1.0.0' "http://$HTTP/metrics" >"$TMP/openmetrics"
equal "OpenMetrics ends with EOF" "# EOF" "$(tail -n 1 "$TMP/openmetrics")"
equal "metric show has the samples that are served" "$(grep -c '^starling_vip_' "$TMP/metrics")" \
	"$(starling -j metric show starling_vip_ | jq length)"
equal "healthz is well" 200 "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "http://$HTTP/healthz")"
equal "readyz of no VIP is not found" 404 "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "http://$HTTP/readyz/nobody")"
starling vip add lost tcp/203.0.113.15:80
starling backend add lost 192.0.2.200:80
equal "readyz of a VIP whose backends are resolved" 200 "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "http://$HTTP/readyz/web")"
equal "readyz says why not while no next hop answers" 503 \
	"$(curl -s -m 5 -o "$TMP/why" -w '%{http_code}' "http://$HTTP/readyz")"
check "in words" test -s "$TMP/why"
equal "POST is not served" 405 "$(curl -s -m 5 -X POST -d x -o /dev/null -w '%{http_code}' "http://$HTTP/metrics")"
equal "another page is not found" 404 "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "http://$HTTP/etc/passwd")"
starling vip delete lost
starling listen http 127.0.0.1:9428
# shellcheck disable=SC2016 # for the inner shell
check "listen moves the server" bash -c 'for i in $(seq 50); do curl -s -m 1 http://127.0.0.1:9428/healthz && exit; sleep 0.1; done; false'
equal "permanent neighbours are left as they are" 6 "$(ip neigh show dev veth0 | grep -c PERMANENT)"

daemon_stop
daemon_must_start -f "$CONF" --no-backend-metrics
for _ in $(seq 50); do curl -sf -m 5 "http://$HTTP/metrics" >"$TMP/few" && break; sleep 0.1; done
equal "series of single backends can be switched off" "0 yes" \
	"$(grep -c '^starling_backend_' "$TMP/few") $(grep -q '^starling_vip_' "$TMP/few" && echo yes)"
