-- Checks docs/design.md: each file and folder that it names exists, and its list of files has them all. Never
-- judges the prose.

local checkout = require "support.checkout"

local PAGE = "docs/design.md"
local SOURCE = "lua/hubspot/associations/"

local is_file, has_name, is_folder = {}, {}, { [""] = true }
local sources = {} -- folder -> names of its sources
for _, found in ipairs(checkout.files ". -not -path './.git/*' -not -path './build/*'") do
  local path = found:sub(3)
  local folder, name = path:match "^(.-)([^/]*)$"
  is_file[path], has_name[name] = true, true
  for at in path:gmatch "()/" do is_folder[path:sub(1, at)] = true end
  if path:find("^" .. SOURCE .. ".*%.lua$") or path:find "^src/.*%.c$" then
    sources[folder] = sources[folder] or {}
    table.insert(sources[folder], name)
  end
end

-- A folder as the page names it: that of the Lua code is left out. Nil when there is none.
local function folder_of(name)
  return is_folder[SOURCE .. name] and SOURCE .. name or is_folder[name] and name or nil
end

-- Whether a word in back quotes looks like a file or a folder. NAME stands for any.
local function is_path(word)
  if word:find "NAME" or not word:find "^[%w_%./%-]+$" then return false end
  return word:find "/" ~= nil or word:find "%.lua$" ~= nil or word:find "%.[ch]$" ~= nil
end

-- What of a text names no file and no folder.
local function unknown_in(text)
  local unknown = {}
  for word in text:gmatch "`([^`\n]+)`" do
    local is_known = is_file[word] or is_file[SOURCE .. word] or folder_of(word)
      or not word:find "/" and has_name[word]
    if is_path(word) and not is_known then unknown[#unknown + 1] = word end
  end
  return unknown
end

-- The list of files: a folder -> what its entry says.
local function entries_of(text)
  local entries, folder = {}, nil
  for line in assert(text:match "\n## The files\n(.-)\n## "):gmatch "[^\n]+" do
    local begun = line:match "^%- `([^`]+/)`"
    if begun then
      folder = assert(folder_of(begun), begun .. " is no folder")
      entries[folder] = ""
    end
    if folder then entries[folder] = entries[folder] .. line .. "\n" end
  end
  return entries
end

describe("the page on the design", function()
  local text = checkout.read(PAGE)

  it("names only what is there", function()
    assert.same({}, unknown_in(text))
  end)

  it("lists every source file in the entry of its folder, and no others", function()
    local entries = entries_of(text)
    for folder, names in pairs(sources) do
      if folder ~= "lua/hubspot/" then
        local entry = assert(entries[folder], folder .. " is not listed")
        for _, name in ipairs(names) do
          assert.truthy(entry:find("`" .. name .. "`", 1, true), folder .. name .. " is not listed")
        end
        for word in entry:gmatch "`([%w_]+%.[luach]+)`" do
          assert.truthy(is_file[folder .. word], folder .. word .. " is not there")
        end
      end
    end
  end)

  it("would fail for a file that is gone", function()
    local unknown = unknown_in "`job/gone.lua` `gone.c` `gone/` `job/job.lua` `src/`"
    assert.same({ "job/gone.lua", "gone.c", "gone/" }, unknown)
  end)
end)
