#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The systemd unit: well-formed, hardened, and its capabilities are enough. Not here: a booted systemd.
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/daemon.sh"

UNIT=$TOP/tools/dist/starlingd.service
if command -v systemd-analyze >/dev/null; then
	exposure=$(systemd-analyze security --offline=true "$UNIT" 2>/dev/null | sed -n 's/.*exposure level.*: \([0-9.]*\) .*/\1/p')
	check "systemd-analyze security gives 2.5 or better" awk "BEGIN { exit !(${exposure:-10} <= 2.5) }"
	note "exposure ${exposure:-unknown}"
else
	skip "systemd-analyze security gives 2.5 or better" "systemd-analyze is not installed"
fi

conf_write
caps=$(sed -n 's/^CapabilityBoundingSet=//p' "$UNIT" | tr 'A-Z ' 'a-z,' | sed 's/cap_/+/g')
mapfile -t options < <(daemon_options)
(cd / && NOTIFY_SOCKET=$TMP/notify WATCHDOG_USEC=3000000 exec setpriv --bounding-set="-all,$caps" --no-new-privs \
	starlingd "${options[@]}" -f "$CONF") >>"$LOG" 2>&1 &
PID=$!
timeout 30 python3 - "$TMP/notify" >"$TMP/said" <<-'END' &
	import socket, sys
	s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1])
	while True: print(s.recv(4096).decode().split("\n")[0], flush=True)
END
listener=$!
check "its capabilities are enough to start" daemon_wait
equal "and to attach" true "$(starling -j iface show | jq '.[0].attached')"
wait_said() { for _ in $(seq 100); do grep -q "$1" "$TMP/said" && return; sleep 0.1; done; return 1; }
check "it tells systemd that it lives" wait_said WATCHDOG=1
daemon_stop
check "and that it stops" wait_said STOPPING=1
kill "$listener"
