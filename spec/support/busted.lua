-- Runs busted in the interpreter that runs this file, so that no launcher picks another Lua.
-- Takes busted's own arguments.

require("busted.runner")({ standalone = false })
