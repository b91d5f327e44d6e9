#ifndef HSA_HTTP_PRIVATE_H
#define HSA_HTTP_PRIVATE_H

/* What the four files of the transport share: http.c, http_request.c, http_options.c and http_sockets.c. */

#include "http.h"

#include "completions.h"
#include "poller.h"

#include <curl/curl.h>
#include <sys/types.h>

enum {
  HSA_HTTP_TLS_DOWNLOAD = 32 * 1024, /* no read of TLS or HTTP/2 brings more */
};

typedef struct hsa_http_socket {
  int fd;
  int wanted;          /* what libcurl wants to know: HSA_POLL_IN | HSA_POLL_OUT */
  int64_t quiet;       /* nanoseconds that its writability was last kept from libcurl; 0 after traffic */
  int64_t quiet_until; /* while it is: on hsa_poller_now's clock; else 0 */
} hsa_http_socket;

/* The sockets that a transport opened for libcurl, and how the poller watches them.
 *
 * libcurl (7.88 at least) asks to be told when it can write as long as an upload is not complete, also while
 * HTTP/2's flow control lets it write nothing. A socket is writable all that time, and a caller that waits for
 * it would spin. So a socket whose writability was of no use is left alone, first for a millisecond, then for
 * twice as long each time, until something comes from the peer. */
typedef struct hsa_http_sockets {
  hsa_poller *poller;
  hsa_http_socket *list;
  size_t count, room;
  int64_t deadline; /* when the first quiet one is to be watched for writing again; 0 for never */
} hsa_http_sockets;

struct hsa_http {
  CURLM *multi;
  hsa_poller poller;
  int64_t curl_deadline; /* when libcurl wants to be called; 0 for never */
  int64_t wake_deadline; /* when the caller does */
  int64_t alarm;         /* what the poller is set to */
  hsa_completions completions;
  hsa_http_request *requests;
  size_t pending;
  hsa_http_sockets sockets;
  size_t traffic;        /* how often libcurl told of bytes that it read or wrote, since it was called */
  size_t read, given_on; /* bytes of TLS, about, and of responses: since then, too */
  pid_t owner;
  char *proxy, *ca_file, *ca_path;
  int keep_default_ca;
  int http_version;
  size_t max_response;
  int shut;
};

/* libcurl's side of a request, until it is done. */
typedef struct hsa_http_transfer {
  CURL *easy; /* NULL once it is done */
  struct curl_slist *headers;
  int went_out;    /* the request's head, or a part of it */
  int sent_again;  /* libcurl was about to send it once more */
  int unprocessed; /* the server told that it did nothing of it */
  int flooded;     /* its connection was cut */
  long stream;     /* of HTTP/2; 0 when unknown */
  char error[CURL_ERROR_SIZE];
} hsa_http_transfer;

struct hsa_http_request {
  hsa_http *http; /* NULL when closed before the request was freed */
  hsa_http_request *previous, *next;
  hsa_http_transfer transfer;
  hsa_http_result result;
  int head_complete;
  int done;
  int received; /* its owner has the result, or has given it up */
  int rounds;   /* notify rounds that ended since it is done; two at most are counted */
};

/* ---- http.c ---- */

/* The version of the libcurl in use, as a number: 0x075800 for 7.88.0. */
unsigned int hsa_http_libcurl_number(void);

/* Every function of http.h begins with this: a forked child gets connections of its own. */
void hsa_http_check_fork(hsa_http *http);

/* Has the poller wake at the next deadline. To be called when one may have changed. */
void hsa_http_set_alarm(hsa_http *http);

/* ---- http_request.c ---- */

/* NULL, with *reason a static reason, when it cannot be sent. */
hsa_http_request *hsa_http_request_new(hsa_http *http, const hsa_http_call *call, const char **reason);

/* libcurl is done with it, with this result. */
void hsa_http_request_complete(hsa_http_request *request, CURLcode result);

/* Ends it as `closed`. */
void hsa_http_request_close(hsa_http_request *request);

/* In a forked child: ends it without a word to libcurl, whose connections are the parent's. */
void hsa_http_request_abandon(hsa_http_request *request);

/* Whether its owner has had its chance to receive it. */
int hsa_http_request_is_stale(const hsa_http_request *request);

/* libcurl's callbacks; `user` is the request. */
curl_socket_t hsa_http_request_on_open(void *user, curlsocktype purpose, struct curl_sockaddr *address);
int hsa_http_request_on_ready(void *user, char *peer, char *local, int peer_port, int local_port);
int hsa_http_request_on_debug(CURL *easy, curl_infotype type, char *bytes, size_t count, void *user);
size_t hsa_http_request_on_head(char *bytes, size_t size, size_t count, void *user);
size_t hsa_http_request_on_body(char *bytes, size_t size, size_t count, void *user);

/* ---- http_options.c ---- */

/* Tells libcurl what to do for the request, whose `transfer.headers` are complete. */
CURLcode hsa_http_options_set(hsa_http_request *request, const hsa_http_call *call);

/* ---- http_sockets.c ---- */

/* A new socket, or -1 with errno set. */
int hsa_http_sockets_open(hsa_http_sockets *sockets, int family, int type, int protocol);

/* After a fork: closes all of them without a word to libcurl, and forgets what was wanted. */
void hsa_http_sockets_abandon(hsa_http_sockets *sockets);

/* What to tell libcurl of `fd`, which is `ready`: where it waits for both, it is to read before it writes. What fails
 * a write may have sent a response first, for which libcurl does not look after that. */
int hsa_http_sockets_offer(const hsa_http_sockets *sockets, int fd, int ready);

/* Tells that libcurl was told that `fd` is `ready`, and whether that led to any traffic. */
void hsa_http_sockets_told(hsa_http_sockets *sockets, int fd, int ready, int traffic, int64_t now);

/* Watches for writing again those whose quiet is over. */
void hsa_http_sockets_wake(hsa_http_sockets *sockets, int64_t now);

/* Local port of the connection that the transfer uses, or used last; 0 for none. */
long hsa_http_sockets_port(CURL *easy);

/* libcurl read these bytes, of TLS, for the request's connection. Cuts the connection when it floods. */
void hsa_http_sockets_count_read(hsa_http_request *request, const unsigned char *bytes, size_t count);

/* libcurl's callbacks; `user` is the transport. */
int hsa_http_sockets_on_change(CURL *easy, curl_socket_t socket, int what, void *user, void *assigned);
int hsa_http_sockets_on_close(void *user, curl_socket_t socket);

#endif
