-- Clients for specs: opens them with the options that specs usually want, and closes all of them at a spec's
-- end. Until then it holds them: a spec of what happens to a client that nobody holds has to open it by
-- itself.

local associations = require "hubspot.associations"
local core = require "hubspot.associations.core"

local clients = {}

-- Whether libcurl always looks whether a kept connection still is one before it uses it: from 8.22 on, not
-- within a second of the last look. Then the first attempt is lost, and counts.
local major, minor = core.LIBCURL_VERSION:match "^(%d+)%.(%d+)"
clients.LOOKS = tonumber(major) * 1000 + tonumber(minor) < 8022

clients.TOKEN = "pat-na1-0123456789abcdef"

local opened = {}

--- Opens a client, whose calls are not retried unless the options say so.
---@param base_url string
---@param ... table? options of associations.new; later ones win, and false takes an option away
---  that is not itself true or false
---@return table client
function clients.open(base_url, ...)
  local options = { token = clients.TOKEN, base_url = base_url, timeout = 10, max_attempts = 1 }
  for _, changes in ipairs({ ... }) do
    for name, value in pairs(changes) do
      local is_absent = value == false and not name:find "^check_"
      if is_absent then options[name] = nil else options[name] = value end
    end
  end
  local client = assert(associations.new(options))
  opened[#opened + 1] = client
  return client
end

clients.INPUTS = { { from = 101, to = "202", types = 1 } }

--- One call: creates the one association of INPUTS.
---@param client table
---@return table|nil batch
---@return table meta, or the error
function clients.create(client)
  return client:create("contacts", "companies", clients.INPUTS)
end

--- Closes all clients that were opened here. For after_each.
function clients.close()
  for _, client in ipairs(opened) do
    client:close()
  end
  opened = {}
end

return clients
