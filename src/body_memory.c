/* The memory of a body: it is locked while it is sent from, and goes back to the pool, because Lua's collector does not
 * see its size. */
#include "body.h"

static void give_back(lhsa_body *body)
{
  hsa_pool_give(body->pool, HSA_POOL_JSON, &body->json);
  body->taken = hsa_pool_give(body->pool, HSA_POOL_ENTRIES, &body->entries);
  hsa_buffer_free(&body->groups);
  body->group_count = 0;
  body->committed = 0;
}

void lhsa_body_lock(lhsa_body *body)
{
  body->locks++;
}

void lhsa_body_unlock(lhsa_body *body)
{
  if (--body->locks == 0 && body->is_freed)
    give_back(body);
}

void lhsa_body_check_changeable(lua_State *L, const lhsa_body *body)
{
  if (body->locks > 0 || body->is_freed)
    luaL_error(L, "a body cannot be changed while it is sent, or once it is freed");
}

/* body:free(): removes all inputs and gives the memory back, which Lua's collector does not see; once it is sent, if it
 * is under way. */
int lhsa_body_free(lua_State *L)
{
  lhsa_body *body = lhsa_body_check(L);
  if (!body->is_freed && body->locks == 0)
    give_back(body);
  body->is_freed = 1;
  return 0;
}

int lhsa_body_collect(lua_State *L)
{
  const lhsa_body *body = lhsa_body_check(L);
  lhsa_body_free(L);
  hsa_pool_tidy(body->pool, body->taken);
  return 0;
}
