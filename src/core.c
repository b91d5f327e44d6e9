/* hubspot.associations.core: only the module's table of functions. */
#include "core.h"

#include "http.h"
#include "hubspot-associations.h"

static const char *or_nil(const char *text)
{
  return text[0] == '\0' ? NULL : text;
}

HSA_EXPORT int luaopen_hubspot_associations_core(lua_State *L)
{
  const hsa_libcurl *libcurl = hsa_http_libcurl();
  if (libcurl == NULL)
    return luaL_error(L, "libcurl could not be initialized");
  lua_newtable(L);
  lhsa_set_string(L, "VERSION", HSA_VERSION);
  lhsa_set_string(L, "LIBCURL_VERSION", libcurl->version);
  lhsa_set_string(L, "LIBCURL_TLS", or_nil(libcurl->tls));
  lhsa_set_string(L, "LIBCURL_CA_FILE", or_nil(libcurl->ca_file));
  lhsa_set_string(L, "LIBCURL_CA_PATH", or_nil(libcurl->ca_path));
  lhsa_open_bytes(L);
  lhsa_open_transport(L);
  lhsa_open_body(L);
  lhsa_open_body_pairs(L);
  lhsa_open_decode(L);
  lhsa_open_system(L);
  lhsa_open_file(L);
  lhsa_open_signal(L);
  lhsa_open_notifier(L);
  lhsa_open_seen(L);
  return 1;
}
