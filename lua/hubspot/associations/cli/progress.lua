-- How far a job is, on standard error: a bar that is redrawn in its line, or a plain line every few seconds.
-- Only shows: the counts, the clock and the total come in.

local terminal = require "hubspot.associations.cli.terminal"

local progress = {}

local WIDTH, NARROWEST_BAR = 80, 10 -- columns

-- Of each way to show it: seconds between two looks at it.
local EVERY = { bar = 0.1, plain = 3 }

---@class hubspot.associations.cli.Progress
local Progress = {}
Progress.__index = Progress

---@param options table { mode = "bar"|"plain"|"none", stream = file, columns = integer|nil,
---  now = seconds, quiet = boolean: let `notice` say nothing, too }
---@return hubspot.associations.cli.Progress
function progress.new(options)
  return setmetatable({
    mode = options.mode,
    stream = options.stream,
    quiet = options.quiet,
    columns = options.columns or WIDTH,
    every = EVERY[options.mode],
    began = options.now,
    shown = options.mode == "bar" and -math.huge or options.now,
    drawn = false, -- whether the bar stands in the current line
    done = 0,
    resumed = 0,
    failed = 0,
    unconfirmed = 0,
  }, Progress)
end

---Takes in how far the job is.
---@param report hubspot.associations.Report
function Progress:update(report)
  self.done, self.resumed = report.inputs, report.resumed
  self.failed, self.unconfirmed = report.failed, report.unconfirmed
end

-- A number of seconds as a clock shows it.
local function clock(seconds)
  seconds = math.ceil(seconds)
  local hours, minutes = math.floor(seconds / 3600), math.floor(seconds / 60) % 60
  if hours > 0 then return ("%d:%02d:%02d"):format(hours, minutes, seconds % 60) end
  return ("%d:%02d"):format(minutes, seconds % 60)
end

-- The job in words, and which part of it is done, where that is known.
local function words(self, now, total)
  local elapsed = now - self.began
  local rate = elapsed > 0 and (self.done - self.resumed) / elapsed or 0
  local parts = { ("%d rows"):format(self.done), ("%.0f rows/s"):format(rate) }
  for _, outcome in ipairs { "failed", "unconfirmed" } do
    if self[outcome] > 0 then parts[#parts + 1] = ("%d %s"):format(self[outcome], outcome) end
  end
  local part = total and total > 0 and math.min(1, self.done / total) or nil
  if part and rate > 0 then parts[#parts + 1] = clock((total - self.done) / rate) .. " left" end
  return parts, part
end

local function draw(self, text)
  terminal.write(self.stream, "\r" .. text .. "\27[K")
end

local function show_bar(self, parts, part)
  local text = table.concat(parts, "  ")
  if part then
    text = ("%3d%%  "):format(math.floor(part * 100)) .. text
    local room = self.columns - 1 - #text - 4 -- brackets, and two spaces behind them
    if room >= NARROWEST_BAR then
      local filled = math.floor(part * room)
      text = "[" .. ("="):rep(filled) .. (" "):rep(room - filled) .. "]  " .. text
    end
  end
  draw(self, text:sub(1, math.max(1, self.columns - 1))) -- the last column would wrap
  self.drawn = true
end

local function show(self, now, total)
  self.shown = now
  local parts, part = words(self, now, total)
  if self.mode == "bar" then return show_bar(self, parts, part) end
  if part then table.insert(parts, 1, ("%d %%"):format(math.floor(part * 100))) end
  terminal.say(self.stream, table.concat(parts, ", "))
end

---Shows it, when it is time to.
---@param now number seconds
---@param total number|nil how many rows there are, as far as that is known
function Progress:tick(now, total)
  if self.every and now - self.shown >= self.every then show(self, now, total) end
end

---Says something else meanwhile, in a line of its own.
---@param message string|string[]
function Progress:say(message)
  self:clear()
  terminal.say(self.stream, message)
end

---The same, for what may go unsaid.
---@param message string|string[]
function Progress:notice(message)
  if not self.quiet then self:say(message) end
end

---Takes the bar away.
function Progress:clear()
  if self.drawn then draw(self, "") end
  self.drawn = false
end

---Shows how it ended: the bar stays, full or not.
---@param now number seconds
---@param total number|nil
function Progress:finish(now, total)
  if self.mode ~= "bar" then return end
  show(self, now, total)
  terminal.write(self.stream, "\n")
  self.drawn = false
end

return progress
