-- Checks src/pool.c by spec/core/pool.c, which is compiled for it.

local c_program = require "support.c_program"

describe("the pool of memory", function()
  it("keeps memory for what it was for, up to its ceiling, until nobody asks for it", function()
    local sources = { "spec/core/pool.c", "src/pool.c", "src/buffer.c" }
    local printed = c_program.run(sources, { "-D_DEFAULT_SOURCE" }, {})
    if not printed then pending "no C compiler" end
    assert.equal("checked\n", printed)
  end)
end)
