#ifndef HSA_CORE_H
#define HSA_CORE_H

#include "compat.h"

/* Each adds its functions to the module table at the top of the stack. */
void lhsa_open_transport(lua_State *L);
void lhsa_open_bytes(lua_State *L);
void lhsa_open_body(lua_State *L);
void lhsa_open_body_pairs(lua_State *L);
void lhsa_open_decode(lua_State *L);
void lhsa_open_system(lua_State *L);
void lhsa_open_file(lua_State *L);
void lhsa_open_signal(lua_State *L);
void lhsa_open_notifier(lua_State *L);
void lhsa_open_seen(lua_State *L);

/* Each sets a field of the table at the top of the stack. */

static inline void lhsa_set_string(lua_State *L, const char *name, const char *value)
{
  lua_pushstring(L, value); /* nil for NULL */
  lua_setfield(L, -2, name);
}

static inline void lhsa_set_integer(lua_State *L, const char *name, lua_Integer value)
{
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

static inline void lhsa_set_number(lua_State *L, const char *name, lua_Number value)
{
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

static inline void lhsa_set_boolean(lua_State *L, const char *name, int value)
{
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

#endif
