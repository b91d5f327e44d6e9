/* Inputs that are given as a list: all of it for one request, or a part of a job's. */
#include "body_write.h"

enum { MAX_ERRORS = 100 };

/* body:add_list(inputs) -> true | nil, errors, count
 * Adds all of them or none. errors has the first 100 errors { kind, index, field, message }, count is
 * the number of all. A table that is not a list, or is empty, gives one error without an index. */
int lhsa_body_add_list(lua_State *L)
{
  lhsa_body *body = lhsa_body_check_reader(L);
  lua_Integer invalid = 0;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  lua_newtable(L); /* the errors, at 3 */
  if (lhsa_body_invalid_list(L, 2)) {
    lua_rawseti(L, 3, 1);
    invalid = 1;
  } else {
    int length = (int)lua_rawlen(L, 2);
    body->listing = 1;
    body->listed_from = body->committed;
    body->entries_from = body->entries.length;
    luaL_checkstack(L, LUA_MINSTACK + 1, "an input");
    for (int i = 1; i <= length; i++) {
      lua_rawgeti(L, 2, i); /* at 4 */
      if (!lhsa_body_write(L, body, 4) && ++invalid <= MAX_ERRORS) {
        lua_pushinteger(L, i);
        lua_setfield(L, -2, "index");
        lua_rawseti(L, 3, (int)invalid);
      }
      lua_settop(L, 3);
    }
  }
  if (invalid == 0) {
    body->listing = 0;
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  lua_insert(L, 3);
  lua_settop(L, 4);
  lua_pushinteger(L, invalid);
  return 3;
}

/* body:add_run(inputs, first, count) -> added [, what `add` returns for the next one]
 * Adds so many inputs of a list, from an index on, up to one that cannot be added. Asks no metatable of the list. With
 * a call of `add` for each, a list took 500 instructions more for an input. */
int lhsa_body_add_run(lua_State *L)
{
  lhsa_body *body = lhsa_body_check_reader(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_Integer first = luaL_checkinteger(L, 3), count = luaL_checkinteger(L, 4), added = 0;
  luaL_argcheck(L, first >= 1 && first <= INT32_MAX - LHSA_BODY_MAX_INPUTS, 3, "no index of a list");
  luaL_argcheck(L, count <= LHSA_BODY_MAX_INPUTS, 4, "more than a body takes");
  luaL_argcheck(L, !body->is_full, 1, "the body is full");
  lua_settop(L, 2);
  luaL_checkstack(L, LUA_MINSTACK + 1, "an input");
  body->is_adding = 1;
  for (int is_valid = 1; is_valid && added < count; added += is_valid) {
    lua_settop(L, 2);
    lua_rawgeti(L, 2, (int)(first + added)); /* at 3 */
    is_valid = lhsa_body_write(L, body, 3);
  }
  body->is_adding = 0;
  if (added >= count) {
    lua_pushinteger(L, added);
    return 1;
  }
  lua_pushinteger(L, added);
  lua_pushnil(L);
  lua_pushvalue(L, -3); /* the error */
  return 3;
}

/* count_keys(list, last, most) -> last, is_end
 * Follows the keys of a table, from that one on (0: from the first), as long as each is one more than the one before,
 * at most so many. Returns the last of these, and whether no other key follows. */
int lhsa_body_count_keys(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer last = luaL_checkinteger(L, 2), most = last + luaL_checkinteger(L, 3);
  lua_settop(L, 1);
  if (last > 0)
    lua_pushinteger(L, last);
  else
    lua_pushnil(L);
  int is_next = 1;
  while (last < most && (is_next = lua_next(L, 1)) != 0) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TNUMBER || lua_tonumber(L, -1) != (lua_Number)last + 1)
      break;
    last++;
  }
  lua_pushinteger(L, last);
  lua_pushboolean(L, !is_next);
  return 2;
}
