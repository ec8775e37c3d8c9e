# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A page of the manual as a session: its commands are run in order, each on the host of its prompt, and what the page
# shows is compared with what they say. docs/manual/README.md has the conventions. Source after machine.sh.
#
# A command that shows nothing has to succeed; one that is shown with its output has to say that, and is asked again for
# a while if it only looks. Where the page has `<!-- lost: HOST... -->` these hosts are, and new machines are in place.

PAGE_WAIT_S=20
declare -A PAGE_NAMED # what <words> stand for

# Sets PATTERN, and in NAMES the words that it takes.
page_pattern() { # SHOWN
	# shellcheck disable=SC2016 # a character of it is a dollar
	local text name value special='s/[][\.|$(){}?+*^]/\\&/g'
	text=$(sed -E "$special"'; s/^ +//; s/^(\\\.){3}$/@lines@/; s/(\\\.){3}/@some@/g; s/[ \t]+/@blank@/g' <<<"$1")
	text=${text//$'\n'@lines@/.*}
	text=${text//@lines@/.*}
	text=${text//@some@/$'[^\n]*'}
	NAMES=()
	while [[ $text =~ \<([a-z][a-z0-9@]*)\> ]]; do
		name=${BASH_REMATCH[1]//@blank@/ }
		value=${PAGE_NAMED[$name]:-}
		if [ -n "$value" ]; then
			value=$(sed "$special" <<<"$value")
		else
			value='([^[:space:],]+)'
			NAMES+=("$name")
		fi
		text=${text/"${BASH_REMATCH[0]}"/"$value"}
	done
	PATTERN="^${text//@blank@/$'[ \t]+'}\$"
}

# Whether what was said is what the page shows; takes from it what words stand for.
page_matches() { # SAID
	local i
	[[ $1 =~ $PATTERN ]] || return 1
	for ((i = 0; i < ${#NAMES[@]}; i++)); do PAGE_NAMED[${NAMES[i]}]=${BASH_REMATCH[i + 1]}; done
}

page_looks() { # COMMAND: whether it changes nothing
	[[ $1 =~ ^(starling\ (-[a-z]\ )*([a-z]+\ (show|history)|node\ key\ show|config\ export\ \||status|version)|curl\ ) ]]
}

# The command that was read, and what is to come of it.
page_do() {
	local command=$PAGE_COMMAND shown=$PAGE_SHOWN said status began=$SECONDS name
	[ -n "$command" ] || return 0
	PAGE_COMMAND='' PAGE_SHOWN=''
	for name in "${!PAGE_NAMED[@]}"; do command=${command//"<$name>"/"${PAGE_NAMED[$name]}"}; done
	page_pattern "${shown%$'\n'}"
	while :; do
		said=$(machine_run "$PAGE_HOST" "$command" 2>&1)
		status=$?
		said=$(sed 's/^ *//; s/[ \t]*$//' <<<"$said")
		if [ -n "$shown" ]; then page_matches "$said" && break; else [ "$status" = 0 ] && break; fi
		if ! page_looks "$command" || [ $((SECONDS - began)) -ge $PAGE_WAIT_S ]; then
			not_ok "$PAGE: $PAGE_HOST# ${command%%$'\n'*}" \
				"$(printf 'status %s, said:\n%s\nthe page shows:\n%s' "$status" "$said" "$shown")"
			exit 1
		fi
		sleep 0.2
	done
	ok "$PAGE: $PAGE_HOST# ${command%%$'\n'*}"
	[ $((SECONDS - began)) -lt 3 ] || note "$((SECONDS - began)) s"
}

# No new connection depends on the balancer that it came to first (README.md of the manual).
page_settled() {
	local host
	for host in "${!MACHINE_PID[@]}"; do
		machine_run "$host" "starling -j vip show" | jq -e 'all(.. | .slots_split? // 0; . == 0)' >/dev/null || return 1
	done
}

page_lost() { # HOST...: routers that look after their next hops leave out the lost ones, and these are gone
	local host
	wait_for $PAGE_WAIT_S page_settled
	for host; do routes_without "$host"; done
	for host; do
		machine_lose "$host"
		machine_make "$host"
	done
}

page_run() { # FILE
	local line inside=
	PAGE=$(basename "$1" .md) PAGE_COMMAND='' PAGE_SHOWN=''
	while IFS= read -r line <&3; do
		if [[ $line == '```'* ]]; then
			page_do
			[ -n "$inside" ] && inside= || inside=1
		elif [ -z "$inside" ]; then
			# shellcheck disable=SC2086 # a list of hosts
			[[ ! $line =~ ^'<!-- lost: '(.*)' -->'$ ]] || page_lost ${BASH_REMATCH[1]}
		elif [[ $line =~ ^(lb[0-9]|router|client)'# '(.*)$ ]]; then
			page_do
			PAGE_HOST=${line%%'# '*} PAGE_COMMAND=${line#*'# '}
		elif [[ $line == '> '* ]]; then
			PAGE_COMMAND+=$'\n'${line#> }
		else
			PAGE_SHOWN+=$line$'\n'
		fi
	done 3<"$1"
}
