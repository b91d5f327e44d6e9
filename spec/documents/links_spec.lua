-- Checks that the links of the documentation lead to files and headings that exist.

local checkout = require "support.checkout"
local documents = require "support.documents"

local read = checkout.read

-- What is in no fenced block: there, a line that begins with # is no heading, and brackets are no link.
local function prose(document)
  local lines, is_fenced = {}, false
  for line in (read(document) .. "\n"):gmatch "([^\n]*)\n" do
    if line:find "^```" then is_fenced = not is_fenced end
    if not is_fenced then lines[#lines + 1] = line end
  end
  return "\n" .. table.concat(lines, "\n")
end

-- The anchors of a page's headings, as forges make them.
local function anchors_of(document)
  local anchors = {}
  for heading in prose(document):gmatch "\n#+ ([^\n]*)" do
    anchors[heading:lower():gsub("[^%w%s_%-]", ""):gsub(" ", "-")] = true
  end
  return anchors
end

-- The file that a link of a document names, from the root: "docs/sync.md", "" and "../README.md".
local function target_of(document, path)
  if path == "" then return document end
  local whole = (document:match "^.*/" or "") .. path
  local count
  repeat
    whole, count = whole:gsub("[^/]+/%.%./", "", 1)
  until count == 0
  return whole
end

-- What is wrong with the links of a text that stands in a document.
local function broken_links(document, text)
  local broken = {}
  for link in text:gmatch "%]%(([^)]+)%)" do
    local path, anchor = link:match "^([^#]*)#?(.*)$"
    local target = target_of(document, path)
    local file = not link:find "^https?:" and io.open(checkout.ROOT .. target)
    if file then file:close() end
    if not link:find "^https?:" and not (file and (anchor == "" or anchors_of(target)[anchor])) then
      broken[#broken + 1] = document .. ": " .. link
    end
  end
  return broken
end

describe("the links of the documentation", function()
  it("lead to files and headings that exist", function()
    for _, document in ipairs(documents.PAGES) do
      assert.same({}, broken_links(document, prose(document)))
    end
  end)

  it("reach each page from the README", function()
    for _, document in ipairs(documents.PAGES) do
      if document ~= "README.md" then
        local link = "](" .. document .. ")"
        assert.truthy(read "README.md":find(link, 1, true), document .. " is found by no link")
      end
    end
  end)

  it("would not do if they led nowhere", function()
    local text = "[a](gone.md) [b](#options) [c](jobs.md#gone) [d](../README.md#install) [e](jobs.md)"
    assert.same({ "docs/api.md: gone.md", "docs/api.md: jobs.md#gone" }, broken_links("docs/api.md", text))
  end)
end)
