#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# One of ten backends goes and comes back: its own connections are lost with it, no other one moves.
# Not here: how failures are found.
. "$(dirname "$0")/../lib/tap.sh"
. "$TOP/tests/lib/lab.sh"

{
	vip_lines maglev 10 mh ipip 4 10
	vip_lines least 11 wlc dr 4 10
} >"$TMP/config"
lab_begin --backends 10 --config "$TMP/config"

homes() { # VIP: every slot and its first home
	lb -j vip table "$1" slots | jq -r '.. | objects | select(.home0?) | "\(.slot) \(.home0)"'
}

# Firewalls as others have them: what belongs to no connection is not answered.
mute() { # add|delete
	local i
	for ((i = 1; i <= 10; i++)); do
		if [ "$1" = delete ]; then
			on "be$i" nft delete table inet mute
		else
			on "be$i" nft -f - <<-'END'
				table inet mute { chain out { type filter hook output priority 0; tcp flags & rst == rst drop; }; }
			END
		fi
	done
}

for row in "maglev 10" "least 11"; do
	read -r name number <<<"$row"
	before=$(homes "$name")
	check "$name: there is a table of slots" test "$(wc -l <<<"$before")" -ge 1021

	hold_begin "$name-all" -n 2000 "$(vip4 "$number")" "$(vip6 "$number")"
	check "$name: all ten backends hold connections" test "$(grep -oE 'be[0-9]+ [1-9]' <<<"$SAID" | wc -l)" = 10
	own=$(word_of be4 "$SAID")
	lb backend disable "$name" "$(be 4)" >/dev/null
	hold_again "$name-all"
	equal "$name: just its own connections are lost with it" "$((2000 - own)) $own" \
		"$(word_of ok "$SAID") $(word_of failed "$SAID")"

	none_fails "$name: with the next packets everything goes elsewhere" 3000 "$(vip4 "$number")" "$(vip6 "$number")"
	equal "$name: nothing goes to it" 0 "$(word_of be4 "$LAST")"
	equal "$name: no other backend's slots have moved" "$(grep -v ' 192.0.2.104:' <<<"$before")" \
		"$(homes "$name" | grep -Fxf <(grep -v ' 192.0.2.104:' <<<"$before"))"

	hold_begin "$name-meanwhile" -n 2000 "$(vip4 "$number")" "$(vip6 "$number")"
	lb backend enable "$name" "$(be 4)" >/dev/null
	sleep $WARM_S
	none_fails "$name: none fails when it is back" 3000 "$(vip4 "$number")" "$(vip6 "$number")"
	check "$name: and it has its part again" test "$(word_of be4 "$LAST")" -gt 150
	equal "$name: exactly its own slots went back" "$before" "$(homes "$name")"
	hold_again "$name-meanwhile"
	equal "$name: no connection opened meanwhile breaks" "2000 0" "$(word_of ok "$SAID") $(word_of failed "$SAID")"

	# dead reset: the balancer says so, where backends may not
	mute add
	check "$name: connections of the dead are to be reset" lb vip set "$name" dead reset
	hold_begin "$name-dead" -n 2000 "$(vip4 "$number")" "$(vip6 "$number")"
	own=$(word_of be4 "$SAID")
	lb backend disable "$name" "$(be 4)" >/dev/null
	hold_begin "$name-since" -n 2000 "$(vip4 "$number")" "$(vip6 "$number")"
	hold_again "$name-dead"
	equal "$name: just its own connections are reset" "$((2000 - own)) $own" \
		"$(word_of ok "$SAID") $(word_of reset "$SAID")"
	hold_again "$name-since"
	equal "$name: none that was opened since is" "2000 0" "$(word_of ok "$SAID") $(word_of failed "$SAID")"
	lb backend enable "$name" "$(be 4)" >/dev/null
	sleep $WARM_S
	lb vip set "$name" dead rehome >/dev/null
	mute delete

	# a flap: down, connections, up, down, up without a pause
	lb backend disable "$name" "$(be 7)" >/dev/null
	hold_begin "$name-flap" -n 2000 "$(vip4 "$number")" "$(vip6 "$number")"
	printf 'backend %s '"$name $(be 7)"'\n' enable disable enable disable enable >"$TMP/flap"
	check "$name: a backend flaps" lb batch file "$TMP/flap"
	hold_again "$name-flap"
	equal "$name: no connection opened before a fast flap breaks" "2000 0" \
		"$(word_of ok "$SAID") $(word_of failed "$SAID")"
done
