-- Checks what Lua 5.5 refuses and no older Lua does: an assignment to a variable of a `for`, `global` as a
-- name. Reads the sources as a lexer does; needs no Lua 5.5.

local checkout = require "support.checkout"

-- The tokens of a text: { text, line }. Names, keywords and marks; strings and comments are left out.
local function tokens_of(text)
  local tokens, at, line = {}, 1, 1
  local function skip_to(stop)
    local _, count = text:sub(at, stop):gsub("\n", "")
    line, at = line + count, stop + 1
  end
  local function long_bracket(from)
    local equals = text:match("^%[(=*)%[", from)
    return equals and select(2, text:find("]" .. equals .. "]", from, true))
  end
  while at <= #text do
    local quote, name = text:find("^[\"']", at), text:match("^[%a_][%w_]*", at)
    if text:find("^%-%-", at) then
      skip_to(long_bracket(at + 2) or (text:find("\n", at, true) or #text + 1) - 1)
    elseif long_bracket(at) then
      skip_to(long_bracket(at))
    elseif quote then
      local mark, stop = text:sub(at, at), at + 1
      while text:sub(stop, stop) ~= mark do stop = stop + (text:sub(stop, stop) == "\\" and 2 or 1) end
      skip_to(stop)
      tokens[#tokens + 1] = { '""', line }
    elseif name then
      tokens[#tokens + 1] = { name, line }
      at = at + #name
    elseif text:find("^%d", at) then
      at = select(2, text:find("^[%w%.]+", at)) + 1
      tokens[#tokens + 1] = { "0", line }
    elseif text:find("^%s", at) then
      skip_to(at)
    else
      local mark = text:match("^[=~<>]=", at) or text:match("^%.%.%.?", at) or text:sub(at, at)
      tokens[#tokens + 1] = { mark, line }
      at = at + #mark
    end
  end
  return tokens
end

local OPENS = { ["function"] = true, ["if"] = true, ["repeat"] = true, ["do"] = true }
local CLOSES = { ["end"] = true, ["until"] = true }

-- The lines on which a variable of a `for` is assigned: a name that the innermost block with it has from
-- its `for`.
local function assignments_to_loop_variables(text)
  local tokens, found = tokens_of(text), {}
  local blocks, pending = { {} }, nil -- name -> is it a loop's; nil: not declared here
  local brackets = { 0 } -- of each block, how many are open: there are no statements in them
  local function kind_of(name)
    for i = #blocks, 1, -1 do
      if blocks[i][name] ~= nil then return blocks[i][name] end
    end
  end
  local function declare_list(index, block, is_loop, stop)
    while tokens[index] and not stop[tokens[index][1]] do
      if tokens[index][1]:find "^[%a_]" then block[tokens[index][1]] = is_loop end
      index = index + 1
    end
  end
  for i, token in ipairs(tokens) do
    local word, before = token[1], tokens[i - 1] and tokens[i - 1][1]
    local after = tokens[i + 1] and tokens[i + 1][1]
    if word == "for" then
      pending = {}
      declare_list(i + 1, pending, true, { ["="] = true, ["in"] = true })
    elseif OPENS[word] then
      local block = {}
      if word == "do" and pending then block, pending = pending, nil end
      if word == "function" then
        local open = i
        while tokens[open][1] ~= "(" do open = open + 1 end
        declare_list(open + 1, block, false, { [")"] = true })
      end
      blocks[#blocks + 1], brackets[#brackets + 1] = block, 0
    elseif CLOSES[word] then
      blocks[#blocks], brackets[#brackets] = nil, nil
    elseif word == "else" or word == "elseif" then
      blocks[#blocks] = {}
    elseif word == "local" and after ~= "function" then
      declare_list(i + 1, blocks[#blocks], false, { ["="] = true, ["local"] = true, ["return"] = true })
    end
    if word:find "^[{(%[]$" then brackets[#brackets] = brackets[#brackets] + 1 end
    if word:find "^[})%]]$" then brackets[#brackets] = brackets[#brackets] - 1 end
    local is_target = (after == "=" or after == ",") and before ~= "." and before ~= ":" and before ~= "local"
    if is_target and not pending and brackets[#brackets] == 0 and kind_of(word) then
      local last = i -- of a list of targets
      while tokens[last + 1][1] == "," and tokens[last + 2][1]:find "^[%a_]" do last = last + 2 end
      if tokens[last + 1][1] == "=" then found[#found + 1] = token[2] end
    end
  end
  return found
end

local SOURCES = checkout.files "lua bin bench spec -name '*.lua' -o -name hubspot-associations"

describe("the check for assignments to loop variables", function()
  it("finds them", function()
    for _, text in ipairs {
      "for i = 1, 3 do i = 2 end", "for _, v in ipairs(t) do if x then v = 1 end end",
      "for k, v in pairs(t) do k, v = 1, 2 end", "for i = 1, 3 do f(function() i = 1 end) end",
      "for line in lines do\n line = line:sub(2) end", "for i = 1, 3 do x, i = 1, 2 end",
    } do
      assert.is_true(#assignments_to_loop_variables(text) > 0, text)
    end
  end)

  it("finds nothing else", function()
    for _, text in ipairs {
      "for i = 1, 3 do local i = i; i = 2 end", "for i = 1, 3 do t.i = 2; t[i] = 3 end i = 4",
      "for i = 1, 3 do f { i = i } end", "for i = 1, 3 do f(function(i) i = 2 end) end",
      "for i = 1, 3 do x = i == 3 -- i = 2\n y = 'i = 2' end", "for i = 1, 3 do f { x = 1, i = 2 } end",
      "for i = 1, 3 do end local i i = 2", "for i in f() do g(i, 2) end",
    } do
      assert.same({}, assignments_to_loop_variables(text), text)
    end
  end)
end)

describe("the sources", function()
  it("assign to no loop variable, which Lua 5.5 refuses", function()
    local found = {}
    for _, path in ipairs(SOURCES) do
      for _, line in ipairs(assignments_to_loop_variables(checkout.read(path))) do
        found[#found + 1] = path .. ":" .. line
      end
    end
    assert.same({}, found)
  end)

  it("have nothing of the name global, which is a keyword there", function()
    for _, path in ipairs(SOURCES) do
      for _, token in ipairs(tokens_of(checkout.read(path))) do
        assert.is_true(token[1] ~= "global", ("%s:%d"):format(path, token[2]))
      end
    end
  end)
end)
