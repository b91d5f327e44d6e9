-- Peer: reading, listing or archiving as it is written by hand, as BENCH_OPERATION says: one request at a
-- time, with LuaSocket's http.request, ltn12 and lua-cjson.

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

local operation = peer.variable "BENCH_OPERATION"
job.measure(operations[operation], family.inputs[operation])
