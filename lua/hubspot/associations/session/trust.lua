-- The certificates that a client trusts: those of its options; else those that the environment names for the
-- curl tool; else libcurl's default.

local core = require "hubspot.associations.core"

local trust = {}

-- In the order in which curl looks for them.
local VARIABLES = {
  { name = "CURL_CA_BUNDLE", field = "ca_file" },
  { name = "SSL_CERT_DIR", field = "ca_path" },
  { name = "SSL_CERT_FILE", field = "ca_file" },
}

local TYPE_OF = { ca_file = "file", ca_path = "directory" }

-- libcurl's codes: the server's certificate could not be verified; the certificates to trust could not be
-- read.
local NOT_VERIFIED, UNREADABLE = 60, 77

---@class hubspot.associations.Trust
---@field ca_file string|nil
---@field ca_path string|nil
---@field keep_default_ca boolean whether libcurl's default is used for what is not given, as in curl
---@field origin string|nil the option or environment variable they are from; nil for libcurl's default
local Trust = {}
Trust.__index = Trust

---@param options hubspot.associations.Options
---@return hubspot.associations.Trust
function trust.of(options)
  local self = setmetatable({ keep_default_ca = false }, Trust)
  if options.ca_file or options.ca_path then
    self.ca_file, self.ca_path = options.ca_file, options.ca_path
    self.origin = "option " .. (options.ca_file and "ca_file" or "ca_path")
    return self
  end
  for _, variable in ipairs(VARIABLES) do
    local value = core.getenv(variable.name)
    if value then
      self[variable.field], self.keep_default_ca = value, true
      self.origin = "environment variable " .. variable.name
      break
    end
  end
  return self
end

-- Why a path cannot be used as a file or a directory; nil when it can.
local function why_unusable(path, expected)
  if expected == "directory" and path:find ":" then return nil end -- a list of directories
  local found, why = core.stat(path)
  if not found then return why end
  local is_wrong = (found.type == "directory") ~= (expected == "directory")
  return is_wrong and (expected == "directory" and "is not a directory" or "is a directory") or nil
end

---What of the certificates cannot be used.
---@return string|nil path
---@return string|nil why
function Trust:problem()
  for field, expected in pairs(TYPE_OF) do
    local why = self[field] and why_unusable(self[field], expected)
    if why then return self[field], why end
  end
end

---The message of a failure, naming the certificates to trust if they are its cause.
---@param failure table { kind, message, curl_code }
---@return string
function Trust:explain(failure)
  local code = failure.curl_code
  if failure.kind ~= "tls" or not self.origin or code ~= NOT_VERIFIED and code ~= UNREADABLE then
    return failure.message
  end
  local unusable, why = self:problem()
  if unusable then return ("the certificates to trust, %s (%s): %s"):format(unusable, self.origin, why) end
  local paths = self.ca_file and self.ca_path and self.ca_file .. " and " .. self.ca_path
    or self.ca_file or self.ca_path
  local text = code == UNREADABLE and "%s: the certificates to trust, %s (%s), cannot be read"
    or "%s; trusted are the certificates of %s (%s)"
  return text:format(failure.message, paths, self.origin)
end

return trust
