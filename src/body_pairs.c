/* core.pairs: which pairs of ids the open batches of a job have. Two requests in flight must not write the
 * same pair, because the one that arrives last replaces the labels of the other.
 * Pairs of different batches are compared by their hashes alone, since a batch's body may be gone: two
 * pairs with the same hash only wait for one another. */
#include "core.h"

#include "body.h"

#include <stdlib.h>

#define PAIRS "hubspot.associations.pairs"

/* A slot of a hash table with open addressing; free if `batch` is 0. */
typedef struct lhsa_slot {
  uint64_t hash;
  uint32_t batch, entry;
} lhsa_slot;

typedef struct lhsa_pairs {
  lhsa_slot *slots;
  size_t room, used; /* room is a power of 2, or 0 */
} lhsa_pairs;

static size_t next_slot(const lhsa_pairs *pairs, size_t slot)
{
  return (slot + 1) & (pairs->room - 1);
}

static void put(lhsa_pairs *pairs, lhsa_slot taken)
{
  size_t slot = (size_t)taken.hash & (pairs->room - 1);
  while (pairs->slots[slot].batch != 0)
    slot = next_slot(pairs, slot);
  pairs->slots[slot] = taken;
}

/* Makes room for `more` pairs. At most three of four slots are in use: five batches of 2,000 take 256 KiB. */
static void reserve(lua_State *L, lhsa_pairs *pairs, size_t more)
{
  size_t room = pairs->room == 0 ? 64 : pairs->room;
  while (room / 4 * 3 < pairs->used + more)
    room *= 2;
  if (room == pairs->room)
    return;
  lhsa_pairs larger = {calloc(room, sizeof(lhsa_slot)), room, pairs->used};
  if (larger.slots == NULL)
    luaL_error(L, "not enough memory for the pairs of a job");
  for (size_t slot = 0; slot < pairs->room; slot++)
    if (pairs->slots[slot].batch != 0)
      put(&larger, pairs->slots[slot]);
  free(pairs->slots);
  *pairs = larger;
}

/* The table of a job does not fit into the processor's nearest caches, and a pair may be anywhere in it. So what is
 * waited for is not one slot after the other: each is asked for so many pairs before it is looked at, which takes half
 * of the time. */
enum { AHEAD = 8 };

static inline void fetch_slot(const lhsa_pairs *pairs, uint64_t hash)
{
#if defined(__GNUC__)
  __builtin_prefetch(&pairs->slots[(size_t)hash & (pairs->room - 1)], 1);
#else
  (void)pairs;
  (void)hash;
#endif
}

static lhsa_body_entry *mutable_entries(lhsa_body *body)
{
  return (void *)body->entries.data;
}

static int same_pair(const lhsa_body *body, const lhsa_body_entry *one, const lhsa_body_entry *other)
{
  return lhsa_body_has_ids(body, one, lhsa_body_part(body, other, HSA_BODY_FIRST_ID),
                           lhsa_body_part(body, other, HSA_BODY_SECOND_ID));
}

/* Notes the hash of an entry, if there is one of that number, and has its slot fetched. */
static void prepare_entry(const lhsa_pairs *pairs, lhsa_body *body, size_t number)
{
  if (number >= lhsa_body_count(body))
    return;
  lhsa_body_entry *entry = &mutable_entries(body)[number];
  entry->hash = lhsa_body_hash_ids(body, entry);
  fetch_slot(pairs, entry->hash);
}

/* Enters a pair for a batch and sets the entry's `first`. Returns the batch that had the pair before, or
 * 0. */
static uint32_t enter_entry(lhsa_pairs *pairs, lhsa_body *body, uint32_t batch, uint32_t number)
{
  lhsa_body_entry *entries = mutable_entries(body);
  uint64_t hash = entries[number].hash;
  size_t slot = (size_t)hash & (pairs->room - 1);
  for (; pairs->slots[slot].batch != 0; slot = next_slot(pairs, slot)) {
    lhsa_slot *found = &pairs->slots[slot];
    if (found->hash != hash)
      continue;
    uint32_t other = found->batch;
    if (other == batch) {
      if (!same_pair(body, &entries[found->entry], &entries[number]))
        continue; /* another pair with the same hash */
      entries[number].first = found->entry;
      return 0;
    }
    found->batch = batch;
    found->entry = number;
    return other;
  }
  pairs->slots[slot] = (lhsa_slot){hash, batch, number};
  pairs->used++;
  return 0;
}

/* Frees a slot, and moves up the following ones that would not be found behind a free slot. */
static void remove_slot(lhsa_pairs *pairs, size_t hole)
{
  pairs->used--;
  for (size_t slot = next_slot(pairs, hole); pairs->slots[slot].batch != 0; slot = next_slot(pairs, slot)) {
    size_t home = (size_t)pairs->slots[slot].hash & (pairs->room - 1);
    size_t to_hole = (slot - hole) & (pairs->room - 1), to_home = (slot - home) & (pairs->room - 1);
    if (to_home < to_hole)
      continue; /* its hash belongs behind the hole: it is found without crossing it */
    pairs->slots[hole] = pairs->slots[slot];
    hole = slot;
  }
  pairs->slots[hole].batch = 0;
}

static lhsa_pairs *check_pairs(lua_State *L)
{
  return luaL_checkudata(L, 1, PAIRS);
}

static uint32_t check_batch(lua_State *L)
{
  lua_Number batch = luaL_checknumber(L, 3);
  luaL_argcheck(L, batch >= 1 && batch <= UINT32_MAX, 3, "a batch has a number from 1");
  return (uint32_t)batch;
}

/* pairs:enter(body, batch) -> repeats, held
 * repeats: whether two inputs of the body have the same pair; body:first tells which.
 * held: position -> batch, for the inputs whose pair is in another open batch; nil if there are none. */
static int pairs_enter(lua_State *L)
{
  lhsa_pairs *pairs = check_pairs(L);
  lhsa_body *body = lhsa_body_at(L, 2);
  uint32_t batch = check_batch(L);
  size_t count = lhsa_body_count(body);
  int repeats = 0, held = 0;
  lua_settop(L, 3);
  reserve(L, pairs, count);
  for (size_t i = 0; i < AHEAD; i++)
    prepare_entry(pairs, body, i);
  for (size_t i = 0; i < count; i++) {
    prepare_entry(pairs, body, i + AHEAD);
    uint32_t other = enter_entry(pairs, body, batch, (uint32_t)i);
    uint32_t first = lhsa_body_entries(body)[i].first;
    repeats = repeats || first != i;
    if (other != 0 && !held) {
      held = 1;
      lua_newtable(L); /* at 4 */
    }
    if (other != 0)
      lua_pushnumber(L, other);
    else if (first != i && held)
      lua_rawgeti(L, 4, (int)first + 1); /* inputs of one pair wait together */
    else
      continue;
    lua_rawseti(L, 4, (int)i + 1);
  }
  lua_pushboolean(L, repeats);
  if (!held)
    return 1;
  lua_pushvalue(L, 4);
  return 2;
}

/* pairs:leave(body, batch): the batch is complete; other batches may have its pairs */
static int pairs_leave(lua_State *L)
{
  lhsa_pairs *pairs = check_pairs(L);
  const lhsa_body *body = lhsa_body_at(L, 2);
  uint32_t batch = check_batch(L);
  const lhsa_body_entry *entries = lhsa_body_entries(body);
  size_t count = lhsa_body_count(body);
  for (size_t i = 0; i < count && pairs->used > 0; i++) {
    uint64_t hash = entries[i].hash;
    if (i + AHEAD < count)
      fetch_slot(pairs, entries[i + AHEAD].hash);
    size_t slot = (size_t)hash & (pairs->room - 1);
    for (; pairs->slots[slot].batch != 0; slot = next_slot(pairs, slot))
      if (pairs->slots[slot].hash == hash && pairs->slots[slot].batch == batch) {
        remove_slot(pairs, slot);
        break;
      }
  }
  return 0;
}

/* pairs:count() -> the number of pairs */
static int pairs_count(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)check_pairs(L)->used);
  return 1;
}

static int pairs_free(lua_State *L)
{
  lhsa_pairs *pairs = check_pairs(L);
  free(pairs->slots);
  *pairs = (lhsa_pairs){NULL, 0, 0};
  return 0;
}

/* pairs() -> an empty set of pairs */
static int new_pairs(lua_State *L)
{
  lhsa_pairs *pairs = lhsa_newuserdata(L, sizeof *pairs);
  *pairs = (lhsa_pairs){NULL, 0, 0};
  luaL_getmetatable(L, PAIRS);
  lua_setmetatable(L, -2);
  return 1;
}

void lhsa_open_body_pairs(lua_State *L)
{
  static const luaL_Reg methods[] = {
    {"enter", pairs_enter}, {"leave", pairs_leave}, {"count", pairs_count},
    {"__gc", pairs_free},   {NULL, NULL},
  };
  lhsa_newclass(L, PAIRS, methods);
  lua_pushcfunction(L, new_pairs);
  lua_setfield(L, -2, "pairs");
}
