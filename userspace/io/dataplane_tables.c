// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tables of the program: see dataplane_tables.h.
 *
 * The kernel takes two kinds of map in an instruction that loads 64 bits: a map's handle, for helpers, and the address
 * of the value of an array map of one element. C can say the second only of global variables, whose size libbpf 1.1
 * fixes when the object is built. So bpf/maps.h declares tables as maps, and this rewrites the handle of each into its
 * address once libbpf has put the file descriptors in. A lookup in an array map costs 13 instructions and a trip of the
 * index through the stack, on the path of each packet seven times.
 */
#include "io/dataplane_tables.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

/* What TABLE declares, and no other map. */
static int is_table(int fd)
{
	struct bpf_map_info info = {0};
	__u32 bytes = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &bytes) && info.type == BPF_MAP_TYPE_ARRAY && info.max_entries == 1 &&
	       info.map_flags & BPF_F_MMAPABLE;
}

static int tables_setup(struct bpf_program *prog, long cookie)
{
	(void)cookie;
	return bpf_program__set_flags(prog, bpf_program__flags(prog) | BPF_F_XDP_HAS_FRAGS);
}

static int tables_prepare(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	size_t count = bpf_program__insn_cnt(prog), i;
	struct bpf_insn *insn = calloc(count, sizeof(*insn));
	int ret;

	(void)opts;
	(void)cookie;
	if (!insn)
		return -ENOMEM;
	memcpy(insn, bpf_program__insns(prog), count * sizeof(*insn));
	for (i = 0; i + 1 < count; i++) {
		if (insn[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insn[i].src_reg == BPF_PSEUDO_MAP_FD && is_table(insn[i].imm)) {
			insn[i].src_reg = BPF_PSEUDO_MAP_VALUE;
			insn[i + 1].imm = 0; /* offset in the value */
		}
		i++;
	}
	ret = bpf_program__set_insns(prog, insn, count);
	free(insn);
	return ret;
}

int dataplane_tables_register(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_setup_fn = tables_setup,
		    .prog_prepare_load_fn = tables_prepare);
	static int id = -1;

	if (id < 0)
		id = libbpf_register_prog_handler("xdp.frags", BPF_PROG_TYPE_XDP, BPF_XDP, &opts);
	return id < 0 ? id : 0;
}
