/* The floor: sends the bytes of a batch with libcurl and discards the answer. No client does less.
 * One easy handle, kept alive, with the buffer sizes that libcurl does this with in the least CPU time.
 * Reads the BENCH_ variables that bench/run sets, prints microseconds of CPU per batch. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Measured: smaller ones cost system calls; larger ones are mapped and unmapped for each request. */
enum { DOWNLOAD_BUFFER = 64 * 1024, UPLOAD_BUFFER = 256 * 1024, MAX_BODY = 16 * 1024 * 1024 };

static size_t discard(char *data, size_t size, size_t count, void *user)
{
  (void)data;
  (void)user;
  return size * count;
}

static const char *variable(const char *name)
{
  const char *value = getenv(name);
  if (value == NULL) {
    fprintf(stderr, "floor: %s is not set\n", name);
    exit(2);
  }
  return value;
}

static size_t read_body(char **body)
{
  FILE *file = fopen(variable("BENCH_BODY"), "rb");
  *body = malloc(MAX_BODY);
  if (file == NULL || *body == NULL) {
    perror("floor: BENCH_BODY");
    exit(1);
  }
  size_t length = fread(*body, 1, MAX_BODY, file);
  fclose(file);
  return length;
}

static void send_batches(CURL *easy, int batches)
{
  for (int i = 0; i < batches; i++) {
    long status = 0;
    CURLcode result = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (result != CURLE_OK || status != 201) {
      fprintf(stderr, "floor: %s, status %ld\n", curl_easy_strerror(result), status);
      exit(1);
    }
  }
}

int main(void)
{
  static const char *const lines[] = {
    "Authorization: Bearer pat-na1-00000000-0000-0000-0000-000000000000",
    "Content-Type: application/json",
    "Accept: application/json",
    "Expect:",
  };
  char *body;
  size_t length = read_body(&body);
  struct curl_slist *headers = NULL;
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURL *easy = curl_easy_init();
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
    headers = curl_slist_append(headers, lines[i]);
  curl_easy_setopt(easy, CURLOPT_URL, variable("BENCH_URL"));
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)DOWNLOAD_BUFFER);
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER);

  int batches = atoi(variable("BENCH_BATCHES"));
  send_batches(easy, atoi(variable("BENCH_WARMUP")));
  clock_t began = clock();
  send_batches(easy, batches);
  printf("%.1f\n", (double)(clock() - began) / CLOCKS_PER_SEC * 1e6 / batches);

  curl_easy_cleanup(easy);
  curl_slist_free_all(headers);
  curl_global_cleanup();
  free(body);
  return 0;
}
