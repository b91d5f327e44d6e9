/* When the owners of completed requests are woken.
 *
 * The scenario: a transport has one descriptor, and everybody who waits for one of its requests waits until that
 * descriptor is readable. Say ten coroutines wait, and the request of the third completes. Nobody here knows which
 * coroutine owns which request, so all ten are woken: each steps the transport and looks at its own request, nine
 * find nothing and wait again, the third receives its result.
 *
 * Now the third is busy elsewhere, for a second or for good. If the descriptor stayed readable until it came back,
 * the other nine would wake, find nothing and wait again, as fast as the processor can: the program would spin. If
 * the descriptor were readable only once, an owner that was not waiting at that moment would never be told.
 *
 * So the owners are notified in rounds. During a round the descriptor is readable. A round ends when many steps in
 * succession found no work, which means that waiters spin, and that each of them has looked at its request. After
 * two rounds a completion is stale: its owner has had its chance. When all completions are stale, the descriptor is
 * quiet for a while, then there is another round, and each quiet time is longer than the one before. A new
 * completion begins a round at once; when the last completion is received, everything starts from the beginning.
 *
 * This file only counts: it knows no request and no descriptor. */
#include "completions.h"

#include "poller.h"

/* A round ends after this many steps without work: a spinning waiter makes 100 in well under a millisecond. Later
 * rounds are longer, because a host that steps many jobs in each of its turns makes many such steps before its other
 * waiters run. */
enum { FIRST_ROUND = 100, LONGEST_ROUND = 6400 };

static const int64_t FIRST_QUIET = 5000000, LONGEST_QUIET = 2560000000; /* nanoseconds */

void hsa_completions_init(hsa_completions *completions)
{
  *completions = (hsa_completions){.quiet = FIRST_QUIET, .most_idle = FIRST_ROUND};
}

void hsa_completions_notify(hsa_completions *completions)
{
  completions->deadline = HSA_POLLER_AT_ONCE;
  completions->idle = 0;
}

static void plan_quiet(hsa_completions *completions, int64_t now)
{
  completions->quiet_until = now + completions->quiet;
  completions->quiet = completions->quiet < LONGEST_QUIET / 4 ? completions->quiet * 4 : LONGEST_QUIET;
  if (completions->most_idle < LONGEST_ROUND)
    completions->most_idle *= 2;
}

int hsa_completions_step(hsa_completions *completions, size_t fresh, int worked, int64_t now)
{
  int is_round = completions->deadline == HSA_POLLER_AT_ONCE;
  if (completions->unreceived == 0)
    return 0;
  if (fresh > 0 && completions->stale > 0 && now >= completions->quiet_until)
    plan_quiet(completions, now); /* the round was for the stale ones: it counts as theirs */
  if (fresh > 0 && is_round && completions->unreceived - fresh > completions->stale)
    return 0; /* the round goes on, but does not begin again: completions without end must not make it endless */
  if (fresh > 0 || (!is_round && now >= completions->deadline)) {
    hsa_completions_notify(completions);
    return 0;
  }
  if (!is_round || worked || ++completions->idle < completions->most_idle)
    return 0;
  completions->idle = 0;
  return 1;
}

void hsa_completions_end_round(hsa_completions *completions, size_t stale, int64_t now)
{
  completions->stale = stale;
  if (now >= completions->quiet_until)
    plan_quiet(completions, now);
  if (stale == completions->unreceived)
    completions->deadline = completions->quiet_until; /* else the next round follows at once */
}

void hsa_completions_receive(hsa_completions *completions, int is_stale)
{
  if (is_stale)
    completions->stale--;
  if (--completions->unreceived == 0)
    hsa_completions_init(completions);
  else if (completions->unreceived == completions->stale && completions->deadline == HSA_POLLER_AT_ONCE)
    completions->deadline =
      completions->quiet_until; /* the round was for completions that are received now */
}
