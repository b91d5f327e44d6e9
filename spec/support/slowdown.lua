-- How much slower the specs run than by themselves: under valgrind, or with sanitizers, as the Makefile says.
-- For bounds of time, which are to notice what takes many times too long.
return tonumber(os.getenv "SLOWDOWN") or 1
