# gradc: `make demo` and `make check` are all that a newcomer needs; `make help` lists the rest.
# Layers are enforced here: a folder sees its own header and those below it.
CC      ?= cc
OPT     ?= -O2 -g
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Werror
CFLAGS  ?=
BUILD   ?= build
ALL_CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L $(WARN) $(OPT) $(CFLAGS)
LDLIBS  := -lcjson -ldl -lm

# a line for each step; V=1 shows the commands
Q   := $(if $(V),,@)
say  = @$(if $(V),:,printf '  %-6s %s\n')

# where clang-c/Index.h lies (types only: libclang is loaded at run time), unless the compiler finds it
CLANG_H := $(firstword $(wildcard $(foreach v,19 18 17 20 21,/usr/lib/llvm-$v/include/clang-c/Index.h)))
CLANG_C := $(addprefix -isystem ,$(CLANG_H:%/clang-c/Index.h=%))

SRC := $(wildcard lib/*.c ir/*.c codegen/*.c cmd/gradc/*.c)
OBJ := $(SRC:%.c=$(BUILD)/obj/%.o)
# everything but main(): what unit tests link against
LIB_OBJ := $(filter-out $(BUILD)/obj/cmd/gradc/main.o,$(OBJ))
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*.c))

# an executable each; see tests/README.md
SUITES ?= $(UNIT) $(wildcard tests/*/run.sh)

.DEFAULT_GOAL := build
build: $(BUILD)/gradc   ## the program, build/gradc (default)
	@:
$(BUILD)/obj/lib/%.o:       INC = -Ilib
$(BUILD)/obj/lib/cparse.o:  INC = -Ilib $(CLANG_C)
$(BUILD)/obj/ir/%.o:        INC = -Ilib -Iir
$(BUILD)/obj/codegen/%.o:   INC = -Ilib -Iir -Icodegen -I$(BUILD)/gen
$(BUILD)/obj/cmd/%.o:       INC = -Ilib -Iir -Icodegen -Icmd/gradc -I$(BUILD)/gen
$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(say) cc $<
	$(Q)$(CC) $(ALL_CFLAGS) $(INC) -MMD -MP -c $< -o $@

# texts that the program carries, as tables of lines: helpers of the emitted code, files of new projects,
# the program that verify runs
RT   := codegen/rt/prologue.h $(filter-out codegen/rt/prologue.h,$(wildcard codegen/rt/*.h)) ir/special.h $(BUILD)/gen/rt/dot_f64.h
INIT := $(addprefix cmd/gradc/init/,starter.json main.c Makefile)
$(BUILD)/gen/rt/dot_f64.h: codegen/rt/dot_f32.h Makefile
	@mkdir -p $(@D)
	$(Q)sed -e 's/float/double/g' -e 's/f32/f64/g' -e 's/F32/F64/g' $< > $@
$(BUILD)/gen/rt_files.h:         $(RT)
$(BUILD)/gen/init_files.h:       $(INIT)
$(BUILD)/gen/harness_files.h:    $(addprefix codegen/harness/,run.c clock.c bench.c)
$(BUILD)/obj/codegen/rt.o:       $(BUILD)/gen/rt_files.h
$(BUILD)/obj/codegen/harness.o:  $(BUILD)/gen/harness_files.h
$(BUILD)/obj/cmd/gradc/verb_init.o: $(BUILD)/gen/init_files.h
$(BUILD)/gen/%.h: lib/embed.sh Makefile
	@mkdir -p $(@D)
	$(Q)sh lib/embed.sh $* $(filter-out lib/embed.sh Makefile,$^) > $@.tmp && mv $@.tmp $@

$(BUILD)/gradc: $(OBJ)
	$(say) link $@
	$(Q)$(CC) $(ALL_CFLAGS) $(OBJ) $(LDLIBS) -o $@

$(BUILD)/unit/%: tests/unit/%.c $(LIB_OBJ) Makefile
	@mkdir -p $(@D)
	$(say) cc $<
	$(Q)$(CC) $(ALL_CFLAGS) -Ilib -Iir -Icodegen -Icmd/gradc -MMD -MP $< $(LIB_OBJ) $(LDLIBS) -lcmocka -o $@

# the programs of suites that are more than a script
SUITE_PROGS := $(patsubst tests/%/run.c,$(BUILD)/tests/%,$(wildcard tests/*/run.c))
$(BUILD)/tests/%: tests/%/run.c $(LIB_OBJ) Makefile
	@mkdir -p $(@D)
	$(say) cc $<
	$(Q)$(CC) $(ALL_CFLAGS) -Ilib -Iir -Icodegen -Icmd/gradc -MMD -MP $< $(LIB_OBJ) $(LDLIBS) -o $@

# Two steps, since what `deps` installs is looked for while make reads this file.
# Building uses all processors, unless make was told how many; suites run one by one, without a job server.
jobs = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 2))
check: deps             ## install what is missing, build, run all tests (SUITES=... for some)
	@$(MAKE) --no-print-directory $(jobs) suites
	@$(MAKE) --no-print-directory run-suites

check-full: deps        ## all tests in full: every model under every compiler, level and partition; hours
	@$(MAKE) --no-print-directory $(jobs) suites
	@FULL=1 $(MAKE) --no-print-directory run-suites
	@$(MAKE) --no-print-directory asan

# the exporter from PyTorch: a virtual environment of its own, which pip fills
TORCH := $(BUILD)/torch
TORCH_TEST = $(TORCH)/bin/python tests/torch
TORCH_SUITES ?= tests/torch/errors.sh tests/torch/checkpoint.sh tests/torch/models.sh tests/torch/example.sh tests/torch/ops.sh
TORCH113_SUITES ?= tests/torch/torch113.sh
torch:
	@CC="$(CC)" sh .ci/torch.sh $(TORCH)
torch113:
	@sh .ci/torch113.sh $(BUILD)/log/torch113.apt.log
check-torch: torch torch113  ## exported PyTorch models and ops against PyTorch itself, which it installs below build/
	@$(MAKE) --no-print-directory $(jobs) build
	@CC="$(CC)" sh tests/run.sh "$(BUILD)" $(TORCH_SUITES) $(TORCH113_SUITES)
check-torch113: torch113  ## the same with PyTorch 1.13, where the distribution has that, alone
	@$(MAKE) --no-print-directory $(jobs) build
	@CC="$(CC)" sh tests/run.sh "$(BUILD)" $(TORCH113_SUITES)
check-torch-all: torch build  ## the zoo of models, and all samples of PyTorch's ops; an hour and more
	@$(TORCH_TEST)/zoo.py $(abspath $(BUILD))/gradc $(BUILD)/torch-zoo "$(CC) -O2 -march=native" --full
	@$(TORCH_TEST)/opinfo.py $(BUILD)/gradc $(BUILD)/torch-ops "$(CC) -O1" --all

op-coverage: torch build  ## docs/op-coverage.md: what became of each of PyTorch's ops
	@$(TORCH_TEST)/opinfo.py $(BUILD)/gradc $(BUILD)/torch-ops "$(CC) -O1" --table=docs/op-coverage.md

demo: deps              ## install what is missing, build, train a classifier on Fashion-MNIST
	@$(MAKE) --no-print-directory $(jobs) build
	@$(MAKE) --no-print-directory run-demo

deps:                   ## install what building and testing need (Debian, Ubuntu)
	@CC="$(CC)" sh .ci/deps.sh

# seeded mutation of inputs; best with CFLAGS=-fsanitize=address,undefined and a BUILD of its own
FUZZ := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_RUNS ?= 100000
$(BUILD)/fuzz/%: tests/fuzz/%.c tests/fuzz/draw.c $(LIB_OBJ) Makefile
	@mkdir -p $(@D)
	$(say) cc $<
	$(Q)$(CC) $(ALL_CFLAGS) -Ilib -Iir -Icodegen -Icmd/gradc -MMD -MP $< tests/fuzz/draw.c $(LIB_OBJ) $(LDLIBS) -o $@

suites: build $(UNIT) $(SUITE_PROGS) $(FUZZ)
	@:
run-suites: suites
	@CC="$(CC)" sh tests/run.sh "$(BUILD)" $(SUITES)

# the example is built by its own makefile, as a user's project would be
DEMO := docs/examples/fashion_mlp
UP   := $(if $(filter /%,$(BUILD)),,../../../)
run-demo: build
	@$(MAKE) --no-print-directory -C $(DEMO) CC="$(CC)" GRADC="$(UP)$(BUILD)/gradc" OUT="$(UP)$(BUILD)/demo" run

quick: build $(UNIT)    ## unit tests alone: fast, for every change
	@set -e; for t in $(UNIT); do \
		if ! "$$t" > "$$t.log" 2>&1; then cat "$$t.log"; exit 1; fi; done; echo "quick: $(words $(UNIT)) unit programs pass"

# contractions as a share of the machine's peak; one thread
$(BUILD)/bench/gen_dot: tests/bench/dot/gen.c $(LIB_OBJ) Makefile
	@mkdir -p $(@D)
	$(say) cc $<
	$(Q)$(CC) $(ALL_CFLAGS) -Ilib -Iir -Icodegen $< $(LIB_OBJ) $(LDLIBS) -o $@

BENCH_THREADS ?= 1,2
bench: torch   ## training steps of thirteen models beside PyTorch and, where pip has it, JAX; half an hour
	@$(MAKE) --no-print-directory $(jobs) build
	@$(TORCH)/bin/pip install -q jax >$(BUILD)/log/jax.log 2>&1 || echo "bench: without JAX ($(BUILD)/log/jax.log)"
	@$(TORCH)/bin/python tests/bench/zoo/bench.py $(BUILD)/gradc $(BUILD)/bench/zoo --threads=$(BENCH_THREADS)
bench-dot: $(BUILD)/bench/gen_dot   ## how fast contractions are, as a share of this machine's peak
	@$< > $(BUILD)/bench/kernels.h
	@BUILD="$(BUILD)" CC="$(CC)" sh tests/bench/dot/bench.sh

fuzz: $(FUZZ)           ## long runs of the fuzzers (FUZZ_RUNS=100000)
	@set -e; for t in $(FUZZ); do "$$t" $(FUZZ_RUNS); done
fuzz-readers: $(BUILD)/fuzz/fuzz_json $(BUILD)/fuzz/fuzz_read
	@$< 20000
	@$(word 2,$^) 5000

asan:                   ## unit tests and fuzzers of the readers under AddressSanitizer and UBSan
	@GRADC_DEBUG_ALLOC=1 $(MAKE) --no-print-directory BUILD=$(BUILD)/asan OPT="-O1 -g" \
		CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer" quick fuzz-readers

# ---- installation
PREFIX ?= /usr/local
TO      = $(DESTDIR)$(PREFIX)
DOCS    = $(wildcard README.md LICENSE docs/*.md)
EXAMPLES = $(wildcard docs/examples/*/*)

$(BUILD)/gradc.1: $(BUILD)/gradc
	$(BUILD)/gradc help --man -o $@

$(BUILD)/gradc.bash: $(BUILD)/gradc
	$(BUILD)/gradc help --completion=bash -o $@

install: build $(BUILD)/gradc.1 $(BUILD)/gradc.bash    ## into PREFIX=/usr/local, below DESTDIR
	install -d "$(TO)/bin" "$(TO)/share/doc/gradc"
	install -m 755 $(BUILD)/gradc "$(TO)/bin/gradc"
	install -m 644 $(DOCS) "$(TO)/share/doc/gradc"
	@set -e; for f in $(EXAMPLES); do \
		d="$(TO)/share/doc/gradc/$${f#docs/}"; install -d "$${d%/*}"; install -m 644 "$$f" "$$d"; done
	install -d "$(TO)/share/man/man1" "$(TO)/share/bash-completion/completions"
	install -m 644 $(BUILD)/gradc.1 "$(TO)/share/man/man1/gradc.1"
	install -m 644 $(BUILD)/gradc.bash "$(TO)/share/bash-completion/completions/gradc"
	install -d "$(TO)/share/gradc"
	install -m 644 share/gradc.mk share/gradc.cmake "$(TO)/share/gradc"

uninstall:              ## what install put there
	rm -f "$(TO)/bin/gradc" "$(TO)/share/man/man1/gradc.1" "$(TO)/share/bash-completion/completions/gradc"
	rm -rf "$(TO)/share/doc/gradc" "$(TO)/share/gradc"

clean:                  ## remove the build directory
	rm -rf $(BUILD)

help:                   ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: build check check-full check-torch check-torch113 check-torch-all op-coverage torch torch113 demo deps suites run-suites run-demo quick bench bench-dot fuzz fuzz-readers asan install uninstall clean help
-include $(OBJ:.o=.d) $(UNIT:=.d) $(SUITE_PROGS:=.d) $(FUZZ:=.d)
