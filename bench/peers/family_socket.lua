-- Peer: reading, listing, archiving or mirroring as it is written by hand, as BENCH_OPERATION says: one
-- request at a time, with LuaSocket's http.request, ltn12 and lua-cjson.

local by_hand = require "support.by_hand"
local family = require "support.family"
local job = require "support.job"
local peer = require "support.peer"

local API = peer.variable "BENCH_BASE_URL" .. "/crm/v4/"
local PAIR = API .. "associations/contacts/companies/batch/"

local operations = {}

-- A record with another page is asked for again, with the next ones.
function operations.read(source, count)
  local read, links, inputs = 0, 0, {}
  repeat
    while #inputs < family.READ do
      local id = source()
      if not id then break end
      inputs[#inputs + 1] = { id = id }
    end
    local more = {}
    local answer = #inputs > 0 and by_hand.request("POST", PAIR .. "read", { inputs = inputs })
    for _, result in ipairs(answer and answer.results or {}) do
      links = links + family.walk(result.to)
      local after = result.paging and result.paging.next and result.paging.next.after
      if after then more[#more + 1] = { id = result.from.id, after = after } else read = read + 1 end
    end
    inputs = more
  until not answer
  assert(read == count and links == count * family.LINKS, "not all was read")
end

-- Up to `most` pairs of a source, grouped by record; and how many they are.
local function take_grouped(source, most)
  local inputs, of, taken = {}, {}, 0
  while taken < most do
    local pair = source()
    if not pair then break end
    local input = of[pair.from.id]
    if not input then
      input = { from = pair.from, to = {} }
      of[pair.from.id] = input
      inputs[#inputs + 1] = input
    end
    input.to[#input.to + 1] = pair.to
    taken = taken + 1
  end
  return inputs, taken
end

function operations.archive(source, count)
  local archived = 0
  repeat
    local inputs, taken = take_grouped(source, family.ARCHIVED)
    if taken > 0 then by_hand.request("POST", PAIR .. "archive", { inputs = inputs }) end
    archived = archived + taken
  until taken < family.ARCHIVED
  assert(archived == count, "not all was archived")
end

function operations.list(_, count)
  local url = ("%sobjects/contacts/%d/associations/companies?limit=%d"):format(API, count, family.PAGE)
  local links, after = {}, nil
  repeat
    local page = by_hand.request("GET", url .. (after and "&after=" .. after or ""))
    for _, link in ipairs(page.results) do links[#links + 1] = link end
    after = page.paging and page.paging.next and page.paging.next.after
  until not after
  assert(family.walk(links) == count, "not all was listed")
end

-- Sends the entries of a list in requests of `most`; returns how many.
local function send_all(name, list, most)
  local requests = 0
  for first = 1, #list, most do
    local inputs = {}
    for i = first, math.min(first + most - 1, #list) do inputs[#inputs + 1] = list[i] end
    by_hand.request("POST", PAIR .. name, { inputs = inputs })
    requests = requests + 1
  end
  return requests
end

-- The list as a set of ids for each record, and the records in order.
local function take_wanted(source)
  local wanted, records = {}, {}
  for input in source do
    if not wanted[input.from] then
      wanted[input.from] = {}
      records[#records + 1] = { id = input.from }
    end
    wanted[input.from][input.to] = true
  end
  return wanted, records
end

-- Everything in memory, unlabeled links only; it looks at no page but the first, and checks nothing.
function operations.mirror(source, count)
  local wanted, records = take_wanted(source)
  local create, remove, requests = {}, {}, 0
  local types = { { associationCategory = "HUBSPOT_DEFINED", associationTypeId = 279 } }
  for first = 1, #records, family.READ do
    local inputs = {}
    for i = first, math.min(first + family.READ - 1, #records) do inputs[#inputs + 1] = records[i] end
    requests = requests + 1
    for _, result in ipairs(by_hand.request("POST", PAIR .. "read", { inputs = inputs }).results) do
      local from, there = result.from, {}
      for _, link in ipairs(result.to) do
        local to = ("%.0f"):format(link.toObjectId)
        there[to] = true
        if not wanted[from.id][to] then remove[#remove + 1] = { from = from, to = { { id = to } } } end
      end
      for to in pairs(wanted[from.id]) do
        if not there[to] then create[#create + 1] = { from = from, to = { id = to }, types = types } end
      end
    end
  end
  local differ = math.ceil(count / family.DIFFERS)
  assert(#create == differ and #remove >= differ, "not all was found")
  return requests + send_all("create", create, family.ARCHIVED) + send_all("archive", remove, 100)
end

local operation = peer.variable "BENCH_OPERATION"
job.measure(operations[operation], family.inputs[operation])
