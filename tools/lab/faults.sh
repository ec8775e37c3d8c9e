# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Losses and cuts of a host's link, on the router's end of it: outside what XDP on the host sees.
# Sourced by tools/lab/lab. Not here: delay and reordering (no netem in many kernels).

fault_table() { # LINK: the nft table of its state
	local link=$1 loss towards="" from=""
	loss=$(cat "$RUN/$link/fault.loss" 2>/dev/null)
	if [ -n "$loss" ]; then
		towards="numgen random mod 100000 < $loss drop"
		from=$towards
	fi
	[ ! -e "$RUN/$link/fault.in" ] || towards=drop
	[ ! -e "$RUN/$link/fault.out" ] || from=drop
	cat <<-END
		table netdev fault_$link
		delete table netdev fault_$link
	END
	[ -n "$towards$from" ] || return 0
	cat <<-END
		table netdev fault_$link {
			chain towards { type filter hook egress device "$link" priority 0; $towards; }
			chain from { type filter hook ingress device "$link" priority 0; $from; }
		}
	END
}

fault_set() { # LINK loss PCT|cut in|cut out|clear
	local link=$1 state=$RUN/$1 pct thousandths
	if [ "$link" = router ] || ! ns_exists "$link"; then
		die "no link \"$link\"; links are: $(hosts | grep -v router | xargs)"
	fi
	shift
	case "$*" in
	"loss "*)
		pct=$2
		[[ $pct =~ ^[0-9]{1,3}(\.[0-9]{1,3})?$ ]] || die "loss is a percentage, not \"$pct\""
		thousandths=$(awk -v p="$pct" 'BEGIN { printf "%d", p * 1000 + 0.5 }')
		[ "$thousandths" -le 100000 ] || die "loss is 0 to 100 percent, not $pct"
		if [ "$thousandths" = 0 ]; then rm -f "$state/fault.loss"; else echo "$thousandths" >"$state/fault.loss"; fi
		;;
	"cut in") touch "$state/fault.in" ;;
	"cut out") touch "$state/fault.out" ;;
	clear) rm -f "$state"/fault.* ;;
	*) die "usage: lab fault LINK loss PCT|cut in|cut out|clear" ;;
	esac
	fault_table "$link" | within router nft -f -
}

fault_words() { # LINK: its faults, for status
	local words=()
	[ ! -e "$RUN/$1/fault.loss" ] || words+=("loss $(awk '{ print $1 / 1000 }' "$RUN/$1/fault.loss") %")
	[ ! -e "$RUN/$1/fault.in" ] || words+=("cut in")
	[ ! -e "$RUN/$1/fault.out" ] || words+=("cut out")
	local IFS=,
	echo "${words[*]:--}"
}
