#ifndef HSA_HTTP_H
#define HSA_HTTP_H

#include "pool.h"

#include <stdint.h>

/* Plain HTTP on libcurl: a transport sends requests, and a request has its result once it is done. */

typedef struct hsa_http hsa_http; /* a transport */
typedef struct hsa_http_request hsa_http_request;
typedef struct hsa_http_stream hsa_http_stream; /* a connection for another protocol: see below */

enum { HSA_HTTP_1_1 = 1, HSA_HTTP_2 };

/* Strings are copied; NULL stands for libcurl's default. */
typedef struct hsa_http_options {
  const char *proxy;
  const char *ca_file;
  const char *ca_path;
  int
    keep_default_ca; /* libcurl's default stays in place of ca_file or ca_path when only the other is given */
  int http_version;  /* HSA_HTTP_1_1, HSA_HTTP_2, or 0 for the best that libcurl has */
  size_t max_response; /* bytes, after decompression */
  hsa_pool *pool;      /* for the bodies of responses; or NULL. Has to last as long as the transport */
} hsa_http_options;

/* A request to send. All but `body` is copied; `body` must stay until the request is done or freed. */
typedef struct hsa_http_call {
  const char *method;
  const char *url;
  const char *const *headers; /* "Name: value", ended by NULL */
  const char *body;           /* NULL for none */
  size_t body_length;
  long timeout_ms;
  long connect_timeout_ms;
} hsa_http_call;

/* The result of a request: a response, a failure, or both when the response broke off (`broken`). Then status, head
 * and body hold the part that was received. */
typedef struct hsa_http_result {
  const char *failure;  /* NULL, or its kind: network, timeout, tls, too_large, closed */
  int code;             /* a failure's CURLcode, or 0 */
  int broken;           /* there is a failure, and a part of a response that may be of use */
  char message[256];    /* a failure's */
  long proxy_status;    /* the status of a proxy's response to CONNECT, or 0 */
  long proxy_code;      /* the CURLproxycode of a SOCKS proxy's rejection, or 0 */
  int looked_up;        /* whether the address to connect to, the proxy's or the server's, was found */
  int sent;             /* whether the server may have received any of the request */
  int connection_ended; /* the server only ended the connection: another is worth a try at once */
  long status;
  const char *http_version;
  long connects;   /* new connections: 0 when one was reused */
  double elapsed;  /* seconds */
  hsa_buffer head; /* the header lines of the last response, each ended by CR LF */
  hsa_buffer body;
} hsa_http_result;

/* What is known of the libcurl in use. */
typedef struct {
  char version[32];  /* e.g. "7.88.1" */
  char tls[96];      /* its TLS library, e.g. "OpenSSL/3.0.15"; empty when it has none */
  char ca_file[256]; /* the certificates that it trusts by default; empty when it has none, or does not say */
  char ca_path[256];
} hsa_libcurl;

/* Initializes libcurl, once per process; NULL when that fails. */
const hsa_libcurl *hsa_http_libcurl(void);

/* NULL, with errno set, when there is no memory or no descriptor left. */
hsa_http *hsa_http_new(const hsa_http_options *options);
void hsa_http_free(hsa_http *http);

/* Ends every request, with a failure of kind `closed`, and every connection. The descriptor stays, and is readable
 * from now on, so that everybody who waits for it is woken. */
void hsa_http_shutdown(hsa_http *http);
int hsa_http_is_open(const hsa_http *http); /* false after shutdown */

/* The descriptor is readable when hsa_http_step has something to do, and when the result of a request waits for its
 * owner. It stays the same for the transport's life, also in a forked child, where the transport starts again with
 * connections of its own. -1 when the child has no descriptor left for that. */
int hsa_http_fd(hsa_http *http);

/* Does what is ready; never waits. `own`, or NULL, is a request whose result the caller takes next, if it is there: the
 * descriptor does not become readable for that, because waking and quieting it are the dearest part of a small
 * request. */
void hsa_http_step(hsa_http *http, const hsa_http_request *own);

/* Makes the descriptor readable after `nanoseconds`, once, until a step has seen that. The soonest of several calls
 * counts. */
void hsa_http_wake(hsa_http *http, int64_t nanoseconds);

/* The number of requests that are not done. */
size_t hsa_http_pending(const hsa_http *http);

/* How often the process was forked, and the child went on with the transport: for what a child must not share. */
unsigned hsa_http_forks(hsa_http *http);

/* NULL, with a static text in *reason, when the request cannot be sent. It is sent by a step, which has to follow. Until
 * then, only hsa_http_fd makes the descriptor readable for it. */
hsa_http_request *hsa_http_submit(hsa_http *http, const hsa_http_call *call, const char **reason);

/* NULL while the request is under way. The result lives as long as the request. */
const hsa_http_result *hsa_http_request_result(const hsa_http_request *request);

/* Moves the body of the result to `to`, which has to be empty. */
void hsa_http_request_take_body(hsa_http_request *request, hsa_buffer *to);

/* The request's owner has its result: the descriptor need no longer be readable for it. */
void hsa_http_request_receive(hsa_http_request *request);

/* Cancels the request if it is under way, and frees it. */
void hsa_http_request_free(hsa_http_request *request);

/* ---- streams ---- */

/* A connection on which the caller speaks a protocol of its own. It is libcurl's: names are looked up without
 * blocking, and certificates are verified as for requests. No proxy is used. hsa_http_step does its I/O, and the
 * transport's descriptor is readable when there is some to do; but not for bytes that wait for their owner, who
 * has to look after each step. */

enum { HSA_STREAM_CONNECTING = 1, HSA_STREAM_OPEN, HSA_STREAM_ENDED };

typedef struct hsa_http_target {
  const char *host; /* a name or an address; one of IPv6 without brackets */
  int port;
  int is_tls;
  long connect_timeout_ms;
  size_t most_unsent; /* bytes that may wait to be sent */
} hsa_http_target;

/* NULL, with a static text in *reason, when it cannot begin. Steps, which have to follow, look up the name and make the
 * connection. */
hsa_http_stream *hsa_http_stream_new(hsa_http *http, const hsa_http_target *target, const char **reason);
void hsa_http_stream_free(hsa_http_stream *stream);

/* HSA_STREAM_…. Of a stream that has ended, result->failure, code, message and looked_up are set. The other side's
 * orderly end is a failure, too, with connection_ended. */
int hsa_http_stream_state(const hsa_http_stream *stream);
const hsa_http_result *hsa_http_stream_result(const hsa_http_stream *stream);

/* Takes bytes to send, also while the stream is connecting, and sends what it can at once. HSA_TOO_LARGE when more than
 * most_unsent would wait, and HSA_NO_MEMORY: then it took none of them. A stream that has ended takes any, and sends
 * none. */
hsa_status hsa_http_stream_send(hsa_http_stream *stream, const char *bytes, size_t count);

/* How many bytes went to the operating system. With TLS, a part of the next 16 KiB may have, too; but the other side
 * cannot read that. */
uint64_t hsa_http_stream_sent(const hsa_http_stream *stream);

/* What was received and not yet taken, also after the end; valid until the next call. Beyond 1 MiB, nothing more is read
 * until it is taken. */
const hsa_buffer *hsa_http_stream_received(const hsa_http_stream *stream);
void hsa_http_stream_take(hsa_http_stream *stream); /* all of it */

#endif
