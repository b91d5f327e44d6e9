/* Plain HTTP requests on one libcurl multi handle, driven by its socket interface.
 * Owns the connections, the requests under way, and the one descriptor that tells of them all.
 * Never waits, never calls Lua, knows nothing of HubSpot. Its callbacks only append to C memory. */
#define _GNU_SOURCE
#include "http.h"

#include "claims.h"
#include "curl_words.h"
#include "poller.h"
#include "sigpipe.h"
#include "sockets.h"
#include "url.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_FINAL = 200, FIRST_REFUSAL = 300 }; /* statuses */

enum {
  MAX_HEAD = 256 * 1024,
  FIRST_RESERVE = 16 * 1024,
  MOST_RESERVED = 1024 * 1024, /* whatever Content-Length says */
  PLAIN_UPLOAD = 256 * 1024,   /* a full batch in one write */
  PLAIN_DOWNLOAD = 128 * 1024,
  TLS_UPLOAD = 16 * 1024,   /* a record */
  TLS_DOWNLOAD = 32 * 1024, /* no read of TLS or HTTP/2 brings more */
  TRANSFERS_AT_MOST = 100,  /* on a connection: libcurl's own limit */
  RECORD_COST = 256,        /* what it takes to read a TLS record, in bytes of a long one */
};

struct hsa_http {
  CURLM *multi;
  hsa_poller poller;
  int64_t curl_deadline; /* when libcurl wants to be called; 0 for never */
  int64_t wake_deadline; /* when the caller does */
  int64_t alarm;         /* what the poller is set to */
  hsa_claims claims;     /* when those who have done requests to claim are to be woken */
  hsa_http_request *requests;
  size_t pending;
  hsa_sockets sockets;
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
  int claimed; /* whether its owner has seen it */
  int calls;   /* to claim it, that ended since it is done: no more than two are counted */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
/* Written once: curl_version_info is no call for many threads. */
static char libcurl_version[32];
static unsigned int libcurl_number;

static void initialize(void)
{
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return;
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  snprintf(libcurl_version, sizeof libcurl_version, "%s", info->version);
  libcurl_number = info->version_num;
}

const char *hsa_http_libcurl(void)
{
  pthread_once(&once, initialize);
  return libcurl_version[0] == '\0' ? NULL : libcurl_version;
}

/* ---- sockets and time ---- */

static int64_t sooner(int64_t one, int64_t other)
{
  return one == 0 || (other != 0 && other < one) ? other : one;
}

static void set_alarm(hsa_http *http)
{
  if (getpid() != http->owner)
    return; /* the timer is still the parent's */
  int64_t wanted = sooner(http->curl_deadline, http->wake_deadline);
  wanted = sooner(wanted, sooner(http->claims.deadline, http->sockets.deadline));
  if (http->shut)
    wanted = HSA_ALREADY;
  /* A deadline is never set twice, so that one that differs is all there is to tell the poller. */
  if (wanted != http->alarm && hsa_poller_alarm(&http->poller, wanted) == 0)
    http->alarm = wanted;
}

static int on_timer(CURLM *multi, long timeout_ms, void *user)
{
  hsa_http *http = user;
  (void)multi;
  http->curl_deadline = timeout_ms < 0 ? 0 : hsa_poller_now() + (int64_t)timeout_ms * 1000000;
  return 0;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *assigned)
{
  hsa_http *http = user;
  (void)easy;
  (void)assigned;
  int interest = what == CURL_POLL_IN      ? HSA_POLL_IN
                 : what == CURL_POLL_OUT   ? HSA_POLL_OUT
                 : what == CURL_POLL_INOUT ? HSA_POLL_IN | HSA_POLL_OUT
                                           : 0;
  return hsa_sockets_watch(&http->sockets, socket, interest);
}

/* libcurl (7.88 to 8.17 at least) sends a request again by itself when a kept connection turns out to be dead, or
 * when the server refuses the stream; up to five times, and there is no option against it. Whether the first time did
 * anything, it does not know either. To send again is the caller's business, who counts. */
static int is_sent_again(hsa_http_request *request)
{
  hsa_http_transfer *transfer = &request->transfer;
  if (transfer->went_out && !transfer->sent_again) {
    transfer->sent_again = 1;
    snprintf(request->result.message, sizeof request->result.message,
             "%s", /* before libcurl has other words */
             transfer->error[0] != '\0' ? transfer->error
                                        : "a kept connection broke before anything of a response came");
  }
  return transfer->sent_again;
}

static curl_socket_t on_open(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
  hsa_http_request *request = user;
  (void)purpose;
  if (is_sent_again(request))
    return CURL_SOCKET_BAD;
  int fd = hsa_sockets_open(&request->http->sockets, address->family, address->socktype, address->protocol);
  return fd < 0 ? CURL_SOCKET_BAD : fd;
}

#if LIBCURL_VERSION_NUM >= 0x075000
static int on_ready(void *user, char *peer, char *local, int peer_port, int local_port)
{
  (void)peer, (void)local, (void)peer_port, (void)local_port;
  return is_sent_again(user) ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}
#endif

static int on_close(void *user, curl_socket_t socket)
{
  hsa_http *http = user;
  return hsa_sockets_close(&http->sockets, socket);
}

/* ---- what libcurl tells ---- */

static long local_port(CURL *easy)
{
  long port = 0;
  curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &port);
  return port;
}

/* The server did nothing of the streams above `last` on the connection that `easy` reads from. */
static void note_goaway(const hsa_http *http, CURL *easy, long last)
{
  for (hsa_http_request *each = http->requests; each != NULL; each = each->next)
    if (!each->done && each->transfer.stream > last && local_port(each->transfer.easy) == local_port(easy))
      each->transfer.unprocessed = 1;
}

static void note_words(hsa_http_request *request, const char *text, size_t count)
{
  long stream;
  switch (hsa_curl_words_read(text, count, &stream)) {
  case HSA_CURL_WORD_STREAM:
    request->transfer.stream = stream;
    break;
  case HSA_CURL_WORD_GOAWAY:
    note_goaway(request->http, request->transfer.easy, stream);
    break;
  case HSA_CURL_WORD_REFUSED:
    request->transfer.unprocessed = 1;
    break;
  case HSA_CURL_WORD_OTHER:
    break;
  }
}

/* How much libcurl may read in one call without giving anything on. Before 8.1, an honest server fills at most one
 * buffer for each transfer that waits; from then on, until 8.7 puts an end to this, the transfers' windows. */
static size_t most_read(const hsa_http *http)
{
  enum { MARGIN = 1024 * 1024, WINDOWS = 64 * 1024 * 1024 };
  size_t most = libcurl_number < 0x080100 ? TRANSFERS_AT_MOST * TLS_DOWNLOAD + MARGIN : WINDOWS;
  return most + 4 * http->given_on;
}

/* libcurl reads on as long as there is something, when what it reads is for no transfer: frames such as
 * WINDOW_UPDATE, PRIORITY or PING, and in TLS session tickets. A server that sends them faster than they are read
 * would keep it there, beyond every deadline. No callback can end that but this one, which ends the connection. */
static void note_read(hsa_http_request *request, const unsigned char *bytes, size_t count)
{
  enum { HEADER = 5, FIRST_TYPE = 20, LAST_TYPE = 23 };
  hsa_http *http = request->http;
  int is_record = count == HEADER && bytes[0] >= FIRST_TYPE && bytes[0] <= LAST_TYPE;
  http->read += RECORD_COST + (is_record ? (size_t)bytes[3] * 256 + bytes[4] : count);
  if (http->read <= most_read(http))
    return;
  http->read = 0;
  long port = local_port(request->transfer.easy);
  for (hsa_http_request *each = http->requests; each != NULL; each = each->next)
    if (!each->done && local_port(each->transfer.easy) == port)
      each->transfer.flooded = 1;
  hsa_sockets_cut(&http->sockets, port);
}

/* Is called for each record of TLS where libcurl is built with OpenSSL. Looks at lengths, and at libcurl's own
 * words: what is sent and received stays unseen. */
static int on_debug(CURL *easy, curl_infotype type, char *bytes, size_t count, void *user)
{
  enum { CONNECT_LENGTH = 8 };
  hsa_http_request *request = user;
  (void)easy;
  if (type == CURLINFO_TEXT) {
    note_words(request, bytes, count);
    return 0;
  }
  request->http->traffic++;
  if (type == CURLINFO_SSL_DATA_IN)
    note_read(request, (const unsigned char *)bytes, count);
  else if (type == CURLINFO_HEADER_OUT
           && (count < CONNECT_LENGTH || memcmp(bytes, "CONNECT ", CONNECT_LENGTH) != 0)) /* to a proxy */
    request->transfer.went_out = 1;
  return 0;
}

/* ---- what a response brings ---- */

static size_t refuse(hsa_http_request *request, hsa_status status, const char *what)
{
  request->result.failure = status == HSA_TOO_LARGE ? "too_large" : "network";
  if (status == HSA_TOO_LARGE)
    snprintf(request->result.message, sizeof request->result.message,
             "the response's %s is over the limit of %zu bytes", what,
             strcmp(what, "head") == 0 ? request->result.head.limit : request->result.body.limit);
  else
    snprintf(request->result.message, sizeof request->result.message,
             "not enough memory for the response's %s", what);
  return 0;
}

static int begins_response(const char *line, size_t count)
{
  return count > 5 && memcmp(line, "HTTP/", 5) == 0;
}

static size_t on_head(char *bytes, size_t size, size_t count, void *user)
{
  hsa_http_request *request = user;
  (void)size; /* always 1 */
  request->http->given_on += count;
  if (request->result.body.length > 0 || (request->head_complete && !begins_response(bytes, count)))
    return count; /* a trailer */
  if (begins_response(bytes, count)) {
    request->result.head.length = 0; /* the one before was interim */
    request->head_complete = 0;
  }
  if (bytes[0] == '\r' || bytes[0] == '\n')
    request->head_complete = 1;
  hsa_status status = hsa_buffer_append(&request->result.head, bytes, count);
  return status == HSA_OK ? count : refuse(request, status, "head");
}

static size_t on_body(char *bytes, size_t size, size_t count, void *user)
{
  hsa_http_request *request = user;
  (void)size;
  request->http->given_on += count;
  if (request->result.body.data == NULL) {
    curl_off_t expected = 0;
    curl_easy_getinfo(request->transfer.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &expected);
    size_t first = expected < FIRST_RESERVE   ? FIRST_RESERVE
                   : expected > MOST_RESERVED ? MOST_RESERVED
                                              : (size_t)expected;
    if (first <= request->result.body.limit)
      hsa_buffer_reserve(&request->result.body, first); /* only to save copies: the append decides */
  }
  hsa_status status = hsa_buffer_append(&request->result.body, bytes, count);
  return status == HSA_OK ? count : refuse(request, status, "body");
}

/* ---- a request's end ---- */

static const char *failure_kind(CURLcode code)
{
  switch (code) {
  case CURLE_OPERATION_TIMEDOUT:
    return "timeout";
  case CURLE_FILESIZE_EXCEEDED:
#if LIBCURL_VERSION_NUM >= 0x080600
  case CURLE_TOO_LARGE:
#endif
    return "too_large";
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_ENGINE_NOTFOUND:
  case CURLE_SSL_ENGINE_SETFAILED:
  case CURLE_SSL_ENGINE_INITFAILED:
  case CURLE_SSL_INVALIDCERTSTATUS:
  case CURLE_SSL_CRL_BADFILE:
  case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
  case CURLE_USE_SSL_FAILED:
    return "tls";
  default:
    return "network";
  }
}

/* Before libcurl begins to send, it notes the time; what it sent, it counts: not sent is what neither tells. It counts
 * what it says to a proxy, too, behind whose refusal nothing follows. */
static int may_be_sent(const hsa_http_request *request)
{
  CURL *easy = request->transfer.easy;
  curl_off_t pretransfer = 0;
  long size = 0;
  if (request->transfer.unprocessed && request->result.head.length == 0)
    return 0;
  if (request->result.proxy_status >= FIRST_REFUSAL || request->result.proxy_code != 0)
    return 0;
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &size);
  return pretransfer > 0 || size > 0;
}

static void fail(hsa_http_request *request, const char *kind, int code, const char *message)
{
  request->result.failure = kind;
  request->result.code = code;
  snprintf(request->result.message, sizeof request->result.message, "%s", message);
}

/* Failures that libcurl has no words for: false when this is none. */
static int explain(hsa_http_request *request)
{
  const hsa_http_transfer *transfer = &request->transfer;
  if (transfer->unprocessed && !request->result.sent) {
    fail(request, "network", CURLE_HTTP2_STREAM,
         "the server refused the HTTP/2 stream, and did nothing of it");
  } else if (transfer->flooded) {
    fail(request, "network", CURLE_RECV_ERROR,
         "the server sent megabytes of frames that belong to no response: the connection was ended");
  } else if (transfer->sent_again) {
    request->result.failure = "network";
    request->result.code = CURLE_GOT_NOTHING; /* the message is there */
  } else {
    return 0;
  }
  request->result.again = !transfer->flooded;
  return 1;
}

/* The status of the response whose head came, wholly; 0 when none did. libcurl 7.88 drops the head when HTTP/2's stream
 * is reset right behind it, and keeps only the status. */
static long status_of(const hsa_http_request *request)
{
  CURL *easy = request->transfer.easy;
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
#if LIBCURL_VERSION_NUM >= 0x075400
  struct curl_header *field;
  if (request->result.head.length == 0
      && curl_easy_header(easy, ":status", 0, CURLH_PSEUDO, -1, &field) == CURLHE_OK
      && curl_easy_header(easy, ":status", field->amount - 1, CURLH_PSEUDO, -1, &field) == CURLHE_OK)
    return strtol(field->value, NULL, 10);
#endif
  return request->head_complete ? status : 0;
}

static const char *version_name(long version)
{
  return version == CURL_HTTP_VERSION_2_0   ? "2"
         : version == CURL_HTTP_VERSION_1_0 ? "1.0"
         : version == CURL_HTTP_VERSION_3   ? "3"
                                            : "1.1";
}

static void read_figures(hsa_http_request *request)
{
  CURL *easy = request->transfer.easy;
  long version = 0;
  curl_off_t elapsed = 0, looked_up = 0;
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &request->result.proxy_status);
#if LIBCURL_VERSION_NUM >= 0x074900
  curl_easy_getinfo(easy, CURLINFO_PROXY_ERROR, &request->result.proxy_code);
#endif
  curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &looked_up);
  curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
  curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &request->result.connects);
  curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &elapsed);
  request->result.elapsed = (double)elapsed / 1e6;
  request->result.looked_up = looked_up > 0;
  request->result.sent = may_be_sent(request);
  request->result.http_version = version_name(version);
  request->result.status = status_of(request);
}

/* Whether the answer that broke off may be of use. A refusal is one by its status. Of HTTP/2, libcurl 7.88 does not
 * tell whether the response had ended when its connection or its stream was reset: its body has to tell. */
static int is_broken_answer(const hsa_http_request *request)
{
  int may_be_whole = strcmp(request->result.http_version, "2") == 0 && request->result.status >= FIRST_FINAL;
  return strcmp(request->result.failure, "too_large") != 0
         && (may_be_whole || request->result.status >= FIRST_REFUSAL);
}

static void read_outcome(hsa_http_request *request, CURLcode result)
{
  read_figures(request);
  if (request->result.failure != NULL) { /* a callback's */
    request->result.code = (int)result;
    return;
  }
  if (result == CURLE_OK && request->head_complete)
    return;
  const char *error = request->transfer.error;
  if (result == CURLE_OK)
    fail(request, "network", CURLE_PARTIAL_FILE, "the response ended within its head");
  else if (!explain(request))
    fail(request, failure_kind(result), (int)result, error[0] != '\0' ? error : curl_easy_strerror(result));
  request->result.broken = is_broken_answer(request);
}

static void free_transfer(hsa_http_transfer *transfer)
{
  curl_easy_cleanup(transfer->easy);
  curl_slist_free_all(transfer->headers);
  transfer->easy = NULL;
  transfer->headers = NULL;
}

/* libcurl's side of the request ends here, whatever it was doing. */
static void land(hsa_http_request *request)
{
  hsa_http *http = request->http;
  curl_multi_remove_handle(http->multi, request->transfer.easy);
  free_transfer(&request->transfer);
  request->done = 1;
  http->pending--;
  http->claims.unclaimed++;
}

/* How many requests are newly done. */
static int collect(hsa_http *http)
{
  int count = 0;
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
    if (message->msg != CURLMSG_DONE)
      continue;
    CURLcode result = message->data.result; /* gone once the handle is removed */
    hsa_http_request *request = NULL;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
    read_outcome(request, result);
    land(request);
    count++;
  }
  return count;
}

/* ---- the transport ---- */

static int open_multi(hsa_http *http)
{
  http->multi = curl_multi_init();
  return http->multi != NULL && curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK
         && curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http) == CURLM_OK
         && curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK
         && curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http) == CURLM_OK
         && curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX) == CURLM_OK;
}

/* In a forked child: the connections, the timer and the answers to come are the parent's. They are
 * let go without a word on the wire: closing them libcurl's way would end the parent's TLS sessions,
 * and wait for threads that do not exist here. libcurl's memory for them is given up. */
static void begin_anew(hsa_http *http)
{
  for (hsa_http_request *request = http->requests; request != NULL; request = request->next) {
    if (request->done)
      continue;
    fail(request, "network", CURLE_RECV_ERROR,
         "the process forked while this request was under way: it is the parent's");
    request->transfer.easy = NULL;
    request->transfer.headers = NULL;
    request->result.sent = 1; /* by the parent */
    request->done = 1;
    http->pending--;
    http->claims.unclaimed++;
  }
  hsa_sockets_abandon(&http->sockets);
  http->curl_deadline = http->alarm = 0;
  if (http->claims.unclaimed > 0)
    hsa_claims_call(&http->claims);
  http->multi = NULL;
  if (hsa_poller_reopen(&http->poller) != 0)
    return; /* out of descriptors: the next use tries again */
  if (!http->shut && !open_multi(http)) {
    curl_multi_cleanup(http->multi);
    http->multi = NULL;
    return;
  }
  http->owner = getpid();
  set_alarm(http);
}

static void check_fork(hsa_http *http)
{
  if (getpid() != http->owner)
    begin_anew(http);
}

static int copy_string(char **to, const char *from)
{
  *to = from == NULL ? NULL : strdup(from);
  return from == NULL || *to != NULL;
}

hsa_http *hsa_http_new(const hsa_http_options *options)
{
  hsa_http *http = calloc(1, sizeof *http);
  if (http == NULL)
    return NULL;
  http->owner = getpid();
  http->max_response = options->max_response;
  http->keep_default_ca = options->keep_default_ca;
  http->http_version = options->http_version;
  http->poller = (hsa_poller){-1, -1};
  http->sockets.poller = &http->poller;
  hsa_claims_init(&http->claims);
  errno = ENOMEM;
  if (hsa_http_libcurl() != NULL && copy_string(&http->proxy, options->proxy)
      && copy_string(&http->ca_file, options->ca_file) && copy_string(&http->ca_path, options->ca_path)
      && hsa_poller_open(&http->poller) == 0 && open_multi(http))
    return http;
  int reason = errno;
  hsa_http_free(http);
  errno = reason;
  return NULL;
}

void hsa_http_shutdown(hsa_http *http)
{
  hsa_sigpipe hold;
  check_fork(http);
  hsa_sigpipe_hold(&hold);
  http->shut = 1;
  for (hsa_http_request *request = http->requests; request != NULL; request = request->next)
    if (!request->done) {
      fail(request, "closed", 0, "the client was closed while this request was under way");
      request->result.sent = may_be_sent(request);
      land(request);
    }
  curl_multi_cleanup(http->multi); /* NULL is refused, and that is all */
  http->multi = NULL;
  hsa_sigpipe_release(&hold);
  set_alarm(http);
}

void hsa_http_free(hsa_http *http)
{
  hsa_http_shutdown(http);
  for (hsa_http_request *request = http->requests; request != NULL; request = request->next)
    request->http = NULL;
  hsa_poller_close(&http->poller);
  free(http->sockets.list);
  free(http->proxy);
  free(http->ca_file);
  free(http->ca_path);
  free(http);
}

int hsa_http_fd(hsa_http *http)
{
  check_fork(http);
  return http->owner == getpid() ? http->poller.fd : -1;
}

int hsa_http_is_open(const hsa_http *http)
{
  return !http->shut;
}

size_t hsa_http_pending(const hsa_http *http)
{
  return http->pending;
}

void hsa_http_wake(hsa_http *http, int64_t nanoseconds)
{
  check_fork(http);
  http->wake_deadline = sooner(http->wake_deadline, hsa_poller_now() + nanoseconds);
  set_alarm(http);
}

/* The first of two calls that ended since it is done may have begun before that; the second was for it, whole. */
static int is_stale(const hsa_http_request *request)
{
  return request->calls == 2;
}

static void call_out(hsa_http *http, int news, int worked, int64_t now)
{
  if (!hsa_claims_step(&http->claims, news, worked, now))
    return;
  size_t stale = 0;
  for (hsa_http_request *request = http->requests; request != NULL; request = request->next)
    if (request->done && !request->claimed) {
      request->calls += !is_stale(request);
      stale += (size_t)is_stale(request);
    }
  hsa_claims_age(&http->claims, stale, now);
}

/* Lets libcurl act on one socket, or on its timer. */
static CURLMcode act(hsa_http *http, curl_socket_t socket, int ready)
{
  int running;
  http->traffic = http->read = http->given_on = 0;
  return curl_multi_socket_action(
    http->multi, socket,
    (ready & HSA_POLL_IN ? CURL_CSELECT_IN : 0) | (ready & HSA_POLL_OUT ? CURL_CSELECT_OUT : 0), &running);
}

/* All that the poller tells: how much that was. */
static int serve_sockets(hsa_http *http, CURLMcode *result)
{
  enum { AT_ONCE = 4 }; /* a step is not to take long: the descriptor stays readable for the rest */
  hsa_poller_event events[AT_ONCE];
  int count = hsa_poller_ready(&http->poller, events, AT_ONCE);
  for (int i = 0; i < count; i++) {
    CURLMcode one = act(http, events[i].fd, hsa_sockets_offer(&http->sockets, events[i].fd, events[i].ready));
    hsa_sockets_told(&http->sockets, events[i].fd, events[i].ready, http->traffic > 0, hsa_poller_now());
    *result = *result == CURLM_OK ? one : *result;
  }
  return count;
}

void hsa_http_step(hsa_http *http)
{
  hsa_sigpipe hold;
  int running;
  check_fork(http);
  if (http->multi == NULL)
    return;
  hsa_sigpipe_hold(&hold);
  CURLMcode result = CURLM_OK;
  int worked = serve_sockets(http, &result) > 0;
  int64_t now = hsa_poller_now();
  hsa_sockets_wake(&http->sockets, now);
  if (http->wake_deadline != 0 && now >= http->wake_deadline) {
    http->wake_deadline = 0;
    worked = 1;
  }
  if (http->curl_deadline != 0 && now >= http->curl_deadline) {
    worked = 1;
    http->curl_deadline = 0; /* libcurl sets it again if it still wants it */
    CURLMcode one = act(http, CURL_SOCKET_TIMEOUT, 0);
    result = result == CURLM_OK ? one : result;
  }
  if (result != CURLM_OK)
    curl_multi_perform(http->multi, &running); /* a callback failed: lets each transfer say so */
  int collected = collect(http);
  hsa_sigpipe_release(&hold);
  call_out(http, collected, worked, now);
  set_alarm(http);
}

/* ---- sending ---- */

#define SET(option, value)                                                                                   \
  if ((result = curl_easy_setopt(easy, option, value)) != CURLE_OK)                                          \
  return result

static CURLcode set_reach(CURL *easy, hsa_http *http, const char *url)
{
  CURLcode result;
  SET(CURLOPT_URL, url);
  SET(CURLOPT_PATH_AS_IS, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
  SET(CURLOPT_PROTOCOLS_STR, "https,http");
#else
  SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTPS | CURLPROTO_HTTP));
#endif
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  SET(CURLOPT_SSL_VERIFYPEER, 1L);
  SET(CURLOPT_SSL_VERIFYHOST, 2L);
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  int replaces = !http->keep_default_ca && (http->ca_file != NULL || http->ca_path != NULL);
  if (replaces || http->ca_file != NULL)
    SET(CURLOPT_CAINFO, http->ca_file);
  if (replaces || http->ca_path != NULL)
    SET(CURLOPT_CAPATH, http->ca_path);
  if (hsa_url_is_plain(url)) {
    /* This machine, in the clear: no proxy of the environment's may see it. */
    SET(CURLOPT_NOPROXY, "*");
    SET(CURLOPT_BUFFERSIZE, (long)PLAIN_DOWNLOAD);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)PLAIN_UPLOAD);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    return CURLE_OK;
  }
  if (http->proxy != NULL)
    SET(CURLOPT_PROXY, http->proxy);
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  SET(CURLOPT_BUFFERSIZE, (long)TLS_DOWNLOAD);
  /* An early response is read before the next part of the body is written: one that is reset behind it would fail
   * the write, and libcurl does not look for a response then. */
  SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)TLS_UPLOAD);
  if (http->http_version == HSA_HTTP_1_1) {
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    return CURLE_OK;
  }
  SET(CURLOPT_PIPEWAIT, 1L);
  result = curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  int may_lack = http->http_version == 0; /* libcurl may be built without HTTP/2 */
  return may_lack && result == CURLE_UNSUPPORTED_PROTOCOL ? CURLE_OK : result;
}

static CURLcode set_message(CURL *easy, const hsa_http_call *call, struct curl_slist *headers)
{
  CURLcode result;
  SET(CURLOPT_HTTPHEADER, headers);
  SET(CURLOPT_ACCEPT_ENCODING, "");
  if (call->body != NULL) {
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_length);
    SET(CURLOPT_POSTFIELDS, call->body);
  }
  SET(CURLOPT_CUSTOMREQUEST, call->method);
  SET(CURLOPT_TIMEOUT_MS, call->timeout_ms);
  SET(CURLOPT_CONNECTTIMEOUT_MS, call->connect_timeout_ms);
  return CURLE_OK;
}

static CURLcode set_callbacks(CURL *easy, hsa_http *http, hsa_http_request *request)
{
  CURLcode result;
  SET(CURLOPT_PRIVATE, request);
  SET(CURLOPT_ERRORBUFFER, request->transfer.error);
  SET(CURLOPT_HEADERFUNCTION, on_head);
  SET(CURLOPT_HEADERDATA, request);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, request);
  SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)http->max_response);
  SET(CURLOPT_VERBOSE, 1L); /* else there is no debug function */
  SET(CURLOPT_DEBUGFUNCTION, on_debug);
  SET(CURLOPT_DEBUGDATA, request);
  SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
  SET(CURLOPT_OPENSOCKETDATA, request);
#if LIBCURL_VERSION_NUM >= 0x075000
  SET(CURLOPT_PREREQFUNCTION, on_ready);
  SET(CURLOPT_PREREQDATA, request);
#endif
  SET(CURLOPT_CLOSESOCKETFUNCTION, on_close);
  SET(CURLOPT_CLOSESOCKETDATA, http);
  SET(CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
  SET(CURLOPT_QUICK_EXIT, 1L); /* do not wait for a name look-up that nobody needs any more */
#endif
  return CURLE_OK;
}

#undef SET

static int add_header(hsa_http_transfer *transfer, const char *line)
{
  struct curl_slist *longer = curl_slist_append(transfer->headers, line);
  if (longer != NULL)
    transfer->headers = longer;
  return longer != NULL;
}

/* NULL on success, else a static reason. */
static const char *launch(hsa_http *http, hsa_http_request *request, const hsa_http_call *call)
{
  hsa_http_transfer *transfer = &request->transfer;
  if ((transfer->easy = curl_easy_init()) == NULL || !add_header(transfer, "Expect:"))
    return "not enough memory";
  for (const char *const *line = call->headers; *line != NULL; line++)
    if (!add_header(transfer, *line))
      return "not enough memory";
  CURLcode result = set_reach(transfer->easy, http, call->url);
  if (result == CURLE_OK)
    result = set_message(transfer->easy, call, transfer->headers);
  if (result == CURLE_OK)
    result = set_callbacks(transfer->easy, http, request);
  if (result != CURLE_OK)
    return curl_easy_strerror(result);
  CURLMcode added = curl_multi_add_handle(http->multi, transfer->easy);
  return added == CURLM_OK ? NULL : curl_multi_strerror(added);
}

hsa_http_request *hsa_http_submit(hsa_http *http, const hsa_http_call *call, const char **why)
{
  check_fork(http);
  if ((*why = hsa_url_refusal(call->url)) != NULL)
    return NULL;
  hsa_http_request *request = calloc(1, sizeof *request);
  if (http->multi == NULL || request == NULL) {
    *why = "not enough memory";
    free(request);
    return NULL;
  }
  request->http = http;
  hsa_buffer_init(&request->result.head, MAX_HEAD);
  hsa_buffer_init(&request->result.body, http->max_response);
  if ((*why = launch(http, request, call)) != NULL) {
    free_transfer(&request->transfer);
    free(request);
    return NULL;
  }
  request->next = http->requests;
  if (request->next != NULL)
    request->next->previous = request;
  http->requests = request;
  http->pending++;
  set_alarm(http);
  return request;
}

const hsa_http_result *hsa_http_request_result(const hsa_http_request *request)
{
  return request->done ? &request->result : NULL;
}

void hsa_http_request_claim(hsa_http_request *request)
{
  if (request->claimed || request->http == NULL)
    return;
  check_fork(request->http);
  request->claimed = 1;
  hsa_claims_take(&request->http->claims, is_stale(request));
  set_alarm(request->http);
}

void hsa_http_request_free(hsa_http_request *request)
{
  hsa_http *http = request->http;
  if (http != NULL) {
    check_fork(http);
    if (!request->done) {
      hsa_sigpipe hold;
      hsa_sigpipe_hold(&hold);
      land(request);
      hsa_sigpipe_release(&hold);
    }
    hsa_http_request_claim(request);
    if (request->previous != NULL)
      request->previous->next = request->next;
    else
      http->requests = request->next;
    if (request->next != NULL)
      request->next->previous = request->previous;
  }
  hsa_buffer_free(&request->result.head);
  hsa_buffer_free(&request->result.body);
  free(request);
}
