/* A transport: HTTP requests on one libcurl multi handle, driven through libcurl's socket interface.
 * It owns the connections, the list of requests, and one descriptor that is readable when there is something to do.
 * It never waits, never calls Lua and knows nothing of HubSpot. */
#define _GNU_SOURCE
#include "http_private.h"

#include "sigpipe.h"
#include "url.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- libcurl ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
/* Copied once, because curl_version_info is not safe to call from several threads. */
static hsa_libcurl libcurl;
static unsigned int libcurl_number;

static void copy_text(char *to, size_t room, const char *text)
{
  snprintf(to, room, "%s", text != NULL && strlen(text) < room ? text : "");
}

static void initialize(void)
{
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return;
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  copy_text(libcurl.version, sizeof libcurl.version, info->version);
  copy_text(libcurl.tls, sizeof libcurl.tls, info->ssl_version);
#if LIBCURL_VERSION_NUM >= 0x074600 /* 7.70 */
  if (info->age >= CURLVERSION_SEVENTH) {
    copy_text(libcurl.ca_file, sizeof libcurl.ca_file, info->cainfo);
    copy_text(libcurl.ca_path, sizeof libcurl.ca_path, info->capath);
  }
#endif
  libcurl_number = info->version_num;
}

const hsa_libcurl *hsa_http_libcurl(void)
{
  pthread_once(&once, initialize);
  return libcurl.version[0] == '\0' ? NULL : &libcurl;
}

unsigned int hsa_http_libcurl_number(void)
{
  return libcurl_number;
}

/* ---- time ---- */

static int64_t sooner(int64_t one, int64_t other)
{
  return one == 0 || (other != 0 && other < one) ? other : one;
}

/* When the owners of completed requests are to be woken. `own` is the request of the caller, who looks at it next. */
static int64_t completions_deadline(const hsa_http *http, const hsa_http_request *own)
{
  int is_all =
    own != NULL && own->http == http && own->done && !own->received && http->completions.unreceived == 1;
  return is_all ? 0 : http->completions.deadline;
}

static void set_alarm(hsa_http *http, const hsa_http_request *own)
{
  if (hsa_fork_is_child(&http->fork))
    return; /* after a fork that could not be followed: the timer is still the parent's */
  int64_t wanted = sooner(http->curl_deadline, http->wake_deadline);
  wanted = sooner(wanted, sooner(completions_deadline(http, own), http->sockets.deadline));
  wanted = sooner(wanted, hsa_http_streams_deadline(http));
  if (http->shut)
    wanted = HSA_POLLER_AT_ONCE;
  /* Deadlines are absolute: the timer needs re-arming only when the deadline changed. */
  if (wanted != http->alarm && hsa_poller_alarm(&http->poller, wanted) == 0)
    http->alarm = wanted;
}

void hsa_http_set_alarm(hsa_http *http)
{
  set_alarm(http, NULL);
}

static int on_timer(CURLM *multi, long timeout_ms, void *user)
{
  hsa_http *http = user;
  (void)multi;
  http->curl_deadline = timeout_ms < 0 ? 0 : hsa_poller_now() + (int64_t)timeout_ms * 1000000;
  return 0;
}

/* ---- the transport ---- */

static int open_multi(hsa_http *http)
{
  http->multi = curl_multi_init();
  return http->multi != NULL
         && curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, hsa_http_sockets_on_change) == CURLM_OK
         && curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http) == CURLM_OK
         && curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK
         && curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http) == CURLM_OK
         && curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX) == CURLM_OK;
}

/* In a forked child, the connections, the timer and the responses to come belong to the parent. The child closes
 * its copies of the descriptors without writing anything, and leaks libcurl's memory for them: libcurl's own
 * clean-up would end the parent's TLS sessions, and wait for threads that do not exist in the child. */
static void restart_after_fork(hsa_http *http)
{
  for (hsa_http_request *request = http->requests; request != NULL; request = request->next)
    if (!request->done)
      hsa_http_request_abandon(request);
  hsa_http_streams_abandon(http);
  hsa_http_sockets_abandon(&http->sockets);
  http->curl_deadline = http->alarm = 0;
  if (http->completions.unreceived > 0)
    hsa_completions_notify(&http->completions);
  http->multi = NULL;
  if (hsa_poller_reopen(&http->poller) != 0)
    return; /* out of descriptors: the next use tries again */
  if (!http->shut && !open_multi(http)) {
    curl_multi_cleanup(http->multi);
    http->multi = NULL;
    return;
  }
  hsa_fork_become_owner(&http->fork);
  http->forks++;
  hsa_http_set_alarm(http);
}

void hsa_http_check_fork(hsa_http *http)
{
  if (hsa_fork_is_child(&http->fork))
    restart_after_fork(http);
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
  hsa_fork_begin(&http->fork);
  http->max_response = options->max_response;
  http->keep_default_ca = options->keep_default_ca;
  http->http_version = options->http_version;
  http->pool = options->pool;
  http->poller = HSA_POLLER_CLOSED;
  http->sockets.poller = &http->poller;
  hsa_completions_init(&http->completions);
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
  hsa_http_check_fork(http);
  hsa_sigpipe_hold(&hold);
  http->shut = 1;
  for (hsa_http_request *request = http->requests; request != NULL; request = request->next)
    if (!request->done)
      hsa_http_request_close(request);
  hsa_http_streams_close(http);
  curl_multi_cleanup(http->multi); /* NULL is harmless */
  http->multi = NULL;
  hsa_sigpipe_release(&hold);
  hsa_http_set_alarm(http);
}

void hsa_http_free(hsa_http *http)
{
  hsa_http_shutdown(http);
  for (hsa_http_request *request = http->requests; request != NULL; request = request->next)
    request->http = NULL;
  hsa_http_streams_orphan(http);
  hsa_poller_close(&http->poller);
  hsa_fork_end(&http->fork);
  free(http->sockets.list);
  free(http->proxy);
  free(http->ca_file);
  free(http->ca_path);
  free(http);
}

int hsa_http_fd(hsa_http *http)
{
  hsa_http_check_fork(http);
  hsa_http_set_alarm(http);
  return hsa_fork_is_child(&http->fork) ? -1 : http->poller.fd;
}

int hsa_http_is_open(const hsa_http *http)
{
  return !http->shut;
}

size_t hsa_http_pending(const hsa_http *http)
{
  return http->pending;
}

unsigned hsa_http_forks(hsa_http *http)
{
  hsa_http_check_fork(http);
  return http->forks;
}

void hsa_http_wake(hsa_http *http, int64_t nanoseconds)
{
  hsa_http_check_fork(http);
  http->wake_deadline = sooner(http->wake_deadline, hsa_poller_now() + nanoseconds);
  hsa_http_set_alarm(http);
}

hsa_http_request *hsa_http_submit(hsa_http *http, const hsa_http_call *call, const char **reason)
{
  hsa_http_check_fork(http);
  if ((*reason = hsa_url_invalid(call->url)) != NULL)
    return NULL;
  if (http->multi == NULL) {
    *reason = "not enough memory";
    return NULL;
  }
  hsa_http_request *request = hsa_http_request_new(http, call, reason);
  if (request == NULL)
    return NULL;
  request->next = http->requests;
  if (request->next != NULL)
    request->next->previous = request;
  http->requests = request;
  http->pending++;
  return request;
}

/* ---- a step ---- */

/* Completes the requests that libcurl is done with, and counts them. */
static size_t complete_requests(hsa_http *http)
{
  size_t count = 0;
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
    if (message->msg != CURLMSG_DONE)
      continue;
    CURLcode result = message->data.result; /* gone once the handle is removed */
    hsa_http_stream *stream = hsa_http_stream_of_easy(http, message->easy_handle);
    if (stream != NULL) {
      hsa_http_stream_connected(stream, result);
      continue;
    }
    hsa_http_request *request = NULL;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
    hsa_http_request_complete(request, result);
    count++;
  }
  return count;
}

/* A notify round ended: counts it for each request that waits for its owner. */
static void end_round(hsa_http *http, int64_t now)
{
  size_t stale = 0;
  for (hsa_http_request *request = http->requests; request != NULL; request = request->next)
    if (request->done && !request->received) {
      request->rounds += !hsa_http_request_is_stale(request);
      stale += (size_t)hsa_http_request_is_stale(request);
    }
  hsa_completions_end_round(&http->completions, stale, now);
}

/* Lets libcurl work on one socket, or on its timer. */
static CURLMcode act(hsa_http *http, curl_socket_t socket, int ready)
{
  int running;
  http->sockets.traffic = http->sockets.read = http->sockets.delivered = 0;
  return curl_multi_socket_action(
    http->multi, socket,
    (ready & HSA_POLL_IN ? CURL_CSELECT_IN : 0) | (ready & HSA_POLL_OUT ? CURL_CSELECT_OUT : 0), &running);
}

/* Serves sockets that are ready, and counts them. *result is the first error. */
static int serve_sockets(hsa_http *http, CURLMcode *result)
{
  enum { AT_ONCE = 4 }; /* keeps a step short: the descriptor stays readable for the rest */
  hsa_poller_event events[AT_ONCE];
  int count = hsa_poller_ready(&http->poller, events, AT_ONCE);
  for (int i = 0; i < count; i++) {
    hsa_http_stream *stream = hsa_http_stream_of_socket(http, events[i].fd);
    if (stream != NULL) {
      hsa_http_stream_serve(stream, events[i].ready);
      continue;
    }
    CURLMcode one =
      act(http, events[i].fd, hsa_http_sockets_offer(&http->sockets, events[i].fd, events[i].ready));
    hsa_http_sockets_served(&http->sockets, events[i].fd, events[i].ready, hsa_poller_now());
    *result = *result == CURLM_OK ? one : *result;
  }
  return count;
}

/* Serves the deadlines that have passed. False when there were none. */
static int serve_deadlines(hsa_http *http, CURLMcode *result, int64_t now)
{
  int worked = 0;
  hsa_http_sockets_wake(&http->sockets, now);
  if (http->wake_deadline != 0 && now >= http->wake_deadline) {
    http->wake_deadline = 0;
    worked = 1;
  }
  if (http->curl_deadline != 0 && now >= http->curl_deadline) {
    http->curl_deadline = 0; /* libcurl sets it again if it needs it */
    CURLMcode one = act(http, CURL_SOCKET_TIMEOUT, 0);
    *result = *result == CURLM_OK ? one : *result;
    worked = 1;
  }
  return worked;
}

void hsa_http_step(hsa_http *http, const hsa_http_request *own)
{
  hsa_sigpipe hold;
  int running;
  hsa_http_check_fork(http);
  if (http->multi == NULL)
    return;
  hsa_sigpipe_hold(&hold);
  CURLMcode result = CURLM_OK;
  hsa_http_streams_resume(http);
  int served = serve_sockets(http, &result);
  int64_t now = hsa_poller_now();
  int was_due = serve_deadlines(http, &result, now);
  if (result != CURLM_OK)
    curl_multi_perform(http->multi, &running); /* a callback failed: has each transfer find its own error */
  size_t completed = complete_requests(http);
  hsa_sigpipe_release(&hold);
  if (hsa_completions_step(&http->completions, completed, served > 0 || was_due, now))
    end_round(http, now);
  set_alarm(http, own);
}
