/* Writes a request body of some of a body's inputs, and merges those that belong together into one input
 * whose list has the entries of all: the types of a pair, because a second write of the pair would
 * replace the labels of the first; or, if the shape groups, the ids that go with one id. */
#include "body.h"

#include <string.h>

static const char begin[] = "{\"inputs\":[", end[] = "]}";

/* The chosen inputs, numbered from 1 so that 0 is none. Those that are merged form a linked list. All
 * memory is Lua's, so that an error leaks none. */
typedef struct lhsa_selection {
  const lhsa_body *body;
  size_t count;
  uint32_t *chosen;        /* number -> entry of the body */
  uint32_t *next;          /* number -> the next number that is merged with it */
  uint32_t *last;          /* entry that others are merged with -> the last number so far */
  unsigned char *is_first; /* number -> whether it is the first that is merged */
  uint32_t *seen; /* hash table with open addressing: offsets of the list entries that were written */
} lhsa_selection;

static uint32_t *push_numbers(lua_State *L, size_t count)
{
  uint32_t *numbers = lua_newuserdata(L, (count + 1) * sizeof *numbers);
  memset(numbers, 0, (count + 1) * sizeof *numbers);
  return numbers;
}

/* Whether the input's list has to be merged with others. In a shape without a list, inputs that belong
 * together are the same: the first of them is written. */
static int is_merged(const lhsa_selection *selection, size_t number)
{
  return selection->next[number] != 0 && selection->body->shape->list != HSA_BODY_NO_LIST;
}

static hsa_text list_of(const lhsa_selection *selection, size_t number)
{
  return lhsa_body_list(selection->body, &lhsa_body_entries(selection->body)[selection->chosen[number]]);
}

/* At least the number of entries of a list: each is an object without objects in it. */
static size_t count_entries(hsa_text list)
{
  size_t count = 0;
  for (size_t i = 0; i < list.length; i++)
    count += list.bytes[i] == '{';
  return count;
}

/* The list entry that begins at `at`. A brace within a string does not end it. */
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

/* Adds the list entry to those seen. Returns whether it is new. */
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

/* How many slots `seen` needs for the merged list that begins with this input. */
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

/* Initializes a selection of `count` inputs, whose memory it pushes. */
static void push_selection(lua_State *L, lhsa_selection *selection, const lhsa_body *body, size_t count)
{
  luaL_checkstack(L, LUA_MINSTACK, "a selection");
  *selection = (lhsa_selection){.body = body, .count = count};
  selection->chosen = push_numbers(L, count);
  selection->next = push_numbers(L, count);
  selection->last = push_numbers(L, lhsa_body_count(body));
  selection->is_first = lua_newuserdata(L, count + 1);
}

/* Chooses an entry, as the number-th. */
static void choose(lhsa_selection *selection, size_t number, const lhsa_body_entry *entry)
{
  uint32_t *last = &selection->last[lhsa_body_leader(selection->body, entry)];
  selection->chosen[number] = (uint32_t)(entry - lhsa_body_entries(selection->body));
  selection->is_first[number] = *last == 0;
  if (*last != 0)
    selection->next[*last] = (uint32_t)number;
  *last = (uint32_t)number;
}

/* Pushes the request body of the chosen inputs. */
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

/* body:select(positions) -> the request body of the inputs at these positions, as a string; those that are
 * merged stand at the first of their positions */
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
