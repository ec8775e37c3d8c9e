#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A manual page from what a program says of itself: man.sh PROGRAM NAME "WHAT IT IS". Lines that begin
# with a tab explain the line before. Not here: the words (the command table, the table of options).
set -eu
said=$("$1" --help)
printf '.\\" generated from %s --help\n.TH %s 8 "" "starling" "System Manager'"'"'s Manual"\n' "$2" "$(echo "$2" | tr '[:lower:]' '[:upper:]')"
printf '.SH NAME\n%s \\- %s\n.SH DESCRIPTION\n' "$2" "$3"
printf '%s\n' "$said" | sed 's/\\/\\\\/g; s/-/\\-/g' | awk '
	function plain() { if (held != "") { print open ? held : ".PP\n.nf\n" held; open = 1; held = "" } }
	function close_plain() { if (open) print ".fi"; open = 0 }
	/^\t/ { if (held != "") { close_plain(); sub(/^\\& +/, "\\\\\\&", held); print ".TP\n\\fB" held "\\fR"; held = "" } sub(/^\t/, ""); print "\\&" $0; next }
	{ plain(); held = "\\&" $0 }
	END { plain(); close_plain() }'
[ "$2" != starling ] || printf '.SH EXIT STATUS\n0 done, 1 refused or failed, 2 usage, 3 daemon unreachable, 4 configuration invalid, 5 status: degraded.\n'
[ "$2" = starling ] || printf '.SH FILES\n%s\n' '/etc/starling/starling.conf is what the systemd unit names as FILE; an example
is in share/doc/starling. In DIR/NODE of the state directory are the configurations that were applied and what was drained
or disabled; of the run directory control.sock and read.sock, which is read-only; of the pins the tables and programs.'
printf '.SH SEE ALSO\n.BR starling (8),\n.BR starlingd (8)\n'
