# Builds, installs and checks hubspot-associations. `make help` lists the targets.
# Longer recipes are scripts in tools/; tools/setup lists what each target needs installed.

# --- What to build, for which Lua, and where to install it. All of it can be set on the command line.

# LUA is the interpreter, LUA_VERSION its version (one of these); either determines the other. A LUA on the command
# line, as LuaRocks passes it, takes precedence over a LUA_VERSION in the environment.
KNOWN_VERSIONS = 5.1 5.2 5.3 5.4 5.5 luajit
ifeq ($(origin LUA)/$(origin LUA_VERSION),command line/environment)
  LUA_VERSION :=
endif
ifeq ($(LUA_VERSION),)
  LUA_VERSION := $(if $(LUA),$(shell $(LUA) -e 'io.write(jit and "luajit" or _VERSION:sub(5))'),5.4)
endif
ifneq ($(words $(LUA_VERSION))$(filter-out $(KNOWN_VERSIONS),$(LUA_VERSION)),1)
  $(error LUA_VERSION is "$(LUA_VERSION)", but has to be 5.1, 5.2, 5.3, 5.4, 5.5 or luajit)
endif
LUA ?= $(LUA_NAME)
LUA_NAME = $(if $(filter luajit,$(LUA_VERSION)),luajit,lua$(LUA_VERSION))
LUA_ABI = $(LUA_VERSION:luajit=5.1)
LUA_INCDIR =# by default, pkg-config finds it

# GNU's names for the folders, and PREFIX for prefix. The INST_ names are those that LuaRocks gives.
PREFIX ?= /usr/local
prefix = $(PREFIX)
exec_prefix = $(prefix)
bindir = $(exec_prefix)/bin
libdir = $(exec_prefix)/lib
includedir = $(prefix)/include
datarootdir = $(prefix)/share
datadir = $(datarootdir)
pkgconfigdir = $(libdir)/pkgconfig
mandir = $(datarootdir)/man
docdir = $(datarootdir)/doc/hubspot-associations
bashcompletiondir = $(datadir)/bash-completion/completions
zshcompletiondir = $(datadir)/zsh/site-functions
fishcompletiondir = $(datadir)/fish/vendor_completions.d
INST_BINDIR = $(bindir)
INST_LUADIR = $(datadir)/lua/$(LUA_ABI)
INST_LIBDIR = $(libdir)/lua/$(LUA_ABI)
INSTALL = install
INSTALL_PROGRAM = $(INSTALL)
INSTALL_DATA = $(INSTALL) -m 644

CFLAGS ?= -O2 -g
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion
WERROR ?=# -Werror in CI, lint and sanitize; a user's build must not fail on a warning of a newer compiler

# --- From here on, nothing needs to be set.

VERSION := $(shell sed -n 's/^return "\(.*\)"$$/\1/p' lua/hubspot/associations/version.lua)
SYSTEM := $(shell uname -s)

# Each version of Lua, and each variant of the build (VARIANT=sanitize-), has a folder of its own.
BUILD = build/$(VARIANT)$(LUA_VERSION)
CORE = $(BUILD)/hubspot/associations/core.so
POLLER = $(if $(filter Linux,$(SYSTEM)),epoll,kqueue)
SOURCES := $(filter-out src/poller_%.c src/redis_%.c,$(wildcard src/*.c)) src/poller_$(POLLER).c
OBJECTS = $(SOURCES:src/%.c=$(BUILD)/obj/%.o)
LUA_FILES := $(shell find lua -name '*.lua')

lua_flags = $(if $(LUA_INCDIR),-I$(LUA_INCDIR),$(shell pkg-config --cflags $(LUA_NAME) 2>/dev/null))
curl_flags = $(shell pkg-config --$(1) libcurl 2>/dev/null || curl-config --$(1) 2>/dev/null)
CORE_CPPFLAGS = -DHSA_VERSION='"$(VERSION)"' -D_FILE_OFFSET_BITS=64 $(lua_flags) $(call curl_flags,cflags)
CORE_CFLAGS = -std=c11 -fPIC -fvisibility=hidden $(WARNINGS) $(WERROR)

# What speaks Redis's protocol is a module of its own, built only where hiredis is installed. HIREDIS= leaves it out.
HIREDIS := $(shell pkg-config --exists hiredis 2>/dev/null && echo yes)
CODEC = $(if $(HIREDIS),$(BUILD)/hubspot/associations/redis_codec.so)
CODEC_SOURCES = $(if $(HIREDIS),$(wildcard src/redis_*.c))
CODEC_OBJECTS = $(CODEC_SOURCES:src/%.c=$(BUILD)/obj/%.o)
# The source includes <hiredis/hiredis.h>, and pkg-config has the folder of hiredis.h.
$(CODEC_OBJECTS): CORE_CPPFLAGS += $(patsubst %,%/..,$(shell pkg-config --cflags-only-I hiredis 2>/dev/null))

# Lua is not linked: the host provides it. nodelete: lua_close unloads modules, but the exit handlers of libcurl and
# OpenSSL must stay loaded.
LIBFLAG = $(if $(filter Darwin,$(SYSTEM)),-bundle -undefined dynamic_lookup,-shared)
CORE_LDFLAGS = $(if $(filter Darwin,$(SYSTEM)),,-Wl$(comma)-z$(comma)nodelete)
comma := ,

# With these, the scripts in tools/, the specs and the benchmarks find this build before any other.
unexport $(foreach v,5_2 5_3 5_4,LUA_PATH_$(v) LUA_CPATH_$(v))
IN_TREE = LUA="$(LUA)" LUA_VERSION="$(LUA_VERSION)" BUILD="$(BUILD)" \
  LUA_PATH="$(CURDIR)/lua/?.lua;$(CURDIR)/spec/?.lua;$${LUA_PATH:-;}" \
  LUA_CPATH="$(CURDIR)/$(BUILD)/?.so;$${LUA_CPATH:-;}"
SETUP = @LUA="$(LUA)" LUA_VERSION="$(LUA_VERSION)" CC="$(CC)" tools/setup
BUILD_ALL = @$(MAKE) --no-print-directory all

.PHONY: all test test-all test-fleet test-hosts platforms peers simulate demo install install-module install-pages install-dev pages uninstall clean lint sanitize valgrind fuzz coverage reference bench bench-instructions dist distcheck deb debcheck rock help
.DELETE_ON_ERROR:

all: $(CORE) $(CODEC) ## Build the C core (needs a C compiler, libcurl and Lua's headers)
	@:

$(CORE): $(OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(LIBFLAG) $(CORE_LDFLAGS) $(LDFLAGS) -o $@ $(OBJECTS) $(call curl_flags,libs)

$(BUILD)/hubspot/associations/redis_codec.so: $(CODEC_OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(LIBFLAG) $(LDFLAGS) -o $@ $(CODEC_OBJECTS) $(shell pkg-config --libs hiredis) -lm

$(BUILD)/obj/%.o: src/%.c Makefile lua/hubspot/associations/version.lua | $(BUILD)/checked
	@mkdir -p $(@D)
	$(CC) -MMD -MP $(CORE_CPPFLAGS) $(CPPFLAGS) $(CFLAGS) $(CORE_CFLAGS) -c -o $@ $<

-include $(wildcard $(BUILD)/obj/*.d)

# Checks, once per build folder, that what the build needs is installed.
$(BUILD)/checked: tools/needs
	@tools/needs "$(CC)" $(LUA_NAME) $(CORE_CPPFLAGS) $(CPPFLAGS)
	@mkdir -p $(@D) && touch $@

# The core as a static library, for hosts that link it, and the C programs in spec, which do.
STATIC = $(BUILD)/libhubspot-associations.a
lua_libs = $(shell pkg-config --libs $(LUA_NAME))

.PHONY: static
static: $(STATIC) ## Build the C core as a static library, for a host that links it

$(STATIC): $(OBJECTS)
	rm -f $@
	$(AR) rcs $@ $(OBJECTS)

$(BUILD)/%: spec/%.c $(STATIC)
	@mkdir -p $(@D)
	$(CC) -std=c11 -pthread $(WARNINGS) $(WERROR) $(lua_flags) -Isrc $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(STATIC) \
	  $(lua_libs) $(call curl_flags,libs) -lm

# All folders of specs, but those that have a target of their own, or no specs.
SPEC = $(filter-out $(addprefix spec/,fixtures fuzz hosts peers redis support),$(wildcard spec/*))
test: ## Set up, build and run the specs; SPEC=file runs one
	$(SETUP) test
	$(BUILD_ALL)
	@$(IN_TREE) tools/test $(SPEC)

test-hosts: ## Install the hosts, and test the module in each: nginx, HAProxy, Prosody, Neovim, luv, cqueues
	@$(IN_TREE) MAKE="$(MAKE)" tools/test-hosts $(if $(filter command line,$(origin SPEC)),$(SPEC))

test-fleet: ## Run the specs of what needs a redis-server and hiredis
	$(SETUP) test test-fleet
	$(BUILD_ALL)
	@$(IN_TREE) tools/test $(if $(filter command line,$(origin SPEC)),$(SPEC),spec/redis spec/documents/blocks_spec.lua)

LUA_VERSIONS = $(filter-out 5.5,$(KNOWN_VERSIONS))
test-all: ## Run the specs under every Lua: 5.1 to 5.4 and LuaJIT
	@for version in $(LUA_VERSIONS); do \
	  lua=lua$$version; [ $$version != luajit ] || lua=luajit; \
	  echo "== $$lua"; $(MAKE) --no-print-directory test LUA=$$lua LUA_VERSION=$$version || exit 1; done

PLATFORMS =# by default, all
platforms: ## Run the unit specs with clang, -O3 -flto, no SSE2, on i386, with the newest libcurl and Lua; PLATFORMS=i386
	@MAKE="$(MAKE)" $(if $(filter command line,$(origin SPEC)),SPEC="$(SPEC)") tools/platforms $(PLATFORMS)

# HubSpot's own client for Node.js, for `peers` and `bench`.
OFFICIAL_CLIENT = 14.0.1
NPM = build/npm-$(OFFICIAL_CLIENT)
WITH_NPM = NODE_PATH="$(CURDIR)/$(NPM)/node_modules"

peers: ## Compare the requests with those of HubSpot's own client, which it installs with npm
	$(SETUP) peers
	$(BUILD_ALL)
	@[ -d $(NPM)/node_modules ] || npm install --silent --no-save --prefix $(NPM) @hubspot/api-client@$(OFFICIAL_CLIENT)
	@$(IN_TREE) $(WITH_NPM) tools/test spec/peers

SEED = 1
SEEDS = 10000
simulate: ## Run SEEDS simulated jobs from seed SEED on (10,000 from 1)
	$(SETUP) test
	$(BUILD_ALL)
	@$(IN_TREE) tools/simulate $(SEED) $(SEEDS)

demo: ## Set up, build, and link, read and remove 20,000 pairs in a sandbox
	$(SETUP) demo
	$(BUILD_ALL)
	@$(IN_TREE) tools/demo

install: install-module install-pages install-dev ## Install into PREFIX (/usr/local) or GNU's folders, below DESTDIR
	@[ "$(prefix)" = /usr/local ] || [ "$(prefix)" = /usr ] || printf '%s\n' "To use it from there:" \
	  "  export LUA_PATH$(PATH_SUFFIX)='$(INST_LUADIR)/?.lua;;' LUA_CPATH$(PATH_SUFFIX)='$(INST_LIBDIR)/?.so;;'" \
	  "  export PATH='$(INST_BINDIR)':\"\$$PATH\""

install-module: all ## Install what LuaRocks has a place for: the module and the command
	$(INSTALL) -d "$(DESTDIR)$(INST_BINDIR)" "$(DESTDIR)$(INST_LIBDIR)/hubspot/associations"
	$(INSTALL_PROGRAM) $(CORE) "$(DESTDIR)$(INST_LIBDIR)/hubspot/associations/core.so"
	$(if $(HIREDIS),$(INSTALL_PROGRAM) $(CODEC) "$(DESTDIR)$(INST_LIBDIR)/hubspot/associations/redis_codec.so")
	@for file in $(LUA_FILES:lua/%=%); do \
	  $(INSTALL) -d "$(DESTDIR)$(INST_LUADIR)/$${file%/*}" && \
	  $(INSTALL_DATA) "lua/$$file" "$(DESTDIR)$(INST_LUADIR)/$$file" || exit 1; done
	sed -e '1s|^#!.*|#!$(if $(findstring /,$(LUA)),,/usr/bin/env )$(LUA)|' -e 's|;%s[.][.]/lua/?[.]lua||' \
	  -e 's|;%s[.][.]/build/%s/?[.]so||' bin/hubspot-associations >$(BUILD)/command # without the folders of a checkout
	$(INSTALL_PROGRAM) $(BUILD)/command "$(DESTDIR)$(INST_BINDIR)/hubspot-associations"

# Names the variables that this Lua alone reads; 5.1 and LuaJIT have none of their own.
PATH_SUFFIX = $(addprefix _,$(subst .,_,$(filter-out 5.1,$(LUA_ABI))))

# The manual page and the completions are made from the help of the command, which needs argparse and cjson.
PAGES = $(BUILD)/pages
RELEASED = $(shell sed -n 's/^\#\# \[[0-9.]*\] - //p' CHANGELOG.md | head -n 1)
pages: all ## Write the manual page and the completions for shells
	@mkdir -p $(PAGES)
	@if $(IN_TREE) "$(LUA)" -e 'require "argparse" require "cjson" require "hubspot.associations.core"' 2>/dev/null; then set -e; $(IN_TREE); export LUA_PATH LUA_CPATH; \
	  "$(LUA)" tools/manual.lua $(VERSION) $(RELEASED) >$(PAGES)/$(PAGE.man); \
	  $(foreach kind,bash zsh fish,"$(LUA)" bin/hubspot-associations --completion $(kind) >$(PAGES)/$(PAGE.$(kind));) \
	else echo "make: no manual page and completions: $(LUA) has no argparse or no cjson" >&2; fi

PAGE.man = hubspot-associations.1
PAGE.bash = hubspot-associations
PAGE.zsh = _hubspot-associations
PAGE.fish = hubspot-associations.fish
FOLDER.man = $(mandir)/man1
FOLDER.bash = $(bashcompletiondir)
FOLDER.zsh = $(zshcompletiondir)
FOLDER.fish = $(fishcompletiondir)
install-pages: pages
	@set -e; $(foreach kind,man bash zsh fish,if [ -f $(PAGES)/$(PAGE.$(kind)) ]; then \
	  $(INSTALL) -d "$(DESTDIR)$(FOLDER.$(kind))"; \
	  $(INSTALL_DATA) $(PAGES)/$(PAGE.$(kind)) "$(DESTDIR)$(FOLDER.$(kind))/$(PAGE.$(kind))"; fi;)
	$(INSTALL) -d "$(DESTDIR)$(docdir)/docs"
	$(INSTALL_DATA) README.md CHANGELOG.md LICENSE SECURITY.md CONTRIBUTING.md "$(DESTDIR)$(docdir)"
	$(INSTALL_DATA) docs/*.md "$(DESTDIR)$(docdir)/docs"

# For C hosts: pkg-config --cflags --libs lua5.4-hubspot-associations
install-dev: static
	$(INSTALL) -d "$(DESTDIR)$(includedir)" "$(DESTDIR)$(pkgconfigdir)"
	$(INSTALL_DATA) src/hubspot-associations.h "$(DESTDIR)$(includedir)/hubspot-associations.h"
	$(INSTALL_DATA) $(STATIC) "$(DESTDIR)$(libdir)/lib$(DEV_NAME).a"
	sed $(foreach name,prefix exec_prefix libdir includedir,-e 's|@$(name)@|$($(name))|') \
	  -e 's|@lua@|$(LUA_NAME)|' -e 's|@version@|$(VERSION)|' src/hubspot-associations.pc.in >$(BUILD)/$(DEV_NAME).pc
	$(INSTALL_DATA) $(BUILD)/$(DEV_NAME).pc "$(DESTDIR)$(pkgconfigdir)/$(DEV_NAME).pc"

DEV_NAME = $(LUA_NAME)-hubspot-associations

uninstall: ## Remove what install put there
	rm -f "$(DESTDIR)$(INST_BINDIR)/hubspot-associations"
	rm -f "$(DESTDIR)$(INST_LUADIR)/hubspot/associations.lua"
	rm -rf "$(DESTDIR)$(INST_LUADIR)/hubspot/associations" "$(DESTDIR)$(INST_LIBDIR)/hubspot/associations"
	-@rmdir "$(DESTDIR)$(INST_LUADIR)/hubspot" "$(DESTDIR)$(INST_LIBDIR)/hubspot" 2>/dev/null
	rm -f "$(DESTDIR)$(includedir)/hubspot-associations.h" "$(DESTDIR)$(libdir)/lib$(DEV_NAME).a" \
	  "$(DESTDIR)$(pkgconfigdir)/$(DEV_NAME).pc"
	rm -f $(foreach kind,man bash zsh fish,"$(DESTDIR)$(FOLDER.$(kind))/$(PAGE.$(kind))")
	rm -rf "$(DESTDIR)$(docdir)"

clean: ## Remove all that was built
	rm -rf build

lint: ## Check style and likely mistakes in Lua, C and shell; build with clang, too
	$(SETUP) lint
	luacheck --quiet lua spec bench tools/reference.lua tools/manual.lua bin/hubspot-associations rockspec/*.rockspec .luacheckrc
	luac5.1 -p $(LUA_FILES) bin/hubspot-associations
	shellcheck $(filter-out %.h %.lua,$(wildcard tools/*)) bench/run spec/support/allocator/run .ci/run debian/tests/link
	clang-format --dry-run -Werror $(wildcard src/*.[ch] spec/*/*.[ch] spec/*/*/*.[ch] bench/*.[ch] tools/*.[ch])
	@mkdir -p $(BUILD)
	clang-tidy --quiet $(SOURCES) $(CODEC_SOURCES) -- -std=c11 $(CORE_CPPFLAGS) -include tools/noreturn.h \
	  2>$(TIDY_NOISE) || { cat $(TIDY_NOISE) >&2; exit 1; }
	@$(MAKE) --no-print-directory all CC=clang VARIANT=clang- WERROR=-Werror

# clang-tidy reports on stdout; on stderr it counts suppressed warnings of system headers.
TIDY_NOISE = $(BUILD)/clang-tidy.stderr

# Specs that run no C of ours beyond what the other folders run: sanitizers and valgrind leave them out.
LUA_ONLY = $(addprefix spec/,policy sandbox simulation sync documents repository)

sanitize: VARIANT = sanitize-
sanitize: SPEC := $(filter-out $(LUA_ONLY),$(SPEC)) $(if $(HIREDIS),spec/redis)
sanitize: ## Run the specs under AddressSanitizer and UndefinedBehaviorSanitizer
	$(SETUP) sanitize
	$(BUILD_ALL) CC=gcc VARIANT=$(VARIANT) WERROR=-Werror CFLAGS="-O1 -g $(SANITIZERS)" LDFLAGS="$(SANITIZERS)"
	@$(IN_TREE) SLOWDOWN=6 WRAPPER="env LD_PRELOAD=$$(gcc -print-file-name=libasan.so) $(SANITIZER_OPTIONS)" tools/test $(SPEC)

SANITIZERS = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SANITIZER_OPTIONS = ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1 \
  LSAN_OPTIONS=suppressions=$(CURDIR)/spec/support/leaks.supp:print_suppressions=0 UBSAN_OPTIONS=print_stacktrace=1

valgrind: SPEC := $(filter-out $(LUA_ONLY) spec/cli,$(SPEC))# the command is a child process, which valgrind does not follow
valgrind: ## Run the specs under valgrind
	$(SETUP) valgrind
	$(BUILD_ALL)
	@$(IN_TREE) SLOWDOWN=60 WRAPPER="valgrind $(VALGRIND_OPTIONS)" tools/test $(SPEC)

VALGRIND_OPTIONS = --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite \
  --errors-for-leak-kinds=definite --trace-children=no

fuzz: VARIANT = fuzz-
fuzz: ## Fuzz what reads responses, replies of Redis, ids and URLs, for SECONDS_EACH (30); FUZZ=name runs one, INPUT=file one input
	$(SETUP) fuzz
	@$(MAKE) --no-print-directory $(BUILD)/fuzz/fuzz $(CODEC) CC=clang VARIANT=$(VARIANT) CFLAGS="-O1 -g $(SANITIZERS) \
	  -fsanitize=fuzzer-no-link" LDFLAGS=-fsanitize=fuzzer
	@$(IN_TREE) $(SANITIZER_OPTIONS) SECONDS_EACH="$(SECONDS_EACH)" INPUT="$(INPUT)" tools/fuzz $(FUZZ)

FUZZ = $(filter-out $(if $(HIREDIS),,redis_codec),$(basename $(notdir $(wildcard spec/fuzz/*.lua))))
INPUT =
SECONDS_EACH = 30

coverage: VARIANT = coverage-
coverage: ## Report which lines the specs reach: build/coverage/index.html
	$(SETUP) coverage
	$(BUILD_ALL) CC=gcc VARIANT=$(VARIANT) CFLAGS="-O0 -g --coverage" LDFLAGS=--coverage
	@$(IN_TREE) tools/coverage $(SPEC)

reference: all ## Write docs' tables and meta.lua from the annotations in the source
	@$(IN_TREE) tools/reference

bench: ## Measure CPU time against the ways it is done by hand; QUICK=1 takes less than a minute
	$(SETUP) bench
	$(BUILD_ALL)
	@$(IN_TREE) $(WITH_NPM) BENCH_QUICK="$(QUICK)" bench/run

bench-instructions: ## Count instructions for one input, against docs/performance.md
	$(SETUP) bench valgrind
	$(BUILD_ALL)
	@$(IN_TREE) BENCH_ONLY=instructions bench/run

# RELEASES is the URL of the folder in which people find the tarball: the rockspec names it.
RELEASES = https://example.invalid/hubspot-associations
DIST = build/dist
dist: ## Write the source tarball and its rockspec into build/dist; RELEASES is the URL of their folder
	@tools/dist "$(DIST)" "$(RELEASES)"

distcheck: SPEC = spec/text spec/client spec/documents spec/repository
distcheck: dist ## Unpack the tarball into an empty folder; build, test (SPEC), install and remove it, without git
	$(SETUP) test
	@tools/distcheck "$(DIST)/hubspot-associations-$(VERSION).tar.gz" $(SPEC)

deb: dist ## Build Debian packages into build/deb, and check them with lintian
	$(SETUP) deb
	@tools/deb "$(DIST)/hubspot-associations-$(VERSION).tar.gz" build/deb

debcheck: deb ## As root: install, use and remove the Debian packages in a new Debian, made by debootstrap
	$(SETUP) debcheck
	@tools/debcheck build/deb

rock: ## Install, use and remove the rock with LuaRocks, in a temporary tree, for Lua 5.4 and 5.1
	$(SETUP) rock
	@LUA= LUA_VERSION=5.1 tools/setup rock
	@tools/rock 5.4 5.1

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST))
