# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Names, directories and processes of one lab. Sourced by tools/lab/lab. Not here: the network.

LAB=${STARLING_LAB:-starling}
[[ $LAB =~ ^[a-z][a-z0-9_-]{0,23}$ ]] || die "STARLING_LAB must be up to 24 of a-z 0-9 - _, not \"$LAB\""
RUN=/run/starling-lab/$LAB # state of the lab: one directory a host
# shellcheck disable=SC2034 # for the files sourced beside this one
BPF=/sys/fs/bpf/starling-lab/$LAB

ns_exists() {
	[ -e "/run/netns/$LAB-$1" ]
}

# Runs in a host's network namespace, and only that: `ip netns exec` would hide bpffs.
within() { # HOST CMD...
	local host=$1
	shift
	nsenter --net="/run/netns/$LAB-$host" -- "$@"
}

# Every host that this lab has a namespace of, in order. Tests bring a lab up time and again: no process for it.
hosts() {
	hosts_of be
	! ns_exists client || echo client
	hosts_of lb
	! ns_exists router || echo router
}

hosts_of() { # lb|be
	local n most=$BACKENDS_MAX
	[ "$1" = be ] || most=$BALANCERS_MAX
	for ((n = 1; n <= most; n++)); do
		! ns_exists "$1$n" || echo "$1$n"
	done
}

# A process is known by its id and the time it was started at: ids are used again. A zombie has ended.
process_birth() { # PID
	local stat words
	read -r stat 2>/dev/null <"/proc/$1/stat" || return
	read -ra words <<<"${stat##*) }"
	[ "${words[0]}" = Z ] || echo "${words[19]}"
}

process_start() { # HOST NAME CMD...
	local host=$1 name=$2 pid
	shift 2
	process_alive "$host" "$name" && return 0
	setsid nsenter --net="/run/netns/$LAB-$host" -- "$@" </dev/null >>"$RUN/$host/$name.log" 2>&1 9>&- &
	pid=$!
	echo "$pid $(process_birth $pid)" >"$RUN/$host/$name.pid"
	disown "$pid"
}

process_pid() { # HOST NAME: prints the pid if it still is the same process
	local pid birth
	[ -e "$RUN/$1/$2.pid" ] && read -r pid birth <"$RUN/$1/$2.pid" || return 1
	[ -n "$birth" ] && [ "$(process_birth "$pid")" = "$birth" ] && echo "$pid"
}

process_alive() { # HOST NAME
	process_pid "$1" "$2" >/dev/null
}

process_stop() { # HOST NAME
	local pid i
	pid=$(process_pid "$1" "$2") || return 0
	kill "$pid" 2>/dev/null
	for ((i = 0; i < 50; i++)); do
		process_alive "$1" "$2" || return 0
		sleep 0.05
	done
	kill -9 "$pid" 2>/dev/null
	return 0
}

# What runs in a namespace of ours is ours, recorded or not.
processes_end() { # HOST
	local pids i
	for ((i = 0; i < 40; i++)); do
		pids=$(ip netns pids "$LAB-$1" 2>/dev/null)
		[ -n "$pids" ] || return 0
		# shellcheck disable=SC2086 # a list of numbers
		if [ $i -lt 10 ]; then kill $pids 2>/dev/null; else kill -9 $pids 2>/dev/null; fi
		sleep 0.05
	done
}
