# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Balancers of a lab as machines: a name, file systems and programs of their own, as `make install` leaves them. Source
# after lab.sh, in a mount namespace of the test's own. Not here: what is done on them (page.sh).

DISKS=$TMP/disks # one a machine: what it has written
DIST=$TMP/dist   # what is installed on each, above what this host has
SHARE=$TMP/share # mounted by all
declare -A MACHINE_PID
export DISKS DIST SHARE

# The lab's hosts, without its daemons.
machines_begin() { # OPTIONS of `lab up`
	local part
	mkdir -p "$DISKS" "$DIST/usr/local/bin" "$DIST/var" "$SHARE" "$TMP/hosts"
	mount -t tmpfs tmpfs "$DISKS" && cleanup "umount '$DISKS'"
	check "starling is installed" make -s -C "$TOP" O="$O" install DESTDIR="$DIST"
	install -m 755 "$TOP/tests/lib/systemctl" "$DIST/usr/local/bin/systemctl"
	for part in bpf tools; do ln -s "$O/$part" "$TMP/hosts/$part"; done
	O=$TMP/hosts lab_begin "$@"
}

# What a machine begins with: the disk of this host, on which its own writes stay its own.
# shellcheck disable=SC2016 # for the shell there
machine_boot='
	hostname "$1" || exit 1
	for dir in etc usr var; do
		mkdir -p "$DISKS/$1/$dir" "$DISKS/$1/work-$dir" || exit 1
		mount -t overlay overlay -o "lowerdir=$DIST/$dir:/$dir,upperdir=$DISKS/$1/$dir,workdir=$DISKS/$1/work-$dir" \
			"/$dir" || exit 1
	done
	mount --bind "$SHARE" /mnt && mount -t tmpfs tmpfs /run && mount -t bpf bpf /sys/fs/bpf || exit 1
	touch "$DISKS/$1/ready"
	exec sleep infinity'

machine_make() { # HOST: an empty one; mounts.sh has seen to it that they spread nowhere
	rm -rf "${DISKS:?}/$1"
	mkdir "$DISKS/$1"
	"$LAB" exec "$1" unshare --mount --uts --propagation unchanged bash -c "$machine_boot" boot "$1" \
		>"$TMP/boot-$1" 2>&1 &
	MACHINE_PID[$1]=$!
	disown $!
	wait_for 10 test -e "$DISKS/$1/ready" && return
	not_ok "$1 is made" "$(cat "$TMP/boot-$1")"
	exit 1
}

# Its power is cut and its disk destroyed.
machine_lose() { # HOST
	local pids
	pids=$(ip netns pids "$STARLING_LAB-$1")
	# shellcheck disable=SC2086 # a list of numbers
	kill -9 $pids
	wait_for 10 bash -c "[ -z \"\$(ip netns pids '$STARLING_LAB-$1')\" ]"
}

machine_run() { # HOST COMMAND: as its root types it; of the client and the router likewise
	if [ -n "${MACHINE_PID[$1]:-}" ]; then
		nsenter -t "${MACHINE_PID[$1]}" --mount --root --wd=/ --uts --net -- env -i HOME=/ LC_ALL=C \
			PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash -c "cd / && $2"
	else
		"$LAB" exec "$1" bash -c "$2"
	fi
}
