-- What luacheck holds the Lua code to.

max_line_length = 110
std = "min" -- what Lua 5.1 to 5.4 and LuaJIT have in common

files["spec"] = { std = "lua54+busted" }
files["spec/support"] = { std = "lua54" }
files["bench"] = { std = "lua54" }
files["rockspec"] = { std = "rockspec" }
files[".luacheckrc"] = { std = "luacheckrc" }

-- HubSpot's own words stand in these as they were observed.
files["spec/job/observed_spec.lua"] = { max_line_length = 130 }
files["spec/job/resume_spec.lua"] = { max_line_length = 260 } -- a journal's
files["spec/api/rejection_spec.lua"] = { max_line_length = 130 }
