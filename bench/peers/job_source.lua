-- Peer: the iterator alone, read to its end: what every job over it costs at least.

local job = require "support.job"

job.measure(function(source)
  repeat local input = source() until not input
end)
