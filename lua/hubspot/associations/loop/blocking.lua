-- The default loop: blocks the process in poll().

local core = require "hubspot.associations.core"

return { wait = core.poll }
