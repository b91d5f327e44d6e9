-- POST …/definitions/configurations/…/batch/purge: removes limits.

local limit_inputs = require "hubspot.associations.sandbox.limit_inputs"

return { writes = true, handle = limit_inputs.remove }
