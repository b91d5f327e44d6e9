-- Checks core.catch_interrupts and core.interrupted, each in a process of its own: this one's are busted's.

local command = require "support.command"
local process = require "support.process"

local function run(script)
  local result = process.run({ process.interpreter(), "-" }, {
    env = command.environment(),
    stdin = [[
      local core = require "hubspot.associations.core"
      local function kill(name) -- by a shell, which knows its parent; os.execute ignores SIGINT
        io.popen("kill -s " .. name .. " $PPID"):close()
      end
    ]] .. script,
  })
  return result.code, result.stdout
end

describe("interrupts", function()
  it("are told by their number, the first of them", function()
    for name, number in pairs { INT = "2", TERM = "15", HUP = "1" } do
      local code, said = run(([[
        core.catch_interrupts()
        assert(core.interrupted() == nil)
        kill "%s"
        io.write(tostring(core.interrupted()))]]):format(name))
      assert.are.same({ 0, number }, { code, said })
    end
  end)

  it("end the process when there is a second one, of either", function()
    for first, second in pairs { INT = "TERM", TERM = "TERM", HUP = "TERM" } do
      local code = run(([[core.catch_interrupts() kill "%s" kill "%s" os.exit(0)]]):format(first, second))
      assert.are.equal(143, code)
    end
  end)

  it("end a wait", function()
    local code, said = run [[
      core.catch_interrupts()
      os.execute "(sleep 0.1; kill -s TERM $PPID) &"
      local began = core.now()
      core.poll(nil, 20)
      io.write(tostring(core.interrupted()), " ", tostring(core.now() - began < 10))]]
    assert.are.same({ 0, "15 true" }, { code, said })
  end)

  it("that are ignored stay so", function()
    local ignoring = "trap '' TERM; exec \"$@\""
    local result = process.run({ "sh", "-c", ignoring, "sh", process.interpreter(), "-e", [[
      local core = require "hubspot.associations.core"
      core.catch_interrupts()
      os.execute "kill -s TERM $PPID"
      io.write(tostring(core.interrupted()))]] }, { env = command.environment() })
    assert.are.same({ 0, "nil" }, { result.code, result.stdout })
  end)
end)
