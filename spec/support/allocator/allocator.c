/* The allocation harness: runs each scenario of scenarios.lua again and again while the n-th request for
 * memory fails, for n = 1, 2, ... until none is left to fail; for Lua's memory, the core's own (malloc) and
 * libcurl's. Each run must end well or with an error about memory, leave nothing allocated and no descriptor
 * open, and leave a state in which the scenario then works.
 * Linked with the core's objects and -Wl,--wrap, so that only the core's own calls of malloc are counted.
 * usage: allocator SCENARIOS.lua [NAME]      exit status 0 when all was well
 * ALLOCATOR_LIBCURL=1 lets libcurl's memory fail while it sends, too: 7.88.1 crashes by itself then (it
 * divides by zero). What it leaves allocated is counted always. */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lualib.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int luaopen_hubspot_associations_core(lua_State *L);
#ifdef WITH_REDIS
int luaopen_hubspot_associations_redis_codec(lua_State *L);
#endif

/* ---- memory that fails ---- */

enum { LUA, CORE, LIBCURL, SOURCES };
static const char *const source_names[] = {"Lua's memory", "the core's memory", "libcurl's memory"};

/* How many requests fail, from the n-th on. Lua asks a second time, after a collection, before it gives up:
 * with one failure that collection is what is tested. */
static const long lengths[] = {1, 2, 1000000000};
static const char *const length_names[] = {"one failure", "two failures", "failures from then on"};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static struct {
  int source; /* -1: nothing fails */
  long first, length;
  _Atomic long asked, failed;
  _Atomic long live[SOURCES]; /* blocks; libcurl resolves names in threads */
} memory = {.source = -1};

static char now_running[256];

static int fails(int source)
{
  if (memory.source != source)
    return 0;
  long n = ++memory.asked;
  if (n < memory.first || n - memory.first >= memory.length)
    return 0;
  memory.failed++;
  errno = ENOMEM;
  return 1;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
char *__real_strdup(const char *text);
void __real_free(void *block);

static void *counted(int source, void *block)
{
  memory.live[source] += block != NULL;
  return block;
}

static void *source_malloc(int source, size_t size)
{
  return fails(source) ? NULL : counted(source, __real_malloc(size));
}

static void *source_calloc(int source, size_t count, size_t size)
{
  return fails(source) ? NULL : counted(source, __real_calloc(count, size));
}

static void *source_realloc(int source, void *block, size_t size)
{
  if (fails(source))
    return NULL;
  void *moved = __real_realloc(block, size);
  memory.live[source] += block == NULL && moved != NULL;
  return moved;
}

static char *source_strdup(int source, const char *text)
{
  return fails(source) ? NULL : counted(source, __real_strdup(text));
}

static void source_free(int source, void *block)
{
  memory.live[source] -= block != NULL;
  __real_free(block);
}

/* The core's objects call these. */
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *block);

void *__wrap_malloc(size_t size)
{
  return source_malloc(CORE, size);
}

void *__wrap_calloc(size_t count, size_t size)
{
  return source_calloc(CORE, count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
  return source_realloc(CORE, block, size);
}

char *__wrap_strdup(const char *text)
{
  return source_strdup(CORE, text);
}

void __wrap_free(void *block)
{
  source_free(CORE, block);
}

/* libcurl calls these. */
static void *curl_malloc(size_t size)
{
  return source_malloc(LIBCURL, size);
}

static void *curl_calloc(size_t count, size_t size)
{
  return source_calloc(LIBCURL, count, size);
}

static void *curl_realloc(void *block, size_t size)
{
  return source_realloc(LIBCURL, block, size);
}

static char *curl_strdup(const char *text)
{
  return source_strdup(LIBCURL, text);
}

static void curl_release(void *block)
{
  source_free(LIBCURL, block);
}

/* Lua calls this. A block that shrinks never fails: Lua 5.1 to 5.3 count on it. */
static void *lua_allocator(void *user, void *block, size_t old, size_t size)
{
  (void)user;
  if (size == 0) {
    if (block != NULL)
      source_free(LUA, block);
    return NULL;
  }
  if (block == NULL)
    return source_malloc(LUA, size);
  return size <= old ? __real_realloc(block, size) : source_realloc(LUA, block, size);
}

/* ---- problems ---- */

static void remove_folder(void);

static void die(const char *problem, const char *detail)
{
  fprintf(stderr, "allocator: %s: %s%s%s\n", now_running, problem, detail == NULL ? "" : ": ",
          detail == NULL ? "" : detail);
  remove_folder();
  exit(1);
}

static void on_signal(int number)
{
  static const char text[] = "allocator: crashed or hung in: ";
  if (write(STDERR_FILENO, text, sizeof text - 1) < 0
      || write(STDERR_FILENO, now_running, strlen(now_running)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
    _exit(2);
  remove_folder();
  signal(number, SIG_DFL);
  raise(number);
}

static int open_descriptors(void)
{
  int count = 0;
  for (int fd = 0; fd < 256; fd++)
    count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

/* ---- a server that responds when it is told to ---- */

enum { MAX_PEERS = 16 };
static int listener, refused_port, serving_port;
static char folder[] = "/tmp/hubspot-allocator.XXXXXX"; /* for the scenarios' file */
static char folder_file[sizeof folder + 8];
static struct {
  int fd;   /* 0: none */
  int tail; /* how much of the blank line behind a request's head has come */
} peers[MAX_PEERS];
static char response[128 * 1024];
static size_t response_length;

static void remove_folder(void)
{
  unlink(folder_file);
  rmdir(folder);
}

static int bind_loopback(int *port)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0
      || getsockname(fd, (struct sockaddr *)&address, &length) != 0)
    die("no port on loopback", strerror(errno));
  *port = ntohs(address.sin_port);
  return fd;
}

static void compose_answer(void)
{
  static char body[100 * 1024];
  int length = sprintf(body, "{\"status\":\"COMPLETE\",\"numErrors\":null,\"results\":[");
  for (int i = 1; i <= 500; i++)
    length += sprintf(body + length, "%s{\"fromObjectId\":%d,\"toObjectId\":\"%d\",\"labels\":[null,\"a\"]}",
                      i > 1 ? "," : "", i, i);
  length += sprintf(body + length, "]}");
  response_length = (size_t)snprintf(response, sizeof response,
                                     "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
                                     "X-HubSpot-RateLimit-Remaining: 5\r\nContent-Length: %d\r\n\r\n%s",
                                     length, body);
}

/* Replies to each command as Redis does: to SCRIPT LOAD with a digest, to EVALSHA with a list. */
static void serve_redis(int fd, const char *bytes, size_t length)
{
  for (; length >= 8; bytes++, length--) {
    const char *reply = NULL;
    if (memcmp(bytes, "SCRIPT\r\n", 8) == 0)
      reply = "$40\r\n0123456789012345678901234567890123456789\r\n";
    else if (memcmp(bytes, "EVALSHA\r", 8) == 0)
      reply = "*1\r\n$5\r\n1-0-7\r\n";
    if (reply != NULL)
      send(fd, reply, strlen(reply), MSG_NOSIGNAL);
  }
}

/* Responds once the body has ended: the requests here end in one of these bytes. */
static void serve_peer(int i)
{
  char bytes[16384];
  ssize_t got;
  while ((got = recv(peers[i].fd, bytes, sizeof bytes, 0)) > 0) {
    if (bytes[0] == '*') { /* a command comes as a whole */
      serve_redis(peers[i].fd, bytes, (size_t)got);
      continue;
    }
    char last = bytes[got - 1];
    if (last != '}' && last != 'x')
      continue;
    size_t sent = 0;
    while (sent < response_length) {
      ssize_t part = send(peers[i].fd, response + sent, response_length - sent, MSG_NOSIGNAL);
      if (part < 0)
        break; /* the loopback's buffers hold the response: only a peer that is gone fails */
      sent += (size_t)part;
    }
  }
  if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
    close(peers[i].fd);
    peers[i].fd = 0;
  }
}

static int serve(lua_State *L)
{
  (void)L;
  for (int i = 0; i < MAX_PEERS; i++) {
    if (peers[i].fd == 0) {
      int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
      peers[i].fd = fd > 0 ? fd : 0;
    }
    if (peers[i].fd != 0)
      serve_peer(i);
  }
  return 0;
}

static void drop_peers(void)
{
  for (int again = 0; again < 4; again++) /* more than MAX_PEERS may wait to be accepted */
    for (int i = 0; i < MAX_PEERS; i++) {
      int fd = peers[i].fd != 0 ? peers[i].fd : accept4(listener, NULL, NULL, SOCK_NONBLOCK);
      if (fd > 0)
        close(fd);
      peers[i].fd = 0;
    }
}

/* ---- runs ---- */

/* load_core, scenarios -> on the stack at 1 and 2. Nothing fails yet. */
static lua_State *prepare(const char *script, const char *name)
{
  lua_State *L = lua_newstate(lua_allocator, NULL);
  if (L == NULL)
    die("this Lua takes no allocator", NULL);
  luaL_openlibs(L);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_hubspot_associations_core);
  lua_setfield(L, -2, "hubspot.associations.core");
#ifdef WITH_REDIS
  lua_pushcfunction(L, luaopen_hubspot_associations_redis_codec);
  lua_setfield(L, -2, "hubspot.associations.redis_codec");
#endif
  lua_settop(L, 0);
  lua_newtable(L);
  lua_pushcfunction(L, serve);
  lua_setfield(L, -2, "serve");
  lua_pushinteger(L, refused_port);
  lua_setfield(L, -2, "refused_port");
  lua_pushinteger(L, serving_port);
  lua_setfield(L, -2, "serving_port");
  lua_pushstring(L, folder);
  lua_setfield(L, -2, "folder");
  lua_pushstring(L, name);
  lua_setfield(L, -2, "scenario");
  if (luaL_loadfile(L, script) != 0)
    die("the scenarios do not load", lua_tostring(L, -1));
  lua_insert(L, 1);
  if (lua_pcall(L, 1, 1, 0) != 0)
    die("the scenarios do not load", lua_tostring(L, -1));
  lua_getfield(L, 1, "load_core");
  lua_getfield(L, 1, "scenarios");
  lua_remove(L, 1);
  return L;
}

static int is_about_memory(const char *message)
{
  return message != NULL && strcasestr(message, "memory") != NULL;
}

/* Runs a scenario: 1 when it worked, else 0, with what it raised or told at the top. */
static int run_scenario(lua_State *L, const char *name, int *raised)
{
  lua_settop(L, 3);
  lua_getfield(L, 2, name);
  lua_pushvalue(L, 3); /* the core */
  *raised = lua_pcall(L, 1, 2, 0) != 0;
  return !*raised && lua_toboolean(L, -2);
}

/* One run with failures; returns how many there were. */
static long run(const char *script, const char *name, int source, long first, long length)
{
  long live[SOURCES];
  int raised;
  lua_State *L = prepare(script, name);
  for (int i = 0; i < SOURCES; i++)
    live[i] = memory.live[i];
  lua_pushnil(L); /* in the core's place */
  if (strcmp(name, "load") != 0) {
    lua_settop(L, 2);
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 0, 1, 0) != 0)
      die("the core does not load", lua_tostring(L, -1));
  }
  memory.first = first;
  memory.length = length;
  memory.asked = memory.failed = 0;
  memory.source = source;
  int worked = run_scenario(L, name, &raised);
  memory.source = -1;
  long failed = memory.failed;
  if (!worked && failed == 0)
    die("failed although no memory did", lua_tostring(L, -1));
  if (!worked && raised && !is_about_memory(lua_tostring(L, -1)))
    die("raised an error that is not about memory", lua_tostring(L, -1));
  if (!worked && !raised && lua_type(L, -1) != LUA_TSTRING)
    die("failed without a message", NULL);

  drop_peers();
  if (failed > 0 && !run_scenario(L, name, &raised))
    die("does not work once memory is back", lua_tostring(L, -1));
  lua_close(L);
  drop_peers();
  for (int i = CORE; i < SOURCES; i++)
    if (memory.live[i] != live[i])
      die("left something allocated", source_names[i]);
  if (memory.live[LUA] != 0)
    die("left something allocated", source_names[LUA]);
  return failed;
}

static double seconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Every n up to `every`, then steps that grow with n, by an odd number so that loops are met everywhere. */
static long next(long n, long every)
{
  return n < every ? n + 1 : n + 1 + (n - every) / 8 / 2 * 2;
}

static void run_all(const char *script, const char *name, long every)
{
  for (int source = 0; source < SOURCES; source++)
    for (int length = 0; length < LENGTHS; length++) {
      if (source != LUA && lengths[length] == 2)
        continue; /* only Lua asks again */
      int sends = strncmp(name, "request", 7) == 0 || strncmp(name, "create", 6) == 0
                  || strncmp(name, "stream", 6) == 0 || strncmp(name, "queue", 5) == 0;
      if (source == LIBCURL && sends && getenv("ALLOCATOR_LIBCURL") == NULL)
        continue;
      int descriptors = open_descriptors();
      double began = seconds();
      long n = 1, runs = 0;
      for (;; n = next(n, every)) {
        snprintf(now_running, sizeof now_running, "%s, %s, %s, n = %ld", name, source_names[source],
                 length_names[length], n);
        alarm(30);
        runs++;
        if (run(script, name, source, n, lengths[length]) == 0)
          break;
        if (open_descriptors() != descriptors)
          die("left a descriptor open", NULL);
      }
      alarm(0);
      printf("%-18s %-18s %-22s %5ld requests %5ld runs %6.2f s\n", name, source_names[source],
             length_names[length], n - 1, runs, seconds() - began);
      fflush(stdout);
    }
}

int main(int argc, char **argv)
{
  static const char *const names[] = {
    "load",
    "body",
    "shapes",
    "decode",
    "seen",
    "url",
    "file",
    "submit",
    "request_refused",
    "request_answered",
    "request_in_place",
    "request_abandoned",
    "stream_refused",
    "stream_answered",
    "redis_codec",
    "create_refused",
    "create_answered",
    "queue_refused",
    "queue_answered",
  };
  const char *every = getenv("ALLOCATOR_EVERY"); /* up to where every n is tried */
  if (argc < 2 || argc > 3)
    die("usage: allocator SCENARIOS.lua [NAME]", NULL);
  if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, curl_release, curl_realloc, curl_strdup,
                           curl_calloc)
      != CURLE_OK)
    die("libcurl could not be initialized", NULL);
  signal(SIGSEGV, on_signal);
  signal(SIGABRT, on_signal);
  signal(SIGFPE, on_signal);
  signal(SIGALRM, on_signal);
  compose_answer();
  if (mkdtemp(folder) == NULL)
    die("no folder", strerror(errno));
  snprintf(folder_file, sizeof folder_file, "%s/file", folder);
  int unused = bind_loopback(&refused_port); /* bound, and nobody listens */
  listener = bind_loopback(&serving_port);
  if (listen(listener, 64) != 0)
    die("cannot listen", strerror(errno));
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (argc < 3 || strcmp(argv[2], names[i]) == 0)
      run_all(argv[1], names[i], every == NULL ? 300 : atol(every));
  remove_folder();
  close(listener);
  close(unused);
  curl_global_cleanup();
  return 0;
}
