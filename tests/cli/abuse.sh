#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Control requests that are none, of any size and in any number: an error, nothing changed, the daemon
# up. Not here: what the parser makes of random bytes (tests/fuzz/control_fuzz.c).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/daemon.sh"

conf_write
daemon_must_start -f "$CONF"
before=$(starling config export | md5sum)
memory() { awk '/VmRSS/ { print $2 }' "/proc/$PID/status"; }

# ask SOCKET PYTHON: `say(bytes)` sends, `hear()` reads what comes until the end, `line()` one line
ask() {
	timeout 60 python3 - "$1" <<-END
		import json, os, socket, sys, time
		def connect():
		    s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.settimeout(45); return s
		s = connect()
		def say(b, s=s):
		    try: s.sendall(b)
		    except BrokenPipeError: pass
		def hear(s=s):
		    got = b""
		    while True:
		        try: part = s.recv(65536)
		        except ConnectionResetError: break
		        if not part: break
		        got += part
		    return got
		f = s.makefile("rb")
		def line(): return json.loads(f.readline())
		def refused(answer): assert "error" in answer, answer
		STATUS = b'{"words":["version"]}\n'
		def lives():
		    say(STATUS); assert "rows" in line()
		$2
	END
}

check "garbage is answered with an error, and the connection goes on" ask "$STARLING_SOCKET" \
	'for b in [b"\n", b"x\n", b"\xff\xfe\n", b"{}\n", b"[]\n", b"null\n", b"{\"words\":7}\n", os.urandom(5000).replace(b"\n", b"") + b"\n"]: say(b); refused(line())
lives()'
check "an unknown command too" ask "$STARLING_SOCKET" 'say(b"{\"words\":[\"vip\",\"explode\"]}\n"); refused(line()); lives()'
check "deep nesting too" ask "$STARLING_SOCKET" 'say(b"[" * 5000000 + b"\n"); refused(line()); say(b"{\"words\":" * 100000 + b"\n"); refused(line()); lives()'
check "a thousand words too" ask "$STARLING_SOCKET" 'say(json.dumps({"words": ["x"] * 1000}).encode() + b"\n"); refused(line()); lives()'
check "a long word too" ask "$STARLING_SOCKET" 'say(json.dumps({"words": ["vip", "show", "x" * 1000000]}).encode() + b"\n"); refused(line()); lives()'
check "control characters in words too" ask "$STARLING_SOCKET" 'say(json.dumps({"words": ["vip", "show", "a\nb\x1b[2J"]}).encode() + b"\n"); refused(line()); lives()'
check "a request without end is refused at its bound" ask "$READ_SOCKET" 'say(b"x" * (3 << 20)); assert b"too long" in hear()'
check "the largest request that may be is answered" ask "$STARLING_SOCKET" \
	'say(json.dumps({"words": ["config", "check"], "text": "# " + "x" * 3000 + "\n" * 1000000 * 20, "file": "big"}).encode() + b"\n"); assert "message" in line() or True; lives()'
check "a request over 80 MiB is refused" ask "$STARLING_SOCKET" 'say(b" " * (81 << 20)); assert b"too long" in hear()'
check "half a request and a hang-up leave nothing" ask "$STARLING_SOCKET" 'say(b"{\"words\":[\"vip\""); s.shutdown(socket.SHUT_WR); assert b"error" in hear()'
check "a request a byte at a time is a request" ask "$STARLING_SOCKET" '
for b in STATUS: say(bytes([b])); time.sleep(0.002)
assert "rows" in line()'
check "requests sent ahead are answered in order" ask "$STARLING_SOCKET" '
say(STATUS * 200 + b"x\n" + STATUS)
for i in range(200): assert "rows" in line()
refused(line()); assert "rows" in line()'
check "who sends and hangs up half-way still hears the answer" ask "$STARLING_SOCKET" 'say(STATUS); s.shutdown(socket.SHUT_WR); assert b"rows" in hear()'
check "who asks and does not listen does no harm" ask "$STARLING_SOCKET" '
say(b"{\"words\":[\"vip\",\"table\",\"web\",\"slots\"]}\n" * 50); time.sleep(0.5); s.close()'
check "two hundred connections do not lock an operator out" ask "$STARLING_SOCKET" '
many = []
for i in range(200):
    c = connect(); many.append(c)
    try: c.sendall(b"{\"wor" if i % 2 else b"")
    except BrokenPipeError: pass
c = connect(); c.sendall(STATUS); assert b"rows" in c.recv(65536)'
check "a file named without its text is not read by the daemon" ask "$STARLING_SOCKET" 'say(b"{\"words\":[\"config\",\"apply\",\"/etc/passwd\"]}\n"); a = line(); refused(a); assert "root:" not in json.dumps(a); lives()'
check "a configuration of noise is refused with places" ask "$STARLING_SOCKET" '
say(json.dumps({"words": ["config", "apply"], "text": "".join(chr(i % 90 + 33) + (" " if i % 7 else "\n") for i in range(2000000)), "file": "noise"}).encode() + b"\n"); a = line(); refused(a); assert a["error"]["line"] >= 1; lives()'
if [ -z "${SOAK:-}" ]; then rounds=300; else rounds=20000; fi
check "random requests get answers, whatever they are" ask "$STARLING_SOCKET" "
import random
random.seed(1)
words = ['vip', 'backend', 'flow', 'show', 'lookup', 'table', 'config', 'history', 'event', 'drop', 'status', 'web', 'tcp', '[::1]:1', '1.2.3.4:5', 'limit', '-1', '', 'x' * 300, chr(255), '%s%n', '../..']
for i in range($rounds):
    say(json.dumps({'words': [random.choice(words) for _ in range(random.randrange(8))], 'dry_run': True}).encode() + b'\n')
    a = line()
    assert 'rows' in a or 'error' in a or 'message' in a or 'text' in a, a"

# --- the read-only socket ---
exits "the read-only socket shows" 0 starling -s "$READ_SOCKET" vip show
for words in "vip add x tcp/203.0.113.20:80" "backend drain 192.0.2.101" "config apply $CONF" "config rollback" "iface detach veth0"; do
	# shellcheck disable=SC2086 # a list of words
	equal "the read-only socket refuses ${words%% *} ${words#* }" read-only "$(starling -j -s "$READ_SOCKET" $words | jq -r .error.code)"
done
equal "both sockets are for owner and group alone" "660 660" "$(stat -c %a "$STARLING_SOCKET" "$READ_SOCKET" | tr '\n' ' ' | sed 's/ $//')"

# --- HTTP ---
http() { # BYTES: raw
	timeout 15 python3 - "$1" <<-'END'
		import socket, sys
		s = socket.create_connection(("127.0.0.1", 9427)); s.settimeout(12)
		try:
		    s.sendall(sys.argv[1].encode().decode("unicode_escape").encode("latin-1"))
		    s.recv(65536)
		except OSError: pass
	END
}
http 'GET /\xff\xfe HTTP/1.1\r\n\r\n'
http 'BREW /metrics HTTP/9.9\r\n\r\n'
http 'GET /readyz/%00%2e%2e%2f HTTP/1.0\r\n\r\n'
http "GET /$(head -c 60000 /dev/zero | tr '\0' x) HTTP/1.1\r\n\r\n"
check "HTTP goes on after nonsense" curl -sf -m 5 -o "$TMP/page" "http://$HTTP/metrics"
check "two hundred scrapers at once are served" bash -c "
	for i in \$(seq 200); do curl -sf -m 50 -o /dev/null http://$HTTP/metrics & done
	for job in \$(jobs -p); do wait \$job || exit 1; done"

equal "nothing of all this changed the configuration" "$before" "$(starling config export | md5sum)"
check "the daemon is the one that was started" kill -0 "$PID"
check "and has not kept what it was sent" test "$(memory)" -lt 400000
note "resident $(memory) KiB"
daemon_stop
equal "it stops with status 0" 0 $?
