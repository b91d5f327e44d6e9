#ifndef HSA_HTTP_PRIVATE_H
#define HSA_HTTP_PRIVATE_H

/* What the files of the transport share: http.c, http_request.c, http_stream.c, http_options.c and http_sockets.c. */

#include "http.h"

#include "completions.h"
#include "fork.h"
#include "poller.h"

#include <curl/curl.h>

enum {
  HSA_HTTP_TLS_DOWNLOAD = 32 * 1024, /* no single read of TLS or HTTP/2 returns more */
};

typedef struct hsa_http_socket {
  int fd;
  int wanted;          /* what libcurl waits for: HSA_POLL_IN | HSA_POLL_OUT */
  int64_t quiet;       /* nanoseconds that the last quiet time took; 0 after traffic */
  int64_t quiet_until; /* until then, the poller does not watch for HSA_POLL_OUT; 0 when it does */
} hsa_http_socket;

/* The sockets that libcurl opened, and how the poller watches them.
 *
 * While an upload is incomplete, libcurl (7.88 at least) waits for its socket to be writable, even when HTTP/2's
 * flow control lets it write nothing. The socket is writable all that time, so that a caller would wake and step
 * without end. Therefore a socket that was writable in vain is left alone, first for a millisecond, then for twice
 * as long each time, until there is traffic again. */
typedef struct hsa_http_sockets {
  hsa_poller *poller;
  hsa_http_socket *list;
  size_t count, room;
  int64_t deadline; /* when the first quiet time ends; 0 for never */
  /* Since libcurl was last called: */
  size_t traffic;   /* how often it reported bytes that it read or wrote */
  size_t read;      /* bytes of TLS that it read, about */
  size_t delivered; /* bytes of responses that it handed over */
} hsa_http_sockets;

struct hsa_http {
  CURLM *multi; /* NULL once shut down, and while a forked child has none of its own */
  hsa_poller poller;
  int64_t curl_deadline; /* when libcurl wants to be called; 0 for never */
  int64_t wake_deadline; /* when the caller wants to be woken; 0 for never */
  int64_t alarm;         /* what the poller is set to */
  hsa_completions completions;
  hsa_http_stream *streams;   /* all that are not freed */
  hsa_http_request *requests; /* those under way, and those that are done and not freed */
  size_t pending;
  unsigned forks; /* how often a child went on with it */
  hsa_http_sockets sockets;
  hsa_fork fork;
  char *proxy, *ca_file, *ca_path;
  int keep_default_ca;
  int http_version;
  size_t max_response;
  hsa_pool *pool;
  int shut;
};

/* libcurl's side of a request. */
typedef struct hsa_http_transfer {
  CURL *easy; /* NULL once the request is done */
  struct curl_slist *headers;
  int went_out;    /* at least a part of the request's head was written */
  int sent_again;  /* libcurl tried to send the request a second time */
  int unprocessed; /* the server said that it did nothing of it */
  int flooded;     /* its connection was cut, because the server flooded it */
  long stream;     /* the HTTP/2 stream; 0 when unknown */
  char error[CURL_ERROR_SIZE];
} hsa_http_transfer;

struct hsa_http_request {
  hsa_http *http; /* NULL when the transport was freed first */
  hsa_http_request *previous, *next;
  hsa_http_transfer transfer;
  hsa_http_result result;
  int head_complete;
  int done;
  int received; /* its owner has the result, or has given it up */
  int rounds;   /* notify rounds that ended since it is done; at most two are counted */
};

/* ---- http.c ---- */

/* The version of the libcurl in use, as a number: 0x075800 for 7.88.0. */
unsigned int hsa_http_libcurl_number(void);

/* The functions of http.h begin with this: in a forked child, the transport starts again with connections of its
 * own. */
void hsa_http_check_fork(hsa_http *http);

/* Arms the poller for the next deadline. To be called after any of them may have changed. */
void hsa_http_set_alarm(hsa_http *http);

/* ---- http_request.c ---- */

/* The kind of failure that a CURLcode is. */
const char *hsa_http_failure_kind(CURLcode code);

/* Starts a transfer. NULL, with a static text in *reason, when that fails. */
hsa_http_request *hsa_http_request_new(hsa_http *http, const hsa_http_call *call, const char **reason);

/* Three ways to end: libcurl has finished the transfer; the transport is shut down; the process forked, and the
 * transfer is the parent's. */
void hsa_http_request_complete(hsa_http_request *request, CURLcode result);
void hsa_http_request_close(hsa_http_request *request);
void hsa_http_request_abandon(hsa_http_request *request);

/* Whether its owner has had its chance to receive it. */
int hsa_http_request_is_stale(const hsa_http_request *request);

/* libcurl's callbacks; `user` is the request. */
curl_socket_t hsa_http_request_on_open(void *user, curlsocktype purpose, struct curl_sockaddr *address);
int hsa_http_request_on_ready(void *user, char *peer, char *local, int peer_port, int local_port);
int hsa_http_request_on_debug(CURL *easy, curl_infotype type, char *bytes, size_t count, void *user);
size_t hsa_http_request_on_head(char *bytes, size_t size, size_t count, void *user);
size_t hsa_http_request_on_body(char *bytes, size_t size, size_t count, void *user);

/* ---- http_stream.c ---- */

/* The open stream of this socket, or the stream of this transfer; NULL when there is none. */
hsa_http_stream *hsa_http_stream_of_socket(const hsa_http *http, int fd);
hsa_http_stream *hsa_http_stream_of_easy(const hsa_http *http, const CURL *easy);

/* libcurl is done with connecting; the stream's socket is ready; or it may be. */
void hsa_http_stream_connected(hsa_http_stream *stream, CURLcode result);
void hsa_http_stream_serve(hsa_http_stream *stream, int ready);

/* Goes on with the streams of which the poller tells nothing, as TLS may have more to read, or be in a pause. The deadline
 * is when that is due; 0 for never. */
void hsa_http_streams_resume(hsa_http *http);
int64_t hsa_http_streams_deadline(const hsa_http *http);

/* As for requests: the transport is shut down; the process forked; the transport is freed. */
void hsa_http_streams_close(hsa_http *http);
void hsa_http_streams_abandon(hsa_http *http);
void hsa_http_streams_orphan(hsa_http *http);

/* ---- http_options.c ---- */

/* Sets all options of a stream's transfer to `url`. */
CURLcode hsa_http_options_connect(CURL *easy, hsa_http *http, const hsa_http_target *target, const char *url);

/* Sets all options of the request's transfer, whose list of headers is complete. */
CURLcode hsa_http_options_set(hsa_http_request *request, const hsa_http_call *call);

/* ---- http_sockets.c ---- */

/* A new socket, or -1 with errno set. */
int hsa_http_sockets_open(hsa_http_sockets *sockets, int family, int type, int protocol);

/* After a fork: closes the child's copies without telling libcurl, and forgets them. */
void hsa_http_sockets_abandon(hsa_http_sockets *sockets);

/* What to tell libcurl when `fd` is `ready`. Where libcurl waits for both, it is told to read before it writes: a
 * server that resets the connection, which fails the write, may have sent a response first, and after a failed
 * write libcurl does not look for one. */
int hsa_http_sockets_offer(const hsa_http_sockets *sockets, int fd, int ready);

/* After libcurl worked on `fd`, which was `ready`: begins its quiet time if that was in vain, or ends it. */
void hsa_http_sockets_served(hsa_http_sockets *sockets, int fd, int ready, int64_t now);

/* Ends the quiet times that are over. */
void hsa_http_sockets_wake(hsa_http_sockets *sockets, int64_t now);

/* The local port of the connection that a transfer uses, or used last; 0 for none. */
long hsa_http_sockets_port(CURL *easy);

/* Counts what libcurl read for a request, as TLS records. Cuts the connection of a server that floods it. */
void hsa_http_sockets_count_read(hsa_http_request *request, const unsigned char *bytes, size_t count);

/* libcurl's callbacks; `user` is the transport. */
int hsa_http_sockets_on_change(CURL *easy, curl_socket_t socket, int what, void *user, void *assigned);
curl_socket_t hsa_http_sockets_on_open(void *user, curlsocktype purpose, struct curl_sockaddr *address);
int hsa_http_sockets_on_close(void *user, curl_socket_t socket);

#endif
