/* The URLs that a request may be sent to: https anywhere, plain http to loopback addresses only.
 * libcurl's own parser reads them, so that the host that is checked is the host that libcurl connects to. */
#include "url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>

static int is_loopback(const char *host)
{
  struct in_addr address;
  if (curl_strequal(host, "localhost") || strcmp(host, "[::1]") == 0)
    return 1;
  return inet_pton(AF_INET, host, &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

static int has(CURLU *parsed, CURLUPart part)
{
  char *value = NULL;
  int found = curl_url_get(parsed, part, &value, 0) == CURLUE_OK;
  curl_free(value);
  return found;
}

static const char *check(CURLU *parsed, const char *url)
{
  char *scheme = NULL, *host = NULL;
  const char *reason = NULL;
  CURLUcode result = curl_url_set(parsed, CURLUPART_URL, url, 0);
  if (result == CURLUE_OUT_OF_MEMORY)
    return "not enough memory";
  if (result != CURLUE_OK)
    return "not an absolute http or https URL";
  if (has(parsed, CURLUPART_USER) || has(parsed, CURLUPART_PASSWORD))
    return "a URL must not carry a user name or password";
  if (curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK
      || curl_url_get(parsed, CURLUPART_HOST, &host, 0) != CURLUE_OK || host[0] == '\0')
    reason = "not an absolute http or https URL";
  else if (!curl_strequal(scheme, "https") && !curl_strequal(scheme, "http"))
    reason = "only https (and http to this machine) is spoken";
  else if (curl_strequal(scheme, "http") && !is_loopback(host))
    reason = "http would show the token to the network: use https, or a loopback host";
  curl_free(scheme);
  curl_free(host);
  return reason;
}

const char *hsa_url_invalid(const char *url)
{
  CURLU *parsed = curl_url();
  if (parsed == NULL)
    return "not enough memory";
  const char *reason = check(parsed, url);
  curl_url_cleanup(parsed);
  return reason;
}

int hsa_url_is_plain(const char *url)
{
  return curl_strnequal(url, "http:", 5);
}
