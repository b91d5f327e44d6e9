-- The call as it is written by hand, with LuaSocket's http.request, ltn12 and lua-cjson, for the peers that
-- make it. It looks at nothing of the answer but its status.

local peer = require "support.peer"

local cjson = peer.need "cjson"
local http = peer.need "socket.http"
local ltn12 = peer.need "ltn12"

local url = peer.variable "BENCH_URL"

---Sends the inputs and gives the answer, decoded.
return function(inputs)
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
  return cjson.decode(table.concat(chunks))
end
