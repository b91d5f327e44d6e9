/* A host that forks its Lua state, for fork_spec.lua. It runs a script, to which it gives three functions; the
 * script decides what is done before and after a fork.
 *
 *   fork ARGUMENT... <SCRIPT     ends with lua_close, unless the script calls leave
 *
 *   fork() -> 0 in the child, its process id in the parent
 *   wait(pid) -> its exit code, 128 + n when signal n ended it
 *   leave(how, code)     how: "exit" (without lua_close) or "_exit" (at once) */
#define _POSIX_C_SOURCE 200809L
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hubspot-associations.h"

enum { MOST_SOURCE = 65536 };

static int fork_state(lua_State *L)
{
  fflush(NULL); /* buffered output would be written by both processes */
  pid_t pid = fork();
  if (pid < 0)
    return luaL_error(L, "fork failed");
  lua_pushinteger(L, (lua_Integer)pid);
  return 1;
}

static int wait_for(lua_State *L)
{
  int status;
  if (waitpid((pid_t)luaL_checkinteger(L, 1), &status, 0) < 0)
    return luaL_error(L, "waitpid failed");
  lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return 1;
}

static int leave(lua_State *L)
{
  static const char *const ways[] = {"exit", "_exit", NULL};
  int at_once = luaL_checkoption(L, 1, NULL, ways), code = (int)luaL_checkinteger(L, 2);
  fflush(NULL);
  if (at_once)
    _exit(code);
  exit(code);
}

static int run(lua_State *L)
{
  static char source[MOST_SOURCE];
  char **argument = lua_touserdata(L, 1);
  int count = 0;
  luaL_openlibs(L);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_hubspot_associations_core);
  lua_setfield(L, -2, "hubspot.associations.core");
  lua_register(L, "fork", fork_state);
  lua_register(L, "wait", wait_for);
  lua_register(L, "leave", leave);
  if (luaL_loadbuffer(L, source, fread(source, 1, MOST_SOURCE, stdin), "=script") != 0)
    return lua_error(L);
  for (; *argument != NULL; argument++, count++)
    lua_pushstring(L, *argument);
  lua_call(L, count, 0);
  return 0;
}

int main(int count, char *arguments[])
{
  lua_State *L = count > 0 ? luaL_newstate() : NULL;
  if (L == NULL)
    return 2;
  lua_pushcfunction(L, run);
  lua_pushlightuserdata(L, arguments + 1);
  int failed = lua_pcall(L, 1, 0, 0) != 0;
  if (failed) {
    const char *text = luaL_callmeta(L, -1, "__tostring") ? lua_tostring(L, -1) : lua_tostring(L, -1);
    fprintf(stderr, "%s\n", text == NULL ? "an error without a text" : text);
  }
  lua_close(L);
  return failed;
}
