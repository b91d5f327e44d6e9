/* Preloaded into what is counted: Lua draws the seed of its hashes from the time, and with another seed other strings
 * collide, which changed the count of a job by a twentieth from run to run. */
#include <time.h>

time_t time(time_t *now)
{
  const time_t always = 1000000000;
  if (now != NULL)
    *now = always;
  return always;
}
