#ifndef HSA_SIGPIPE_H
#define HSA_SIGPIPE_H

#include <signal.h>

typedef struct hsa_sigpipe {
  sigset_t previous;
  int pending; /* one was pending already: it belongs to the host, and stays */
} hsa_sigpipe;

/* To be called in pairs, around calls of libcurl. */
void hsa_sigpipe_hold(hsa_sigpipe *hold);
void hsa_sigpipe_release(const hsa_sigpipe *hold);

#endif
