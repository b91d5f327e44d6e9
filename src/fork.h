#ifndef HSA_FORK_H
#define HSA_FORK_H

#include <sys/types.h>

/* Tells a process from its parent. Asked several times in each request, so that asking has to be cheap. */
typedef struct hsa_fork {
  volatile unsigned char *mark; /* 0 in a child of the owner; NULL where there is no such memory */
  pid_t owner;
} hsa_fork;

/* The process that calls it is the owner: at first, and in a child that becomes one. */
void hsa_fork_begin(hsa_fork *fork);
void hsa_fork_become_owner(hsa_fork *fork);

/* Whether the process that calls it is not the owner. */
int hsa_fork_is_child(const hsa_fork *fork);

void hsa_fork_end(hsa_fork *fork);

#endif
