-- Peer: this module reads, lists, archives or mirrors, as BENCH_OPERATION says: read_all, list_all,
-- archive_all, sync_all.

local family = require "support.family"
local job = require "support.job"
local peer = require "support.peer"

local associations = require "hubspot.associations"

local client = associations.check(associations.new {
  token = "pat-na1-00000000-0000-0000-0000-000000000000",
  base_url = peer.variable "BENCH_BASE_URL",
})

local operations = {}

function operations.read(source, count)
  local links = 0
  local report = associations.check(client:read_all("contacts", "companies", source, {
    on_record = function(record) links = links + family.walk(record.links) end,
  }))
  assert(report.read == count and report.retries == 0 and links == count * family.LINKS, "not all was read")
end

function operations.archive(source, count)
  local report = associations.check(client:archive_all("contacts", "companies", source))
  assert(report.archived == count and report.retries == 0, "not all was archived")
end

function operations.list(_, count)
  local list = associations.check(client:list_all("contacts", count, "companies"))
  assert(family.walk(list.results) == count, "not all was listed")
end

-- Returns the requests without those of a second reading.
function operations.mirror(source, count)
  local report = associations.check(client:sync_all("contacts", "companies", source, {
    mode = "mirror", max_removals = count,
  }))
  local differ = math.ceil(count / family.DIFFERS)
  local is_done = report.created == differ and report.removed == differ and report.kept == count - differ
  assert(is_done, "not all was done")
  return report.requests - report.reads_again
end

local operation = peer.variable "BENCH_OPERATION"
job.measure(operations[operation], family.inputs[operation])
