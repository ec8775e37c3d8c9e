# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What shell tests share: result lines, a directory that goes away, an exit status. Source it first.
# Not here: the lab (lab.sh).

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
O=$(cd "$TOP" && realpath -m "${O:-build}")
TMP=$(mktemp -d)
TAP_FAILED=0
TAP_CLEANUP=()

ok() { # NAME
	echo "ok - $1"
}

not_ok() { # NAME [WHY]
	echo "not ok - $1"
	[ -z "${2:-}" ] || printf '%s\n' "$2" | head -n 30 | sed 's/^/# /'
	TAP_FAILED=1
}

skip() { # NAME REASON
	echo "ok - $1 # SKIP $2"
}

note() { # TEXT
	printf '# %s\n' "$*"
}

# Passes if the command does; shows what it printed if not.
check() { # NAME CMD...
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "$said"; fi
}

equal() { # NAME WANTED GOT
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "wanted \"$2\", got \"$3\""; fi
}

exits() { # NAME STATUS CMD...
	local name=$1 wanted=$2 said got
	shift 2
	said=$("$@" 2>&1)
	got=$?
	if [ "$got" = "$wanted" ]; then ok "$name"; else not_ok "$name" "status $got, not $wanted: $said"; fi
}

refused() { # NAME WORDS CMD...: it fails, and says these words
	local name=$1 words=$2
	shift 2
	if "$@" >"$TMP/said" 2>&1 || ! grep -q -e "$words" "$TMP/said"; then
		not_ok "refused: $name" "$(cat "$TMP/said")"
	else
		ok "refused: $name"
	fi
}

# Until a command succeeds; a bound on waiting, not a criterion.
wait_for() { # SECONDS CMD...
	local until=$((SECONDS + $1))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.1
	done
}

# What all of $FLOCK say to the words (`at` asks one), as one array, makes the filter true; $flock in it is their number.
all_say() { # FILTER WORDS...
	local filter=$1 n
	shift
	for n in "${FLOCK[@]}"; do at "$n" -j "$@"; done |
		jq -es --argjson flock ${#FLOCK[@]} "length == \$flock and ($filter)" >/dev/null
}

# To be run at the end, whatever happens; last in, first run.
cleanup() { # COMMAND
	TAP_CLEANUP=("$1" "${TAP_CLEANUP[@]}")
}

tap_end() {
	local status=$? command
	trap '' HUP INT TERM
	trap - EXIT
	for command in "${TAP_CLEANUP[@]}"; do
		eval "$command" >/dev/null 2>&1
	done
	rm -rf "$TMP"
	[ $status = 0 ] || exit $status
	exit $TAP_FAILED
}
trap tap_end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
