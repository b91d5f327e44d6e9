-- Peer: this module, client:create, blocking. BENCH_CA_FILE and BENCH_HTTP_VERSION, if set, are its options.

local batch = require "support.batch"
local peer = require "support.peer"

local associations = require "hubspot.associations"

local client = assert(associations.new {
  token = "pat-na1-00000000-0000-0000-0000-000000000000",
  base_url = peer.variable "BENCH_BASE_URL",
  ca_file = os.getenv "BENCH_CA_FILE",
  http_version = os.getenv "BENCH_HTTP_VERSION",
})
local inputs = batch.inputs()

peer.measure(function()
  batch.walk(assert(client:create("contacts", "companies", inputs)))
end)
