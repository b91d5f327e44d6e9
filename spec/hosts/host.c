/* A program with its own poll loop, which keeps running while associations are created: an example to start
 * from. It links liblua and libhubspot-associations.a (`make static`), and finds the Lua files by LUA_PATH. It
 * waits only in poll, and calls Lua only when there is work.
 *
 *   HUBSPOT_TOKEN=... host BASE_URL COUNT          links contacts 1 to COUNT with company 1, as a job
 *   HUBSPOT_TOKEN=... host BASE_URL COUNT links    the same one at a time, by a collector
 *
 * Exits 0 when all were created, 1 when some were not, 2 when it could not run. */
#define _POSIX_C_SOURCE 200809L
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "hubspot-associations.h"

static const double TICK = 10; /* all times are in milliseconds */

/* What is easier in Lua: returns the job, or what has the same methods, that the loop below steps. */
static const char BEGIN[] =
  "local base_url, count, one_at_a_time = ...\n"
  "local associations = require 'hubspot.associations'\n"
  "local client = assert(associations.new {\n"
  "  token = os.getenv 'HUBSPOT_TOKEN', base_url = base_url, batch_size = 100,\n"
  "})\n"
  "local function input(id) return { from = id, to = 1, types = 279 } end\n"
  "if not one_at_a_time then\n"
  "  local inputs = {}\n"
  "  for id = 1, count do inputs[id] = input(id) end\n"
  "  return assert(client:start('contacts', 'companies', inputs))\n"
  "end\n"
  "local report = { inputs = count, created = 0, failed = 0, unconfirmed = 0, not_sent = 0 }\n"
  "local links = assert(client:collector('contacts', 'companies', { max_pending = count }))\n"
  "for id = 1, count do\n"
  "  assert(links:add(input(id), function(linked)\n"
  "    local outcome = linked and 'created' or 'failed'\n"
  "    report[outcome] = report[outcome] + 1\n"
  "  end))\n"
  "end\n"
  "return {\n"
  "  step = function() return links:step() end,\n"
  "  fd = function() return links:fd() end,\n"
  "  timeout = function() return links:timeout() end,\n"
  "  result = function() return report end,\n"
  "}\n";

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* ---- the host's own work ---- */

static struct {
  double last, worst; /* the time of the last tick, and the longest gap between two */
  long count;
} ticks;

static void tick(void)
{
  double time = now(), gap = ticks.count > 0 ? time - ticks.last : 0;
  ticks.worst = gap > ticks.worst ? gap : ticks.worst;
  ticks.last = time;
  ticks.count++;
}

/* ---- the job, which is at JOB on the stack ---- */

enum { JOB = 1 };

static void call_method(lua_State *L, const char *name, int results)
{
  lua_getfield(L, JOB, name);
  lua_pushvalue(L, JOB);
  lua_call(L, 1, results);
}

/* Does the work that is ready. Returns by when to call it again, or 0 when the job is done. */
static double step(lua_State *L)
{
  call_method(L, "step", 1);
  call_method(L, "timeout", 1);
  int done = lua_toboolean(L, -2);
  double next = lua_isnil(L, -1) ? HUGE_VAL : now() + lua_tonumber(L, -1) * 1e3;
  lua_pop(L, 2);
  return done ? 0 : next;
}

static const char *text_of(lua_State *L, int value) /* the module's errors have a __tostring */
{
  const char *text = luaL_callmeta(L, value, "__tostring") ? lua_tostring(L, -1) : lua_tostring(L, value);
  return text != NULL ? text : "an error without a text";
}

/* Prints the counts. Returns whether all inputs were created. */
static int print_report(lua_State *L)
{
  static const char *const counts[] = {"inputs", "created", "failed", "unconfirmed", "not_sent"};
  enum { INPUTS, CREATED, COUNTS = sizeof counts / sizeof *counts };
  long count[COUNTS];
  call_method(L, "result", 2); /* the report, and the error that stopped the job, or nil */
  for (int i = 0; i < COUNTS; i++) {
    lua_getfield(L, -2, counts[i]);
    count[i] = (long)lua_tointeger(L, -1);
    lua_pop(L, 1);
    printf("%ld %s%s", count[i], counts[i], i + 1 < COUNTS ? ", " : "\n");
  }
  if (!lua_isnil(L, -1))
    printf("stopped: %s\n", text_of(L, -1));
  return count[CREATED] == count[INPUTS];
}

/* ---- the loop ---- */

static int run(lua_State *L) /* runs in a pcall */
{
  const char *const *arguments = lua_touserdata(L, 1);
  lua_settop(L, 0);
  luaL_openlibs(L);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_hubspot_associations_core);
  lua_setfield(L, -2, "hubspot.associations.core");
  lua_settop(L, 0);

  if (luaL_loadstring(L, BEGIN) != 0)
    return lua_error(L);
  lua_pushstring(L, arguments[1]);
  lua_pushinteger(L, strtol(arguments[2], NULL, 10));
  lua_pushstring(L, arguments[3]); /* nil unless given */
  lua_call(L, 3, 1);               /* -> the job */

  call_method(L, "fd", 1); /* does not change while the job runs */
  struct pollfd watched = {.fd = (int)lua_tointeger(L, -1), .events = POLLIN};
  double next_step = now(), next_tick = next_step;
  while (next_step != 0) {
    double next = next_step < next_tick ? next_step : next_tick, wait = next - now();
    int ready = poll(&watched, 1, wait > 0 ? (int)ceil(wait) : 0);
    if (ready > 0 || now() >= next_step)
      next_step = step(L);
    if (now() >= next_tick) {
      tick();
      next_tick = ticks.last + TICK;
    }
  }
  lua_pushboolean(L, print_report(L));
  return 1;
}

int main(int count, char *arguments[])
{
  lua_State *L = count == 3 || count == 4 ? luaL_newstate() : NULL;
  if (L == NULL) {
    fprintf(stderr, "usage: host BASE_URL COUNT [links]\n");
    return 2;
  }
  lua_pushcfunction(L, run);
  lua_pushlightuserdata(L, arguments);
  int failed = lua_pcall(L, 1, 1, 0) != 0, created = !failed && lua_toboolean(L, -1);
  if (failed)
    fprintf(stderr, "host: %s\n", text_of(L, -1));
  else
    printf("%ld ticks, the worst gap %.1f ms\n", ticks.count, ticks.worst);
  lua_close(L);
  return failed ? 2 : created ? 0 : 1;
}
