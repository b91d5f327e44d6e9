-- The public face: new, check, VERSION, and no logic.

local client = require "hubspot.associations.client"
local errors = require "hubspot.associations.errors"

return {
  VERSION = require "hubspot.associations.version",
  new = client.new,
  check = errors.check,
}
