-- Runs peers in turn, round after round, so that what the machine does meanwhile meets all of them.
-- Knows no peer: each is a command that prints a number, or "missing" and a name.

local rounds = {}

local function run(command)
  local output = io.popen(command)
  local line = output:read "*l" or ""
  output:close()
  return line
end

local function median(sorted)
  local middle = #sorted / 2
  if middle % 1 ~= 0 then return sorted[middle + 0.5] end
  return (sorted[middle] + sorted[middle + 1]) / 2
end

---@class bench.Figure microseconds per batch
---@field median number|nil
---@field lowest number|nil
---@field highest number|nil
---@field problem string|nil why there are no numbers

---@param commands table<string, string> by the peer's name
---@param order string[] names
---@param count integer how many rounds
---@return table<string, bench.Figure>
function rounds.measure(commands, order, count)
  local samples, figures = {}, {}
  for _, name in ipairs(order) do samples[name] = {} end
  for _ = 1, count do
    for _, name in ipairs(order) do
      if not figures[name] then
        local line = run(commands[name])
        local missing = line:match "^missing (.+)"
        local number = tonumber(line)
        if missing then
          figures[name] = { problem = missing .. " is not installed" }
        elseif not number then
          figures[name] = { problem = "it failed" }
        else
          table.insert(samples[name], number)
        end
      end
    end
  end
  for name, list in pairs(samples) do
    table.sort(list)
    figures[name] = figures[name] or { median = median(list), lowest = list[1], highest = list[#list] }
  end
  return figures
end

return rounds
