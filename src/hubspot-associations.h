/* For C programs that link the C core of hubspot-associations, which is a Lua module. docs/hosts.md has an example. */
#ifndef HUBSPOT_ASSOCIATIONS_H
#define HUBSPOT_ASSOCIATIONS_H

#ifdef __cplusplus
extern "C" {
#endif

#include <lua.h>

/* The name by which the module's Lua files require the core. */
#define HUBSPOT_ASSOCIATIONS_CORE "hubspot.associations.core"

/* Opens the core, as `require` does: to be put into package.preload under that name. The version of Lua is the one
 * that the library was built for. */
int luaopen_hubspot_associations_core(lua_State *L);

#ifdef __cplusplus
}
#endif

#endif
