/* Errors about an input that cannot be written, worded for the person who has to correct it. */
#include "body_write.h"

enum { SHOWN = 40 };

void lhsa_body_push_description(lua_State *L, int index)
{
  switch (lua_type(L, index)) {
  case LUA_TNIL:
  case LUA_TNONE:
    lua_pushliteral(L, "nothing");
    break;
  case LUA_TBOOLEAN:
    lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false");
    break;
  case LUA_TNUMBER:
    lua_pushvalue(L, index);
    lua_tolstring(L, -1, NULL); /* of a copy, which it changes to a string */
    break;
  case LUA_TSTRING: {
    size_t length;
    const char *bytes = lua_tolstring(L, index, &length);
    char shown[SHOWN + 1];
    size_t count = length < SHOWN ? length : SHOWN;
    for (size_t i = 0; i < count; i++)
      shown[i] = (char)(bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '?');
    shown[count] = '\0';
    lua_pushfstring(L, length > SHOWN ? "the string \"%s...\"" : "the string \"%s\"", shown);
    break;
  }
  default:
    lua_pushfstring(L, "a %s", luaL_typename(L, index));
  }
}

int lhsa_body_push_error(lua_State *L, const char *kind, const char *field)
{
  lua_createtable(L, 0, 5); /* room for an index and a flaw */
  lua_pushstring(L, kind);
  lua_setfield(L, -2, "kind");
  lua_pushstring(L, field);
  lua_setfield(L, -2, "field");
  lua_insert(L, -2);
  lua_setfield(L, -2, "message");
  return 0;
}

int lhsa_body_invalid_found(lua_State *L, const char *expected, const char *field)
{
  lua_pushfstring(L, "expected %s, found %s", expected, lua_tostring(L, -1));
  lua_replace(L, -2);
  return lhsa_body_push_error(L, "invalid_input", field);
}

int lhsa_body_invalid(lua_State *L, int index, const char *expected, const char *field)
{
  lhsa_body_push_description(L, index);
  return lhsa_body_invalid_found(L, expected, field);
}

void lhsa_body_check_memory(lua_State *L, hsa_status status)
{
  if (status == HSA_NO_MEMORY)
    luaL_error(L, "not enough memory for the request body");
}

int lhsa_body_too_large(lua_State *L, const char *field)
{
  lua_pushfstring(L, "the request body would be over %d bytes", LHSA_BODY_MAX_BYTES);
  return lhsa_body_push_error(L, "too_large", field);
}

int lhsa_body_too_many(lua_State *L, uint32_t most, const char *what, const char *field)
{
  lua_pushfstring(L, "the request body would have over %d %s", (int)most, what);
  return lhsa_body_push_error(L, "too_large", field);
}

int lhsa_body_push_list_flaw(lua_State *L, int index, size_t length)
{
  size_t count = 0;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    int64_t key;
    lua_pop(L, 1);
    if (!lhsa_body_to_integer(L, -1, &key) || key < 1) {
      lhsa_body_push_description(L, lua_gettop(L));
      lua_pushfstring(L, "a table with the key %s", lua_tostring(L, -1));
      return 1;
    }
    count += (uint64_t)key <= length;
    if ((uint64_t)key > length) {
      lua_pushfstring(L, "a hole at %d", (int)length + 1);
      return 1;
    }
  }
  if (count == 0) {
    lua_pushliteral(L, "an empty list");
    return 1;
  }
  for (int i = 1; count < length; i++) {
    lua_rawgeti(L, index, i);
    if (lua_isnil(L, -1)) {
      lua_pushfstring(L, "a hole at %d", i);
      return 1;
    }
    lua_pop(L, 1);
  }
  return 0;
}
