-- HTTP/2 frames as bytes, for the scripts of raw_server.lua. Nothing is checked, so that a script can break
-- the protocol.

local http2 = {}

-- RFC 9113, section 7.
http2.ERRORS = {
  NO_ERROR = 0, INTERNAL_ERROR = 2, REFUSED_STREAM = 7, CANCEL = 8, HTTP_1_1_REQUIRED = 13,
}

local TYPES = {
  DATA = 0, HEADERS = 1, PRIORITY = 2, RST_STREAM = 3, SETTINGS = 4, PUSH_PROMISE = 5, PING = 6, GOAWAY = 7,
  WINDOW_UPDATE = 8, CONTINUATION = 9,
}

local END_STREAM, END_HEADERS = 0x1, 0x4

-- An integer as `count` bytes, big-endian.
local function bytes(value, count)
  local text = ""
  for _ = 1, count do
    text = string.char(value % 256) .. text
    value = math.floor(value / 256)
  end
  return text
end

---@param kind string a name of TYPES
---@param flags integer
---@param stream integer
---@param payload string
---@return string
function http2.frame(kind, flags, stream, payload)
  return bytes(#payload, 3) .. bytes(TYPES[kind], 1) .. bytes(flags, 1) .. bytes(stream, 4) .. payload
end

--- A literal header field that is not indexed. Names and values are shorter than 127 bytes.
---@return string
function http2.field(name, value)
  return "\0" .. bytes(#name, 1) .. name .. bytes(#value, 1) .. value
end

---@param values? table<integer, integer> by their identifiers
---@return string
function http2.settings(values)
  local payload = ""
  for identifier, value in pairs(values or {}) do
    payload = payload .. bytes(identifier, 2) .. bytes(value, 4)
  end
  return http2.frame("SETTINGS", 0, 0, payload)
end

http2.INITIAL_WINDOW_SIZE = 4

--- The header frame of a response.
---@param stream integer
---@param status integer
---@param options? { fields?: string[][], ends?: boolean } whether the response ends with its head
---@return string
function http2.head(stream, status, options)
  options = options or {}
  local block = http2.field(":status", tostring(status))
  for _, field in ipairs(options.fields or {}) do
    block = block .. http2.field(field[1], field[2])
  end
  return http2.frame("HEADERS", END_HEADERS + (options.ends and END_STREAM or 0), stream, block)
end

---@param stream integer
---@param data string at most 16,384 bytes
---@param ends? boolean
---@return string
function http2.data(stream, data, ends)
  return http2.frame("DATA", ends and END_STREAM or 0, stream, data)
end

--- A complete JSON response.
---@return string
function http2.response(stream, status, body)
  return http2.head(stream, status, { fields = { { "content-type", "application/json" } } })
    .. http2.data(stream, body, true)
end

---@param stream integer
---@param name string a name of ERRORS
---@return string
function http2.reset(stream, name)
  return http2.frame("RST_STREAM", 0, stream, bytes(http2.ERRORS[name], 4))
end

---@param last_stream integer
---@param name string a name of ERRORS
---@return string
function http2.goaway(last_stream, name)
  return http2.frame("GOAWAY", 0, 0, bytes(last_stream, 4) .. bytes(http2.ERRORS[name], 4))
end

---@param stream integer 0 for the connection
---@param increment integer
---@return string
function http2.window_update(stream, increment)
  return http2.frame("WINDOW_UPDATE", 0, stream, bytes(increment, 4))
end

return http2
