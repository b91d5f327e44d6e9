/* core.catch_interrupts, core.interrupted: whether SIGINT, SIGTERM or SIGHUP was received, for a loop to ask. Signal
 * handlers belong to the process, so this is the one exception to the rule that the module has no global state.
 * Only the command uses it, in its own process; a host's signals belong to the host. */
#define _POSIX_C_SOURCE 200809L
#include "core.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

static const int interrupts[] = {SIGINT, SIGTERM, SIGHUP};
enum { INTERRUPTS = sizeof interrupts / sizeof *interrupts };

static volatile sig_atomic_t caught; /* the first signal, or 0 */

/* Keeps the first signal, and restores the default action: the next one, of any, ends the process. */
static void note(int number)
{
  caught = number;
  struct sigaction now;
  for (int i = 0; i < INTERRUPTS; i++)
    if (sigaction(interrupts[i], NULL, &now) == 0 && now.sa_handler == note)
      signal(interrupts[i], SIG_DFL);
}

/* catch_interrupts(): from now on, the first SIGINT, SIGTERM or SIGHUP interrupts waits and reads, and is kept for
 * `interrupted`. A signal that is ignored stays ignored, as with nohup. SIGPIPE is ignored, so that a job can finish
 * and report when nobody reads its output any more: writing fails with EPIPE. */
static int catch_interrupts(lua_State *L)
{
  struct sigaction action, before;
  memset(&action, 0, sizeof action); /* no SA_RESTART: a read from a pipe has to return */
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
