#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck source=tests/vm/vm.bash
# On Debian 12's own kernel: XDP in virtio-net's native mode forwards to the kernel's own tunnel devices.
. "$(dirname "$0")/vm.bash"
vm_boot forward 4
