# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Builds starling and runs its tests. Variables: O=build directory, V=1, SAN=address,undefined,
# SUITES="unit net" TESTS="heal": of `make check` only these; JOBS=4: so many at a time; SOAKS="net/forward": of `make soak`.
# Not here: what to install (tools/dev/deps.sh).

O       ?= build
VERSION := 0.1.0
CC      ?= gcc
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
Q       := $(if $(V),,@)
say     = $(if $(V),,@printf '  %-7s %s\n' $(1) $(patsubst $(O)/%,%,$@))

PKGS    := libbpf libnl-3.0 libnl-route-3.0 libuv libsodium jansson libmicrohttpd libcurl zlib
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wformat=2 -Wundef -Wvla -Werror
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
CFLAGS  ?= -O2 -g
ALLCFLAGS = -std=gnu11 $(CFLAGS) $(WARN) $(SANFLAGS) -D_GNU_SOURCE -Iinclude -Iuserspace -I$(O)/gen \
	    $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS    = -Wl,--as-needed $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lprotobuf-nanopb -lpthread -lm
# Without block placement loops keep their heads in front: Linux 6.1 takes one that is entered by falling into its middle
# for a loop without end, and the verifier's work is a tenth less.
BPFFLAGS = -O2 -mllvm -disable-block-placement -g -target bpf -mcpu=v3 -Wall -Wextra -Werror -Iinclude -I/usr/include/$(shell gcc -dumpmachine)
TESTLIBS = -lcmocka

src      = $(sort $(wildcard $(1)/*.c))
obj      = $(patsubst %.c,$(O)/%.o,$(call src,$(1)))
BPFOBJ  := $(patsubst bpf/%.bpf.c,$(O)/bpf/%.bpf.o,$(wildcard bpf/*.bpf.c))
SKEL    := $(patsubst bpf/%.bpf.c,$(O)/gen/%.skel.h,$(wildcard bpf/*.bpf.c))
LIB     := $(O)/libdaemon.a $(O)/libio.a $(O)/libcore.a $(O)/libbase.a
UNIT    := $(patsubst %.c,$(O)/%,$(wildcard tests/unit/*_test.c))
SIMT    := $(patsubst %.c,$(O)/%,$(wildcard tests/sim/*_test.c))
BPFT    := $(patsubst %.c,$(O)/%,$(wildcard tests/bpf/*_test.c))
FUZZT   := $(patsubst %.c,$(O)/%,$(wildcard tests/fuzz/*_fuzz.c))
VMT     := $(patsubst %.c,$(O)/%,$(wildcard tests/vm/*.c))
LABT    := $(patsubst %.c,$(O)/%,$(wildcard tools/lab/*.c))
SIM     := $(O)/tools/sim/sim $(O)/tools/sim/sim_register $(O)/tools/sim/sim_verdict
LABT    := $(filter-out %.bpf,$(LABT)) $(patsubst %.c,$(O)/%.o,$(wildcard tools/lab/*.bpf.c))

.PHONY: .FORCE all clean bpf units sims bpftests lab deps tests fuzz-programs fuzz check lint flags bpfflags demo soak sim sim-cells bench
all: $(BPFOBJ) lab $(O)/libdaemon.a $(if $(wildcard userspace/daemon/main.c),$(O)/starlingd) $(if $(wildcard tools/starling/*.c),$(O)/starling)
bpf: $(BPFOBJ)
units: $(UNIT)
sims: $(SIMT)
bpftests: $(BPFT)
lab: $(LABT)

# Everything that `make check` runs, sanitized and fuzzed variants included: one build serves both.
CLANGED = +$(Q)$(MAKE) --no-print-directory O=$(O)-clang CC=$(CLANG) SAN=fuzzer-no-link,address,undefined
tests: all units sims bpftests $(VMT) $(SIM)
	$(CLANGED) units fuzz-programs
fuzz-programs: $(FUZZT)
# FUZZ_SECONDS=5 for each program; findings stay in build/check
fuzz:
	$(CLANGED) fuzz-programs
	$(Q)O=$(O) tools/dev/check.sh fuzz

deps:
	$(Q)sh tools/dev/deps.sh
check: deps
	+$(Q)$(MAKE) --no-print-directory -s -j$(shell nproc) tests
	$(Q)O=$(O) tools/dev/check.sh $(SUITES)
# for tools that read the sources as the compiler does
flags:
	@echo $(ALLCFLAGS)
bpfflags:
	@echo $(BPFFLAGS)
lint:
	$(Q)O=$(O) tools/dev/check.sh lint
demo: deps
	+$(Q)$(MAKE) --no-print-directory -s -j$(shell nproc) all
	$(Q)O=$(O) tools/lab/demo
# the long table of the model of the cells: 2 M connections a row; SEED=n
sim-cells: $(O)/tests/sim/cells_test
	$(Q)$(O)/tests/sim/cells_test table
# flocks, the register and verdicts in virtual time; SEEDS=n, of each scenario; of the register a hundred times as many;
# PROBES=n of each line about verdicts, by default a million
sim: deps
	+$(Q)$(MAKE) --no-print-directory -s -j$(shell nproc) $(SIM)
	$(Q)$(O)/tools/sim/sim $(SEEDS)
	$(Q)$(O)/tools/sim/sim_register $(SEEDS)
	$(Q)$(O)/tools/sim/sim_verdict $(PROBES)
soak: deps
	+$(Q)$(MAKE) --no-print-directory -s -j$(shell nproc) tests
	$(Q)O=$(O) tools/dev/soak.sh $(SOAKS)

# BENCH_JSON=file writes the table as JSON too; BENCH_SAMPLES=n takes more than 9; APPLIES=n: to so many daemons.
BENCH   := $(if $(wildcard tools/bench/*.c),$(O)/tools/bench/bench)
.PHONY: bench
bench: deps
	+$(Q)$(MAKE) --no-print-directory -s -j$(shell nproc) all $(BENCH)
	$(Q)O=$(O) $(BENCH)
	$(Q)O=$(O) tools/bench/daemon.sh
	$(Q)O=$(O) tools/bench/agree.sh
	$(Q)O=$(O) tools/bench/health.sh

$(O)/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF)
	$(Q)$(CLANG) $(BPFFLAGS) -MMD -MP -c $< -o $@
# made by a chain of rules, and yet wanted afterwards: by clang-tidy, and by the next make
.SECONDARY: $(SKEL) $(BPFOBJ)
$(O)/gen/%.skel.h: $(O)/bpf/%.bpf.o
	@mkdir -p $(@D)
	$(call say,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.new && mv $@.new $@
# who asks for the version is built anew with every commit
$(O)/gen/version.h: .FORCE
	@mkdir -p $(@D)
	@printf '#define STARLING_VERSION "%s"\n#define STARLING_COMMIT "%s"\n' "$(VERSION)" \
		"$$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" >$@.$$$$; \
		cmp -s $@.$$$$ $@ && rm $@.$$$$ || mv $@.$$$$ $@
.FORCE:
# what nodes say to each other; nanopb's code is its own affair, so it is not warned about
WIRE    := $(O)/gen/wire.pb.h
$(O)/gen/wire.pb.c: include/starling/wire.proto include/starling/wire.options
	@mkdir -p $(@D)
	$(call say,PROTO)
	$(Q)protoc --proto_path=include/starling --nanopb_opt=--options-path=include/starling --nanopb_out=$(@D) $<
$(WIRE): $(O)/gen/wire.pb.c
$(O)/gen/wire.pb.o: $(O)/gen/wire.pb.c
	$(call say,CC)
	$(Q)$(CC) -std=gnu11 $(CFLAGS) $(SANFLAGS) -I$(O)/gen -w -c $< -o $@
$(O)/%.o: %.c | $(SKEL) $(O)/gen/version.h $(WIRE)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALLCFLAGS) -MMD -MP -c $< -o $@
$(O)/libbase.a: $(call obj,userspace/base)
$(O)/libcore.a: $(call obj,userspace/core) $(O)/gen/wire.pb.o
$(O)/libio.a: $(call obj,userspace/io)
# the daemon but its main(), so that tests can have parts of it
$(O)/libdaemon.a: $(filter-out %/main.o,$(call obj,userspace/daemon))
$(LIB):
	@mkdir -p $(@D)
	$(call say,AR)
	$(Q)rm -f $@ && ar rcs $@ $^
$(O)/starlingd: $(O)/userspace/daemon/main.o $(LIB)
	$(call say,LD)
	$(Q)$(CC) $(SANFLAGS) -o $@ $(filter %.o,$^) $(LIB) $(LIBS)
$(O)/starling: $(call obj,tools/starling) $(O)/libcore.a $(O)/libbase.a
	$(call say,LD)
	$(Q)$(CC) $(SANFLAGS) -o $@ $(filter %.o,$^) $(O)/libcore.a $(O)/libbase.a $(LIBS)
# what the lab runs: one file each
$(O)/tools/lab/%.bpf.o: tools/lab/%.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF)
	$(Q)$(CLANG) $(BPFFLAGS) -MMD -MP -c $< -o $@
$(filter-out %.bpf.o,$(LABT)): $(O)/%: $(O)/%.o $(O)/libbase.a
	$(call say,LD)
	$(Q)$(CC) $(SANFLAGS) -o $@ $(filter %.o,$^) $(O)/libbase.a
$(FUZZT): $(O)/%: $(O)/%.o $(O)/libio.a $(O)/libcore.a $(O)/libbase.a
	$(call say,LD)
	$(Q)$(CC) $(SANFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(O)/libio.a $(O)/libcore.a $(O)/libbase.a $(LIBS)
$(O)/tools/bench/%.bpf.o: tools/bench/%.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF)
	$(Q)$(CLANG) $(BPFFLAGS) -MMD -MP -c $< -o $@
$(O)/tools/bench/bench: $(patsubst %.c,$(O)/%.o,$(filter-out %.bpf.c,$(wildcard tools/bench/*.c))) $(O)/tests/bpf/harness.o \
			$(O)/tests/bpf/packet.o $(LIB) | $(O)/tools/bench/bench.bpf.o
	$(call say,LD)
	$(Q)$(CC) $(SANFLAGS) -o $@ $(filter %.o,$^) $(LIB) $(LIBS)
$(O)/tools/sim/sim: $(O)/tests/sim/flock_world.o $(O)/tests/unit/signer.o
$(O)/tools/sim/sim_register: $(patsubst %,$(O)/tests/sim/%.o,register_world register_faults register_clients linear)
$(O)/tools/sim/sim_verdict: $(patsubst %,$(O)/tests/sim/%.o,verdict_world verdict_gossip verdict_liars verdict_measure) $(O)/tests/unit/signer.o
$(SIM): %: %.o $(O)/tools/sim/lines.o $(O)/tests/sim/events.o $(LIB)
	$(call say,LD)
	$(Q)$(CC) $(SANFLAGS) -o $@ $(filter %.o,$^) $(LIB) $(TESTLIBS) $(LIBS)
# what the guest of the VM runs
$(VMT): $(O)/%: $(O)/%.o $(LIB)
	$(call say,LD)
	$(Q)$(CC) $(SANFLAGS) -o $@ $< $(LIB) $(LIBS)
# a test's helpers are the other files of its directory
$(UNIT) $(SIMT) $(BPFT): $(O)/%: $(O)/%.o $(LIB)
	$(call say,LD)
	$(Q)$(CC) $(SANFLAGS) -o $@ $(filter %.o,$^) $(LIB) $(TESTLIBS) $(LIBS)
$(UNIT): $(patsubst %.c,$(O)/%.o,$(filter-out %_test.c,$(wildcard tests/unit/*.c)))
$(SIMT): $(patsubst %.c,$(O)/%.o,$(filter-out %_test.c,$(wildcard tests/sim/*.c))) $(O)/tests/unit/signer.o
$(BPFT): $(patsubst %.c,$(O)/%.o,$(filter-out %_test.c,$(wildcard tests/bpf/*.c)))

# make install DESTDIR=... PREFIX=/usr: programs, manual pages, completion for bash, the systemd unit, an example
PREFIX  ?= /usr
MAN8    := $(PREFIX)/share/man/man8
DOC     := $(PREFIX)/share/doc/starling
.PHONY: install
install: all
	$(Q)install -d $(addprefix $(DESTDIR),$(PREFIX)/sbin $(MAN8) $(DOC)/docs/manual $(PREFIX)/share/bash-completion/completions \
		$(PREFIX)/lib/systemd/system /etc/starling)
	$(Q)install -m 755 $(O)/starlingd $(O)/starling $(DESTDIR)$(PREFIX)/sbin/
	$(Q)tools/dist/man.sh $(O)/starling starling "command of the load balancer" >$(DESTDIR)$(MAN8)/starling.8
	$(Q)tools/dist/man.sh $(O)/starlingd starlingd "load balancer daemon" >$(DESTDIR)$(MAN8)/starlingd.8
	$(Q)install -m 644 README.md LICENSE tools/dist/starling.conf $(DESTDIR)$(DOC)/
	$(Q)install -m 644 docs/manual/*.md $(DESTDIR)$(DOC)/docs/manual/
	$(Q)$(O)/starling --completion bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/starling
	$(Q)sed 's|/usr/sbin/|$(PREFIX)/sbin/|' tools/dist/starlingd.service \
		>$(DESTDIR)$(PREFIX)/lib/systemd/system/starlingd.service

clean:
	rm -rf $(O) $(O)-clang

-include $(shell find $(O) -name '*.d' 2>/dev/null)
