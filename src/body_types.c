/* Checks association types and writes them as a list of { associationCategory, associationTypeId }. */
#include "body_write.h"

#include "json_write.h"

#include <string.h>

static int is_category(const char *bytes, size_t length)
{
  if (length == 0 || bytes[0] < 'A' || bytes[0] > 'Z')
    return 0;
  for (size_t i = 1; i < length; i++)
    if (!((bytes[i] >= 'A' && bytes[i] <= 'Z') || (bytes[i] >= '0' && bytes[i] <= '9') || bytes[i] == '_'))
      return 0;
  return 1;
}

int lhsa_body_is_category(lua_State *L)
{
  size_t length = 0;
  const char *bytes = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &length) : "";
  lua_pushboolean(L, is_category(bytes, length));
  return 1;
}

#define HUBSPOT_DEFINED "HUBSPOT_DEFINED"

static int is_hubspot_defined(hsa_text category)
{
  return category.length == sizeof HUBSPOT_DEFINED - 1
         && memcmp(category.bytes, HUBSPOT_DEFINED, sizeof HUBSPOT_DEFINED - 1) == 0;
}

/* Where a type stands that is not types[number]: it is `types`, or the input itself has its fields. */
enum { IN_NO_LIST = 0, IN_THE_INPUT = -1 };

/* Pushes the name of a type's field, for an error. */
static void push_type_field(lua_State *L, int number, const char *key)
{
  if (number > 0)
    lua_pushfstring(L, "types[%d]%s", number, key);
  else if (number == IN_NO_LIST)
    lua_pushfstring(L, "types%s", key);
  else
    lua_pushstring(L, key);
}

static int invalid_type(lua_State *L, int index, const char *expected, int number, const char *key)
{
  push_type_field(L, number, key);
  return lhsa_body_invalid(L, index, expected, lua_tostring(L, -1));
}

/* Passes a type id of category HUBSPOT_DEFINED to the body's check_type. */
static int check_type(lua_State *L, lhsa_body *body, int64_t id, int number, const char *key)
{
  int32_t *passed = &body->passed[id % LHSA_BODY_PASSED_TYPES];
  if (*passed == id)
    return 1;
  lhsa_getanchor(L, 1);
  lua_rawgeti(L, -1, 1);
  lua_pushinteger(L, (lua_Integer)id);
  lhsa_body_call(L, body);
  if (lua_type(L, -1) == LUA_TSTRING) {
    push_type_field(L, number, key);
    lua_insert(L, -2);
    return lhsa_body_push_error(L, "invalid_input", lua_tostring(L, -2));
  }
  lua_pop(L, 2);
  *passed = (int32_t)id;
  return 1;
}

/* Writes the type id at `index`. */
static int write_type_id(lua_State *L, lhsa_body *body, int index, int number, const char *key, int checked)
{
  int64_t id;
  if (!lhsa_body_to_integer(L, index, &id) || id < 1 || id > LHSA_BODY_MAX_TYPE_ID) {
    lua_pushfstring(L, "an association type id (an integer from 1 to %d)", LHSA_BODY_MAX_TYPE_ID);
    return invalid_type(L, index, lua_tostring(L, -1), number, key);
  }
  if (checked && !check_type(L, body, id, number, key))
    return 0;
  return lhsa_body_appended(L, hsa_json_write_integer(&body->json, id), "types");
}

static int invalid_category(lua_State *L, int index, int number, const char *key)
{
  return invalid_type(L, index, "a category in upper case, such as HUBSPOT_DEFINED or USER_DEFINED", number,
                      key);
}

/* The category at `index`. Its bytes are NULL if the value is no category. */
static inline hsa_text category_at(lua_State *L, int index, int type)
{
  hsa_text category = {NULL, 0};
  if (type == LUA_TSTRING)
    category.bytes = lua_tolstring(L, index, &category.length);
  if (category.bytes != NULL && !is_hubspot_defined(category)
      && !is_category(category.bytes, category.length)) /* nearly all are that one */
    category.bytes = NULL;
  return category;
}

/* Writes the type that the string at `index` names. */
static int write_named_type(lua_State *L, lhsa_body *body, int index, int number)
{
  size_t length;
  lhsa_getanchor(L, 1);
  lua_rawgeti(L, -1, 2);
  lua_pushvalue(L, index);
  lua_rawget(L, -2);
  if (lua_type(L, -1) == LUA_TSTRING) {
    const char *json = lua_tolstring(L, -1, &length);
    int written = lhsa_body_append(L, &body->json, json, length, "types");
    if (written)
      lua_pop(L, 3);
    return written;
  }
  push_type_field(L, number, "");
  lua_rawgeti(L, -4, 3);
  lua_pushvalue(L, index);
  lhsa_body_call(L, body);
  return lhsa_body_push_error(L, "invalid_input", lua_tostring(L, -2));
}

/* Writes a type of category HUBSPOT_DEFINED, whose id is at `index`. */
static int write_defined_type(lua_State *L, lhsa_body *body, int index, int number, const char *key)
{
  return LHSA_BODY_APPEND(L, &body->json,
                          "{\"associationCategory\":\"" HUBSPOT_DEFINED "\",\"associationTypeId\":", "types")
         && write_type_id(L, body, index, number, key, body->checks_types)
         && LHSA_BODY_APPEND(L, &body->json, "}", "types");
}

/* Writes one type: an id of category HUBSPOT_DEFINED, a name, or { associationCategory, associationTypeId }. */
static int write_type(lua_State *L, lhsa_body *body, int index, int type, int number)
{
  hsa_buffer *json = &body->json;
  if (type == LUA_TNUMBER)
    return write_defined_type(L, body, index, number, "");
  if (type == LUA_TSTRING && body->names_types)
    return write_named_type(L, body, index, number);
  if (type != LUA_TTABLE)
    return invalid_type(L, index,
                        body->names_types
                          ? "a table { associationCategory, associationTypeId }, an integer or a name"
                          : "a table { associationCategory, associationTypeId } or an integer",
                        number, "");
  int of_category = lhsa_body_get(L, body, index, HSA_BODY_KEY_ASSOCIATION_CATEGORY);
  int category = lua_gettop(L);
  hsa_text text = category_at(L, category, of_category);
  if (text.bytes == NULL)
    return invalid_category(L, category, number, ".associationCategory");
  lhsa_body_get(L, body, index, HSA_BODY_KEY_ASSOCIATION_TYPE_ID);
  if (is_hubspot_defined(text))
    return write_defined_type(L, body, category + 1, number, ".associationTypeId");
  return LHSA_BODY_APPEND(L, json, "{\"associationCategory\":\"", "types")
         && lhsa_body_append(L, json, text.bytes, text.length, "types")
         && LHSA_BODY_APPEND(L, json, "\",\"associationTypeId\":", "types")
         && write_type_id(L, body, category + 1, number, ".associationTypeId", 0)
         && LHSA_BODY_APPEND(L, json, "}", "types");
}

/* Whether the value, which is no list, is one type. */
static int is_single_type(lua_State *L, const lhsa_body *body, int index, int type)
{
  if (type != LUA_TTABLE)
    return type == LUA_TNUMBER || (body->names_types && type == LUA_TSTRING);
  int has_id = lhsa_body_get(L, body, index, HSA_BODY_KEY_ASSOCIATION_TYPE_ID) != LUA_TNIL;
  int has_category = lhsa_body_get(L, body, index, HSA_BODY_KEY_ASSOCIATION_CATEGORY) != LUA_TNIL;
  lua_pop(L, 2);
  return has_id || has_category;
}

/* The types are a list, or one type. Leaves values on the stack. */
int lhsa_body_write_types(lua_State *L, lhsa_body *body, int types, int type)
{
  hsa_buffer *json = &body->json;
  const char *expected =
    body->names_types
      ? "a list of { associationCategory, associationTypeId }, one of them, an integer or a name"
      : "a list of { associationCategory, associationTypeId }, one of them, or an integer";
  int length = type == LUA_TTABLE ? (int)lua_rawlen(L, types) : 0;
  if (length == 0 && is_single_type(L, body, types, type))
    return write_type(L, body, types, type, IN_NO_LIST);
  if (type != LUA_TTABLE)
    return lhsa_body_invalid(L, types, expected, "types");
  if (lhsa_body_push_list_flaw(L, types, (size_t)length))
    return lhsa_body_invalid_found(L, expected, "types");
  for (int i = 1; i <= length; i++) {
    if (i > 1 && !LHSA_BODY_APPEND(L, json, ",", "types"))
      return 0;
    if (i > 1)
      lua_settop(L, types);
    int type_of_one = lhsa_rawgeti(L, types, i);
    if (!write_type(L, body, types + 1, type_of_one, i))
      return 0;
  }
  return 1;
}

int lhsa_body_write_category(lua_State *L, lhsa_body *body, int index, const char *field)
{
  hsa_text category = category_at(L, index, lua_type(L, index));
  if (category.bytes == NULL)
    return invalid_category(L, index, IN_THE_INPUT, field);
  return LHSA_BODY_APPEND(L, &body->json, "\"", field)
         && lhsa_body_append(L, &body->json, category.bytes, category.length, field)
         && LHSA_BODY_APPEND(L, &body->json, "\"", field);
}

int lhsa_body_write_type_id(lua_State *L, lhsa_body *body, int index, const char *field, hsa_text category)
{
  int checked = body->checks_types && is_hubspot_defined(category);
  return write_type_id(L, body, index, IN_THE_INPUT, field, checked);
}
