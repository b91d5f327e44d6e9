#ifndef HSA_SOCKETS_H
#define HSA_SOCKETS_H

#include "poller.h"

#include <stddef.h>
#include <stdint.h>

typedef struct hsa_socket {
  int fd;
  int wanted;          /* what libcurl wants to know: HSA_POLL_IN | HSA_POLL_OUT */
  int64_t quiet;       /* nanoseconds that its writability was last kept from libcurl; 0 after traffic */
  int64_t quiet_until; /* while it is: on hsa_poller_now's clock; else 0 */
} hsa_socket;

/* The sockets that a transport opened for libcurl, and how the poller watches them.
 *
 * libcurl (7.88 at least) asks to be told when it can write as long as an upload is not complete, also while
 * HTTP/2's flow control lets it write nothing. A socket is writable all that time, and a caller that waits for
 * it would spin. So a socket whose writability was of no use is left alone, first for a millisecond, then for
 * twice as long each time, until something comes from the peer. */
typedef struct hsa_sockets {
  hsa_poller *poller;
  hsa_socket *list;
  size_t count, room;
  int64_t deadline; /* when the first quiet one is to be watched for writing again; 0 for never */
} hsa_sockets;

/* A new socket, or -1 with errno set. */
int hsa_sockets_open(hsa_sockets *sockets, int family, int type, int protocol);
int hsa_sockets_close(hsa_sockets *sockets, int fd);

/* After a fork: closes all of them without a word to libcurl, and forgets what was wanted. */
void hsa_sockets_abandon(hsa_sockets *sockets);

/* What libcurl wants to know of `fd`, which may be one of its own; 0 for nothing. Not 0 when that fails. */
int hsa_sockets_watch(hsa_sockets *sockets, int fd, int wanted);

/* What to tell libcurl of `fd`, which is `ready`: where it waits for both, it is to read before it writes. What fails
 * a write may have sent a response first, for which libcurl does not look after that. */
int hsa_sockets_offer(const hsa_sockets *sockets, int fd, int ready);

/* Tells that libcurl was told that `fd` is `ready`, and whether that led to any traffic. */
void hsa_sockets_told(hsa_sockets *sockets, int fd, int ready, int traffic, int64_t now);

/* Watches for writing again those whose quiet is over. */
void hsa_sockets_wake(hsa_sockets *sockets, int64_t now);

/* Ends the connections from this local port at once: what came and is not read is lost, and reading fails.
 * The descriptors stay open. All of them when none is from that port. */
void hsa_sockets_cut(const hsa_sockets *sockets, long port);

#endif
