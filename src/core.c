/* hubspot.associations.core: only the module's table of functions. */
#include "core.h"

#include "http.h"

HSA_EXPORT int luaopen_hubspot_associations_core(lua_State *L);

int luaopen_hubspot_associations_core(lua_State *L)
{
  const char *libcurl = hsa_http_libcurl();
  if (libcurl == NULL)
    return luaL_error(L, "libcurl could not be initialized");
  lua_newtable(L);
  lhsa_set_string(L, "VERSION", HSA_VERSION);
  lhsa_set_string(L, "LIBCURL_VERSION", libcurl);
  lhsa_open_transport(L);
  lhsa_open_body(L);
  lhsa_open_body_pairs(L);
  lhsa_open_decode(L);
  lhsa_open_system(L);
  lhsa_open_file(L);
  lhsa_open_signal(L);
  return 1;
}
