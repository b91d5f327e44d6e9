/* What Lua's own library lacks: a monotonic clock, waiting for one descriptor, facts about files and terminals, and
 * the environment as a privileged program may read it. */
#define _GNU_SOURCE /* secure_getenv */
#include "core.h"

#include "poller.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* now() -> seconds on the monotonic clock, with their fraction */
static int system_now(lua_State *L)
{
  lua_pushnumber(L, (lua_Number)hsa_poller_now() / 1e9);
  return 1;
}

static int milliseconds(lua_State *L, int index)
{
  if (lua_isnoneornil(L, index))
    return -1;
  lua_Number ms = luaL_checknumber(L, index) * 1000;
  luaL_argcheck(L, ms >= 0, index, "a timeout is not negative");
  if (ms == 0)
    return 0;
  return ms >= (lua_Number)INT_MAX - 1 ? INT_MAX : (int)ms + 1; /* rounded up, so that it is never early */
}

/* poll(fd [, timeout]) -> true when fd is readable, false after `timeout` seconds or a signal
 * With fd nil, it sleeps. Raises when fd is not an open descriptor. */
static int system_poll(lua_State *L)
{
  int sleeping = lua_isnoneornil(L, 1);
  struct pollfd watched = {.fd = sleeping ? -1 : (int)luaL_checkinteger(L, 1), .events = POLLIN};
  luaL_argcheck(L, sleeping || watched.fd >= 0, 1, "not an open descriptor");
  int timeout = milliseconds(L, 2);
  int ready = poll(&watched, sleeping ? 0 : 1, timeout);
  if (ready < 0 && errno != EINTR)
    return luaL_error(L, "poll: %s", strerror(errno));
  if (ready > 0 && (watched.revents & POLLNVAL))
    return luaL_argerror(L, 1, "not an open descriptor");
  lua_pushboolean(L, ready > 0);
  return 1;
}

static const char *type_of(mode_t mode)
{
  return S_ISREG(mode)    ? "file"
         : S_ISDIR(mode)  ? "directory"
         : S_ISFIFO(mode) ? "fifo"
         : S_ISSOCK(mode) ? "socket"
                          : "device";
}

/* stat(path or descriptor) -> { type, mode, size, id } | nil, message type: "file", "directory", "fifo", "socket" or
 * "device"; a link is followed. mode: the permission bits. size: a file's, in bytes. id: a string that two names of one
 * file share. */
static int system_stat(lua_State *L)
{
  struct stat found;
  int result;
  if (lua_type(L, 1) == LUA_TNUMBER) {
    result = fstat((int)luaL_checkinteger(L, 1), &found);
  } else {
    size_t length;
    const char *path = luaL_checklstring(L, 1, &length);
    luaL_argcheck(L, strlen(path) == length, 1, "a path has no NUL in it");
    result = stat(path, &found);
  }
  if (result != 0) {
    const char *reason = strerror(errno);
    lua_pushnil(L);
    lua_pushstring(L, reason);
    return 2;
  }
  char id[64];
  snprintf(id, sizeof id, "%jx:%jx", (uintmax_t)found.st_dev, (uintmax_t)found.st_ino);
  lua_createtable(L, 0, 4);
  lhsa_set_string(L, "type", type_of(found.st_mode));
  lhsa_set_integer(L, "mode", (lua_Integer)(found.st_mode & 07777));
  lhsa_set_number(L, "size", (lua_Number)found.st_size);
  lhsa_set_string(L, "id", id);
  return 1;
}

/* isatty(fd) -> boolean */
static int system_isatty(lua_State *L)
{
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

/* columns(fd) -> the current width of the terminal; nil when fd is not a terminal, or its width is unknown */
static int system_columns(lua_State *L)
{
  struct winsize size;
  if (ioctl((int)luaL_checkinteger(L, 1), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    lua_pushnil(L);
  else
    lua_pushinteger(L, size.ws_col);
  return 1;
}

/* getenv(name [, always]) -> value; nil when it is not set, or empty
 * Unless `always`, also nil in a program that runs with more rights than its caller has (setuid): the caller must not
 * decide what such a program trusts. Like getenv, not safe while another thread changes the environment. */
static int system_getenv(lua_State *L)
{
  const char *name = luaL_checkstring(L, 1);
  int always = lua_toboolean(L, 2);
#ifdef __GLIBC__
  const char *value = always ? getenv(name) : secure_getenv(name);
#else
  int is_own = geteuid() == getuid() && getegid() == getgid();
  const char *value = always || is_own ? getenv(name) : NULL;
#endif
  if (value == NULL || value[0] == '\0')
    lua_pushnil(L);
  else
    lua_pushstring(L, value);
  return 1;
}

/* hold_standard_descriptors() -> whether 0 was closed
 * Opens /dev/null as those of 0, 1 and 2 that are closed, so that no file or connection is opened as one of them and
 * receives what is meant for the terminal. Reading from 0 and writing to 1 and 2 still fail. */
static int hold_standard_descriptors(lua_State *L)
{
  lua_pushboolean(L, fcntl(STDIN_FILENO, F_GETFD) < 0 && errno == EBADF);
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF
        && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
      break; /* without /dev/null, nothing can be done */
  return 1;
}

static const luaL_Reg functions[] = {
  {"now", system_now},
  {"poll", system_poll},
  {"stat", system_stat},
  {"isatty", system_isatty},
  {"columns", system_columns},
  {"getenv", system_getenv},
  {"hold_standard_descriptors", hold_standard_descriptors},
  {NULL, NULL},
};

void lhsa_open_system(lua_State *L)
{
  luaL_setfuncs(L, functions, 0);
}
