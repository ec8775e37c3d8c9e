# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A test with mounts of its own, which end with it. Source it before all else. Not here: what is mounted.

if [ -z "${STARLING_OWN_MOUNTS:-}" ]; then
	mountpoint -q / && spread=private || spread=unchanged # the root of a chroot is no mount to be made private
	STARLING_OWN_MOUNTS=1 exec unshare --mount --propagation "$spread" "$0" "$@"
fi
