/* Which inputs of a body a response is about, where the ids of both can be compared as bytes.
 * A response names an input by its pair of ids only; these functions know when that is enough. */
#include "body.h"

#include "json_read.h"

#include <string.h>

/* How deep a value may go on: of the response's fields, in the list of results, and of a result's fields. */
enum {
  RESPONSE_DEPTH = HSA_JSON_MAX_DEPTH - 1,
  LIST_DEPTH = RESPONSE_DEPTH - 1,
  RESULT_DEPTH = LIST_DEPTH - 1
};

/* The entries of a body, found by their pair of ids: open addressing, entry numbers from 1, 0 for free. */
typedef struct lhsa_pairs {
  const lhsa_body *body;
  uint32_t *slots;
  size_t mask;
} lhsa_pairs;

/* Pushes the memory that an empty `pairs` lives in. */
static void push_pairs(lua_State *L, lhsa_pairs *pairs, const lhsa_body *body)
{
  size_t slots = 16;
  while (slots < lhsa_body_count(body) * 2)
    slots *= 2;
  *pairs = (lhsa_pairs){.body = body, .mask = slots - 1};
  pairs->slots = lua_newuserdata(L, slots * sizeof *pairs->slots);
  memset(pairs->slots, 0, slots * sizeof *pairs->slots);
}

/* The slot of the pair: that of the entry that has it, or the free one where it belongs. */
static uint32_t *find(const lhsa_pairs *pairs, hsa_text from, hsa_text to)
{
  uint64_t hash = hsa_text_hash_pair(from, to);
  for (size_t slot = (size_t)hash & pairs->mask;; slot = (slot + 1) & pairs->mask) {
    uint32_t number = pairs->slots[slot];
    if (number == 0)
      return &pairs->slots[slot];
    const lhsa_body_entry *entry = &lhsa_body_entries(pairs->body)[number - 1];
    if (hsa_text_same(lhsa_body_text(pairs->body, entry->from), from)
        && hsa_text_same(lhsa_body_text(pairs->body, entry->to), to))
      return &pairs->slots[slot];
  }
}

/* ---- confirmation ---- */

/* What has been read of a response. Whatever is not plain (an error, an escape, a status other than COMPLETE)
 * ends the reading: the response is then for core.decode and matching.lua, which know all of it. */
typedef struct lhsa_response {
  hsa_json_reader reader;
  lhsa_pairs pairs;
  int indexed;         /* pairs is filled: once a result is not about the input it is expected to be about */
  unsigned char *seen; /* entries that a result was about */
  size_t next;         /* the entry that the next result is expected to be about */
  int complete, listed, has_errors, has_count; /* the fields that were there: each may be only once */
  hsa_text from, to;                           /* of the result that is being read */
} lhsa_response;

/* Reads the rest of the value that `token` began, of the field `key`; 0 ends the reading. */
typedef int field_reader(lhsa_response *response, hsa_text key, hsa_json_token token);

static int is(hsa_text text, const char *name)
{
  return text.length == strlen(name) && memcmp(text.bytes, name, text.length) == 0;
}

/* Reads the rest of the object whose { was read, and whose values may go so deep. */
static int read_object(lhsa_response *response, field_reader *read_field, int depth)
{
  hsa_json_reader *reader = &response->reader;
  hsa_json_token token = hsa_json_next(reader);
  if (token == HSA_JSON_OBJECT_END)
    return 1;
  for (;;) {
    hsa_text key = {reader->text, reader->length};
    if (token != HSA_JSON_STRING || reader->has_escapes || hsa_json_next(reader) != HSA_JSON_COLON)
      return 0;
    token = hsa_json_next(reader);
    if (!hsa_json_begin(reader, token, depth) || !read_field(response, key, token))
      return 0;
    token = hsa_json_next(reader);
    if (token != HSA_JSON_COMMA)
      return token == HSA_JSON_OBJECT_END;
    token = hsa_json_next(reader);
  }
}

static int read_id(hsa_json_reader *reader, hsa_json_token token, hsa_text *id)
{
  if (id->bytes != NULL)
    return 0; /* one of two would be a guess */
  *id = (hsa_text){reader->text, reader->length};
  return (token == HSA_JSON_STRING && !reader->has_escapes)
         || (token == HSA_JSON_NUMBER && reader->is_integer);
}

static int read_result_field(lhsa_response *response, hsa_text key, hsa_json_token token)
{
  if (is(key, "fromObjectId"))
    return read_id(&response->reader, token, &response->from);
  if (is(key, "toObjectId"))
    return read_id(&response->reader, token, &response->to);
  return hsa_json_skip_begun(&response->reader, token, RESULT_DEPTH);
}

static void index_pairs(lhsa_response *response)
{
  const lhsa_body *body = response->pairs.body;
  const lhsa_body_entry *entries = lhsa_body_entries(body);
  for (size_t i = 0; i < lhsa_body_count(body); i++) {
    uint32_t *slot =
      find(&response->pairs, lhsa_body_text(body, entries[i].from), lhsa_body_text(body, entries[i].to));
    if (*slot == 0)
      *slot = (uint32_t)i + 1;
  }
  response->indexed = 1;
}

/* Notes the entry that the result just read is about: the next one, as a rule. */
static int note_result(lhsa_response *response)
{
  const lhsa_body *body = response->pairs.body;
  if (response->from.bytes == NULL || response->to.bytes == NULL)
    return 0;
  while (response->next < lhsa_body_count(body)
         && lhsa_body_entries(body)[response->next].first != response->next)
    response->next++; /* merged into the first of its pair */
  if (response->next < lhsa_body_count(body)) {
    const lhsa_body_entry *entry = &lhsa_body_entries(body)[response->next];
    if (hsa_text_same(lhsa_body_text(body, entry->from), response->from)
        && hsa_text_same(lhsa_body_text(body, entry->to), response->to)) {
      response->seen[response->next++] = 1;
      return 1;
    }
  }
  if (!response->indexed)
    index_pairs(response);
  uint32_t number = *find(&response->pairs, response->from, response->to);
  if (number == 0)
    return 0;
  response->seen[number - 1] = 1;
  response->next = number;
  return 1;
}

static int read_results(lhsa_response *response, hsa_json_token token)
{
  hsa_json_reader *reader = &response->reader;
  if (token != HSA_JSON_LIST || response->listed++)
    return 0;
  token = hsa_json_next(reader);
  if (token == HSA_JSON_LIST_END)
    return 1;
  for (;;) {
    response->from = response->to = (hsa_text){NULL, 0};
    if (token != HSA_JSON_OBJECT || !hsa_json_begin(reader, token, LIST_DEPTH)
        || !read_object(response, read_result_field, RESULT_DEPTH) || !note_result(response))
      return 0;
    token = hsa_json_next(reader);
    if (token != HSA_JSON_COMMA)
      return token == HSA_JSON_LIST_END;
    token = hsa_json_next(reader);
  }
}

static int read_response_field(lhsa_response *response, hsa_text key, hsa_json_token token)
{
  hsa_text value = {response->reader.text, response->reader.length};
  if (is(key, "results"))
    return read_results(response, token);
  if (is(key, "status"))
    return !response->complete++ && token == HSA_JSON_STRING && is(value, "COMPLETE");
  if (is(key, "errors"))
    return !response->has_errors++
           && (token == HSA_JSON_NULL
               || (token == HSA_JSON_LIST && hsa_json_next(&response->reader) == HSA_JSON_LIST_END));
  if (is(key, "numErrors"))
    return !response->has_count++ && (token == HSA_JSON_NULL || (token == HSA_JSON_NUMBER && is(value, "0")));
  return hsa_json_skip_begun(&response->reader, token, RESPONSE_DEPTH);
}

/* body:confirmed_by(text) -> true when the response `text` has a result for each pair of ids and tells of no error;
 * false when it does not, or not in so plain a way. Builds no table. */
int lhsa_body_confirmed_by(lua_State *L)
{
  const lhsa_body *body = lhsa_body_check(L);
  size_t length, count = lhsa_body_count(body);
  luaL_checktype(L, 2, LUA_TSTRING);
  const char *text = lua_tolstring(L, 2, &length);
  lhsa_response response = {.indexed = 0};
  push_pairs(L, &response.pairs, body);
  response.seen = lua_newuserdata(L, count + 1);
  memset(response.seen, 0, count + 1);
  hsa_json_init(&response.reader, text, length);
  int confirmed = hsa_json_next(&response.reader) == HSA_JSON_OBJECT
                  && hsa_json_begin(&response.reader, HSA_JSON_OBJECT, HSA_JSON_MAX_DEPTH)
                  && read_object(&response, read_response_field, RESPONSE_DEPTH)
                  && hsa_json_next(&response.reader) == HSA_JSON_END && response.complete && response.listed;
  for (size_t i = 0; confirmed && i < count; i++)
    confirmed = response.seen[lhsa_body_entries(body)[i].first];
  lua_pushboolean(L, confirmed);
  return 1;
}
