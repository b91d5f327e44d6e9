#ifndef HSA_POLLER_H
#define HSA_POLLER_H

#include <stdint.h>

/* One descriptor for a set of sockets and an alarm. It watches sockets, and never owns one. */

enum { HSA_POLL_IN = 1, HSA_POLL_OUT = 2 };

enum { HSA_POLLER_AT_ONCE = 1 }; /* a deadline in the past; 0 is none */

typedef struct hsa_poller {
  int fd; /* readable while a watched socket is ready or the alarm is due; -1 when closed */
  /* Linux, behind the alarm; -1 when closed: */
  int timer;     /* a timerfd, for an alarm to come */
  int due;       /* an eventfd, for one that is due */
  int is_due;    /* whether that is readable */
  int64_t timed; /* what the timer is set to; 0 for never */
  int watched;   /* at least as many sockets as are watched; more where one was closed while it was */
} hsa_poller;

#define HSA_POLLER_CLOSED ((hsa_poller){.fd = -1, .timer = -1, .due = -1})

typedef struct hsa_poller_event {
  int fd;
  int ready; /* HSA_POLL_IN | HSA_POLL_OUT */
} hsa_poller_event;

/* These return 0, or -1 with errno set. */
int hsa_poller_open(hsa_poller *poller);
void hsa_poller_close(hsa_poller *poller);

/* After a fork: opens a new poller for the child, with the same descriptor number where possible. */
int hsa_poller_reopen(hsa_poller *poller);

/* Watches `fd` for `interest` (HSA_POLL_IN | HSA_POLL_OUT), in place of what it was watched for; 0 ends that. */
int hsa_poller_watch(hsa_poller *poller, int fd, int interest);

/* Makes the poller readable from `deadline` on, in hsa_poller_now's nanoseconds, until the next call; 0 is never. */
int hsa_poller_alarm(hsa_poller *poller, int64_t deadline);

/* The sockets that are ready now, at most `max`; never waits. */
int hsa_poller_ready(hsa_poller *poller, hsa_poller_event *events, int max);

/* Nanoseconds on the monotonic clock. */
int64_t hsa_poller_now(void);

#endif
