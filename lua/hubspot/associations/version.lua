-- The module's version: the only place where it is written.
-- The Makefile reads the line below for the C core, so keep it as it is.

return "0.2.0"
