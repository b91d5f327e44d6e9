#ifndef HSA_BYTES_H
#define HSA_BYTES_H

#include "compat.h"

#include "pool.h"

/* The pool of this Lua state. */
hsa_pool *lhsa_pool(lua_State *L);

/* Pushes bytes, of which there are none yet: their buffer, to be filled or replaced. */
hsa_buffer *lhsa_bytes_push(lua_State *L);

/* The string or the bytes at `index`. Raises if it is neither. They stay alive as long as the value, unless it is
 * freed. */
const char *lhsa_bytes_check(lua_State *L, int index, size_t *length);

/* The same, to be read while Lua may run: until the end is told, they stay even if they are freed. */
const char *lhsa_bytes_begin(lua_State *L, int index, size_t *length);
void lhsa_bytes_end(lua_State *L, int index);

#endif
