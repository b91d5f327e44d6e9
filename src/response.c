/* core.decode: the JSON of HubSpot's answers -> plain Lua tables.
 * lua-cjson does the decoding, in an instance of its own: the host's settings are neither used nor
 * changed. What differs from plain cjson: null is absence, whole numbers are integers where Lua has
 * them, and record ids that come as numbers become strings, with every digit. */
#include "core.h"

#include "json.h"

#include <stdint.h>
#include <string.h>

#define SCRATCH "hubspot.associations.scratch"

enum { MAX_DEPTH = 64, MAX_QUOTED = 128 * 1024 * 1024 };

/* ---- tidying ---- */

static int is_null(lua_State *L, int index)
{
  return lua_type(L, index) == LUA_TLIGHTUSERDATA && lua_touserdata(L, index) == NULL;
}

/* Replaces the whole float at the top by the same integer. */
static void to_whole(lua_State *L)
{
#if LUA_VERSION_NUM >= 503
  lua_Number number = lua_tonumber(L, -1);
  if (number >= -9007199254740992.0 && number <= 9007199254740992.0
      && (lua_Number)(lua_Integer)number == number) {
    lua_pop(L, 1);
    lua_pushinteger(L, (lua_Integer)number);
  }
#else
  (void)L;
#endif
}

static void tidy(lua_State *L, int table);

/* Tidies the value at the top: 1 when it is to be stored in place of what was decoded (nil for null). */
static int tidy_value(lua_State *L)
{
  switch (lua_type(L, -1)) {
  case LUA_TTABLE:
    tidy(L, lua_gettop(L));
    return 0;
  case LUA_TNUMBER:
    to_whole(L);
    return 1;
  case LUA_TLIGHTUSERDATA:
    if (!is_null(L, -1))
      return 0;
    lua_pop(L, 1);
    lua_pushnil(L);
    return 1;
  default:
    return 0;
  }
}

/* Entries that were null leave no hole. */
static void tidy_list(lua_State *L, int table, int length)
{
  int kept = 0;
  for (int i = 1; i <= length; i++) {
    lua_rawgeti(L, table, i);
    int changed = tidy_value(L);
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
      continue;
    }
    if (++kept < i || changed)
      lua_rawseti(L, table, kept);
    else
      lua_pop(L, 1);
  }
  while (length > kept) {
    lua_pushnil(L);
    lua_rawseti(L, table, length--);
  }
}

static void tidy_object(lua_State *L, int table)
{
  lua_pushnil(L);
  while (lua_next(L, table)) {
    if (tidy_value(L)) {
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, table); /* of a field that is there: allowed while traversing */
    } else {
      lua_pop(L, 1);
    }
  }
}

/* Depth is bounded by the decoder's. JSON has no table with both kinds of keys. */
static void tidy(lua_State *L, int table)
{
  luaL_checkstack(L, 8, "a response");
  int length = (int)lua_rawlen(L, table);
  if (length > 0)
    tidy_list(L, table, length);
  else
    tidy_object(L, table);
}

/* ---- decoding ---- */

/* Replaces the string at 1 by one whose record ids are strings. The copy is owned by a userdata while
 * Lua may raise. */
static void quote_ids(lua_State *L)
{
  size_t length;
  const char *text = lua_tolstring(L, 1, &length);
  if (!hsa_json_has_numeric_ids(text, length))
    return;
  hsa_buffer *quoted = lhsa_newuserdata(L, sizeof *quoted);
  hsa_buffer_init(quoted, MAX_QUOTED);
  luaL_getmetatable(L, SCRATCH);
  lua_setmetatable(L, -2);
  if (hsa_json_quote_ids(quoted, text, length) != HSA_OK)
    luaL_error(L, "not enough memory for the response");
  lua_pushlstring(L, quoted->data, quoted->length);
  lua_replace(L, 1);
  hsa_buffer_free(quoted);
}

static int scratch_free(lua_State *L)
{
  hsa_buffer_free(luaL_checkudata(L, 1, SCRATCH));
  return 0;
}

/* decode(text) -> table | nil, message: the JSON object or list in `text` as plain tables. */
static int decode(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TSTRING);
  lua_settop(L, 1);
  quote_ids(L);
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, 1);
  if (lua_pcall(L, 1, 1, 0) != 0) {
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  if (!lua_istable(L, -1)) {
    lua_pushnil(L);
    lua_pushfstring(L, "expected a JSON object, found a %s", is_null(L, -2) ? "null" : luaL_typename(L, -2));
    return 2;
  }
  tidy(L, lua_gettop(L));
  return 1;
}

/* Pushes the decode function of a fresh lua-cjson instance. */
static void push_decoder(lua_State *L)
{
  lua_getglobal(L, "require");
  lua_pushliteral(L, "cjson");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "new");
  lua_call(L, 0, 1);
  lua_getfield(L, -1, "decode_max_depth");
  lua_pushinteger(L, MAX_DEPTH);
  lua_call(L, 1, 0);
  lua_getfield(L, -1, "decode_invalid_numbers");
  lua_pushboolean(L, 0);
  lua_call(L, 1, 0);
  lua_getfield(L, -1, "decode");
  lua_replace(L, -3);
  lua_pop(L, 1);
}

void lhsa_open_response(lua_State *L)
{
  static const luaL_Reg scratch_methods[] = {{"__gc", scratch_free}, {NULL, NULL}};
  lhsa_newclass(L, SCRATCH, scratch_methods);
  push_decoder(L);
  lua_pushcclosure(L, decode, 1);
  lua_setfield(L, -2, "decode");
}
