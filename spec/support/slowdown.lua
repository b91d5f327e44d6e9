-- By what factor the specs run slower under valgrind or with sanitizers, as the Makefile sets it. Bounds of
-- time, which are there to notice what takes many times too long, are multiplied by it.
return tonumber(os.getenv "SLOWDOWN") or 1
