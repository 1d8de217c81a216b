# SPDX-License-Identifier: MIT
#
# The front door of zpv: meson does the work, this file knows which builds and checks there are.
# "make help" lists the targets. Variables: CC (default clang), PREFIX, DESTDIR, FUZZ_SECONDS.

ifeq ($(origin CC),default)
CC := clang
endif
PREFIX ?= /usr/local
prefix ?= $(PREFIX)
FUZZ_SECONDS ?= 60

MESON ?= meson
NINJA ?= ninja
SETUP := scripts/setup --need

# Downloads of tests and demo: Debian's s390x packages, a small initramfs. "make clean" keeps them.
S390X := build/s390x
export ZPV_S390X_DIR := $(CURDIR)/$(S390X)

VARIANTS := build-gcc build-asan build-tsan build-fuzz

.PHONY: all demo check check-full bench fuzz install format clean distclean help \
	setup-build setup-test setup-full setup-bench guest guest-full lint FORCE
.DEFAULT_GOAL := all
# meson and ninja use all CPUs themselves; two set-ups at a time would wait for each other.
.NOTPARALLEL:

all: build ## the release build, into build/ (default)

demo: all guest ## seal Debian's s390x kernel into an image, inspect it, start it
	@scripts/demo

check: setup-test build guest ## the fast tests, on the release build (a few minutes)
	@tests/run build:check

check-full: setup-full build build-gcc build-asan build-tsan guest guest-full ## all tests on all builds, and the code checks
	@tests/run build:full build-gcc:check build-asan:check build-tsan:threads \
		--command format='scripts/lint format' --command tidy='scripts/lint tidy' \
		--command scripts='scripts/lint scripts'

bench: setup-bench build ## the benchmarks, next to what they are compared with
	@test -x bench/run || { echo 'make bench: there is no bench/run' >&2; exit 1; }
	@bench/run

fuzz: setup-full build build-fuzz ## every fuzz target for FUZZ_SECONDS (60) each
	@scripts/fuzz build-fuzz $(FUZZ_SECONDS)
	@$(NINJA) -C build tests/diff/zpv-diff tests/diff/diff_runner
	@tests/diff/run --build build --seconds $(FUZZ_SECONDS) --seed $$(date +%s)

install: setup-build build/build.ninja ## install below DESTDIR and PREFIX (/usr/local)
	@grep -qsxF '$(prefix)' build/.prefix || { \
		$(MESON) configure build -Dprefix='$(prefix)' && echo '$(prefix)' >build/.prefix; }
	@$(NINJA) -C build
	@DESTDIR='$(DESTDIR)' $(MESON) install -C build --no-rebuild

format: setup-full ## lay out the C code as .clang-format says
	@scripts/lint format --fix

lint: setup-full build/build.ninja ## only the code checks of check-full
	@scripts/lint format && scripts/lint tidy && scripts/lint scripts

clean: ## remove what was built, keep what was downloaded
	@rm -rf $(VARIANTS)
	@if [ -d build ]; then find build -mindepth 1 -maxdepth 1 ! -name s390x -exec rm -rf {} +; fi

distclean: ## remove what was built and downloaded
	@rm -rf build $(VARIANTS)

help: ## this list
	@echo 'make TARGET, with TARGET one of:'
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

# Packages that a target needs; silent when all are there.
setup-build setup-test setup-full setup-bench: setup-%:
	@$(SETUP) $*

# The builds. A folder is configured once; ninja does the rest, also after a change of meson.build.
build/build.ninja: | setup-build
	@CC='$(CC)' $(MESON) setup build --buildtype=release -Dwerror=true -Dprefix='$(prefix)'
	@echo '$(prefix)' >build/.prefix

build-gcc/build.ninja: | setup-full
	@CC=gcc $(MESON) setup build-gcc --buildtype=debugoptimized -Dwerror=true

build-asan/build.ninja: | setup-full
	@CC=clang $(MESON) setup build-asan --buildtype=debugoptimized -Dwerror=true \
		-Db_sanitize=address,undefined -Db_lundef=false

build-tsan/build.ninja: | setup-full
	@CC=clang $(MESON) setup build-tsan --buildtype=debugoptimized -Dwerror=true \
		-Db_sanitize=thread -Db_lundef=false

build-fuzz/build.ninja: | setup-full
	@CC=clang $(MESON) setup build-fuzz --buildtype=debugoptimized -Dwerror=true \
		-Dfuzzing=true -Db_sanitize=address,undefined -Db_lundef=false

build $(VARIANTS): %: %/build.ninja FORCE
	@$(NINJA) -C $@

# What tests and demo boot: the kernel and busybox of Debian 13, the kernel of Debian 12.
# ZPV_OFFLINE=1 goes on without; the tests that want them then say so and are skipped.
guest: setup-test
	@scripts/guest trixie || test '$(ZPV_OFFLINE)' = 1

guest-full: guest
	@scripts/guest bookworm || test '$(ZPV_OFFLINE)' = 1
	@scripts/guest tools || test '$(ZPV_OFFLINE)' = 1
