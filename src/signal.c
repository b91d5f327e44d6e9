/* core.catch_interrupts, core.interrupted: SIGINT and SIGTERM as a question that a loop can ask.
 * Process-wide by nature, as signal handlers are: the one exception to this module's rule that it keeps no
 * global state. Only the command uses it, in a process of its own; a host's signals are the host's. */
#define _POSIX_C_SOURCE 200809L
#include "core.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

static const int interrupts[] = {SIGINT, SIGTERM};
enum { INTERRUPTS = sizeof interrupts / sizeof *interrupts };

static volatile sig_atomic_t caught; /* the first that came, or 0 */

/* The first is noted; the next one, of either, ends the process as if nobody had asked for them. */
static void note(int number)
{
  caught = number;
  struct sigaction now;
  for (int i = 0; i < INTERRUPTS; i++)
    if (sigaction(interrupts[i], NULL, &now) == 0 && now.sa_handler == note)
      signal(interrupts[i], SIG_DFL);
}

/* catch_interrupts(): from here on, the first SIGINT or SIGTERM ends waits and reads, and is noted. A signal
 * that is ignored stays so: whoever started the process wanted that. Writing to a pipe that nobody reads
 * fails with EPIPE instead of ending the process: a job has more to do than to write there. */
static int catch_interrupts(lua_State *L)
{
  struct sigaction action, before;
  memset(&action, 0, sizeof action); /* no SA_RESTART: a read from a pipe must not go on waiting */
  action.sa_handler = note;
  caught = 0;
  signal(SIGPIPE, SIG_IGN);
  for (int i = 0; i < INTERRUPTS; i++) {
    if (sigaction(interrupts[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN)
      continue;
    if (sigaction(interrupts[i], &action, NULL) != 0)
      return luaL_error(L, "sigaction: %s", strerror(errno));
  }
  return 0;
}

/* interrupted() -> the number of the signal that came, or nil */
static int interrupted(lua_State *L)
{
  int number = caught;
  if (number == 0)
    lua_pushnil(L);
  else
    lua_pushinteger(L, number);
  return 1;
}

static const luaL_Reg functions[] = {
  {"catch_interrupts", catch_interrupts},
  {"interrupted", interrupted},
  {NULL, NULL},
};

void lhsa_open_signal(lua_State *L)
{
  luaL_setfuncs(L, functions, 0);
}
