#ifndef HSA_BODY_H
#define HSA_BODY_H

#include "compat.h"

#include "buffer.h"

#include <stdint.h>
#include <string.h>

typedef struct lhsa_span {
  uint32_t start, length;
} lhsa_span;

/* Where an input stands in the body's bytes, and in it the text of its two ids, without their quotes, and of its
 * types, without the brackets around them. */
typedef struct lhsa_entry {
  lhsa_span input, from, to, types;
  uint32_t
    first; /* the first entry with the same pair of ids, from 0: itself until body_pairs.c has looked */
} lhsa_entry;

enum { LHSA_MAX_BODY = 64 * 1024 * 1024, LHSA_MAX_INPUTS = 100000, LHSA_PASSED_TYPES = 64 };

typedef struct lhsa_body {
  hsa_buffer json;    /* {"inputs":[ and the inputs, then perhaps a piece of one that was given up */
  hsa_buffer entries; /* one lhsa_entry for each input */
  size_t committed;   /* bytes of json that count */
  unsigned uses;      /* calls of its methods: an input's proxy may make one while the input is read */
  int listing;        /* a list is being added: all of it, or else back to these */
  size_t listed_from, entries_from;
  int any_id; /* strings are sent as they are: they need not spell a record id */
  int
    checks_types; /* the anchor's [1] is asked about each HUBSPOT_DEFINED type id but those that it passed */
  int32_t passed[LHSA_PASSED_TYPES]; /* the last one in each place, id modulo LHSA_PASSED_TYPES */
} lhsa_body;

static inline size_t lhsa_count(const lhsa_body *body)
{
  return body->entries.length / sizeof(lhsa_entry);
}

static inline const lhsa_entry *lhsa_entries(const lhsa_body *body)
{
  return (const void *)body->entries.data; /* as malloc aligned it */
}

/* A piece of JSON text: what stands between a string's quotes. */
typedef struct lhsa_text {
  const char *bytes;
  size_t length;
} lhsa_text;

static inline lhsa_text lhsa_text_of(const lhsa_body *body, lhsa_span where)
{
  return (lhsa_text){body->json.data + where.start, where.length};
}

static inline int lhsa_same_text(lhsa_text one, lhsa_text other)
{
  return one.length == other.length && memcmp(one.bytes, other.bytes, one.length) == 0;
}

/* Raises for HSA_NO_MEMORY, as Lua itself does. */
void lhsa_check_memory(lua_State *L, hsa_status status);

/* body_write.c: functions that read inputs have the keys as their upvalues. */
void lhsa_push_reader(lua_State *L, lua_CFunction function);

/* Writes the input at `index` behind what is committed, and commits it: 1, with the stack as it was; or 0
 * with a refusal { kind, field, message } pushed, and the body as it was. */
int lhsa_write_input(lua_State *L, lhsa_body *body, int index);

/* is_record_id(value) -> whether it is a string that spells a record id */
int lhsa_is_record_id(lua_State *L);

/* 1, with a refusal pushed, when the table at `index` is no list of inputs. */
int lhsa_refuse_list(lua_State *L, int index);

/* Methods of a body: body_match.c, body_select.c. */
int lhsa_body_confirmed_by(lua_State *L);
int lhsa_body_select(lua_State *L);

/* The body at `index` of the stack, as lhsa_check_body gives it. */
lhsa_body *lhsa_body_at(lua_State *L, int index);

/* The entry of the input whose place, from 1, is the number at `index`. */
lhsa_entry lhsa_entry_at(lua_State *L, const lhsa_body *body, int index);

/* The body at 1, for one use; a list that was given up in the middle is taken back first. */
lhsa_body *lhsa_check_body(lua_State *L);

/* 64-bit FNV-1a. */
#define LHSA_HASH_BASIS UINT64_C(14695981039346656037)
static inline uint64_t lhsa_hash(uint64_t hash, const char *bytes, size_t count)
{
  for (size_t i = 0; i < count; i++)
    hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
  return hash;
}

/* A hash of text, eight bytes at a time: for tables in memory, since it depends on the machine's byte order. */
static inline uint64_t lhsa_mix(uint64_t hash, lhsa_text text)
{
  uint64_t part;
  for (; text.length > 8; text.bytes += 8, text.length -= 8) {
    memcpy(&part, text.bytes, 8);
    hash = (hash ^ part) * UINT64_C(0x9E3779B97F4A7C15);
    hash ^= hash >> 32;
  }
  part = 0;
  memcpy(&part, text.bytes, text.length);
  hash = (hash ^ part ^ ((uint64_t)text.length << 56)) * UINT64_C(0x9E3779B97F4A7C15);
  return hash ^ (hash >> 32);
}

static inline uint64_t lhsa_hash_pair(lhsa_text from, lhsa_text to)
{
  return lhsa_mix(lhsa_mix(LHSA_HASH_BASIS, from), to);
}

#endif
