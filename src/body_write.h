/* What the files that write inputs share: body_write.c, body_types.c, body_error.c. */
#ifndef HSA_BODY_WRITE_H
#define HSA_BODY_WRITE_H

#include "body.h"

/* Each pushes an error { kind, field, message }, of kind invalid_input or too_large; returns 0, for a function
 * that writes to return. */
int lhsa_body_push_error(lua_State *L, const char *kind, const char *field); /* of the message at the top */
int lhsa_body_too_large(lua_State *L, const char *field);
int lhsa_body_too_many(lua_State *L, uint32_t most, const char *what, const char *field);
int lhsa_body_invalid(lua_State *L, int index, const char *expected,
                      const char *field); /* of the value there */
int lhsa_body_invalid_found(lua_State *L, const char *expected,
                            const char *field); /* of the description at the top */

/* Pushes what a person would call the value at `index`. */
void lhsa_body_push_description(lua_State *L, int index);

/* What keeps the table at `index` from being a list with at least one entry and the keys 1 to its length:
 * 0 when nothing does, else 1 with a description pushed. Raw: a list's metatable is not asked. */
int lhsa_body_push_list_flaw(lua_State *L, int index);

/* Writes the association types at `index`: a list without its brackets. */
int lhsa_body_write_types(lua_State *L, lhsa_body *body, int index);

/* Write a category and a type id that are fields of the input itself. */
int lhsa_body_write_category(lua_State *L, lhsa_body *body, int index, const char *field);
int lhsa_body_write_type_id(lua_State *L, lhsa_body *body, int index, const char *field, hsa_text category);

/* What became of bytes that were appended: 1, or 0 with an error pushed when they were too many. Raises when memory
 * has run out. */
static inline int lhsa_body_appended(lua_State *L, hsa_status status, const char *field)
{
  if (status == HSA_OK)
    return 1;
  lhsa_body_check_memory(L, status);
  return lhsa_body_too_large(L, field);
}

static inline int lhsa_body_append(lua_State *L, hsa_buffer *json, const char *bytes, size_t count,
                                   const char *field)
{
  return lhsa_body_appended(L, hsa_buffer_append(json, bytes, count), field);
}

#define LHSA_BODY_APPEND(L, json, literal, field)                                                            \
  lhsa_body_append(L, json, literal, sizeof(literal) - 1, field)

/* Pushes the table's value under the key, asking a metatable's __index as Lua code would. The keys are upvalues of each
 * function that reads inputs, which saves looking up the same strings thousands of times. */
static inline void lhsa_body_get(lua_State *L, const lhsa_body *body, int table, hsa_body_key key)
{
  unsigned uses = body->uses;
  lua_pushvalue(L, lua_upvalueindex((int)key + 1));
  lua_gettable(L, table);
  if (body->uses != uses)
    luaL_error(L, "an input's __index used the body that the input is written to");
}

#define LHSA_BODY_EXACT 9007199254740992.0 /* 2^53: doubles below it are exact integers */

/* The integer at `index`, written exactly: 1, or 0 when it is none that Lua holds exactly. */
static inline int lhsa_body_to_integer(lua_State *L, int index, int64_t *value)
{
  if (lua_isinteger(L, index)) {
    *value = (int64_t)lua_tointeger(L, index);
    return 1;
  }
  lua_Number number = lua_tonumber(L, index);
  if (!(number > -LHSA_BODY_EXACT && number < LHSA_BODY_EXACT))
    return 0;
  *value = (int64_t)number;
  return (lua_Number)*value == number;
}

#endif
