# gradc: `make demo` and `make check` are all that a newcomer needs; `make help` lists the rest.
# Layers are enforced here: a folder sees its own header and those below it.
CC      ?= cc
OPT     ?= -O2 -g
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Werror
CFLAGS  ?=
BUILD   ?= build
ALL_CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L $(WARN) $(OPT) $(CFLAGS)
LDLIBS  := -lcjson -ldl -lm

# where clang-c/Index.h lies (types only: libclang is loaded at run time), unless the compiler finds it
CLANG_H := $(firstword $(wildcard $(foreach v,19 18 17 20 21,/usr/lib/llvm-$v/include/clang-c/Index.h)))
CLANG_C := $(addprefix -isystem ,$(CLANG_H:%/clang-c/Index.h=%))

SRC := $(wildcard lib/*.c ir/*.c codegen/*.c cmd/gradc/*.c)
OBJ := $(SRC:%.c=$(BUILD)/obj/%.o)
# everything but main(): what unit tests link against
LIB_OBJ := $(filter-out $(BUILD)/obj/cmd/gradc/main.o,$(OBJ))
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*.c))

.DEFAULT_GOAL := build
build: $(BUILD)/gradc
$(BUILD)/obj/lib/%.o:       INC = -Ilib
$(BUILD)/obj/lib/cparse.o:  INC = -Ilib $(CLANG_C)
$(BUILD)/obj/ir/%.o:        INC = -Ilib -Iir
$(BUILD)/obj/codegen/%.o:   INC = -Ilib -Iir -Icodegen -I$(BUILD)/gen
$(BUILD)/obj/cmd/%.o:       INC = -Ilib -Iir -Icodegen -Icmd/gradc
$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(INC) -MMD -MP -c $< -o $@

$(BUILD)/gradc: $(OBJ)
	$(CC) $(ALL_CFLAGS) $(OBJ) $(LDLIBS) -o $@

$(BUILD)/unit/%: tests/unit/%.c $(LIB_OBJ) Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Ilib -Iir -Icodegen -Icmd/gradc -MMD -MP $< $(LIB_OBJ) $(LDLIBS) -lcmocka -o $@

# fast tests, for every change; `check` is the whole suite
quick: build $(UNIT)
	@set -e; for t in $(UNIT); do \
		if ! "$$t" > "$$t.log" 2>&1; then cat "$$t.log"; exit 1; fi; done; echo "quick: $(words $(UNIT)) unit programs pass"

# seeded mutation of inputs; best with CFLAGS=-fsanitize=address,undefined and a BUILD of its own
FUZZ := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/*.c))
FUZZ_RUNS ?= 100000
$(BUILD)/fuzz/%: tests/fuzz/%.c $(LIB_OBJ) Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Ilib -Iir -Icodegen -Icmd/gradc -MMD -MP $< $(LIB_OBJ) $(LDLIBS) -o $@

fuzz: $(FUZZ)
	@set -e; for t in $(FUZZ); do "$$t" $(FUZZ_RUNS); done

clean:
	rm -rf $(BUILD)

.PHONY: build quick fuzz clean
-include $(OBJ:.o=.d) $(UNIT:=.d) $(FUZZ:=.d)
