/* When those who wait for a transport are told of answers that wait to be claimed.
 * Counts only: knows no request and no descriptor. */
#include "claims.h"

/* Who spins makes so many idle steps in a fraction of a millisecond. A host that steps many jobs in each of its
 * turns makes some in each, before those who wait get theirs. */
enum { FIRST_CALL = 100, LONGEST_CALL = 6400 };

static const int64_t FIRST_QUIET = 5000000, LONGEST_QUIET = 2560000000; /* nanoseconds */

void hsa_claims_init(hsa_claims *claims)
{
  *claims = (hsa_claims){.quiet = FIRST_QUIET, .most_idle = FIRST_CALL};
}

void hsa_claims_call(hsa_claims *claims)
{
  claims->deadline = HSA_ALREADY;
  claims->idle = 0;
}

void hsa_claims_take(hsa_claims *claims, int is_stale)
{
  if (is_stale)
    claims->stale--;
  if (--claims->unclaimed == 0)
    hsa_claims_init(claims);
  else if (claims->unclaimed == claims->stale && claims->deadline == HSA_ALREADY)
    claims->deadline = claims->quiet_until; /* it was for new ones */
}

static void plan_quiet(hsa_claims *claims, int64_t now)
{
  claims->quiet_until = now + claims->quiet;
  claims->quiet = claims->quiet < LONGEST_QUIET / 4 ? claims->quiet * 4 : LONGEST_QUIET;
  if (claims->most_idle < LONGEST_CALL)
    claims->most_idle *= 2;
}

int hsa_claims_step(hsa_claims *claims, int news, int worked, int64_t now)
{
  if (claims->unclaimed == 0)
    return 0;
  if (news > 0 && claims->stale > 0 && now >= claims->quiet_until)
    plan_quiet(claims, now); /* for the stale ones, which were being called */
  if (news > 0 && claims->deadline == HSA_ALREADY && claims->unclaimed - (size_t)news > claims->stale)
    return 0; /* a call goes on: news without end must not make it one without end */
  if (news > 0 || (claims->deadline != HSA_ALREADY && now >= claims->deadline)) {
    hsa_claims_call(claims);
    return 0;
  }
  if (claims->deadline != HSA_ALREADY || worked || ++claims->idle < claims->most_idle)
    return 0;
  claims->idle = 0;
  return 1;
}

void hsa_claims_age(hsa_claims *claims, size_t stale, int64_t now)
{
  claims->stale = stale;
  if (now >= claims->quiet_until)
    plan_quiet(claims, now);
  if (stale == claims->unclaimed)
    claims->deadline = claims->quiet_until;
}
