/* The request body of some of a body's inputs. Those with the same pair of ids are sent as one input that has the
 * types of all: HubSpot replaces a pair's labels by those of the last write, so that one written after the other
 * would be undone. */
#include "body.h"

#include <string.h>

static const char begin[] = "{\"inputs\":[", end[] = "]}";

/* What is to be written: for each input of the selection the next one with the same pair, and the types that its
 * pair has so far. All memory is Lua's own. */
typedef struct lhsa_selection {
  const lhsa_body *body;
  size_t count;
  uint32_t *chosen; /* entries, in order */
  uint32_t *next;   /* of chosen: the next one of the same pair, or 0 */
  uint32_t *last;   /* of entries that are first of their pair: the last one chosen, from 1, or 0 */
  uint32_t *types;  /* open addressing: where a type begins in the body, or 0 */
} lhsa_selection;

static uint32_t *push_numbers(lua_State *L, size_t count)
{
  uint32_t *numbers = lua_newuserdata(L, (count + 1) * sizeof *numbers);
  memset(numbers, 0, (count + 1) * sizeof *numbers);
  return numbers;
}

/* Whether the number-th chosen input and those with the same ids are written as one that none of them is. Without a
 * list, each of them is that one. */
static int is_merged(const lhsa_selection *selection, size_t number)
{
  return selection->next[number] != 0 && selection->body->shape->list != HSA_BODY_NO_LIST;
}

static hsa_text list_of(const lhsa_body *body, const lhsa_body_entry *entry)
{
  return lhsa_body_part(body, entry, (hsa_body_part)body->shape->list);
}

static size_t count_types(hsa_text types)
{
  size_t count = 0;
  for (size_t i = 0; i < types.length; i++)
    count += types.bytes[i] == '{';
  return count;
}

/* The type that begins at `at`, to its closing brace: neither a category nor a number has one. */
static hsa_text type_at(hsa_text types, size_t at)
{
  const char *from = types.bytes + at, *brace = memchr(from, '}', types.length - at);
  return (hsa_text){from, brace == NULL ? types.length - at : (size_t)(brace - from) + 1};
}

/* Whether the type is not yet in the table, where it is from now on. */
static int is_new(const lhsa_selection *selection, size_t mask, hsa_text type)
{
  const char *base = selection->body->json.data;
  for (size_t slot = (size_t)hsa_text_hash(HSA_TEXT_HASH_BASIS, type.bytes, type.length) & mask;;
       slot = (slot + 1) & mask) {
    uint32_t at = selection->types[slot];
    if (at == 0) {
      selection->types[slot] = (uint32_t)(type.bytes - base);
      return 1;
    }
    if (hsa_text_same(type_at((hsa_text){base, selection->body->json.length}, at), type))
      return 0;
  }
}

/* How many slots the types of a pair need, the first of whose inputs is the number-th chosen. */
static size_t slots_of(const lhsa_selection *selection, size_t number)
{
  size_t types = 0, slots = 8;
  for (size_t i = number;; i = selection->next[i]) {
    const lhsa_body_entry *entry = &lhsa_body_entries(selection->body)[selection->chosen[i]];
    types += count_types(list_of(selection->body, entry));
    if (selection->next[i] == 0)
      break;
  }
  while (slots < types * 2)
    slots *= 2;
  return slots;
}

static void add_merged(const lhsa_selection *selection, size_t number, luaL_Buffer *json)
{
  const lhsa_body *body = selection->body;
  const lhsa_body_entry *first = &lhsa_body_entries(body)[selection->chosen[number]];
  size_t mask = slots_of(selection, number) - 1;
  int any = 0;
  memset(selection->types, 0, (mask + 1) * sizeof *selection->types);
  luaL_addlstring(json, body->json.data + first->input.start,
                  first->part[body->shape->list].start - first->input.start);
  for (size_t i = number;; i = selection->next[i]) {
    hsa_text types = list_of(body, &lhsa_body_entries(body)[selection->chosen[i]]);
    for (size_t at = 0; at < types.length;) {
      hsa_text type = type_at(types, at);
      if (is_new(selection, mask, type)) {
        if (any++)
          luaL_addchar(json, ',');
        luaL_addlstring(json, type.bytes, type.length);
      }
      at += type.length + 1; /* and the comma */
    }
    if (selection->next[i] == 0)
      break;
  }
  luaL_addlstring(json, "]}", 2);
}

/* Fills the selection from the list of positions at 2. Numbers from 1, so that 0 is none. */
static void choose(lua_State *L, lhsa_selection *selection)
{
  const lhsa_body *body = selection->body;
  for (size_t i = 1; i <= selection->count; i++) {
    lua_rawgeti(L, 2, (int)i);
    uint32_t first = lhsa_body_entry_at(L, body, -1).first;
    selection->chosen[i] = (uint32_t)lua_tointeger(L, -1) - 1;
    lua_pop(L, 1);
    if (selection->last[first] != 0)
      selection->next[selection->last[first]] = (uint32_t)i;
    else
      selection->next[0]++; /* how many pairs there are */
    selection->last[first] = (uint32_t)i;
  }
}

/* body:select(positions) -> a request body of the inputs at these positions only, as a string: one input for
 * each pair of ids, in the order of the first position of each */
int lhsa_body_select(lua_State *L)
{
  lhsa_selection selection = {.body = lhsa_body_check(L)};
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  selection.count = (size_t)lua_rawlen(L, 2);
  selection.chosen = push_numbers(L, selection.count);
  selection.next = push_numbers(L, selection.count);
  selection.last = push_numbers(L, lhsa_body_count(selection.body));
  choose(L, &selection);
  size_t slots = 0, pairs = selection.next[0];
  unsigned char *is_first = lua_newuserdata(L, selection.count + 1);
  memset(is_first, 1, selection.count + 1);
  for (size_t i = 1; i <= selection.count; i++)
    if (selection.next[i] != 0)
      is_first[selection.next[i]] = 0;
  for (size_t i = 1; pairs < selection.count && i <= selection.count; i++) {
    size_t needed = is_first[i] && is_merged(&selection, i) ? slots_of(&selection, i) : 0;
    slots = needed > slots ? needed : slots;
  }
  selection.types = push_numbers(L, slots);
  luaL_Buffer json;
  luaL_buffinit(L, &json);
  luaL_addlstring(&json, begin, sizeof begin - 1);
  for (size_t i = 1, written = 0; i <= selection.count; i++) {
    if (!is_first[i])
      continue;
    if (written++ > 0)
      luaL_addchar(&json, ',');
    hsa_text input =
      lhsa_body_text(selection.body, lhsa_body_entries(selection.body)[selection.chosen[i]].input);
    if (is_merged(&selection, i))
      add_merged(&selection, i, &json);
    else
      luaL_addlstring(&json, input.bytes, input.length);
  }
  luaL_addlstring(&json, end, sizeof end - 1);
  luaL_pushresult(&json);
  return 1;
}
