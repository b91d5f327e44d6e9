/* core.seen: which texts there were before, for the command's count of duplicates. Keeps 64-bit hashes: two texts
 * with the same one, among a million less likely than 1 in 10 million, count as the same. In two generations of
 * at most so many texts; when the young one is full, it becomes the old one, and the old one is dropped. */
#include "core.h"

#include "text.h"

#include <stdlib.h>

#define SEEN "hubspot.associations.seen"

enum { FIRST_ROOM = 1024, MOST = 1 << 24, YOUNG = 0, OLD = 1 };

/* A hash table with open addressing; a slot of 0 is free. At most half of the slots are in use. */
typedef struct lhsa_seen_table {
  uint64_t *slots;
  size_t room, used; /* room is a power of 2, or 0 */
} lhsa_seen_table;

typedef struct lhsa_seen {
  lhsa_seen_table tables[2];
  size_t most;
} lhsa_seen;

/* The slot that has a hash, or else the free one in which it belongs. */
static size_t slot_of(const lhsa_seen_table *table, uint64_t hash)
{
  size_t slot = (size_t)hash & (table->room - 1);
  while (table->slots[slot] != 0 && table->slots[slot] != hash)
    slot = (slot + 1) & (table->room - 1);
  return slot;
}

static int has(const lhsa_seen_table *table, uint64_t hash)
{
  return table->room > 0 && table->slots[slot_of(table, hash)] == hash;
}

static void reserve_one(lua_State *L, lhsa_seen_table *table)
{
  if ((table->used + 1) * 2 <= table->room)
    return;
  size_t room = table->room == 0 ? FIRST_ROOM : table->room * 2;
  lhsa_seen_table larger = {calloc(room, sizeof(uint64_t)), room, table->used};
  if (larger.slots == NULL)
    luaL_error(L, "not enough memory to count duplicates");
  for (size_t slot = 0; slot < table->room; slot++)
    if (table->slots[slot] != 0)
      larger.slots[slot_of(&larger, table->slots[slot])] = table->slots[slot];
  free(table->slots);
  *table = larger;
}

static void drop(lhsa_seen_table *table)
{
  free(table->slots);
  *table = (lhsa_seen_table){NULL, 0, 0};
}

static lhsa_seen *check_seen(lua_State *L)
{
  return luaL_checkudata(L, 1, SEEN);
}

/* seen:add(text, ...) -> whether these texts, in this order, are among those that it keeps; else it keeps them */
static int seen_add(lua_State *L)
{
  lhsa_seen *seen = check_seen(L);
  uint64_t hash = HSA_TEXT_HASH_BASIS;
  for (int i = 2; i <= lua_gettop(L); i++) {
    hsa_text text;
    text.bytes = luaL_checklstring(L, i, &text.length);
    hash = hsa_text_mix(hash, text);
  }
  hash += hash == 0;
  int is_known = has(&seen->tables[YOUNG], hash) || has(&seen->tables[OLD], hash);
  lua_pushboolean(L, is_known);
  if (is_known)
    return 1;
  lhsa_seen_table *young = &seen->tables[YOUNG];
  reserve_one(L, young);
  young->slots[slot_of(young, hash)] = hash;
  if (++young->used >= seen->most) {
    drop(&seen->tables[OLD]);
    seen->tables[OLD] = *young;
    *young = (lhsa_seen_table){NULL, 0, 0};
  }
  return 1;
}

static int seen_free(lua_State *L)
{
  lhsa_seen *seen = check_seen(L);
  drop(&seen->tables[YOUNG]);
  drop(&seen->tables[OLD]);
  return 0;
}

/* seen(most) -> an empty set, which keeps at least `most` texts, and at most twice as many */
static int new_seen(lua_State *L)
{
  lua_Number most = luaL_checknumber(L, 1);
  luaL_argcheck(L, most >= 1 && most <= MOST, 1, "out of range");
  lhsa_seen *seen = lhsa_newuserdata(L, sizeof *seen);
  *seen = (lhsa_seen){{{NULL, 0, 0}, {NULL, 0, 0}}, (size_t)most};
  luaL_getmetatable(L, SEEN);
  lua_setmetatable(L, -2);
  return 1;
}

void lhsa_open_seen(lua_State *L)
{
  static const luaL_Reg methods[] = {{"add", seen_add}, {"__gc", seen_free}, {NULL, NULL}};
  lhsa_newclass(L, SEEN, methods);
  lua_pushcfunction(L, new_seen);
  lua_setfield(L, -2, "seen");
}
