#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Looks at the sources without running them, JOBS of them at a time; one TAP line a check. Not here: compilers' warnings
# (Makefile).
set -u
cd "$(dirname "$0")/../.." || exit 2
O=${O:-build}
JOBS=${JOBS:-$(nproc)}

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

# Every source with the compiler's own flags; in BPF programs those of the BPF target. The analyzer's bound is a
# tenth of its default: a sixth of the time.
tidy() {
	local flags=$1 bound
	shift
	bound="--extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=max-nodes=20000"
	printf '%s\n' "$@" | xargs -P "$JOBS" -n 3 sh -c "clang-tidy --quiet $bound \"\$@\" -- $flags 2>/dev/null" sh |
		grep -E ' (error|warning): ' | grep -v "^$O/gen/"
}

# Alone it looks across files, and takes what a function is to fill for what it reads: ctuuninitvar.
check_c() {
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr -j "$JOBS" \
		--suppress=missingIncludeSystem --suppress=unknownMacro --suppress=syntaxError \
		--suppress=arithOperationsOnVoidPointer --suppress=ctuuninitvar -D_GNU_SOURCE '-DSEC(name)=' '-D_Static_assert(c,t)=' \
		'-DLIBBPF_OPTS(type,name,...)=struct type name = {__VA_ARGS__}' -Iinclude -Iuserspace \
		"${C[@]}" 2>&1
}

mapfile -t BPF < <(printf '%s\n' "${C[@]}" | grep '\.bpf\.c$')
mapfile -t HOST < <(printf '%s\n' "${C[@]}" | grep '\.c$' | grep -v '\.bpf\.c$')

verdict "sources have the project's format" "$(clang-format --dry-run -Werror "${C[@]}" 2>&1 | grep -E 'error:' | head -40)"
verdict "layers include only what is below them" "$(include_directions)"
verdict "no file is over 600 lines" "$(too_long)"
verdict "every file opens with its licence" "$(without_licence)"
verdict "shellcheck finds nothing" "$(shellcheck -x "${SHELLS[@]}" 2>&1)"
verdict "cppcheck finds nothing" "$(check_c)"
verdict "clang-tidy finds nothing" "$(tidy "$(make -s O="$O" flags)" "${HOST[@]}"; tidy "$(make -s O="$O" bpfflags)" "${BPF[@]}")"
exit $failed
