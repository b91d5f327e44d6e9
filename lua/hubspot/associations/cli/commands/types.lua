-- `hubspot-associations types`: shows the association types of HubSpot's own that are built in.

local checks = require "hubspot.associations.cli.checks"
local flags = require "hubspot.associations.cli.flags"
local row_writer = require "hubspot.associations.cli.output.row_writer"
local types = require "hubspot.associations.types"

---@type hubspot.associations.cli.Command
local command = {
  name = "types",
  summary = "Show HubSpot's own association types.",
  description = "Shows the association types of HubSpot's own, as HubSpot documents them. Needs no token, "
    .. "and sends nothing: labels shows those of an account.",
  epilog = [[
Examples:
   hubspot-associations types --from contacts --to companies
   hubspot-associations types --to deals --output-format csv]],
  flags = flags.join({
    { name = "--from", argname = "OBJECT", check = checks.object_type,
      description = "Only those from this object type." },
    { name = "--to", argname = "OBJECT", check = checks.object_type,
      description = "Only those to this object type." },
  }, flags.OUTPUT),
}

function command.run(arguments, environment)
  for _, side in ipairs { "from", "to" } do
    local given = arguments[side]
    if given and not types.object_name(given) then
      return nil, ("option '--%s': %s is none of HubSpot's own object types"):format(side, given)
    end
  end
  local writer, problem = row_writer.open(arguments, environment, { "from", "to", "name", "type" })
  if not writer then return nil, problem end
  for _, row in ipairs(types.list(arguments.from, arguments.to)) do
    writer:add { from = row.from, to = row.to, name = row.kind, type = row.id }
  end
  return writer:finish()
end

return command
