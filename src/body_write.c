/* Writes Lua inputs as JSON, in one pass that also checks them.
 * An input that is invalid leaves the body as it was, as does one whose __index raises: bytes are sent
 * only once lhsa_body_write has committed them. */
#include "body_write.h"

#include "json_write.h"
#include "record_id.h"

#include <string.h>

static lhsa_body_span span(size_t start, size_t end)
{
  return (lhsa_body_span){(uint32_t)start, (uint32_t)(end - start)}; /* LHSA_BODY_MAX_BYTES fits */
}

/* Appends JSON of the shape. Where there is room, as nearly always, all bytes of its array are copied: with a length
 * known to the compiler it takes no call, which saves a twentieth of writing an input. */
static inline int append_fixed(lua_State *L, hsa_buffer *json, const hsa_body_fixed *text, const char *field)
{
  if (json->capacity - json->length < sizeof text->bytes)
    return lhsa_body_append(L, json, text->bytes, text->length, field);
  memcpy(json->data + json->length, text->bytes, sizeof text->bytes);
  json->length += text->length;
  return 1;
}

/* ---- record ids ---- */

/* A number is an id if its value is: a decoder may have made the float 101.0 of 101. */
static inline int write_number_id(lua_State *L, hsa_buffer *json, int index, const char *field)
{
  int64_t number;
  if (!lhsa_body_to_integer(L, index, &number) || number < 1)
    return lhsa_body_invalid(
      L, index, "a record id (as a number, a whole one from 1 to below 2^53; else a string)", field);
  if (!LHSA_BODY_APPEND(L, json, "\"", field))
    return 0;
  return lhsa_body_appended(L, hsa_json_write_integer(json, number), field)
         && LHSA_BODY_APPEND(L, json, "\"", field);
}

static int invalid_text_id(lua_State *L, int index, const char *flaw, const char *field)
{
  lhsa_body_push_description(L, index);
  lua_pushfstring(L, "expected a record id (1 to %d digits), found %s: %s", HSA_RECORD_ID_DIGITS,
                  lua_tostring(L, -1), flaw);
  lhsa_body_push_error(L, "invalid_input", field);
  lua_pushstring(L, flaw); /* by itself, so that errors with the same flaw can be counted together */
  lua_setfield(L, -2, "flaw");
  return 0;
}

/* For bodies in which any string is an id. */
static int write_any_text(lua_State *L, hsa_buffer *json, int index, const char *bytes, size_t length,
                          const char *field)
{
  if (length == 0)
    return lhsa_body_invalid(L, index, "a record id (a non-empty string)", field);
  hsa_status status = hsa_json_write_string(json, bytes, length);
  if (status == HSA_BAD_UTF8)
    return lhsa_body_invalid(L, index, "valid UTF-8", field);
  return lhsa_body_appended(L, status, field);
}

/* A string is an id if it is spelled as one: "1e5" and "0101" are not converted, as that may give another
 * record. */
static inline int write_text_id(lua_State *L, lhsa_body *body, int index, const char *field)
{
  size_t length;
  const char *bytes = lua_tolstring(L, index, &length);
  if (body->any_id)
    return write_any_text(L, &body->json, index, bytes, length, field);
  const char *flaw = hsa_record_id_flaw(bytes, length);
  if (flaw != NULL)
    return invalid_text_id(L, index, flaw, field);
  if (!lhsa_body_appended(L, hsa_buffer_reserve(&body->json, length + 2), field))
    return 0;
  char *to = body->json.data + body->json.length;
  to[0] = to[length + 1] = '"';
  memcpy(to + 1, bytes, length); /* digits need no escapes */
  body->json.length += length + 2;
  return 1;
}

/* Writes the id at `index` as a JSON string. */
static inline int write_id(lua_State *L, lhsa_body *body, int index, int type, const char *field)
{
  switch (type) {
  case LUA_TSTRING:
    return write_text_id(L, body, index, field);
  case LUA_TNUMBER:
    return write_number_id(L, &body->json, index, field);
  default:
    return lhsa_body_invalid(L, index, "a record id (a string of digits, or a whole number)", field);
  }
}

int lhsa_body_is_record_id(lua_State *L)
{
  size_t length = 0;
  const char *bytes = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &length) : "";
  lua_pushboolean(L, hsa_record_id_flaw(bytes, length) == NULL);
  return 1;
}

/* The value is an id or { id = … }. */
static int write_record(lua_State *L, lhsa_body *body, int value, int type, const hsa_body_field *field)
{
  if (type != LUA_TTABLE)
    return write_id(L, body, value, type, hsa_body_keys[field->key]);
  int type_of_id = lhsa_body_get(L, body, value, HSA_BODY_KEY_ID);
  return write_id(L, body, value + 1, type_of_id, field->words);
}

/* ---- inputs ---- */

static int write_cursor(lua_State *L, lhsa_body *body, int value, const hsa_body_field *field)
{
  const char *name = hsa_body_keys[field->key];
  size_t length = 0;
  const char *bytes = lua_type(L, value) == LUA_TSTRING ? lua_tolstring(L, value, &length) : NULL;
  if (length == 0)
    return lhsa_body_invalid(L, value, field->words, name);
  hsa_status status = hsa_json_write_string(&body->json, bytes, length);
  if (status == HSA_BAD_UTF8)
    return lhsa_body_invalid(L, value, "valid UTF-8", name);
  return lhsa_body_appended(L, status, name);
}

static int write_count(lua_State *L, lhsa_body *body, int value, const hsa_body_field *field)
{
  int64_t count = 0;
  if (!lhsa_body_to_integer(L, value, &count) || count < 1)
    return lhsa_body_invalid(L, value, field->words, hsa_body_keys[field->key]);
  return lhsa_body_appended(L, hsa_json_write_integer(&body->json, count), hsa_body_keys[field->key]);
}

static int write_value(lua_State *L, lhsa_body *body, int value, int type, const hsa_body_field *field,
                       const lhsa_body_entry *entry)
{
  const char *name = hsa_body_keys[field->key];
  switch (field->kind) {
  case HSA_BODY_RECORD_ID:
  case HSA_BODY_OWN_ID:
    return write_record(L, body, value, type, field);
  case HSA_BODY_TYPE_LIST:
    return lhsa_body_write_types(L, body, value, type);
  case HSA_BODY_CURSOR:
    return write_cursor(L, body, value, field);
  case HSA_BODY_NOTHING:
    return type == LUA_TNIL || lhsa_body_invalid(L, value, field->words, name);
  case HSA_BODY_CATEGORY:
    return lhsa_body_write_category(L, body, value, name);
  case HSA_BODY_TYPE_ID:
    return lhsa_body_write_type_id(L, body, value, name, lhsa_body_part(body, entry, HSA_BODY_FIRST_ID));
  case HSA_BODY_COUNT:
    return write_count(L, body, value, field);
  }
  return 0;
}

/* Pushes the value of a field, and returns its type; LUA_TNONE if the field is to be left out. */
static inline int push_value(lua_State *L, const lhsa_body *body, int input, const hsa_body_field *field)
{
  if (field->kind == HSA_BODY_OWN_ID) {
    lua_pushvalue(L, input);
    return lua_type(L, input);
  }
  if (!field->is_optional)
    return lhsa_body_get(L, body, input, field->key);
  if (!lua_istable(L, input))
    return LUA_TNONE;
  int type = lhsa_body_get(L, body, input, field->key);
  return type == LUA_TNIL ? LUA_TNONE : type;
}

/* Whether the input, which has no types, has a field `type`. */
static int is_misnamed(lua_State *L, const lhsa_body *body, int input)
{
  int type = lhsa_body_get(L, body, input, HSA_BODY_KEY_TYPE);
  lua_pop(L, 1);
  return type != LUA_TNIL;
}

/* Writes one field of the input and records where its value stands. Leaves values on the stack. */
static inline int write_field(lua_State *L, lhsa_body *body, int input, const hsa_body_field *field,
                              lhsa_body_entry *entry)
{
  hsa_buffer *json = &body->json;
  int type = push_value(L, body, input, field);
  if (type == LUA_TNONE)
    return 1;
  if (!append_fixed(L, json, &field->before, hsa_body_keys[field->key]))
    return 0;
  size_t start = json->length;
  if (type == LUA_TNIL && field->kind == HSA_BODY_TYPE_LIST && is_misnamed(L, body, input)) {
    lua_pushliteral(L, "expected the types in a field `types`, found a field `type`");
    return lhsa_body_push_error(L, "invalid_input", hsa_body_keys[field->key]);
  }
  if (!write_value(L, body, lua_gettop(L), type, field, entry))
    return 0;
  size_t quote = json->length > start && json->data[start] == '"';
  entry->part[field->part] = span(start + quote, json->length - quote);
  return 1;
}

static int add_grouped(lua_State *L, lhsa_body *body, lhsa_body_entry *entry)
{
  uint32_t *slot = lhsa_body_find_group(L, body, entry);
  if (*slot == 0 && body->group_count >= body->most_groups)
    return lhsa_body_too_many(L, body->most_groups, "different ids",
                              hsa_body_keys[body->shape->fields[0].key]);
  entry->group = *slot == 0 ? entry->first : *slot - 1;
  lhsa_body_check_memory(L, hsa_buffer_append(&body->entries, entry, sizeof *entry));
  body->group_count += *slot == 0;
  *slot = entry->group + 1;
  return 1;
}

static inline int add_entry(lua_State *L, lhsa_body *body, lhsa_body_entry *entry)
{
  if (body->shape->is_grouped)
    return add_grouped(L, body, entry);
  lhsa_body_check_memory(L, hsa_buffer_append(&body->entries, entry, sizeof *entry));
  return 1;
}

int lhsa_body_write(lua_State *L, lhsa_body *body, int input)
{
  const hsa_body_shape *shape = body->shape;
  hsa_buffer *json = &body->json;
  lhsa_body_entry entry = {.first = (uint32_t)lhsa_body_count(body)};
  lhsa_body_check_changeable(L, body);
  if (!lua_istable(L, input) && !shape->takes_bare_id)
    return lhsa_body_invalid(L, input, shape->expected, "input");
  if (entry.first >= body->most_inputs)
    return lhsa_body_too_many(L, body->most_inputs, "inputs", "input");
  json->length = body->committed;
  if (entry.first > 0 && !LHSA_BODY_APPEND(L, json, ",", "input"))
    return 0;
  size_t start = json->length;
  for (int i = 0; i < shape->field_count; i++)
    if (!write_field(L, body, input, &shape->fields[i], &entry))
      return 0;
  if (!append_fixed(L, json, &shape->end, "input"))
    return 0;
  if (json->limit - json->length < sizeof "]}" - 1) /* the body's end */
    return lhsa_body_too_large(L, "input");
  entry.input = span(start, json->length);
  if (!add_entry(L, body, &entry))
    return 0;
  body->committed = json->length;
  return 1;
}

static int has_field(lua_State *L, int index, const char *name)
{
  lua_pushstring(L, name);
  lua_rawget(L, index);
  int is_there = !lua_isnil(L, -1);
  lua_pop(L, 1);
  return is_there;
}

int lhsa_body_invalid_list(lua_State *L, int index)
{
  if (!lhsa_body_push_list_flaw(L, index, (size_t)lua_rawlen(L, index)))
    return 0;
  if (has_field(L, index, "from") || has_field(L, index, "to") || has_field(L, index, "id"))
    lua_pushfstring(L, "%s: is it one input? Put it into a list, { { … } }", lua_tostring(L, -1));
  lhsa_body_invalid_found(L, "a list of inputs", "inputs");
  return 1;
}

void lhsa_body_push_writer(lua_State *L, lua_CFunction function)
{
  for (int i = 0; i < HSA_BODY_KEYS; i++)
    lua_pushstring(L, hsa_body_keys[i]);
  lua_pushvalue(L, -HSA_BODY_KEYS - 1);
  lua_pushcclosure(L, function, HSA_BODY_KEYS + 1);
  lua_replace(L, -2);
}
