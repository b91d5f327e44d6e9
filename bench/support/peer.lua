-- What every peer in Lua begins and ends with: its modules, its environment, its measurement.
-- A peer is a process of its own, so that the CPU time of the process is the peer's.

local peer = {}

---A module that the peer needs; without it, the peer says so and ends.
function peer.need(name)
  local found, module = pcall(require, name)
  if found then return module end
  print("missing " .. name)
  os.exit(0)
end

---The value of a variable that bench/run or bench/create.lua sets.
function peer.variable(name)
  return os.getenv(name) or error(name .. " is not set: run this through bench/run")
end

function peer.contents(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

---Runs `batch` a number of times and prints the microseconds of CPU that one took, on average: what
---the garbage collector does at some of them counts for all.
function peer.measure(batch)
  for _ = 1, tonumber(peer.variable "BENCH_WARMUP") do batch() end
  collectgarbage()
  local batches = tonumber(peer.variable "BENCH_BATCHES")
  local began = os.clock() -- CPU time of this process, the kernel's share for it included
  for _ = 1, batches do batch() end
  print(("%.1f"):format((os.clock() - began) * 1e6 / batches))
end

return peer
