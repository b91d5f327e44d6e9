-- Peer: the job as it is written by hand: batches from an iterator, one request at a time, with LuaSocket's
-- http.request, ltn12 and lua-cjson; each batch is checked against the count of its results.

local batch = require "support.batch"
local job = require "support.job"
local peer = require "support.peer"

local cjson = peer.need "cjson"
local http = peer.need "socket.http"
local ltn12 = peer.need "ltn12"

local url = peer.variable "BENCH_URL"

local function create(inputs)
  local body = cjson.encode { inputs = inputs }
  local chunks = {}
  local _, status = assert(http.request {
    url = url,
    method = "POST",
    headers = {
      ["Authorization"] = "Bearer pat-na1-00000000-0000-0000-0000-000000000000",
      ["Content-Type"] = "application/json",
      ["Content-Length"] = tostring(#body),
    },
    source = ltn12.source.string(body),
    sink = ltn12.sink.table(chunks),
  })
  assert(status == 201, status)
  local answer = cjson.decode(table.concat(chunks))
  assert(#answer.results == #inputs, "the answer has not all results")
  return #answer.results
end

job.measure(function(source, count)
  local created = 0
  repeat
    local inputs = {}
    for i = 1, batch.SIZE do
      inputs[i] = source()
      if not inputs[i] then break end
    end
    if #inputs > 0 then created = created + create(inputs) end
  until #inputs < batch.SIZE
  assert(created == count, "not all was created")
end)
