#ifndef HSA_SIGPIPE_H
#define HSA_SIGPIPE_H

#include <signal.h>

typedef struct hsa_sigpipe {
  sigset_t previous;
  int pending; /* one waited before us: then it is not ours to take */
} hsa_sigpipe;

void hsa_sigpipe_hold(hsa_sigpipe *hold);
void hsa_sigpipe_release(const hsa_sigpipe *hold);

#endif
