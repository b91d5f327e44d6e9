/* core.body: Lua inputs -> the JSON body of a batch create request, checked while they are written.
 * Walks each input once, straight into the request's bytes. An input that is refused, or that raises
 * (a proxy's __index may), leaves the body as it was: only what is committed is ever sent. */
#include "core.h"

#include "json.h"

#include <stdint.h>
#include <string.h>

#define BODY "hubspot.associations.body"

enum { MAX_BODY = 64 * 1024 * 1024, MAX_INPUTS = 100000, MAX_REFUSALS = 100, SHOWN = 40 };

static const lua_Number EXACT = 9007199254740992.0; /* 2^53: doubles below it are exact integers */

/* The keys that inputs are read by: upvalues of every function that reads one, which saves looking up
 * the same six strings thousands of times. */
enum { FROM = 1, TO, ID, TYPES, CATEGORY, TYPE_ID };
static const char *const keys[] = {"from", "to", "id", "types", "associationCategory", "associationTypeId"};
enum { KEYS = sizeof keys / sizeof *keys };

/* Where an input stands in the body's bytes, and in it the text of its two ids, without their quotes. */
typedef struct lhsa_span {
  uint32_t start, length;
} lhsa_span;

typedef struct lhsa_entry {
  lhsa_span input, from, to;
} lhsa_entry;

typedef struct lhsa_body {
  hsa_buffer json;    /* {"inputs":[ and the inputs, then perhaps a piece of one that was given up */
  hsa_buffer entries; /* one lhsa_entry for each input */
  size_t committed;   /* bytes of json that count */
} lhsa_body;

static size_t count_of(const lhsa_body *body)
{
  return body->entries.length / sizeof(lhsa_entry);
}

static lhsa_span span(size_t start, size_t end)
{
  return (lhsa_span){(uint32_t)start, (uint32_t)(end - start)}; /* MAX_BODY fits */
}

/* ---- refusals ---- */

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

/* Pushes { kind, field, message }, the refusal of `expected`, in place of a description of what was found
 * instead, at the top of the stack. Returns 0, for write_... to return. */
static int refuse_found(lua_State *L, const char *expected, const char *field)
{
  lua_pushfstring(L, "expected %s, found %s", expected, lua_tostring(L, -1));
  lua_createtable(L, 0, 4); /* room for an index */
  lua_pushliteral(L, "invalid_input");
  lua_setfield(L, -2, "kind");
  lua_pushstring(L, field);
  lua_setfield(L, -2, "field");
  lua_insert(L, -2);
  lua_setfield(L, -2, "message");
  lua_replace(L, -2);
  return 0;
}

/* The same, where the value found is the one at `index`. */
static int refuse(lua_State *L, int index, const char *expected, const char *field)
{
  push_description(L, index);
  return refuse_found(L, expected, field);
}

/* Memory that runs out raises, as it does in Lua itself. */
static void check_memory(lua_State *L, hsa_status status)
{
  if (status == HSA_NO_MEMORY)
    luaL_error(L, "not enough memory for the request body");
}

static int refuse_size(lua_State *L, const char *field)
{
  lua_createtable(L, 0, 4);
  lua_pushliteral(L, "too_large");
  lua_setfield(L, -2, "kind");
  lua_pushstring(L, field);
  lua_setfield(L, -2, "field");
  lua_pushfstring(L, "the request body would be over %d bytes", MAX_BODY);
  lua_setfield(L, -2, "message");
  return 0;
}

static inline int append(lua_State *L, hsa_buffer *json, const char *bytes, size_t count, const char *field)
{
  hsa_status status = hsa_buffer_append(json, bytes, count);
  check_memory(L, status);
  return status == HSA_OK ? 1 : refuse_size(L, field);
}

#define APPEND(L, json, literal, field) append(L, json, literal, sizeof(literal) - 1, field)

/* Pushes table[key], asking a metatable's __index as Lua code would. */
static void get(lua_State *L, int table, int key)
{
  lua_pushvalue(L, lua_upvalueindex(key));
  lua_gettable(L, table);
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

/* Writes the id at `index` as a JSON string. */
static int write_id(lua_State *L, hsa_buffer *json, int index, const char *field)
{
  static const char expected[] = "a record id (a non-empty string, or an integer)";
  size_t length;
  int64_t number;
  hsa_status status;
  const char *bytes;
  switch (lua_type(L, index)) {
  case LUA_TSTRING:
    bytes = lua_tolstring(L, index, &length);
    if (length == 0)
      return refuse(L, index, expected, field);
    status = hsa_json_string(json, bytes, length);
    check_memory(L, status);
    if (status == HSA_BAD_UTF8)
      return refuse(L, index, "valid UTF-8", field);
    return status == HSA_OK ? 1 : refuse_size(L, field);
  case LUA_TNUMBER:
    if (!to_integer(L, index, &number))
      return refuse(L, index, "a record id (an integer of at most 2^53, or a string)", field);
    if (!APPEND(L, json, "\"", field))
      return 0;
    status = hsa_json_integer(json, number);
    check_memory(L, status);
    return status == HSA_OK ? APPEND(L, json, "\"", field) : refuse_size(L, field);
  default:
    return refuse(L, index, expected, field);
  }
}

/* Writes the id of input[side], which is an id or { id = … }, and notes where. */
static int write_side(lua_State *L, hsa_buffer *json, int input, int side, const char *id_field,
                      lhsa_span *where)
{
  size_t start = json->length + 1; /* behind the quote */
  get(L, input, side);
  int value = lua_gettop(L), written;
  if (lua_istable(L, value)) {
    get(L, value, ID);
    written = write_id(L, json, value + 1, id_field);
  } else {
    written = write_id(L, json, value, keys[side - 1]);
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
  size_t length = lua_rawlen(L, index), count = 0;
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

/* A refusal of types[position]key, or of typeskey when there is no list (position 0). */
static int refuse_type(lua_State *L, int index, const char *expected, int position, const char *key)
{
  if (position > 0)
    lua_pushfstring(L, "types[%d]%s", position, key);
  else
    lua_pushfstring(L, "types%s", key);
  return refuse(L, index, expected, lua_tostring(L, -1));
}

/* Writes the type id at `index`, and closes the object. */
static int write_type_id(lua_State *L, hsa_buffer *json, int index, int position, const char *key)
{
  int64_t id;
  if (lua_type(L, index) != LUA_TNUMBER || !to_integer(L, index, &id) || id < 1 || id > INT32_MAX)
    return refuse_type(L, index, "an association type id (an integer from 1 to 2147483647)", position, key);
  hsa_status status = hsa_json_integer(json, id);
  check_memory(L, status);
  return status == HSA_OK ? APPEND(L, json, "}", "types") : refuse_size(L, "types");
}

/* Writes one type: an id of category HUBSPOT_DEFINED, or { associationCategory, associationTypeId }. */
static int write_type(lua_State *L, hsa_buffer *json, int index, int position)
{
  size_t length = 0;
  if (lua_type(L, index) == LUA_TNUMBER)
    return APPEND(L, json, "{\"associationCategory\":\"HUBSPOT_DEFINED\",\"associationTypeId\":", "types")
           && write_type_id(L, json, index, position, "");
  if (!lua_istable(L, index))
    return refuse_type(L, index, "a table { associationCategory, associationTypeId } or an integer", position,
                       "");
  get(L, index, CATEGORY);
  int category = lua_gettop(L);
  const char *bytes = lua_type(L, category) == LUA_TSTRING ? lua_tolstring(L, category, &length) : NULL;
  if (bytes == NULL || !is_category(bytes, length))
    return refuse_type(L, category, "a category in upper case, such as HUBSPOT_DEFINED or USER_DEFINED",
                       position, ".associationCategory");
  get(L, index, TYPE_ID);
  return APPEND(L, json, "{\"associationCategory\":\"", "types") && append(L, json, bytes, length, "types")
         && APPEND(L, json, "\",\"associationTypeId\":", "types")
         && write_type_id(L, json, category + 1, position, ".associationTypeId");
}

static int is_single_type(lua_State *L, int types)
{
  if (!lua_istable(L, types))
    return lua_type(L, types) == LUA_TNUMBER;
  if (lua_rawlen(L, types) > 0)
    return 0;
  get(L, types, TYPE_ID);
  get(L, types, CATEGORY);
  int single = !lua_isnil(L, -2) || !lua_isnil(L, -1);
  lua_pop(L, 2);
  return single;
}

/* Writes the list of types from input.types: a list, one type, or an integer. */
static int write_types(lua_State *L, hsa_buffer *json, int input)
{
  static const char expected[] =
    "a list of { associationCategory, associationTypeId }, one of them, or an integer";
  get(L, input, TYPES);
  int types = lua_gettop(L);
  if (is_single_type(L, types))
    return write_type(L, json, types, 0);
  if (!lua_istable(L, types))
    return refuse(L, types, expected, "types");
  if (push_list_flaw(L, types))
    return refuse_found(L, expected, "types");
  int length = (int)lua_rawlen(L, types);
  for (int i = 1; i <= length; i++) {
    if (i > 1 && !APPEND(L, json, ",", "types"))
      return 0;
    lua_rawgeti(L, types, i);
    if (!write_type(L, json, types + 1, i))
      return 0;
    lua_settop(L, types);
  }
  return 1;
}

/* ---- inputs ---- */

/* Writes the input at `input` behind what is committed, and commits it: 1, with the stack as it was; or
 * 0 with a refusal pushed. */
static int write_input(lua_State *L, lhsa_body *body, int input)
{
  hsa_buffer *json = &body->json;
  lhsa_entry entry;
  luaL_checkstack(L, LUA_MINSTACK, "an input");
  if (!lua_istable(L, input))
    return refuse(L, input, "a table { from, to, types }", "input");
  if (count_of(body) == MAX_INPUTS)
    return refuse_size(L, "input");
  json->length = body->committed;
  if (count_of(body) > 0 && !APPEND(L, json, ",", "input"))
    return 0;
  size_t start = json->length;
  if (!APPEND(L, json, "{\"from\":{\"id\":", "from")
      || !write_side(L, json, input, FROM, "from.id", &entry.from)
      || !APPEND(L, json, "},\"to\":{\"id\":", "to") || !write_side(L, json, input, TO, "to.id", &entry.to)
      || !APPEND(L, json, "},\"types\":[", "types") || !write_types(L, json, input)
      || !APPEND(L, json, "]}", "input"))
    return 0;
  entry.input = span(start, json->length);
  check_memory(L, hsa_buffer_append(&body->entries, &entry, sizeof entry));
  body->committed = json->length;
  lua_settop(L, input);
  return 1;
}

static lhsa_body *check_body(lua_State *L)
{
  return luaL_checkudata(L, 1, BODY);
}

/* body:add(input) -> true | nil, { kind, field, message } */
static int body_add(lua_State *L)
{
  lhsa_body *body = check_body(L);
  lua_settop(L, 2);
  if (write_input(L, body, 2)) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}

/* body:add_list(inputs) -> true | nil, errors, count
 * All of them, or none: errors holds the first 100 refusals { kind, index, field, message }, count tells
 * how many there are. A list that is empty, or none, is one refusal without an index. */
static int body_add_list(lua_State *L)
{
  lhsa_body *body = check_body(L);
  size_t committed = body->committed, entries = body->entries.length;
  lua_Integer refused = 0;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  lua_newtable(L); /* the errors, at 3 */
  if (push_list_flaw(L, 2)) {
    refuse_found(L, "a list of inputs", "inputs");
    lua_rawseti(L, 3, 1);
    refused = 1;
  } else {
    int length = (int)lua_rawlen(L, 2);
    for (int i = 1; i <= length; i++) {
      lua_rawgeti(L, 2, i); /* at 4 */
      if (!write_input(L, body, 4) && ++refused <= MAX_REFUSALS) {
        lua_pushinteger(L, i);
        lua_setfield(L, -2, "index");
        lua_rawseti(L, 3, (int)refused);
      }
      lua_settop(L, 3);
    }
  }
  if (refused == 0) {
    lua_pushboolean(L, 1);
    return 1;
  }
  body->committed = committed;
  body->entries.length = entries;
  lua_pushnil(L);
  lua_insert(L, 3);
  lua_settop(L, 4);
  lua_pushinteger(L, refused);
  return 3;
}

static const char begin[] = "{\"inputs\":[", end[] = "]}";

/* body:json() -> the request body so far, as a string */
static int body_json(lua_State *L)
{
  lhsa_body *body = check_body(L);
  body->json.length = body->committed;
  check_memory(L, hsa_buffer_append(&body->json, end, sizeof end - 1)); /* MAX_BODY leaves room */
  lua_pushlstring(L, body->json.data, body->json.length);
  return 1;
}

/* body:count() -> how many inputs it holds */
static int body_count(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)count_of(check_body(L)));
  return 1;
}

/* The entry of the input whose place, from 1, is the number at `index`. */
static lhsa_entry entry_at(lua_State *L, const lhsa_body *body, int index)
{
  lhsa_entry entry;
  lua_Integer place = lua_tointeger(L, index);
  if (place < 1 || (size_t)place > count_of(body))
    luaL_error(L, "the body has no input %d", (int)place);
  memcpy(&entry, body->entries.data + (size_t)(place - 1) * sizeof entry, sizeof entry);
  return entry;
}

static void push_span(lua_State *L, const lhsa_body *body, lhsa_span where)
{
  lua_pushlstring(L, body->json.data + where.start, where.length);
}

/* body:select(places) -> a request body of the inputs at these places only, as a string */
static int body_select(lua_State *L)
{
  const lhsa_body *body = check_body(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  int count = (int)lua_rawlen(L, 2);
  luaL_Buffer selected;
  luaL_buffinit(L, &selected);
  luaL_addlstring(&selected, begin, sizeof begin - 1);
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(L, 2, i);
    lhsa_entry entry = entry_at(L, body, -1);
    lua_pop(L, 1); /* before the buffer is touched: it keeps what it has on the stack */
    if (i > 1)
      luaL_addchar(&selected, ',');
    luaL_addlstring(&selected, body->json.data + entry.input.start, entry.input.length);
  }
  luaL_addlstring(&selected, end, sizeof end - 1);
  luaL_pushresult(&selected);
  return 1;
}

/* body:input(place) -> the JSON of one input */
static int body_input(lua_State *L)
{
  const lhsa_body *body = check_body(L);
  push_span(L, body, entry_at(L, body, 2).input);
  return 1;
}

/* body:ids(place) -> from, to: the ids of one input as they stand in JSON, without their quotes */
static int body_ids(lua_State *L)
{
  const lhsa_body *body = check_body(L);
  lhsa_entry entry = entry_at(L, body, 2);
  push_span(L, body, entry.from);
  push_span(L, body, entry.to);
  return 2;
}

/* 64-bit FNV-1a */
static const uint64_t FNV_BASIS = 14695981039346656037u;

static uint64_t fnv1a(uint64_t hash, const char *bytes, size_t count)
{
  for (size_t i = 0; i < count; i++)
    hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211u;
  return hash;
}

/* body:digest() -> 16 hexadecimal digits (64-bit FNV-1a) that tell these inputs from others */
static int body_digest(lua_State *L)
{
  const lhsa_body *body = check_body(L);
  uint64_t hash = fnv1a(FNV_BASIS, body->json.data, body->committed);
  char digits[16];
  for (int i = 15; i >= 0; i--, hash >>= 4)
    digits[i] = "0123456789abcdef"[hash & 15];
  lua_pushlstring(L, digits, sizeof digits);
  return 1;
}

/* ---- repetitions ---- */

static int same_bytes(const lhsa_body *body, lhsa_span one, lhsa_span other)
{
  const char *json = body->json.data;
  return one.length == other.length && memcmp(json + one.start, json + other.start, one.length) == 0;
}

/* body:repeats() -> whether two inputs have the same pair of ids, and differ in their types: an answer, which
 * names only the ids, could not tell them apart. */
static int body_repeats(lua_State *L)
{
  const lhsa_body *body = check_body(L);
  const lhsa_entry *entries = (const void *)body->entries.data;
  size_t count = count_of(body), slots = 16;
  while (slots < count * 2)
    slots *= 2;
  uint32_t *table = lua_newuserdata(L, slots * sizeof *table); /* entry number, 0 for a free slot */
  memset(table, 0, slots * sizeof *table);
  for (size_t i = 0; i < count; i++) {
    const lhsa_entry *entry = &entries[i];
    uint64_t hash = fnv1a(FNV_BASIS, body->json.data + entry->from.start, entry->from.length + 1);
    size_t slot = fnv1a(hash, body->json.data + entry->to.start, entry->to.length) & (slots - 1);
    for (; table[slot] != 0; slot = (slot + 1) & (slots - 1)) {
      const lhsa_entry *other = &entries[table[slot] - 1];
      if (!same_bytes(body, entry->from, other->from) || !same_bytes(body, entry->to, other->to))
        continue;
      if (same_bytes(body, entry->input, other->input))
        break;
      lua_pushboolean(L, 1);
      return 1;
    }
    table[slot] = (uint32_t)i + 1;
  }
  lua_pushboolean(L, 0);
  return 1;
}

static void start(lua_State *L, lhsa_body *body)
{
  body->json.length = body->entries.length = 0;
  check_memory(L, hsa_buffer_append(&body->json, begin, sizeof begin - 1));
  body->committed = body->json.length;
}

/* body:clear(): begins anew, in the same memory */
static int body_clear(lua_State *L)
{
  start(L, check_body(L));
  return 0;
}

static int body_free(lua_State *L)
{
  lhsa_body *body = check_body(L);
  hsa_buffer_free(&body->json);
  hsa_buffer_free(&body->entries);
  return 0;
}

static const luaL_Reg body_methods[] = {
  {"json", body_json},       {"count", body_count},
  {"select", body_select},   {"input", body_input},
  {"ids", body_ids},         {"digest", body_digest},
  {"repeats", body_repeats}, {"clear", body_clear},
  {"__gc", body_free},       {NULL, NULL},
};

/* Methods that read inputs, and so have the keys as upvalues. */
static const luaL_Reg reading_methods[] = {{"add", body_add}, {"add_list", body_add_list}, {NULL, NULL}};

/* body() -> an empty body */
static int new_body(lua_State *L)
{
  lhsa_body *body = lhsa_newuserdata(L, sizeof *body);
  memset(body, 0, sizeof *body);
  hsa_buffer_init(&body->json, MAX_BODY);
  hsa_buffer_init(&body->entries, MAX_INPUTS * sizeof(lhsa_entry));
  luaL_getmetatable(L, BODY);
  lua_setmetatable(L, -2);
  start(L, body);
  return 1;
}

void lhsa_open_body(lua_State *L)
{
  lhsa_newclass(L, BODY, body_methods);
  luaL_getmetatable(L, BODY);
  for (const luaL_Reg *method = reading_methods; method->name != NULL; method++) {
    for (int i = 0; i < KEYS; i++)
      lua_pushstring(L, keys[i]);
    lua_pushcclosure(L, method->func, KEYS);
    lua_setfield(L, -2, method->name);
  }
  lua_pop(L, 1);
  lua_pushcfunction(L, new_body);
  lua_setfield(L, -2, "body");
}
