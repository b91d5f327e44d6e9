-- POST …/definitions/configurations/…/batch/update: changes limits.

local limit_inputs = require "hubspot.associations.sandbox.limit_inputs"

return {
  writes = true,
  handle = function(call) return limit_inputs.set(call, 200) end,
}
