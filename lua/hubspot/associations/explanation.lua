-- What an error from HubSpot says beyond its message: the reasons in its `context` and its details, and the
-- scopes that a 403 names. Pure: makes text. Every field may be missing, and of any type.

local ascii = require "hubspot.associations.text.ascii"
local shorten = require "hubspot.associations.text.shorten"

local explanation = {}

local MOST = 8 -- reasons, or scopes, that are shown of one error
local MOST_READ = 50 -- values, or details: an error may hold many thousands
local LONGEST = 300 -- bytes of one of them
local DEEPEST = 4 -- tables in tables: a context is a table of lists

-- Keys of a context that repeat what the request named, and do not say why it was rejected.
local REPEATS = {
  fromObjectId = true, toObjectId = true, objectId = true, id = true, ids = true,
  fromObjectType = true, toObjectType = true, objectType = true,
}

-- Keys under which a rejection names scopes: the new ones first, as the older ones are broader.
local SCOPES = { "requiredGranularScopes", "requiredScopes" }
local IS_SCOPES = { requiredGranularScopes = true, requiredScopes = true }

local function shown(text)
  return shorten.text(text, LONGEST, "...")
end

-- A number with a decimal point, whatever the locale has.
local function number_text(number)
  return (("%.14g"):format(number):gsub("[^0-9a-z+-]+", "."))
end

-- The strings and numbers in a value, in order, into `list`.
local function collect(value, list, depth)
  if #list >= MOST_READ then return list end
  if type(value) == "string" and value:find "[^ \t-\r]" then
    list[#list + 1] = shown(value)
  elseif type(value) == "number" then
    list[#list + 1] = number_text(value)
  elseif type(value) == "table" and depth < DEEPEST then
    for _, entry in ipairs(value) do collect(entry, list, depth + 1) end
    for key, entry in pairs(value) do
      if type(key) == "string" and not REPEATS[key] then collect(entry, list, depth + 1) end
    end
  end
  return list
end

-- The error itself and the details in its `errors`; but for invalid inputs, whose `errors` are not HubSpot's.
local function parts_of(err)
  local parts = { err }
  if err.kind ~= "invalid_input" and type(err.errors) == "table" then
    for _, detail in ipairs(err.errors) do
      if #parts > MOST_READ then break end
      if type(detail) == "table" then parts[#parts + 1] = detail end
    end
  end
  return parts
end

---The scopes that a rejection names; an empty list when it names none.
---@param err table
---@return string[]
function explanation.scopes(err)
  for _, name in ipairs(SCOPES) do
    local scopes = {}
    for _, part in ipairs(parts_of(err)) do
      if type(part.context) == "table" then collect(part.context[name], scopes, 1) end
    end
    if #scopes > 0 then return scopes end
  end
  return {}
end

-- What a context says, sentences first: a single word often repeats what a sentence has.
local function statements_of(context)
  local names, sentences, words = {}, {}, {}
  for name in pairs(context) do
    if type(name) == "string" and not REPEATS[name] and not IS_SCOPES[name] then names[#names + 1] = name end
  end
  table.sort(names, ascii.before)
  for _, name in ipairs(names) do
    for _, value in ipairs(collect(context[name], {}, 1)) do
      local is_sentence = value:find "[ \t-\r]" ~= nil
      local list = is_sentence and sentences or words
      list[#list + 1] = { value = value, text = is_sentence and value or name .. ": " .. value }
    end
  end
  for _, word in ipairs(words) do sentences[#sentences + 1] = word end
  return sentences
end

local function cut(list)
  if #list <= MOST then return list end
  for index = #list, MOST + 1, -1 do list[index] = nil end
  list[MOST + 1] = "and more"
  return list
end

---The reasons that an error gives besides its message, each of them once.
---@param err table
---@return string[]
function explanation.reasons(err)
  local said, reasons = ascii.lower(tostring(err.message)), {}
  local function add(value, text)
    if said:find(ascii.lower(value), 1, true) then return end
    said = said .. "\n" .. ascii.lower(text)
    reasons[#reasons + 1] = text
  end
  for _, part in ipairs(parts_of(err)) do
    if part ~= err and type(part.message) == "string" then
      add(shown(part.message), shown(part.message))
    end
    if type(part.context) == "table" then
      for _, statement in ipairs(statements_of(part.context)) do add(statement.value, statement.text) end
    end
  end
  return cut(reasons)
end

---An error's message, followed by its reasons.
---@param err table
---@return string
function explanation.words(err)
  local message, reasons = tostring(err.message), explanation.reasons(err)
  local scopes = cut(explanation.scopes(err))
  if #scopes > 0 then reasons[#reasons + 1] = "scopes: " .. table.concat(scopes, ", ") end
  if #reasons == 0 then return message end
  return message:gsub("[ \t-\r%.:]+$", "") .. ": " .. table.concat(reasons, "; ")
end

return explanation
