-- Where rows go: to standard output, or to the file of --output. A file gets its name once it is complete.
-- Until then it has another, FILE.part, from which a run with a journal goes on.

local core = require "hubspot.associations.core"
local part_files = require "hubspot.associations.part_file"
local one_line = require "hubspot.associations.text.one_line"
local screen = require "hubspot.associations.cli.output.screen"
local terminal = require "hubspot.associations.cli.output.terminal"

local destination = {}

---@class hubspot.associations.cli.Destination
---@field stream file*
---@field name string for messages
---@field is_terminal boolean
---@field is_continued boolean whether it has rows of an earlier run
---@field path string|nil of the file
---@field part hubspot.associations.PartFile|nil
---@field kept string|nil the file that has the rows so far, when it was not completed
local Destination = {}
Destination.__index = Destination

-- The file in which rows are collected, and a stream to it. Nil and why when it cannot be used.
local function open_part(path, beginnings)
  local stream, why = io.open(part_files.name(path), "ab") -- first: with the permissions of any new file
  if not stream then return nil, why end
  local part
  part, why = part_files.open(path, beginnings)
  if part then return part, stream end
  stream:close()
  return nil, why
end

-- Whether an earlier run with this journal has begun the file. Nil and why when its rows are not there.
local function is_begun(journal, part)
  local recorded, found = journal and core.stat(journal), core.stat(part)
  if not recorded or recorded.size == 0 then return false end
  if found then return found.size > 0 end
  return nil, ("%s has what an earlier run has done, and %s, with the rows of that run, is not there; give "
    .. "another journal to begin anew"):format(journal, part)
end

local function open_file(path, journal, beginnings)
  local found = core.stat(path)
  if found and found.type ~= "file" then
    return nil, path .. ": is not a regular file; redirect standard output in its place"
  end
  local is_continued, why = is_begun(journal, part_files.name(path))
  if is_continued == nil then return nil, why end
  local part, stream = open_part(path, not is_continued and beginnings or nil)
  if not part then return nil, stream end
  return setmetatable({
    stream = stream, name = one_line(path), is_terminal = false, path = path, part = part,
    is_continued = is_continued, is_resumable = journal ~= nil,
  }, Destination)
end

---@param arguments table as arguments.parse gives them: output, journal
---@param environment hubspot.associations.cli.Environment
---@param beginnings string[] how what is written may begin
---@return hubspot.associations.cli.Destination|nil
---@return string|nil message
function destination.open(arguments, environment, beginnings)
  if arguments.output then
    local file, why = open_file(arguments.output, arguments.journal, beginnings)
    return file, why and "--output: " .. why
  end
  local journal = arguments.journal and core.stat(arguments.journal)
  return setmetatable({
    stream = environment.stdout, name = "standard output", is_terminal = screen.shows_output(environment),
    is_continued = journal ~= nil and journal.size ~= 0,
  }, Destination)
end

-- Gives the file its name, if it is complete; else removes it, unless a run with a journal can go on from it.
local function close_file(self, is_complete)
  local closed, why = self.stream:close()
  if closed and is_complete then
    closed, why = self.part:complete()
    if closed then return true end
  end
  if self.is_resumable then
    self.kept = self.part.name
    self.part:close()
  else
    self.part:discard()
  end
  return closed, why and tostring(why)
end

---What was written to a file is on disk then.
---@return boolean|nil
---@return string|nil message
function Destination:save()
  if not self.part then return true end
  return self.part:save()
end

---@param is_complete boolean whether all has been written
---@return boolean|nil
---@return string|nil message why it is not complete
function Destination:close(is_complete)
  if self.part then return close_file(self, is_complete) end
  return terminal.write(self.stream, "") -- a reader that is gone is no error
end

return destination
