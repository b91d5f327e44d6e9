-- What the peers that read, list and archive have in common: their inputs, and what they do with links.

local family = {}

family.READ, family.ARCHIVED, family.PAGE = 1000, 2000, 500 -- of one request
family.LINKS = 3 -- of each record; see bench/server.c

---@class bench.Inputs an input by its index, for each operation
family.inputs = {}

function family.inputs.read(i)
  return ("%.0f"):format(20000000000 + i * 7919)
end

---20 pairs of each record: a request may have 100 records.
function family.inputs.archive(i)
  return {
    from = { id = ("%.0f"):format(20000000000 + math.floor((i - 1) / 20) * 7919) },
    to = { id = ("%.0f"):format(9000000000 + i * 104729) },
  }
end

---Links are not inputs: there is one record, which has all of them.
function family.inputs.list() end

-- The first links of bench/server.c, but every 200th of the list is another: so that one link in a hundred
-- differs, half of them to be created, half to be removed. In no order, as lists are.
family.DIFFERS = 200

function family.inputs.mirror(i, count)
  local at = (i * 7919) % count
  local from = 20000000000 + (math.floor(at / family.LINKS) + 1) * 7919
  local to = from + at % family.LINKS
  if at % family.DIFFERS == 0 then to = to + 1000000 end
  return { from = ("%.0f"):format(from), to = ("%.0f"):format(to), types = 279 }
end

---How many links a list has, as a caller finds who uses each.
function family.walk(links)
  local count = 0
  for _, link in ipairs(links) do
    if link.toObjectId and link.associationTypes[1].typeId == 279 then count = count + 1 end
  end
  return count
end

return family
