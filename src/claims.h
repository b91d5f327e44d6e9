#ifndef HSA_CLAIMS_H
#define HSA_CLAIMS_H

#include <stddef.h>
#include <stdint.h>

enum { HSA_ALREADY = 1 }; /* a deadline in the past: 0 is none */

/* Answers that are there and not yet claimed by their owners. All who wait for a transport wait for its one
 * descriptor, and only an answer's owner can claim it: so the descriptor is readable until it has had its
 * chance, and then is quiet for a while, lest the others spin on it; again and again, each time longer. */
typedef struct hsa_claims {
  size_t unclaimed;
  size_t stale; /* of these, how many had their chance */
  int64_t
    deadline; /* from when on the descriptor is to be readable: hsa_poller_now's nanoseconds; 0 for never */
  int64_t quiet_until, quiet; /* when the quiet ends; how long the next one is */
  int idle, most_idle; /* steps that found nothing to do, since the call began; after how many it ends */
} hsa_claims;

void hsa_claims_init(hsa_claims *claims);

/* Those who wait are called from now on. */
void hsa_claims_call(hsa_claims *claims);

/* One is claimed, or nobody will ever claim it; is_stale: as hsa_claims_age was told. */
void hsa_claims_take(hsa_claims *claims, int is_stale);

/* After a step that brought so many new answers, or at least found something to do. Not 0 when a call has gone on
 * for long enough: then those that had been there for all of it are stale, which hsa_claims_age is to be told.
 * The quiet begins when all are. */
int hsa_claims_step(hsa_claims *claims, int news, int worked, int64_t now);
void hsa_claims_age(hsa_claims *claims, size_t stale, int64_t now);

#endif
