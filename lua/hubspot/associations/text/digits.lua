-- The digits of a whole number. A float beyond 2^53 has none, since it stands for its neighbours as well.

local math_type = rawget(math, "type") -- since 5.3
local EXACT = 2 ^ 53

---@param number number
---@return string|nil digits
return function(number)
  if math_type and math_type(number) == "integer" then return ("%d"):format(number) end
  local is_exact = number % 1 == 0 and number > -EXACT and number < EXACT
  return is_exact and ("%.0f"):format(number + 0) or nil -- + 0: never "-0"
end
