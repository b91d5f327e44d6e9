-- Writes the request body of the batch, which the floor sends, to standard output.

local batch = require "support.batch"
local core = require "hubspot.associations.core"

local body = core.body()
assert(body:add_list(batch.inputs()))
io.write(body:json())
