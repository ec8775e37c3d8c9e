#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Installs what starling needs on Debian 12: deps.sh [build] [test], both by default. Quiet, and
# nothing happens if all is there. Plain sh, since a minimal system has neither make nor git.
# Not here: what the project builds (Makefile).
set -eu

BUILD="make gcc libc6-dev pkg-config clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev libnl-3-dev libnl-route-3-dev
	libuv1-dev libsodium-dev libjansson-dev libmicrohttpd-dev libcurl4-openssl-dev ca-certificates protobuf-compiler nanopb libnanopb-dev"
# the lab: iproute2 to openssl; the tests' clients and checkers: wrk to git; the virtual machine: the rest
TEST="libcmocka-dev iproute2 nftables ethtool nginx-light procps util-linux openssl iputils-ping
	wrk curl jq tcpdump prometheus shellcheck cppcheck spin clang-format clang-tidy libclang-rt-14-dev python3
	git groff-base
	qemu-system-x86 busybox-static cpio kmod xz-utils"

wanted=
for group in "${@:-all}"; do
	case $group in
	build) wanted="$wanted $BUILD" ;;
	test) wanted="$wanted $TEST" ;;
	all) wanted="$BUILD $TEST" ;;
	*)
		echo "usage: deps.sh [build] [test]" >&2
		exit 2
		;;
	esac
done

missing=
for package in $wanted; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "deps.sh: missing packages; as root: apt-get install$missing" >&2
	exit 1
fi

log=$(mktemp)
policy=/usr/sbin/policy-rc.d
made=
cleanup() {
	rm -f "$log"
	[ -z "$made" ] || rm -f "$policy"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM
# nginx and prometheus are for the lab's namespaces: no daemon of theirs is to start on this machine
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
	made=yes
fi

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 \
		-o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1 </dev/null
}
# apt waits for dpkg's lock by itself, but not for that of its lists
update() {
	tries=0
	until apt update; do
		tries=$((tries + 1))
		if [ $tries -ge 60 ] || ! grep -q 'Could not get lock' "$log"; then
			return 1
		fi
		sleep 5
	done
}
echo "installing$missing"
# shellcheck disable=SC2086 # a list of words
if ! apt install --no-install-recommends $missing; then
	# the lists may be missing or old
	update || { cat "$log" >&2; exit 1; }
	apt install --no-install-recommends $missing || { cat "$log" >&2; exit 1; }
fi
