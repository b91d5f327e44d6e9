-- `hubspot-associations list`: shows the associations of one record.

local account = require "hubspot.associations.cli.account"
local checks = require "hubspot.associations.cli.checks"
local flags = require "hubspot.associations.cli.flags"
local help = require "hubspot.associations.cli.help"
local links = require "hubspot.associations.cli.output.links"
local row_writer = require "hubspot.associations.cli.output.row_writer"

---@type hubspot.associations.cli.Command
local list = {
  name = "list",
  summary = "Show the associations of one record.",
  description = "Shows the associations of one record, a row for each type of a pair. read does the same for "
    .. "any number of records.",
  epilog = help.TOKEN .. [[

Examples:
   hubspot-associations list contacts 101 companies
   hubspot-associations list 0-1 101 0-2 --output-format jsonl]],
  arguments = {
    { name = "from", argname = "OBJECT", check = checks.object_type,
      description = "The record's object type, such as contacts." },
    { name = "id", argname = "ID", check = checks.record_id, description = "The record's id." },
    { name = "to", argname = "TO", check = checks.object_type,
      description = "The object type that it is linked to, such as companies." },
  },
  flags = flags.join(flags.OUTPUT, flags.ACCOUNT),
}

function list.run(arguments, environment)
  local page, why = account.call(arguments, environment, function(client)
    return client:list_all(arguments.from, arguments.id, arguments.to)
  end)
  if not page then return nil, why end
  local writer, problem = row_writer.open(arguments, environment, links.COLUMNS)
  if not writer then return nil, problem end
  for _, link in ipairs(page.results) do links.write(writer, arguments.id, link) end
  return writer:finish()
end

return list
