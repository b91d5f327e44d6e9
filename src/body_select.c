/* The request body of some of a body's inputs. Those that share a list are sent as one input, with the entries of all
 * their lists: the types of a pair, because HubSpot replaces a pair's labels by those of the last write, so that one
 * written after the other would be undone; or, in a shape that groups, the ids that go with one id. */
#include "body.h"

#include <string.h>

static const char begin[] = "{\"inputs\":[", end[] = "]}";

/* What is to be written: for each input of the selection the next one that is sent as one with it, and the entries
 * that their list has so far. All memory is Lua's own. */
typedef struct lhsa_selection {
  const lhsa_body *body;
  size_t count;
  uint32_t *chosen;        /* entries, in order; numbers of these are from 1, so that 0 is none */
  uint32_t *next;          /* of chosen: the next one that is sent as one with it, or 0 */
  uint32_t *last;          /* of entries that are the first of those: the last one chosen, or 0 */
  unsigned char *is_first; /* of chosen */
  uint32_t *seen;          /* open addressing: where an entry of the list begins in the body, or 0 */
} lhsa_selection;

static uint32_t *push_numbers(lua_State *L, size_t count)
{
  uint32_t *numbers = lua_newuserdata(L, (count + 1) * sizeof *numbers);
  memset(numbers, 0, (count + 1) * sizeof *numbers);
  return numbers;
}

/* Whether the number-th chosen input is written with others as one that none of them is. Without a list, each of them
 * is that one. */
static int is_merged(const lhsa_selection *selection, size_t number)
{
  return selection->next[number] != 0 && selection->body->shape->list != HSA_BODY_NO_LIST;
}

static hsa_text list_of(const lhsa_selection *selection, size_t number)
{
  return lhsa_body_list(selection->body, &lhsa_body_entries(selection->body)[selection->chosen[number]]);
}

/* How many entries a list has at most: each is an object with none in it. */
static size_t count_entries(hsa_text list)
{
  size_t count = 0;
  for (size_t i = 0; i < list.length; i++)
    count += list.bytes[i] == '{';
  return count;
}

/* The entry that begins at `at`, to its closing brace: one in a string closes nothing. */
static hsa_text entry_at(hsa_text list, size_t at)
{
  int in_string = 0;
  size_t stop = at;
  while (stop < list.length) {
    char c = list.bytes[stop++];
    if (c == '"')
      in_string = !in_string;
    else if (c == '\\' && stop < list.length)
      stop++;
    else if (c == '}' && !in_string)
      break;
  }
  return (hsa_text){list.bytes + at, stop - at};
}

/* Whether the entry is not yet in the table, where it is from now on. */
static int is_new(const lhsa_selection *selection, size_t mask, hsa_text entry)
{
  const char *base = selection->body->json.data;
  for (size_t slot = (size_t)hsa_text_hash(HSA_TEXT_HASH_BASIS, entry.bytes, entry.length) & mask;;
       slot = (slot + 1) & mask) {
    uint32_t at = selection->seen[slot];
    if (at == 0) {
      selection->seen[slot] = (uint32_t)(entry.bytes - base);
      return 1;
    }
    if (hsa_text_same(entry_at((hsa_text){base, selection->body->json.length}, at), entry))
      return 0;
  }
}

/* How many slots the entries of a list need, the first of whose inputs is the number-th chosen. */
static size_t slots_of(const lhsa_selection *selection, size_t number)
{
  size_t entries = 0, slots = 8;
  for (size_t i = number; i != 0; i = selection->next[i])
    entries += count_entries(list_of(selection, i));
  while (slots < entries * 2)
    slots *= 2;
  return slots;
}

static void add_merged(const lhsa_selection *selection, size_t number, luaL_Buffer *json)
{
  const lhsa_body *body = selection->body;
  hsa_text first = lhsa_body_text(body, lhsa_body_entries(body)[selection->chosen[number]].input);
  hsa_text list = list_of(selection, number);
  size_t mask = slots_of(selection, number) - 1;
  const char *rest = list.bytes + list.length;
  int any = 0;
  memset(selection->seen, 0, (mask + 1) * sizeof *selection->seen);
  luaL_addlstring(json, first.bytes, (size_t)(list.bytes - first.bytes));
  for (size_t i = number; i != 0; i = selection->next[i]) {
    list = list_of(selection, i);
    for (size_t at = 0; at < list.length;) {
      hsa_text entry = entry_at(list, at);
      if (is_new(selection, mask, entry)) {
        if (any++)
          luaL_addchar(json, ',');
        luaL_addlstring(json, entry.bytes, entry.length);
      }
      at += entry.length + 1; /* and the comma */
    }
  }
  luaL_addlstring(json, rest, (size_t)(first.bytes + first.length - rest));
}

/* Pushes the memory of a selection of so many inputs. */
static void push_selection(lua_State *L, lhsa_selection *selection, const lhsa_body *body, size_t count)
{
  luaL_checkstack(L, LUA_MINSTACK, "a selection");
  *selection = (lhsa_selection){.body = body, .count = count};
  selection->chosen = push_numbers(L, count);
  selection->next = push_numbers(L, count);
  selection->last = push_numbers(L, lhsa_body_count(body));
  selection->is_first = lua_newuserdata(L, count + 1);
}

/* Makes the entry the number-th chosen. */
static void choose(lhsa_selection *selection, size_t number, const lhsa_body_entry *entry)
{
  uint32_t *last = &selection->last[lhsa_body_leader(selection->body, entry)];
  selection->chosen[number] = (uint32_t)(entry - lhsa_body_entries(selection->body));
  selection->is_first[number] = *last == 0;
  if (*last != 0)
    selection->next[*last] = (uint32_t)number;
  *last = (uint32_t)number;
}

/* Pushes the request body of what was chosen. */
static void push_json(lua_State *L, lhsa_selection *selection)
{
  const lhsa_body *body = selection->body;
  size_t slots = 0, written = 0;
  luaL_Buffer json;
  for (size_t i = 1; i <= selection->count; i++) {
    size_t needed = selection->is_first[i] && is_merged(selection, i) ? slots_of(selection, i) : 0;
    slots = needed > slots ? needed : slots;
  }
  selection->seen = push_numbers(L, slots);
  luaL_buffinit(L, &json);
  luaL_addlstring(&json, begin, sizeof begin - 1);
  for (size_t i = 1; i <= selection->count; i++) {
    hsa_text input = lhsa_body_text(body, lhsa_body_entries(body)[selection->chosen[i]].input);
    if (!selection->is_first[i])
      continue;
    if (written++ > 0)
      luaL_addchar(&json, ',');
    if (is_merged(selection, i))
      add_merged(selection, i, &json);
    else
      luaL_addlstring(&json, input.bytes, input.length);
  }
  luaL_addlstring(&json, end, sizeof end - 1);
  luaL_pushresult(&json);
}

/* body:select(positions) -> a request body of the inputs at these positions only, as a string: those that are sent as
 * one where the first of them is in the list */
int lhsa_body_select(lua_State *L)
{
  const lhsa_body *body = lhsa_body_check(L);
  lhsa_selection selection;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  push_selection(L, &selection, body, (size_t)lua_rawlen(L, 2));
  for (size_t i = 1; i <= selection.count; i++) {
    lua_rawgeti(L, 2, (int)i);
    choose(&selection, i, lhsa_body_entry_at(L, body, -1));
    lua_pop(L, 1);
  }
  push_json(L, &selection);
  return 1;
}

void lhsa_body_push_merged(lua_State *L, const lhsa_body *body)
{
  lhsa_selection selection;
  push_selection(L, &selection, body, lhsa_body_count(body));
  for (size_t i = 1; i <= selection.count; i++)
    choose(&selection, i, &lhsa_body_entries(body)[i - 1]);
  push_json(L, &selection);
}
