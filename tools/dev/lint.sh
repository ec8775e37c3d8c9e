#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Looks at the sources without running them; one TAP line a check. Not here: compilers' warnings (Makefile).
set -u
cd "$(dirname "$0")/../.." || exit 2
O=${O:-build}

mapfile -t C < <(git ls-files '*.c' '*.h')
mapfile -t SHELLS < <(git grep -lE '^#!/bin/(ba)?sh' -- . ':!*.md')
mapfile -t TEXT < <(git ls-files '*.c' '*.h' '*.sh' '*.py' '*.md' Makefile; printf '%s\n' "${SHELLS[@]}")
failed=0

# verdict NAME FINDINGS: nothing found is a pass
verdict() {
	if [ -z "$2" ]; then
		echo "ok - $1"
	else
		printf '%s\n' "$2" | sed 's/^/# /'
		echo "not ok - $1"
		failed=1
	fi
}

# Who may include whom (quoted includes that name another layer):
#   include <- all; bpf -> include; base <- core <- io <- daemon; the CLI -> base, core, include
include_directions() {
	git grep -nE '^#include "(base|core|io|daemon)/' -- 'include' 'bpf'
	git grep -nE '^#include "(core|io|daemon)/' -- 'userspace/base'
	git grep -nE '^#include "(io|daemon)/' -- 'userspace/core' 'tools/starling'
	git grep -nE '^#include "daemon/' -- 'userspace/io'
	git grep -nE '^#include [<"]starling/(where|cell|slot|hash|dataplane)\.h' -- 'userspace/base'
	git grep -nE '^#include <(bpf|libnl|netlink|uv|microhttpd|sys/socket|pthread|time)[./h]' -- 'userspace/core'
	git grep -nE '^#include <bpf/' -- 'userspace' ':!userspace/io/dataplane*'
}

# Licence and purpose open a file.
without_licence() {
	local f
	for f in $(printf '%s\n' "${TEXT[@]}" | sort -u); do
		head -3 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause' || echo "$f"
	done
}

too_long() {
	printf '%s\n' "${C[@]}" "${SHELLS[@]}" | sort -u | xargs wc -l | awk '$2 != "total" && $1 > 600 { print $2 ": " $1 " lines" }'
}

verdict "sources have the project's format" "$(clang-format --dry-run -Werror "${C[@]}" 2>&1 | grep -E 'error:' | head -40)"
verdict "layers include only what is below them" "$(include_directions)"
verdict "no file is over 600 lines" "$(too_long)"
verdict "every file opens with its licence" "$(without_licence)"
verdict "shellcheck finds nothing" "$(shellcheck -x "${SHELLS[@]}" 2>&1)"
exit $failed
