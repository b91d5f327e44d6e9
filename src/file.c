/* core.file: a regular file for the journal. One process at a time has it open; it is only appended to, and what
 * append wrote is on disk when it returns; it is read in parts. Knows nothing of the journal's format. */
#define _GNU_SOURCE /* flock */
#include "core.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPEND_FILE "hubspot.associations.file"

#define LARGEST_OFFSET 9e15 /* below 2^53: exact as a double */

_Static_assert(sizeof(off_t) >= 8, "build with -D_FILE_OFFSET_BITS=64: a journal may be larger than 2 GiB");

enum { MOST_READ = 128 * 1024 * 1024 };

typedef struct lhsa_file {
  int fd; /* -1 once closed */
  pid_t owner;
  int broken; /* errno of a write that failed halfway and could not be undone: nothing may follow it; or 0 */
} lhsa_file;

/* ---- check ---- */

static lhsa_file *check_file(lua_State *L)
{
  return luaL_checkudata(L, 1, APPEND_FILE);
}

static int check_fd(lua_State *L)
{
  int fd = check_file(L)->fd;
  luaL_argcheck(L, fd >= 0, 1, "the file is closed");
  return fd;
}

static int push_errno(lua_State *L, int reason)
{
  lua_pushnil(L);
  lua_pushstring(L, strerror(reason));
  return 2;
}

/* ---- new ---- */

/* fsyncs the directory as well: only then is a new file's entry durable. */
static int sync_folder(const char *path)
{
  char folder[4096];
  const char *slash = strrchr(path, '/');
  int length = slash == NULL ? 0 : (int)(slash - path);
  int written = slash == path ? snprintf(folder, sizeof folder, "/")
                              : snprintf(folder, sizeof folder, "%.*s", length, path);
  if (slash == NULL)
    written = snprintf(folder, sizeof folder, ".");
  if (written < 0 || (size_t)written >= sizeof folder) {
    errno = ENAMETOOLONG;
    return -1;
  }
  int fd = open(folder, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return errno == EACCES ? 0 : -1; /* a directory that may be written but not read cannot be synced */
  int result = fsync(fd), reason = errno;
  if (result != 0 && (reason == EINVAL || reason == EBADF))
    result = 0; /* this file system does not sync directories */
  close(fd);
  errno = reason;
  return result;
}

/* 0 when the path names a regular file, or nothing yet; otherwise an errno. Checked before opening, because opening a
 * device may have an effect, and opening a FIFO waits for its other end. */
static int check_type(const char *path)
{
  struct stat found;
  if (stat(path, &found) != 0)
    return errno == ENOENT ? 0 : errno; /* open reports what is missing on the way */
  return S_ISREG(found.st_mode) ? 0 : S_ISDIR(found.st_mode) ? EISDIR : ENODEV;
}

/* Opens the file and takes its lock: 0, or an errno. file->fd stays open in both cases. */
static int open_locked(lhsa_file *file, const char *path)
{
  enum { OWN = S_IRUSR | S_IWUSR }; /* a journal holds ids of customers: for its owner only */
  struct stat found;
  int reason = check_type(path);
  if (reason != 0)
    return reason;
  file->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, OWN);
  if (file->fd < 0 || fstat(file->fd, &found) != 0)
    return errno;
  if (!S_ISREG(found.st_mode)) /* replaced after check_type */
    return ENODEV;
  return flock(file->fd, LOCK_EX | LOCK_NB) == 0 && sync_folder(path) == 0 ? 0 : errno;
}

/* file(path) -> file | nil, message [, whether another process has it open]
 * Creates the file, for its owner only, when there is none. Opens regular files only. */
static int open_file(lua_State *L)
{
  size_t length;
  const char *path = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, strlen(path) == length, 1, "a path has no NUL in it");
  lhsa_file *file = lhsa_newuserdata(L, sizeof *file);
  *file = (lhsa_file){.fd = -1, .owner = getpid()};
  luaL_getmetatable(L, APPEND_FILE);
  lua_setmetatable(L, -2);
  int reason = open_locked(file, path);
  if (reason == 0)
    return 1;
  int was_open = file->fd >= 0;
  if (was_open)
    close(file->fd);
  file->fd = -1;
  push_errno(L, reason);
  if (reason == ENODEV) {
    lua_pop(L, 1);
    lua_pushliteral(L, "is no regular file");
  }
  if (!was_open)
    return 2;
  lua_pushboolean(L, reason == EWOULDBLOCK);
  return 3;
}

/* temporary_file(folder) -> path of a new, empty file with a name of its own, for its owner only | nil, message */
static int temporary_file(lua_State *L)
{
  size_t length;
  const char *folder = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, strlen(folder) == length, 1, "a path has no NUL in it");
  char path[4096];
  int written = snprintf(path, sizeof path, "%s/hubspot-associations-XXXXXX", folder);
  if (written < 0 || (size_t)written >= sizeof path)
    return push_errno(L, ENAMETOOLONG);
  int fd = mkstemp(path);
  if (fd < 0)
    return push_errno(L, errno);
  close(fd);
  lua_pushstring(L, path);
  return 1;
}

/* ---- methods ---- */

/* file:read(offset, count) -> the bytes there, fewer than `count` only at the end of the file | nil, message */
static int file_read(lua_State *L)
{
  int fd = check_fd(L);
  lua_Number offset = luaL_checknumber(L, 2), count = luaL_checknumber(L, 3);
  luaL_argcheck(L, offset >= 0 && offset < LARGEST_OFFSET, 2, "not a place in a file");
  luaL_argcheck(L, count >= 0 && count <= MOST_READ, 3, "not a number of bytes to read at once");
  char *bytes =
    lua_newuserdata(L, (size_t)count + 1); /* owned by Lua, because pushing the string may raise */
  size_t length = 0;
  while (length < (size_t)count) {
    ssize_t got = pread(fd, bytes + length, (size_t)count - length, (off_t)offset + (off_t)length);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return push_errno(L, errno);
    if (got == 0)
      break;
    length += (size_t)got;
  }
  lua_pushlstring(L, bytes, length);
  return 1;
}

static int write_all(int fd, const char *bytes, size_t count)
{
  while (count > 0) {
    ssize_t written = write(fd, bytes, count);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return -1;
    bytes += written;
    count -= (size_t)written;
  }
  return 0;
}

/* file:append(text) -> true once it is on disk | nil, message, with the file unchanged */
static int file_append(lua_State *L)
{
  int fd = check_fd(L);
  lhsa_file *file = check_file(L);
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  struct stat before;
  if (file->broken != 0)
    return push_errno(L, file->broken);
  if (file->owner != getpid()) {
    lua_pushnil(L);
    lua_pushliteral(L, "the process forked: the file is the parent's");
    return 2;
  }
  if (fstat(fd, &before) != 0)
    return push_errno(L, errno);
  if (write_all(fd, text, length) != 0 || fsync(fd) != 0) {
    int reason = errno;
    if (ftruncate(fd, before.st_size) != 0)
      file->broken = reason;
    return push_errno(L, reason);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* file:truncate(length) -> true | nil, message
 * Removes what stands behind the first `length` bytes. */
static int file_truncate(lua_State *L)
{
  int fd = check_fd(L);
  lua_Number length = luaL_checknumber(L, 2);
  luaL_argcheck(L, length >= 0 && length < LARGEST_OFFSET, 2, "not a file's length");
  if (check_file(L)->owner != getpid())
    return push_errno(L, EPERM); /* after a fork, the file is the parent's */
  if (ftruncate(fd, (off_t)length) != 0)
    return push_errno(L, errno);
  lua_pushboolean(L, 1);
  return 1;
}

/* file:close(), __gc, __close: closes the file, which releases its lock. */
static int file_close(lua_State *L)
{
  lhsa_file *file = check_file(L);
  int fd = file->fd;
  file->fd = -1;
  if (fd >= 0)
    close(fd);
  return 0;
}

static const luaL_Reg methods[] = {
  {"read", file_read},   {"append", file_append}, {"truncate", file_truncate},
  {"close", file_close}, {"__gc", file_close},    {"__close", file_close},
  {NULL, NULL},
};

static const luaL_Reg functions[] = {{"file", open_file}, {"temporary_file", temporary_file}, {NULL, NULL}};

void lhsa_open_file(lua_State *L)
{
  lhsa_newclass(L, APPEND_FILE, methods);
  luaL_setfuncs(L, functions, 0);
}
