/* Tells whether a response confirms all inputs of a body, without decoding it.
 * Most responses do, and say it plainly; then no table need be built. body->result says where a result
 * has its ids. */
#include "body.h"

#include "bytes.h"
#include "json_read.h"

#include <string.h>

/* How many levels may be nested within each of these, so that the same texts are accepted as by
 * core.decode. */
enum {
  RESPONSE_DEPTH = HSA_JSON_MAX_DEPTH - 1,
  LIST_DEPTH = RESPONSE_DEPTH - 1,
  RESULT_DEPTH = LIST_DEPTH - 1,
  NESTED_DEPTH = RESULT_DEPTH - 1
};

/* The ids by which a result names an input. `second` is empty if the shape has one. */
typedef struct lhsa_ids {
  hsa_text first, second;
} lhsa_ids;

static const hsa_text NO_ID = {"", 0};

static lhsa_ids ids_of(const lhsa_body *body, const lhsa_body_entry *entry)
{
  return (lhsa_ids){lhsa_body_part(body, entry, HSA_BODY_FIRST_ID),
                    body->shape->id_count > 1 ? lhsa_body_part(body, entry, HSA_BODY_SECOND_ID) : NO_ID};
}

static int same_ids(lhsa_ids one, lhsa_ids other)
{
  return hsa_text_same(one.first, other.first) && hsa_text_same(one.second, other.second);
}

/* A hash table of the entries by their ids, with open addressing. Entries are numbered from 1; 0 is a free
 * slot. */
typedef struct lhsa_index {
  const lhsa_body *body;
  uint32_t *slots;
  size_t mask;
} lhsa_index;

/* Initializes an empty index, whose memory it pushes. */
static void push_index(lua_State *L, lhsa_index *index, const lhsa_body *body)
{
  size_t slots = 16;
  while (slots < lhsa_body_count(body) * 2)
    slots *= 2;
  *index = (lhsa_index){.body = body, .mask = slots - 1};
  index->slots = lua_newuserdata(L, slots * sizeof *index->slots);
  memset(index->slots, 0, slots * sizeof *index->slots);
}

/* The slot of the entry with these ids, or the free slot for it. */
static uint32_t *find(const lhsa_index *index, lhsa_ids ids)
{
  uint64_t hash = hsa_text_hash_pair(ids.first, ids.second);
  for (size_t slot = (size_t)hash & index->mask;; slot = (slot + 1) & index->mask) {
    uint32_t number = index->slots[slot];
    if (number == 0 || same_ids(ids_of(index->body, &lhsa_body_entries(index->body)[number - 1]), ids))
      return &index->slots[slot];
  }
}

/* ---- confirmation ---- */

/* What the last result was, beside its two ids, which were strings: most likely, the next one is the same, with the ids
 * of the next entry. Then it need not be read, but is compared as blocks of bytes: that is a quarter of the work. */
typedef struct lhsa_known_result {
  hsa_text lead, middle, tail; /* behind its {, between its ids, and up to its }; empty if nothing is known */
  int values;                  /* in it */
} lhsa_known_result;

/* The state of reading a response. An error, an escape in a key, a status other than COMPLETE: anything
 * that is not plain ends the reading, and the response is left to core.decode and job/matching.lua. */
typedef struct lhsa_response {
  hsa_json_reader reader;
  lhsa_index index;
  int indexed; /* the index is filled: it is needed once results do not come in the order of the inputs */
  unsigned char *seen;                         /* for each entry: it has a result */
  size_t next;                                 /* the entry that the next result is expected to have */
  int complete, listed, has_errors, has_count; /* fields that were read; none may come twice */
  hsa_text ids[LHSA_BODY_IDS]; /* of the result that is being read; NULL until they are found */
  int met[LHSA_BODY_IDS];      /* the first key of the id's path was read */
  uint32_t lengths; /* bit n: a path's first key has n bytes. Most keys of a result have another length. */
  int nested;       /* the number of the id that the object being read holds */
  lhsa_known_result known;
} lhsa_response;

/* Reads the rest of a field's value, of which `token` is the first. Returns 0 to end the reading. */
typedef int field_reader(lhsa_response *response, hsa_text key, hsa_json_token token);

static int is(hsa_text text, const char *name)
{
  return text.length == strlen(name) && memcmp(text.bytes, name, text.length) == 0;
}

/* Reads the rest of an object whose { was read. */
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

static int read_id(lhsa_response *response, int number, hsa_json_token token)
{
  const hsa_json_reader *reader = &response->reader;
  if (response->ids[number].bytes != NULL)
    return 0; /* which of two is meant would be a guess */
  response->ids[number] = (hsa_text){reader->text, reader->length};
  return (token == HSA_JSON_STRING && !reader->has_escapes)
         || (token == HSA_JSON_NUMBER && reader->is_integer);
}

static int is_name(hsa_text key, const lhsa_body_name *name)
{
  return key.length == name->length && memcmp(key.bytes, name->bytes, name->length) == 0;
}

/* A field of an object within a result that holds an id. */
static int read_nested_field(lhsa_response *response, hsa_text key, hsa_json_token token)
{
  if (is_name(key, &response->index.body->result[response->nested].keys[1]))
    return read_id(response, response->nested, token);
  return hsa_json_skip_begun(&response->reader, token, NESTED_DEPTH);
}

/* The value under the first key of an id's path: the id, or the object that holds it. */
static int read_named(lhsa_response *response, int number, hsa_json_token token)
{
  if (response->met[number]++)
    return 0;
  if (response->index.body->result[number].keys[1].length == 0)
    return read_id(response, number, token);
  response->nested = number;
  return token == HSA_JSON_OBJECT && read_object(response, read_nested_field, NESTED_DEPTH);
}

static int read_result_field(lhsa_response *response, hsa_text key, hsa_json_token token)
{
  const lhsa_body *body = response->index.body;
  if (key.length <= LHSA_BODY_LONGEST_KEY && (response->lengths >> key.length & 1) != 0)
    for (int number = 0; number < body->shape->id_count; number++)
      if (is_name(key, &body->result[number].keys[0]))
        return read_named(response, number, token);
  return hsa_json_skip_begun(&response->reader, token, RESULT_DEPTH);
}

static void fill_index(lhsa_response *response)
{
  const lhsa_body *body = response->index.body;
  for (size_t i = 0; i < lhsa_body_count(body); i++) {
    uint32_t *slot = find(&response->index, ids_of(body, &lhsa_body_entries(body)[i]));
    if (*slot == 0)
      *slot = (uint32_t)i + 1;
  }
  response->indexed = 1;
}

/* Moves on to the entry that the next result is expected to have. Returns 0 if there is none. */
static int expect(lhsa_response *response)
{
  const lhsa_body *body = response->index.body;
  while (response->next < lhsa_body_count(body)
         && lhsa_body_entries(body)[response->next].first != response->next)
    response->next++; /* it was merged into the first with its ids */
  return response->next < lhsa_body_count(body);
}

/* Marks the entry that has the ids of the result just read: usually the next one. */
static int note_result(lhsa_response *response)
{
  const lhsa_body *body = response->index.body;
  int id_count = body->shape->id_count;
  lhsa_ids ids = {response->ids[0], id_count > 1 ? response->ids[1] : NO_ID};
  if (ids.first.bytes == NULL || ids.second.bytes == NULL)
    return 0;
  int is_expected = expect(response);
  /* Two pages of one record have the same, only id. The index finds the first of them alone, so that two
   * results do not confirm both: nobody could say which is whose. */
  if (id_count == LHSA_BODY_IDS && is_expected
      && same_ids(ids_of(body, &lhsa_body_entries(body)[response->next]), ids)) {
    response->seen[response->next++] = 1;
    return 1;
  }
  if (!response->indexed)
    fill_index(response);
  uint32_t number = *find(&response->index, ids);
  if (number == 0)
    return 0;
  response->seen[number - 1] = 1;
  response->next = number;
  return 1;
}

/* Reads the result whose { was read, and marks its entry. */
static int read_result(lhsa_response *response)
{
  hsa_json_reader *reader = &response->reader;
  const char *begin = reader->next;
  int values = reader->values;
  memset(response->ids, 0, sizeof response->ids);
  memset(response->met, 0, sizeof response->met);
  response->known = (lhsa_known_result){.values = 0};
  if (!read_object(response, read_result_field, RESULT_DEPTH) || !note_result(response))
    return 0;
  hsa_text first = response->ids[0], second = response->ids[1];
  if (response->index.body->shape->id_count == LHSA_BODY_IDS && first.bytes < second.bytes
      && first.bytes[-1] == '"' && second.bytes[-1] == '"') {
    const char *middle = first.bytes + first.length, *tail = second.bytes + second.length;
    response->known = (lhsa_known_result){{begin, (size_t)(first.bytes - begin)},
                                          {middle, (size_t)(second.bytes - middle)},
                                          {tail, (size_t)(reader->next - tail)},
                                          reader->values - values};
  }
  return 1;
}

/* Moves *next over the text if it is there. */
static int take(const char **next, const char *end, hsa_text text)
{
  if ((size_t)(end - *next) < text.length || memcmp(*next, text.bytes, text.length) != 0)
    return 0;
  *next += text.length;
  return 1;
}

/* Reads over the result whose { was read, and marks its entry, if it is what was expected; else it does nothing. */
static int take_known(lhsa_response *response)
{
  hsa_json_reader *reader = &response->reader;
  const lhsa_known_result *known = &response->known;
  const char *next = reader->next, *end = reader->end;
  if (known->lead.length == 0 || !expect(response) || known->values > HSA_JSON_MAX_VALUES - reader->values)
    return 0;
  lhsa_ids ids = ids_of(response->index.body, &lhsa_body_entries(response->index.body)[response->next]);
  if (!take(&next, end, known->lead) || !take(&next, end, ids.first) || !take(&next, end, known->middle)
      || !take(&next, end, ids.second) || !take(&next, end, known->tail))
    return 0;
  reader->next = next;
  reader->values += known->values;
  response->seen[response->next++] = 1;
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
    if (token != HSA_JSON_OBJECT || !hsa_json_begin(reader, token, LIST_DEPTH)
        || !(take_known(response) || read_result(response)))
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

/* body:confirmed_by(text) -> whether the response `text`, a string or bytes, has a result for each input and no error. It
 * is also false for a response that has, but takes decoding to tell. */
int lhsa_body_confirmed_by(lua_State *L)
{
  const lhsa_body *body = lhsa_body_check(L);
  size_t length, count = lhsa_body_count(body);
  unsigned uses = body->uses;
  lhsa_response response = {.indexed = 0};
  push_index(L, &response.index, body);
  response.seen = lua_newuserdata(L, count + 1);
  const char *text = lhsa_bytes_check(L, 2, &length);
  if (body->uses != uses) /* by a finalizer, which may have added inputs; from here on, none runs */
    luaL_error(L, "the body was used while it was compared with a response");
  memset(response.seen, 0, count + 1);
  for (int i = 0; i < body->shape->id_count; i++)
    response.lengths |= UINT32_C(1) << body->result[i].keys[0].length;
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
