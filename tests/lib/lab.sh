# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A lab of one test's own, and loads on it. Source after tap.sh. Not here: the lab itself (tools/lab).

export STARLING_LAB=t$$
LAB=$TOP/tools/lab/lab
LOAD=$O/tests/net/load
SOURCES=198.51.100.10/2001:db8:100::10,8 # the client's addresses
export O

lab_begin() { # OPTIONS of `lab up`
	cleanup "'$LAB' down"
	if ! "$LAB" up "$@" >"$TMP/up" 2>&1; then
		not_ok "the lab comes up" "$(cat "$TMP/up")"
		exit 1
	fi
}

on() { # HOST CMD...
	"$LAB" exec "$@"
}

# The `starling` of the first balancer.
lb() { # WORDS...
	"$LAB" exec lb1 starling "$@"
}

load() { # OPTIONS: of tests/net/load, on the client, from all its addresses
	"$LAB" exec client "$LOAD" -s "$SOURCES" "$@"
}

# The number after a word of load's last line; 0 if the word is not there.
word_of() { # WORD TEXT
	printf '%s\n' "$2" | tail -n 1 | awk -v word="$1" '{ for (i = 1; i < NF; i++) if ($i == word) n = $(i + 1) } END { print n + 0 }'
}

# Passes if load answered COUNT requests and none failed.
none_fails() { # NAME COUNT OPTIONS...
	local name=$1 count=$2 said
	shift 2
	said=$(load -n "$count" "$@" 2>&1)
	if [ "$(word_of ok "$said")" = "$count" ] && [ "$(word_of failed "$said")" = 0 ]; then
		ok "$name"
	else
		not_ok "$name" "$said"
	fi
	LAST=$said
}
