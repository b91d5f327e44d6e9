-- A request as it is written by hand, with LuaSocket's http.request, ltn12 and lua-cjson, for the peers that
-- make it. It looks at nothing of the answer but its status.

local peer = require "support.peer"

local cjson = peer.need "cjson"
local http = peer.need "socket.http"
local ltn12 = peer.need "ltn12"

local by_hand = {}

---Sends a body and gives the answer, decoded; nil where it has none.
function by_hand.request(method, url, content)
  local body = content and cjson.encode(content)
  local chunks = {}
  local _, status = assert(http.request {
    url = url,
    method = method,
    headers = {
      ["Authorization"] = "Bearer pat-na1-00000000-0000-0000-0000-000000000000",
      ["Content-Type"] = body and "application/json",
      ["Content-Length"] = body and tostring(#body),
    },
    source = body and ltn12.source.string(body),
    sink = ltn12.sink.table(chunks),
  })
  assert(status >= 200 and status <= 299, status)
  if #chunks > 0 then return cjson.decode(table.concat(chunks)) end
end

---Creates the inputs.
function by_hand.create(inputs)
  return by_hand.request("POST", peer.variable "BENCH_URL", { inputs = inputs })
end

return by_hand
