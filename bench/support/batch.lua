-- The batch that all peers send, and what all of them do with the answer.

local batch = {}

batch.SIZE = tonumber(os.getenv "BENCH_SIZE") or 2000

---The i-th input in wire form; no two share a table. The ids are those of bench/server.c.
function batch.input(i)
  return {
    from = { id = ("%.0f"):format(20000000000 + i * 7919) },
    to = { id = ("%.0f"):format(9000000000 + i * 104729) },
    types = { { associationCategory = "HUBSPOT_DEFINED", associationTypeId = 1 } },
  }
end

---The inputs of a batch: 2,000, unless BENCH_SIZE says otherwise.
function batch.inputs()
  local inputs = {}
  for i = 1, batch.SIZE do inputs[i] = batch.input(i) end
  return inputs
end

---Reads every result, as a caller does who keeps account of what was linked.
function batch.walk(answer)
  local linked = 0
  for _, result in ipairs(answer.results) do
    if result.fromObjectId ~= "" and result.toObjectId ~= "" then linked = linked + 1 end
  end
  assert(linked == batch.SIZE, "the answer has not all results")
end

return batch
