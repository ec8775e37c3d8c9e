#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The manual is true: one page after the other is done as it stands, on balancers of a lab, under a load. Not here: what
# the commands do in other cases (agree.sh, takeover.sh, admit.sh, upgrade.sh).
. "$(dirname "$0")/../lib/mounts.sh"
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"
. "$TOP/tests/lib/machine.sh"
. "$TOP/tests/lib/page.sh"

routes_without() { # HOST
	local octets
	octets=$("$LAB" exec router ip route show 203.0.113.0/24 | grep -o 'via [0-9.]*' | sed 's/.*\.//' |
		grep -vx "$((10 + ${1#lb}))")
	# shellcheck disable=SC2086 # a list of numbers
	routes $octets
}

# Sources of a later version, built, as an operator has unpacked them.
next_make() {
	local next=$DIST/usr/src/starling-0.2.0 part
	mkdir -p "$next/build"
	for part in Makefile README.md LICENSE bpf docs include userspace tools; do cp -a "$TOP/$part" "$next/" || return 1; done
	for part in "$O"/{bpf,gen,userspace,tools,starling,starlingd} "$O"/lib*.a; do
		cp -a "$part" "$next/build/" || return 1
	done
	sed -i 's/^VERSION := .*/VERSION := 0.2.0/' "$next/Makefile" && make -s -C "$next" -j2
}

machines_begin --balancers 3 --backends 2
check "a later version is there" next_make
for host in lb1 lb2 lb3; do machine_make $host; done
routes 11

# The balancer that the first page begins with
cat >"$SHARE/starling.conf" <<'END'
iface attach eth0
vip add web tcp/203.0.113.10:80 scheduler mh forward ipip idle 3s
backend add web 192.0.2.101:80 weight 10
backend add web 192.0.2.102:80 weight 10
END
machine_run lb1 "cp /mnt/starling.conf /etc/starling/"
check "one serves" machine_run lb1 "systemctl start starlingd"
check "a client" wait_for 10 "$LAB" exec client curl -s -m 1 http://203.0.113.10/name
load_begin served -c 4 "$(vip4 10)"

mapfile -t pages < <(sed -n 's/^- \[.*\](\(.*\))$/\1/p' "$TOP/docs/manual/README.md")
equal "the manual lists its pages" "$(cd "$TOP/docs/manual" && printf '%s\n' *.md | grep -vx README.md)" \
	"$(printf '%s\n' "${pages[@]}" | sort)"
for page in "${pages[@]}"; do
	began=$(date +%s)
	page_run "$TOP/docs/manual/$page"
	note "$page: $(($(date +%s) - began)) s"
done

served_end
