#ifndef HSA_BODY_H
#define HSA_BODY_H

#include "compat.h"

#include "body_shape.h"
#include "pool.h"
#include "text.h"

#include <stdint.h>

/* Bytes of a body's JSON. Offsets, not pointers: the buffer moves as it grows. */
typedef struct lhsa_body_span {
  uint32_t start, length;
} lhsa_body_span;

/* An input that was written, and its parts: ids without their quotes, types without the brackets of their
 * list. */
typedef struct lhsa_body_entry {
  lhsa_body_span input, part[HSA_BODY_PARTS];
  uint32_t first; /* the first entry with the same ids, from 0; itself, until pairs:enter has compared them */
  uint32_t group; /* the first entry with the same first id, if the shape groups */
  uint64_t hash;  /* of the ids; pairs:enter notes it */
} lhsa_body_entry;

enum {
  LHSA_BODY_MAX_BYTES = 64 * 1024 * 1024,
  LHSA_BODY_MAX_INPUTS = 100000,
  LHSA_BODY_MAX_TYPE_ID = INT32_MAX,
  LHSA_BODY_PASSED_TYPES = 64,
  LHSA_BODY_IDS = 2, /* a result names an input by one id or two */
  LHSA_BODY_PATH_KEYS = 2,
  LHSA_BODY_LONGEST_KEY = 31,
};

typedef struct lhsa_body_name {
  size_t length; /* 0 if there is no such key */
  char bytes[LHSA_BODY_LONGEST_KEY + 1];
} lhsa_body_name;

/* Where an id stands in a result: under a key, or under the second key of the object under the first. */
typedef struct lhsa_body_path {
  lhsa_body_name keys[LHSA_BODY_PATH_KEYS];
} lhsa_body_path;

typedef struct lhsa_body {
  const hsa_body_shape *shape;
  lhsa_body_path result[LHSA_BODY_IDS];
  hsa_buffer json;    /* {"inputs":[ and the inputs; behind `committed`, part of an input that failed */
  hsa_buffer entries; /* one lhsa_body_entry for each input */
  hsa_buffer groups;  /* hash table of the entries that are the first of their group, if the shape groups */
  uint32_t group_count, most_groups, most_inputs;
  size_t committed; /* bytes of json that will be sent */
  unsigned uses;    /* method calls so far: an input's __index may make one while the input is read */
  int listing;      /* add_list is under way; if it does not end, the body goes back to these: */
  size_t listed_from, entries_from;
  int is_adding; /* add is under way, or raised */
  int is_full;   /* add takes only inputs with the ids of the last one */
  int locks;     /* requests that send from json: until they end, nothing is changed */
  int is_freed;  /* its memory was given back, or will be by the last unlock; nothing is written any more */
  hsa_pool *pool;
  unsigned taken; /* see hsa_pool_tidy */
  int any_id;     /* any string is an id, not only what spells a record id */
  /* What the options say of types is in the anchor: at [1] the function that checks type ids of category
   * HUBSPOT_DEFINED, at [2] the names of types, at [3] what says why a name is unknown. */
  int checks_types, names_types;
  int32_t passed[LHSA_BODY_PASSED_TYPES]; /* ids that the function accepted, at id modulo their number */
} lhsa_body;

static inline size_t lhsa_body_count(const lhsa_body *body)
{
  return body->entries.length / sizeof(lhsa_body_entry);
}

static inline const lhsa_body_entry *lhsa_body_entries(const lhsa_body *body)
{
  return (const void *)body->entries.data; /* as malloc aligned it */
}

static inline hsa_text lhsa_body_text(const lhsa_body *body, lhsa_body_span where)
{
  return (hsa_text){body->json.data + where.start, where.length};
}

static inline hsa_text lhsa_body_part(const lhsa_body *body, const lhsa_body_entry *entry, hsa_body_part part)
{
  return lhsa_body_text(body, entry->part[part]);
}

static inline uint64_t lhsa_body_hash_ids(const lhsa_body *body, const lhsa_body_entry *entry)
{
  return hsa_text_hash_pair(lhsa_body_part(body, entry, HSA_BODY_FIRST_ID),
                            lhsa_body_part(body, entry, HSA_BODY_SECOND_ID));
}

static inline int lhsa_body_has_ids(const lhsa_body *body, const lhsa_body_entry *entry, hsa_text first,
                                    hsa_text second)
{
  return hsa_text_same(lhsa_body_part(body, entry, HSA_BODY_FIRST_ID), first)
         && hsa_text_same(lhsa_body_part(body, entry, HSA_BODY_SECOND_ID), second);
}

/* The entries of an input's list, without brackets; see hsa_body_shape. */
static inline hsa_text lhsa_body_list(const lhsa_body *body, const lhsa_body_entry *entry)
{
  const hsa_body_shape *shape = body->shape;
  hsa_text part = lhsa_body_part(body, entry, (hsa_body_part)shape->list);
  return (hsa_text){part.bytes - shape->list_lead,
                    part.length + (size_t)shape->list_lead + (size_t)shape->list_tail};
}

/* The first of the entries that are merged with this one when they are sent. */
static inline uint32_t lhsa_body_leader(const lhsa_body *body, const lhsa_body_entry *entry)
{
  return body->shape->is_grouped ? entry->group : entry->first;
}

/* body_groups.c: the slot of the entry's group. It holds the number of the group's first entry, from 1; 0
 * if the group is new. Raises if memory runs out. */
uint32_t *lhsa_body_find_group(lua_State *L, lhsa_body *body, const lhsa_body_entry *entry);

/* Rebuilds the table of groups after entries were removed. */
void lhsa_body_regroup(lhsa_body *body);

/* The request body of all inputs as they are. It stays until the body is changed. */
const char *lhsa_body_complete(lua_State *L, lhsa_body *body, size_t *length);

/* Until it is unlocked, a body raises where it is to be changed, and its JSON stays. Unlocking raises nothing. */
void lhsa_body_lock(lhsa_body *body);
void lhsa_body_unlock(lhsa_body *body);

/* Raises if the body is locked, or was freed. */
void lhsa_body_check_changeable(lua_State *L, const lhsa_body *body);

/* body_select.c: pushes the request body of all inputs, merged. */
void lhsa_body_push_merged(lua_State *L, const lhsa_body *body);

/* Raises if the status is HSA_NO_MEMORY, as Lua itself does when memory runs out. */
void lhsa_body_check_memory(lua_State *L, hsa_status status);

/* body_write.c: pops a value, and pushes a function that reads inputs: its upvalues are hsa_body_keys and that value. */
void lhsa_body_push_writer(lua_State *L, lua_CFunction function);

/* Appends the input at `index`, which is at the top. The caller has made room on the stack for LUA_MINSTACK values.
 * Returns 1; or 0 with an error { kind, field, message } pushed and the body as it was. Leaves other values on the
 * stack as well. */
int lhsa_body_write(lua_State *L, lhsa_body *body, int index);

/* is_record_id(value) -> whether it is a string that spells a record id */
int lhsa_body_is_record_id(lua_State *L);

/* is_category(value) -> whether it is a string that spells a category of association types */
int lhsa_body_is_category(lua_State *L);

/* The body at 1, for a function that lhsa_body_push_writer pushed. */
lhsa_body *lhsa_body_check_reader(lua_State *L);

/* Returns 1 with an error pushed if the table at `index` is not a list of inputs. */
int lhsa_body_invalid_list(lua_State *L, int index);

/* Methods of a body: body_match.c, body_select.c, body_memory.c, body_list.c. */
int lhsa_body_add_list(lua_State *L);
int lhsa_body_add_run(lua_State *L);
int lhsa_body_free(lua_State *L);
int lhsa_body_collect(lua_State *L);
int lhsa_body_confirmed_by(lua_State *L);
int lhsa_body_select(lua_State *L);

/* count_keys: body_list.c */
int lhsa_body_count_keys(lua_State *L);

/* The body at `index`. Rolls back a list whose adding was interrupted by an error. */
lhsa_body *lhsa_body_at(lua_State *L, int index);

/* The entry at the position, from 1, that is the number at `index`. Raises if there is none. */
const lhsa_body_entry *lhsa_body_entry_at(lua_State *L, const lhsa_body *body, int index);

/* The same, at 1. */
lhsa_body *lhsa_body_check(lua_State *L);

#endif
