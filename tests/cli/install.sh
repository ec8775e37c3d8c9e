#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# `make install` into a directory: everything is there, runs, and is told of. Not here: packages.
. "$(dirname "$0")/../lib/tap.sh"

check "make install fills a directory" make -s -C "$TOP" O="$O" install DESTDIR="$TMP/root" PREFIX=/opt/star
cd "$TMP/root/opt/star" || exit 1
check "the command runs from there" sbin/starling version
check "the daemon too" sbin/starlingd --version
check "the unit starts that daemon" grep -q '^ExecStart=/opt/star/sbin/starlingd ' lib/systemd/system/starlingd.service
check "the example is a right configuration" sbin/starling config check share/doc/starling/starling.conf
check "the manual is there" test -s share/doc/starling/docs/manual/grow.md
check "completion is bash" bash -n share/bash-completion/completions/starling
# shellcheck disable=SC2016 # for the inner shell
check "the manual has every command of the table" bash -c 'sbin/starling help | sed -n "s/^\([a-z]* [a-z]*\) .*/\1/p" | grep -v ^usage |
	while read -r words; do grep -qF "$words" share/man/man8/starling.8 || exit 1; done'
check "and what its options mean" grep -q 'say what would change' share/man/man8/starling.8
check "and the daemon's options" grep -q 'flow\\-sets' share/man/man8/starlingd.8
if command -v groff >/dev/null; then
	equal "groff has nothing to say" "" "$(groff -man -ww -Tutf8 share/man/man8/*.8 2>&1 >/dev/null)"
else
	skip "groff has nothing to say" "groff is not installed"
fi
