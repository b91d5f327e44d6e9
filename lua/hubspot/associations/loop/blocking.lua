-- The default loop: waits with poll, and everything in the process waits with it.

local core = require "hubspot.associations.core"

return { wait = core.poll }
