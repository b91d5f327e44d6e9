/* A descriptor that Lua makes readable, for waiters that need not see what happens on a transport. */
#define _POSIX_C_SOURCE 200809L
#include "core.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "poller.h"

#define NOTIFIER "hubspot.associations.notifier"

typedef struct lhsa_notifier {
  hsa_poller poller; /* watches nothing: its alarm alone makes it readable */
  pid_t owner;
} lhsa_notifier;

/* A forked child gets a poller of its own, with the same number: else it would wake the parent's waiters, or take a
 * wake from them. NULL while the child has no descriptor left for that. */
static lhsa_notifier *check_notifier(lua_State *L)
{
  lhsa_notifier *self = luaL_checkudata(L, 1, NOTIFIER);
  if (self->owner == getpid() || self->poller.fd < 0)
    return self;
  if (hsa_poller_reopen(&self->poller) != 0)
    return NULL;
  self->owner = getpid();
  return self;
}

/* notifier() -> notifier | nil, reason */
static int new_notifier(lua_State *L)
{
  lhsa_notifier *self = lhsa_newuserdata(L, sizeof *self);
  *self = (lhsa_notifier){.poller = HSA_POLLER_CLOSED, .owner = getpid()};
  luaL_getmetatable(L, NOTIFIER);
  lua_setmetatable(L, -2);
  if (hsa_poller_open(&self->poller) == 0)
    return 1;
  lua_pushnil(L);
  lua_pushstring(L, strerror(errno));
  return 2;
}

/* notifier:fd() -> a descriptor to wait for, never to be read or closed; -1 when closed, and in a forked child that
 * has none left. */
static int notifier_fd(lua_State *L)
{
  lhsa_notifier *self = check_notifier(L);
  lua_pushinteger(L, self != NULL ? self->poller.fd : -1);
  return 1;
}

static int set_alarm(lua_State *L, int64_t deadline)
{
  lhsa_notifier *self = check_notifier(L);
  if (self != NULL && self->poller.fd >= 0)
    hsa_poller_alarm(&self->poller, deadline);
  return 0;
}

/* notifier:notify([seconds]): makes fd readable after so many seconds, or now, until the next call, or reset. */
static int notifier_notify(lua_State *L)
{
  lua_Number seconds = luaL_optnumber(L, 2, 0);
  luaL_argcheck(L, seconds >= 0 && seconds < 1e6, 2, "expected seconds, fewer than 1,000,000");
  return set_alarm(L, seconds > 0 ? hsa_poller_now() + (int64_t)(seconds * 1e9) : HSA_POLLER_AT_ONCE);
}

/* notifier:reset(): ends that. */
static int notifier_reset(lua_State *L)
{
  return set_alarm(L, 0);
}

/* notifier:close(), __gc, __close. */
static int notifier_close(lua_State *L)
{
  lhsa_notifier *self = check_notifier(L);
  if (self != NULL)
    hsa_poller_close(&self->poller);
  return 0;
}

static const luaL_Reg methods[] = {
  {"fd", notifier_fd},
  {"notify", notifier_notify},
  {"reset", notifier_reset},
  {"close", notifier_close},
  {"__gc", notifier_close},
  {"__close", notifier_close},
  {NULL, NULL},
};

void lhsa_open_notifier(lua_State *L)
{
  lhsa_newclass(L, NOTIFIER, methods);
  lua_pushcfunction(L, new_notifier);
  lua_setfield(L, -2, "notifier");
}
