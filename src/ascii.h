#ifndef HSA_ASCII_H
#define HSA_ASCII_H

/* For ASCII only, because the C library's functions depend on the host's locale. */

static inline char hsa_ascii_lower(char c)
{
  return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static inline int hsa_ascii_is_space(char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

#endif
