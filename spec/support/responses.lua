-- Bytes of HTTP responses for the scripts of the raw server, in any encoding. Nothing is checked, so that
-- they can be wrong.

local process = require "support.process"

local responses = {}

--- The smallest JSON that is a batch, without results.
responses.BATCH = '{"status":"COMPLETE","results":[],"startedAt":"2025-09-01T00:00:00Z",'
  .. '"completedAt":"2025-09-01T00:00:01Z"}'

--- The bytes of a response.
---@param status integer
---@param body? string "" by default
---@param fields? string[] header lines; when none names a length or a transfer encoding, the length is added
---@return string
function responses.of(status, body, fields)
  body = body or ""
  local lines = { "HTTP/1.1 " .. status .. " Something" }
  local framed = false
  for _, line in ipairs(fields or {}) do
    lines[#lines + 1] = line
    local name = line:lower():match("^[^:]+")
    framed = framed or name == "content-length" or name == "transfer-encoding"
  end
  if not framed then
    lines[#lines + 1] = "Content-Length: " .. #body
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. body
end

--- The bytes of a 201 with a batch.
---@param body? string BATCH by default
---@param fields? string[] more header lines
---@return string
function responses.created(body, fields)
  local lines = { "Content-Type: application/json;charset=utf-8" }
  for _, line in ipairs(fields or {}) do
    lines[#lines + 1] = line
  end
  return responses.of(201, body or responses.BATCH, lines)
end

--- A response by which HubSpot rejects a request.
---@param status integer
---@param body string JSON
---@return string
function responses.rejected(status, body)
  return responses.of(status, body, { "Content-Type: application/json" })
end

--- The script of a connection that sends the same response to `count` requests.
---@param bytes string|string[] a list: the responses to the first request, the second, …
---@param count? integer how often, 1 by default
---@return table[]
function responses.script(bytes, count)
  local script = {}
  for _ = 1, count or 1 do
    for _, response in ipairs(type(bytes) == "table" and bytes or { bytes }) do
      script[#script + 1] = { "read_request" }
      script[#script + 1] = { "send", response }
    end
  end
  return script
end

--- A body in chunks of `size` bytes.
---@param body string
---@param size integer
---@param trailers? string lines, each with its CR LF
---@return string
function responses.chunked(body, size, trailers)
  local parts = {}
  for from = 1, #body, size do
    local chunk = body:sub(from, from + size - 1)
    parts[#parts + 1] = ("%x\r\n"):format(#chunk) .. chunk .. "\r\n" -- 5.1's %s ends at a NUL
  end
  return table.concat(parts) .. "0\r\n" .. (trailers or "") .. "\r\n"
end

--- The text, compressed by gzip.
---@param text string
---@return string
function responses.gzip(text)
  return process.run({ "gzip", "-nc" }, { stdin = text }).stdout
end

--- Zeros, compressed by gzip.
---@param mebibytes integer
---@return string
function responses.gzip_of_zeros(mebibytes)
  local command = ("head -c %dM /dev/zero | gzip -nc1"):format(mebibytes)
  return process.run({ "sh", "-c", command }).stdout
end

-- The checksum at the end of a zlib stream.
local function adler32(text)
  local a, b = 1, 0
  for index = 1, #text do
    a = (a + text:byte(index)) % 65521
    b = (b + a) % 65521
  end
  local bytes = {}
  for _, half in ipairs({ b, a }) do
    bytes[#bytes + 1] = string.char(math.floor(half / 256), half % 256)
  end
  return table.concat(bytes)
end

--- The text for `Content-Encoding: deflate`: in zlib's format, or raw, as some servers send it.
---@param text string
---@param raw? boolean
---@return string
function responses.deflate(text, raw)
  local GZIP_HEAD, GZIP_TAIL = 10, 8
  local stream = responses.gzip(text):sub(GZIP_HEAD + 1, -GZIP_TAIL - 1)
  return raw and stream or "\120\156" .. stream .. adler32(text)
end

return responses
