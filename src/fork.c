/* Whether the process was forked, also by a system call that the C library does not know of. On Linux, a page of memory
 * tells, which is empty in every child: getpid is a system call, which a request made seven times. */
#define _GNU_SOURCE
#include "fork.h"

#include <sys/mman.h>
#include <unistd.h>

enum { ROOM = 1 };

static unsigned char *new_mark(void)
{
#ifdef MADV_WIPEONFORK
  void *page = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED)
    return NULL;
  if (madvise(page, ROOM, MADV_WIPEONFORK) == 0)
    return page;
  munmap(page, ROOM); /* Linux before 4.14 */
#endif
  return NULL;
}

void hsa_fork_begin(hsa_fork *fork)
{
  fork->mark = new_mark();
  hsa_fork_become_owner(fork);
}

void hsa_fork_become_owner(hsa_fork *fork)
{
  fork->owner = getpid();
  if (fork->mark != NULL)
    *fork->mark = 1;
}

int hsa_fork_is_child(const hsa_fork *fork)
{
  return fork->mark != NULL ? *fork->mark == 0 : fork->owner != getpid();
}

void hsa_fork_end(hsa_fork *fork)
{
  if (fork->mark != NULL)
    munmap((void *)fork->mark, ROOM);
  fork->mark = NULL;
}
