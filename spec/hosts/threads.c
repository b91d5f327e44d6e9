/* Threads with a Lua state each, all of which run one chunk of Lua at the same time; for threads_spec.lua.
 * Owns the threads and counts what they leave behind; what the states do is the chunk's.
 *
 *   threads close|abandon COUNT ROUNDS ARGUMENT...    the chunk comes on standard input
 *
 * Each thread makes a state, calls the chunk with its own number and the arguments, keeps what it returns on
 * the stack, and closes the state or abandons it; so many rounds. Prints what is more than at the start. */
#define _POSIX_C_SOURCE 200809L
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hubspot-associations.h"

enum { MOST_THREADS = 64, MOST_SOURCE = 65536, PATIENCE_MS = 5000 };

typedef struct worker {
  pthread_t thread;
  int number, failed;
  size_t held; /* bytes that Lua has not given back */
} worker;

static struct {
  char source[MOST_SOURCE];
  int abandon, rounds, count;
  char **arguments; /* ended by NULL */
  pthread_barrier_t together;
} work;

static void *allocate(void *user, void *block, size_t before, size_t after)
{
  worker *self = user;
  size_t held = block == NULL ? 0 : before; /* without a block, `before` is a type */
  void *result = NULL;
  if (after == 0)
    free(block);
  else if ((result = realloc(block, after)) == NULL)
    return NULL;
  self->held += after - held;
  return result;
}

static lua_State *new_state(worker *self)
{
  lua_State *L = lua_newstate(allocate, self);
  return L != NULL ? L : luaL_newstate(); /* a LuaJIT with an allocator of its own only */
}

static int run(lua_State *L)
{
  const worker *self = lua_touserdata(L, 1);
  luaL_openlibs(L);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_hubspot_associations_core);
  lua_setfield(L, -2, "hubspot.associations.core");
  if (luaL_loadbuffer(L, work.source, strlen(work.source), "=chunk") != 0)
    return lua_error(L);
  lua_pushinteger(L, self->number);
  int count = 1;
  for (char **argument = work.arguments; *argument != NULL; argument++, count++)
    lua_pushstring(L, *argument);
  lua_call(L, count, 1);
  return 1;
}

static void round_of(worker *self)
{
  pthread_barrier_wait(&work.together);
  lua_State *L = new_state(self);
  lua_pushcfunction(L, run);
  lua_pushlightuserdata(L, self);
  if (lua_pcall(L, 1, 1, 0) != 0) {
    const char *text = luaL_callmeta(L, -1, "__tostring") ? lua_tostring(L, -1) : lua_tostring(L, -1);
    fprintf(stderr, "thread %d: %s\n", self->number, text == NULL ? "no text" : text);
    self->failed = 1;
  }
  if (!work.abandon)
    lua_close(L);
}

static void *start(void *user)
{
  worker *self = user;
  for (int i = 0; i < work.rounds; i++)
    round_of(self);
  return NULL;
}

static int entries(const char *folder)
{
  int count = 0;
  DIR *list = opendir(folder);
  while (list != NULL && readdir(list) != NULL)
    count++;
  if (list != NULL)
    closedir(list);
  return count;
}

/* A thread that was joined, or looked a name up, may still be on its way out. */
static int threads_beyond(int before)
{
  const struct timespec moment = {.tv_nsec = 10000000};
  for (int waited = 0; waited < PATIENCE_MS && entries("/proc/self/task") > before; waited += 10)
    nanosleep(&moment, NULL);
  return entries("/proc/self/task") - before;
}

static void *nothing(void *user)
{
  return user;
}

/* What the first thread brings stays: a sanitizer's own thread. And a library that a Lua module is stays
 * loaded: what orders the loader's memory is a lock in the loader, which ThreadSanitizer does not see. */
static lua_State *warm_up(void)
{
  pthread_t first;
  lua_State *L = luaL_newstate();
  if (L == NULL || pthread_create(&first, NULL, nothing, NULL) != 0 || pthread_join(first, NULL) != 0)
    abort();
  luaL_openlibs(L);
  if (luaL_dostring(L, "require 'cjson'") != 0)
    abort();
  return L;
}

int main(int count, char *arguments[])
{
  static worker workers[MOST_THREADS];
  if (count < 4 || (work.count = atoi(arguments[2])) < 1 || work.count > MOST_THREADS) {
    fprintf(stderr, "usage: threads close|abandon COUNT ROUNDS ARGUMENT... <CHUNK\n");
    return 2;
  }
  work.abandon = strcmp(arguments[1], "abandon") == 0;
  work.rounds = atoi(arguments[3]);
  work.arguments = arguments + 4;
  work.source[fread(work.source, 1, MOST_SOURCE - 1, stdin)] = '\0';
  pthread_barrier_init(&work.together, NULL, (unsigned)work.count);

  lua_State *keeper = warm_up();
  int tasks = entries("/proc/self/task"), descriptors = entries("/proc/self/fd"), failed = 0;
  size_t held = 0;
  for (int i = 0; i < work.count; i++) {
    workers[i].number = i + 1;
    if (pthread_create(&workers[i].thread, NULL, start, &workers[i]) != 0)
      abort();
  }
  for (int i = 0; i < work.count; i++) {
    pthread_join(workers[i].thread, NULL);
    failed += workers[i].failed;
    held += workers[i].held;
  }
  printf("failed %d, threads %d, descriptors %d, bytes %zu\n", failed, threads_beyond(tasks),
         entries("/proc/self/fd") - descriptors, held);
  lua_close(keeper);
  return failed == 0 ? 0 : 1;
}
