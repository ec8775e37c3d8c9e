# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Boots Debian's cloud kernel in QEMU (no KVM needed) with a small initramfs and runs one guest script as
# its only job; sourced by the tests beside it. Not here: what is tested (guest/).
#
#	vm_boot SCRIPT NICS [MB]	runs guest/SCRIPT with NICS virtio-net devices on one hub; its output on stdout
#
# The hub has no way out: the guest's frames reach nothing but its own other devices.

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PROJECT=$(cd "$VM_DIR/../.." && pwd)
O=${O:-build}
case $O in /*) ;; *) O=$PROJECT/$O ;; esac
VM_CACHE=$O/vm
VM_SECONDS=${VM_SECONDS:-240} # a boot that takes longer hangs; emulation is slow, so generous
VM_TOOLS="bash ip ethtool bpftool nginx curl ping setpriv nsenter"
VM_MODULES="virtio_pci virtio_net veth ipip sit ip6_tunnel fou fou6 sch_ingress cls_bpf"

# The kernel's package is unpacked, not installed: only its image and modules are wanted.
vm_kernel() {
	local package deb
	[ -s "$VM_CACHE/vmlinuz" ] && return 0
	package=$(apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" {print $2; exit}')
	[ -n "$package" ] || return 1
	rm -rf "$VM_CACHE/download" && mkdir "$VM_CACHE/download" &&
		(cd "$VM_CACHE/download" && apt-get -qq -o APT::Sandbox::User=root download "$package") || return 1
	deb=$(echo "$VM_CACHE"/download/*.deb)
	dpkg -x "$deb" "$VM_CACHE/kernel" && rm -rf "$VM_CACHE/download" &&
		depmod -b "$VM_CACHE/kernel" "$(basename "$VM_CACHE"/kernel/lib/modules/*)" &&
		cp "$VM_CACHE"/kernel/boot/vmlinuz-* "$VM_CACHE/vmlinuz"
}

# A program, and every library that the loader names for it.
vm_copy() {
	local root=$1 path lib
	path=$(command -v "$2") || { echo "vm: no $2 on this machine" >&2; return 1; }
	install -D "$path" "$root/bin/$(basename "$2")"
	while read -r lib; do
		[ -e "$root$lib" ] || install -D "$lib" "$root$lib"
	done < <(ldd "$path" 2>/dev/null | grep -o '/[^ ]*' | sort -u)
}

vm_modules() {
	local root=$1 release module
	release=$(basename "$VM_CACHE"/kernel/lib/modules/*)
	for module in $VM_MODULES; do
		modprobe -d "$VM_CACHE/kernel" -S "$release" --show-depends "$module" 2>/dev/null
	done | awk '$1 == "insmod" && !seen[$2]++ {print $2}' >"$root/modules.list"
	while read -r module; do
		install -D -m 644 "$module" "$root/modules/$(basename "$module")"
	done <"$root/modules.list"
	sed -i 's|.*/|/modules/|' "$root/modules.list"
}

vm_image() {
	local script=$1 root program
	root=$(mktemp -d "$VM_CACHE/root.XXXXXX") || return 1
	mkdir -p "$root"/{bin,dev,proc,sys,run,tmp,etc,var/log/nginx,var/lib/nginx,test,root}
	install "$(command -v busybox)" "$root/bin/busybox"
	for program in $VM_TOOLS; do
		vm_copy "$root" "$program" || return 1
	done
	for program in starlingd starling; do
		[ ! -x "$O/$program" ] || vm_copy "$root" "$O/$program" || return 1
	done
	[ ! -x "$O/tests/vm/load" ] || vm_copy "$root" "$O/tests/vm/load" || return 1
	[ ! -d "$O/bpf" ] || cp "$O"/bpf/*.bpf.o "$root/test/"
	install "$VM_DIR"/guest/* "$root/test/"
	install "$VM_DIR/guest/init" "$root/init"
	echo "$script" >"$root/test/job"
	echo 'root:x:0:0:root:/root:/bin/bash' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	vm_modules "$root"
	(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$VM_CACHE/$script.initrd"
	rm -rf "$root"
}

vm_boot() {
	local script=$1 nics=$2 mb=${3:-1024} args=() i
	mkdir -p "$VM_CACHE"
	(flock 9 && vm_kernel) 9>"$VM_CACHE/lock" || { echo "skip vm-$script: Debian's cloud kernel cannot be fetched"; return 0; }
	vm_image "$script" || { echo "not ok vm-$script: no initramfs"; return 1; }
	# virtio-net takes XDP in native mode only without receive offloads that merge packets
	for ((i = 1; i <= nics; i++)); do
		args+=(-netdev "hubport,hubid=0,id=h$i" -device "virtio-net-pci,netdev=h$i,mac=02:00:00:00:00:0$i,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off,guest_csum=off,csum=off")
	done
	timeout -k 5 "$VM_SECONDS" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m "$mb" -nodefaults -no-reboot \
		-display none -serial stdio -kernel "$VM_CACHE/vmlinuz" -initrd "$VM_CACHE/$script.initrd" \
		-append "console=ttyS0 quiet loglevel=3 panic=-1" "${args[@]}" </dev/null | tr -d '\r' >"$VM_CACHE/$script.log"
	cat "$VM_CACHE/$script.log"
	rm -f "$VM_CACHE/$script.initrd"
	grep -q '^guest: done$' "$VM_CACHE/$script.log" || { echo "not ok vm-$script: the guest did not finish"; return 1; }
	! grep -q '^not ok' "$VM_CACHE/$script.log"
}
