#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck source=tests/vm/vm.bash
# Every BPF object passes the verifier of Debian 12's own kernel.
. "$(dirname "$0")/vm.bash"
vm_boot load 0
