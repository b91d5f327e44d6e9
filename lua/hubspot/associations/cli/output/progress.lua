-- How far a job is, on standard error: a bar that is redrawn in its line, or a plain line every few seconds.
-- The counts, the time, the total and the width are passed in. Writes ASCII only, so that a byte is a column.

local json_report = require "hubspot.associations.cli.output.json_report"
local terminal = require "hubspot.associations.cli.output.terminal"

local progress = {}

local WIDTH, NARROWEST_BAR = 80, 10 -- columns

-- Seconds between two updates, by mode.
local EVERY = { bar = 0.1, plain = 3, json = 1 }

-- Seconds over which the rate is measured, pauses included: the rest of the job will have pauses, too. A
-- batch counts when its response is there, so that the rate over a shorter time would jump.
local WINDOW = 30
local SAMPLES = 60 -- in a window

local LEAST_WAIT = 1 -- seconds; a shorter wait is not shown

-- Of a job in phases, which of its counts shows how far a phase is.
local COUNT_OF = { reading = "inputs", comparing = "compared", creating = "created", removing = "removed" }

---@class hubspot.associations.cli.Progress
local Progress = {}
Progress.__index = Progress

---@param options table { mode = "bar"|"plain"|"json"|"none", stream = file, columns = fun(): integer|nil,
---  now = seconds, quiet = boolean: whether `notice` says nothing }
---@return hubspot.associations.cli.Progress
function progress.new(options)
  return setmetatable({
    mode = options.mode,
    stream = options.stream,
    quiet = options.quiet,
    columns = options.columns,
    every = EVERY[options.mode],
    began = options.now,
    shown = options.mode == "bar" and -math.huge or options.now,
    drawn = false, -- whether the current line has the bar
    samples = { { at = options.now, done = 0 } }, -- how many rows this run had done and when, oldest first
    done = 0,
    resumed = 0,
    failed = 0,
    unconfirmed = 0,
    wait = 0,
    is_ending = false, -- whether no more is sent: then the time left means nothing
  }, Progress)
end

---Notes how far the job is.
---@param report hubspot.associations.Report
---@param wait number|nil seconds for which nothing can be sent
---@param wait_reason string|nil what the job waits for
function Progress:update(report, wait, wait_reason)
  if report.phase ~= self.phase then self.phase, self.samples = report.phase, {} end
  self.done, self.resumed = report[COUNT_OF[report.phase] or "inputs"], report.resumed
  self.failed, self.unconfirmed = report.failed, report.unconfirmed
  self.wait, self.wait_reason = wait or 0, wait_reason
end

-- The rows that this run has done, without those of the journal.
local function worked(self)
  return self.done - self.resumed
end

-- Adds a sample, and drops those that are older than the window, except the newest of them.
local function sample(self, now)
  local samples = self.samples
  if not samples[1] or now - samples[#samples].at >= WINDOW / SAMPLES then
    samples[#samples + 1] = { at = now, done = worked(self) }
  end
  while samples[2] and samples[2].at <= now - WINDOW do table.remove(samples, 1) end
end

-- Rows a second since a sample; 0 when that is not known yet.
local function rate_of(self, now, since)
  local elapsed = now - since.at
  return elapsed > 0 and (worked(self) - since.done) / elapsed or 0
end

-- A number of seconds as a clock shows it.
local function clock(seconds)
  seconds = math.ceil(seconds)
  local hours, minutes = math.floor(seconds / 3600), math.floor(seconds / 60) % 60
  if hours > 0 then return ("%d:%02d:%02d"):format(hours, minutes, seconds % 60) end
  return ("%d:%02d"):format(minutes, seconds % 60)
end

local LONGEST_LEFT = 100 * 3600 -- seconds; a longer time is not shown

-- How long the rest takes; nil when that is not known.
local function time_left(self, rate, total)
  if rate <= 0 or not total or total <= self.done then return nil end
  local left = (total - self.done) / rate
  return left < LONGEST_LEFT and clock(left) .. " left" or nil
end

local function rows_text(rate)
  if rate <= 0 then return nil end
  return (rate < 10 and "%.1f rows/s" or "%.0f rows/s"):format(rate)
end

-- The facts to show, the most important first, each with its position in the line; and the part of the rows
-- that is done, when that is known.
local function facts(self, rate, total, is_over)
  local is_waiting = not is_over and self.wait >= LEAST_WAIT
  local is_phase = not is_over and COUNT_OF[self.phase] ~= nil
  local done = is_phase and ("%s: %d"):format(self.phase, self.done) or ("%d rows"):format(self.done)
  local list = { { at = 1, text = done } }
  local function add(position, text)
    if text then list[#list + 1] = { at = position, text = text } end
  end
  if is_waiting then add(5, ("waiting %.0f s %s"):format(math.ceil(self.wait), self.wait_reason)) end
  if self.failed > 0 then add(3, ("%d failed"):format(self.failed)) end
  if self.unconfirmed > 0 then add(4, ("%d unconfirmed"):format(self.unconfirmed)) end
  if not is_waiting and not is_over and not self.is_ending then add(6, time_left(self, rate, total)) end
  if not is_waiting then add(2, rows_text(rate)) end
  return list, total and total > 0 and math.min(1, self.done / total) or nil
end

-- The text of the facts that fit into so many columns, in the order of the line.
local function fitting(list, columns, separator)
  local chosen, room = {}, columns
  for index, fact in ipairs(list) do
    local size = #fact.text + (index > 1 and #separator or 0)
    if index == 1 or size <= room then
      chosen[#chosen + 1] = fact
      room = room - size
    end
  end
  table.sort(chosen, function(one, other) return one.at < other.at end)
  for index, fact in ipairs(chosen) do chosen[index] = fact.text end
  return table.concat(chosen, separator)
end

-- The line with the bar, at most so many columns long.
local function bar_line(list, part, columns)
  local percent = part and ("%3d%%  "):format(math.floor(part * 100)) or ""
  local text = percent .. fitting(list, columns - #percent, "  ")
  local room = columns - #text - 4 -- brackets, and two spaces after them
  if part and room >= NARROWEST_BAR then
    local filled = math.floor(part * room)
    text = "[" .. ("="):rep(filled) .. (" "):rep(room - filled) .. "]  " .. text
  end
  return text:sub(1, columns)
end

-- Draws over the line, and clears its rest and the lines below: a terminal that became narrower may have
-- wrapped the line. Wrapping is off while the line is drawn, since the width may just have changed; the
-- cursor stays in the first column, where a change of the width does not move it.
local function draw(self, text, ending)
  terminal.write(self.stream, "\r\27[?7l" .. text .. "\27[J\27[?7h" .. ending)
end

local function show_bar(self, list, part, is_over)
  local columns = self.columns() or WIDTH
  draw(self, bar_line(list, part, math.max(1, columns - 1)), is_over and "\n" or "\r")
  self.drawn = not is_over
end

-- The same for scripts. The total is an estimate while the file is read.
local function show_json(self, rate, total, is_over)
  terminal.write(self.stream, json_report.progress {
    phase = self.phase, rows = self.done, total = total, failed = self.failed, unconfirmed = self.unconfirmed,
    rows_per_second = math.floor(rate * 10 + 0.5) / 10, waiting = self.wait > 0 and self.wait or nil,
    waiting_for = self.wait > 0 and self.wait_reason or nil, done = is_over or false,
  })
end

local function show(self, now, total, is_over)
  self.shown = now
  if self.phase and self.phase ~= "reading" then total = nil end -- it is that of the rows
  local since = is_over and { at = self.began, done = 0 } or self.samples[1] or { at = now, done = 0 }
  if self.mode == "json" then return show_json(self, rate_of(self, now, since), total, is_over) end
  local list, part = facts(self, rate_of(self, now, since), total, is_over)
  if self.mode == "bar" then return show_bar(self, list, part, is_over) end
  if part then table.insert(list, 1, { at = 0, text = ("%d %%"):format(math.floor(part * 100)) }) end
  terminal.say(self.stream, fitting(list, math.huge, ", "))
end

---Notes that no more is sent, and that only requests in flight are waited for.
function Progress:ending()
  self.is_ending = true
end

---Shows how far the job is, when an update is due.
---@param now number seconds
---@param total number|nil how many rows there are, as far as that is known
function Progress:tick(now, total)
  if not self.every then return end
  sample(self, now)
  if now - self.shown >= self.every then show(self, now, total) end
end

---Shows a message in a line of its own.
---@param message string|string[]
function Progress:say(message)
  self:clear()
  terminal.say(self.stream, message)
end

---The same, but for --quiet.
---@param message string|string[]
function Progress:notice(message)
  if not self.quiet then self:say(message) end
end

---Removes the bar.
function Progress:clear()
  if self.drawn then draw(self, "", "\r") end
  self.drawn = false
end

---Shows how the job ended, with the rate of the whole run. The bar stays, full or not.
---@param now number seconds
---@param total number|nil
function Progress:finish(now, total)
  if self.mode == "bar" or self.mode == "json" then show(self, now, total, true) end
end

return progress
