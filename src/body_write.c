/* Lua inputs -> JSON, straight into a body's bytes, checked while they are written: one walk, no tables.
 * An input that is invalid, or that raises (a proxy's __index may), leaves the body as it was: only what is
 * committed is ever sent. */
#include "body.h"

#include "json_write.h"
#include "record_id.h"

#include <string.h>

enum { SHOWN = 40 };

static const lua_Number EXACT = 9007199254740992.0; /* 2^53: doubles below it are exact integers */

/* The keys that inputs are read by: upvalues of every function that reads one, which saves looking up
 * the same six strings thousands of times. */
enum { FROM = 1, TO, ID, TYPES, CATEGORY, TYPE_ID };
static const char *const keys[] = {"from", "to", "id", "types", "associationCategory", "associationTypeId"};
enum { KEYS = sizeof keys / sizeof *keys };

static lhsa_body_span span(size_t start, size_t end)
{
  return (lhsa_body_span){(uint32_t)start, (uint32_t)(end - start)}; /* LHSA_BODY_MAX_BYTES fits */
}

/* ---- errors ---- */

/* Pushes what a person would call the value at `index`. */
static void push_description(lua_State *L, int index)
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
    lua_tolstring(L, -1, NULL); /* of the copy: it turns the value on the stack into a string */
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

/* Replaces the message at the top by the error { kind, field, message }. Returns 0, for write_... to
 * return. */
static int push_error(lua_State *L, const char *kind, const char *field)
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

/* Replaces the description of what was found, at the top, by the error that says so. */
static int invalid_found(lua_State *L, const char *expected, const char *field)
{
  lua_pushfstring(L, "expected %s, found %s", expected, lua_tostring(L, -1));
  lua_replace(L, -2);
  return push_error(L, "invalid_input", field);
}

/* The same, where the value found is the one at `index`. */
static int invalid(lua_State *L, int index, const char *expected, const char *field)
{
  push_description(L, index);
  return invalid_found(L, expected, field);
}

/* Memory that runs out raises, as it does in Lua itself. */
void lhsa_body_check_memory(lua_State *L, hsa_status status)
{
  if (status == HSA_NO_MEMORY)
    luaL_error(L, "not enough memory for the request body");
}

static int too_large(lua_State *L, const char *field)
{
  lua_pushfstring(L, "the request body would be over %d bytes", LHSA_BODY_MAX_BYTES);
  return push_error(L, "too_large", field);
}

static inline int append(lua_State *L, hsa_buffer *json, const char *bytes, size_t count, const char *field)
{
  hsa_status status = hsa_buffer_append(json, bytes, count);
  lhsa_body_check_memory(L, status);
  return status == HSA_OK ? 1 : too_large(L, field);
}

#define APPEND(L, json, literal, field) append(L, json, literal, sizeof(literal) - 1, field)

/* Pushes table[key], asking a metatable's __index as Lua code would. */
static void get(lua_State *L, const lhsa_body *body, int table, int key)
{
  unsigned uses = body->uses;
  lua_pushvalue(L, lua_upvalueindex(key));
  lua_gettable(L, table);
  if (body->uses != uses)
    luaL_error(L, "an input's __index used the body that the input is written to");
}

/* ---- values ---- */

/* The integer at `index`, written exactly: 1, or 0 when it is none that Lua holds exactly. */
static int to_integer(lua_State *L, int index, int64_t *value)
{
  if (lua_isinteger(L, index)) {
    *value = (int64_t)lua_tointeger(L, index);
    return 1;
  }
  lua_Number number = lua_tonumber(L, index);
  if (!(number > -EXACT && number < EXACT))
    return 0;
  *value = (int64_t)number;
  return (lua_Number)*value == number;
}

/* ---- record ids ---- */

/* Writes a number as an id: judged by its value, since a decoder may have made a float of it. */
static inline int write_number_id(lua_State *L, hsa_buffer *json, int index, const char *field)
{
  int64_t number;
  if (!to_integer(L, index, &number) || number < 1)
    return invalid(L, index, "a record id (as a number, a whole one from 1 to below 2^53; else a string)",
                   field);
  if (!APPEND(L, json, "\"", field))
    return 0;
  hsa_status status = hsa_json_write_integer(json, number);
  lhsa_body_check_memory(L, status);
  return status == HSA_OK ? APPEND(L, json, "\"", field) : too_large(L, field);
}

static int invalid_text_id(lua_State *L, int index, const char *flaw, const char *field)
{
  push_description(L, index);
  lua_pushfstring(L, "expected a record id (1 to 19 digits), found %s: %s", lua_tostring(L, -1), flaw);
  push_error(L, "invalid_input", field);
  lua_pushstring(L, flaw); /* alone: the same for each id with this flaw */
  lua_setfield(L, -2, "flaw");
  return 0;
}

/* Writes a string as it is, where any is an id. */
static int write_any_text(lua_State *L, hsa_buffer *json, int index, const char *bytes, size_t length,
                          const char *field)
{
  if (length == 0)
    return invalid(L, index, "a record id (a non-empty string)", field);
  hsa_status status = hsa_json_write_string(json, bytes, length);
  lhsa_body_check_memory(L, status);
  if (status == HSA_BAD_UTF8)
    return invalid(L, index, "valid UTF-8", field);
  return status == HSA_OK ? 1 : too_large(L, field);
}

/* Writes a string as an id: judged by its spelling. */
static inline int write_text_id(lua_State *L, lhsa_body *body, int index, const char *field)
{
  size_t length;
  const char *bytes = lua_tolstring(L, index, &length);
  if (body->any_id)
    return write_any_text(L, &body->json, index, bytes, length, field);
  const char *flaw = hsa_record_id_flaw(bytes, length);
  if (flaw != NULL)
    return invalid_text_id(L, index, flaw, field);
  char quoted[HSA_RECORD_ID_DIGITS + 2] = {'"'}; /* digits need no escapes */
  memcpy(quoted + 1, bytes, length);
  quoted[length + 1] = '"';
  return append(L, &body->json, quoted, length + 2, field);
}

/* Writes the id at `index` as a JSON string. */
static inline int write_id(lua_State *L, lhsa_body *body, int index, const char *field)
{
  switch (lua_type(L, index)) {
  case LUA_TSTRING:
    return write_text_id(L, body, index, field);
  case LUA_TNUMBER:
    return write_number_id(L, &body->json, index, field);
  default:
    return invalid(L, index, "a record id (a string of digits, or a whole number)", field);
  }
}

int lhsa_body_is_record_id(lua_State *L)
{
  size_t length = 0;
  const char *bytes = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &length) : "";
  lua_pushboolean(L, hsa_record_id_flaw(bytes, length) == NULL);
  return 1;
}

/* Writes the id of input[side], which is an id or { id = … }, and notes where. */
static int write_side(lua_State *L, lhsa_body *body, int input, int side, const char *id_field,
                      lhsa_body_span *where)
{
  hsa_buffer *json = &body->json;
  size_t start = json->length + 1; /* behind the quote */
  get(L, body, input, side);
  int value = lua_gettop(L), written;
  if (lua_istable(L, value)) {
    get(L, body, value, ID);
    written = write_id(L, body, value + 1, id_field);
  } else {
    written = write_id(L, body, value, keys[side - 1]);
  }
  if (written)
    *where = span(start, json->length - 1);
  return written;
}

/* ---- lists ---- */

/* What keeps the table at `index` from being a list with at least one entry and the keys 1 to its length:
 * 0 when nothing does, else 1 with a description pushed. Raw: a list's metatable is not asked. */
static int push_list_flaw(lua_State *L, int index)
{
  size_t length = (size_t)lua_rawlen(L, index), count = 0;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    int64_t key;
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TNUMBER || !to_integer(L, lua_gettop(L), &key) || key < 1) {
      push_description(L, lua_gettop(L));
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

/* ---- association types ---- */

static int is_category(const char *bytes, size_t length)
{
  if (length == 0 || bytes[0] < 'A' || bytes[0] > 'Z')
    return 0;
  for (size_t i = 1; i < length; i++)
    if (!((bytes[i] >= 'A' && bytes[i] <= 'Z') || (bytes[i] >= '0' && bytes[i] <= '9') || bytes[i] == '_'))
      return 0;
  return 1;
}

static int is_hubspot_defined(const char *bytes, size_t length)
{
  static const char name[] = "HUBSPOT_DEFINED";
  return length == sizeof name - 1 && memcmp(bytes, name, length) == 0;
}

/* Pushes the name of types[number]key, or of typeskey when there is no list (number 0). */
static void push_type_field(lua_State *L, int number, const char *key)
{
  if (number > 0)
    lua_pushfstring(L, "types[%d]%s", number, key);
  else
    lua_pushfstring(L, "types%s", key);
}

static int invalid_type(lua_State *L, int index, const char *expected, int number, const char *key)
{
  push_type_field(L, number, key);
  return invalid(L, index, expected, lua_tostring(L, -1));
}

/* Asks the body's check_type about an id of category HUBSPOT_DEFINED: 1, or 0 with an error pushed. */
static int check_type(lua_State *L, lhsa_body *body, int64_t id, int number, const char *key)
{
  int32_t *passed = &body->passed[id % LHSA_BODY_PASSED_TYPES];
  if (*passed == id)
    return 1;
  lhsa_getanchor(L, 1);
  lua_rawgeti(L, -1, 1);
  lua_pushinteger(L, (lua_Integer)id);
  lua_call(L, 1, 1);
  if (lua_type(L, -1) == LUA_TSTRING) {
    push_type_field(L, number, key);
    lua_insert(L, -2);
    return push_error(L, "invalid_input", lua_tostring(L, -2));
  }
  lua_pop(L, 2);
  *passed = (int32_t)id;
  return 1;
}

/* Writes the type id at `index`, and closes the object. */
static int write_type_id(lua_State *L, lhsa_body *body, int index, int number, const char *key, int checked)
{
  int64_t id;
  if (lua_type(L, index) != LUA_TNUMBER || !to_integer(L, index, &id) || id < 1 || id > INT32_MAX)
    return invalid_type(L, index, "an association type id (an integer from 1 to 2147483647)", number, key);
  if (checked && !check_type(L, body, id, number, key))
    return 0;
  hsa_status status = hsa_json_write_integer(&body->json, id);
  lhsa_body_check_memory(L, status);
  return status == HSA_OK ? APPEND(L, &body->json, "}", "types") : too_large(L, "types");
}

/* Writes one type: an id of category HUBSPOT_DEFINED, or { associationCategory, associationTypeId }. */
static int write_type(lua_State *L, lhsa_body *body, int index, int number)
{
  hsa_buffer *json = &body->json;
  size_t length = 0;
  if (lua_type(L, index) == LUA_TNUMBER)
    return APPEND(L, json, "{\"associationCategory\":\"HUBSPOT_DEFINED\",\"associationTypeId\":", "types")
           && write_type_id(L, body, index, number, "", body->checks_types);
  if (!lua_istable(L, index))
    return invalid_type(L, index, "a table { associationCategory, associationTypeId } or an integer", number,
                        "");
  get(L, body, index, CATEGORY);
  int category = lua_gettop(L);
  const char *bytes = lua_type(L, category) == LUA_TSTRING ? lua_tolstring(L, category, &length) : NULL;
  if (bytes == NULL || !is_category(bytes, length))
    return invalid_type(L, category, "a category in upper case, such as HUBSPOT_DEFINED or USER_DEFINED",
                        number, ".associationCategory");
  get(L, body, index, TYPE_ID);
  int checked = body->checks_types && is_hubspot_defined(bytes, length);
  return APPEND(L, json, "{\"associationCategory\":\"", "types") && append(L, json, bytes, length, "types")
         && APPEND(L, json, "\",\"associationTypeId\":", "types")
         && write_type_id(L, body, category + 1, number, ".associationTypeId", checked);
}

static int is_single_type(lua_State *L, const lhsa_body *body, int types)
{
  if (!lua_istable(L, types))
    return lua_type(L, types) == LUA_TNUMBER;
  if (lua_rawlen(L, types) > 0)
    return 0;
  get(L, body, types, TYPE_ID);
  get(L, body, types, CATEGORY);
  int single = !lua_isnil(L, -2) || !lua_isnil(L, -1);
  lua_pop(L, 2);
  return single;
}

/* Writes the list of types from input.types: a list, one type, or an integer. */
static int write_types(lua_State *L, lhsa_body *body, int input)
{
  hsa_buffer *json = &body->json;
  static const char expected[] =
    "a list of { associationCategory, associationTypeId }, one of them, or an integer";
  get(L, body, input, TYPES);
  int types = lua_gettop(L);
  if (is_single_type(L, body, types))
    return write_type(L, body, types, 0);
  if (!lua_istable(L, types))
    return invalid(L, types, expected, "types");
  if (push_list_flaw(L, types))
    return invalid_found(L, expected, "types");
  int length = (int)lua_rawlen(L, types);
  for (int i = 1; i <= length; i++) {
    if (i > 1 && !APPEND(L, json, ",", "types"))
      return 0;
    lua_rawgeti(L, types, i);
    if (!write_type(L, body, types + 1, i))
      return 0;
    lua_settop(L, types);
  }
  return 1;
}

/* ---- inputs ---- */

int lhsa_body_write(lua_State *L, lhsa_body *body, int input)
{
  hsa_buffer *json = &body->json;
  lhsa_body_entry entry;
  luaL_checkstack(L, LUA_MINSTACK, "an input");
  if (!lua_istable(L, input))
    return invalid(L, input, "a table { from, to, types }", "input");
  if (lhsa_body_count(body) == LHSA_BODY_MAX_INPUTS)
    return too_large(L, "input");
  json->length = body->committed;
  if (lhsa_body_count(body) > 0 && !APPEND(L, json, ",", "input"))
    return 0;
  size_t start = json->length;
  if (!APPEND(L, json, "{\"from\":{\"id\":", "from")
      || !write_side(L, body, input, FROM, "from.id", &entry.from)
      || !APPEND(L, json, "},\"to\":{\"id\":", "to") || !write_side(L, body, input, TO, "to.id", &entry.to)
      || !APPEND(L, json, "},\"types\":[", "types"))
    return 0;
  size_t types = json->length;
  if (!write_types(L, body, input) || !APPEND(L, json, "]}", "input"))
    return 0;
  if (json->limit - json->length < sizeof "]}" - 1) /* the body's end */
    return too_large(L, "input");
  entry.input = span(start, json->length);
  entry.types = span(types, json->length - 2);
  entry.first = (uint32_t)lhsa_body_count(body);
  lhsa_body_check_memory(L, hsa_buffer_append(&body->entries, &entry, sizeof entry));
  body->committed = json->length;
  lua_settop(L, input);
  return 1;
}

int lhsa_body_invalid_list(lua_State *L, int index)
{
  if (!push_list_flaw(L, index))
    return 0;
  invalid_found(L, "a list of inputs", "inputs");
  return 1;
}

void lhsa_body_push_writer(lua_State *L, lua_CFunction function)
{
  for (int i = 0; i < KEYS; i++)
    lua_pushstring(L, keys[i]);
  lua_pushcclosure(L, function, KEYS);
}
