-- Where a row stands: in which FILE, and in which of its lines, as one number. So places have an order,
-- those of lines that follow one another do so as well, and what is counted by lines need not know of files.
-- In the first file, a place is the number of the line.

local places = {}

local LINES = 2 ^ 36 -- more than a file has; the number stays exact up to 2^17 files

---@param file integer the number of the file, from 1
---@param line integer
---@return integer place
function places.of(file, line)
  return (file - 1) * LINES + line
end

---@param place integer
---@return integer file the number of the file, from 1
---@return integer line
function places.read(place)
  local before = math.floor(place / LINES)
  return before + 1, place - before * LINES
end

---The names of the files, for messages and for the file of failures.
---@param paths string[] as they were given; - is standard input
---@return string[]
function places.names(paths)
  local names = {}
  for index, path in ipairs(paths) do names[index] = path == "-" and "standard input" or path end
  return names
end

---The same of a plan, which is no FILE.
---@param path string
---@return string[]
function places.plan_names(path)
  return { path, is_plan = true }
end

---Whether a line is named with its file: where there are several, or where that is no FILE.
---@param names string[] of the files
---@return boolean
function places.are_named(names)
  return #names > 1 or names.is_plan == true
end

---Lines that follow one another: "3 to 5"; with several files "pairs.csv:3 to 5".
---@param first integer place
---@param last integer place in the same file
---@param names string[] of the files
---@return string
function places.text(first, last, names)
  local file, line = places.read(first)
  local text = ("%.0f"):format(line)
  if last > first then text = ("%s to %.0f"):format(text, select(2, places.read(last))) end
  return places.are_named(names) and ("%s:%s"):format(names[file], text) or text
end

return places
