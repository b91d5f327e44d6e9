/* core.body: the body of a batch request under construction, as a userdata.
 * Owns the JSON and the position of each input in it. body_write.c writes inputs, body_select.c sends
 * some of them, body_match.c compares them with a response, and body_shape.c says what they look like. */
#include "core.h"

#include "body.h"
#include "bytes.h"

#include <string.h>

#define BODY "hubspot.associations.body"

lhsa_body *lhsa_body_check(lua_State *L)
{
  return lhsa_body_at(L, 1);
}

/* Counts a use, and undoes a list that was not completed. */
static lhsa_body *used(lhsa_body *body)
{
  body->uses++;
  if (body->listing) {
    body->listing = 0;
    body->committed = body->listed_from;
    body->entries.length = body->entries_from;
    lhsa_body_regroup(body);
  }
  return body;
}

lhsa_body *lhsa_body_at(lua_State *L, int index)
{
  return used(luaL_checkudata(L, index, BODY));
}

/* The same for functions that read inputs: their last upvalue is the metatable of bodies. Looking that up by its name
 * took 200 instructions for each input. */
lhsa_body *lhsa_body_check_reader(lua_State *L)
{
  int is_body = lua_touserdata(L, 1) != NULL && lua_getmetatable(L, 1);
  if (!is_body || !lua_rawequal(L, -1, lua_upvalueindex(HSA_BODY_KEYS + 1)))
    return lhsa_body_check(L);
  lua_pop(L, 1);
  return used(lua_touserdata(L, 1));
}

/* Whether the last two inputs have the same ids. */
static int last_is_alike(const lhsa_body *body)
{
  size_t count = lhsa_body_count(body);
  if (count < 2)
    return 0;
  const lhsa_body_entry *last = lhsa_body_entries(body) + count - 1;
  return lhsa_body_has_ids(body, last - 1, lhsa_body_part(body, last, HSA_BODY_FIRST_ID),
                           lhsa_body_part(body, last, HSA_BODY_SECOND_ID));
}

static void remove_last(lhsa_body *body)
{
  const lhsa_body_entry *last = lhsa_body_entries(body) + lhsa_body_count(body) - 1;
  body->committed = last->first == 0 ? last->input.start : last->input.start - 1; /* and its comma */
  body->entries.length -= sizeof *last;
  lhsa_body_regroup(body);
}

/* body:add(input) -> true | nil, { kind, field, message } | false, if the body is full, and the input has
 * other ids than the last one */
static int body_add(lua_State *L)
{
  lhsa_body *body = lhsa_body_check_reader(L);
  lua_settop(L, 2);
  luaL_checkstack(L, LUA_MINSTACK, "an input");
  body->is_adding = 1;
  int written = lhsa_body_write(L, body, 2);
  body->is_adding = 0;
  if (written) {
    int is_unlike = body->is_full && !last_is_alike(body);
    if (is_unlike)
      remove_last(body);
    lua_pushboolean(L, !is_unlike);
    return 1;
  }
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}

/* body:is_adding() -> whether the last `add` raised: so that a job can tell, without a note for each input, an error that
 * an input raises from one that its source raises */
static int body_is_adding(lua_State *L)
{
  lua_pushboolean(L, lhsa_body_check(L)->is_adding);
  return 1;
}

static const char begin[] = "{\"inputs\":[", end[] = "]}";

const char *lhsa_body_complete(lua_State *L, lhsa_body *body, size_t *length)
{
  if (body->is_freed)
    luaL_error(L, "the body was freed");
  body->json.length = body->committed;
  /* body_write.c leaves room for it. While the body is locked, the same bytes are written to the same place. */
  lhsa_body_check_memory(L, hsa_buffer_append(&body->json, end, sizeof end - 1));
  *length = body->json.length;
  return body->json.data;
}

static int has_to_be_merged(const lhsa_body *body)
{
  return body->shape->is_grouped && body->group_count < lhsa_body_count(body);
}

/* body:json() -> the request body, as a string */
static int body_json(lua_State *L)
{
  size_t length;
  lhsa_body *body = lhsa_body_check(L);
  if (has_to_be_merged(body)) {
    lhsa_body_push_merged(L, body);
    return 1;
  }
  const char *json = lhsa_body_complete(L, body, &length);
  lua_pushlstring(L, json, length);
  return 1;
}

/* body:payload() -> the request body, for transport:submit: the body itself, or a string if inputs are merged */
static int body_payload(lua_State *L)
{
  const lhsa_body *body = lhsa_body_check(L);
  if (has_to_be_merged(body))
    lhsa_body_push_merged(L, body);
  else
    lua_settop(L, 1);
  return 1;
}

/* #body -> the length of its JSON, in which nothing is merged */
static int body_length(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)(lhsa_body_check(L)->committed + sizeof end - 1));
  return 1;
}

/* body:count() -> the number of inputs */
static int body_count(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)lhsa_body_count(lhsa_body_check(L)));
  return 1;
}

const lhsa_body_entry *lhsa_body_entry_at(lua_State *L, const lhsa_body *body, int index)
{
  lua_Integer position = lua_tointeger(L, index);
  if (position < 1
      || position > (lua_Integer)lhsa_body_count(body)) /* a size_t may be shorter than position */
    luaL_error(L, "the body has no input at that position");
  return &lhsa_body_entries(body)[position - 1];
}

static void push_span(lua_State *L, const lhsa_body *body, lhsa_body_span where)
{
  lua_pushlstring(L, body->json.data + where.start, where.length);
}

/* Pushes the input without the brackets around its list, which has one entry. */
static void push_ungrouped(lua_State *L, const lhsa_body *body, const lhsa_body_entry *entry)
{
  hsa_text input = lhsa_body_text(body, entry->input), list = lhsa_body_list(body, entry);
  const char *rest = list.bytes + list.length + 1;
  lua_pushlstring(L, input.bytes, (size_t)(list.bytes - 1 - input.bytes));
  lua_pushlstring(L, list.bytes, list.length);
  lua_pushlstring(L, rest, (size_t)(input.bytes + input.length - rest));
  lua_concat(L, 3);
}

/* body:input(position) -> the JSON of one input; if the shape groups, that of the pair before it is
 * grouped */
static int body_input(lua_State *L)
{
  const lhsa_body *body = lhsa_body_check(L);
  const lhsa_body_entry *entry = lhsa_body_entry_at(L, body, 2);
  if (body->shape->is_grouped)
    push_ungrouped(L, body, entry);
  else
    push_span(L, body, entry->input);
  return 1;
}

/* body:ids(position) -> one id or two, as the shape has them: the text between the quotes in the JSON */
static int body_ids(lua_State *L)
{
  const lhsa_body *body = lhsa_body_check(L);
  const lhsa_body_entry *entry = lhsa_body_entry_at(L, body, 2);
  for (int i = 0; i < body->shape->id_count; i++)
    push_span(L, body, entry->part[HSA_BODY_FIRST_ID + i]);
  return body->shape->id_count;
}

/* body:first(position) -> the position of the first input with the same ids. Known after pairs:enter. */
static int body_first(lua_State *L)
{
  const lhsa_body *body = lhsa_body_check(L);
  lua_pushinteger(L, (lua_Integer)lhsa_body_entry_at(L, body, 2)->first + 1);
  return 1;
}

/* body:group(position) -> the position of the first input that this one is merged with: the first with the
 * same first id if the shape groups, else the same as body:first */
static int body_group(lua_State *L)
{
  const lhsa_body *body = lhsa_body_check(L);
  const lhsa_body_entry *entry = lhsa_body_entry_at(L, body, 2);
  lua_pushinteger(L, (lua_Integer)lhsa_body_leader(body, entry) + 1);
  return 1;
}

/* body:types(position) -> the JSON of one input's types, without the brackets of the list */
static int body_types(lua_State *L)
{
  const lhsa_body *body = lhsa_body_check(L);
  push_span(L, body, lhsa_body_entry_at(L, body, 2)->part[HSA_BODY_TYPES]);
  return 1;
}

/* Pushes 16 hexadecimal digits. */
static void push_hash(lua_State *L, uint64_t hash)
{
  char digits[16];
  for (int i = 15; i >= 0; i--, hash >>= 4)
    digits[i] = "0123456789abcdef"[hash & 15];
  lua_pushlstring(L, digits, sizeof digits);
}

/* body:digest() -> the 64-bit FNV-1a hash of the inputs, as 16 hexadecimal digits */
static int body_digest(lua_State *L)
{
  const lhsa_body *body = lhsa_body_check(L);
  push_hash(L, hsa_text_hash(HSA_TEXT_HASH_BASIS, body->json.data, body->committed));
  return 1;
}

/* digest(text) -> the same for a text */
static int digest(lua_State *L)
{
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  push_hash(L, hsa_text_hash(HSA_TEXT_HASH_BASIS, text, length));
  return 1;
}

/* body:set_full(): from here on, only inputs with the ids of the last one are added */
static int body_set_full(lua_State *L)
{
  lhsa_body_check(L)->is_full = 1;
  return 0;
}

static void start(lua_State *L, lhsa_body *body)
{
  body->is_full = 0;
  body->json.length = body->entries.length = 0;
  lhsa_body_regroup(body);
  lhsa_body_check_memory(L, hsa_buffer_append(&body->json, begin, sizeof begin - 1));
  body->committed = body->json.length;
}

/* Takes memory, and begins. If there is none, a freed body stays freed. */
static void take_memory(lua_State *L, lhsa_body *body)
{
  hsa_pool_take(body->pool, HSA_POOL_JSON, &body->json);
  lhsa_body_check_memory(L, hsa_buffer_reserve(&body->json, sizeof begin - 1));
  hsa_pool_take(body->pool, HSA_POOL_ENTRIES, &body->entries);
  body->is_freed = body->is_adding = 0;
  start(L, body);
}

/* body:reopen(): the body was freed, and is used again, with the options that it has. So one body serves many batches of
 * a job: a new one for each was a third of what a batch leaves to Lua's collector. */
static int body_reopen(lua_State *L)
{
  lhsa_body *body = lhsa_body_check(L);
  luaL_argcheck(L, body->is_freed && body->locks == 0, 1, "the body is in use");
  take_memory(L, body);
  return 0;
}

/* body:clear(): removes all inputs and keeps the memory */
static int body_clear(lua_State *L)
{
  lhsa_body *body = lhsa_body_check(L);
  lhsa_body_check_changeable(L, body);
  start(L, body);
  return 0;
}

static const luaL_Reg body_methods[] = {
  {"json", body_json},
  {"count", body_count},
  {"is_adding", body_is_adding},
  {"set_full", body_set_full},
  {"select", lhsa_body_select},
  {"input", body_input},
  {"ids", body_ids},
  {"first", body_first},
  {"group", body_group},
  {"types", body_types},
  {"digest", body_digest},
  {"confirmed_by", lhsa_body_confirmed_by},
  {"payload", body_payload},
  {"clear", body_clear},
  {"free", lhsa_body_free},
  {"reopen", body_reopen},
  {"__len", body_length},
  {"__gc", lhsa_body_collect},
  {NULL, NULL},
};

/* Methods that read inputs need the keys as upvalues. */
static const luaL_Reg reading_methods[] = {
  {"add", body_add}, {"add_list", lhsa_body_add_list}, {"add_run", lhsa_body_add_run}, {NULL, NULL}};

static void set_name(lhsa_body_name *name, const char *bytes, size_t length)
{
  memcpy(name->bytes, bytes, length);
  name->length = length;
}

/* Pops a path: a list of keys. */
static void read_path(lua_State *L, int options, lhsa_body_path *path)
{
  static const char expected[] = "result names each id by a list of one key or two";
  luaL_argcheck(L, lua_istable(L, -1), options, expected);
  memset(path, 0, sizeof *path);
  for (int i = 0; i < LHSA_BODY_PATH_KEYS; i++) {
    size_t length = 0;
    lua_rawgeti(L, -1, i + 1);
    const char *key = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    luaL_argcheck(L, key != NULL || (i > 0 && lua_isnil(L, -1)), options, expected);
    luaL_argcheck(L, key == NULL || (length > 0 && length <= LHSA_BODY_LONGEST_KEY), options,
                  "a key of result has 1 to 31 bytes");
    if (key != NULL)
      set_name(&path->keys[i], key, length);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void read_result(lua_State *L, int options, lhsa_body *body)
{
  lua_getfield(L, options, "result");
  luaL_argcheck(L, lua_isnil(L, -1) || lua_istable(L, -1), options, "result is a table");
  if (!lua_isnil(L, -1)) {
    lua_getfield(L, -1, "from");
    read_path(L, options, &body->result[0]);
  }
  if (!lua_isnil(L, -1) && body->shape->id_count == LHSA_BODY_IDS) {
    lua_getfield(L, -1, "to");
    read_path(L, options, &body->result[1]);
  }
  lua_pop(L, 1);
}

static void read_most(lua_State *L, int options, const char *name, uint32_t *most)
{
  lua_getfield(L, options, name);
  if (!lua_isnil(L, -1)) {
    lua_Number number = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
    luaL_argcheck(L, number >= 1 && number <= LHSA_BODY_MAX_INPUTS, options,
                  "most_inputs and most_groups are numbers from 1 to 100000");
    *most = (uint32_t)number;
  }
  lua_pop(L, 1);
}

static void set_shape(lhsa_body *body, const hsa_body_shape *shape)
{
  body->shape = shape;
  body->most_inputs = shape->most_inputs == 0 ? LHSA_BODY_MAX_INPUTS : shape->most_inputs;
  body->most_groups = shape->most_groups;
}

static void read_shape(lua_State *L, int options, lhsa_body *body)
{
  lua_getfield(L, options, "shape");
  if (!lua_isnil(L, -1)) {
    hsa_text name = {"", 0};
    if (lua_type(L, -1) == LUA_TSTRING)
      name.bytes = lua_tolstring(L, -1, &name.length);
    const hsa_body_shape *shape = hsa_body_shape_find(name);
    luaL_argcheck(L, shape != NULL, options, "shape names none that there is");
    set_shape(body, shape);
  }
  lua_pop(L, 1);
}

static void read_options(lua_State *L, int options, lhsa_body *body)
{
  read_shape(L, options, body);
  read_most(L, options, "most_inputs", &body->most_inputs);
  read_most(L, options, "most_groups", &body->most_groups);
  read_result(L, options, body);
  lua_getfield(L, options, "check_ids");
  body->any_id = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
  lua_getfield(L, options, "check_type");
  body->checks_types = !lua_isnil(L, -1);
  luaL_argcheck(L, !body->checks_types || lua_isfunction(L, -1), options, "check_type is a function");
  lua_getfield(L, options, "names");
  body->names_types = !lua_isnil(L, -1);
  luaL_argcheck(L, !body->names_types || lua_istable(L, -1), options, "names is a table");
  lua_getfield(L, options, "unknown_name");
  luaL_argcheck(L, body->names_types == lua_isfunction(L, -1), options, "unknown_name goes with names");
  lua_pop(L, 4);
}

/* Anchors what the options say of types; see lhsa_body. */
static void anchor_options(lua_State *L, int options, int body)
{
  static const char *const names[] = {"check_type", "names", "unknown_name"};
  lua_createtable(L, 3, 0);
  for (int i = 0; i < 3; i++) {
    lua_getfield(L, options, names[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lhsa_setanchor(L, body);
}

/* body([options]) -> an empty body
 * shape: the name of a row in body_shape.c; "association" by default.
 * result: where a result has the ids of an input, { from = { key [, key] }, to = { key [, key] } }; by default
 *   fromObjectId and toObjectId. If the shape has one id, `to` is not needed.
 * most_inputs, most_groups: what a request has room for, if not what the shape says.
 * check_ids: false lets any string be an id.
 * check_type: a function of a type id of category HUBSPOT_DEFINED that returns nil or why the id is invalid. It has
 *   to return the same each time. By default, every id is valid.
 * names: the names of association types, { [name] = the JSON that is written for it }. May change later.
 * unknown_name: a function of a name that is not in `names`, which returns why. */
static int new_body(lua_State *L)
{
  lua_settop(L, 1);
  lhsa_body *body = lhsa_newuserdata(L, sizeof *body); /* at 2 */
  memset(body, 0, sizeof *body);
  hsa_buffer_init(&body->json, LHSA_BODY_MAX_BYTES);
  hsa_buffer_init(&body->entries, LHSA_BODY_MAX_INPUTS * sizeof(lhsa_body_entry));
  body->pool = lhsa_pool(L);
  set_shape(body, hsa_body_shape_default());
  set_name(&body->result[0].keys[0], "fromObjectId", sizeof "fromObjectId" - 1);
  set_name(&body->result[1].keys[0], "toObjectId", sizeof "toObjectId" - 1);
  luaL_getmetatable(L, BODY);
  lua_setmetatable(L, 2);
  if (!lua_isnil(L, 1)) {
    luaL_checktype(L, 1, LUA_TTABLE);
    read_options(L, 1, body);
    anchor_options(L, 1, 2);
  }
  take_memory(L, body);
  return 1;
}

void lhsa_open_body(lua_State *L)
{
  lhsa_newclass(L, BODY, body_methods);
  luaL_getmetatable(L, BODY);
  for (const luaL_Reg *method = reading_methods; method->name != NULL; method++) {
    lua_pushvalue(L, -1);
    lhsa_body_push_writer(L, method->func);
    lua_setfield(L, -2, method->name);
  }
  lua_pop(L, 1);
  lua_pushcfunction(L, new_body);
  lua_setfield(L, -2, "body");
  lua_pushcfunction(L, lhsa_body_is_record_id);
  lua_setfield(L, -2, "is_record_id");
  lua_pushcfunction(L, lhsa_body_is_category);
  lua_setfield(L, -2, "is_category");
  lua_pushinteger(L, LHSA_BODY_MAX_TYPE_ID);
  lua_setfield(L, -2, "MAX_TYPE_ID");
  lua_pushcfunction(L, digest);
  lua_setfield(L, -2, "digest");
  lua_pushcfunction(L, lhsa_body_count_keys);
  lua_setfield(L, -2, "count_keys");
}
