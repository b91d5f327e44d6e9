#ifndef HSA_COMPLETIONS_H
#define HSA_COMPLETIONS_H

#include <stddef.h>
#include <stdint.h>

/* The completions of one transport that their owners have not received: requests that are done, but whose result
 * nobody has taken. They decide when the transport's descriptor is readable; completions.c explains how. */
typedef struct hsa_completions {
  size_t unreceived;
  size_t stale;        /* of these, those whose owner has had its chance */
  int64_t deadline;    /* of the next round: HSA_POLLER_AT_ONCE during one; 0 for none */
  int64_t quiet_until; /* stale completions begin no round before this time */
  int64_t quiet;       /* nanoseconds that the next quiet time takes */
  int idle, most_idle; /* steps without work in this round; so many end it */
} hsa_completions;

void hsa_completions_init(hsa_completions *completions);

/* Begins a round: the descriptor is to be readable from now on. */
void hsa_completions_notify(hsa_completions *completions);

/* After each step of the transport: `fresh` requests completed in it; `worked`: whether it did anything else.
 * Not 0 when the round has lasted long enough. Then the caller counts it for each completion, and ends it. */
int hsa_completions_step(hsa_completions *completions, size_t fresh, int worked, int64_t now);

/* `stale` of the completions have now seen two rounds. */
void hsa_completions_end_round(hsa_completions *completions, size_t stale, int64_t now);

/* One is received, or its owner has given it up. */
void hsa_completions_receive(hsa_completions *completions, int is_stale);

#endif
