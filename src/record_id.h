#ifndef HSA_RECORD_ID_H
#define HSA_RECORD_ID_H

#include <stddef.h>

enum { HSA_RECORD_ID_DIGITS = 19 };

/* NULL when `bytes` spell a record id: 1 to 19 digits, of which the first is not 0. Else what they look like,
 * and what to do about it, as the rest of a sentence. */
const char *hsa_record_id_flaw(const char *bytes, size_t length);

#endif
