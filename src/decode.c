/* core.decode: decodes the JSON of HubSpot's responses, and of a caller's inputs, to Lua tables in one
 * pass. It differs from a general decoder: null is absence, and leaves no hole in a list; whole numbers
 * are integers, where Lua has them; record ids that are numbers become strings with all their digits.
 * The ids of inputs become strings however they are spelled, so that the check of ids sees the 3.8e10 in
 * a file.
 * All memory is Lua's, so that an error may be raised anywhere. */
#include "core.h"

#include "bytes.h"
#include "json_read.h"
#include "secrets.h"
#include "text.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PRESIZED = 16, INPUT_SIDES = 2 };

/* What a table in the making has on the stack: itself, a key, a string, and either the memory of an escaped one or a
 * copy. A table in it checks for room of its own. */
enum { MOST_PUSHED = 4 };

/* What the n-th field of the last object at a depth was: most likely, the next object there has the same key, and often
 * the same value. Then both are compared as blocks of bytes, and their Lua strings are taken from two slots of the
 * stack, where they would be read, made and judged again. It saves more than a quarter of the time of decoding a
 * batch. */
typedef struct lhsa_known {
  hsa_text key;   /* what stands before the value, with separators; empty if nothing is known */
  hsa_text value; /* a string, with its quotes; empty if it was none */
  unsigned bit;   /* outcome_bit of the key */
  int changes;    /* how often the value was another one, in a row */
} lhsa_known;

/* Fewer would miss some of a read's { category, typeId, label }; more cost a short response more than they bring. The
 * first level is the response's only object, the second a list. */
enum { KNOWN_FROM = 2, KNOWN_LEVELS = 5, KNOWN_FIELDS = 6, MOST_CHANGES = 4 };
enum { KNOWN_SLOTS = 2 * KNOWN_LEVELS * KNOWN_FIELDS };

/* `fields` has the number of fields of the last object at each depth: a good guess for the next. */
typedef struct lhsa_decoder {
  hsa_json_reader reader;
  int of_input;                     /* the text is an input, not a response */
  const char *id_keys[INPUT_SIDES]; /* of an input: the keys that hold an id, beside "id" */
  int fields[HSA_JSON_MAX_DEPTH + 1];
  hsa_secrets secrets; /* to be taken out of all strings */
  int slots;           /* the first slot of the stack for known fields; 0 if none is remembered */
  lhsa_known known[KNOWN_LEVELS * KNOWN_FIELDS];
} lhsa_decoder;

/* ---- scalars ---- */

/* Takes the secrets out of the string at the top. */
static void redact(lua_State *L, const hsa_secrets *secrets)
{
  size_t length, begin = 0;
  hsa_secrets_span span;
  const char *bytes = lua_tolstring(L, -1, &length);
  if (!hsa_secrets_find(secrets, bytes, length, 0, &span))
    return;
  luaL_checkstack(L, LUA_MINSTACK, "a response"); /* Lua 5.1's buffers keep parts on the stack */
  luaL_Buffer redacted;                           /* the string below it stays alive */
  luaL_buffinit(L, &redacted);
  do {
    luaL_addlstring(&redacted, bytes + begin, span.begin - begin);
    luaL_addstring(&redacted, "[token]");
    begin = span.end;
  } while (hsa_secrets_find(secrets, bytes, length, begin, &span));
  luaL_addlstring(&redacted, bytes + begin, length - begin);
  luaL_pushresult(&redacted);
  lua_replace(L, -2);
}

static void push_bytes(lua_State *L, const lhsa_decoder *decoder, const char *bytes, size_t length)
{
  lua_pushlstring(L, bytes, length);
  if (decoder->secrets.count > 0)
    redact(L, &decoder->secrets);
}

static void push_string(lua_State *L, const lhsa_decoder *decoder)
{
  const hsa_json_reader *reader = &decoder->reader;
  if (!reader->has_escapes) {
    push_bytes(L, decoder, reader->text, reader->length);
    return;
  }
  char *plain = lua_newuserdata(L, reader->length);
  push_bytes(L, decoder, plain, hsa_json_unescape(plain, reader->text, reader->length));
  lua_replace(L, -2);
}

/* Pushes a whole number of up to 15 digits, as nearly all numbers are: strtoll and strtod take several times as long.
 * Returns 0 if it has more, or is -0, which is a float in some Luas. */
static int push_short_integer(lua_State *L, const hsa_json_reader *reader)
{
  enum { MOST_DIGITS = 15 }; /* any such number is exact as a double */
  const char *p = reader->text, *end = reader->text + reader->length;
  int is_negative = *p == '-';
  long long value = 0;
  p += is_negative;
  if (!reader->is_integer || end - p > MOST_DIGITS || (is_negative && *p == '0'))
    return 0;
  for (; p < end; p++)
    value = value * 10 + (*p - '0');
  value = is_negative ? -value : value;
#if LUA_VERSION_NUM >= 503
  lua_pushinteger(L, value);
#else
  lua_pushnumber(L, (lua_Number)value);
#endif
  return 1;
}

#if LUA_VERSION_NUM >= 503
/* Pushes a whole number. Returns 0 if it does not fit in 64 bits. */
static int push_integer(lua_State *L, const hsa_json_reader *reader)
{
  char digits[24];
  if (!reader->is_integer || reader->length >= sizeof digits)
    return 0;
  memcpy(digits, reader->text, reader->length);
  digits[reader->length] = '\0';
  errno = 0;
  long long value = strtoll(digits, NULL, 10);
  if (errno != 0)
    return 0;
  lua_pushinteger(L, value);
  return 1;
}
#else
static int push_integer(lua_State *L, const hsa_json_reader *reader)
{
  (void)L;
  (void)reader;
  return 0;
}
#endif

static void push_number(lua_State *L, const hsa_json_reader *reader)
{
  char text[HSA_JSON_LONG_NUMBER + MB_LEN_MAX]; /* longer ones are errors */
  if (push_short_integer(L, reader) || push_integer(L, reader))
    return;
  const char *point = memchr(reader->text, '.', reader->length);
  if (point == NULL) {
    memcpy(text, reader->text, reader->length);
    text[reader->length] = '\0';
  } else { /* strtod expects the locale's decimal point, which may have several bytes */
    int before = (int)(point - reader->text), behind = (int)reader->length - before - 1;
    snprintf(text, sizeof text, "%.*s%.*s%.*s", before, reader->text, MB_LEN_MAX, localeconv()->decimal_point,
             behind, point + 1);
  }
  lua_pushnumber(L, (lua_Number)strtod(text, NULL));
}

/* ---- values ---- */

static int push_value(lua_State *L, lhsa_decoder *decoder, hsa_json_token token, int depth);

static int ends_with(const char *key, size_t length, const char *ending)
{
  size_t count = strlen(ending);
  return length >= count && memcmp(key + length - count, ending, count) == 0;
}

static int is_word(const char *key, size_t length, const char *word)
{
  return length == strlen(word) && memcmp(key, word, length) == 0;
}

static int is_input_id(const lhsa_decoder *decoder, const char *key, size_t length)
{
  for (int i = 0; i < INPUT_SIDES; i++)
    if (is_word(key, length, decoder->id_keys[i]))
      return 1;
  return is_word(key, length, "id");
}

/* Whether the number read last, under the key at the top, is a record id. */
static int is_id(lua_State *L, const lhsa_decoder *decoder)
{
  size_t length;
  const char *key = lua_tolstring(L, -1, &length);
  if (decoder->of_input)
    return is_input_id(decoder, key, length);
  return decoder->reader.is_integer && (ends_with(key, length, "ObjectId") || is_word(key, length, "id"));
}

/* Whether the object has a value under the key at the top. */
static int is_known(lua_State *L)
{
  lua_pushvalue(L, -1);
  lua_rawget(L, -3);
  int known = !lua_isnil(L, -1);
  lua_pop(L, 1);
  return known;
}

/* A bit for the key at the top if an input's outcome depends on its value; else 0. */
static unsigned outcome_bit(lua_State *L)
{
  static const char *const KEYS[] = {"fromObjectId", "toObjectId", "from",      "to",    "id",
                                     "results",      "errors",     "numErrors", "status"};
  size_t length;
  const char *key = lua_tolstring(L, -1, &length);
  for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
    if (key[0] == KEYS[i][0] && is_word(key, length, KEYS[i]))
      return 1U << i;
  return 0;
}

/* ---- known fields ---- */

/* Where to remember a field, or NULL. */
static lhsa_known *known_field(lhsa_decoder *decoder, int depth, int field)
{
  int level = HSA_JSON_MAX_DEPTH - depth - KNOWN_FROM;
  int remembers = decoder->slots != 0 && level >= 0 && level < KNOWN_LEVELS && field < KNOWN_FIELDS;
  return remembers ? &decoder->known[level * KNOWN_FIELDS + field] : NULL;
}

/* The slot of a known key. That of its value is the next one. */
static int slot_of(const lhsa_decoder *decoder, const lhsa_known *known)
{
  return decoder->slots + 2 * (int)(known - decoder->known);
}

/* Reads over the text if it is what comes next. Returns 0 if it is not, or empty. */
static inline int take(hsa_json_reader *reader, hsa_text text)
{
  if (text.length == 0 || (size_t)(reader->end - reader->next) < text.length
      || memcmp(reader->next, text.bytes, text.length) != 0)
    return 0;
  reader->next += text.length;
  return 1;
}

/* Copies the string at the top to a slot. */
static void remember(lua_State *L, int slot)
{
  lua_pushvalue(L, -1);
  lua_replace(L, slot);
}

/* ---- objects ---- */

/* Reads the separators before the n-th key. Returns 0 at the end of the object, or with the reader's error set. */
static int begins_field(hsa_json_reader *reader, int field)
{
  hsa_json_token token = hsa_json_next(reader);
  if (token == HSA_JSON_OBJECT_END)
    return 0;
  if (field > 0 && token != HSA_JSON_COMMA)
    return hsa_json_fail(reader, "an object without an end");
  if (field > 0)
    token = hsa_json_next(reader);
  return token == HSA_JSON_STRING || hsa_json_fail(reader, "a key is missing");
}

/* Pushes the n-th key of an object. Returns 0 if there is none, or with the reader's error set. */
static int push_key(lua_State *L, lhsa_decoder *decoder, int field, lhsa_known *known)
{
  hsa_json_reader *reader = &decoder->reader;
  const char *begin = reader->next;
  if (!begins_field(reader, field))
    return 0;
  push_string(L, decoder);
  if (decoder->of_input && is_known(L)) /* which of two values is meant would be a guess */
    return hsa_json_fail(reader, "a key for the second time");
  if (hsa_json_next(reader) != HSA_JSON_COLON)
    return hsa_json_fail(reader, "a colon is missing");
  if (known != NULL) {
    *known = (lhsa_known){.key = {begin, (size_t)(reader->next - begin)}, .bit = outcome_bit(L)};
    remember(L, slot_of(decoder, known));
  }
  return 1;
}

/* Pushes the string just read, which began behind `begin`, as the value of a field. */
static void push_text(lua_State *L, const lhsa_decoder *decoder, lhsa_known *known, const char *begin)
{
  push_string(L, decoder);
  if (known == NULL || known->changes == MOST_CHANGES)
    return;
  known->value = (hsa_text){begin, (size_t)(decoder->reader.next - begin)};
  if (++known->changes == MOST_CHANGES) /* an id, most likely: remembering costs more than it saves */
    known->value.length = 0;
  else
    remember(L, slot_of(decoder, known) + 1);
}

/* Pushes the value of the field whose key is at the top. Returns 0 with the reader's error set if it is wrong. */
static int push_field_value(lua_State *L, lhsa_decoder *decoder, int depth, lhsa_known *known)
{
  hsa_json_reader *reader = &decoder->reader;
  const char *begin = reader->next;
  if (known != NULL && reader->values < HSA_JSON_MAX_VALUES && take(reader, known->value)) {
    known->changes = 0;
    lua_pushvalue(L, slot_of(decoder, known) + 1);
    return hsa_json_begin(reader, HSA_JSON_STRING, depth);
  }
  hsa_json_token token = hsa_json_next(reader);
  if (token == HSA_JSON_STRING) {
    if (!hsa_json_begin(reader, token, depth))
      return 0;
    push_text(L, decoder, known, begin);
    return 1;
  }
  if (token != HSA_JSON_NUMBER || !is_id(L, decoder))
    return push_value(L, decoder, token, depth);
  /* An id of an input may be of any length: the check of ids is for that. */
  if (!decoder->of_input && !hsa_json_begin(reader, token, depth))
    return 0;
  lua_pushlstring(L, reader->text, reader->length);
  return 1;
}

/* Reads the n-th field of the object at the top. `seen` has the bits of the keys before. Returns 0 if there is none,
 * or with the reader's error set. */
static int read_field(lua_State *L, lhsa_decoder *decoder, int field, int depth, unsigned *seen)
{
  lhsa_known *known = known_field(decoder, depth, field);
  if (known != NULL && take(&decoder->reader, known->key))
    lua_pushvalue(L, slot_of(decoder, known));
  else if (!push_key(L, decoder, field, known))
    return 0;
  unsigned bit = known != NULL ? known->bit : decoder->of_input ? 0 : outcome_bit(L);
  if (!push_field_value(L, decoder, depth - 1, known))
    return 0;
  if ((*seen & bit) != 0) { /* neither of two values is believed */
    lua_pop(L, 1);
    lua_pushboolean(L, 0);
  }
  *seen |= bit;
  lua_rawset(L, -3);
  return 1;
}

static int push_object(lua_State *L, lhsa_decoder *decoder, int depth)
{
  int fields = 0;
  unsigned seen = 0;
  luaL_checkstack(L, MOST_PUSHED, "a response");
  lua_createtable(L, 0, decoder->fields[depth]);
  while (read_field(L, decoder, fields, depth, &seen))
    fields++;
  decoder->fields[depth] = fields < MOST_PRESIZED ? fields : MOST_PRESIZED;
  return decoder->reader.error == NULL;
}

static int push_list(lua_State *L, lhsa_decoder *decoder, int depth)
{
  hsa_json_reader *reader = &decoder->reader;
  int kept = 0, first = 1;
  luaL_checkstack(L, MOST_PUSHED, "a response");
  lua_newtable(L);
  hsa_json_token token = hsa_json_next(reader);
  if (token == HSA_JSON_LIST_END)
    return 1;
  do {
    if (!first)
      token = hsa_json_next(reader);
    first = 0;
    if (!push_value(L, decoder, token, depth - 1))
      return 0;
    if (token == HSA_JSON_NULL)
      lua_pop(L, 1);
    else
      lua_rawseti(L, -2, ++kept);
  } while ((token = hsa_json_next(reader)) == HSA_JSON_COMMA);
  return token == HSA_JSON_LIST_END ? 1 : hsa_json_fail(reader, "a list without an end");
}

/* Pushes the value that `token` begins; nil for null. Returns 0 with the reader's error set if it is
 * wrong. */
static int push_value(lua_State *L, lhsa_decoder *decoder, hsa_json_token token, int depth)
{
  hsa_json_reader *reader = &decoder->reader;
  if (!hsa_json_begin(reader, token, depth))
    return 0;
  switch (token) {
  case HSA_JSON_OBJECT:
    return push_object(L, decoder, depth);
  case HSA_JSON_LIST:
    return push_list(L, decoder, depth);
  case HSA_JSON_STRING:
    push_string(L, decoder);
    return 1;
  case HSA_JSON_NUMBER:
    push_number(L, reader);
    return 1;
  case HSA_JSON_TRUE:
  case HSA_JSON_FALSE:
    lua_pushboolean(L, token == HSA_JSON_TRUE);
    return 1;
  case HSA_JSON_NULL:
    lua_pushnil(L);
    return 1;
  default:
    return hsa_json_fail(reader, "a value is missing");
  }
}

/* Decodes the text at 1. Pushes the table, or nil and a message. */
static int decode_text(lua_State *L, lhsa_decoder *decoder)
{
  hsa_json_reader *reader = &decoder->reader;
  size_t length;
  const char *text = lhsa_bytes_begin(L, 1, &length);
  hsa_json_init(reader, text, length);
  /* An input is decoded by itself; and without room for the slots, nothing is remembered. */
  if (!decoder->of_input && lua_checkstack(L, KNOWN_SLOTS + LUA_MINSTACK)) {
    decoder->slots = lua_gettop(L) + 1;
    lua_settop(L, decoder->slots + KNOWN_SLOTS - 1);
  }
  hsa_json_token token = hsa_json_next(reader);
  if (token != HSA_JSON_OBJECT && token != HSA_JSON_LIST && token != HSA_JSON_ERROR)
    hsa_json_fail(reader, "not a JSON object");
  else if (push_value(L, decoder, token, HSA_JSON_MAX_DEPTH) && hsa_json_next(reader) != HSA_JSON_END)
    hsa_json_fail(reader, "more than one JSON value");
  lhsa_bytes_end(L, 1);
  if (reader->error == NULL)
    return 1;
  lua_pushnil(L);
  lua_pushfstring(L, "%s at byte %d", reader->error, (int)(reader->text - text) + 1);
  return 2;
}

/* Checks the secrets behind the text at 1, which stay on the stack. */
static void check_secrets(lua_State *L, hsa_secrets *secrets)
{
  lua_settop(L, 1 + HSA_SECRETS_MOST);
  secrets->count = 0;
  for (int i = 2; i <= 1 + HSA_SECRETS_MOST && !lua_isnil(L, i); i++) {
    hsa_secret *secret = &secrets->list[secrets->count++];
    secret->bytes = luaL_checklstring(L, i, &secret->length);
    luaL_argcheck(L, secret->length > 0, i, "a secret is not empty");
  }
}

/* decode(text [, secret [, secret]]) -> table | nil, message
 * The text, a string or bytes, is a JSON object or list. In its strings, "[token]" replaces each secret, or a long prefix of
 * one: see secrets.c. If an object has two values under a key that outcomes depend on, such as
 * "fromObjectId" or "results", the value is false. */
static int decode(lua_State *L)
{
  lhsa_decoder decoder = {.of_input = 0};
  check_secrets(L, &decoder.secrets);
  return decode_text(L, &decoder);
}

/* redact(text [, secret [, secret]]) -> text: takes secrets out of a text that is not JSON */
static int redact_text(lua_State *L)
{
  hsa_secrets secrets;
  luaL_checktype(L, 1, LUA_TSTRING);
  check_secrets(L, &secrets);
  lua_pushvalue(L, 1); /* the secrets below it stay alive */
  redact(L, &secrets);
  return 1;
}

/* decode_input(text [, from [, to]]) -> table | nil, message
 * The same for an input. A number under "id", and under the keys `from` and `to` ("from" and "to" by
 * default), becomes a string as it is spelled. A key that comes twice in an object is an error. */
static int decode_input(lua_State *L)
{
  lhsa_decoder decoder = {.of_input = 1};
  luaL_checktype(L, 1, LUA_TSTRING);
  lua_settop(L, 1 + INPUT_SIDES);
  decoder.id_keys[0] = luaL_optstring(L, 2, "from"); /* on the stack, they stay alive */
  decoder.id_keys[1] = luaL_optstring(L, 3, "to");
  return decode_text(L, &decoder);
}

void lhsa_open_decode(lua_State *L)
{
  lua_pushcfunction(L, decode);
  lua_setfield(L, -2, "decode");
  lua_pushcfunction(L, redact_text);
  lua_setfield(L, -2, "redact");
  lua_pushcfunction(L, decode_input);
  lua_setfield(L, -2, "decode_input");
}
