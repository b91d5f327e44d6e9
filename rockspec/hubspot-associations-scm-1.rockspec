rockspec_format = "3.0"
package = "hubspot-associations"
version = "scm-1"

-- `luarocks make`, in a checkout, does not read it. That of a release is written by `make dist`.
source = {
  url = "git+https://example.invalid/hubspot-associations.git",
}

description = {
  summary = "Link HubSpot CRM records from Lua",
  detailed = [[
Creates associations between HubSpot CRM records, in batches, through HubSpot's
associations API. A C core on libcurl does the HTTP call; plain tables go in and
come out. Brings a command, hubspot-associations, and a sandbox for your tests.]],
  license = "MIT",
  labels = { "hubspot", "crm", "http" },
}

supported_platforms = { "unix" }

-- libcurl, with its headers, is found by pkg-config or curl-config.
-- The command needs argparse. Its sandbox, a server for tests, needs cqueues as well: install that
-- rock where you want to start one; nothing else here uses it.
dependencies = {
  "lua >= 5.1",
  "lua-cjson >= 2.1.0",
  "argparse >= 0.7.0",
}

build = {
  type = "make",
  build_target = "all",
  install_target = "install-module", -- LuaRocks has no place for the rest: see docs/install.md
  variables = {
    LUA = "$(LUA)",
    LUA_INCDIR = "$(LUA_INCDIR)",
    CFLAGS = "$(CFLAGS)",
    LIBFLAG = "$(LIBFLAG)",
  },
  install_variables = {
    INST_BINDIR = "$(BINDIR)",
    INST_LUADIR = "$(LUADIR)",
    INST_LIBDIR = "$(LIBDIR)",
  },
}
