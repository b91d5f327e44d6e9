-- Random values for property tests: the same from the same seed, under every Lua.
-- A property that fails names the seed of the failing case; SEED=… in the environment replays it first.
-- It does not use math.random, whose numbers differ between versions of Lua.

local random = {}

---@class random.Source
local Source = {}
Source.__index = Source

-- Park and Miller's generator: every product is below 2^53, so exact in a double.
local MULTIPLIER, MODULUS = 48271, 2147483647

local function advance(self)
  self.state = (self.state * MULTIPLIER) % MODULUS
  return self.state
end

---@param seed integer
---@return random.Source
function random.new(seed)
  local self = setmetatable({ state = seed % (MODULUS - 1) + 1 }, Source)
  for _ = 1, 4 do advance(self) end -- adjacent seeds begin alike
  return self
end

---A whole number from `low` to `high`; they are at most 2^31 - 2 apart.
function Source:integer(low, high)
  return low + advance(self) % (high - low + 1)
end

---True once in `out_of` times.
function Source:one_in(out_of)
  return self:integer(1, out_of) == 1
end

function Source:pick(list)
  return list[self:integer(1, #list)]
end

---A whole number with up to `digits` decimal digits, as a string, without leading zeros.
function Source:digits(digits)
  local out = { self:integer(1, 9) }
  for i = 2, self:integer(1, digits) do out[i] = self:integer(0, 9) end
  return table.concat(out)
end

---`length` random bytes.
function Source:bytes(length)
  local out = {}
  for i = 1, length do out[i] = string.char(self:integer(0, 255)) end
  return table.concat(out)
end

---The UTF-8 of a code point.
---@param code integer 0 to 0x10FFFF
---@return string
function random.utf8(code)
  local function continuation(shift)
    return 128 + math.floor(code / shift) % 64
  end
  if code < 0x80 then return string.char(code) end
  if code < 0x800 then return string.char(192 + math.floor(code / 64), continuation(1)) end
  if code < 0x10000 then
    return string.char(224 + math.floor(code / 4096), continuation(64), continuation(1))
  end
  return string.char(240 + math.floor(code / 262144), continuation(4096), continuation(64), continuation(1))
end

-- Code points that writers of JSON and UTF-8 tend to get wrong: quotes, backslashes, controls, NUL, DEL, C1
-- controls, line separators, the edges of each length, the neighbours of the surrogates, the last code point.
local DELICATE = {
  0x22, 0x5C, 0x2F, 0x00, 0x01, 0x08, 0x09, 0x0A, 0x0C, 0x0D, 0x1F, 0x7F, 0x80, 0x85, 0x9F, 0x7FF, 0x800,
  0x2028, 0x2029, 0xD7FF, 0xE000, 0xFEFF, 0xFFFD, 0xFFFF, 0x10000, 0x1F600, 0x10FFFF,
}

---A code point that UTF-8 may hold.
function Source:code_point()
  local kind = self:integer(1, 8)
  if kind <= 4 then return self:integer(0x20, 0x7E) end
  if kind <= 6 then return self:pick(DELICATE) end
  if kind == 7 then return self:integer(0x80, 0xD7FF) end
  return self:integer(0xE000, 0x10FFFF)
end

---Well-formed UTF-8 of `least` to `most` code points.
function Source:text(least, most)
  local out = {}
  for i = 1, self:integer(least, most) do out[i] = random.utf8(self:code_point()) end
  return table.concat(out)
end

---Runs `property(source, case)` `cases` times, each with a seed of its own. Raises at the first failure.
---@param cases integer
---@param property fun(source: random.Source, case: integer)
function random.check(cases, property)
  local first = tonumber(os.getenv "SEED") or os.time()
  for case = 1, cases do
    local seed = first + case - 1
    local passed, problem = pcall(property, random.new(seed), case)
    if not passed then
      if type(problem) == "table" then problem = problem.message or problem end
      error(("%s\n(replay with SEED=%.0f)"):format(tostring(problem), seed), 2)
    end
  end
end

return random
