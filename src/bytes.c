/* core's bytes: text that came from the network, as a userdata in place of a string. A string would be a second copy of a
 * response, made only to be read once, and would make Lua's collector work as if twice as much had been kept. Its owner
 * frees it when it is read; Lua's collector does not see how large it is.
 * Also the pool of this Lua state, where memory of bodies and responses is kept for those to come. */
#include "core.h"

#include "bytes.h"

#include <string.h>

#define BYTES "hubspot.associations.bytes"
#define POOL "hubspot.associations.pool"

typedef struct lhsa_bytes {
  hsa_buffer buffer;
  hsa_pool *pool;
  unsigned taken; /* see hsa_pool_tidy */
  int is_freed;
  int
    readers; /* while there are any, the memory stays; an error may leave one behind, until the bytes are collected */
} lhsa_bytes;

/* ---- the pool ---- */

hsa_pool *lhsa_pool(lua_State *L)
{
  lua_getfield(L, LUA_REGISTRYINDEX, POOL "+");
  hsa_pool *pool = lua_touserdata(L, -1);
  lua_pop(L, 1); /* it stays in the registry */
  return pool;
}

/* __gc: Lua is closing. What is freed after this is not kept. */
static int pool_collect(lua_State *L)
{
  hsa_pool *pool = luaL_checkudata(L, 1, POOL);
  pool->is_closed = 1;
  hsa_pool_drain(pool);
  return 0;
}

static const luaL_Reg pool_methods[] = {{"__gc", pool_collect}, {NULL, NULL}};

/* There is one, even if the module is loaded again. */
static void open_pool(lua_State *L)
{
  lhsa_newclass(L, POOL, pool_methods);
  if (lhsa_pool(L) != NULL)
    return;
  hsa_pool *pool = lua_newuserdata(L, sizeof *pool);
  memset(pool, 0, sizeof *pool);
  luaL_getmetatable(L, POOL);
  lua_setmetatable(L, -2);
  lua_setfield(L, LUA_REGISTRYINDEX, POOL "+");
}

/* ---- bytes ---- */

hsa_buffer *lhsa_bytes_push(lua_State *L)
{
  hsa_pool *pool = lhsa_pool(L);
  lhsa_bytes *bytes = lua_newuserdata(L, sizeof *bytes);
  *bytes = (lhsa_bytes){.pool = pool};
  luaL_getmetatable(L, BYTES);
  lua_setmetatable(L, -2);
  return &bytes->buffer;
}

const char *lhsa_bytes_check(lua_State *L, int index, size_t *length)
{
  if (lua_type(L, index) != LUA_TUSERDATA)
    luaL_checktype(L, index, LUA_TSTRING);
  if (lua_type(L, index) == LUA_TSTRING)
    return lua_tolstring(L, index, length);
  const lhsa_bytes *bytes = luaL_checkudata(L, index, BYTES);
  *length = bytes->buffer.length;
  return bytes->buffer.length > 0 ? bytes->buffer.data : "";
}

const char *lhsa_bytes_begin(lua_State *L, int index, size_t *length)
{
  const char *text = lhsa_bytes_check(L, index, length);
  if (lua_type(L, index) == LUA_TUSERDATA)
    ((lhsa_bytes *)lua_touserdata(L, index))->readers++;
  return text;
}

static void give_back(lhsa_bytes *bytes)
{
  bytes->taken = hsa_pool_give(bytes->pool, HSA_POOL_RESPONSE, &bytes->buffer);
}

void lhsa_bytes_end(lua_State *L, int index)
{
  lhsa_bytes *bytes = lua_touserdata(L, index);
  if (lua_type(L, index) == LUA_TUSERDATA && --bytes->readers == 0 && bytes->is_freed)
    give_back(bytes);
}

/* #bytes */
static int bytes_length(lua_State *L)
{
  const lhsa_bytes *bytes = luaL_checkudata(L, 1, BYTES);
  lua_pushinteger(L, (lua_Integer)bytes->buffer.length);
  return 1;
}

/* tostring(bytes) -> the same as a string */
static int bytes_string(lua_State *L)
{
  size_t length;
  const char *bytes = lhsa_bytes_begin(L, 1, &length);
  lua_pushlstring(L, bytes, length);
  lhsa_bytes_end(L, 1);
  return 1;
}

/* bytes:free(): gives the memory back. From then on, there are no bytes. While they are read, which takes memory and so
 * may run a finalizer that frees them, they stay. */
static int bytes_free(lua_State *L)
{
  lhsa_bytes *bytes = luaL_checkudata(L, 1, BYTES);
  if (!bytes->is_freed && bytes->readers == 0)
    give_back(bytes);
  bytes->is_freed = 1;
  return 0;
}

static int bytes_collect(lua_State *L)
{
  lhsa_bytes *bytes = luaL_checkudata(L, 1, BYTES);
  if (!bytes->is_freed || bytes->readers > 0) /* nobody reads what is collected */
    give_back(bytes);
  bytes->is_freed = 1;
  hsa_pool_tidy(bytes->pool, bytes->taken);
  return 0;
}

static const luaL_Reg methods[] = {
  {"free", bytes_free}, {"__len", bytes_length}, {"__tostring", bytes_string}, {"__gc", bytes_collect},
  {NULL, NULL},
};

void lhsa_open_bytes(lua_State *L)
{
  open_pool(L);
  lhsa_newclass(L, BYTES, methods);
}
