/* For clang-tidy only (make lint): Lua's headers do not say that these never return,
 * and without that, every check of an argument looks as if it could be passed over.
 * Includes nothing, so that the sources' feature-test macros still come first. */
typedef struct lua_State lua_State;

__attribute__((noreturn)) int lua_error(lua_State *L);
__attribute__((noreturn)) int luaL_error(lua_State *L, const char *format, ...);
__attribute__((noreturn)) int luaL_argerror(lua_State *L, int argument, const char *message);
