/* What the files that write inputs share: body_write.c, body_types.c, body_error.c. */
#ifndef HSA_BODY_WRITE_H
#define HSA_BODY_WRITE_H

#include "body.h"

/* Functions that write return 1 if they did, or 0 with an error { kind, field, message } pushed. These
 * push one and return that 0. */

/* Replaces the message at the top by an error. */
int lhsa_body_push_error(lua_State *L, const char *kind, const char *field);

/* Of kind too_large: the body would have too many bytes, or too many of something. */
int lhsa_body_too_large(lua_State *L, const char *field);
int lhsa_body_too_many(lua_State *L, uint32_t most, const char *what, const char *field);

/* Of kind invalid_input: "expected …, found" the value at `index`, or the description at the top. */
int lhsa_body_invalid(lua_State *L, int index, const char *expected, const char *field);
int lhsa_body_invalid_found(lua_State *L, const char *expected, const char *field);

/* Pushes a description of the value at `index`, for a message. */
void lhsa_body_push_description(lua_State *L, int index);

/* Returns 0 if the table at `index`, of that raw length, is a list: its keys are 1 to the length, which is not 0.
 * Otherwise returns 1 with a description of what it is pushed. Asks no metatable. */
int lhsa_body_push_list_flaw(lua_State *L, int index, size_t length);

/* Functions below that take the `type` of the value at an index are told what lua_type returns for it, because those
 * who pushed it know already: asking again took a tenth of the time of writing an input. */

/* Writes the association types at `index`, without the brackets of their list. */
int lhsa_body_write_types(lua_State *L, lhsa_body *body, int index, int type);

/* Write the category and the type id of an input that has them itself, not in a list of types. */
int lhsa_body_write_category(lua_State *L, lhsa_body *body, int index, const char *field);
int lhsa_body_write_type_id(lua_State *L, lhsa_body *body, int index, const char *field, hsa_text category);

/* Turns the status of an append into the result of a function that writes. Raises if memory ran out. */
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

/* Pushes table[key], with metamethods, and returns its type. The keys are upvalues of the running function, because
 * pushing a C string would hash it for each of thousands of inputs. */
static inline int lhsa_body_get(lua_State *L, const lhsa_body *body, int table, hsa_body_key key)
{
  unsigned uses = body->uses;
  lua_pushvalue(L, lua_upvalueindex((int)key + 1));
  int type = lhsa_gettable(L, table);
  if (body->uses != uses)
    luaL_error(L, "an input's __index used the body that the input is written to");
  return type;
}

/* Calls the function below its one argument, which is at the top; there is one result. */
static inline void lhsa_body_call(lua_State *L, const lhsa_body *body)
{
  unsigned uses = body->uses;
  lua_call(L, 1, 1);
  if (body->uses != uses)
    luaL_error(L, "a function of the body's options used the body that the input is written to");
}

#define LHSA_BODY_EXACT 9007199254740992.0 /* 2^53: doubles below it are exact integers */

/* Gets the number at `index` as an integer. Returns 0 if it is no number, none that is whole, or a float too large to
 * be exact. */
static inline int lhsa_body_to_integer(lua_State *L, int index, int64_t *value)
{
  if (lua_isinteger(L, index)) {
    *value = (int64_t)lua_tointeger(L, index);
    return 1;
  }
  if (lua_type(L, index) != LUA_TNUMBER) /* lua_tonumber takes strings, too */
    return 0;
  lua_Number number = lua_tonumber(L, index);
  if (!(number > -LHSA_BODY_EXACT && number < LHSA_BODY_EXACT))
    return 0;
  *value = (int64_t)number;
  return (lua_Number)*value == number;
}

#endif
