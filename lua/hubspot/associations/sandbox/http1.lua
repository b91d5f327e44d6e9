-- HTTP/1.1 as text: reads requests from bytes, and writes responses as bytes. It uses no socket: the bytes
-- come from a function, so that specs can cut them anywhere.

local http1 = {}

http1.MAX_HEAD = 64 * 1024
http1.MAX_BODY = 64 * 1024 * 1024
local MAX_CHUNK_LINE = 1024

local TOKEN = "^[%w!#$%%&'*+%-.^_`|~]+$"

local REASONS = {
  [200] = "OK", [201] = "Created", [202] = "Accepted", [204] = "No Content", [207] = "Multi-Status",
  [400] = "Bad Request", [401] = "Unauthorized", [403] = "Forbidden", [404] = "Not Found",
  [405] = "Method Not Allowed", [408] = "Request Timeout", [409] = "Conflict",
  [413] = "Content Too Large", [415] = "Unsupported Media Type", [422] = "Unprocessable Content",
  [423] = "Locked", [429] = "Too Many Requests", [431] = "Request Header Fields Too Large",
  [477] = "Migration in Progress", [500] = "Internal Server Error", [501] = "Not Implemented",
  [502] = "Bad Gateway", [503] = "Service Unavailable", [504] = "Gateway Timeout",
  [505] = "HTTP Version Not Supported",
}

---@class hubspot.associations.sandbox.Head
---@field method string
---@field path string with its query
---@field headers table<string, string> lower-case names; repeated ones joined by ", "
---@field keep_alive boolean
---@field length integer|nil the Content-Length
---@field chunked boolean
---@field continue boolean whether the client waits for a 100 before it sends the body

local function parse_request_line(line)
  local method, target, major, minor = line:match("^(%S+) (%S+) HTTP/(%d)%.(%d)$")
  if not method or not method:find(TOKEN) then return nil, 400, "malformed request line" end
  if major ~= "1" then return nil, 505, "not HTTP/1" end
  local path = target:match("^https?://[^/]+(/.*)$") or target
  if path:sub(1, 1) ~= "/" then return nil, 400, "malformed request target" end
  return { method = method, path = path, headers = {}, version = minor == "0" and 0 or 1 }
end

local function parse_field(line)
  local name, value = line:match("^([^:]+):[ \t]*(.-)[ \t]*$")
  if not name or not name:find(TOKEN) or value:find("[%z\r]") then return nil end
  return name:lower(), value
end

-- How long the body is. A request with two different statements about it is rejected, because a proxy may
-- believe the one and the server the other: request smuggling.
local function parse_framing(head)
  local encoding, length = head.headers["transfer-encoding"], head.headers["content-length"]
  head.chunked = false
  if encoding then
    if length or head.version == 0 then return nil, 400, "ambiguous body length" end
    if encoding:lower() ~= "chunked" then return nil, 501, "unknown transfer encoding" end
    head.chunked = true
  elseif length then
    if not length:find("^%d+$") then return nil, 400, "malformed Content-Length" end
    head.length = tonumber(length)
    if head.length > http1.MAX_BODY then return nil, 413, "body too large" end
  end
  return head
end

local function parse_connection(head)
  local connection = (head.headers.connection or ""):lower()
  if head.version == 1 then return not connection:find("close", 1, true) end
  return connection:find("keep-alive", 1, true) ~= nil
end

---Parses a request's head.
---@param text string up to the empty line, without it
---@return hubspot.associations.sandbox.Head|nil
---@return integer|nil status of the error response
---@return string|nil reason
function http1.parse_head(text)
  local head, status, reason
  for ended_line in (text .. "\n"):gmatch("([^\n]*)\n") do
    local line = ended_line:gsub("\r$", "")
    if not head then
      head, status, reason = parse_request_line(line)
      if not head then return nil, status, reason end
    else
      local name, value = parse_field(line)
      if not name then return nil, 400, "malformed header field" end
      local before = head.headers[name]
      head.headers[name] = before and before .. ", " .. value or value
    end
  end
  if head.version == 1 and not head.headers.host then return nil, 400, "no Host" end
  head.keep_alive = parse_connection(head)
  head.continue = head.version == 1 and (head.headers.expect or ""):lower() == "100-continue"
  return parse_framing(head)
end

---@class hubspot.associations.sandbox.Reader
local reader = {}
reader.__index = reader

---A reader of the requests of one connection.
---@param more fun(): string|nil returns the next bytes; nil at the end of the connection
---@return hubspot.associations.sandbox.Reader
function http1.reader(more)
  return setmetatable({ more = more, buffer = "", position = 1 }, reader)
end

-- Appends bytes to the unread ones. False at the end of the connection.
local function fill(self)
  local bytes = self.more()
  if not bytes then return false end
  self.buffer = self.buffer:sub(self.position) .. bytes
  self.position = 1
  return true
end

local function take(self, count)
  local from = self.position
  local available = #self.buffer - from + 1
  if available >= count then
    self.position = from + count
    return self.buffer:sub(from, from + count - 1)
  end
  local parts = { self.buffer:sub(from) }
  while available < count do
    local bytes = self.more()
    if not bytes then return nil, 400, "body cut short" end
    parts[#parts + 1] = bytes
    available = available + #bytes
  end
  local last, rest = parts[#parts], available - count
  parts[#parts] = last:sub(1, #last - rest)
  self.buffer, self.position = last:sub(#last - rest + 1), 1
  return table.concat(parts)
end

local function take_line(self, limit)
  while true do
    local stop = self.buffer:find("\n", self.position, true)
    if (stop or #self.buffer + 1) - self.position > limit then return nil, 400, "line too long" end
    if stop then
      local line = self.buffer:sub(self.position, stop - 1):gsub("\r$", "")
      self.position = stop + 1
      return line
    end
    if not fill(self) then return nil, 400, "body cut short" end
  end
end

-- Empty lines before a request are ignored, as RFC 9112 asks for. False when the connection ends there.
local function skip_empty_lines(self)
  while true do
    local _, stop = self.buffer:find("^\r?\n", self.position)
    if stop then
      self.position = stop + 1
    elseif self.position <= #self.buffer and self.buffer:sub(self.position) ~= "\r" then
      return true
    elseif not fill(self) then
      return false
    end
  end
end

---Reads the next request's head.
---@return hubspot.associations.sandbox.Head|nil
---@return integer|nil status of the error response; nil when the connection ended between two requests
---@return string|nil reason
function reader:head()
  if not skip_empty_lines(self) then return nil end
  local searched = self.position
  while true do
    local first, last = self.buffer:find("\r?\n\r?\n", searched)
    if (first or #self.buffer + 1) - self.position > http1.MAX_HEAD then
      return nil, 431, "header fields too large"
    end
    if first then
      local text = self.buffer:sub(self.position, first - 1)
      self.position = last + 1
      return http1.parse_head(text)
    end
    local held = #self.buffer - self.position + 1
    if not fill(self) then return nil, 400, "head cut short" end
    searched = math.max(1, held - 2)  -- the empty line may begin in the bytes before
  end
end

local function read_trailers(self)
  local total = 0
  repeat
    local line, status, reason = take_line(self, http1.MAX_HEAD)
    if not line then return nil, status, reason end
    total = total + #line
    if total > http1.MAX_HEAD then return nil, 431, "trailers too large" end
  until line == ""
  return true
end

local function read_chunks(self)
  local parts, total = {}, 0
  while true do
    local line, status, reason = take_line(self, MAX_CHUNK_LINE)
    if not line then return nil, status, reason end
    local size = line:match("^(%x+)[ \t]*$") or line:match("^(%x+)[ \t]*;")
    if not size then return nil, 400, "malformed chunk size" end
    if #size > 8 then return nil, 413, "body too large" end
    size = tonumber(size, 16)
    total = total + size
    if total > http1.MAX_BODY then return nil, 413, "body too large" end
    if size == 0 then break end
    local chunk
    chunk, status, reason = take(self, size)
    if not chunk then return nil, status, reason end
    parts[#parts + 1] = chunk
    if take_line(self, MAX_CHUNK_LINE) ~= "" then return nil, 400, "malformed chunk" end
  end
  local read, status, reason = read_trailers(self)
  if not read then return nil, status, reason end
  return table.concat(parts)
end

---Reads the body that belongs to a head.
---@param head hubspot.associations.sandbox.Head
---@return string|nil body
---@return integer|nil status of the error response
---@return string|nil reason
function reader:body(head)
  if head.chunked then return read_chunks(self) end
  return take(self, head.length or 0)
end

---Asks a client to send its body.
http1.CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n"

---Writes a response.
---@param response hubspot.associations.sandbox.Response
---@param keep_alive boolean
---@param without_body? boolean for HEAD
---@return string bytes
function http1.serialise(response, keep_alive, without_body)
  local status, body = response.status, response.body or ""
  local lines = { string.format("HTTP/1.1 %d %s", status, REASONS[status] or "Status") }
  for name, value in pairs(response.headers or {}) do
    lines[#lines + 1] = name .. ": " .. value
  end
  if status ~= 204 then lines[#lines + 1] = string.format("content-length: %d", #body) end
  lines[#lines + 1] = keep_alive and "connection: keep-alive" or "connection: close"
  if status == 204 or without_body then body = "" end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. body
end

return http1
