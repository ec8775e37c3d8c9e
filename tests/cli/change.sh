#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What changes, and what survives: single commands, files, history, operating state, restarts. Not
# here: traffic meanwhile (tests/net/restart.sh).
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/daemon.sh"

conf_write
daemon_must_start -f "$CONF"
equal "the first configuration is generation 1" 1 "$(generation)"

# --- single commands ---
exits "vip add is quiet" 0 starling vip add extra tcp/203.0.113.12:80
equal "and makes a generation" 2 "$(generation)"
exits "a VIP of that name is refused" 1 starling vip add extra tcp/203.0.113.13:80
exits "an address of another VIP is refused" 1 starling vip add another tcp/203.0.113.10:443
equal "naming who has it and who wants it" "starling: VIP another: tcp/203.0.113.10:443 belongs to VIP web already" \
	"$(starling vip add another tcp/203.0.113.10:443 2>&1)"
equal "also of an address added" "starling: VIP dns: udp/203.0.113.10:443 belongs to VIP web already" \
	"$(starling vip address dns add udp/203.0.113.10:443 2>&1)"
exits "a backend of no VIP is refused" 1 starling backend add nobody 192.0.2.101:80
equal "what was refused changed nothing" 2 "$(generation)"
exits "-n says what would change" 0 starling -n backend add extra 192.0.2.101:80
equal "namely one line, and what comes of it" "+ backend|= effect|" \
	"$(starling -j -n backend add extra 192.0.2.101:80 | jq -r '.[] | "\(.change) \(.object)"' | tr '\n' '|')"
equal "and changes nothing" 2 "$(generation)"
starling backend add extra 192.0.2.101:80 weight 3
starling backend set extra 192.0.2.101:80 weight 3
equal "what is already so makes no generation" 3 "$(generation)"

# --- export, apply, diff ---
starling config export >"$TMP/exported"
equal "applying what runs touches nothing" 3 "$(starling config apply "$TMP/exported" >/dev/null && generation)"
equal "and differs in nothing" "[]" "$(starling -j config diff "$TMP/exported")"
starling config apply "$CONF" >/dev/null
equal "applying a file removes what is absent" "dns web" "$(starling -j vip show | jq -r '.[].name' | sort | tr '\n' ' ' | sed 's/ $//')"
starling config apply "$TMP/exported" >/dev/null
check "export, apply, export gives the same bytes" cmp <(starling config export) "$TMP/exported"
before=$(generation)
starling config apply "$TMP/exported" >/dev/null
equal "the same text again makes no generation" "$before" "$(generation)"
starling backend set web 192.0.2.101:443 weight 77
starling config apply "$TMP/exported" >/dev/null
check "and undoes a change made since" cmp <(starling config export) "$TMP/exported"
printf 'vip add web tcp/203.0.113.10:443 scheduler fastest\nvip add web tcp/203.0.113.10:444\n' >"$TMP/bad.conf"
before=$(generation)
exits "a wrong file exits 4" 4 starling config apply "$TMP/bad.conf"
says "with its place" "bad.conf:1:[0-9]+: " starling config apply "$TMP/bad.conf"
equal "two errors of one file are both told" 2 "$(starling -j config apply "$TMP/bad.conf" | jq '.errors | length')"
equal "and nothing is changed" "$before" "$(generation)"
exits "status is degraded after a refused file" 5 starling status
starling config apply "$TMP/exported" >/dev/null

# --- what would come of it ---
effect() { # KEY WORDS...: of a dry run
	local key=$1
	shift
	starling -j -n "$@" | jq -r "[.[] | select(.object == \"effect\")][0].$key"
}
moved() { starling -N -j metric show starling_vip_table_slots_moved_total | jq '[.[] | select(.labels | tostring | contains("web")) | .value] | add'; }
said=$(effect moved backend set web 192.0.2.103:443 weight 100)
least=$(effect least backend set web 192.0.2.103:443 weight 100)
before=$(moved)
check "a dry run says how many slots would move" test "$said" -ge "$least"
check "and how many at least: a fifth becomes a third" test "$least" -ge 134 -a "$least" -le 139
starling backend set web 192.0.2.103:443 weight 100
equal "so many move" "$said" $(($(moved) - before))
starling backend set web 192.0.2.103:443 weight 50
sed 's/^\(backend add web 192.0.2.103:443\).*/\1 weight 100/' "$TMP/exported" >"$TMP/other"
equal "config diff says the same of a file" "$said" "$(starling -j config diff "$TMP/other" | jq '[.[] | select(.object == "effect")][0].moved')"
says "for eyes as well" "^= +effect +web +moves $said of 1021 slots, at least $least, 3 usable$" starling config diff "$TMP/other"
equal "config apply -n, too" "$said" "$(effect moved config apply "$TMP/other")"
equal "who gets no slot is counted" 1 "$(effect emptied backend set web 192.0.2.103:443 weight 0)"
equal "and named" 192.0.2.103:443 "$(effect 'emptied_backends[0]' backend set web 192.0.2.103:443 weight 0)"
equal "of a VIP that goes flows are told" 0 "$(effect flows_vip vip delete web)"
equal "but mh has no count of them" "effect null" "$(effect object vip delete dns) $(effect flows_vip vip delete dns)"
equal "a new VIP moves nothing" "effect null" "$(effect object vip add new tcp/203.0.113.77:80) $(effect moved vip add new tcp/203.0.113.77:80)"

# --- nobody left to take connections ---
starling vip add one tcp/203.0.113.66:80
starling backend add one 192.0.2.101:80
starling backend add one 192.0.2.102:80 weight 0
starling config export >"$TMP/one"
sed 's/^\(backend add one 192.0.2.101:80\).*/\1 weight 0/' "$TMP/one" >"$TMP/weightless"
sed '/^backend add one 192.0.2.101:80/d' "$TMP/one" >"$TMP/without"
before=$(generation)
alone() { # NAME WORDS...: refused, but by force
	local name=$1
	shift
	exits "$name is refused" 1 starling "$@"
	says "$name: with what it would do" "no backend that takes connections to 1 VIP \(one\), and end 0 open flows: with --force" starling "$@"
	equal "$name: a dry run says so" "--force" "$(effect needs "$@")"
}
alone "weight 0 of the last one" backend set one 192.0.2.101:80 weight 0
alone "its deletion" backend delete one 192.0.2.101:80
alone "a file with weight 0" config apply "$TMP/weightless"
alone "a file without it" config apply "$TMP/without"
echo "backend delete one 192.0.2.101:80" >"$TMP/batch"
exits "a batch is refused" 1 starling batch file "$TMP/batch"
exits "a dry run of it is not" 0 starling -n batch file "$TMP/batch"
equal "nothing of all this changed anything" "$before" "$(generation)"
starling --force backend disable one 192.0.2.101:80
starling backend set one 192.0.2.102:80 weight 1
alone "the one beside one that is disabled" backend delete one 192.0.2.102:80
starling backend enable one 192.0.2.101:80
exits "it is not, once that one is back" 0 starling backend delete one 192.0.2.102:80
exits "with --force it is done" 0 starling --force backend set one 192.0.2.101:80 weight 0
exits "and what changes nothing of it is not asked about again" 0 starling backend delete one 192.0.2.101:80
starling config apply "$TMP/one" >/dev/null
exits "a batch with --force is done" 0 starling --force batch file "$TMP/batch"
starling config apply "$TMP/one" >/dev/null
exits "and so is a file" 0 starling --force config apply "$TMP/without"
starling config apply "$TMP/one" >/dev/null
exits "a rollback is refused as well" 1 starling config rollback
exits "and forced" 0 starling --force config rollback
exits "who deletes a VIP means it" 0 starling vip delete one
starling config apply "$TMP/exported" >/dev/null

# --- SIGHUP ---
reload_count() { starling -j status | jq '.[0].reloads + .[0].reload_failures'; }
hup() {
	local before
	before=$(reload_count)
	kill -HUP "$PID"
	for _ in $(seq 100); do
		[ "$(reload_count)" = "$before" ] || return 0
		sleep 0.05
	done
	return 1
}
cp "$CONF" "$TMP/good.conf"
before=$(generation)
echo "backend add nobody 192.0.2.101:80" >>"$CONF"
check "SIGHUP reads the file" hup
equal "a broken one changes nothing" "$before" "$(generation)"
check "and the daemon is up" starling vip show web
says "the log has the place" 'starling.conf:[0-9]+:[0-9]+: ' cat "$LOG"
cp "$TMP/good.conf" "$CONF"
check "SIGHUP reads the mended file" hup
equal "and applies it" "dns web" "$(starling -j vip show | jq -r '.[].name' | sort | tr '\n' ' ' | sed 's/ $//')"

# --- history and rollback ---
first=$(generation)
starling vip set web scheduler mh
starling vip set web scheduler wrr
equal "history tells who did what" "root@$NODE vip set web scheduler wrr" \
	"$(starling -j config history | jq -r '.[-1] | "\(.by) \(.command)"')"
starling config rollback >/dev/null
equal "rollback goes back one" mh "$(starling -j vip show web | jq -r '.[0].scheduler')"
starling config rollback "$first" >/dev/null
equal "rollback goes back to a generation" wlc "$(starling -j vip show web | jq -r '.[0].scheduler')"
exits "rollback to no generation is refused" 1 starling config rollback 4000000

# --- batch ---
{
	echo "vip add many tcp/203.0.113.14:80"
	for i in $(seq 20); do echo "backend add many 192.0.2.$i:80"; done
	echo "vip delete nobody"
	echo "vip delete many"
} >"$TMP/batch"
exits "a batch exits as the command it stops at" 1 starling batch file "$TMP/batch"
equal "what stood before it is done" 20 "$(starling -j backend show vip many | jq length)"
says "its line is named" ":22: " bash -c "sed 's/^vip add.*//; s/^backend.*//' '$TMP/batch' | starling batch file -"
starling vip delete many

# --- a batch's dry run: each line on what the lines before it would have made ---
before=$(generation)
dry() { printf '%s\n' "$@" >"$TMP/batch"; starling -n batch file "$TMP/batch"; }
LINES_X=("vip add x tcp/203.0.113.60:80" "backend add x 192.0.2.101:80" "backend drain x 192.0.2.101")
exits "a backend of a VIP that the batch itself makes is fine" 0 dry "${LINES_X[@]}"
equal "it says at the end what all of it would change" "+ vip x|+ backend x 192.0.2.101:80|= effect x|~ backend x 192.0.2.101:80|" \
	"$(starling -j -n batch file "$TMP/batch" | jq -r '.[] | "\(.change) \(.object) \(.name)"' | tr '\n' '|')"
equal "what comes and goes again is no change" "[]" \
	"$(dry "${LINES_X[@]:0:2}" "vip delete x" >/dev/null; starling -j -n batch file "$TMP/batch")"
says "a line that an earlier one makes wrong is named" ':3: the batch stops here' dry "${LINES_X[@]:0:2}" "backend add x 192.0.2.101:80"
exits "and refused" 1 dry "${LINES_X[@]:0:1}" "vip add y tcp/203.0.113.60:80"
says "so is one about what an earlier one takes away" ':2: ' dry "backend delete web 192.0.2.103:443" "backend drain web 192.0.2.103"
says "what the daemon alone can know it says at the end" 'there is no device "nowhere0"' dry "${LINES_X[@]}" "iface attach nowhere0"
says "a file is what the lines behind it are tried on" ':2: ' dry "config apply $CONF" "backend add extra 192.0.2.101:80"
exits "a rollback cannot be tried" 2 dry "config rollback"
equal "nothing of all this changed anything" "$before" "$(generation)"

# --- operating state ---
starling backend drain web 192.0.2.102:443 reason "a disk"
starling backend disable 192.0.2.101
state() { starling -j backend show vip "$1" | jq -r ".[] | select(.backend == \"$2\") | .state"; }
equal "drain shows" draining "$(state web 192.0.2.102:443)"
equal "disable without VIP means wherever it serves" "disabled disabled" "$(state web 192.0.2.101:443) $(state dns 192.0.2.101:53)"
starling config apply "$CONF" >/dev/null
equal "both survive an apply" "draining disabled" "$(state web 192.0.2.102:443) $(state web 192.0.2.101:443)"
exits "a backend that is not there is refused" 1 starling backend drain 192.0.2.250
exits "-n of a drain changes nothing" 0 starling -n backend drain web 192.0.2.103:443
equal "indeed" up "$(state web 192.0.2.103:443)"

timeout 20 starling -j event watch config >"$TMP/events" &
watcher=$!
sleep 0.5
starling backend drain dns 192.0.2.101:53 reason "to be sold" && starling backend delete dns 192.0.2.101:53
equal "an override goes with its backend" 2 "$(starling -j status | jq '.[0].overrides')"
sleep 0.5
kill "$watcher"
equal "which an event tells" "override dns 192.0.2.101:53 drain its backend is gone; it was by root@$NODE: to be sold" \
	"$(jq -r 'select(.object | startswith("override")) | "\(.object) \(.before) \(.why)"' <"$TMP/events")"
starling backend add dns 192.0.2.101:53
equal "so that who comes later at its address is up" up "$(state dns 192.0.2.101:53)"
starling backend disable dns 192.0.2.101:53 && starling vip delete dns
equal "it goes with a VIP too" 2 "$(starling -j status | jq '.[0].overrides')"
exits "apply reset-state undoes all that are left" 0 starling config apply "$CONF" reset-state
equal "and none is left" "0 up up" "$(starling -j status | jq '.[0].overrides') $(state web 192.0.2.102:443) $(state dns 192.0.2.101:53)"
starling backend drain web 192.0.2.102:443 reason "a disk"

# --- restarts ---
before=$(generation)
counters() { starling -N -j metric show starling_ | jq -r '.[] | select(.name | endswith("_total")) | select(.name | test("_(vip|backend|xdp)_")) | "\(.name) \(.labels | tostring) \(.value)"' | sort; }
counters >"$TMP/before"
since() { starling -j backend show | jq -c '.[] | [.vip, .backend, .state, .since, .transitions]'; starling -j vip show | jq -c '.[] | [.name, .generation, .build]'; }
since >"$TMP/since"
sleep 1.1
daemon_stop KILL
daemon_must_start -f "$CONF"
equal "kill -9 and restart keeps the generation" "$before" "$(generation)"
check "and since when backends are as they are, and which generation changed a VIP last" cmp "$TMP/since" <(since)
counters >"$TMP/after"
equal "and no counter goes back" "" "$(awk '{ key = $1 FS $2 } NR == FNR { was[key] = $3; next } { is[key] = $3 }
	END { for (k in was) if (!(k in is) || is[k] < was[k]) print k, was[k], is[k] }' "$TMP/before" "$TMP/after")"
equal "who drained and why survives it" "root@$NODE a disk" \
	"$(starling -j backend show vip web | jq -r '.[] | select(.state == "draining") | "\(.by) \(.reason)"')"
check "the data plane was adopted" grep -q "adopted" "$LOG"
starling backend enable web 192.0.2.102:443
daemon_stop
equal "it stops with status 0" 0 $?
check "and leaves its program attached" grep -q xdp <(ip link show veth0)
check "its sockets are gone" test ! -e "$STARLING_SOCKET"
daemon_must_start
equal "without -f the last configuration is applied" "$(starling config export)" "$(starling config apply "$CONF" >/dev/null; starling config export)"
equal "enable survives a restart too" 0 "$(starling -j backend show vip web | jq '[.[] | select(.state == "draining")] | length')"

# --- a whole configuration undoes what commands did, and says so ---
starling backend set web 192.0.2.103:443 weight 7 && starling vip add byhand tcp/203.0.113.15:80
before=$(generation)
daemon_stop
: >"$LOG"
daemon_must_start -f "$CONF"
says "a start with a file tells of a line that it takes away" 'config: - vip add byhand tcp/203.0.113.15:80' cat "$LOG"
says "of a line that it changes" 'config: ~ backend add web 192.0.2.103:443 weight 50' cat "$LOG"
says "and how to have them back" "config: .starling config rollback $before. takes this back" cat "$LOG"
equal "no other line differs" 2 "$(grep -c 'config: [-+~] ' "$LOG")"
equal "it is a generation of two changes" "$((before + 1)) 2" "$(starling -j config history | jq -r '.[-1] | "\(.generation) \(.changes)"')"
exits "and they come back" 0 starling config rollback "$before"
: >"$LOG"
check "SIGHUP undoes them again" hup
says "and tells it in the same words" 'config: - vip add byhand tcp/203.0.113.15:80' cat "$LOG"

# --- a second daemon ---
mapfile -t options < <(daemon_options)
said=$(timeout 10 starlingd "${options[@]}" -f "$CONF" 2>&1)
equal "a second daemon on the same node refuses" 1 $?
check "with a sentence that names the first" grep -q "pid $PID" <<<"$said"
check "and the first one goes on" starling vip show

# --- damage ---
daemon_stop
last=$(find "$STATE/$NODE/history" -name '*.conf' | sort | tail -n 1)
truncate -s 100 "$last"
printf 'garbage' >"$STATE/$NODE/overrides"
daemon_must_start
check "a torn generation is set aside and told" grep -q "corrupt.*set aside" "$LOG"
check "and kept for a look" test -e "$last.corrupt"
check "a corrupt file of overrides is set aside" test -e "$STATE/$NODE/overrides.corrupt"
check "the daemon runs on what is whole" starling vip show web
daemon_stop
rm -rf "$STATE"
said=$(timeout 20 starlingd "${options[@]}" 2>&1)
equal "tables in service without any configuration are not taken down unasked" 1 $?
check "but asked about" grep -q -- "--remove" <<<"$said"
