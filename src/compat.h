/* What this module uses of newer Luas, for the older ones: the sources are written for Lua 5.4, and build with 5.1
 * to 5.5 and LuaJIT. */
#ifndef HSA_COMPAT_H
#define HSA_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

#define HSA_EXPORT __attribute__((visibility("default")))

/* A userdata has one anchor, a table of the values that it keeps alive. Setting it pops it from the stack. */
#if LUA_VERSION_NUM >= 504
#define lhsa_newuserdata(L, size) lua_newuserdatauv(L, size, 1)
#define lhsa_setanchor(L, index) lua_setiuservalue(L, index, 1)
#define lhsa_getanchor(L, index) lua_getiuservalue(L, index, 1)
#elif LUA_VERSION_NUM >= 502
#define lhsa_newuserdata(L, size) lua_newuserdata(L, size)
#define lhsa_setanchor(L, index) lua_setuservalue(L, index)
#define lhsa_getanchor(L, index) lua_getuservalue(L, index)
#else
#define lhsa_newuserdata(L, size) lua_newuserdata(L, size)
#define lhsa_setanchor(L, index) lua_setfenv(L, index)
#define lhsa_getanchor(L, index) lua_getfenv(L, index)
#endif

#if LUA_VERSION_NUM < 503
static inline int lua_isinteger(lua_State *L, int index)
{
  (void)L;
  (void)index;
  return 0;
}
#endif

/* These return the type of what they push, as Lua does from 5.3 on. */
#if LUA_VERSION_NUM >= 503
#define lhsa_gettable(L, index) lua_gettable(L, index)
#define lhsa_rawgeti(L, index, i) lua_rawgeti(L, index, i)
#else
static inline int lhsa_gettable(lua_State *L, int index)
{
  lua_gettable(L, index);
  return lua_type(L, -1);
}

static inline int lhsa_rawgeti(lua_State *L, int index, int i)
{
  lua_rawgeti(L, index, i);
  return lua_type(L, -1);
}
#endif

#if LUA_VERSION_NUM < 502
#define lua_rawlen(L, index) lua_objlen(L, index)
#define luaL_setfuncs lhsa_setfuncs /* LuaJIT has one of its own */
static inline void lhsa_setfuncs(lua_State *L, const luaL_Reg *functions, int upvalues)
{
  (void)upvalues; /* always 0 here */
  for (; functions->name != NULL; functions++) {
    lua_pushcfunction(L, functions->func);
    lua_setfield(L, -2, functions->name);
  }
}
#endif

/* Registers the metatable `name`, whose methods are also its __index, and leaves the stack as it was. */
static inline void lhsa_newclass(lua_State *L, const char *name, const luaL_Reg *methods)
{
  luaL_newmetatable(L, name); /* filled even when it exists: memory may have run out halfway before */
  luaL_setfuncs(L, methods, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

#endif
