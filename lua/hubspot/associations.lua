-- The public face: new, VERSION, and no logic.

local client = require "hubspot.associations.client"

return {
  VERSION = require "hubspot.associations.version",
  new = client.new,
}
