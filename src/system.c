/* What plain Lua lacks of the system: a monotonic clock, and a wait on one descriptor. */
#include "core.h"

#include "poller.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

/* now() -> seconds on the monotonic clock, with a fraction */
static int system_now(lua_State *L)
{
  lua_pushnumber(L, (lua_Number)hsa_now() / 1e9);
  return 1;
}

static int milliseconds(lua_State *L, int index)
{
  if (lua_isnoneornil(L, index))
    return -1;
  lua_Number ms = luaL_checknumber(L, index) * 1000;
  luaL_argcheck(L, ms >= 0, index, "a timeout is not negative");
  if (ms == 0)
    return 0;                                                   /* only a look */
  return ms >= (lua_Number)INT_MAX - 1 ? INT_MAX : (int)ms + 1; /* up: never wakes before its time */
}

/* poll(fd [, timeout]) -> true when fd is readable, false when `timeout` seconds passed first or a
 * signal came; without fd (nil), sleeps. Raises when fd is no descriptor. */
static int system_poll(lua_State *L)
{
  int sleeping = lua_isnoneornil(L, 1);
  struct pollfd watched = {.fd = sleeping ? -1 : (int)luaL_checkinteger(L, 1), .events = POLLIN};
  luaL_argcheck(L, sleeping || watched.fd >= 0, 1, "not an open descriptor");
  int timeout = milliseconds(L, 2);
  int ready = poll(&watched, sleeping ? 0 : 1, timeout);
  if (ready < 0 && errno != EINTR)
    return luaL_error(L, "poll: %s", strerror(errno));
  if (ready > 0 && (watched.revents & POLLNVAL))
    return luaL_argerror(L, 1, "not an open descriptor");
  lua_pushboolean(L, ready > 0);
  return 1;
}

void lhsa_open_system(lua_State *L)
{
  lua_pushcfunction(L, system_now);
  lua_setfield(L, -2, "now");
  lua_pushcfunction(L, system_poll);
  lua_setfield(L, -2, "poll");
}
