-- `hubspot-associations labels`: shows the association types of an account in one direction, with the inverse
-- of each.

local account = require "hubspot.associations.cli.account"
local flags = require "hubspot.associations.cli.flags"
local help = require "hubspot.associations.cli.help"
local inverses = require "hubspot.associations.cli.inverses"
local row_writer = require "hubspot.associations.cli.output.row_writer"

---@type hubspot.associations.cli.Command
local labels = {
  name = "labels",
  summary = "Show the association types of the account.",
  description = "Shows the association types of the account from one object type to another, HubSpot's own "
    .. "and the account's labels, with the type that the other direction has. HubSpot does not say which "
    .. "that is: where it is not clear, it is left out.",
  epilog = help.TOKEN .. [[

Examples:
   hubspot-associations labels --from contacts --to companies
   hubspot-associations labels --from contacts --to 2-7 --output labels.csv]],
  flags = flags.join(flags.DIRECTION, flags.OUTPUT, flags.ACCOUNT),
}

local COLUMNS = { "category", "type", "label", "inverse", "inverse_label" }

function labels.run(arguments, environment)
  local back
  local page, why = account.call(arguments, environment, function(client)
    local there, err = client:labels(arguments.from, arguments.to)
    if there then
      back, err = client:labels(arguments.to, arguments.from)
    end
    return back and there, err
  end)
  if not page then return nil, why end
  local inverse_of = inverses.of(page.results, back.results, arguments.from, arguments.to)
  local writer, problem = row_writer.open(arguments, environment, COLUMNS)
  if not writer then return nil, problem end
  for number, entry in ipairs(page.results) do
    local inverse = inverse_of[number] or {}
    writer:add {
      category = entry.category, type = entry.typeId, label = entry.label,
      inverse = inverse.typeId, inverse_label = inverse.label,
    }
  end
  return writer:finish()
end

return labels
