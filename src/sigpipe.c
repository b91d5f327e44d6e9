/* Holds SIGPIPE back while libcurl runs. A TLS write to a connection that the peer has closed raises it, and it
 * ends a program that does not expect it. Only the mask of the calling thread is changed, no signal handler. */
#define _POSIX_C_SOURCE 200809L
#include "sigpipe.h"

#include <stddef.h>

static int is_pending(void)
{
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE);
}

static sigset_t only_sigpipe(void)
{
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  return set;
}

void hsa_sigpipe_hold(hsa_sigpipe *hold)
{
  sigset_t set = only_sigpipe();
  pthread_sigmask(SIG_BLOCK, &set, &hold->previous);
  hold->pending =
    sigismember(&hold->previous, SIGPIPE) && is_pending(); /* what is not blocked is not pending */
}

void hsa_sigpipe_release(const hsa_sigpipe *hold)
{
  if (!hold->pending && is_pending()) {
    sigset_t set = only_sigpipe();
    int taken;
    sigwait(&set, &taken);
  }
  pthread_sigmask(SIG_SETMASK, &hold->previous, NULL);
}
