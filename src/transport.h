#ifndef HSA_TRANSPORT_H
#define HSA_TRANSPORT_H

#include "compat.h"
#include "http.h"

/* What the two files of core.transport share: transport.c and transport_stream.c. */

/* The transport at index 1; NULL once it is closed. */
hsa_http *lhsa_check_http(lua_State *L);

/* A positive number of seconds in milliseconds: rounded up, and a week at most. */
long lhsa_milliseconds(lua_Number seconds);

/* transport:connect, and the class of what it returns. */
int lhsa_transport_connect(lua_State *L);
void lhsa_open_stream(lua_State *L);

#endif
