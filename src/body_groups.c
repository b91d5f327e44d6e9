/* Groups inputs by their first id, for shapes that are sent that way. The groups are counted as inputs are
 * added, since a request has room for so many. */
#include "body.h"

#include <string.h>

/* The slot of the group with this id, or the free slot for it: open addressing, at most half full. */
static uint32_t *find(const lhsa_body *body, hsa_text id)
{
  uint32_t *slots = (void *)body->groups.data;
  size_t mask = body->groups.length / sizeof *slots - 1;
  for (size_t slot = (size_t)hsa_text_mix(HSA_TEXT_HASH_BASIS, id) & mask;; slot = (slot + 1) & mask) {
    uint32_t number = slots[slot];
    if (number == 0)
      return &slots[slot];
    const lhsa_body_entry *first = &lhsa_body_entries(body)[number - 1];
    if (hsa_text_same(lhsa_body_part(body, first, HSA_BODY_FIRST_ID), id))
      return &slots[slot];
  }
}

uint32_t *lhsa_body_find_group(lua_State *L, lhsa_body *body, const lhsa_body_entry *entry)
{
  if (body->groups.length == 0) {
    size_t slots = 16, size;
    while (slots < (size_t)body->most_groups * 2)
      slots *= 2;
    size = slots * sizeof(uint32_t);
    hsa_buffer_init(&body->groups, size);
    lhsa_body_check_memory(L, hsa_buffer_reserve(&body->groups, size));
    memset(body->groups.data, 0, size);
    body->groups.length = size;
  }
  return find(body, lhsa_body_part(body, entry, HSA_BODY_FIRST_ID));
}

void lhsa_body_regroup(lhsa_body *body)
{
  body->group_count = 0;
  if (body->groups.length == 0)
    return;
  memset(body->groups.data, 0, body->groups.length);
  for (size_t i = 0; i < lhsa_body_count(body); i++) {
    const lhsa_body_entry *entry = &lhsa_body_entries(body)[i];
    if (entry->group != i)
      continue;
    *find(body, lhsa_body_part(body, entry, HSA_BODY_FIRST_ID)) = (uint32_t)i + 1;
    body->group_count++;
  }
}
