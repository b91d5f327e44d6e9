#ifndef HSA_CORE_H
#define HSA_CORE_H

#include "compat.h"

/* Each adds its functions to the module table at the top of the stack. */
void lhsa_open_transport(lua_State *L);
void lhsa_open_body(lua_State *L);
void lhsa_open_body_pairs(lua_State *L);
void lhsa_open_decode(lua_State *L);
void lhsa_open_system(lua_State *L);
void lhsa_open_file(lua_State *L);
void lhsa_open_signal(lua_State *L);

#endif
